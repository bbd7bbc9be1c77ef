//! The rule "agreement" over a bound Gram matrix: witness and circuit.

mod circuit;
mod widths;
mod witness;

#[cfg(test)]
mod equivalence;
#[cfg(test)]
mod soundness_tests;

pub(crate) use witness::AgreementWitness;
