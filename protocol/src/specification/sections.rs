//! The sections of a specification that are numbers alone, with their defaults.

use serde::{Deserialize, Serialize};

use crate::amount::{Amount, Decimal};

/// How updates become integers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quantisation {
    /// The scale is `2^scale_log2`; an update's entries reach `2^(15 - scale_log2)`. 4 to 24.
    pub scale_log2: u8,
    /// Table of the range proofs (docs/protocol.md 7): 8 (two limbs of 8 bits) or 16 (16 bits). Either proves any
    /// update; the default is the cheaper one for the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<u8>,
}

impl Default for Quantisation {
    fn default() -> Self {
        Self { scale_log2: 14, table: None }
    }
}

/// How trainers train. The contract computes the learning rate of each round (docs/protocol.md 10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Training {
    /// Learning rate of the first round; millionths on chain.
    pub learning_rate: Decimal,
    /// Smallest learning rate.
    pub min_learning_rate: Decimal,
    /// Passes over a trainer's data in a round, 1 to 1000.
    pub local_epochs: u16,
    /// Samples of a step, 1 to 65536.
    pub batch_size: u32,
    /// The learning rate is multiplied by this after each settled round, 0 to 1.
    pub decay: Decimal,
    /// Below this coherence the learning rate is also multiplied by `coherence_decay`, 0 to 1.
    pub coherence_floor: Decimal,
    /// See `coherence_floor`, 0 to 1.
    pub coherence_decay: Decimal,
    /// Seed of the first model.
    pub seed: u64,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            learning_rate: Decimal::from_millionths(300_000),
            min_learning_rate: Decimal::from_millionths(1_000),
            local_epochs: 5,
            batch_size: 8,
            decay: Decimal::from_millionths(950_000),
            coherence_floor: Decimal::from_millionths(150_000),
            coherence_decay: Decimal::from_millionths(500_000),
            seed: 1,
        }
    }
}

/// Numbers of trainers, stakes and bond.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Participation {
    /// Fewest trainers with which the project starts.
    pub min_trainers: u8,
    /// Most trainers, at most the size of the largest circuit.
    pub max_trainers: u8,
    /// Fewest active updates of a round; a round with fewer is void. At least 5 (3 on a test chain).
    #[serde(default = "Participation::default_min_active")]
    pub min_active: u8,
    /// Void rounds after which the project is wound up.
    #[serde(default = "Participation::default_max_voids")]
    pub max_voids: u16,
    /// Stake of a trainer.
    pub stake: Amount,
    /// Bond of the aggregator.
    pub bond: Amount,
    /// Rounds in which a trainer may be dropped as an outlier without a penalty.
    #[serde(default = "Participation::default_outlier_rounds")]
    pub outlier_rounds: u16,
    /// Part of the stake that a trainer loses, once, when it is dropped in one more round; 0 by default.
    #[serde(default)]
    pub outlier_penalty: Amount,
}

impl Participation {
    fn default_min_active() -> u8 {
        5
    }
    fn default_outlier_rounds() -> u16 {
        u16::MAX
    }
    fn default_max_voids() -> u16 {
        3
    }
}

/// Rewards and fees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reward {
    /// Rounds to settle, 1 to 1000.
    pub rounds: u16,
    /// Reward of a round, shared by its trainers by proved contribution.
    pub per_round: Amount,
    /// The aggregator's fee for a settled round.
    pub aggregator_fee: Amount,
}

/// How long each phase may last, in seconds; a phase ends early when all participants have acted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Periods {
    /// Joining.
    pub registration: u32,
    /// Training and committing.
    pub commit: u32,
    /// Revealing.
    pub reveal: u32,
    /// Attesting: fetching the revealed updates and checking them against their commitments.
    pub attest: u32,
    /// Proving and settling: first for the named aggregator alone, then as long again for anybody.
    pub aggregate: u32,
}

impl Default for Periods {
    fn default() -> Self {
        Self { registration: 3600, commit: 3600, reveal: 3600, attest: 3600, aggregate: 3600 }
    }
}
