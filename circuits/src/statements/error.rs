//! Errors of the assessment's prover.

use crate::groth16::ProofError;
use ark_relations::gr1cs::SynthesisError;
use fairshare_protocol::RuleName;
use thiserror::Error;

/// Why an assessment was not proved.
#[derive(Debug, Error)]
pub enum AssessmentError {
    /// The matrix or the vectors are for another number of slots than the keys.
    #[error("{found} slots are given, the keys serve {expected}: open the keys of that size")]
    Size {
        /// Slots of the keys.
        expected: usize,
        /// Slots given.
        found: usize,
    },
    /// The keys are those of another rule.
    #[error(
        "the policy is one of the rule {}, the keys are for {}: open the keys of that \
         rule",
        found.name(), expected.name()
    )]
    Rules {
        /// Rule of the keys.
        expected: RuleName,
        /// Rule of the policy.
        found: RuleName,
    },
    /// A constraint does not hold.
    #[error("constraint {constraint} of the section \"{section}\" does not hold")]
    Unsatisfied {
        /// Its number.
        constraint: usize,
        /// The part of the circuit.
        section: &'static str,
    },
    /// No circuit proves this rule.
    #[error("no circuit proves the rule {}: a project takes the rule agreement", rule.name())]
    NoCircuit {
        /// The rule.
        rule: RuleName,
    },
    /// The committed variables have other values than those that were committed to.
    #[error("the committed variables have changed since the commitment: commit again")]
    Moved,
    /// The constraint system failed.
    #[error("constraint system: {0}")]
    Synthesis(#[from] SynthesisError),
}

impl From<ProofError> for AssessmentError {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::Unsatisfied { constraint, section } => Self::Unsatisfied { constraint, section },
            ProofError::Moved => Self::Moved,
            ProofError::Synthesis(error) => Self::Synthesis(error),
        }
    }
}
