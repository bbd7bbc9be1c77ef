//! Keys and proofs in the forms of others: contracts that hold keys, and the JSON of an independent verifier.

pub mod snarkjs;
pub mod solidity;
