//! The settled rounds, from the first to the last: each model follows from the one before, beginning with the specification's
//! seed.

use fairshare_circuits::{CommittedKeys, G1Affine, ReferenceString};
use fairshare_client::{
    collect, Collected, ContentId, ContentStore, EventKind, Project, RoundState, SettledRound,
};
use fairshare_protocol::{apply_step, encoded_len, FileKind, Specification};

use super::error::AuditError;
use super::failure::Failure;
use super::files::{FileFault, Known, ModelFiles};
use super::posted::{posted_by_round, Posted, PostedCheck};
use super::report::AuditedRound;
use super::round_fault::RoundFault;
use super::settlement::{check_assessment, check_call, check_proof, check_step, reassess, statement};
use super::snapshot::{chain_answer, Snapshot};
use super::submissions::{check_active, disagreeing};
use super::text::{point_text, slots, word};

/// Progress callback: audited rounds, all settled rounds.
pub type Progress<'p> = &'p mut dyn FnMut(usize, usize);

/// The audit of all rounds, with what it found so far.
pub(super) struct Rounds<'a> {
    pub(super) project: &'a Project,
    pub(super) store: &'a ContentStore,
    pub(super) srs: &'a ReferenceString,
    pub(super) keys: &'a CommittedKeys,
    /// `None` when it is not available: then updates and models cannot be read either.
    pub(super) spec: Option<&'a Specification>,
    pub(super) keys_hash: [u8; 32],
    pub(super) notes: Vec<String>,
    pub(super) failures: Vec<Failure>,
}

impl Rounds<'_> {
    pub(super) async fn check(
        &mut self,
        snapshot: &Snapshot,
        progress: Progress<'_>,
    ) -> Result<Vec<AuditedRound>, AuditError> {
        let mut model = self.first_model().await?;
        let mut all_posted = posted_by_round(&snapshot.events);
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
            let posted = all_posted.remove(&settled_round.round).unwrap_or_default();
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
            let posted = all_posted.remove(&round).unwrap_or_default();
            let (_, faults) = self.posted(round, &posted).await?;
            self.failures.extend(faults.into_iter().map(|fault| Failure::Round { round, fault }));
        }
        progress(settled.len(), settled.len());
        Ok(rounds)
    }

    async fn posted(
        &mut self,
        round: u64,
        posted: &Posted,
    ) -> Result<(RoundState, Vec<RoundFault>), AuditError> {
        let Self { project, keys, keys_hash, .. } = *self;
        PostedCheck { project, keys, keys_hash, round, posted, notes: &mut self.notes }.run().await
    }

    /// Checks a published model file: see [`ModelFiles::check`]. Without a specification nothing can be checked.
    async fn published(
        &self,
        recomputed: Known,
        commitment: G1Affine,
        names: &[[u8; 32]],
    ) -> Result<(Known, Option<FileFault>), AuditError> {
        let Self { store, srs, spec, .. } = *self;
        match spec {
            Some(spec) => ModelFiles { store, srs, spec }.check(recomputed, commitment, names).await,
            None => Ok((recomputed, None)),
        }
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
        posted: &Posted,
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
            // No transaction of the project holds the proof, which the project checked; recomputation shows the same.
            let recomputed = audited.model && audited.updates == settled.active.count_ones() as usize;
            if recomputed && faults.is_empty() {
                self.notes.push(format!(
                    "round {id}: it was settled through another contract; only the project checked its proof, and everything proved was recomputed"
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

    /// Applies the rule and the step again, as far as the updates are available. Returns the recomputed model when it matches
    /// the commitment on the chain.
    fn updates(
        &mut self,
        settled: &SettledRound,
        posted: &Posted,
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
            return Ok(None); // what cannot be recomputed rests on the proof
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
            faults.push(RoundFault::Rule("an entry of the new model leaves 64 bits".into()));
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
}
