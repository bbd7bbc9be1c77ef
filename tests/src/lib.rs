//! Whole marketplaces on one machine, every participant a process of its own: for the demo and for the end-to-end
//! tests.
//!
//! ```text
//! Market::open -> devnet, shards, project     Market::run -> trainers, aggregator, rounds
//! Market::close -> withdrawals, model, audit  -> Report
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod demo;
mod market;
mod options;
mod process;
mod report;
mod show;

pub use market::{Devnet, Market, Outcome, Stage};
pub use options::{Attackers, ModelChoice, Options};
pub use process::{binary, run_json, run_raw, Background, Failure};
pub use report::{Report, RoundReport, TrainerReport, TransactionReport};
pub use show::print_report;
