//! The files that a project names on chain, fetched and checked against the chain.

use fairshare_circuits::{point_words, G1Affine, ReferenceString, SrsError};
use fairshare_protocol::{
    decode_model, encoded_len, FileKind, Specification, SpecificationError, TensorError,
};

use crate::chain::{ChainError, Project, Terms};
use crate::content::{ContentError, ContentId, ContentStore};

/// The longest specification, in bytes of canonical JSON.
pub const MAX_SPECIFICATION: usize = 64 * 1024;

/// Why a project's file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The content store.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The specification on IPFS is invalid.
    #[error("the specification of project {project}: {source}")]
    Specification {
        /// The project's address.
        project: String,
        /// Why it is invalid.
        source: SpecificationError,
    },
    /// The specification and the contract's terms differ.
    #[error("project {project}: {field} is {specified} in its specification and {on_chain} in its contract; do not take part, since its owner published contradicting terms")]
    TermsDiffer {
        /// The project's address.
        project: String,
        /// The field that differs.
        field: &'static str,
        /// Its value in the specification.
        specified: String,
        /// Its value in the contract.
        on_chain: String,
    },
    /// The model file does not fit the project's model.
    #[error("the model file {cid} of project {project}: {source}")]
    Model {
        /// The project's address.
        project: String,
        /// The file.
        cid: String,
        /// Why it is invalid.
        source: TensorError,
    },
    /// The model's bytes do not match the commitment on the chain.
    #[error("the model file {cid} of project {project} has commitment {found}, but the chain has {expected}: it is not the model that was proved")]
    CommitmentMismatch {
        /// The project's address.
        project: String,
        /// The file.
        cid: String,
        /// The commitment on the chain, `x` in hexadecimal.
        expected: String,
        /// The commitment of the bytes, `x` in hexadecimal.
        found: String,
    },
    /// The model cannot be recomputed from the updates.
    #[error("the model after round {round} cannot be recomputed from the updates: {reason}")]
    Recompute {
        /// The round.
        round: u64,
        /// What is missing or differs.
        reason: String,
    },
    /// The reference string is too short, or cannot be used.
    #[error(transparent)]
    Reference(#[from] SrsError),
}

/// The project's specification: its bytes have the digest on chain, its JSON is canonical, and it agrees with the
/// contract's terms.
///
/// # Errors
/// [`FileError`] names the difference.
pub async fn fetch_specification(
    project: &Project,
    store: &ContentStore,
) -> Result<Specification, FileError> {
    let terms = project.terms();
    let id = ContentId::from_digest(terms.specification, 0);
    let bytes = store.fetch(&id, MAX_SPECIFICATION).await?;
    let address = project.address().to_string();
    let spec = Specification::from_canonical_json(&bytes)
        .map_err(|source| FileError::Specification { project: address.clone(), source })?;
    let specified = Terms::from_specification(
        &spec,
        terms.owner,
        terms.aggregator,
        terms.specification,
        terms.model,
        terms.model_cid,
    );
    match first_difference(&specified, terms) {
        None => Ok(spec),
        Some((field, specified, on_chain)) => {
            Err(FileError::TermsDiffer { project: address, field, specified, on_chain })
        }
    }
}

/// The model `T` in the file `cid`, `d` entries, whose commitment must be `commitment`.
///
/// # Errors
/// [`FileError`] names the difference.
pub async fn fetch_model(
    project: &Project,
    store: &ContentStore,
    spec: &Specification,
    commitment: &G1Affine,
    cid: [u8; 32],
    srs: &ReferenceString,
) -> Result<Vec<i64>, FileError> {
    let address = || project.address().to_string();
    let model_error = |cid: String, source| FileError::Model { project: address(), cid, source };
    let length = encoded_len(&spec.model, FileKind::Model).map_err(|e| model_error(hex::encode(cid), e))?;
    let id = ContentId::from_digest(cid, length);
    let file = store.fetch(&id, length).await?;
    let model = decode_model(&spec.model, &file).map_err(|e| model_error(id.to_string(), e))?;
    let found = srs.commit_model(&model)?;
    if found != *commitment {
        let (expected, found) = (format_point(commitment), format_point(&found));
        return Err(FileError::CommitmentMismatch {
            project: address(),
            cid: id.to_string(),
            expected,
            found,
        });
    }
    Ok(model)
}

/// A commitment as text: its `x` coordinate in hexadecimal (0 for the point at infinity).
pub fn format_point(point: &G1Affine) -> String {
    format!("0x{}", hex::encode(point_words(point)[0]))
}

fn first_difference(specified: &Terms, on_chain: &Terms) -> Option<(&'static str, String, String)> {
    macro_rules! compare {
        ($($field:ident),*) => {
            $(if specified.$field != on_chain.$field {
                return Some((stringify!($field), specified.$field.to_string(), on_chain.$field.to_string()));
            })*
        };
    }
    if specified.token != on_chain.token {
        let text = |token: Option<_>| token.as_ref().map_or_else(|| "ether".to_owned(), ToString::to_string);
        return Some(("the currency", text(specified.token), text(on_chain.token)));
    }
    compare!(
        rule,
        slots,
        dimension,
        theta,
        trim,
        table,
        min_trainers,
        max_trainers,
        min_active,
        stake,
        bond,
        outlier_rounds,
        outlier_penalty
    );
    compare!(rounds, max_voids, round_reward, round_fee);
    compare!(registration_period, commit_period, reveal_period, attest_period, aggregate_period);
    compare!(learning_rate, local_epochs, decay, coherence_floor, coherence_decay, min_learning_rate);
    None
}
