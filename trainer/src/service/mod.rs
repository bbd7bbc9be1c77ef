//! The trainer's service: one loop that looks where the project stands and does what is due.
//!
//! It never waits inside a step. A step that fails for a reason that may pass (chain or IPFS down) is tried again, later
//! and later, for as long as the chain says that its phase is open; so deadlines are kept without a clock of our own,
//! and a process that was killed goes on from what chain and state folder say. While a commitment may wait for its reveal
//! no answer whatever makes it give up: only the chain's next phase or round does.

mod attest;
mod commit;
mod copycat;
mod fault;
mod field_elements;
mod model;
mod progress;
mod reveal;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fairshare_circuits::ReferenceString;
use fairshare_client::service::Reporter;
use fairshare_client::{
    fetch_model, format_address, Address20, ChainError, ContentStore, Phase, Project, Receipt, Status,
};
use fairshare_protocol::{Specification, Word};
use rand::Rng;
use tokio::time::Instant;

use crate::behaviour::Behaviour;
use crate::data::Dataset;
use crate::error::TrainerError;
use crate::event::Event;
use crate::state::StateFolder;
use fault::Fault;
use model::LastModel;
use progress::{Backoff, Progress, LONGEST_WAIT};

/// Seconds that our clock must be past a deadline before we believe that the chain's is too: a chain that makes blocks
/// only for transactions shows no later time by itself.
const CLOCK_MARGIN: u64 = 2;
/// Nobody hurries more than this over moving the project on, so that ten trainers do not pay for one transaction.
const STAGGER: Duration = Duration::from_millis(1500);
/// Answers of the chain that make no sense are borne for so many looks: a node that restarts gives some.
const SENSELESS_ANSWERS: u32 = 20;

/// What the user decides.
#[derive(Clone, Debug)]
pub struct ServiceOptions {
    /// Join the project when the wallet is not a trainer yet.
    pub join: bool,
    /// Decides the order of samples: the same seed trains the same update.
    pub seed: u64,
    /// What to do with updates.
    pub behaviour: Behaviour,
    /// How often to look at the chain.
    pub poll: Duration,
    /// How long IPFS may take over one file.
    pub ipfs_timeout: Duration,
    /// Publish a model file that was withheld, which earns its fee.
    pub publish: bool,
    /// Where rounds are kept.
    pub state: PathBuf,
}

/// A trainer in a project.
pub struct Service {
    project: Project,
    store: ContentStore,
    reference: Arc<ReferenceString>,
    keys_hash: Word,
    specification: Arc<Specification>,
    data: Arc<Dataset>,
    me: Address20,
    state: StateFolder,
    options: ServiceOptions,
    reporter: Reporter,
    progress: Progress,
    last_model: LastModel,
    advancing: Backoff,
    last_block: u64,
}

impl Service {
    /// Opens the state folder. The specification must be the project's, the data must fit its model, the reference string
    /// must be long enough for it and its proofs of form, the keys' hash must be the registry's, and the project's chain must
    /// have a wallet.
    ///
    /// # Errors
    /// No wallet, or a state folder that cannot be used.
    #[expect(clippy::too_many_arguments, reason = "one caller, which names them all")]
    pub fn new(
        project: Project,
        store: ContentStore,
        reference: ReferenceString,
        keys_hash: Word,
        specification: Specification,
        data: Dataset,
        options: ServiceOptions,
        reporter: Reporter,
    ) -> Result<Self, TrainerError> {
        let me = project.chain().account()?;
        let state = StateFolder::open(&options.state)?;
        Ok(Self {
            project,
            store,
            reference: Arc::new(reference),
            keys_hash,
            specification: Arc::new(specification),
            data: Arc::new(data),
            me,
            state,
            options,
            reporter,
            progress: Progress::new(0),
            last_model: LastModel::default(),
            advancing: Backoff::default(),
            last_block: 0,
        })
    }

    /// Takes part until the project ends.
    ///
    /// # Errors
    /// When the wallet cannot take part at all, or the chain stops making sense. A round that is lost is no error.
    pub async fn run(mut self) -> Result<(), TrainerError> {
        let mut status = self.register().await?;
        while !status.phase.is_over() {
            self.step(&status).await;
            self.move_on_if_overdue(&status).await;
            tokio::time::sleep(self.options.poll).await;
            status = self.look().await?;
        }
        self.close_round("the project has ended");
        let owed_wei = loop {
            match self.project.owed(self.me).await {
                Ok(owed) => break owed.to_string(),
                Err(error) if error.is_node_fault() => self.bear(&error).await,
                Err(error) => return Err(error.into()),
            }
        };
        let Status { phase, settled, voids, .. } = status;
        self.reporter.report(&Event::Ended { phase, settled, voids, owed_wei });
        Ok(())
    }

    /// Waits until the wallet is a trainer; joins when asked to, after a look at the first model.
    async fn register(&mut self) -> Result<Status, TrainerError> {
        let mut wait = Backoff::default();
        let mut told = false;
        loop {
            let status = self.look().await?;
            if status.trainers.contains(&self.me) {
                self.tell_joined(None);
                return Ok(status);
            }
            if status.phase != Phase::Registration {
                let (trainer, project) = (format_address(&self.me), format_address(&self.project.address()));
                return Err(TrainerError::NotATrainer { trainer, project });
            }
            if self.options.join && wait.is_due() {
                match self.join(&status).await {
                    Ok(receipt) => {
                        self.tell_joined(Some(receipt));
                        return self.look().await;
                    }
                    Err(error) if Fault::of(&error).may_pass() => {
                        tracing::warn!(%error, "joining did not succeed yet; it is tried again while registration is open");
                        wait.failed(LONGEST_WAIT);
                    }
                    // Perhaps an earlier transaction of ours went through unseen.
                    Err(error) => match self.project.is_trainer(self.me).await {
                        Ok(true) => {}
                        _ => return Err(error),
                    },
                }
            } else if !self.options.join && !told {
                told = true;
                tracing::info!(
                    trainer = format_address(&self.me),
                    "waiting for `fairshare join` with this wallet (or use --join)"
                );
            }
            self.move_on_if_overdue(&status).await;
            tokio::time::sleep(self.options.poll).await;
        }
    }

    /// Joins with the stake, which the chain client checks against the balance before it sends anything.
    async fn join(&self, status: &Status) -> Result<Receipt, TrainerError> {
        // Nobody should stake on a model that cannot be had or is not the committed one.
        let Self { project, store, specification, reference, .. } = self;
        fetch_model(project, store, specification, &status.model, status.model_cid, reference).await?;
        Ok(project.join().await?)
    }

    fn tell_joined(&self, receipt: Option<Receipt>) {
        self.reporter.report(&Event::Joined {
            project: format_address(&self.project.address()),
            trainer: format_address(&self.me),
            stake_wei: self.project.terms().stake.to_string(),
            tx: receipt.map(transaction),
            gas: receipt.map(|r| r.gas_used),
        });
    }

    /// Where the project stands; waits while no node answers, and while a reveal may be owed however odd the answers are.
    async fn look(&mut self) -> Result<Status, TrainerError> {
        let mut senseless = 0;
        loop {
            match self.project.status().await {
                Ok(status) => {
                    if status.block < self.last_block {
                        tracing::warn!(
                            from = self.last_block,
                            to = status.block,
                            "the chain went back; looking again at what is on it"
                        );
                        self.progress = Progress::new(0);
                    }
                    self.last_block = status.block;
                    return Ok(status);
                }
                Err(error)
                    if error.is_node_fault()
                        || senseless < SENSELESS_ANSWERS
                        || self.progress.is_stake_at_risk() =>
                {
                    senseless = if error.is_node_fault() { 0 } else { senseless + 1 };
                    self.bear(&error).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Says that the chain does not answer, and waits.
    async fn bear(&self, error: &ChainError) {
        tracing::warn!(%error, "the chain does not answer; trying again");
        tokio::time::sleep(self.options.poll.max(Duration::from_secs(1))).await;
    }

    /// Does what is due in this phase.
    async fn step(&mut self, status: &Status) {
        if status.round != self.progress.round {
            self.close_round("the next round has begun");
            self.progress = Progress::new(status.round);
        }
        if !self.progress.enter(status.phase) {
            tracing::warn!(round = status.round, phase = ?status.phase, "the chain went back to an earlier phase");
            self.progress = Progress::new(status.round);
            self.progress.enter(status.phase);
        }
        if !self.progress.wait.is_due() {
            return;
        }
        match self.act(status).await {
            Ok(()) => {
                self.progress.wait = Backoff::default();
                self.progress.last_fault = None;
            }
            Err(fault) => self.note(status, fault),
        }
    }

    async fn act(&mut self, status: &Status) -> Result<(), Fault> {
        let round = status.round;
        if let Err(fault) = self.confirm(status).await {
            // What is remembered may be right, and a reveal that is there already is refused at no cost.
            tracing::debug!(round, ?fault, "commitment and reveal could not be confirmed");
        }
        if status.phase != Phase::Commit && status.phase < Phase::Closing && self.progress.is_unsettled() {
            // This process may have been started late: the chain knows whether an earlier one committed.
            if !self.find_commitment(round).await? {
                if self.progress.is_stake_at_risk() {
                    let known = self.progress.last_fault.clone();
                    let reason = || "a commitment was prepared and the chain does not show it".to_owned();
                    return Err(Fault::MayPass(known.unwrap_or_else(reason)));
                }
                self.close_round("the commit phase ended before a commitment was on chain");
            }
        }
        match (status.phase, self.options.behaviour) {
            (Phase::Commit, Behaviour::Copycat) => self.copy_commitment(round).await,
            (Phase::Reveal, Behaviour::Copycat) => self.copy_reveal(round).await,
            (Phase::Commit, _) if self.progress.is_unsettled() => self.commit(status).await,
            (Phase::Reveal, _) if self.progress.has_to_reveal() => self.reveal(status).await,
            (Phase::Attest, _) if self.progress.has_to_reveal() => self.look_for_reveal(round).await,
            (Phase::Reveal | Phase::Attest, _) if self.progress.has_to_post() => self.post_late().await,
            (Phase::Attest, _) if self.progress.has_to_attest() => self.attest(status).await,
            (Phase::Aggregate, _) if self.progress.has_to_attest() => self.look_for_attestation(round).await,
            (Phase::Closing, _) if !self.progress.model_attested => self.attest_model(status).await,
            _ => Ok(()),
        }
    }

    /// Asks the chain at each new block whether commitment and reveal are still on it: a fork can take them away.
    async fn confirm(&mut self, status: &Status) -> Result<(), Fault> {
        if !self.progress.is_to_be_confirmed(status.block) {
            return Ok(());
        }
        let slot = self.project.slot_of(status.round, self.me).await?;
        let state = self.project.round_state(status.round).await?;
        let is_in = |mask: u128| slot.is_some_and(|slot| mask >> slot & 1 == 1);
        self.progress.confirm(status.block, slot, is_in(state.revealed_mask), is_in(state.attested));
        Ok(())
    }

    /// Keeps a fault that may pass for the next attempt; tells of one that does not, and gives the round up. While that can
    /// cost the stake, every fault may pass.
    fn note(&mut self, status: &Status, fault: Fault) {
        let round = self.progress.round;
        let is_new = |told: &Option<String>, reason: &str| told.as_deref() != Some(reason);
        let at_risk = self.progress.is_stake_at_risk();
        let kept = if at_risk { fault.clone().at_risk() } else { fault.clone() };
        if let Fault::Refused { action, reason } = fault {
            let again = matches!(&kept, Fault::MayPass(kept) if !is_new(&self.progress.last_fault, kept));
            if !again {
                self.reporter.report(&Event::Refused { round, action, reason });
            }
        }
        match kept {
            Fault::MayPass(reason) => {
                let longest = LONGEST_WAIT.min(Duration::from_secs(seconds_left(status).max(4)) / 4);
                let seconds = self.progress.wait.failed(longest).as_secs_f64();
                if is_new(&self.progress.last_fault, &reason) {
                    tracing::warn!(
                        round,
                        reason,
                        seconds,
                        "this did not succeed yet; it is tried again while the phase is open"
                    );
                } else {
                    tracing::debug!(round, reason, seconds, "still so");
                }
                self.progress.last_fault = Some(reason);
            }
            Fault::Refused { action, reason } => {
                self.progress.last_fault = None;
                self.close_round(&format!("the contract refused {action}: {reason}"));
            }
            Fault::Lasting(reason) => {
                self.progress.last_fault = None;
                self.close_round(&reason);
            }
            Fault::OnPurpose(reason) => {
                self.progress.last_fault = None;
                self.close_round(reason);
            }
        }
    }

    /// Tells once that the round goes on, or is over, without (the rest of) us.
    fn close_round(&mut self, reason: &str) {
        if self.progress.close() {
            let reason = match self.progress.last_fault.take() {
                Some(fault) => format!("{reason}; the last attempt: {fault}"),
                None => reason.to_owned(),
            };
            self.reporter.report(&Event::RoundSkipped { round: self.progress.round, reason });
        }
    }

    /// Calls `advance` when the phase is past its deadline and nobody else has.
    async fn move_on_if_overdue(&mut self, status: &Status) {
        if status.phase.is_over() || now(status) <= status.deadline {
            self.advancing = Backoff::default();
            return;
        }
        if self.advancing.is_fresh() {
            self.advancing.begin_after(rand::thread_rng().gen_range(Duration::ZERO..STAGGER));
        }
        if !self.advancing.is_due() {
            return;
        }
        match self.project.advance().await {
            Ok(receipt) => {
                let (tx, gas) = (transaction(receipt), receipt.gas_used);
                self.reporter.report(&Event::Advanced { round: status.round, phase: status.phase, tx, gas });
                self.advancing = Backoff::default();
            }
            // Another was faster, or the chain's clock is behind ours.
            Err(error) => {
                let seconds = self.advancing.failed(LONGEST_WAIT).as_secs_f64();
                tracing::debug!(%error, seconds, "the project was not moved on by us");
            }
        }
    }
}

/// Unix seconds: the chain's clock, or ours where it is clearly ahead.
fn now(status: &Status) -> u64 {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.as_secs());
    status.now.max(clock.saturating_sub(CLOCK_MARGIN))
}

/// Seconds to the end of the phase.
fn seconds_left(status: &Status) -> u64 {
    status.deadline.saturating_sub(now(status))
}

/// Seconds since the beginning of a phase of `period` seconds.
fn elapsed(status: &Status, period: u64) -> u64 {
    period.saturating_sub(seconds_left(status))
}

/// A transaction's hash, in hexadecimal.
fn transaction(receipt: Receipt) -> String {
    format!("0x{}", hex::encode(receipt.transaction))
}

/// Now, and `wait` later.
fn after(wait: Duration) -> Instant {
    Instant::now() + wait
}
