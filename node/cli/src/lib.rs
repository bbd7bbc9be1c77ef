//! The binary `fairshare`: its commands and a devnet.
//!
//! A library only so that tests can start a devnet in their own process.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod commands;
pub mod devnet;

pub use commands::Fairshare;
