//! One attempt at a round: the fetched updates and the proof. Lost with the process and made again.

use std::collections::BTreeMap;
use std::sync::Arc;

use fairshare_client::{Collected, ContentId, SettledRound, Settlement, Terms};
use fairshare_protocol::{Address, Assessment};

use crate::assess::RoundTerms;
use crate::error::AssessError;
use crate::event::{RoundSettled, SlotResult, Timings};
use crate::settle::ProvedRound;

/// A round that is being settled.
pub(crate) struct Attempt {
    /// Round id.
    pub(crate) round: u64,
    /// Revealed slots, each with its update or the reason why it is missing.
    pub(crate) collected: BTreeMap<u8, Collected>,
    /// What was collected, as last reported.
    pub(crate) reported: Option<String>,
    /// The settlement, ready to be sent.
    pub(crate) proved: Option<Arc<Ready>>,
    /// Durations of its steps.
    pub(crate) timings: Timings,
}

/// A proved round with the file of its model.
pub(crate) struct Ready {
    pub(crate) proved: ProvedRound,
    pub(crate) assessment: Assessment,
    pub(crate) settlement: Settlement,
    pub(crate) model: Vec<i64>,
    pub(crate) model_file: Vec<u8>,
    pub(crate) model_cid: ContentId,
}

impl Ready {
    /// The settled round as the chain's log will show it.
    pub(crate) fn as_settled(&self, transaction: [u8; 32], gas_used: u64) -> SettledRound {
        SettledRound {
            round: self.settlement.round,
            payee: self.settlement.payee,
            active: self.proved.statement.active,
            kept: self.assessment.kept,
            coherence: self.assessment.coherence,
            shares: self.assessment.shares.clone(),
            weights: self.assessment.weights.clone(),
            model: self.proved.model,
            model_cid: self.settlement.model_cid,
            transaction,
            gas_used,
        }
    }
}

impl Attempt {
    pub(crate) fn new(round: u64) -> Self {
        Self { round, collected: BTreeMap::new(), reported: None, proved: None, timings: Timings::default() }
    }
}

/// The part of a project's terms that every round's assessment follows.
///
/// # Errors
/// A rule that this version does not know.
pub fn round_terms(terms: &Terms) -> Result<RoundTerms, AssessError> {
    Ok(RoundTerms { slots: terms.slots, policy: terms.policy()? })
}

/// The event of a settled round. `trainers` gives each slot's trainer; `attempt` is given when it is ours.
pub(crate) fn settled_event(
    settled: &SettledRound,
    trainers: &BTreeMap<u8, Address>,
    model_file_len: usize,
    attempt: Option<&Attempt>,
) -> RoundSettled {
    let inactive = trainers.keys().copied().filter(|slot| !settled.active.contains(*slot)).collect();
    let value = |of: &[u32], slot: u8| of.get(usize::from(slot)).copied().unwrap_or_default();
    let slots = settled
        .active
        .iter()
        .map(|slot| SlotResult {
            slot,
            trainer: trainers.get(&slot).map(ToString::to_string).unwrap_or_default(),
            kept: settled.kept.contains(slot),
            share: value(&settled.shares, slot),
            weight: value(&settled.weights, slot),
        })
        .collect();
    RoundSettled {
        round: settled.round,
        payee: settled.payee.to_string(),
        by_this_run: attempt.is_some(),
        kept: settled.kept.iter().collect(),
        dropped: (settled.active - settled.kept).iter().collect(),
        inactive,
        slots,
        coherence: settled.coherence,
        model_cid: ContentId::from_digest(settled.model_cid, model_file_len).to_string(),
        timings: attempt.map(|a| a.timings),
        gas: settled.gas_used,
        transaction: format!("0x{}", hex::encode(settled.transaction)),
    }
}
