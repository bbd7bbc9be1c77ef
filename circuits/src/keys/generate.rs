//! Makes development keys: the same bytes on every machine.

use super::KeyError;
use crate::statements::proof::AssessmentCircuit;
use ark_bn254::{Bn254, Fr, G1Projective, G2Projective};
use ark_ec::PrimeGroup;
use ark_ff::{Field, UniformRand};
use ark_groth16::{Groth16, ProvingKey};
use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};

/// The development keys of one circuit. The secrets come from a text that anybody can read, so anybody can forge proofs
/// under these keys. `gamma` is one, as in every key (docs/protocol.md 13.1).
pub(super) fn generate_dev(circuit: AssessmentCircuit) -> Result<ProvingKey<Bn254>, KeyError> {
    let AssessmentCircuit { rule, size } = circuit;
    let secret = format!("fairshare DEV groth16 {} {size}, anybody knows this secret", rule.name());
    let mut rng = ChaCha20Rng::from_seed(Sha256::digest(secret).into());
    let [alpha, beta, delta] = std::array::from_fn(|_| Fr::rand(&mut rng));
    Ok(Groth16::<Bn254>::generate_parameters_with_qap(
        circuit,
        alpha,
        beta,
        Fr::ONE,
        delta,
        G1Projective::generator(),
        G2Projective::generator(),
        &mut rng,
    )?)
}
