//! Arithmetic on BN254: scalars, multi-scalar multiplication, number-theoretic transform, and words of the chain.

pub(crate) mod field;
pub(crate) mod msm;
pub(crate) mod ntt;
pub(crate) mod unreduced;
pub(crate) mod words;
