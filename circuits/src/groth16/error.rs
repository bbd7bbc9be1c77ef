//! Errors of the prover.

use ark_relations::gr1cs::SynthesisError;
use thiserror::Error;

/// Why the prover made no proof.
#[derive(Debug, Error)]
pub(crate) enum ProofError {
    /// A constraint does not hold.
    #[error("constraint {constraint} of the section \"{section}\" does not hold")]
    Unsatisfied {
        /// Its number.
        constraint: usize,
        /// The part of the circuit.
        section: &'static str,
    },
    /// The committed variables have other values than those that were committed to.
    #[error("the committed variables depend on a challenge: the synthesis is not one for commitments")]
    Moved,
    /// The constraint system failed.
    #[error("constraint system: {0}")]
    Synthesis(#[from] SynthesisError),
}
