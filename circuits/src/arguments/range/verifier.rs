//! Checking a range proof, step by step as the contract does.

use super::error::RangeError;
use super::statement::RangeStatement;
use super::table::{geometric, table_polynomial, RangeTable};
use super::transcript::Transcript;
use super::words::opened;
use super::words::RangeProof;
use crate::curve::msm::msm;
use crate::kzg::opening::{line, PointPair};
use crate::kzg::KzgKey;
use ark_bn254::{Bn254, Fr, G1Affine};
use ark_ec::{pairing::Pairing, AffineRepr, CurveGroup};
use ark_ff::{Field, One, Zero};
use fairshare_protocol::Word;

/// The challenges of a proof.
#[derive(Debug, Clone, Copy)]
pub(super) struct Challenges {
    pub(super) beta: Fr,
    pub(super) y: Fr,
    pub(super) g: Fr,
    pub(super) z: Fr,
    pub(super) gamma: Fr,
    pub(super) v: Fr,
}

/// Accepts exactly the proofs that the contract accepts, and gives its reason otherwise.
///
/// That the committed polynomial ends before `d` it does not show: the Gram argument does.
///
/// # Errors
/// The reason of the refusal.
pub fn verify_range(key: &KzgKey, statement: &RangeStatement, proof: &RangeProof) -> Result<(), RangeError> {
    verify_with(key, statement, proof, Transcript::new(statement))
}

/// `f0 ..= f6` of docs/protocol.md 7, for the vectors.
///
/// # Errors
/// A degenerate challenge.
pub fn range_transcript_states(
    statement: &RangeStatement,
    proof: &RangeProof,
) -> Result<Vec<Word>, RangeError> {
    let mut transcript = Transcript::new(statement);
    challenges(proof, &mut transcript)?;
    Ok(transcript.into_states())
}

/// [`verify_range`] over any transcript.
pub(super) fn verify_with(
    key: &KzgKey,
    statement: &RangeStatement,
    proof: &RangeProof,
    mut transcript: Transcript,
) -> Result<(), RangeError> {
    statement.check()?;
    proof.check_shape(statement.table)?;
    let c = challenges(proof, &mut transcript)?;
    if !identity_holds(statement.table, statement.dimension as usize, &proof.values, &c) {
        return Err(RangeError::RangeIdentityFailed);
    }
    let points = pairing_points(statement, proof, &c);
    if Bn254::multi_pairing(points, [key.g2[0], key.g2[1]]).is_zero() {
        Ok(())
    } else {
        Err(RangeError::PairingFailed)
    }
}

pub(super) fn challenges(proof: &RangeProof, transcript: &mut Transcript) -> Result<Challenges, RangeError> {
    let beta = transcript.counts(proof.high.as_ref(), &proof.counts)?;
    let (y, g) = transcript.fractions(&proof.fractions, &proof.table_fractions)?;
    let z = transcript.laurent(&proof.s, y)?;
    let gamma = transcript.values(&proof.values)?;
    let v = transcript.quotient(&proof.w, y, z)?;
    Ok(Challenges { beta, y, g, z, gamma, v })
}

/// `A(z) + A(1/z) = 2 (1 + g ..) I_d(y) + z S(z) + S(1/z) / z`, `2 (1 + g) I_d(y)` with two columns.
fn identity_holds(table: RangeTable, d: usize, values: &[[Fr; 2]], c: &Challenges) -> bool {
    identity_excess(table, d, values, c).is_zero()
}

/// The left side of the identity less the right.
pub(super) fn identity_excess(table: RangeTable, d: usize, values: &[[Fr; 2]], c: &Challenges) -> Fr {
    let (at_z, at_yz) = values.split_at(opened(table).0);
    let inverse = c.z.inverse().expect("z is not 0: the transcript refuses it");
    let s = at_z[at_z.len() - 1];
    let constant: Fr = geometric(c.g, table.columns()) * geometric(c.y, d);
    let left = a_at(table, d, at_z, at_yz, c, 0, inverse) + a_at(table, d, at_z, at_yz, c, 1, c.z);
    left - (constant + constant + c.z * s[0] + inverse * s[1])
}

/// `A` at `z` (side 0) or `1/z` (side 1), where `p` is the inverse of that point: `F, K, M` at `y/p`, the columns at
/// `p`.
fn a_at(
    table: RangeTable,
    d: usize,
    at_z: &[[Fr; 2]],
    at_yz: &[[Fr; 2]],
    c: &Challenges,
    side: usize,
    p: Fr,
) -> Fr {
    let q = p * c.y.inverse().expect("y is not 0: the transcript refuses it");
    let i_d = geometric(p, d);
    let columns = columns_at(table, at_z, 1 - side, i_d);
    let (fractions, rest) = at_yz.split_at(columns.len());
    let (k, m) = (rest[0][side], rest[1][side]);
    let mut sum = Fr::zero();
    let mut weight = Fr::one();
    let mut all_fractions = Fr::zero();
    for (f, column) in fractions.iter().zip(columns) {
        sum += weight * f[side] * (column + c.beta * i_d);
        all_fractions += f[side];
        weight *= c.g;
    }
    let i_t = geometric(p, table.size());
    let t = table_polynomial(p, table).expect("z is not 1: the transcript refuses it");
    sum += weight * (k * (t + c.beta * i_t) - m * i_t);
    sum + weight * c.g * (all_fractions * geometric(q, d) - k * geometric(q, table.size()))
}

/// The columns' values at a point: `U` itself, or `HI` and `LO = U - 256 HI + 2^15 I_d`, which has no commitment.
fn columns_at(table: RangeTable, at_z: &[[Fr; 2]], place: usize, i_d: Fr) -> Vec<Fr> {
    let u = at_z[0][place];
    match table {
        RangeTable::Bits16 => vec![u],
        RangeTable::Limbs8 => {
            let high = at_z[1][place];
            vec![high, u - Fr::from(256u64) * high + Fr::from(1u64 << 15) * i_d]
        }
    }
}

/// The points to be paired with `[1]_2` and `[x]_2`: `C_L + v W'` and `-W'`.
fn pairing_points(statement: &RangeStatement, proof: &RangeProof, c: &Challenges) -> [G1Affine; 2] {
    let inverse = c.z.inverse().expect("z is not 0: the transcript refuses it");
    let first = PointPair { z: c.z, inverse };
    let second = PointPair { z: c.y * c.z, inverse: c.y * inverse };
    let vanishing = |at: &PointPair| (c.v - at.z) * (c.v - at.inverse);
    let ratio =
        vanishing(&first) * vanishing(&second).inverse().expect("v is no point: the transcript refuses it");

    let mut points: Vec<G1Affine> =
        std::iter::once(statement.commitment).chain(proof.high).chain([proof.s]).collect();
    points.extend(&proof.fractions);
    points.extend([proof.table_fractions, proof.counts]);
    let (at_z, _) = opened(statement.table);
    let mut scalars = Vec::with_capacity(points.len() + 3);
    let mut claimed = [[Fr::zero(); 2]; 2];
    let mut weight = Fr::one();
    for (index, value) in proof.values.iter().enumerate() {
        let set = usize::from(index >= at_z);
        scalars.push(if set == 0 { weight } else { ratio * weight });
        claimed[set][0] += weight * value[0];
        claimed[set][1] += weight * value[1];
        weight *= c.gamma;
    }
    let at_v = |at: &PointPair, values: [Fr; 2]| {
        let (constant, slope) = line(at, values[0], values[1]);
        constant + slope * c.v
    };
    points.extend([G1Affine::generator(), proof.w, proof.w_prime]);
    scalars.push(-(at_v(&first, claimed[0]) + ratio * at_v(&second, claimed[1])));
    scalars.push(-vanishing(&first));
    scalars.push(c.v);
    [msm(&points, &scalars).into_affine(), -proof.w_prime]
}
