//! Rank-one constraints: linear combinations, the builder that writes constraints and assigns witnesses, the matrices
//! of a circuit, and the lookups that prove all its ranges at once.

pub(crate) mod builder;
pub(crate) mod linear_combination;
pub(crate) mod lookup;
pub(crate) mod system;

pub(crate) use builder::Builder;
pub(crate) use linear_combination::LinearCombination;
pub(crate) use system::R1cs;
