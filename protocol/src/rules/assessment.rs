//! The outcome of a rule, and the steps that rules share.

use super::error::RuleError;
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

/// Every value between the matrix and the assessment. All vectors have one entry a slot; inactive slots have norm
/// and agreement 0 and the clip factor `2^16`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementDetail {
    /// `n_i = isqrt(G_ii)`, up to `2^26`.
    pub norms: Vec<u64>,
    /// The lower median of the active norms.
    pub tau: u64,
    /// `s_i`, in `2^-16`: `2^16` where `n_i <= tau`, else `floor(2^16 tau / n_i)`.
    pub clip_factors: Vec<u32>,
    /// `a_i`: the sum of the row `s_j G_ij`, `j != i`, without its `f` largest and `f` smallest; within `2^75`.
    pub agreements: Vec<i128>,
    /// `M`, the lower median of the active contributions.
    pub median: u64,
}

/// Every value between the matrix and the assessment, one entry a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiKrumDetail {
    /// The sum of the `k` smallest distances to others, within `2^61`; 0 for inactive slots.
    pub scores: Vec<i128>,
    /// The sum of a kept slot's products with the other kept ones, within `2^59`; 0 for slots not kept.
    pub agreements: Vec<i128>,
}

/// `p_i = floor(2^16 c_i / sum of the kept c)`, 0 for slots not kept, and for all where that sum is 0.
pub(super) fn pay_shares(contributions: &[u64], kept: SlotMask) -> Vec<u32> {
    let counted = |i: usize| if kept.contains(i) { u128::from(contributions[i]) } else { 0 };
    let slots = 0..contributions.len();
    let total = slots.clone().map(counted).sum::<u128>().max(1);
    // At most 2^16: a summand is at most the sum.
    slots.map(|i| (u128::from(ONE) * counted(i) / total) as u32).collect()
}

/// The active slots in ascending order, after the checks that every rule needs: mask within the matrix, entries in
/// range, norms not negative, zeros for inactive slots.
pub(crate) fn checked_active_slots(gram: &GramMatrix, active: SlotMask) -> Result<Vec<usize>, RuleError> {
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
