//! Errors of the aggregator.

use fairshare_circuits::{ProveError, SrsError, VerifyError};
use fairshare_client::service::SessionError;
use fairshare_client::{ChainError, CollectError, ContentError, FileError};
use fairshare_protocol::{GramError, RuleError, TensorError};

use crate::event::MissingUpdate;

/// Errors of the assessment.
#[derive(Debug, thiserror::Error)]
pub enum AssessError {
    /// The trainers attest these updates, and this machine cannot fetch them.
    #[error(
        "{} of {active} active updates cannot be fetched here, and without them the round cannot be settled (is the \
         IPFS node connected to the trainers'?): {}",
        missing.len(),
        list(missing)
    )]
    MissingUpdates {
        /// Active slots.
        active: u32,
        /// Each with its reason.
        missing: Vec<MissingUpdate>,
    },
    /// A slot that the project's circuit does not have.
    #[error("slot {slot} of a project with {slots} slots: the chain's log and the terms disagree")]
    SlotOutOfRange {
        /// The slot.
        slot: u8,
        /// Slots of the circuit.
        slots: u8,
    },
    /// The inner products could not be computed.
    #[error(transparent)]
    Gram(#[from] GramError),
    /// The rule refused the inner products.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The new model leaves 64 bits, or an update has another length than the model.
    #[error(
        "the new model cannot be computed: an entry leaves 64 bits, or an update does not have the model's {dimension} \
         entries"
    )]
    Step {
        /// Entries of the model.
        dimension: usize,
    },
}

fn list(missing: &[MissingUpdate]) -> String {
    missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Errors of the proof. Trying again with the same inputs fails in the same way.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// An active slot has no commitment on chain.
    #[error("slot {slot} is active and has no commitment on chain")]
    NoCommitment {
        /// The slot.
        slot: u8,
    },
    /// The new model's bytes do not open what the contract will compute from the commitments.
    #[error(
        "the new model's commitment is not that of the old model plus the weighted updates: an update or the model \
         differs from its commitment"
    )]
    ModelMismatch,
    /// Committing to the new model failed.
    #[error(transparent)]
    Commit(#[from] SrsError),
    /// The prover failed.
    #[error("the round could not be proved: {0}")]
    Prove(#[from] ProveError),
    /// The contract would refuse the proof.
    #[error("the proof does not verify, so it was not sent: {0}")]
    Verify(#[from] VerifyError),
}

/// Errors of the service.
#[derive(Debug, thiserror::Error)]
pub enum AggregatorError {
    /// The wallet is not the project's aggregator.
    #[error(
        "wallet {wallet} is not the aggregator of this project, which is {named}: use that wallet, or --open to \
         settle rounds that it does not settle"
    )]
    NotTheAggregator {
        /// The wallet's address.
        wallet: String,
        /// The project's aggregator.
        named: String,
    },
    /// The wallet cannot place the bond, or not pay the gas.
    #[error("wallet {wallet} has {has}, and needs {needs}: fund it and start again; nothing was sent")]
    Funds {
        /// The wallet's address.
        wallet: String,
        /// The balance that is too small, with its unit.
        has: String,
        /// The amounts that are needed, with their units.
        needs: String,
    },
    /// The process was stopped while the bond depends on it.
    #[error(
        "stopped while round {round} waits for its settlement: start it again before {deadline} (Unix seconds), or \
         the bond is lost"
    )]
    StoppedAtRisk {
        /// The round.
        round: u64,
        /// When the phase ends, Unix seconds.
        deadline: u64,
    },
    /// The project could not be opened, or its contracts check against other keys.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The reference string or the proving key could not be opened.
    #[error("{0}")]
    Keys(String),
    /// The state folder cannot be read or written.
    #[error("{path}: {source}")]
    State {
        /// The file or folder.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A model file of another shape than the project's.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The content store.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The specification or a model file.
    #[error(transparent)]
    Files(Box<FileError>),
    /// The updates of a round could not be collected.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// The round cannot be assessed now.
    #[error(transparent)]
    Assess(#[from] AssessError),
    /// The round cannot be proved.
    #[error(transparent)]
    Settle(#[from] SettleError),
    /// A thread that computed ended without a result.
    #[error("a computation ended early: {0}")]
    Computation(String),
}

impl From<FileError> for AggregatorError {
    fn from(error: FileError) -> Self {
        Self::Files(Box::new(error))
    }
}
