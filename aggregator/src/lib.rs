//! The aggregator of a Fairshare project: fetches the updates of a round, checks each against its commitment, assesses
//! them by the project's rule, proves all of it and settles the round on chain.
//!
//! ```text
//! chain, IPFS --collect--> updates --assess--> kept, shares, weights, T' --settle--> proof --> chain
//!                             |                                   |
//!                      exclusions-round-R.json                model file
//!                             +-------------> IPFS <--------------+
//! ```
//!
//! It cannot misreport: the contract accepts what the proof shows and nothing else. What it could do is stop, and then
//! anybody may run another one (`--open`), since everything it needs is on the chain and on IPFS.
//!
//! The assessment alone, on updates that were checked before:
//!
//! ```
//! use fairshare_aggregator::{assess_round, RoundTerms};
//! use fairshare_protocol::AgreementPolicy;
//!
//! let terms = RoundTerms { slots: 8, policy: AgreementPolicy { theta: 32, trim: 52 }, min_active: 3, max_excluded: 1 };
//! let updates: [(u8, &[i16]); 4] = [(0, &[100, 90]), (1, &[90, 100]), (2, &[95, 95]), (5, &[-90, -100])];
//! let round = assess_round(&terms, &[0, 0], &updates)?;
//! assert_eq!(round.assessment.kept, 0b0111);
//! # Ok::<(), fairshare_aggregator::AssessError>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod assess;
mod error;
mod event;
mod exclusions;
mod prepare;
mod round;
mod service;
mod settle;
mod start;
mod state;

pub use assess::{active_slots, assess_round, check_active, merge, ActiveSlots, AssessedRound, RoundTerms};
pub use error::{AggregatorError, AssessError, SettleError};
pub use event::{Event, Reporter, RoundSettled, SlotResult, Timings};
pub use exclusions::{slots_of, ExcludedSlot, ExclusionReport, PublishedExclusions};
pub use service::{Behaviour, Service};
pub use settle::{ProvedRound, Prover, RoundContext};
pub use start::{start, Setup};
pub use state::StateFolder;
