//! The updates of a round, fetched and checked. Aggregator, trainers and audit all use this.

use fairshare_circuits::{mismatching_commitments, G1Affine, ReferenceString, SrsError};
use fairshare_protocol::{decode_update, encoded_len, Address, FileKind, Specification, TensorError};
use futures::{stream, StreamExt, TryStreamExt};

use crate::chain::{ChainError, CommittedUpdate, Project, RevealedUpdate};
use crate::content::{ContentError, ContentId, ContentStore};

/// How many files are fetched at the same time.
const CONCURRENT: usize = 16;

/// A revealed update of a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collected {
    /// Its slot.
    pub slot: u8,
    /// The trainer that committed it.
    pub trainer: Address,
    /// Its commitment.
    pub commitment: G1Affine,
    /// Digest of the revealed CID.
    pub cid: [u8; 32],
    /// The update, `d` entries, or why it cannot take part.
    pub update: Result<Vec<i16>, Exclusion>,
}

/// Why a revealed update cannot take part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Exclusion {
    /// The file could not be fetched.
    #[error("its file cannot be fetched: {0}")]
    Missing(ContentError),
    /// The file does not fit the project's model.
    #[error("its file is malformed: {0}")]
    Malformed(TensorError),
    /// The file is longer than an update's.
    #[error("its file {cid} has more than {limit} bytes")]
    TooLarge {
        /// The file.
        cid: String,
        /// Bytes of an update's file.
        limit: usize,
    },
    /// The file is not what was committed.
    #[error("its file does not match its commitment")]
    CommitmentMismatch,
}

/// Why the updates of a round cannot be collected. No trainer is at fault.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The content store does not answer, so nothing is known about the files.
    #[error(transparent)]
    Content(ContentError),
    /// A reveal without a commitment: the node withholds logs.
    #[error(
        "slot {slot} of round {round} was revealed and never committed: the Ethereum node withholds logs; use another with --rpc"
    )]
    NoCommitment {
        /// The slot.
        slot: u8,
        /// The round.
        round: u64,
    },
    /// The specification's model has no file format.
    #[error(transparent)]
    Model(TensorError),
    /// The reference string is too short, or cannot be used.
    #[error(transparent)]
    Reference(#[from] SrsError),
}

/// The revealed updates of a round in slot order, each with its update or the reason for its exclusion. Files are
/// fetched concurrently, with at most the bytes of an update each; one batch check covers all commitments.
///
/// # Errors
/// [`CollectError`] when chain or content store fail as a whole; that says nothing about any trainer.
pub async fn collect(
    project: &Project,
    store: &ContentStore,
    spec: &Specification,
    srs: &ReferenceString,
    round: u64,
) -> Result<Vec<Collected>, CollectError> {
    let (committed, revealed) = futures::try_join!(project.committed(round), project.revealed(round))?;
    collect_revealed(&committed, &revealed, store, spec, srs, round).await
}

/// [`collect`] for commitments and reveals that are known already, in any order.
///
/// # Errors
/// See [`collect`].
pub async fn collect_revealed(
    committed: &[CommittedUpdate],
    revealed: &[RevealedUpdate],
    store: &ContentStore,
    spec: &Specification,
    srs: &ReferenceString,
    round: u64,
) -> Result<Vec<Collected>, CollectError> {
    let mut revealed: Vec<&RevealedUpdate> = revealed.iter().collect();
    revealed.sort_by_key(|reveal| reveal.slot);
    let limit = encoded_len(&spec.model, FileKind::Update).map_err(CollectError::Model)?;
    let fetched = stream::iter(revealed.into_iter().map(|reveal| async move {
        let id = ContentId::from_digest(reveal.cid, limit);
        match store.fetch(&id, limit).await {
            Err(error) if error.is_node_fault() => Err(CollectError::Content(error)),
            Err(ContentError::TooLarge { cid, limit }) => {
                Ok((reveal, Err(Exclusion::TooLarge { cid, limit })))
            }
            Err(error) => Ok((reveal, Err(Exclusion::Missing(error)))),
            Ok(file) => Ok((reveal, decode_update(&spec.model, &file).map_err(Exclusion::Malformed))),
        }
    }))
    .buffered(CONCURRENT)
    .try_collect::<Vec<_>>()
    .await?;
    let mut collected = fetched
        .into_iter()
        .map(|(reveal, update)| {
            let slot = reveal.slot;
            let commit = committed
                .iter()
                .find(|commit| commit.slot == slot)
                .ok_or(CollectError::NoCommitment { slot, round })?;
            let (trainer, commitment) = (commit.trainer, commit.commitment);
            Ok(Collected { slot, trainer, commitment, cid: reveal.cid, update })
        })
        .collect::<Result<Vec<_>, CollectError>>()?;
    exclude_mismatches(srs, &mut collected)?;
    Ok(collected)
}

fn exclude_mismatches(srs: &ReferenceString, collected: &mut [Collected]) -> Result<(), CollectError> {
    let present: Vec<usize> = (0..collected.len()).filter(|&i| collected[i].update.is_ok()).collect();
    let pairs: Vec<(&[i16], G1Affine)> = present
        .iter()
        .filter_map(|&i| collected[i].update.as_ref().ok().map(|u| (u.as_slice(), collected[i].commitment)))
        .collect();
    let wrong = mismatching_commitments(srs, &pairs)?;
    drop(pairs);
    for index in wrong {
        collected[present[index]].update = Err(Exclusion::CommitmentMismatch);
    }
    Ok(())
}
