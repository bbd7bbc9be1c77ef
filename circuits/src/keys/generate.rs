//! Makes development keys: the same bytes on every machine.

use super::KeyError;
use crate::groth16::{generate, CircuitKey, CommitProvingKey, Secrets};
use crate::statements::proof::AssessmentCircuit;
use ark_bn254::{Bn254, Fr, G1Projective, G2Projective};
use ark_ec::PrimeGroup;
use ark_ff::{Field, UniformRand};
use ark_groth16::{Groth16, ProvingKey};
use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};

/// A proving key of either mode.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Proving {
    /// Ranges by bits.
    Bits(Box<ProvingKey<Bn254>>),
    /// Ranges by lookups of committed limbs.
    Committing(Box<CommitProvingKey>),
}

impl Proving {
    /// The verifying key that belongs to it.
    pub(super) fn verifying_key(&self) -> CircuitKey {
        match self {
            Self::Bits(key) => CircuitKey { groth16: key.vk.clone(), sigma_g2: None },
            Self::Committing(key) => key.vk.clone(),
        }
    }
}

/// The development keys of one circuit. The secrets come from a text that anybody can read, so anybody can forge proofs
/// under these keys. `gamma` is one, as in every key (docs/protocol.md 13.1).
pub(super) fn generate_dev(circuit: AssessmentCircuit) -> Result<Proving, KeyError> {
    let AssessmentCircuit { rule, size } = circuit;
    let secret = format!("fairshare DEV groth16 {} {size}, anybody knows this secret", rule.name());
    if circuit.commits() {
        return Ok(Proving::Committing(Box::new(generate(&circuit.system()?, &Secrets::dev(&secret))?)));
    }
    let mut rng = ChaCha20Rng::from_seed(Sha256::digest(secret).into());
    let [alpha, beta, delta] = std::array::from_fn(|_| Fr::rand(&mut rng));
    let key = Groth16::<Bn254>::generate_parameters_with_qap(
        circuit,
        alpha,
        beta,
        Fr::ONE,
        delta,
        G1Projective::generator(),
        G2Projective::generator(),
        &mut rng,
    )?;
    Ok(Proving::Bits(Box::new(key)))
}
