//! The loop: looks at the chain, does what the phase asks for, waits.
//!
//! Everything it needs is on the chain and on IPFS: killed at any point it looks at the chain again and goes on.
//! Fetched updates and finished proofs stay in memory only to save time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fairshare_client::service::{Reporter, Session, Stop};
use fairshare_client::{Chain, ChainError, ContentStore, Phase, Project, SettledRound, Status};
use fairshare_protocol::{Address, Specification};

use crate::error::AggregatorError;
use crate::event::Event;
use crate::funds::check_funds;
use crate::round::{settled_event, Attempt, Ready};
use crate::settle::{millis, Prover};
use crate::state::StateFolder;

/// What the user decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Settle rounds that the named aggregator does not settle, for this wallet's account.
    pub open: bool,
    /// Time between two looks at the chain.
    pub poll: Duration,
    /// Put every model file on IPFS before its round is settled. Always true in `fairshare-aggregator`: who
    /// withholds the file earns no fee and loses the bond.
    pub serve_models: bool,
}

/// Longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// An aggregator at work on one project.
pub struct Service {
    pub(crate) chain: Chain,
    pub(crate) project: Project,
    pub(crate) store: ContentStore,
    pub(crate) spec: Arc<Specification>,
    pub(crate) prover: Prover,
    pub(crate) me: Address,
    pub(crate) state: StateFolder,
    pub(crate) reporter: Reporter,
    pub(crate) options: Options,
    /// The current model, by the digest of its CID.
    pub(crate) model: Option<([u8; 32], Arc<Vec<i64>>)>,
    pub(crate) attempt: Option<Attempt>,
    stop: Stop,
    pub(crate) last: Option<Status>,
    pub(crate) reported_phase: Option<(u64, Phase)>,
    pub(crate) reported_settled: BTreeSet<u64>,
    pub(crate) reported_trouble: Option<String>,
}

/// The result of a look at the chain.
pub(crate) enum Step {
    /// Something was done: look again at once.
    Done,
    /// Nothing is due now.
    Wait,
    /// The project is over.
    Ended,
}

impl Service {
    /// An aggregator whose wallet, project and keys were checked: see [`crate::start`].
    pub(crate) fn new(
        session: Session,
        prover: Prover,
        me: Address,
        state: StateFolder,
        reporter: Reporter,
        options: Options,
        stop: Stop,
    ) -> Self {
        let chain = session.chain().clone();
        let Session { project, store, specification } = session;
        Self {
            chain,
            project,
            store,
            spec: Arc::new(specification),
            prover,
            me,
            state,
            reporter,
            options,
            model: None,
            attempt: None,
            stop,
            last: None,
            reported_phase: None,
            reported_settled: BTreeSet::new(),
            reported_trouble: None,
        }
    }

    /// Works until the project is over, or the process is asked to stop: then the current step has ten seconds to end.
    /// Reports failures of chain and IPFS, and tries again.
    ///
    /// # Errors
    /// [`AggregatorError::Funds`] when the bond cannot be placed; [`AggregatorError::StoppedAtRisk`].
    pub async fn run(mut self) -> Result<(), AggregatorError> {
        let mut stop = self.stop.clone();
        let ended = stop.finish(self.work()).await.transpose()?.unwrap_or(false);
        if ended {
            Ok(())
        } else {
            self.report_stopped()
        }
    }

    /// False when the process was asked to stop before the project ended.
    async fn work(&mut self) -> Result<bool, AggregatorError> {
        let mut pause = self.options.poll;
        while !self.stop.is_requested() {
            match self.step().await {
                Ok(Step::Ended) => return Ok(true),
                Ok(Step::Done) => {
                    self.recovered();
                    pause = self.options.poll;
                }
                Ok(Step::Wait) => {
                    self.recovered();
                    pause = self.options.poll;
                    self.stop.sleep(pause).await;
                }
                Err(error @ AggregatorError::Funds { .. }) => return Err(error),
                Err(error) => {
                    self.trouble(&error);
                    self.stop.sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE.max(self.options.poll));
                }
            }
        }
        Ok(false)
    }

    async fn step(&mut self) -> Result<Step, AggregatorError> {
        let status = self.project.status().await?;
        self.last = Some(status.clone());
        if self.attempt.as_ref().is_some_and(|attempt| attempt.round != status.round)
            || status.phase.is_over()
        {
            self.conclude(&status).await?;
        }
        self.report_found(&status).await?;
        if self.reported_phase != Some((status.round, status.phase)) {
            self.reported_phase = Some((status.round, status.phase));
            let (round, phase, deadline) = (status.round, status.phase, status.deadline);
            self.reporter.report(&Event::PhaseOpened { round, phase, deadline });
        }
        let late = status.now >= status.deadline;
        match status.phase {
            Phase::Completed | Phase::WoundUp => {
                self.report_end(&status).await?;
                Ok(Step::Ended)
            }
            Phase::Registration if self.is_named() && !status.bond_placed && !late => self.place_bond().await,
            Phase::Registration | Phase::Commit | Phase::Reveal | Phase::Attest | Phase::Closing => {
                if late {
                    self.advance(&status).await
                } else {
                    Ok(Step::Wait)
                }
            }
            Phase::Aggregate => self.aggregate(&status).await,
        }
    }

    /// While its bond is there and the deadline has not passed, only the named aggregator may settle; for one more
    /// period anybody may; then the round is void.
    async fn aggregate(&mut self, status: &Status) -> Result<Step, AggregatorError> {
        let open_until = status.deadline.saturating_add(u64::from(self.project.terms().aggregate_period));
        if status.now >= open_until {
            return self.advance(status).await;
        }
        if !self.is_named() && status.bond_placed && status.now < status.deadline {
            return Ok(Step::Wait);
        }
        match self.attempt.as_ref().and_then(|attempt| attempt.proved.clone()) {
            Some(ready) => self.send(status, &ready).await,
            None => self.prepare(status).await,
        }
    }

    async fn send(&mut self, status: &Status, ready: &Ready) -> Result<Step, AggregatorError> {
        let started = Instant::now();
        // Nobody should see a settled round whose model file is missing; adding a file twice changes nothing.
        self.serve(&ready.model_file).await?;
        let receipt = match self.project.settle(&ready.settlement).await {
            Ok(receipt) => receipt,
            Err(error) => {
                if is_refusal(&error) {
                    let now = self.project.status().await?;
                    if (now.round, now.phase) != (status.round, Phase::Aggregate) {
                        // The round is over, perhaps by our own transaction whose answer was lost: `conclude` finds
                        // out.
                        return Ok(Step::Done);
                    }
                    // The chain may have taken blocks back and hold other slots now: the proof is made again.
                    self.attempt = None;
                }
                return Err(error.into());
            }
        };
        let Some(mut attempt) = self.attempt.take() else { return Ok(Step::Done) };
        attempt.timings.settle_ms += millis(started);
        let settled = ready.as_settled(receipt.transaction, receipt.gas_used);
        self.finish(status.model_cid, &attempt, ready, &settled);
        Ok(Step::Done)
    }

    /// Puts a model file on IPFS.
    pub(crate) async fn serve(&self, file: &[u8]) -> Result<(), AggregatorError> {
        if self.options.serve_models {
            self.store.add(file).await?;
        }
        Ok(())
    }

    /// Reports that our settlement is on chain, and stores its model.
    fn finish(&mut self, previous: [u8; 32], attempt: &Attempt, ready: &Ready, settled: &SettledRound) {
        let cid = ready.model_cid.digest();
        if let Err(error) = self.state.keep_model(&cid, &ready.model_file, &previous) {
            tracing::warn!(%error, "the model file cannot be stored; it is on IPFS");
        }
        self.model = Some((cid, Arc::new(ready.model.clone())));
        let trainers = attempt.collected.values().map(|entry| (entry.slot, entry.trainer)).collect();
        let event = settled_event(settled, &trainers, ready.model_file.len(), Some(attempt));
        self.reporter.report(&Event::RoundSettled(Box::new(event)));
        self.reported_settled.insert(settled.round);
    }

    /// The project left the round of the attempt: by our own settlement whose answer was lost, by somebody else's, or
    /// because the round is void.
    async fn conclude(&mut self, status: &Status) -> Result<(), AggregatorError> {
        let Some(round) = self.attempt.as_ref().map(|attempt| attempt.round) else { return Ok(()) };
        let found = self.project.settlements().await?.into_iter().find(|settled| settled.round == round);
        let Some(attempt) = self.attempt.take() else { return Ok(()) };
        match (found, attempt.proved.clone()) {
            (Some(settled), Some(ready))
                if settled.payee == self.me && settled.model_cid == ready.model_cid.digest() =>
            {
                tracing::info!(round, "our settlement is on chain, although its answer was lost");
                self.finish(status.model_cid, &attempt, &ready, &settled);
            }
            (Some(_), _) => {} // reported by `report_found`
            (None, _) => tracing::warn!(round, "the round is void"),
        }
        Ok(())
    }

    async fn place_bond(&mut self) -> Result<Step, AggregatorError> {
        check_funds(&self.chain, self.me, self.project.terms()).await?;
        let receipt = self.project.place_bond().await?;
        self.reporter.report(&Event::BondPlaced {
            amount: self.project.terms().amount(self.project.terms().bond),
            transaction: format!("0x{}", hex::encode(receipt.transaction)),
            gas: receipt.gas_used,
        });
        Ok(Step::Done)
    }

    /// Advances the project. That somebody else was faster is no error.
    async fn advance(&mut self, status: &Status) -> Result<Step, AggregatorError> {
        match self.project.advance().await {
            Ok(receipt) => {
                self.reporter.report(&Event::Advanced {
                    round: status.round,
                    phase: status.phase,
                    transaction: format!("0x{}", hex::encode(receipt.transaction)),
                    gas: receipt.gas_used,
                });
                Ok(Step::Done)
            }
            Err(error) if is_refusal(&error) => {
                tracing::debug!(%error, "the project was not advanced by us");
                Ok(Step::Wait)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether this is the project's own aggregator.
    pub(crate) fn is_named(&self) -> bool {
        self.project.terms().aggregator == self.me
    }
}

/// True when the contract said no; any other failure of a transaction leaves open whether it was mined.
fn is_refusal(error: &ChainError) -> bool {
    matches!(error, ChainError::Refused { .. } | ChainError::Reverted { .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Issue 12: a settlement whose answer was lost threw its proof away.
    #[test]
    fn proof_is_kept_unless_the_contract_refuses_it() {
        let (action, transaction) = ("the settlement".to_owned(), [1; 32]);
        let reason = "WrongPhase".to_owned();
        assert!(is_refusal(&ChainError::Refused { action: action.clone(), reason: reason.clone() }));
        assert!(is_refusal(&ChainError::Reverted { action: action.clone(), transaction, reason }));
        let (seconds, fault) = (60, None);
        assert!(!is_refusal(&ChainError::NotMined { action, transaction, seconds, fault }));
        let (rpc, reason) = ("http://127.0.0.1:1".into(), "connection reset".into());
        assert!(!is_refusal(&ChainError::Unreachable { rpc, reason }));
    }
}
