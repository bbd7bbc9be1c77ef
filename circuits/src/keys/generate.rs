//! Makes development keys: the same bytes on every machine.

use super::KeyError;
use crate::statements::agreement::AgreementCircuit;
use ark_bn254::{Bn254, Fr, G1Projective, G2Projective};
use ark_ec::PrimeGroup;
use ark_ff::UniformRand;
use ark_groth16::{Groth16, ProvingKey};
use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};

/// The development keys of one size. The secrets come from a text that anybody can read, so anybody can forge proofs
/// under these keys.
pub(super) fn generate_dev(size: u8) -> Result<ProvingKey<Bn254>, KeyError> {
    let secret = format!("fairshare DEV groth16 agreement {size}, anybody knows this secret");
    let mut rng = ChaCha20Rng::from_seed(Sha256::digest(secret).into());
    let [alpha, beta, gamma, delta] = std::array::from_fn(|_| Fr::rand(&mut rng));
    Ok(Groth16::<Bn254>::generate_parameters_with_qap(
        AgreementCircuit { size: usize::from(size) },
        alpha,
        beta,
        gamma,
        delta,
        G1Projective::generator(),
        G2Projective::generator(),
        &mut rng,
    )?)
}
