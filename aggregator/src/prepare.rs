//! From an open round to a proof that is ready to be sent.

use std::sync::Arc;
use std::time::Instant;

use fairshare_node::{collect, fetch_model, Collected, ContentId, Status};
use fairshare_protocol::{decode_model, encode_model, encoded_len, FileKind, Specification};

use crate::assess::{active_slots, assess_round, check_active, merge, ActiveSlots, RoundTerms};
use crate::error::AggregatorError;
use crate::event::{Event, Timings};
use crate::exclusions::{slots_of, ExclusionReport, PublishedExclusions};
use crate::round::{round_terms, Attempt, Ready};
use crate::service::{Service, Step};
use crate::settle::{millis, Prover, RoundContext};

impl Service {
    /// Collects, assesses and proves the open round. `Step::Wait` while missing updates are worth another try.
    ///
    /// # Errors
    /// Whatever keeps the round from being settled now; the next call goes on from what was fetched.
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
        let fresh = collect(&self.project, &self.store, &self.spec, &self.prover.srs, status.round).await?;
        merge(&mut attempt.collected, fresh);
        let commitments =
            self.project.committed(status.round).await?.into_iter().map(|c| c.commitment).collect();
        attempt.timings.collect_ms = millis(started);
        let since = *attempt.since.get_or_insert_with(Instant::now);

        let slots: Vec<Collected> = attempt.collected.values().cloned().collect();
        let active = active_slots(&slots);
        self.tell_collected(attempt, &active);
        let terms = round_terms(self.project.terms());
        let settles = check_active(&terms, &slots, &active);
        if settles.is_ok() && attempt.missing() > 0 && since.elapsed() < self.behaviour.patience {
            return Ok(Step::Wait);
        }
        self.publish(attempt, &active).await;
        settles?;

        let context = RoundContext {
            chain_id: self.chain.chain_id(),
            project: self.project.address(),
            round: status.round,
            payee: self.me,
            dimension: self.project.terms().dimension,
            slots: terms.slots,
            rule: self.project.terms().rule,
            theta: terms.policy.theta,
            model: status.model,
            commitments,
        };
        let (prover, spec, timings) = (self.prover.clone(), self.spec.clone(), attempt.timings);
        // On a thread of its own: it takes seconds, and the chain and IPFS answer meanwhile.
        let (ready, timings) = tokio::task::spawn_blocking(move || {
            compute(&prover, &spec, &terms, &context, &model, &slots, timings)
        })
        .await
        .map_err(|lost| AggregatorError::Computation(lost.to_string()))??;
        attempt.timings = timings;
        attempt.proved = Some(Arc::new(ready));
        Ok(Step::Done)
    }

    /// The model before the round: what this process made last, or the state folder's, or from IPFS; always what the
    /// chain commits to.
    async fn current_model(&mut self, status: &Status) -> Result<Arc<Vec<i64>>, AggregatorError> {
        if let Some((cid, model)) = &self.model {
            if *cid == status.model_cid {
                return Ok(model.clone());
            }
        }
        let model = match self.kept_model(status) {
            Some((model, file)) => {
                // The node may have lost it: whoever has the file puts it back, for the trainers too.
                self.store.add(&file).await?;
                model
            }
            None => {
                let srs = &self.prover.srs;
                fetch_model(&self.project, &self.store, &self.spec, &status.model, status.model_cid, srs)
                    .await?
            }
        };
        let model = Arc::new(model);
        self.model = Some((status.model_cid, model.clone()));
        Ok(model)
    }

    fn kept_model(&self, status: &Status) -> Option<(Vec<i64>, Vec<u8>)> {
        let file = self.state.model(&status.model_cid)?;
        let model = decode_model(&self.spec.model, &file).ok()?;
        let same = self.prover.srs.commit_model(&model).is_ok_and(|found| found == status.model);
        if !same {
            tracing::warn!("the model file in the state folder is not that of the chain: fetching it again");
            return None;
        }
        Some((model, file))
    }

    fn tell_collected(&self, attempt: &mut Attempt, active: &ActiveSlots) {
        let line = format!("{:x} {:?}", active.mask, active.excluded);
        if attempt.told.as_ref() == Some(&line) {
            return;
        }
        attempt.told = Some(line);
        for left_out in &active.excluded {
            tracing::warn!(
                round = attempt.round,
                slot = left_out.slot,
                trainer = left_out.trainer,
                reason = left_out.reason,
                "unusable update"
            );
        }
        self.reporter.report(&Event::UpdatesCollected {
            round: attempt.round,
            active: slots_of(active.mask),
            excluded: active.excluded.clone(),
            collect_ms: attempt.timings.collect_ms,
        });
    }

    /// Writes down and publishes why slots are left out. That it cannot be published now keeps no round from being
    /// settled: the reasons are in the log, and anybody can find them again from chain and IPFS.
    async fn publish(&self, attempt: &mut Attempt, active: &ActiveSlots) {
        if active.excluded.is_empty() {
            attempt.published = None;
            return;
        }
        let report = ExclusionReport::new(
            self.chain.chain_id(),
            self.project.address(),
            attempt.round,
            self.me,
            active.mask,
            active.excluded.clone(),
        );
        if attempt.published.as_ref().is_some_and(|published| published.report == report) {
            return;
        }
        let json = report.json();
        let path = match self.state.keep_exclusions(attempt.round, &json) {
            Ok(path) => path.display().to_string(),
            Err(error) => {
                tracing::warn!(%error, "the exclusions are not written down");
                String::new()
            }
        };
        let cid = match self.store.add(&json).await {
            Ok(cid) => cid,
            Err(error) => {
                tracing::warn!(%error, "the exclusions are not on IPFS yet");
                return;
            }
        };
        self.reporter.report(&Event::ExclusionsPublished {
            round: attempt.round,
            cid: cid.to_string(),
            path,
            excluded: report.excluded.clone(),
        });
        attempt.published = Some(PublishedExclusions { report, cid });
    }
}

/// Gram matrix, rule, new model, proof.
fn compute(
    prover: &Prover,
    spec: &Specification,
    terms: &RoundTerms,
    context: &RoundContext,
    model: &[i64],
    collected: &[Collected],
    mut timings: Timings,
) -> Result<(Ready, Timings), AggregatorError> {
    let started = Instant::now();
    let updates: Vec<(u8, &[i16])> = collected
        .iter()
        .filter_map(|entry| entry.update.as_ref().ok().map(|update| (entry.slot, update.as_slice())))
        .collect();
    let assessed = assess_round(terms, model, &updates)?;
    let model_file = encode_model(&spec.model, &assessed.model)?;
    debug_assert_eq!(Some(model_file.len()), encoded_len(&spec.model, FileKind::Model).ok());
    let model_cid = ContentId::of(&model_file);
    timings.assess_ms = millis(started);
    let proved = prover.prove(context, &assessed, &updates, model_cid.digest())?;
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
