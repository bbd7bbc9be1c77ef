//! Everything about the chain. No other module imports the chain library.

mod actions;
mod bytecode_check;
mod client;
mod convert;
mod error;
mod events;
mod evidence;
#[cfg(test)]
mod fake;
mod fees;
#[cfg(test)]
mod fuzz;
mod head;
mod history;
mod market;
mod pending;
mod project;
mod receipts;
mod send;
mod signed_join;
mod token;
mod transport;
mod types;
mod wallet;

pub use client::Chain;
pub use error::{ether, ChainError};
pub use evidence::RegisteredKeys;
pub use market::Market;
pub use project::Project;
pub use types::{
    seal, CommitCall, CommittedUpdate, EventKind, OpenModel, ProjectEvent, PublishedModel, Receipt,
    RevealedUpdate, RoundState, SettledRound, Settlement, SignedJoin, Status, Terms, TrainerState,
};
pub use wallet::{read_password, Wallet, WalletError};
