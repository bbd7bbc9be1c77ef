//! Whole marketplaces on one machine, every participant a process of its own: for the demo and for the end-to-end
//! tests.
//!
//! ```text
//! Market::open -> devnet, shards, project     Market::run -> trainers, aggregator, rounds
//! Market::close -> withdrawals, model, audit  -> Report
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod chain_faults;
pub mod demo;
mod devnet;
mod fault_proxy;
mod market;
mod options;
mod process;
mod report;
pub mod schema;
mod show;

pub use chain_faults::{ChainFaults, HighBaseFee};
pub use devnet::Devnet;
pub use fault_proxy::{Behaviour, Fault, FaultId, FaultProxy, SentTransaction, Statistics};
pub use market::{Market, Outcome, Stage};
pub use options::{Attackers, ModelChoice, Options};
pub use process::{binary, run_json, run_raw, Background, Failure};
pub use report::{Report, RoundReport, TrainerReport, TransactionReport};
pub use show::print_report;
