//! The Solidity contracts of Fairshare for Rust: typed bindings, bytecode, and revert reasons in words.
//!
//! Everything comes from the JSON files in `contracts/abi`, which `contracts/script/export-abi` writes and which are
//! committed, so building this crate needs no Solidity compiler.
//!
//! ```text
//!  src/*.sol --forge--> out/ --script/export-abi--> abi/*.json --abigen!--> bindings --> node::chain
//! ```
//!
//! The order of deployment: the verifying keys ([`verifying_keys`]), `KeyRegistry(isDev, x1, g2, keys)`,
//! `RoundVerifier(registry)`, `RangeVerifier(registry)`, `ProjectFactory(registry, verifier, rangeVerifier)`; the factory makes
//! the projects.
//!
//! ```
//! use fairshare_contracts::explain_revert;
//! // `DeadlineNotReached(1000)`, as a node returns it
//! let mut data = ethers::utils::keccak256("DeadlineNotReached(uint256)")[..4].to_vec();
//! data.extend([0; 30]);
//! data.extend([3, 232]);
//! assert_eq!(explain_revert(&data).as_deref(), Some("DeadlineNotReached(deadline: 1000)"));
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod bindings;
mod bytecode;
mod revert;

pub use bytecode::{
    key_registry_bytecode, project_factory_bytecode, range_verifier_bytecode, round_verifier_bytecode,
    verifying_keys, RuntimeCode, VerifyingKeyCode,
};
pub use revert::explain_revert;
