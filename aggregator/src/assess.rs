//! From checked updates to the next model: active slots, Gram matrix, rule, step.
//!
//! Pure: the same updates give the same assessment on every machine.

use std::collections::BTreeMap;

use fairshare_client::Collected;
use fairshare_protocol::{apply_step, assess, Assessment, GramMatrix, ProjectPolicy, RoundPolicy, SlotMask};

use crate::error::AssessError;
use crate::event::MissingUpdate;

/// The part of a project's terms that the assessment follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundTerms {
    /// `N`, the circuit's size.
    pub slots: u8,
    /// The rule and its numbers.
    pub policy: ProjectPolicy,
}

/// The updates of the active slots, ascending. All of them are needed: the contract sets the active slots.
///
/// # Errors
/// [`AssessError::SlotOutOfRange`]; [`AssessError::MissingUpdates`] names every active slot without its update.
pub fn active_updates<'a>(
    terms: &RoundTerms,
    active: SlotMask,
    collected: &'a BTreeMap<u8, Collected>,
) -> Result<Vec<(u8, &'a [i16])>, AssessError> {
    let mut updates = vec![];
    let mut missing = vec![];
    for slot in active.iter() {
        if slot >= terms.slots {
            return Err(AssessError::SlotOutOfRange { slot, slots: terms.slots });
        }
        let (trainer, reason) = match collected.get(&slot) {
            Some(Collected { update: Ok(update), .. }) => {
                updates.push((slot, update.as_slice()));
                continue;
            }
            Some(entry @ Collected { update: Err(reason), .. }) => {
                (entry.trainer.to_string(), reason.to_string())
            }
            None => (String::new(), "the Ethereum node does not show its reveal".to_owned()),
        };
        missing.push(MissingUpdate { slot, trainer, reason });
    }
    if missing.is_empty() {
        Ok(updates)
    } else {
        Err(AssessError::MissingUpdates { active: active.count(), missing })
    }
}

/// Adds the updates of a new attempt to those of earlier ones. An update that matched its commitment stays, as long
/// as the slot holds that commitment and that file: a chain may take blocks back. Of the others the newest reason
/// counts, and slots that the chain no longer shows are removed.
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

/// A round's assessment, and the model that follows from it.
#[derive(Debug)]
pub struct AssessedRound {
    /// Active slots.
    pub active: SlotMask,
    /// The rule with the numbers of this round.
    pub policy: RoundPolicy,
    /// Inner products, `N x N`.
    pub gram: GramMatrix,
    /// The kept slots, with their shares and weights.
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
    let mut active = SlotMask::EMPTY;
    for (slot, update) in updates {
        let place = by_slot
            .get_mut(usize::from(*slot))
            .ok_or(AssessError::SlotOutOfRange { slot: *slot, slots: terms.slots })?;
        if update.len() != model.len() {
            return Err(AssessError::Step { dimension: model.len() });
        }
        *place = Some(update);
        active.insert(*slot);
    }
    let gram = GramMatrix::compute(&by_slot)?;
    let policy = terms.policy.for_round(active.count());
    let assessment = assess(&gram, active, policy)?;
    let step: Vec<(&[i16], u32)> =
        updates.iter().map(|(slot, update)| (*update, assessment.weights[usize::from(*slot)])).collect();
    let model = apply_step(model, &step).ok_or(AssessError::Step { dimension: model.len() })?;
    Ok(AssessedRound { active, policy, gram, assessment, model })
}

#[cfg(test)]
#[path = "assess_tests.rs"]
mod tests;
