//! From round to round: each model follows from the one before, beginning with the specification's seed.

use std::collections::BTreeMap;

use fairshare_circuits::{CommittedKeys, FormStatement, FormTable, G1Affine, ReferenceString};
use fairshare_client::{
    collect, Collected, CommittedUpdate, ContentError, ContentId, ContentStore, EventKind, Project,
    RevealedUpdate, RoundState, SettledRound,
};
use fairshare_protocol::{apply_step, decode_model, encoded_len, FileKind, Specification};

use super::failure::{Failure, FileFault, RoundFault};
use super::files::check_model_file;
use super::report::AuditedRound;
use super::settlement::{check_assessment, check_call, check_proof, check_step, reassess, statement};
use super::submissions::{
    check_active, check_attestations, check_commitments, check_form, check_reveals, check_slots_active,
    disagreeing, point_text, slots, word, Attestation,
};
use super::{chain_answer, AuditError, Progress, Snapshot};

/// An audit on its way through the rounds.
pub(super) struct Walk<'a> {
    pub(super) project: &'a Project,
    pub(super) store: &'a ContentStore,
    pub(super) srs: &'a ReferenceString,
    pub(super) keys: &'a CommittedKeys,
    /// `None` when it could not be had: then updates and models cannot be read either.
    pub(super) spec: Option<&'a Specification>,
    pub(super) keys_hash: [u8; 32],
    pub(super) notes: Vec<String>,
    pub(super) failures: Vec<Failure>,
}

/// A round's submissions, from the log.
#[derive(Default)]
struct Submissions {
    committed: Vec<CommittedUpdate>,
    /// The committing transaction of each slot.
    commits: BTreeMap<u8, [u8; 32]>,
    revealed: Vec<RevealedUpdate>,
    attestations: Vec<Attestation>,
    /// Active slots and attesters, as the contract said when Attest ended.
    active: Option<(u128, u128)>,
    /// Other names under which the round's model file is served.
    published: Vec<[u8; 32]>,
    /// The revealing transaction of each slot.
    reveals: BTreeMap<u8, [u8; 32]>,
    learning_rate: Option<u32>,
}

/// Names of one model file that are tried: each may cost a timeout.
const MOST_NAMES: usize = 8;

/// A model that is known to be what the chain commits to.
type Known = Option<Vec<i64>>;

impl Walk<'_> {
    pub(super) async fn rounds(
        &mut self,
        snapshot: &Snapshot,
        progress: Progress<'_>,
    ) -> Result<Vec<AuditedRound>, AuditError> {
        let mut model = self.first_model().await?;
        let mut submissions = submissions(snapshot);
        let settled: Vec<&SettledRound> = snapshot
            .events
            .iter()
            .filter_map(|event| match &event.kind {
                EventKind::Settled(settled) => Some(settled),
                _ => None,
            })
            .collect();
        let mut before = self.project.terms().model;
        let mut rounds = Vec::with_capacity(settled.len());
        for (done, settled_round) in settled.iter().enumerate() {
            progress(done, settled.len());
            let posted = submissions.remove(&settled_round.round).unwrap_or_default();
            let failures = self.failures.len();
            let (mut round, next) = self.round(settled_round, &posted, before, model).await?;
            round.failures = self.failures.len() - failures;
            rounds.push(round);
            (before, model) = (settled_round.model, next);
        }
        let void = snapshot.events.iter().filter_map(|event| match &event.kind {
            EventKind::Voided { round, .. } => Some(*round),
            _ => None,
        });
        for round in void {
            let posted = submissions.remove(&round).unwrap_or_default();
            let (_, faults) = self.posted(round, &posted).await?;
            self.failures.extend(faults.into_iter().map(|fault| Failure::Round { round, fault }));
        }
        progress(settled.len(), settled.len());
        Ok(rounds)
    }

    /// What the trainers posted in a round, settled or void.
    async fn posted(
        &mut self,
        id: u64,
        posted: &Submissions,
    ) -> Result<(RoundState, Vec<RoundFault>), AuditError> {
        let state = self.project.round_state(id).await?;
        let mut faults = check_commitments(&posted.committed, &state);
        let salts = self.salts(id, posted).await?;
        faults.extend(check_reveals(&posted.committed, &posted.revealed, &salts, &state));
        faults.extend(self.forms(id, posted).await?);
        faults.extend(check_attestations(&posted.attestations, &posted.revealed, &state));
        if let Some((active, attested)) = posted.active {
            faults.extend(check_slots_active(&posted.attestations, &state, active, attested));
        }
        Ok((state, faults))
    }

    /// The proof of form of every commitment once more, where the transactions can be read.
    async fn forms(&mut self, round: u64, posted: &Submissions) -> Result<Vec<RoundFault>, AuditError> {
        let (project, mut faults) = (self.project, Vec::new());
        let terms = project.terms();
        for update in &posted.committed {
            let (slot, trainer) = (update.slot, update.trainer);
            let Some(transaction) = posted.commits.get(&slot) else { continue };
            let by_the_project_alone = |why: String| {
                format!(
                    "round {round}: slot {slot}: its proof of form was checked by the project alone ({why})"
                )
            };
            let call = match chain_answer(project.commit_call(*transaction).await)? {
                Ok(Some(call)) => call,
                Ok(None) => {
                    self.notes.push(by_the_project_alone("it came through another contract".into()));
                    continue;
                }
                Err(error) => {
                    self.notes.push(by_the_project_alone(error.to_string()));
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

    async fn first_model(&mut self) -> Result<Known, AuditError> {
        let (Some(spec), terms) = (self.spec, self.project.terms()) else { return Ok(None) };
        let initial = spec.model.initial(spec.training.seed, spec.quantisation.scale_log2);
        let commitment = self.srs.commit_model(&initial)?;
        let mut known = Some(initial);
        if commitment != terms.model {
            self.failures.push(Failure::FirstModelCommitment {
                expected: point_text(&commitment),
                found: point_text(&terms.model),
            });
            known = None;
        }
        let (known, fault) = self.published(known, terms.model, &[terms.model_cid]).await?;
        self.failures.extend(fault.map(Failure::FirstModelFile));
        Ok(known)
    }

    async fn round(
        &mut self,
        settled: &SettledRound,
        posted: &Submissions,
        before: G1Affine,
        model: Known,
    ) -> Result<(AuditedRound, Known), AuditError> {
        let id = settled.round;
        let (project, committed) = (self.project, &posted.committed);
        let (state, mut faults) = self.posted(id, posted).await?;
        faults.extend(check_active(project.terms(), &state, settled.active));
        if posted.active.is_none() {
            faults.push(RoundFault::NoActiveSlots);
        }

        let statement = statement(
            project.chain().chain_id(),
            project.address(),
            project.terms(),
            self.keys_hash,
            before,
            settled,
            committed,
        );
        let statement = match statement {
            Ok(statement) => Some(statement),
            Err(fault) => {
                faults.push(fault);
                None
            }
        };
        let (mut proof, mut through_another) = (false, false);
        match chain_answer(project.settlement_of(settled.transaction).await)? {
            Ok(None) => through_another = true,
            Ok(Some(call)) => {
                faults.extend(check_call(
                    settled,
                    &call,
                    committed,
                    self.project.terms().outlier_penalty != 0,
                ));
                match statement.as_ref().map(|statement| check_proof(self.keys, statement, &call)) {
                    Some(Ok(())) => proof = true,
                    Some(Err(fault)) => faults.push(fault),
                    None => {}
                }
            }
            Err(error) => {
                let transaction = word(&settled.transaction);
                faults.push(RoundFault::Transaction { transaction, reason: error.to_string() });
            }
        }
        faults.extend(statement.as_ref().and_then(|statement| check_step(before, statement, settled).err()));

        let mut audited = AuditedRound {
            settled: settled.clone(),
            trainers: committed.iter().map(|update| update.trainer).collect(),
            learning_rate: posted.learning_rate,
            proof,
            updates: 0,
            model: false,
            model_cid: None,
            failures: 0,
        };
        let next = match self.spec {
            Some(spec) => {
                let collected = collect(project, self.store, spec, self.srs, id).await?;
                let recomputed =
                    self.updates(settled, posted, &collected, model, &mut faults, &mut audited)?;
                let names = [&[settled.model_cid], &posted.published[..]].concat();
                let (known, fault) = self.published(recomputed, settled.model, &names).await?;
                audited.model = fault.is_none();
                faults.extend(fault.map(RoundFault::from));
                let length = encoded_len(&spec.model, FileKind::Model)?;
                audited.model_cid = Some(ContentId::from_digest(settled.model_cid, length));
                known
            }
            None => None,
        };
        if through_another {
            // The proof is in no transaction's data, and the project checked it: recomputing says that nothing was bent.
            let recomputed = audited.model && audited.updates == settled.active.count_ones() as usize;
            if recomputed && faults.is_empty() {
                self.notes.push(format!(
                    "round {id}: it was settled through another contract; its proof was checked by the project alone, and all that was proved was recomputed"
                ));
            } else {
                let transaction = word(&settled.transaction);
                let reason =
                    "it went through another contract, and the round cannot be recomputed instead".into();
                faults.push(RoundFault::Transaction { transaction, reason });
            }
        }
        self.failures.extend(faults.into_iter().map(|fault| Failure::Round { round: id, fault }));
        Ok((audited, next))
    }

    /// The rule and the step once more, as far as the updates are there. Gives the recomputed model when it is what the
    /// chain commits to.
    fn updates(
        &mut self,
        settled: &SettledRound,
        posted: &Submissions,
        collected: &[Collected],
        model: Known,
        faults: &mut Vec<RoundFault>,
        audited: &mut AuditedRound,
    ) -> Result<Known, AuditError> {
        let terms = self.project.terms();
        let mut by_slot: Vec<Option<&[i16]>> = vec![None; usize::from(terms.slots)];
        let mut right = 0u128;
        for entry in collected {
            let is_active = settled.active >> entry.slot & 1 == 1;
            match &entry.update {
                Ok(update) => {
                    right |= 1 << entry.slot;
                    if let (true, Some(place)) = (is_active, by_slot.get_mut(usize::from(entry.slot))) {
                        *place = Some(update);
                        audited.updates += 1;
                    }
                }
                Err(reason) if is_active => {
                    faults.push(RoundFault::Update {
                        slot: entry.slot,
                        trainer: entry.trainer,
                        reason: reason.clone(),
                    });
                }
                Err(_) => {}
            }
        }
        for sentence in disagreeing(&posted.attestations, right) {
            self.notes.push(format!("round {}: {sentence}", settled.round));
        }
        if audited.updates != settled.active.count_ones() as usize {
            return Ok(None); // the proof stands for what cannot be recomputed
        }
        match reassess(terms, settled.active, &by_slot) {
            Ok(assessment) => faults.extend(check_assessment(&assessment, settled, &posted.committed)),
            Err(fault) => faults.push(fault),
        }
        let Some(model) = model else { return Ok(None) };
        let step: Vec<(&[i16], u32)> = slots(settled.active)
            .filter_map(|slot| {
                let index = usize::from(slot);
                Some((by_slot.get(index).copied().flatten()?, settled.weights.get(index).copied()?))
            })
            .collect();
        let Some(next) = apply_step(&model, &step) else {
            faults.push(RoundFault::Rule("the step leaves 64 bits".into()));
            return Ok(None);
        };
        let commitment = self.srs.commit_model(&next)?;
        if commitment != settled.model {
            let (expected, found) = (point_text(&commitment), point_text(&settled.model));
            faults.push(RoundFault::ModelCommitment { expected, found });
            return Ok(None);
        }
        Ok(Some(next))
    }

    /// The published model file against the recomputed model, or, where there is none, against its commitment: the first of
    /// its `names` that holds. Gives the model that is known from either, and the fault of the first name where none holds.
    async fn published(
        &self,
        recomputed: Known,
        commitment: G1Affine,
        names: &[[u8; 32]],
    ) -> Result<(Known, Option<FileFault>), AuditError> {
        let Some(spec) = self.spec else { return Ok((recomputed, None)) };
        let mut first = None;
        for cid in names.iter().take(MOST_NAMES) {
            let (found, fault) = self.file(spec, recomputed.as_deref(), commitment, *cid).await?;
            match fault {
                None => return Ok((recomputed.or(found), None)),
                Some(fault) => first = first.or(Some(fault)),
            }
        }
        Ok((recomputed, first))
    }

    async fn file(
        &self,
        spec: &Specification,
        recomputed: Option<&[i64]>,
        commitment: G1Affine,
        cid: [u8; 32],
    ) -> Result<(Known, Option<FileFault>), AuditError> {
        let length = encoded_len(&spec.model, FileKind::Model)?;
        let file = match self.store.fetch(&ContentId::from_digest(cid, length), length).await {
            Ok(file) => file,
            Err(error) if error.is_node_fault() => return Err(error.into()),
            Err(error @ ContentError::TooLarge { .. }) => {
                return Ok((None, Some(FileFault::TooLong(error.to_string()))))
            }
            Err(error) => return Ok((None, Some(FileFault::NotAvailable(error.to_string())))),
        };
        if let Some(expected) = recomputed {
            return Ok((None, check_model_file(expected, &file, &spec.model).err()));
        }
        let found = match decode_model(&spec.model, &file) {
            Ok(found) => found,
            Err(error) => return Ok((None, Some(FileFault::Malformed(error)))),
        };
        let of_file = self.srs.commit_model(&found)?;
        if of_file == commitment {
            return Ok((Some(found), None));
        }
        let (expected, found) = (point_text(&commitment), point_text(&of_file));
        Ok((None, Some(FileFault::Commitment { expected, found })))
    }

    /// The salts of a round's reveals, where the transactions can be read.
    async fn salts(
        &mut self,
        round: u64,
        posted: &Submissions,
    ) -> Result<BTreeMap<u8, [u8; 32]>, AuditError> {
        let mut salts = BTreeMap::new();
        for (slot, transaction) in &posted.reveals {
            match chain_answer(self.project.revealed_salt(*transaction).await)? {
                Ok(Some(salt)) => {
                    salts.insert(*slot, salt);
                }
                Ok(None) => self.notes.push(format!(
                    "round {round}: slot {slot} was revealed through another contract; its seal was checked by the project alone"
                )),
                Err(error) => self.notes.push(format!("round {round}: slot {slot}: its seal was checked by the project alone ({error})")),
            }
        }
        Ok(salts)
    }
}

fn submissions(snapshot: &Snapshot) -> BTreeMap<u64, Submissions> {
    let mut rounds: BTreeMap<u64, Submissions> = BTreeMap::new();
    for event in &snapshot.events {
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
