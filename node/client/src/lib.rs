//! What every participant of Fairshare shares: the chain, content on IPFS, wallets, a project's files, and the parts of a
//! service and of its command line.
//!
//! ```text
//! chain::Project  what the contract says      content::ContentStore  files on IPFS
//!        \                                      /
//!         project_files, collect: files checked against the chain
//!                          |
//!     service: arguments, events, backoff, run_main     the crates audit, cli, aggregator and trainer
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

#[cfg(test)]
#[path = "../tests/support/anvil.rs"]
mod anvil;
mod chain;
mod collect;
mod content;
pub mod files;
#[cfg(test)]
#[path = "../../../protocol/tests/support/fuzzing.rs"]
mod fuzzing;
mod project_files;
pub mod rebuild;
mod retry;
pub mod service;
pub mod telemetry;
mod watch;

pub use chain::{
    ether, read_password, seal, Chain, ChainError, CommitCall, CommittedUpdate, EventKind, Market, OpenModel,
    Project, ProjectEvent, PublishedModel, Receipt, RegisteredKeys, RevealedUpdate, RoundState, SettledRound,
    Settlement, SignedJoin, Status, Terms, TrainerState, Wallet, WalletError,
};
pub use collect::{collect, collect_revealed, CollectError, Collected, Exclusion};
pub use content::{ContentError, ContentId, ContentStore, CHUNK};
pub use fairshare_protocol::{Address, AddressError, Phase};
pub use project_files::{fetch_model, fetch_specification, format_point, FileError, MAX_SPECIFICATION};
pub use watch::watched;
