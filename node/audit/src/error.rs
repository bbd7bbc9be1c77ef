//! Errors of an audit.

use fairshare_circuits::SrsError;
use fairshare_client::{ChainError, CollectError, ContentError};
use fairshare_protocol::TensorError;

/// Why an audit could not be completed. This says nothing about the project.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The chain does not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The IPFS node does not answer.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The updates of a round cannot be collected.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// The reference string is too short, or cannot be used.
    #[error(transparent)]
    Reference(#[from] SrsError),
    /// The specification's model has no file format.
    #[error(transparent)]
    Model(#[from] TensorError),
    /// The project changed during every attempt to read it.
    #[error(
        "project {project} changed during {tries} attempts to read it: audit it again when it is less busy"
    )]
    Busy {
        /// The project's address.
        project: String,
        /// Number of attempts.
        tries: usize,
    },
}
