//! Generates development keys: the same bytes on every machine.

use super::error::KeyError;
use crate::groth16::{generate, ProvingKey, Secrets};
use crate::statements::AssessmentCircuit;

/// The development keys of one circuit. Their secrets follow from a public text, so anybody can forge proofs under
/// these keys. `gamma` is one, as in every key (docs/protocol.md 4).
pub(super) fn generate_dev(circuit: AssessmentCircuit) -> Result<ProvingKey, KeyError> {
    let AssessmentCircuit { rule, size } = circuit;
    let secret = format!("fairshare DEV groth16 {} {size}, anybody knows this secret", rule.name());
    Ok(generate(&circuit.system()?, &Secrets::dev(&secret))?)
}
