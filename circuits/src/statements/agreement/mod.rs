//! The rule "agreement" over a bound Gram matrix: public inputs, witness, circuit, proof.

mod circuit;
mod proof;
mod public;
mod widths;
mod witness;

#[cfg(test)]
mod cheats;
#[cfg(test)]
mod equivalence;
#[cfg(test)]
mod tests;

pub(crate) use proof::blank_circuit;
pub use proof::{prove, verify, AgreementCircuit, AgreementError};
pub use public::{public_inputs, AgreementPublic};
#[cfg(test)]
pub(crate) use tests::round_for_tests;
