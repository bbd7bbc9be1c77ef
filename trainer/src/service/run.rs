//! The loop: registers, looks, takes a step, advances the project; and how it ends.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fairshare_circuits::ReferenceString;
use fairshare_client::service::{Advance, Backoff, Clock, Reporter, Stop};
use fairshare_client::{fetch_model, ChainError, ContentStore, Phase, Project, Receipt, Status};
use fairshare_protocol::{Address, Specification, Word};

use super::fault::Fault;
use super::last_model::LastModel;
use super::stage::OpenRound;
use crate::conduct::Conduct;
use crate::data::Dataset;
use crate::error::TrainerError;
use crate::event::Event;
use crate::state::StateFolder;

/// The longest random wait before a trainer publishes a model file, so that ten trainers do not pay for one
/// transaction.
pub(super) const STAGGER: Duration = Duration::from_millis(1500);
/// Number of consecutive malformed responses that we tolerate: a node that restarts gives some.
const MALFORMED_RESPONSES: u32 = 20;

/// What the user decides.
#[derive(Clone, Debug)]
pub struct ServiceOptions {
    /// Join the project when the wallet is not a trainer yet.
    pub join: bool,
    /// Decides the order of samples: the same seed trains the same update.
    pub seed: u64,
    /// How the trainer behaves: [`crate::Honest`] in the program that people install.
    pub conduct: Arc<dyn Conduct>,
    /// Time between two looks at the chain.
    pub poll: Duration,
    /// How long IPFS may take for one file.
    pub ipfs_timeout: Duration,
    /// Publish a model file that was withheld, which earns its fee.
    pub publish: bool,
    /// Folder of the rounds' records.
    pub state: PathBuf,
}

/// A trainer in a project.
pub struct Service {
    pub(super) project: Project,
    pub(super) store: ContentStore,
    pub(super) reference: Arc<ReferenceString>,
    pub(super) keys_hash: Word,
    pub(super) specification: Arc<Specification>,
    pub(super) data: Arc<Dataset>,
    pub(super) me: Address,
    pub(super) state: StateFolder,
    pub(super) options: ServiceOptions,
    pub(super) reporter: Reporter,
    pub(super) stop: Stop,
    pub(super) round: OpenRound,
    pub(super) last_model: LastModel,
    pub(super) advance: Advance,
    pub(super) clock: Clock,
    pub(super) last: Option<Status>,
}

/// Why the loop ended before the project did.
pub(super) enum Interruption {
    Stopped,
    Failed(TrainerError),
}

impl<E: Into<TrainerError>> From<E> for Interruption {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl Service {
    /// Opens the state folder. The specification must be the project's, the data must fit its model, the reference
    /// string must be long enough for the model and the range proof, the keys' hash must be the registry's, and the
    /// project's chain must have a wallet.
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
        stop: Stop,
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
            stop,
            round: OpenRound::new(0),
            last_model: LastModel::default(),
            advance: Advance::staggered(),
            clock: Clock::default(),
            last: None,
        })
    }

    /// Takes part until the project ends, the seat is lost, or the process is asked to stop: then the current step
    /// has ten seconds to end.
    ///
    /// # Errors
    /// [`TrainerError::SeatLost`], [`TrainerError::StoppedAtRisk`], a wallet that cannot take part, or a chain that
    /// keeps giving malformed responses. A round that is lost is no error.
    pub async fn run(mut self) -> Result<(), TrainerError> {
        let mut stop = self.stop.clone();
        match stop.finish(self.take_part()).await {
            Some(Ok(())) => Ok(()),
            Some(Err(Interruption::Failed(error))) => Err(error),
            Some(Err(Interruption::Stopped)) | None => self.tell_stopped(),
        }
    }

    async fn take_part(&mut self) -> Result<(), Interruption> {
        let mut status = self.register().await?;
        while !status.phase.is_over() {
            // In Closing no round follows, and whoever attested the last one may still vote on its model file.
            if !status.trainers.contains(&self.me) && status.phase != Phase::Closing {
                if status.phase == Phase::Registration {
                    // A reorganisation took the join back.
                    status = self.register().await?;
                    continue;
                }
                return Err(self.seat_lost(&status).await?.into());
            }
            self.step(&status).await;
            if self.stop.is_requested() {
                return Err(Interruption::Stopped);
            }
            self.advance_if_overdue(&status).await;
            self.pause(self.options.poll).await?;
            status = self.look().await?;
        }
        self.close_round("the project has ended");
        let owed = self.owed().await?;
        let owed = self.project.terms().amount(owed);
        let Status { phase, settled, voids, .. } = status;
        self.reporter.report(&Event::Ended { phase, settled, voids, owed });
        if !status.trainers.contains(&self.me) {
            return Err(self.seat_lost(&status).await?.into());
        }
        Ok(())
    }

    /// Waits until the wallet is a trainer; joins when asked to, once the first model is checked.
    async fn register(&mut self) -> Result<Status, Interruption> {
        let mut wait = Backoff::default();
        let (mut told, mut joined) = (false, false);
        loop {
            let status = self.look().await?;
            if status.trainers.contains(&self.me) {
                if !joined {
                    self.tell_joined(None);
                }
                return Ok(status);
            }
            if status.phase != Phase::Registration {
                return Err(self.never_joined_or_lost(&status).await?.into());
            }
            if self.options.join && !joined && wait.is_due() {
                match self.join(&status).await {
                    Ok(receipt) => {
                        self.tell_joined(Some(receipt));
                        joined = true; // a node that lags shows it later
                        continue;
                    }
                    Err(error) if Fault::of(&error).may_pass() => {
                        tracing::warn!(%error, "joining failed; it is tried again while registration is open");
                        wait.failed(Backoff::LONGEST);
                    }
                    // An earlier transaction of ours was mined, and the node is behind it: the status shows it soon.
                    Err(error) if is_already_joined(&error) => {
                        tracing::info!(%error, "the node does not show the seat of this wallet yet");
                        wait.failed(Backoff::LONGEST);
                    }
                    // An earlier transaction of ours may have been mined without an answer.
                    Err(error) => match self.project.is_trainer(self.me).await {
                        Ok(true) => {}
                        _ => return Err(error.into()),
                    },
                }
            } else if !self.options.join && !told {
                told = true;
                tracing::info!(
                    trainer = %self.me,
                    "waiting for `fairshare join` with this wallet (or use --join)"
                );
            }
            self.advance_if_overdue(&status).await;
            self.pause(self.options.poll).await?;
        }
    }

    /// Joins with the stake, which the chain client checks against the balance before it sends anything.
    async fn join(&self, status: &Status) -> Result<Receipt, TrainerError> {
        // Nobody should stake on a model that is withheld or is not the committed one.
        let Self { project, store, specification, reference, .. } = self;
        fetch_model(project, store, specification, &status.model, status.model_cid, reference).await?;
        Ok(project.join().await?)
    }

    fn tell_joined(&self, receipt: Option<Receipt>) {
        self.reporter.report(&Event::Joined {
            project: self.project.address().to_string(),
            trainer: self.me.to_string(),
            stake: self.project.terms().amount(self.project.terms().stake),
            transaction: receipt.map(transaction),
            gas: receipt.map(|r| r.gas_used),
        });
    }

    /// Reads where the project stands; waits while no node answers, and while a reveal may be due whatever the
    /// answers are.
    async fn look(&mut self) -> Result<Status, Interruption> {
        let mut malformed = 0;
        loop {
            match self.project.status().await {
                Ok(status) => {
                    self.take_note(&status);
                    return Ok(status);
                }
                Err(error)
                    if error.is_node_fault()
                        || malformed < MALFORMED_RESPONSES
                        || self.round.is_stake_at_risk() =>
                {
                    malformed = if error.is_node_fault() { 0 } else { malformed + 1 };
                    self.wait_for_chain(&error).await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn take_note(&mut self, status: &Status) {
        if let Some(last) = self.last.as_ref().filter(|last| status.block < last.block) {
            let (from, to) = (last.block, status.block);
            tracing::warn!(from, to, "the chain went back; reading again what is on it");
            self.round.reopen();
        }
        self.clock.look(status);
        self.last = Some(status.clone());
    }

    /// What a withdrawal would pay this trainer now.
    async fn owed(&mut self) -> Result<u128, Interruption> {
        loop {
            match self.project.owed(self.me).await {
                Ok(owed) => return Ok(owed),
                Err(error) if error.is_node_fault() => self.wait_for_chain(&error).await?,
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn wait_for_chain(&mut self, error: &ChainError) -> Result<(), Interruption> {
        tracing::warn!(%error, "the chain does not answer; trying again");
        self.pause(self.options.poll.max(Duration::from_secs(1))).await
    }

    pub(super) async fn pause(&mut self, pause: Duration) -> Result<(), Interruption> {
        self.stop.sleep(pause).await;
        if self.stop.is_requested() {
            return Err(Interruption::Stopped);
        }
        Ok(())
    }

    /// Tells what is left to do. That the stake depends on it is an error.
    fn tell_stopped(&self) -> Result<(), TrainerError> {
        let (round, due) = (self.round.id, self.round.due());
        let deadline = self.last.as_ref().map(|status| status.deadline);
        self.reporter.report(&Event::Stopped { round, due, deadline });
        match (due, deadline) {
            (Some(due), Some(deadline)) if due.risks_stake() => {
                Err(TrainerError::StoppedAtRisk { round, due, deadline })
            }
            _ => Ok(()),
        }
    }

    /// Advances the project when a deadline has passed and nobody else has.
    async fn advance_if_overdue(&mut self, status: &Status) {
        match self.advance.if_overdue(&self.project, status, self.clock.time(status)).await {
            Ok(None) => {}
            Ok(Some(receipt)) => {
                let (transaction, gas) = (transaction(receipt), receipt.gas_used);
                let (round, phase) = (status.round, status.phase);
                self.reporter.report(&Event::Advanced { round, phase, transaction, gas });
            }
            Err(error) => {
                tracing::debug!(%error, "the project was not advanced by us");
                self.check_deadline(status, &error).await;
            }
        }
    }

    /// Either another trainer was faster, or the deadline is not reached by the chain's clock.
    async fn check_deadline(&mut self, status: &Status, error: &ChainError) {
        let ChainError::Refused { reason, .. } = error else { return };
        if !reason.contains("DeadlineNotReached") {
            return;
        }
        let is_same = |now: &Status| {
            (now.round, now.phase, now.deadline) == (status.round, status.phase, status.deadline)
        };
        if let Ok(now) = self.project.status().await {
            if is_same(&now) {
                self.clock.too_early(&now);
            }
        }
    }

    /// Seconds to the end of the phase.
    pub(super) fn seconds_left(&self, status: &Status) -> u64 {
        status.deadline.saturating_sub(self.clock.time(status))
    }

    /// Seconds since the beginning of a phase of `period` seconds.
    pub(super) fn elapsed(&self, status: &Status, period: u64) -> u64 {
        period.saturating_sub(self.seconds_left(status))
    }
}

/// A transaction's hash, in hexadecimal.
pub(super) fn transaction(receipt: Receipt) -> String {
    format!("0x{}", hex::encode(receipt.transaction))
}

/// Whether the contract refused a join because the wallet has its seat.
fn is_already_joined(error: &TrainerError) -> bool {
    matches!(
        error,
        TrainerError::Chain(ChainError::Refused { reason, .. } | ChainError::Reverted { reason, .. })
            if reason.contains("AlreadyJoined")
    )
}
