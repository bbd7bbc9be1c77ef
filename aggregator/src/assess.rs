//! From checked updates to the next model: active slots, Gram matrix, rule, step.
//!
//! Pure: the same updates give the same assessment on every machine, which is what the proof then says of it.

use std::collections::BTreeMap;

use fairshare_node::{Collected, Exclusion};
use fairshare_protocol::{apply_step, assess, AgreementPolicy, Assessment, GramMatrix};

use crate::error::AssessError;
use crate::exclusions::ExcludedSlot;

/// What a project fixes of the assessment of its rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundTerms {
    /// `N`, the circuit's size.
    pub slots: u8,
    /// Outlier threshold and trimmed share.
    pub policy: AgreementPolicy,
    /// Fewest active slots of a round.
    pub min_active: u8,
    /// Most revealed slots that may be left out.
    pub max_excluded: u8,
}

/// The slots of a round that can be assessed, and those that cannot.
#[derive(Debug)]
pub struct ActiveSlots {
    /// Slot `i` is bit `i`.
    pub mask: u128,
    /// Revealed slots that are left out, ascending, each with its reason.
    pub excluded: Vec<ExcludedSlot>,
}

/// Sorts the revealed slots into usable and not.
pub fn active_slots(collected: &[Collected]) -> ActiveSlots {
    let mut slots: Vec<&Collected> = collected.iter().collect();
    slots.sort_by_key(|entry| entry.slot);
    let mut active = ActiveSlots { mask: 0, excluded: Vec::new() };
    for entry in slots {
        match &entry.update {
            Ok(_) => active.mask |= 1u128.checked_shl(u32::from(entry.slot)).unwrap_or(0),
            Err(reason) => active.excluded.push(ExcludedSlot::new(entry, reason)),
        }
    }
    active
}

/// Whether the contract would let these slots settle a round.
///
/// # Errors
/// [`AssessError::SlotOutOfRange`], [`AssessError::TooManyExcluded`] or [`AssessError::TooFewActive`].
pub fn check_active(
    terms: &RoundTerms,
    collected: &[Collected],
    active: &ActiveSlots,
) -> Result<(), AssessError> {
    if let Some(entry) = collected.iter().find(|entry| entry.slot >= terms.slots) {
        return Err(AssessError::SlotOutOfRange { slot: entry.slot, slots: terms.slots });
    }
    if active.excluded.len() > usize::from(terms.max_excluded) {
        return Err(AssessError::TooManyExcluded {
            excluded: active.excluded.len(),
            revealed: collected.len(),
            allowed: terms.max_excluded,
            reasons: active
                .excluded
                .iter()
                .map(|e| format!("slot {} ({})", e.slot, e.reason))
                .collect::<Vec<_>>()
                .join(", "),
        });
    }
    let count = active.mask.count_ones();
    if count < u32::from(terms.min_active) {
        return Err(AssessError::TooFewActive { active: count as usize, required: terms.min_active });
    }
    Ok(())
}

/// Takes what a new attempt fetched into what earlier ones did: an update that was right once stays right, since its
/// commitment was checked, as long as the slot holds that commitment and that file: a chain may take blocks back. Of the
/// others the newest reason counts, and slots that the chain no longer knows are forgotten.
pub fn merge(known: &mut BTreeMap<u8, Collected>, fresh: Vec<Collected>) {
    let earlier = std::mem::take(known);
    for entry in fresh {
        let same = |old: &&Collected| {
            old.update.is_ok()
                && old.commitment == entry.commitment
                && old.cid == entry.cid
                && old.trainer == entry.trainer
        };
        let kept = earlier.get(&entry.slot).filter(same).cloned().unwrap_or(entry);
        known.insert(kept.slot, kept);
    }
}

/// Whether fetching again may bring a slot back.
pub(crate) fn is_missing(entry: &Collected) -> bool {
    matches!(entry.update, Err(Exclusion::Missing(_)))
}

/// A round as the rule sees it, and the model that follows.
#[derive(Debug)]
pub struct AssessedRound {
    /// Active slots.
    pub active: u128,
    /// Entries trimmed at each end of a row.
    pub trim_count: u32,
    /// Inner products, `N x N`.
    pub gram: GramMatrix,
    /// Who is kept, and what it earns.
    pub assessment: Assessment,
    /// `T' = T + sum_i w_i u_i`, `d` entries.
    pub model: Vec<i64>,
}

/// Assesses a round: `model` is `T`, `updates` are the active slots' updates, ascending by slot, each already checked
/// against its commitment.
///
/// # Errors
/// [`AssessError`] where the rule has no answer or the new model leaves 64 bits.
pub fn assess_round(
    terms: &RoundTerms,
    model: &[i64],
    updates: &[(u8, &[i16])],
) -> Result<AssessedRound, AssessError> {
    let mut by_slot: Vec<Option<&[i16]>> = vec![None; usize::from(terms.slots)];
    let mut active = 0u128;
    for (slot, update) in updates {
        let place = by_slot
            .get_mut(usize::from(*slot))
            .ok_or(AssessError::SlotOutOfRange { slot: *slot, slots: terms.slots })?;
        if update.len() != model.len() {
            return Err(AssessError::Step { dimension: model.len() });
        }
        *place = Some(update);
        active |= 1 << slot;
    }
    let gram = GramMatrix::compute(&by_slot)?;
    let trim_count = terms.policy.trim_count(active.count_ones());
    let assessment = assess(&gram, active, terms.policy.theta, trim_count)?;
    let step: Vec<(&[i16], u32)> =
        updates.iter().map(|(slot, update)| (*update, assessment.weights[usize::from(*slot)])).collect();
    let model = apply_step(model, &step).ok_or(AssessError::Step { dimension: model.len() })?;
    Ok(AssessedRound { active, trim_count, gram, assessment, model })
}

#[cfg(test)]
#[path = "assess_tests.rs"]
mod tests;
