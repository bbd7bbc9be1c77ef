//! Multi-Krum (Blanchard et al. 2017), a baseline for studies: it keeps the slots nearest to their neighbours.
//!
//! It is not a rule of the protocol any more: no circuit proves it and no project can choose it. In the study of
//! docs/rules.md it left two to three honest trainers unpaid in every round, at 22 points less accuracy.

use super::assessment::{checked_active_slots, pay_shares, Assessment, Detail, MultiKrumDetail};
use super::coherence::coherence;
use super::error::RuleError;
use crate::bounds::MAX_BYZANTINE;
use crate::gram::GramMatrix;
use crate::slot_mask::SlotMask;
use serde::{Deserialize, Serialize};

/// The baseline's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MultiKrumPolicy {
    /// This many 256ths of the active slots may lie: `f = floor(n * byzantine / 256)`.
    pub byzantine: u8,
    /// This many 256ths of the active slots are kept, and two at least.
    pub selected: u8,
}

impl MultiKrumPolicy {
    /// `k = n - f - 2`: neighbours in a score. 0 when there are too few slots, which the assessment refuses.
    pub fn neighbours(&self, active: u32) -> u32 {
        active.saturating_sub(share_of(active, self.byzantine)).saturating_sub(2)
    }

    /// `m = max(2, floor(n * selected / 256))`: slots that are kept.
    pub fn kept(&self, active: u32) -> u32 {
        share_of(active, self.selected).max(2)
    }

    /// Checks that every round of three active slots and more can be assessed.
    ///
    /// # Errors
    /// `byzantine` above [`MAX_BYZANTINE`], or `selected` of 0.
    pub fn validate(&self) -> Result<(), RuleError> {
        if self.byzantine > MAX_BYZANTINE {
            return Err(RuleError::ByzantineShareTooLarge { byzantine: self.byzantine });
        }
        if self.selected == 0 {
            return Err(RuleError::NothingSelected);
        }
        Ok(())
    }
}

/// `floor(active * share / 256)`, at most `active`.
fn share_of(active: u32, share: u8) -> u32 {
    (u64::from(active) * u64::from(share) / 256) as u32
}

/// Assesses a round: the `selected` slots with the smallest `(score, slot)` are kept, and each contributes its products
/// with the other kept ones. `neighbours` and `selected` are those of [`MultiKrumPolicy`].
///
/// Distances of real updates are not negative; the function does not check it.
///
/// # Errors
/// As [`super::assess`]; `neighbours` not in `1 .. n` or `selected` not in `2 ..= n` for `n` active slots.
pub(super) fn assess(
    gram: &GramMatrix,
    active: SlotMask,
    neighbours: u32,
    selected: u32,
) -> Result<Assessment, RuleError> {
    let on = checked_active_slots(gram, active)?;
    let count = active.count();
    if neighbours == 0 || neighbours >= count {
        return Err(RuleError::Neighbours { neighbours, active: count });
    }
    if selected < 2 || selected > count {
        return Err(RuleError::Selected { selected, active: count });
    }

    let slots = gram.slots();
    let entry = |i: usize, j: usize| i128::from(gram.get(i, j));
    let mut scores = vec![0i128; slots];
    for &i in &on {
        let distance = |j: &usize| entry(i, i) + entry(*j, *j) - 2 * entry(i, *j);
        let mut distances: Vec<i128> = on.iter().filter(|j| **j != i).map(distance).collect();
        distances.sort_unstable();
        scores[i] = distances.iter().take(neighbours as usize).sum();
    }

    let mut ranked = on;
    ranked.sort_unstable_by_key(|i| (scores[*i], *i));
    ranked.truncate(selected as usize);
    let kept: SlotMask = ranked.iter().copied().collect();

    let mut agreements = vec![0i128; slots];
    let mut contributions = vec![0u64; slots];
    for &i in &ranked {
        agreements[i] = ranked.iter().filter(|j| **j != i).map(|j| entry(i, *j)).sum();
        contributions[i] = u64::try_from(agreements[i].max(0)).expect("127 entries up to 2^52");
    }
    let shares = pay_shares(&contributions, kept);
    let weights = shares.clone(); // every clip factor is one
    let coherence = coherence(gram, &weights)?;
    let detail = Detail::MultiKrum(MultiKrumDetail { scores, agreements });
    Ok(Assessment { contributions, kept, shares, weights, coherence, detail })
}

#[cfg(test)]
#[path = "multi_krum_tests.rs"]
mod tests;
