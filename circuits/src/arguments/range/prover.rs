//! The prover of a range proof.

use super::error::RangeError;
use super::statement::RangeStatement;
use super::table::RangeTable;
use super::transcript::Transcript;
use super::verifier::verify_range;
use super::words::RangeProof;
use crate::curve::field::fr_from_i64;
use crate::curve::msm::msm;
use crate::curve::ntt::{multiply_mirrored, Transform, Value};
use crate::kzg::opening::{evaluate, line, quotient, PointPair};
use crate::kzg::ReferenceString;
use ark_bn254::{Fr, G1Affine};
use ark_ec::CurveGroup;
use ark_ff::{serial_batch_inversion_and_mul, Field, One, Zero};
use rayon::prelude::*;

/// Entries that one task works on.
const BLOCK: usize = 4096;

/// What the prover claims to know.
#[derive(Debug, Clone)]
pub struct RangeWitness {
    /// What is looked up: `u` itself with table 16; high and low limbs with table 8. All of one length.
    pub columns: Vec<Vec<Fr>>,
    /// How often each entry of the table occurs in all columns together.
    pub counts: Vec<Fr>,
}

impl RangeWitness {
    /// The witness of an update.
    pub fn of_update(table: RangeTable, update: &[i16]) -> Self {
        let columns: Vec<Vec<i64>> = match table {
            RangeTable::Bits16 => vec![update.iter().map(|u| i64::from(*u)).collect()],
            RangeTable::Limbs8 => {
                let shifted = || update.iter().map(|u| i64::from(*u) + (1 << 15));
                vec![shifted().map(|v| v >> 8).collect(), shifted().map(|v| v & 0xff).collect()]
            }
        };
        let mut counts = vec![0u64; table.size()];
        for entry in columns.iter().flatten() {
            counts[(entry + table.offset()) as usize] += 1;
        }
        Self {
            columns: columns.iter().map(|c| c.par_iter().map(|v| fr_from_i64(*v)).collect()).collect(),
            counts: counts.into_iter().map(Fr::from).collect(),
        }
    }
}

/// Proves that every entry of `update` lies in `[-2^15, 2^15)`, which any `i16` does, for the trainer, round and
/// commitment of the statement. The reference string needs `max(d, table)` points: see [`RangeTable::points`].
///
/// # Errors
/// A statement that does not belong to the update, a reference string that is too short, or a degenerate challenge,
/// which happens with negligible probability.
pub fn prove_range(
    srs: &ReferenceString,
    statement: &RangeStatement,
    update: &[i16],
) -> Result<RangeProof, RangeError> {
    statement.check()?;
    if update.len() != statement.dimension as usize {
        return Err(RangeError::UpdateLength { expected: statement.dimension as usize, found: update.len() });
    }
    srs.powers(statement.table.points(statement.dimension))?;
    if srs.commit_update(update)? != statement.commitment {
        return Err(RangeError::CommitmentMismatch);
    }
    let proof = prove_range_unchecked(srs, statement, RangeWitness::of_update(statement.table, update))?;
    verify_range(&srs.kzg_key(), statement, &proof)
        .map_err(|error| RangeError::DoesNotVerify(Box::new(error)))?;
    Ok(proof)
}

/// Makes the argument for any witness, true or false, without verifying it. Trainers use [`prove_range`]; this makes
/// the vectors of cheats that every verifier must refuse.
///
/// # Errors
/// A reference string that is too short, or a degenerate challenge.
pub fn prove_range_unchecked(
    srs: &ReferenceString,
    statement: &RangeStatement,
    witness: RangeWitness,
) -> Result<RangeProof, RangeError> {
    let table = statement.table;
    let mut transcript = Transcript::new(statement);
    let high = commit_high(srs, table, &witness)?;
    let counts = commit(srs, &witness.counts)?;
    let beta = transcript.counts(high.as_ref(), &counts)?;

    let lookup = Lookup::new(statement, witness, beta);
    let fractions = lookup.fractions.iter().map(|f| commit(srs, f)).collect::<Result<Vec<_>, _>>()?;
    let table_fractions = commit(srs, &lookup.table_fractions)?;
    let (y, g) = transcript.fractions(&fractions, &table_fractions)?;

    let (_, s) = lookup.laurent(y, g);
    let s_point = commit(srs, &s)?;
    let z = transcript.laurent(&s_point, y)?;

    let opening = Opening::new(lookup, s, y, z);
    let values = opening.values();
    let gamma = transcript.values(&values)?;
    let folded = opening.fold(gamma, &values);
    let h = folded.quotients();
    let w = commit(srs, &h)?;
    let v = transcript.quotient(&w, y, z)?;
    let w_prime = commit(srs, &divided(folded.last_polynomial(&h, v), v))?;
    Ok(RangeProof { high, counts, fractions, table_fractions, s: s_point, values, w, w_prime })
}

/// `C_HI` where there are limbs.
pub(super) fn commit_high(
    srs: &ReferenceString,
    table: RangeTable,
    witness: &RangeWitness,
) -> Result<Option<G1Affine>, RangeError> {
    match table {
        RangeTable::Limbs8 => Ok(Some(commit(srs, &witness.columns[0])?)),
        RangeTable::Bits16 => Ok(None),
    }
}

pub(super) fn commit(srs: &ReferenceString, coefficients: &[Fr]) -> Result<G1Affine, RangeError> {
    Ok(msm(srs.powers(coefficients.len())?, coefficients).into_affine())
}

/// All that is committed to before `y`.
pub(super) struct Lookup {
    table: RangeTable,
    dimension: usize,
    beta: Fr,
    pub(super) columns: Vec<Vec<Fr>>,
    pub(super) counts: Vec<Fr>,
    /// `f_j = 1 / (beta + v_j)` for `j < d`, a column each.
    pub(super) fractions: Vec<Vec<Fr>>,
    /// `k_t = m_t / (beta + t - offset)`.
    pub(super) table_fractions: Vec<Fr>,
}

impl Lookup {
    pub(super) fn new(statement: &RangeStatement, witness: RangeWitness, beta: Fr) -> Self {
        let (table, dimension) = (statement.table, statement.dimension as usize);
        let fractions =
            witness.columns.iter().map(|column| inverses(column.iter().take(dimension), beta)).collect();
        let entries: Vec<Fr> = table_entries(table).collect();
        let mut table_fractions = inverses(entries.iter(), beta);
        table_fractions.par_iter_mut().zip(&witness.counts).for_each(|(k, m)| *k *= m);
        Self {
            table,
            dimension,
            beta,
            columns: witness.columns,
            counts: witness.counts,
            fractions,
            table_fractions,
        }
    }

    /// `(c, S)` of `A(X) + A(1/X) = 2 c + X S(X) + S(1/X) / X`, see docs/protocol.md 7. With a true witness
    /// `c = (1 + g ..) I_d(y)`.
    pub(super) fn laurent(&self, y: Fr, g: Fr) -> (Fr, Vec<Fr>) {
        let entries = self.columns.iter().chain(&self.fractions).map(Vec::len).max().unwrap_or(0);
        let most = entries.max(self.table.size());
        let y_powers = powers(y, most);
        let inverse_powers = powers(y.inverse().expect("y is not 0: the transcript refuses it"), most);
        let scaled = |c: &[Fr]| -> Vec<Fr> { c.par_iter().zip(&y_powers).map(|(c, y)| *c * y).collect() };
        let columns = self.columns.len() as u64;
        let (table_weight, sum_weight) = (g.pow([columns]), g.pow([columns + 1]));

        let mut products = vec![];
        for (c, (column, f)) in self.columns.iter().zip(&self.fractions).enumerate() {
            let weight = g.pow([c as u64]);
            let right = column.par_iter().zip(&inverse_powers).enumerate().map(|(j, (v, y))| {
                if j < self.dimension {
                    weight * (*v + self.beta) + sum_weight * y
                } else {
                    weight * v
                }
            });
            products.push((scaled(f), right.collect()));
        }
        let right = table_entries(self.table).zip(&inverse_powers);
        let right = right.map(|(t, y)| table_weight * (t + self.beta) - sum_weight * y).collect();
        products.push((scaled(&self.table_fractions), right));

        let mut folded = correlations(products, most);
        // M(yX) I_T(1/X) has no products to form: its coefficients are sums of a run of M's.
        let counts = scaled(&self.counts);
        let total: Fr = counts.iter().sum();
        // Of the first i: its rest goes to X^i, the rest behind T - i to X^-i.
        let mut prefix = Fr::zero();
        let mut mirrored = total;
        for i in 0..counts.len() {
            let both = (total - prefix) + mirrored;
            folded[i] -= table_weight * if i == 0 { total } else { both };
            prefix += counts[i];
            mirrored -= counts[counts.len() - 1 - i];
        }
        let s = folded.split_off(1);
        (folded[0], s)
    }
}

/// The table's entries as scalars.
fn table_entries(table: RangeTable) -> impl Iterator<Item = Fr> {
    (0..table.size() as i64).map(move |t| fr_from_i64(t - table.offset()))
}

/// `1 / (beta + v)` for each `v`, 0 where there is no inverse.
fn inverses<'a>(entries: impl Iterator<Item = &'a Fr>, beta: Fr) -> Vec<Fr> {
    let mut all: Vec<Fr> = entries.map(|v| beta + v).collect();
    all.par_chunks_mut(BLOCK).for_each(|chunk| serial_batch_inversion_and_mul(chunk, &Fr::one()));
    all
}

/// `1, base, base^2, ..`.
fn powers(base: Fr, n: usize) -> Vec<Fr> {
    let mut all = vec![Fr::one(); n];
    all.par_chunks_mut(BLOCK).enumerate().for_each(|(block, chunk)| {
        let mut power = base.pow([(block * BLOCK) as u64]);
        for place in chunk {
            *place = power;
            power *= base;
        }
    });
    all
}

/// Of `sum_k a_k(X) b_k(1/X)`: the constant term, then for `i` from 1 the coefficients of `X^i` and `X^-i` together,
/// `n` numbers in all. Products of one size share one inverse transform.
fn correlations(mut products: Vec<(Vec<Fr>, Vec<Fr>)>, n: usize) -> Vec<Fr> {
    let mut sums = vec![Fr::zero(); n];
    while let Some((a, b)) = products.pop() {
        let transform = transform_of(&a, &b);
        let mut at_roots = multiplied(&transform, a, b);
        for index in (0..products.len()).rev() {
            let (a, b) = &products[index];
            if transform_of(a, b).size() == transform.size() {
                let (a, b) = products.remove(index);
                let more = multiplied(&transform, a, b);
                at_roots.par_iter_mut().zip(more).for_each(|(sum, more)| *sum = sum.plus(more));
            }
        }
        transform.inverse_in_place(&mut at_roots);
        let (scale, size) = (transform.scale(), transform.size());
        sums[0] += at_roots[0].times(scale).reduced();
        sums[..n.min(size / 2)].par_iter_mut().enumerate().skip(1).for_each(|(i, sum)| {
            *sum += at_roots[i].plus(at_roots[size - i]).times(scale).reduced();
        });
    }
    sums
}

/// With `2 n - 1` roots no two powers of a product of `n` coefficients fall together.
fn transform_of(a: &[Fr], b: &[Fr]) -> Transform {
    Transform::new(2 * a.len().max(b.len()).max(1) - 1)
}

/// `a(w) b(1/w)` at all roots `w`.
fn multiplied(transform: &Transform, a: Vec<Fr>, b: Vec<Fr>) -> Vec<Value> {
    let mut values = transform.forward(&a);
    drop(a);
    multiply_mirrored(&mut values, &transform.forward(&b));
    values
}

/// The opened polynomials: `U, [HI], S` at `z, 1/z`, and `F.., K, M` at `yz, y/z`.
pub(super) struct Opening {
    sets: [(PointPair, Vec<Vec<Fr>>); 2],
}

impl Opening {
    pub(super) fn new(lookup: Lookup, s: Vec<Fr>, y: Fr, z: Fr) -> Self {
        let mut columns = lookup.columns.into_iter();
        let first = columns.next().unwrap_or_default();
        let at_z = match columns.next() {
            None => vec![first, s],
            // U = 256 HI + LO - 2^15 I_d.
            Some(low) => {
                let (base, offset) = (Fr::from(256u64), Fr::from(1u64 << 15));
                let entry = |(j, (hi, lo)): (usize, (&Fr, &Fr))| {
                    let value = base * hi + lo;
                    if j < lookup.dimension {
                        value - offset
                    } else {
                        value
                    }
                };
                vec![first.par_iter().zip(&low).enumerate().map(entry).collect(), first, s]
            }
        };
        let mut at_yz = lookup.fractions;
        at_yz.push(lookup.table_fractions);
        at_yz.push(lookup.counts);
        let inverse = z.inverse().expect("z is not 0: the transcript refuses it");
        let scaled = PointPair { z: y * z, inverse: y * inverse }; // two points that are not inverses, but two
        Self { sets: [(PointPair { z, inverse }, at_z), (scaled, at_yz)] }
    }

    pub(super) fn values(&self) -> Vec<[Fr; 2]> {
        let of_set = |(at, all): &(PointPair, Vec<Vec<Fr>>)| {
            all.iter().map(|p| [evaluate(p, at.z), evaluate(p, at.inverse)]).collect::<Vec<_>>()
        };
        self.sets.iter().flat_map(of_set).collect()
    }

    /// All polynomials of a set in one, with powers of `gamma` that run on from set to set.
    pub(super) fn fold(&self, gamma: Fr, values: &[[Fr; 2]]) -> Folded {
        let mut weight = Fr::one();
        let mut values = values.iter();
        let sets = self.sets.each_ref().map(|(at, all)| {
            let mut sum = vec![Fr::zero(); all.iter().map(Vec::len).max().unwrap_or(0)];
            let mut claimed = [Fr::zero(); 2];
            for (p, value) in all.iter().zip(&mut values) {
                sum.par_iter_mut().zip(p).for_each(|(sum, c)| *sum += weight * c);
                claimed[0] += weight * value[0];
                claimed[1] += weight * value[1];
                weight *= gamma;
            }
            FoldedSet { at: *at, polynomial: sum, line: line(at, claimed[0], claimed[1]) }
        });
        Folded { sets }
    }
}

/// One polynomial for each pair of points, with the line through its claimed values.
pub(super) struct Folded {
    sets: [FoldedSet; 2],
}

struct FoldedSet {
    at: PointPair,
    polynomial: Vec<Fr>,
    line: (Fr, Fr),
}

impl FoldedSet {
    fn vanishing(&self, v: Fr) -> Fr {
        (v - self.at.z) * (v - self.at.inverse)
    }
}

impl Folded {
    /// `h = (f_1 - r_1) / Z_1 + (f_2 - r_2) / Z_2`.
    pub(super) fn quotients(&self) -> Vec<Fr> {
        let [mut h, other] = self.sets.each_ref().map(|set| quotient(set.polynomial.clone(), &set.at));
        add_scaled(&mut h, Fr::one(), &other);
        h
    }

    /// `L = f_1 - r_1(v) + (Z_1 / Z_2)(v) (f_2 - r_2(v)) - Z_1(v) h`, which is 0 at `v` when `h` is what it should be.
    pub(super) fn last_polynomial(&self, h: &[Fr], v: Fr) -> Vec<Fr> {
        let [first, second] = &self.sets;
        let vanishing = first.vanishing(v);
        let ratio = vanishing
            * second.vanishing(v).inverse().expect("v is no point of a set: the transcript refuses it");
        let mut l = first.polynomial.clone();
        add_scaled(&mut l, ratio, &second.polynomial);
        add_scaled(&mut l, -vanishing, h);
        if let Some(constant) = l.first_mut() {
            *constant -= first.line.0 + first.line.1 * v + ratio * (second.line.0 + second.line.1 * v);
        }
        l
    }
}

/// The quotient of a polynomial by `X - v`, the remainder dropped.
pub(super) fn divided(mut polynomial: Vec<Fr>, v: Fr) -> Vec<Fr> {
    let mut carry = Fr::zero();
    for coefficient in polynomial.iter_mut().rev() {
        let value = *coefficient + carry * v;
        *coefficient = carry;
        carry = value;
    }
    polynomial.pop();
    polynomial
}

/// `sum += weight * other`, made longer where it must be.
fn add_scaled(sum: &mut Vec<Fr>, weight: Fr, other: &[Fr]) {
    if sum.len() < other.len() {
        sum.resize(other.len(), Fr::zero());
    }
    sum.par_iter_mut().zip(other).for_each(|(sum, c)| *sum += weight * c);
}

#[cfg(test)]
#[path = "tests/prover.rs"]
mod tests;
