//! The aggregator of a Fairshare project: fetches the updates that the trainers of a round attest, checks each
//! against its commitment, assesses them by the project's rule, proves all of it and settles the round on chain.
//!
//! ```text
//! chain, IPFS --collect--> active updates --assess--> kept, shares, weights, T' --settle--> proof --> chain
//!                                                                  |
//!                                                              model file --> IPFS
//! ```
//!
//! It cannot misreport, nor choose who takes part: the contract sets the active slots and accepts only what the proof
//! shows. It can stop, and then anybody may run another one (`--open`), since everything it needs is on the chain and
//! on IPFS.
//!
//! The assessment alone, on checked updates:
//!
//! ```
//! use fairshare_aggregator::{assess_round, RoundTerms};
//! use fairshare_protocol::{AgreementPolicy, ProjectPolicy};
//!
//! let policy = ProjectPolicy::Agreement(AgreementPolicy { theta: 32, trim: 52 });
//! let terms = RoundTerms { slots: 8, policy };
//! let updates: [(u8, &[i16]); 4] = [(0, &[100, 90]), (1, &[90, 100]), (2, &[95, 95]), (5, &[-90, -100])];
//! let round = assess_round(&terms, &[0, 0], &updates)?;
//! assert_eq!(round.assessment.kept, 0b0111);
//! # Ok::<(), fairshare_aggregator::AssessError>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod assess;
mod cli;
mod error;
mod event;
mod funds;
mod prepare;
mod report;
mod round;
mod service;
mod settle;
mod start;
mod state;

pub use assess::{active_updates, assess_round, merge, AssessedRound, RoundTerms};
pub use cli::RunArgs;
pub use error::{AggregatorError, AssessError, SettleError};
pub use event::{Due, Event, MissingUpdate, RoundSettled, SlotResult, Timings};
pub use round::round_terms;
pub use service::{Options, Service};
pub use settle::{ProvedRound, Prover, RoundContext};
pub use start::{start, Setup};
pub use state::StateFolder;
