//! What can go wrong between the chain, the updates and the proof.

use fairshare_circuits::{ProveError, SrsError, VerifyError};
use fairshare_client::{ChainError, CollectError, ContentError, FileError};
use fairshare_protocol::{GramError, RuleError, TensorError};

use crate::event::MissingUpdate;

/// Why a round could not be assessed.
#[derive(Debug, thiserror::Error)]
pub enum AssessError {
    /// The trainers attest that these updates can be had, and here they cannot.
    #[error("{} of {active} active updates cannot be had here, and without them the round cannot be settled (is the IPFS node connected to the trainers'?): {}", missing.len(), list(missing))]
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
    #[error("the new model cannot be formed: an entry leaves 64 bits or an update has not the model's {dimension} entries")]
    Step {
        /// Entries of the model.
        dimension: usize,
    },
}

fn list(missing: &[MissingUpdate]) -> String {
    missing.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Why a round could not be proved. None of these is mended by trying again with the same inputs.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// An active slot has no commitment on chain.
    #[error("slot {slot} is active and has no commitment on chain")]
    NoCommitment {
        /// The slot.
        slot: u8,
    },
    /// The new model's bytes do not open what the contract will compute from the commitments.
    #[error("the new model's commitment is not that of the old model plus the weighted updates: an update or the model differs from its commitment")]
    ModelMismatch,
    /// Committing to the new model failed.
    #[error(transparent)]
    Commit(#[from] SrsError),
    /// No proof came about.
    #[error("the round could not be proved: {0}")]
    Prove(#[from] ProveError),
    /// The contract would refuse the proof.
    #[error("the proof does not verify, so it was not sent: {0}")]
    Verify(#[from] VerifyError),
}

/// Why the service stopped, or did not do its part this time.
#[derive(Debug, thiserror::Error)]
pub enum AggregatorError {
    /// The wallet is somebody else's.
    #[error("wallet {wallet} is not the aggregator of this project, which is {named}: use that wallet, or --open to settle rounds that it lets pass")]
    NotTheAggregator {
        /// The wallet's address.
        wallet: String,
        /// The project's aggregator.
        named: String,
    },
    /// The wallet cannot place the bond.
    #[error("wallet {wallet} holds {balance} wei; the bond is {bond} wei and gas comes on top: send it ether and start again")]
    Funds {
        /// The wallet's address.
        wallet: String,
        /// What it holds.
        balance: u128,
        /// The project's bond.
        bond: u128,
    },
    /// The keys here are not those that the project's contracts check against.
    #[error("the project's key registry has keys hash {on_chain}, the keys of this version have {here}: use the version that the project's owner used")]
    KeysHash {
        /// On chain.
        on_chain: String,
        /// Of the committed keys.
        here: String,
    },
    /// The reference string or the proving key could not be opened.
    #[error("{0}")]
    Keys(String),
    /// Reading or writing the state folder.
    #[error("{path}: {source}")]
    State {
        /// The file or folder.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that was to be made does not fit the model.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// From the chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// From IPFS.
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
    /// A thread that computes was lost.
    #[error("a computation ended early: {0}")]
    Computation(String),
}

impl From<FileError> for AggregatorError {
    fn from(error: FileError) -> Self {
        Self::Files(Box::new(error))
    }
}
