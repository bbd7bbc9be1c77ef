//! What the trainers posted in a round, gathered from the log and checked against the contract and the transactions.

use std::collections::BTreeMap;

use fairshare_circuits::{CommittedKeys, FormStatement, FormTable};
use fairshare_client::{CommittedUpdate, EventKind, Project, ProjectEvent, RevealedUpdate, RoundState};

use super::error::AuditError;
use super::round_fault::RoundFault;
use super::snapshot::chain_answer;
use super::submissions::{
    check_attestations, check_commitments, check_form, check_reveals, check_slots_active, Attestation,
};

/// What the log says of a round.
#[derive(Default)]
pub(super) struct Posted {
    pub(super) committed: Vec<CommittedUpdate>,
    pub(super) revealed: Vec<RevealedUpdate>,
    pub(super) attestations: Vec<Attestation>,
    /// Active slots and attesters, as the contract announced them at the end of Attest.
    pub(super) active: Option<(u128, u128)>,
    /// CIDs under which others published the round's model file.
    pub(super) published: Vec<[u8; 32]>,
    pub(super) learning_rate: Option<u32>,
    /// The committing transaction of each slot.
    commits: BTreeMap<u8, [u8; 32]>,
    /// The revealing transaction of each slot.
    reveals: BTreeMap<u8, [u8; 32]>,
}

/// Sorts a project's events by round.
pub(super) fn posted_by_round(events: &[ProjectEvent]) -> BTreeMap<u64, Posted> {
    let mut rounds: BTreeMap<u64, Posted> = BTreeMap::new();
    for event in events {
        match &event.kind {
            EventKind::Committed { round, update } => {
                let posted = rounds.entry(*round).or_default();
                posted.commits.insert(update.slot, event.transaction);
                posted.committed.push(update.clone());
            }
            EventKind::Attested { round, slot, trainer, mask, .. } => {
                let attestation = Attestation { slot: *slot, trainer: *trainer, mask: *mask };
                rounds.entry(*round).or_default().attestations.push(attestation);
            }
            EventKind::SlotsActive { round, active, attested } => {
                rounds.entry(*round).or_default().active = Some((*active, *attested));
            }
            EventKind::ModelPublished { round, model } => {
                rounds.entry(*round).or_default().published.push(model.cid);
            }
            EventKind::Revealed { round, update } => {
                let posted = rounds.entry(*round).or_default();
                posted.reveals.insert(update.slot, event.transaction);
                posted.revealed.push(update.clone());
            }
            EventKind::HyperParameters { round, learning_rate, .. } => {
                rounds.entry(*round).or_default().learning_rate = Some(*learning_rate);
            }
            _ => {}
        }
    }
    rounds
}

/// Checks what was posted in one round, settled or void.
pub(super) struct PostedCheck<'a> {
    pub(super) project: &'a Project,
    pub(super) keys: &'a CommittedKeys,
    pub(super) keys_hash: [u8; 32],
    pub(super) round: u64,
    pub(super) posted: &'a Posted,
    pub(super) notes: &'a mut Vec<String>,
}

impl PostedCheck<'_> {
    /// The round's state in the contract, and the faults.
    pub(super) async fn run(mut self) -> Result<(RoundState, Vec<RoundFault>), AuditError> {
        let posted = self.posted;
        let state = self.project.round_state(self.round).await?;
        let mut faults = check_commitments(&posted.committed, &state);
        let salts = self.salts().await?;
        faults.extend(check_reveals(&posted.committed, &posted.revealed, &salts, &state));
        faults.extend(self.forms().await?);
        faults.extend(check_attestations(&posted.attestations, &posted.revealed, &state));
        if let Some((active, attested)) = posted.active {
            faults.extend(check_slots_active(&posted.attestations, &state, active, attested));
        }
        Ok((state, faults))
    }

    /// Verifies the proof of form of every commitment again, where the transaction can be read.
    async fn forms(&mut self) -> Result<Vec<RoundFault>, AuditError> {
        let (project, round, mut faults) = (self.project, self.round, Vec::new());
        let terms = project.terms();
        for update in &self.posted.committed {
            let (slot, trainer) = (update.slot, update.trainer);
            let Some(transaction) = self.posted.commits.get(&slot) else { continue };
            let call = match chain_answer(project.commit_call(*transaction).await)? {
                Ok(Some(call)) => call,
                unreadable => {
                    let why = unreadable.err().map_or_else(through_another_contract, |e| e.to_string());
                    self.notes.push(format!(
                        "round {round}: slot {slot}: only the project checked its proof of form ({why})"
                    ));
                    continue;
                }
            };
            let table = match FormTable::from_id(terms.table) {
                Ok(table) => table,
                Err(error) => {
                    faults.push(RoundFault::Form { slot, trainer, reason: error.to_string() });
                    continue;
                }
            };
            let statement = FormStatement {
                chain_id: project.chain().chain_id(),
                project: project.address(),
                round,
                trainer,
                dimension: terms.dimension,
                table,
                keys_hash: self.keys_hash,
                commitment: update.commitment,
            };
            faults.extend(check_form(self.keys.kzg(), statement, slot, &call, update).err());
        }
        Ok(faults)
    }

    /// The salts of the round's reveals, where the transaction can be read.
    async fn salts(&mut self) -> Result<BTreeMap<u8, [u8; 32]>, AuditError> {
        let (round, mut salts) = (self.round, BTreeMap::new());
        for (slot, transaction) in &self.posted.reveals {
            match chain_answer(self.project.revealed_salt(*transaction).await)? {
                Ok(Some(salt)) => {
                    salts.insert(*slot, salt);
                }
                unreadable => {
                    let why = unreadable.err().map_or_else(through_another_contract, |e| e.to_string());
                    self.notes.push(format!(
                        "round {round}: slot {slot}: only the project checked its seal ({why})"
                    ));
                }
            }
        }
        Ok(salts)
    }
}

fn through_another_contract() -> String {
    "it went through another contract".into()
}
