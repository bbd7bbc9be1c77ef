//! The statement of the aggregator's proof: an assessment of a committed Gram matrix by a rule.

pub(crate) mod agreement;
pub(crate) mod assessment;
mod error;
pub(crate) mod gram_binding;
mod outcome;
pub(crate) mod public;
mod rule;

pub use assessment::AssessmentCircuit;
pub use error::AssessmentError;

#[cfg(test)]
pub(crate) mod proof_tests;
#[cfg(test)]
pub(crate) mod testing;
