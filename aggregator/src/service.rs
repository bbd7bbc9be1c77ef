//! The loop: looks at the chain, does what the phase asks for, waits.
//!
//! Nothing that it needs is only in its memory: killed at any point it looks at the chain again and goes on. What it has
//! fetched or proved already is kept only to save time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fairshare_client::service::Reporter;
use fairshare_client::{
    format_address, Address20, Chain, ChainError, ContentStore, Phase, Project, SettledRound, Status,
};
use fairshare_protocol::{encoded_len, FileKind, Specification};

use crate::error::AggregatorError;
use crate::event::Event;
use crate::round::{settled_event, Attempt, Ready};
use crate::settle::{millis, Prover};
use crate::state::StateFolder;

/// What the user decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Settle rounds that the named aggregator lets pass, for the own account.
    pub open: bool,
    /// Time between two looks at the chain.
    pub poll: Duration,
    /// What to do with the model file.
    pub behaviour: Behaviour,
}

/// How an aggregator behaves. Everything but `honest` is hostile and serves tests only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Behaviour {
    /// Puts every model file on IPFS before it settles
    #[default]
    Honest,
    /// HOSTILE, for tests: settles by proof and never puts the model file on IPFS
    WithholdModel,
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
    pub(crate) me: Address20,
    pub(crate) state: StateFolder,
    pub(crate) reporter: Reporter,
    pub(crate) options: Options,
    /// The current model, by the digest of its CID.
    pub(crate) model: Option<([u8; 32], Arc<Vec<i64>>)>,
    pub(crate) attempt: Option<Attempt>,
    told_phase: Option<(u64, Phase)>,
    told_settled: BTreeSet<u64>,
    told_trouble: Option<String>,
}

/// What a look at the chain led to.
pub(crate) enum Step {
    /// Something was done: look again at once.
    Done,
    /// Nothing to do for now.
    Wait,
    /// The project is over.
    Ended,
}

impl Service {
    /// An aggregator whose wallet, project and keys were checked: see [`crate::start`].
    #[expect(clippy::too_many_arguments, reason = "one caller, which names them all")]
    pub(crate) fn new(
        chain: Chain,
        project: Project,
        store: ContentStore,
        spec: Specification,
        prover: Prover,
        me: Address20,
        state: StateFolder,
        reporter: Reporter,
        options: Options,
    ) -> Self {
        Self {
            chain,
            project,
            store,
            spec: Arc::new(spec),
            prover,
            me,
            state,
            reporter,
            options,
            model: None,
            attempt: None,
            told_phase: None,
            told_settled: BTreeSet::new(),
            told_trouble: None,
        }
    }

    /// Works until the project is over. Failures of chain and IPFS are told and waited out.
    ///
    /// # Errors
    /// [`AggregatorError::Funds`] when the bond cannot be placed; nothing else ends it early.
    pub async fn run(mut self) -> Result<(), AggregatorError> {
        let mut pause = self.options.poll;
        loop {
            match self.step().await {
                Ok(Step::Ended) => return Ok(()),
                Ok(Step::Done) => {
                    self.recovered();
                    pause = self.options.poll;
                }
                Ok(Step::Wait) => {
                    self.recovered();
                    pause = self.options.poll;
                    tokio::time::sleep(pause).await;
                }
                Err(error @ AggregatorError::Funds { .. }) => return Err(error),
                Err(error) => {
                    self.trouble(&error);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE.max(self.options.poll));
                }
            }
        }
    }

    fn trouble(&mut self, error: &AggregatorError) {
        let reason = error.to_string();
        if self.told_trouble.as_ref() == Some(&reason) {
            return;
        }
        tracing::warn!(%reason, "not now; trying again");
        let round = self.told_phase.map_or(0, |(round, _)| round);
        self.reporter.report(&Event::Waiting { round, reason: reason.clone() });
        self.told_trouble = Some(reason);
    }

    fn recovered(&mut self) {
        if self.told_trouble.take().is_some() {
            tracing::info!("going on");
        }
    }

    async fn step(&mut self) -> Result<Step, AggregatorError> {
        let status = self.project.status().await?;
        if self.attempt.as_ref().is_some_and(|attempt| attempt.round != status.round)
            || status.phase.is_over()
        {
            self.conclude(&status).await?;
        }
        self.tell_found(&status).await?;
        if self.told_phase != Some((status.round, status.phase)) {
            self.told_phase = Some((status.round, status.phase));
            let (round, phase, deadline) = (status.round, phase_name(status.phase), status.deadline);
            self.reporter.report(&Event::PhaseOpened { round, phase, deadline });
        }
        let late = status.now >= status.deadline;
        match status.phase {
            Phase::Completed | Phase::WoundUp => {
                self.tell_end(&status).await?;
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

    /// While its bond is there and the deadline has not passed an aggregation is the named aggregator's, then, for one
    /// more period, anybody's, then nobody's.
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
        // Not before the model can be had by everybody; adding what is there already changes nothing.
        self.serve(&ready.model_file).await?;
        let receipt = match self.project.settle(&ready.settlement).await {
            Ok(receipt) => receipt,
            Err(error) => {
                // The chain may have taken blocks back and hold other slots now: what it refuses once is made anew.
                if !error.is_node_fault() {
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
        match self.options.behaviour {
            Behaviour::Honest => Ok(self.store.add(file).await.map(drop)?),
            Behaviour::WithholdModel => Ok(()),
        }
    }

    /// Tells that our settlement stands and keeps its model.
    fn finish(&mut self, previous: [u8; 32], attempt: &Attempt, ready: &Ready, settled: &SettledRound) {
        let cid = ready.model_cid.digest();
        if let Err(error) = self.state.keep_model(&cid, &ready.model_file, &previous) {
            tracing::warn!(%error, "the model file is not kept; it is on IPFS");
        }
        self.model = Some((cid, Arc::new(ready.model.clone())));
        let trainers = attempt.collected.values().map(|entry| (entry.slot, entry.trainer)).collect();
        let event = settled_event(settled, &trainers, ready.model_file.len(), Some(attempt));
        self.reporter.report(&Event::RoundSettled(Box::new(event)));
        self.told_settled.insert(settled.round);
    }

    /// The project left the round of the attempt behind: by our own settlement whose answer was lost, by somebody
    /// else's, or because the round is void.
    async fn conclude(&mut self, status: &Status) -> Result<(), AggregatorError> {
        let Some(round) = self.attempt.as_ref().map(|attempt| attempt.round) else { return Ok(()) };
        let found = self.project.settlements().await?.into_iter().find(|settled| settled.round == round);
        let Some(attempt) = self.attempt.take() else { return Ok(()) };
        match (found, attempt.proved.clone()) {
            (Some(settled), Some(ready))
                if settled.payee == self.me && settled.model_cid == ready.model_cid.digest() =>
            {
                tracing::info!(round, "the settlement that was sent stands on the chain");
                self.finish(status.model_cid, &attempt, &ready, &settled);
            }
            (Some(_), _) => {} // told by `tell_found`
            (None, _) => tracing::warn!(round, "the round is void"),
        }
        Ok(())
    }

    /// Tells of settlements that this run did not make.
    async fn tell_found(&mut self, status: &Status) -> Result<(), AggregatorError> {
        if self.told_settled.len() as u64 >= status.settled {
            return Ok(());
        }
        let length = encoded_len(&self.spec.model, FileKind::Model)?;
        for settled in self.project.settlements().await? {
            if self.told_settled.contains(&settled.round) {
                continue;
            }
            let committed = self.project.committed(settled.round).await?;
            let trainers: BTreeMap<u8, Address20> =
                committed.into_iter().map(|c| (c.slot, c.trainer)).collect();
            let event = settled_event(&settled, &trainers, length, None);
            self.reporter.report(&Event::RoundSettled(Box::new(event)));
            self.told_settled.insert(settled.round);
        }
        Ok(())
    }

    async fn tell_end(&self, status: &Status) -> Result<(), AggregatorError> {
        let owed = self.project.owed(self.me).await?;
        self.reporter.report(&Event::ProjectEnded {
            phase: phase_name(status.phase),
            settled: status.settled,
            voids: status.voids,
            owed_wei: owed.to_string(),
        });
        Ok(())
    }

    async fn place_bond(&mut self) -> Result<Step, AggregatorError> {
        let bond = self.project.terms().bond;
        check_funds(&self.chain, self.me, bond).await?;
        let receipt = self.project.place_bond().await?;
        self.reporter.report(&Event::BondPlaced {
            amount_wei: bond.to_string(),
            transaction: format!("0x{}", hex::encode(receipt.transaction)),
            gas: receipt.gas_used,
        });
        Ok(Step::Done)
    }

    /// Moves the project on. Somebody else being faster is no error.
    async fn advance(&mut self, status: &Status) -> Result<Step, AggregatorError> {
        match self.project.advance().await {
            Ok(receipt) => {
                self.reporter.report(&Event::Advanced {
                    round: status.round,
                    phase: phase_name(status.phase),
                    transaction: format!("0x{}", hex::encode(receipt.transaction)),
                    gas: receipt.gas_used,
                });
                Ok(Step::Done)
            }
            Err(error @ (ChainError::Refused { .. } | ChainError::Reverted { .. })) => {
                tracing::debug!(%error, "not moved on by us");
                Ok(Step::Wait)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether this is the project's own aggregator.
    pub(crate) fn is_named(&self) -> bool {
        self.project.terms().aggregator == self.me
    }

    /// Tells that the service is ready.
    ///
    /// # Errors
    /// The chain's faults.
    pub(crate) async fn tell_start(&self, dev: bool) -> Result<(), AggregatorError> {
        let status = self.project.status().await?;
        let terms = self.project.terms();
        self.reporter.report(&Event::Started {
            project: format_address(&self.project.address()),
            aggregator: format_address(&self.me),
            named: self.is_named(),
            phase: phase_name(status.phase),
            round: status.round,
            settled: status.settled,
            dimension: terms.dimension,
            slots: terms.slots,
            dev,
        });
        Ok(())
    }
}

/// Whether a wallet can place a bond and pay some gas.
pub(crate) async fn check_funds(chain: &Chain, wallet: Address20, bond: u128) -> Result<(), AggregatorError> {
    let balance = chain.balance(wallet).await?;
    if balance <= bond {
        return Err(AggregatorError::Funds { wallet: format_address(&wallet), balance, bond });
    }
    Ok(())
}

/// A phase as the contract names it, in lower case.
pub(crate) fn phase_name(phase: Phase) -> String {
    format!("{phase:?}").to_lowercase()
}
