//! Errors of the trainer.

use std::path::{Path, PathBuf};

use fairshare_circuits::{RangeError, SrsError};
use fairshare_client::{ChainError, CollectError, ContentError, FileError};
use fairshare_protocol::{GramError, RuleError, SpecificationError, TensorError};

use crate::outcome::{Due, SeatLoss};

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
    /// Options of a split that do not fit the data set.
    #[error("cannot split the data: {field} is {value}; expected {expected}")]
    Split {
        /// The option.
        field: &'static str,
        /// What was given.
        value: String,
        /// What was expected.
        expected: String,
    },
    /// The parameters are for another model.
    #[error("{got} parameters for a model of {expected}: fetch the project's model again")]
    WrongDimension {
        /// `d`.
        expected: usize,
        /// Parameters given.
        got: usize,
    },
    /// The data is for another model.
    #[error(
        "the data has {got} features a sample, the project's model takes {expected}: use data of the project's shape"
    )]
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
    /// Another process holds the state folder.
    #[error("{}: another process uses this state folder: stop it, or name another folder with --state", path.display())]
    StateInUse {
        /// The folder.
        path: PathBuf,
    },
    /// The wallet never joined the project.
    #[error("{trainer} is not a trainer of project {project} and its registration is over: look for another project")]
    NotATrainer {
        /// The wallet's address.
        trainer: String,
        /// The project's address.
        project: String,
    },
    /// The seat is lost. The trainer does no more work for the project.
    #[error(
        "{trainer} is no longer a trainer of project {project}{}: {reason}; {stake_lost} was lost. {}",
        round.map_or_else(String::new, |round| format!(" (round {round})")),
        remedy(*reason)
    )]
    SeatLost {
        /// The wallet's address.
        trainer: String,
        /// The project's address.
        project: String,
        /// The round that cost the seat.
        round: Option<u64>,
        /// What cost it.
        reason: SeatLoss,
        /// The stake that was lost, with its unit.
        stake_lost: String,
    },
    /// The process was stopped while its stake depends on it.
    #[error(
        "stopped while {} in round {round}: start it again with the same --state before {deadline} (Unix seconds), or \
         the stake is lost",
        due.danger()
    )]
    StoppedAtRisk {
        /// The round.
        round: u64,
        /// What is left to do.
        due: Due,
        /// When the phase ends, Unix seconds.
        deadline: u64,
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
    /// The updates of a round could not be collected.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// A range proof could not be made.
    #[error(transparent)]
    Range(#[from] RangeError),
    /// A thread that computed ended without a result.
    #[error("the computation of {0} broke off: this is a fault of the program")]
    Broken(&'static str),
    /// libtorch refused an operation.
    #[error("libtorch: {0}")]
    Torch(#[from] tch::TchError),
    /// A tensor file of another shape or format than the project's.
    #[error(transparent)]
    Tensor(#[from] TensorError),
    /// An invalid specification.
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

fn remedy(reason: SeatLoss) -> &'static str {
    match reason {
        SeatLoss::MissedReveal => {
            "Take out what it earned with `fairshare withdraw`. In the next project keep the process running, and \
             its state folder, until the reveal"
        }
        SeatLoss::NotAttested => {
            "Take out what it earned with `fairshare withdraw`. Before the next project check that other machines \
             can fetch files from your IPFS node"
        }
        SeatLoss::Left | SeatLoss::Unknown => {
            "`fairshare project show` tells what happened, `fairshare withdraw` takes out what is owed"
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_seat_names_what_happened_what_it_cost_and_what_to_do() {
        let lost = |reason, round, stake: &str| {
            let (trainer, project, stake_lost) = ("0xaa".into(), "0xbb".into(), stake.into());
            TrainerError::SeatLost { trainer, project, round, reason, stake_lost }.to_string()
        };
        let text = lost(SeatLoss::MissedReveal, Some(3), "0.1 ether");
        for part in ["0xaa", "0xbb", "round 3", "did not reveal", "0.1 ether was lost", "fairshare withdraw"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(lost(SeatLoss::NotAttested, Some(3), "1 ether").contains("your IPFS node"));
        assert!(!lost(SeatLoss::Left, None, "0 ether").contains("(round"));
    }

    #[test]
    fn stop_at_risk_names_the_deadline() {
        let stopped = |due| TrainerError::StoppedAtRisk { round: 2, due, deadline: 77 }.to_string();
        assert!(
            stopped(Due::Reveal).contains("reveal in round 2") && stopped(Due::Reveal).contains("before 77")
        );
        assert!(stopped(Due::File).contains("not on IPFS"));
    }
}
