//! Arguments over committed updates: each is in range, and together they have this Gram matrix.

pub(crate) mod gram;
pub(crate) mod range;

pub use gram::{GramArgument, GramArgumentError};
pub use range::{
    prove_range, prove_range_unchecked, range_transcript_states, verify_range, RangeError, RangeProof,
    RangeProofWords, RangeStatement, RangeTable, RangeWitness,
};
