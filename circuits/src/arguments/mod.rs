//! Arguments over committed polynomials: what binds the updates' commitments to their Gram matrix.

pub(crate) mod gram;
pub(crate) mod opening;

pub use gram::GramArgument;
