//! Proving and verifying keys.

use crate::gadgets::System;
use ark_bn254::Bn254;
use ark_groth16::{ProvingKey, VerifyingKey};

/// Proving and verifying key of one size, with the circuit's constraints.
pub struct AssessmentKeys {
    size: usize,
    proving: ProvingKey<Bn254>,
    system: System,
}

impl AssessmentKeys {
    pub(crate) fn size(&self) -> usize {
        self.size
    }
    pub(crate) fn proving_key(&self) -> &ProvingKey<Bn254> {
        &self.proving
    }
    pub(crate) fn system(&self) -> &System {
        &self.system
    }
    /// The verifying key.
    pub fn verifying_key(&self) -> &VerifyingKey<Bn254> {
        &self.proving.vk
    }
}
