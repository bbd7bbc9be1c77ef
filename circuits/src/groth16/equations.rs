//! The two equations of a proof by themselves, for tests. A round's verifier checks them within its one pairing.

use super::keys::CircuitKey;
use super::verify::CommittedProof;
use crate::curve::msm::msm;
use ark_bn254::{Bn254, Fr, G2Affine};
use ark_ec::{pairing::Pairing, AffineRepr, CurveGroup};
use ark_ff::Zero;

impl CircuitKey {
    /// Whether the proof holds for these public inputs. The caller has computed the challenges among them from a
    /// transcript that contains the commitment.
    ///
    /// `e(A, B) = e(alpha, beta) e(IC + D, [1]) e(C, delta)` and `e(PoK, [1]) = e(D, [sigma])`.
    pub(crate) fn verify(&self, inputs: &[Fr], proof: &CommittedProof) -> bool {
        let key = &self.groth16;
        if inputs.len() + 1 != key.gamma_abc_g1.len() {
            return false;
        }
        let CommittedProof { groth16, commitment, knowledge } = proof;
        let statement = msm(&key.gamma_abc_g1[1..], inputs) + key.gamma_abc_g1[0] + commitment;
        let groth16 = Bn254::multi_pairing(
            [-groth16.a, key.alpha_g1, statement.into_affine(), groth16.c],
            [groth16.b, key.beta_g2, key.gamma_g2, key.delta_g2],
        );
        let knowledge =
            Bn254::multi_pairing([*commitment, -*knowledge], [self.sigma_g2, G2Affine::generator()]);
        groth16.is_zero() && knowledge.is_zero()
    }
}
