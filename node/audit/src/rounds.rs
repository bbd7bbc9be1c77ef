//! The settled rounds, from the first to the last: each model follows from the one before, beginning with the specification's
//! seed.

use fairshare_circuits::G1Affine;
use fairshare_client::{
    collect_revealed, ChainError, Collected, ContentId, EventKind, SettledRound, Settlement,
};
use fairshare_protocol::{apply_step, encoded_len, FileKind, SlotMask};
use futures::{stream, StreamExt};

use super::error::AuditError;
use super::failure::Failure;
use super::files::{FileFault, Known, ModelFiles};
use super::posted::{posted_by_round, Posted, PostedData};
use super::report::AuditedRound;
use super::round_fault::RoundFault;
use super::settlement::{check_assessment, check_call, check_proof, check_step, reassess, statement};
use super::snapshot::{chain_answer, Snapshot};
use super::sources::Sources;
use super::submissions::{check_active, disagreeing};
use super::text::{point_text, word};

/// Progress callback: audited rounds, all settled rounds.
pub type Progress<'p> = &'p mut dyn FnMut(usize, usize);

/// The audit of all rounds, with what it found so far.
pub(super) struct Rounds<'a> {
    pub(super) sources: Sources<'a>,
    pub(super) notes: Vec<String>,
    pub(super) failures: Vec<Failure>,
}

/// A settled round before its check.
struct RoundData {
    posted: PostedData,
    /// `None` when it went through another contract.
    settlement: Result<Option<Settlement>, ChainError>,
    /// `None` without a specification.
    collected: Option<Vec<Collected>>,
}

impl Rounds<'_> {
    /// Audits the rounds in their order; a few rounds are read ahead of the one that is checked.
    pub(super) async fn check(
        &mut self,
        snapshot: &Snapshot,
        progress: Progress<'_>,
    ) -> Result<Vec<AuditedRound>, AuditError> {
        let sources = self.sources;
        let mut model = self.first_model().await?;
        let nothing = Posted::default();
        let all_posted = posted_by_round(&snapshot.events);
        let posted = |id: u64| all_posted.get(&id).unwrap_or(&nothing);
        let kinds = || snapshot.events.iter().map(|event| &event.kind);
        let settled: Vec<&SettledRound> = kinds()
            .filter_map(|kind| match kind {
                EventKind::Settled(settled) => Some(settled),
                _ => None,
            })
            .collect();
        let mut before = sources.project.terms().model;
        let mut rounds = Vec::with_capacity(settled.len());
        let reading = stream::iter(settled.iter().map(|round| read(sources, round, posted(round.round))));
        let mut reading = std::pin::pin!(reading.buffered(sources.rounds_ahead()));
        for (done, round) in settled.iter().enumerate() {
            progress(done, settled.len());
            let data = reading.next().await.expect("as many as there are settled rounds")?;
            let failures = self.failures.len();
            let (mut audited, next) = self.round(round, posted(round.round), &data, before, model).await?;
            audited.failures = self.failures.len() - failures;
            rounds.push(audited);
            (before, model) = (round.model, next);
        }
        for kind in kinds() {
            let EventKind::Voided { round, .. } = *kind else { continue };
            let posted = posted(round);
            let data = posted.read(sources.project, round).await?;
            let faults = posted.check(&sources, round, &data, &mut self.notes);
            self.failures.extend(faults.into_iter().map(|fault| Failure::Round { round, fault }));
        }
        progress(settled.len(), settled.len());
        Ok(rounds)
    }

    /// Checks a published model file: see [`ModelFiles::check`]. Without a specification nothing can be checked.
    async fn published(
        &self,
        recomputed: Known,
        commitment: G1Affine,
        names: &[[u8; 32]],
    ) -> Result<(Known, Option<FileFault>), AuditError> {
        let Sources { store, srs, spec, .. } = self.sources;
        match spec {
            Some(spec) => ModelFiles { store, srs, spec }.check(recomputed, commitment, names).await,
            None => Ok((recomputed, None)),
        }
    }

    async fn first_model(&mut self) -> Result<Known, AuditError> {
        let Sources { project, srs, spec, .. } = self.sources;
        let (Some(spec), terms) = (spec, project.terms()) else { return Ok(None) };
        let initial = spec.model.initial(spec.training.seed, spec.quantisation.scale_log2);
        let commitment = srs.commit_model(&initial)?;
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
        data: &RoundData,
        before: G1Affine,
        model: Known,
    ) -> Result<(AuditedRound, Known), AuditError> {
        let id = settled.round;
        let Sources { project, keys, spec, keys_hash, .. } = self.sources;
        let committed = &posted.committed;
        let mut faults = posted.check(&self.sources, id, &data.posted, &mut self.notes);
        faults.extend(check_active(project.terms(), &data.posted.state, settled.active));
        if posted.active.is_none() {
            faults.push(RoundFault::NoActiveSlots);
        }

        let statement = statement(
            project.chain().chain_id(),
            project.address(),
            project.terms(),
            keys_hash,
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
        match &data.settlement {
            Ok(None) => through_another = true,
            Ok(Some(call)) => {
                faults.extend(check_call(settled, call, committed, project.terms().outlier_penalty != 0));
                match statement.as_ref().map(|statement| check_proof(keys, statement, call)) {
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
        let next = match spec.zip(data.collected.as_ref()) {
            Some((spec, collected)) => {
                let recomputed =
                    self.updates(settled, posted, collected, model, &mut faults, &mut audited)?;
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
            let recomputed = audited.model && audited.updates == settled.active.count() as usize;
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
        let Sources { project, srs, .. } = self.sources;
        let terms = project.terms();
        let mut by_slot: Vec<Option<&[i16]>> = vec![None; usize::from(terms.slots)];
        let mut right = SlotMask::EMPTY;
        for entry in collected {
            let is_active = settled.active.contains(entry.slot);
            match &entry.update {
                Ok(update) => {
                    right.insert(entry.slot);
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
        if audited.updates != settled.active.count() as usize {
            return Ok(None); // what cannot be recomputed rests on the proof
        }
        match reassess(terms, settled.active, &by_slot) {
            Ok(assessment) => faults.extend(check_assessment(&assessment, settled, &posted.committed)),
            Err(fault) => faults.push(fault),
        }
        let Some(model) = model else { return Ok(None) };
        let step: Vec<(&[i16], u32)> = settled
            .active
            .iter()
            .filter_map(|slot| {
                let index = usize::from(slot);
                Some((by_slot.get(index).copied().flatten()?, settled.weights.get(index).copied()?))
            })
            .collect();
        let Some(next) = apply_step(&model, &step) else {
            faults.push(RoundFault::Rule("an entry of the new model leaves 64 bits".into()));
            return Ok(None);
        };
        let commitment = srs.commit_model(&next)?;
        if commitment != settled.model {
            let (expected, found) = (point_text(&commitment), point_text(&settled.model));
            faults.push(RoundFault::ModelCommitment { expected, found });
            return Ok(None);
        }
        Ok(Some(next))
    }
}

/// Reads a settled round.
async fn read(
    sources: Sources<'_>,
    settled: &SettledRound,
    posted: &Posted,
) -> Result<RoundData, AuditError> {
    let Sources { project, store, srs, spec, .. } = sources;
    let id = settled.round;
    let settlement = async { chain_answer(project.settlement_of(settled.transaction).await) };
    let collected = async {
        let Some(spec) = spec else { return Ok(None) };
        let collected = collect_revealed(&posted.committed, &posted.revealed, store, spec, srs, id).await?;
        Ok::<_, AuditError>(Some(collected))
    };
    let (posted, settlement, collected) =
        futures::try_join!(posted.read(project, id), settlement, collected)?;
    Ok(RoundData { posted, settlement, collected })
}
