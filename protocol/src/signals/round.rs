//! What a rule says of a round, and the steps that the rules share.

use super::policy::SignalPolicy;
use super::products::RoundProducts;
use crate::bounds::{MIN_ACTIVE, ONE};
use crate::fixed_point::{isqrt, lower_median};
use crate::rules::{checked_active_slots, RuleError};
use crate::slot_mask::SlotMask;

/// The signals of a round and the step that follows from it, one entry a trainer's slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundSignals {
    /// `q_i` in `2^-16`, up to `2^16`: a cosine, 0 for absent slots and outliers.
    pub signals: Vec<u32>,
    /// The slots that are no outliers.
    pub kept: SlotMask,
    /// `w_i` in `2^-16`, together at most `2^16`: with them the updates enter the model.
    pub weights: Vec<u32>,
}

/// The active trainers with their norms and clip factors.
pub(super) struct Clipped {
    /// Active trainers' slots in ascending order.
    pub(super) on: Vec<usize>,
    /// The clip norm: the lower median of the active norms, at most the ceiling.
    pub(super) tau: u64,
    /// `max(n_i, tau)`: the length that a clipped update is measured by.
    pub(super) lengths: Vec<u64>,
    /// `s_i` in `2^-16`.
    pub(super) clip_factors: Vec<u32>,
}

impl Clipped {
    /// Checks the matrix and the mask, and measures the active updates.
    pub(super) fn new(
        products: &RoundProducts,
        active: SlotMask,
        policy: &SignalPolicy,
    ) -> Result<Self, RuleError> {
        let trainers = products.trainers();
        let gram = &products.gram;
        if !active.is_subset_of(SlotMask::lowest(trainers as u32)) {
            return Err(RuleError::MaskBeyondSlots { mask: active, slots: trainers });
        }
        if active.count() < MIN_ACTIVE {
            return Err(RuleError::TooFewActive { active: active.count() });
        }
        let present: SlotMask = (trainers..gram.slots()).filter(|e| gram.get(*e, *e) != 0).collect();
        let all: SlotMask = active.iter().chain(present.iter()).collect();
        checked_active_slots(gram, all)?;
        let on: Vec<usize> = active.iter().map(usize::from).collect();
        let norms: Vec<u64> = (0..trainers).map(|i| isqrt(gram.get(i, i).unsigned_abs())).collect();
        let active_norms: Vec<u64> = on.iter().map(|i| norms[*i]).collect();
        let tau = lower_median(&active_norms).expect("at least three are active").min(policy.norm_ceiling);
        let lengths: Vec<u64> = norms.iter().map(|n| (*n).max(tau)).collect();
        let clip_factors = lengths
            .iter()
            .map(|length| if *length == tau { ONE } else { (u64::from(ONE) * tau / length) as u32 })
            .collect();
        Ok(Self { on, tau, lengths, clip_factors })
    }

    /// Equal parts of one for these slots, at most two `n`-th parts each, each times its clip factor: nobody moves the
    /// model by more than two trainers do.
    pub(super) fn equal_weights(&self, slots: SlotMask) -> Vec<u32> {
        let cap = 2 * ONE / self.on.len() as u32;
        let part = u64::from(ONE.checked_div(slots.count()).unwrap_or(0).min(cap));
        let weight = |i: usize| (part * u64::from(self.clip_factors[i]) / u64::from(ONE)) as u32;
        (0..self.lengths.len()).map(|i| if slots.contains(i) { weight(i) } else { 0 }).collect()
    }

    /// The lower median of one value a slot over the active slots.
    pub(super) fn median<T: Ord + Copy>(&self, values: &[T]) -> T {
        let active: Vec<T> = self.on.iter().map(|i| values[*i]).collect();
        lower_median(&active).expect("at least three are active")
    }
}

/// Sets signals below the floor and below their share of the median to 0. Returns the slots that are no outliers: all
/// active ones where the median itself is below the floor, since then nobody brought news.
pub(super) fn cut_signals(signals: &mut [u32], clipped: &Clipped, policy: &SignalPolicy) -> SlotMask {
    let median = clipped.median(signals);
    let threshold = u64::from(policy.theta) * u64::from(median);
    let low = |q: u32| 256 * u64::from(q) < threshold || q < policy.floor || q == 0;
    let kept = if median < policy.floor {
        clipped.on.iter().copied().collect()
    } else {
        clipped.on.iter().copied().filter(|i| !low(signals[*i])).collect()
    };
    signals.iter_mut().filter(|q| low(**q)).for_each(|q| *q = 0);
    kept
}
