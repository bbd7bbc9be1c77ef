//! What the trainers posted in a round, gathered from the log and checked against the contract and the transactions.

use std::collections::BTreeMap;

use fairshare_circuits::{RangeStatement, RangeTable};
use fairshare_client::{
    ChainError, CommitCall, CommittedUpdate, EventKind, Project, ProjectEvent, RevealedUpdate, RoundState,
};
use fairshare_protocol::SlotMask;
use futures::{stream, StreamExt, TryStreamExt};
use rayon::prelude::*;

use super::error::AuditError;
use super::round_fault::RoundFault;
use super::snapshot::chain_answer;
use super::sources::{Sources, CONCURRENT};
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
    pub(super) active: Option<(SlotMask, SlotMask)>,
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

/// What contract and transactions hold of a round.
pub(super) struct PostedData {
    pub(super) state: RoundState,
    /// The arguments of committing transactions, by their place in [`Posted::committed`].
    commits: Vec<(usize, Readable<CommitCall>)>,
    /// The salts of the reveals, by slot.
    salts: Vec<(u8, Readable<[u8; 32]>)>,
}

/// What a transaction holds, or why only the project checked it.
type Readable<T> = Result<T, String>;

impl Posted {
    /// Reads what the contract and the transactions of round `id` hold.
    pub(super) async fn read(&self, project: &Project, id: u64) -> Result<PostedData, AuditError> {
        let committed = self.committed.iter().enumerate();
        let commits = committed.filter_map(|(place, update)| Some((place, *self.commits.get(&update.slot)?)));
        let commits = stream::iter(commits)
            .map(|(place, transaction)| async move {
                Ok::<_, AuditError>((place, readable(project.commit_call(transaction).await)?))
            })
            .buffered(CONCURRENT);
        let salts = stream::iter(self.reveals.iter().map(|(slot, transaction)| (*slot, *transaction)))
            .map(|(slot, transaction)| async move {
                Ok::<_, AuditError>((slot, readable(project.revealed_salt(transaction).await)?))
            })
            .buffered(CONCURRENT);
        let state = async { Ok::<_, AuditError>(project.round_state(id).await?) };
        let (state, commits, salts) = futures::try_join!(state, commits.try_collect(), salts.try_collect())?;
        Ok(PostedData { state, commits, salts })
    }

    /// Checks what the trainers posted in round `id`, settled or void.
    pub(super) fn check(
        &self,
        sources: &Sources<'_>,
        id: u64,
        data: &PostedData,
        notes: &mut Vec<String>,
    ) -> Vec<RoundFault> {
        let state = &data.state;
        let mut only_the_project = |slot: u8, what: &str, why: &str| {
            notes.push(format!("round {id}: slot {slot}: only the project checked its {what} ({why})"));
        };
        let mut salts = BTreeMap::new();
        for (slot, salt) in &data.salts {
            match salt {
                Ok(salt) => {
                    salts.insert(*slot, *salt);
                }
                Err(why) => only_the_project(*slot, "seal", why),
            }
        }
        for (place, call) in &data.commits {
            if let Err(why) = call {
                only_the_project(self.committed[*place].slot, "range proof", why);
            }
        }
        let mut faults = check_commitments(&self.committed, state);
        faults.extend(check_reveals(&self.committed, &self.revealed, &salts, state));
        faults.extend(self.check_forms(sources, id, data));
        faults.extend(check_attestations(&self.attestations, &self.revealed, state));
        if let Some((active, attested)) = self.active {
            faults.extend(check_slots_active(&self.attestations, state, active, attested));
        }
        faults
    }

    /// Verifies every range proof again, on all cores.
    fn check_forms(&self, sources: &Sources<'_>, id: u64, data: &PostedData) -> Vec<RoundFault> {
        let (project, terms) = (sources.project, sources.project.terms());
        let check = |(place, call): &(usize, Readable<CommitCall>)| {
            let (update, call) = (&self.committed[*place], call.as_ref().ok()?);
            let (slot, trainer) = (update.slot, update.trainer);
            let table = match RangeTable::from_id(terms.table) {
                Ok(table) => table,
                Err(error) => {
                    return Some(RoundFault::RangeProof { slot, trainer, reason: error.to_string() })
                }
            };
            let statement = RangeStatement {
                chain_id: project.chain().chain_id(),
                project: project.address().0,
                round: id,
                trainer: trainer.0,
                dimension: terms.dimension,
                table,
                keys_hash: sources.keys_hash,
                commitment: update.commitment,
            };
            check_form(sources.keys.kzg(), statement, slot, call, update).err()
        };
        data.commits.par_iter().filter_map(check).collect()
    }
}

fn readable<T>(answer: Result<Option<T>, ChainError>) -> Result<Readable<T>, AuditError> {
    Ok(match chain_answer(answer)? {
        Ok(Some(found)) => Ok(found),
        Ok(None) => Err("it went through another contract".into()),
        Err(error) => Err(error.to_string()),
    })
}
