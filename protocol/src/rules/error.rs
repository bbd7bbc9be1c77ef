//! Errors of the rules.

use super::name::AGREEMENT_RULE;
use crate::bounds::{MAX_BYZANTINE, MAX_TRIM, MIN_ACTIVE, THETA_LIMIT};
use crate::slot_mask::SlotMask;
use thiserror::Error;

/// Input that a rule cannot assess.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RuleError {
    /// The active mask names a slot that the matrix does not have.
    #[error("the active mask {mask} has bits beyond slot {}: the matrix has {slots} slots", slots - 1)]
    MaskBeyondSlots {
        /// The mask given.
        mask: SlotMask,
        /// Slots of the matrix.
        slots: usize,
    },
    /// Too few active slots to compare updates.
    #[error("{active} active slots: the rule needs at least {MIN_ACTIVE}")]
    TooFewActive {
        /// Active slots.
        active: u32,
    },
    /// No rule with a circuit has this id.
    #[error("no circuit proves a rule with the id {rule}: {AGREEMENT_RULE} is agreement, the only rule")]
    UnknownRule {
        /// The id given.
        rule: u8,
    },
    /// A number of neighbours that a slot cannot have.
    #[error(
        "scores over {neighbours} neighbours among {active} active slots: take at least 1 and fewer than all"
    )]
    Neighbours {
        /// The number given.
        neighbours: u32,
        /// Active slots.
        active: u32,
    },
    /// A number of kept slots that a round cannot have.
    #[error("{selected} of {active} active slots are to be kept: keep at least 2 and at most all")]
    Selected {
        /// The number given.
        selected: u32,
        /// Active slots.
        active: u32,
    },
    /// The tolerated share of Byzantine slots is out of range.
    #[error("byzantine is {byzantine}: it must be at most {MAX_BYZANTINE} (in 1/256 of the active slots)")]
    ByzantineShareTooLarge {
        /// The share given.
        byzantine: u8,
    },
    /// No slot would be kept.
    #[error("selected is 0: it must be 1 to 255 (in 1/256 of the active slots)")]
    NothingSelected,
    /// The trim leaves nothing of a row.
    #[error(
        "a trim of {trim_count} at each end leaves nothing of {others} entries: it must leave at least one"
    )]
    TrimTooLarge {
        /// Entries dropped at each end of a row.
        trim_count: u32,
        /// Other active slots.
        others: u32,
    },
    /// The outlier threshold is out of range.
    #[error("theta is {theta}: it must be below {THETA_LIMIT} (in 1/256 of the median contribution)")]
    ThetaTooLarge {
        /// The threshold given.
        theta: u16,
    },
    /// The trimmed share of a row is out of range.
    #[error("trim is {trim}: it must be at most {MAX_TRIM} (in 1/256 of a row)")]
    TrimShareTooLarge {
        /// The share given.
        trim: u8,
    },
    /// An entry that updates of fewer than `2^22` 16-bit numbers cannot have.
    #[error("gram entry ({i}, {j}) is {value}: entries lie within -2^52 ..= 2^52")]
    EntryOutOfRange {
        /// Row.
        i: usize,
        /// Column, not below the row.
        j: usize,
        /// The entry.
        value: i64,
    },
    /// A squared norm below zero.
    #[error("gram entry ({slot}, {slot}) is {value}: a squared norm is not negative")]
    NegativeNorm {
        /// The slot.
        slot: usize,
        /// The entry.
        value: i64,
    },
    /// A nonzero product with an inactive slot.
    #[error("gram entry ({i}, {j}) is {value} though one of the slots is inactive: it must be zero")]
    InactiveEntry {
        /// Row.
        i: usize,
        /// Column, not below the row.
        j: usize,
        /// The entry.
        value: i64,
    },
    /// The weighted sum would be longer than its summands allow.
    #[error("coherence would be {value} / 2^16, outside 0 ..= 1: no updates have this gram matrix")]
    NotAGramMatrix {
        /// `floor(2^16 w'Gw / (sum w * sum_i w_i G_ii))`.
        value: i128,
    },
    /// The number of weights is not the number of slots.
    #[error("{found} weights for a gram matrix of {slots} slots")]
    WeightCount {
        /// Slots of the matrix.
        slots: usize,
        /// Weights given.
        found: usize,
    },
}
