//! The audit of a project from the chain and IPFS alone: it verifies every proof again, recomputes everything that was
//! published, and accounts for the money.
//!
//! ```text
//! logs, calldata --> submissions, schedule, ledger       failures: sentences that name
//! updates on IPFS --> rule --> kept, shares, weights  -> round, trainer, field,
//! T_0 from its seed --> T_1 --> T_2 ..                   expected and found
//! ```
//!
//! The checks are pure functions, one module for each subject; `audit`, `rounds`, `posted` and `files` read chain and IPFS and
//! call them.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod audit;
mod claims;
mod error;
mod failure;
mod files;
mod ledger;
mod money_fault;
mod posted;
mod report;
mod round_fault;
mod rounds;
mod schedule;
mod settlement;
mod slashing;
mod snapshot;
mod sources;
mod submissions;
mod text;

pub use audit::audit;
pub use claims::check_claims;
pub use error::AuditError;
pub use failure::Failure;
pub use files::{check_model, check_model_file, FileFault};
pub use ledger::Ledger;
pub use money_fault::MoneyFault;
pub use report::{AuditReport, AuditedRound};
pub use round_fault::RoundFault;
pub use rounds::Progress;
pub use schedule::check_schedule;
pub use settlement::{check_assessment, check_call, check_proof, check_step, reassess, statement};
pub use slashing::check_slashing;
pub use submissions::{
    attested_by_majority, check_active, check_attestations, check_commitments, check_form, check_reveals,
    check_slots_active, running_hash, Attestation,
};

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
