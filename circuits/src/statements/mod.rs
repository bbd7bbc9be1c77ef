//! What is proved: the binding of the Gram matrix, and a rule over it.

pub(crate) mod agreement;
pub(crate) mod committed;
pub(crate) mod gram_binding;
pub(crate) mod multi_krum;
mod outcome;
pub(crate) mod proof;
pub(crate) mod prover;
pub(crate) mod public;

#[cfg(test)]
mod committed_tests;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
pub(crate) mod tests;
