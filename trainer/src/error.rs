//! What can go wrong at a trainer.

use std::path::{Path, PathBuf};

use fairshare_circuits::{FormError, SrsError};
use fairshare_client::{ChainError, CollectError, ContentError, FileError};
use fairshare_protocol::{GramError, RuleError, SpecificationError, TensorError};

/// Why a trainer cannot go on, or must leave out a round.
#[derive(Debug, thiserror::Error)]
pub enum TrainerError {
    /// A file that does not hold what a trainer needs.
    #[error("{}: {found}; expected {expected}: {remedy}", path.display())]
    Data {
        /// The file.
        path: PathBuf,
        /// What it holds.
        found: String,
        /// What it should hold.
        expected: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A file that cannot be read or written.
    #[error("{}: cannot {action}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was tried, such as "be read".
        action: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A data set cannot be divided as asked.
    #[error("cannot split the data: {field} is {value}; expected {expected}")]
    Split {
        /// The option.
        field: &'static str,
        /// What was given.
        value: String,
        /// What was expected.
        expected: String,
    },
    /// Parameters for another model.
    #[error("{got} parameters for a model of {expected}: fetch the project's model again")]
    WrongDimension {
        /// `d`.
        expected: usize,
        /// Parameters given.
        got: usize,
    },
    /// Data for another model.
    #[error("the data has {got} features a sample, the project's model takes {expected}: use data of the project's shape")]
    WrongInputs {
        /// Features that the model takes.
        expected: usize,
        /// Features of the data.
        got: usize,
    },
    /// The loss or a parameter stopped being a number.
    #[error(
        "training diverged in epoch {epoch}: {what} is not a finite number at learning rate {learning_rate}; \
         nothing is posted. Look for extreme values in the data, or ask the project's owner for a smaller rate"
    )]
    Diverged {
        /// The pass over the data, from 1; 0 before the first.
        epoch: u32,
        /// Loss or parameters.
        what: &'static str,
        /// The learning rate.
        learning_rate: f64,
    },
    /// Another process works in the state folder.
    #[error("{}: another process uses this state folder: stop it, or name another folder with --state", path.display())]
    StateInUse {
        /// The folder.
        path: PathBuf,
    },
    /// The wallet takes no part in the project.
    #[error("{trainer} is not a trainer of project {project} and its registration is over: look for another project")]
    NotATrainer {
        /// The wallet's address.
        trainer: String,
        /// The project's address.
        project: String,
    },
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The content store.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// A file of the project.
    #[error(transparent)]
    ProjectFile(Box<FileError>),
    /// The reference string, or a vector that it does not commit to.
    #[error(transparent)]
    Reference(#[from] SrsError),
    /// The updates of a round could not be looked at.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// A proof of form could not be made.
    #[error(transparent)]
    Form(#[from] FormError),
    /// The project's contracts check against other keys.
    #[error("the project's key registry has keys hash {on_chain}, the keys of this version have {here}: use the version that the project's owner used")]
    KeysHash {
        /// On chain.
        on_chain: String,
        /// Of the committed keys.
        here: String,
    },
    /// A thread that computed ended without a result.
    #[error("the computation of {0} broke off: this is a fault of the program")]
    Broken(&'static str),
    /// libtorch refused an operation.
    #[error("libtorch: {0}")]
    Torch(#[from] tch::TchError),
    /// A tensor file that is not the project's.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// A specification that cannot be.
    #[error(transparent)]
    Specification(#[from] SpecificationError),
    /// The updates of a simulated round do not fit together.
    #[error(transparent)]
    Gram(#[from] GramError),
    /// The rule refuses a simulated round.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The fixed-point model left 64 bits.
    #[error("the model of round {round} leaves 64 bits")]
    ModelOverflow {
        /// The simulated round.
        round: u32,
    },
}

impl TrainerError {
    pub(crate) fn file(path: &Path, action: &'static str, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), action, source }
    }
}

impl From<FileError> for TrainerError {
    fn from(error: FileError) -> Self {
        Self::ProjectFile(Box::new(error))
    }
}
