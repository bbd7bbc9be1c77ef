//! What is proved: the binding of the Gram matrix, and the rule over it.

pub(crate) mod agreement;
pub(crate) mod gram_binding;
mod prover;
