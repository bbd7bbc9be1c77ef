//! From an open round to a proof that is ready to be sent.

use std::sync::Arc;
use std::time::Instant;

use fairshare_client::{collect, fetch_model, rebuild, watched, ContentId, FileError, Status};
use fairshare_protocol::{decode_model, encode_model, encoded_len, FileKind, SlotMask, Specification};

use crate::assess::{active_updates, assess_round, merge, RoundTerms};
use crate::error::{AggregatorError, AssessError};
use crate::event::{Event, MissingUpdate, Timings};
use crate::round::{round_terms, Attempt, Ready};
use crate::service::{Service, Step};
use crate::settle::{millis, Prover, RoundContext};

impl Service {
    /// Collects, assesses and proves the open round.
    ///
    /// # Errors
    /// What keeps the round from being settled now, above all a missing update of an active slot. The next call goes
    /// on with the updates that were fetched.
    pub(crate) async fn prepare(&mut self, status: &Status) -> Result<Step, AggregatorError> {
        let mut attempt = self.attempt.take().unwrap_or_else(|| Attempt::new(status.round));
        let outcome = self.prepare_attempt(status, &mut attempt).await;
        self.attempt = Some(attempt);
        outcome
    }

    async fn prepare_attempt(
        &mut self,
        status: &Status,
        attempt: &mut Attempt,
    ) -> Result<Step, AggregatorError> {
        let started = Instant::now();
        let model = self.current_model(status).await?;
        // The contract sets the active slots, by the trainers' attestations.
        let active = self.project.round_state(status.round).await?.active;
        let fresh = collect(&self.project, &self.store, &self.spec, &self.prover.srs, status.round).await?;
        merge(&mut attempt.collected, fresh);
        let committed = self.project.committed(status.round).await?;
        attempt.timings.collect_ms = millis(started);

        let terms = round_terms(self.project.terms())?;
        let missing = match active_updates(&terms, active, &attempt.collected) {
            Ok(_) => vec![],
            Err(AssessError::MissingUpdates { missing, .. }) => missing,
            Err(error) => return Err(error.into()),
        };
        self.report_collected(attempt, active, &missing);
        if !missing.is_empty() {
            return Err(AssessError::MissingUpdates { active: active.count(), missing }.into());
        }
        let context = RoundContext {
            chain_id: self.chain.chain_id(),
            project: self.project.address(),
            round: status.round,
            payee: self.me,
            dimension: self.project.terms().dimension,
            slots: terms.slots,
            model: status.model,
            committed: committed.into_iter().map(|c| (c.trainer, c.commitment)).collect(),
            outlier_penalty: self.project.terms().outlier_penalty != 0,
        };
        let collected = attempt.collected.clone();
        let (prover, spec, timings) = (self.prover.clone(), self.spec.clone(), attempt.timings);
        // On a thread of its own: it takes seconds, and the runtime goes on meanwhile.
        let (ready, timings) = watched("assessing and proving the round", move || {
            let updates = active_updates(&terms, active, &collected)?;
            compute(&prover, &spec, &terms, &context, &model, &updates, timings)
        })
        .await
        .map_err(|lost| AggregatorError::Computation(lost.to_string()))??;
        attempt.timings = timings;
        attempt.proved = Some(Arc::new(ready));
        Ok(Step::Done)
    }

    /// The model before the round: from memory, the state folder or IPFS, in this order; always checked against the
    /// commitment on chain.
    async fn current_model(&mut self, status: &Status) -> Result<Arc<Vec<i64>>, AggregatorError> {
        if let Some((cid, model)) = &self.model {
            if *cid == status.model_cid {
                return Ok(model.clone());
            }
        }
        let model = match self.stored_model(status) {
            Some((model, file)) => {
                // The IPFS node may have lost the file, and the trainers need it.
                self.serve(&file).await?;
                model
            }
            None => self.fetch_or_recompute(status).await?,
        };
        let model = Arc::new(model);
        self.model = Some((status.model_cid, model.clone()));
        Ok(model)
    }

    /// Fetches the model from IPFS; where nobody serves it, computes it from the last round's updates.
    async fn fetch_or_recompute(&self, status: &Status) -> Result<Vec<i64>, AggregatorError> {
        let Self { project, store, spec, prover, .. } = self;
        match fetch_model(project, store, spec, &status.model, status.model_cid, &prover.srs).await {
            Err(FileError::Content(error)) if !error.is_node_fault() && status.settled > 0 => {
                tracing::warn!(%error, "nobody serves the last round's model file: computing it again");
                Ok(rebuild::recompute_model(project, store, spec, &prover.srs, status).await?)
            }
            result => Ok(result?),
        }
    }

    fn stored_model(&self, status: &Status) -> Option<(Vec<i64>, Vec<u8>)> {
        let file = self.state.model(&status.model_cid)?;
        let model = decode_model(&self.spec.model, &file).ok()?;
        let same = self.prover.srs.commit_model(&model).is_ok_and(|found| found == status.model);
        if !same {
            tracing::warn!("the model file in the state folder does not match the chain: fetching it");
            return None;
        }
        Some((model, file))
    }

    fn report_collected(&self, attempt: &mut Attempt, active: SlotMask, missing: &[MissingUpdate]) {
        let line = format!("{active} {missing:?}");
        if attempt.reported.as_ref() == Some(&line) {
            return;
        }
        attempt.reported = Some(line);
        self.reporter.report(&Event::UpdatesCollected {
            round: attempt.round,
            active: active.iter().collect(),
            missing: missing.to_vec(),
            collect_ms: attempt.timings.collect_ms,
        });
    }
}

/// Gram matrix, rule, new model, proof.
fn compute(
    prover: &Prover,
    spec: &Specification,
    terms: &RoundTerms,
    context: &RoundContext,
    model: &[i64],
    updates: &[(u8, &[i16])],
    mut timings: Timings,
) -> Result<(Ready, Timings), AggregatorError> {
    let started = Instant::now();
    let assessed = assess_round(terms, model, updates)?;
    let model_file = encode_model(&spec.model, &assessed.model)?;
    debug_assert_eq!(Some(model_file.len()), encoded_len(&spec.model, FileKind::Model).ok());
    let model_cid = ContentId::of(&model_file);
    timings.assess_ms = millis(started);
    let proved = prover.prove(context, &assessed, updates, model_cid.digest())?;
    timings.prove_ms = proved.prove_ms;
    timings.verify_ms = proved.verify_ms;
    let settlement = context.settlement(&proved);
    Ok((
        Ready {
            proved,
            assessment: assessed.assessment,
            settlement,
            model: assessed.model,
            model_file,
            model_cid,
        },
        timings,
    ))
}
