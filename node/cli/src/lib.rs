//! The binary `fairshare`: its commands, a devnet, and the IPFS node that runs inside it.
//!
//! A library only so that tests can start a devnet and an IPFS node in their own process.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod commands;
pub mod devnet;
pub mod embedded;

pub use commands::Fairshare;
