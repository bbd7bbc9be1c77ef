//! The range proof (docs/protocol.md section 7): every one of the first `d` entries of a committed update
//! lies in `[-2^15, 2^15)`. Without it a trainer in league with the aggregator could commit to field elements that are
//! no small integers: `(x, i x)` with `i^2 = -1` in two coordinates leaves the Gram matrix as it was.
//!
//! ```text
//! prover                                     verifier
//! [C_HI], C_M: limbs, multiplicities  ---->  beta
//! C_F.., C_K: 1/(beta + v), m/(beta + t) ->  y, g: all equations in one constant term
//! C_S: the rest of that Laurent polynomial ->  z
//! values at z, 1/z and at yz, y/z     ---->  gamma; the identity at z
//! W, then W'                          ---->  v; one opening of everything at both pairs of points
//! ```
//!
//! It does not bound the degree of the update: the Gram argument does, for every slot at once.

mod error;
mod prover;
mod statement;
mod table;
mod transcript;
mod verifier;
mod words;

#[cfg(test)]
#[path = "tests/attacks.rs"]
mod attacks;
#[cfg(test)]
#[path = "tests/liar.rs"]
mod liar;
#[cfg(test)]
#[path = "tests/honest.rs"]
mod tests;

pub use error::RangeError;
pub use prover::{prove_range, prove_range_unchecked, RangeWitness};
pub use statement::RangeStatement;
pub use table::RangeTable;
pub use verifier::{range_transcript_states, verify_range};
pub use words::{RangeProof, RangeProofWords};
