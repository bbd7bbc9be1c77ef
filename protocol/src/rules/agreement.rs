//! The rule "agreement": the trimmed agreement of each clipped update with the others (docs/protocol.md 6.2).

use super::assessment::{checked_active_slots, pay_shares, AgreementDetail, Assessment, Detail};
use super::coherence::coherence;
use super::error::RuleError;
use crate::bounds::{MAX_TRIM, MIN_ACTIVE, ONE, THETA_LIMIT};
use crate::fixed_point::{isqrt, lower_median, trimmed_sum};
use crate::gram::GramMatrix;
use crate::slot_mask::SlotMask;
use serde::{Deserialize, Serialize};

/// The rule's numbers in a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreementPolicy {
    /// A contribution under this many 256ths of the median is an outlier.
    pub theta: u16,
    /// This many 256ths of a row are dropped at each end.
    pub trim: u8,
}

impl AgreementPolicy {
    /// `floor(active * trim / 256)`: entries dropped at each end of a row. The contract computes the same.
    pub fn trim_count(&self, active: u32) -> u32 {
        // At most `active`, so it fits 32 bits.
        (u64::from(active) * u64::from(self.trim) / 256) as u32
    }

    /// Checks that every round of three active slots and more can be assessed.
    ///
    /// # Errors
    /// `theta` of [`THETA_LIMIT`] and more, or `trim` above [`MAX_TRIM`].
    pub fn validate(&self) -> Result<(), RuleError> {
        if self.theta >= THETA_LIMIT {
            return Err(RuleError::ThetaTooLarge { theta: self.theta });
        }
        if self.trim > MAX_TRIM {
            return Err(RuleError::TrimShareTooLarge { trim: self.trim });
        }
        Ok(())
    }
}

/// Assesses a round from the Gram matrix of its active slots. `trim_count` is [`AgreementPolicy::trim_count`].
///
/// # Errors
/// As [`super::assess`].
pub(super) fn assess(
    gram: &GramMatrix,
    active: SlotMask,
    theta: u16,
    trim_count: u32,
) -> Result<Assessment, RuleError> {
    let on = checked_active_slots(gram, active)?;
    if active.count() < MIN_ACTIVE {
        return Err(RuleError::TooFewActive { active: active.count() });
    }
    let others = active.count() - 1;
    if u64::from(others) < 2 * u64::from(trim_count) + 1 {
        return Err(RuleError::TrimTooLarge { trim_count, others });
    }
    if theta >= THETA_LIMIT {
        return Err(RuleError::ThetaTooLarge { theta });
    }

    let slots = gram.slots();
    // Not negative: `checked_active_slots` checked the diagonal.
    let norms: Vec<u64> = (0..slots).map(|i| isqrt(gram.get(i, i).unsigned_abs())).collect();
    let tau = median_over(&on, &norms);
    let clip_factors: Vec<u32> = norms.iter().map(|norm| clip_factor(*norm, tau)).collect();

    let mut agreements = vec![0i128; slots];
    let mut contributions = vec![0u64; slots];
    for &i in &on {
        let row: Vec<i128> = on
            .iter()
            .filter(|j| **j != i)
            .map(|&j| i128::from(clip_factors[j]) * i128::from(gram.get(i, j)))
            .collect();
        agreements[i] = trimmed_sum(&row, trim_count as usize);
        contributions[i] = contribution(clip_factors[i], agreements[i]);
    }

    let median = median_over(&on, &contributions);
    let threshold = (u128::from(theta) * u128::from(median)).max(1);
    let is_kept = |i: usize| 256 * u128::from(contributions[i]) >= threshold;
    let kept: SlotMask = on.iter().copied().filter(|i| is_kept(*i)).collect();

    // A kept contribution is at least 1, so their sum is 0 only where nothing is kept.
    let shares = pay_shares(&contributions, kept);
    let weights: Vec<u32> = shares
        .iter()
        .zip(&clip_factors)
        // At most the share.
        .map(|(share, clip)| (u64::from(*share) * u64::from(*clip) / u64::from(ONE)) as u32)
        .collect();
    let coherence = coherence(gram, &weights)?;
    let detail = Detail::Agreement(AgreementDetail { norms, tau, clip_factors, agreements, median });
    Ok(Assessment { contributions, kept, shares, weights, coherence, detail })
}

fn median_over(slots: &[usize], values: &[u64]) -> u64 {
    let active: Vec<u64> = slots.iter().map(|i| values[*i]).collect();
    lower_median(&active).expect("at least three slots are active")
}

fn clip_factor(norm: u64, tau: u64) -> u32 {
    if norm <= tau {
        return ONE;
    }
    // Below 2^16, since tau < norm.
    (u64::from(ONE) * tau / norm) as u32
}

/// `max(0, floor(s a / 2^32))`: `s <= 2^16` and `|a| < 127 * 2^68` keep it below `2^60`.
fn contribution(clip: u32, agreement: i128) -> u64 {
    let floor = (i128::from(clip) * agreement) >> 32; // arithmetic: rounds towards minus infinity
    u64::try_from(floor.max(0)).expect("127 entries below 2^68, times 2^-16")
}

#[cfg(test)]
#[path = "agreement_tests.rs"]
mod tests;
