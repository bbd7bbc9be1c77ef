//! The verifier.

use super::CircuitKey;
use crate::error::VerifyError;
use crate::msm::msm;
use ark_bn254::{Bn254, Fr, G1Affine};
use ark_ec::{pairing::Pairing, AffineRepr, CurveGroup};
use ark_ff::{BigInteger, PrimeField, Zero};
use ark_groth16::Proof;
use fairshare_protocol::Word;

/// Tables have at most `2^16` entries, from 0 on.
const TABLE_LOG: u32 = 16;

/// A proof with its commitment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CommitProof {
    /// `A, B, C`.
    pub groth16: Proof<Bn254>,
    /// The commitment `D`.
    pub commitment: G1Affine,
    /// Its proof of knowledge, `sigma D`.
    pub knowledge: G1Affine,
}

/// The challenge of a state that holds the commitment, for lookups: `state mod r`.
///
/// # Errors
/// A challenge that could be an entry of a table: there the share of an entry would be free.
pub(crate) fn lookup_challenge(state: Word) -> Result<Fr, VerifyError> {
    let x = crate::encoding::challenge(&state);
    admissible(x).then_some(x).ok_or(VerifyError::DegenerateChallenge)
}

pub(super) fn admissible(x: Fr) -> bool {
    x.into_bigint().num_bits() > TABLE_LOG
}

impl CircuitKey {
    /// Whether the proof holds for these public inputs. The caller has computed the challenges among them from a transcript
    /// that holds the commitment.
    ///
    /// `e(A, B) = e(alpha, beta) e(IC + D, [1]) e(C, delta)` and `e(PoK, [1]) = e(D, [sigma])`. A key of a circuit without a
    /// commitment takes none of these.
    pub(crate) fn verify(&self, inputs: &[Fr], proof: &CommitProof) -> bool {
        let (key, Some(sigma)) = (&self.groth16, self.sigma_g2) else { return false };
        if inputs.len() + 1 != key.gamma_abc_g1.len() {
            return false;
        }
        let CommitProof { groth16, commitment, knowledge } = proof;
        let statement = msm(&key.gamma_abc_g1[1..], inputs) + key.gamma_abc_g1[0] + commitment;
        let groth16 = Bn254::multi_pairing(
            [-groth16.a, key.alpha_g1, statement.into_affine(), groth16.c],
            [groth16.b, key.beta_g2, key.gamma_g2, key.delta_g2],
        );
        let knowledge =
            Bn254::multi_pairing([*commitment, -*knowledge], [sigma, ark_bn254::G2Affine::generator()]);
        groth16.is_zero() && knowledge.is_zero()
    }
}
