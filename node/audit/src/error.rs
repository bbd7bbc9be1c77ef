//! Why an audit cannot be made.

use fairshare_circuits::SrsError;
use fairshare_client::{ChainError, CollectError, ContentError};
use fairshare_protocol::TensorError;

/// Nothing is said about the project then.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The chain cannot be asked.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The IPFS node cannot be asked.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The updates of a round cannot be collected.
    #[error(transparent)]
    Collect(#[from] CollectError),
    /// The reference string does not serve.
    #[error(transparent)]
    Reference(#[from] SrsError),
    /// The specification's model has no file form.
    #[error(transparent)]
    Model(#[from] TensorError),
    /// Every time that it was read something had happened.
    #[error(
        "project {project} changed while it was read, {tries} times over: audit it again in a quieter moment"
    )]
    Busy {
        /// The project's address.
        project: String,
        /// How often it was read.
        tries: usize,
    },
}
