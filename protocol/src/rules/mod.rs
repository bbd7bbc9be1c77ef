//! Rules over the Gram matrix: who is kept, what everybody earns, how the model moves.
//!
//! Plain integers throughout, written from docs/protocol.md section 6 and independent of the circuits that prove them.

mod agreement;
mod coherence;

pub use agreement::{assess, AgreementPolicy, Assessment, AGREEMENT_RULE, MAX_THETA, MAX_TRIM, MIN_ACTIVE};
pub use coherence::coherence;

use crate::gram::{GramMatrix, MAX_ENTRY};
use thiserror::Error;

/// Why a rule gives no assessment.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RuleError {
    /// The active mask names a slot that the matrix does not have.
    #[error("the active mask {mask:#x} has bits beyond slot {}: the matrix has {slots} slots", slots - 1)]
    MaskBeyondSlots {
        /// The mask given.
        mask: u128,
        /// Slots of the matrix.
        slots: usize,
    },
    /// Too few active slots for agreement to mean anything.
    #[error("{active} active slots: the rule needs at least {MIN_ACTIVE}")]
    TooFewActive {
        /// Active slots.
        active: u32,
    },
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
    #[error("theta is {theta}: it must be below {MAX_THETA} (in 1/256 of the median contribution)")]
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
    /// An entry that no update of fewer than `2^22` 16-bit numbers gives.
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
    /// A product with a slot that is not active.
    #[error("gram entry ({i}, {j}) is {value} though one of the slots is not active: it must be zero")]
    InactiveEntry {
        /// Row.
        i: usize,
        /// Column, not below the row.
        j: usize,
        /// The entry.
        value: i64,
    },
    /// The weighted sum of updates would be longer than its parts allow.
    #[error("coherence would be {value} / 2^16, outside 0 ..= 1: this is the gram matrix of no updates")]
    NotAGramMatrix {
        /// `floor(2^16 w'Gw / (sum w * sum_i w_i G_ii))`.
        value: i128,
    },
    /// Weights for another number of slots than the matrix has.
    #[error("{found} weights for a gram matrix of {slots} slots")]
    WeightCount {
        /// Slots of the matrix.
        slots: usize,
        /// Weights given.
        found: usize,
    },
}

/// The active slots in ascending order, after the checks that every rule needs: mask within the matrix, entries in
/// range, norms not negative, zeros wherever a slot is not active.
fn checked_active_slots(gram: &GramMatrix, active: u128) -> Result<Vec<usize>, RuleError> {
    let slots = gram.slots();
    if slots < 128 && active >> slots != 0 {
        return Err(RuleError::MaskBeyondSlots { mask: active, slots });
    }
    let is_active = |slot: usize| active >> slot & 1 == 1;
    for i in 0..slots {
        for j in i..slots {
            let value = gram.get(i, j);
            if value.unsigned_abs() > MAX_ENTRY.unsigned_abs() {
                return Err(RuleError::EntryOutOfRange { i, j, value });
            }
            if value != 0 && !(is_active(i) && is_active(j)) {
                return Err(RuleError::InactiveEntry { i, j, value });
            }
            if i == j && value < 0 {
                return Err(RuleError::NegativeNorm { slot: i, value });
            }
        }
    }
    Ok((0..slots).filter(|slot| is_active(*slot)).collect())
}
