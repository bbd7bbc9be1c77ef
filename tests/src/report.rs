//! `report.json`: the figures of a run. The schema is in docs/operations.md.

use serde::{Deserialize, Serialize};

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Held-out accuracy of the last model, 0 to 1.
    pub final_accuracy: f64,
    /// Held-out accuracy of the first model and after every round.
    pub accuracy: Vec<f64>,
    /// Every settled round.
    pub rounds: Vec<RoundReport>,
    /// Every trainer.
    pub trainers: Vec<TrainerReport>,
    /// What the owner put into escrow.
    pub deposit_wei: String,
    /// What the trainers were paid for their contributions, in all.
    pub paid_wei: String,
    /// What was paid for model files that the trainers attest: to the aggregator, unless it withheld one.
    pub fees_wei: String,
    /// What was never paid and went back to the owner (roundings included); with `paid_wei` and `fees_wei` it is the deposit.
    pub escrow_left_wei: String,
    /// "pass", or the audit's failures.
    pub audit: serde_json::Value,
    /// The whole run, seconds.
    pub elapsed_s: f64,
    /// The project's address.
    pub project: String,
    /// Gas by kind of transaction, with the hashes.
    pub transactions: Vec<TransactionReport>,
    /// The options of the run, as a command line.
    pub command: String,
    /// Folder of chain, content, shards, logs and model.
    pub folder: String,
}

/// A settled round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoundReport {
    /// Round id.
    pub round: u64,
    /// Names of the trainers that were kept.
    pub kept: Vec<String>,
    /// Milliseconds of proving and verifying one's own proof.
    pub proving_ms: u64,
    /// Milliseconds of fetching and checking, assessing, proving, verifying.
    pub aggregator_ms: u64,
    /// Gas of the settlement.
    pub settle_gas: u64,
    /// Hash of the settling transaction.
    pub transaction: String,
}

/// A trainer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainerReport {
    /// Name of its wallet.
    pub name: String,
    /// Its address.
    pub address: String,
    /// `honest`, or the kind of attack.
    pub behaviour: String,
    /// Rounds in which it was kept.
    pub rounds_kept: u64,
    /// Its share of all pay, 0 to 1.
    pub share: f64,
    /// What it was paid for its contributions.
    pub paid_wei: String,
    /// What it took out in all, its stake included.
    pub withdrawn_wei: String,
    /// Samples of its shard.
    pub samples: u64,
}

/// Transactions of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransactionReport {
    /// Such as `commit`.
    pub kind: String,
    /// How many.
    pub count: u64,
    /// Mean gas.
    pub mean_gas: u64,
    /// Largest gas.
    pub max_gas: u64,
    /// Their hashes.
    pub hashes: Vec<String>,
}
