//! Rules over the Gram matrix: they determine the kept slots, pay shares, model weights and coherence.
//!
//! Plain integers throughout, written from docs/protocol.md section 6 and independent of the circuits that prove them.

mod agreement;
mod coherence;
mod error;
mod multi_krum;
mod policy;

pub use agreement::{AgreementDetail, AgreementPolicy, AGREEMENT_RULE};
pub use coherence::coherence;
pub use error::RuleError;
pub use multi_krum::{MultiKrumDetail, MultiKrumPolicy, MAX_BYZANTINE, MULTI_KRUM_RULE};
pub use policy::{ProjectPolicy, RoundPolicy};

use crate::bounds::{MAX_ENTRY, ONE};
use crate::gram::GramMatrix;
use crate::slot_mask::SlotMask;

/// The outcome of a rule for a round, with all intermediate values: the witness of its proof. All vectors have one
/// entry per slot; inactive slots have contribution, share and weight 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// `c_i`, below `2^60`; of "multi-krum" 0 for slots not kept.
    pub contributions: Vec<u64>,
    /// Kept slots.
    pub kept: SlotMask,
    /// `p_i = floor(2^16 c_i / sum of the kept c)`, 0 for slots not kept; their sum is at most `2^16`.
    pub shares: Vec<u32>,
    /// `w_i = floor(p_i s_i / 2^16)`: the weights with which updates enter the model.
    pub weights: Vec<u32>,
    /// How much the weighted updates agree in direction, `0 ..= 2^16`.
    pub coherence: u32,
    /// The intermediate values of the rule.
    pub detail: Detail,
}

/// Intermediate values, by rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detail {
    /// Of the rule "agreement".
    Agreement(AgreementDetail),
    /// Of the rule "multi-krum".
    MultiKrum(MultiKrumDetail),
}

/// Assesses a round from the Gram matrix of its active slots by the rule that `policy` names.
///
/// # Errors
/// A mask beyond the matrix, too few active slots for the rule, a policy out of range, entries beyond `2^52`, negative
/// norms, entries of inactive slots, or a matrix that belongs to no vectors.
pub fn assess(
    gram: &GramMatrix,
    active: impl Into<SlotMask>,
    policy: RoundPolicy,
) -> Result<Assessment, RuleError> {
    let active = active.into();
    match policy {
        RoundPolicy::Agreement { theta, trim_count } => agreement::assess(gram, active, theta, trim_count),
        RoundPolicy::MultiKrum { neighbours, selected } => {
            multi_krum::assess(gram, active, neighbours, selected)
        }
    }
}

/// `p_i = floor(2^16 c_i / sum of the kept c)`, 0 for slots not kept, and for all where that sum is 0.
fn pay_shares(contributions: &[u64], kept: SlotMask) -> Vec<u32> {
    let counted = |i: usize| if kept.contains(i) { u128::from(contributions[i]) } else { 0 };
    let slots = 0..contributions.len();
    let total = slots.clone().map(counted).sum::<u128>().max(1);
    // At most 2^16: a summand is at most the sum.
    slots.map(|i| (u128::from(ONE) * counted(i) / total) as u32).collect()
}

/// The active slots in ascending order, after the checks that every rule needs: mask within the matrix, entries in
/// range, norms not negative, zeros for inactive slots.
fn checked_active_slots(gram: &GramMatrix, active: SlotMask) -> Result<Vec<usize>, RuleError> {
    let slots = gram.slots();
    if !active.is_subset_of(SlotMask::lowest(slots as u32)) {
        return Err(RuleError::MaskBeyondSlots { mask: active, slots });
    }
    for i in 0..slots {
        for j in i..slots {
            let value = gram.get(i, j);
            if value.unsigned_abs() > MAX_ENTRY.unsigned_abs() {
                return Err(RuleError::EntryOutOfRange { i, j, value });
            }
            if value != 0 && !(active.contains(i) && active.contains(j)) {
                return Err(RuleError::InactiveEntry { i, j, value });
            }
            if i == j && value < 0 {
                return Err(RuleError::NegativeNorm { slot: i, value });
            }
        }
    }
    Ok(active.iter().map(usize::from).collect())
}
