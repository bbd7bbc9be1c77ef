//! Recomputes a model from the updates of its rounds, in case its file is withheld.
//!
//! ```text
//! the newest file that can be fetched (or T_0 from its seed) --updates, weights--> .. --> T, checked against the chain
//! ```

use fairshare_circuits::ReferenceString;
use fairshare_protocol::{apply_step, Specification};

use crate::chain::{Project, SettledRound, Status};
use crate::collect::{collect, CollectError};
use crate::content::ContentStore;
use crate::project_files::{fetch_model, FileError};

/// How many publications of one model file are tried: each may cost a timeout.
const MOST_PUBLISHERS: usize = 8;

/// The model of `status`, computed from the newest earlier model that can be fetched and the updates and settled weights of
/// every round since. Each step is checked against the commitment on chain.
///
/// # Errors
/// [`FileError::Recompute`] names the round and what is missing; the faults of chain and IPFS.
pub async fn recompute_model(
    project: &Project,
    store: &ContentStore,
    spec: &Specification,
    srs: &ReferenceString,
    status: &Status,
) -> Result<Vec<i64>, FileError> {
    let mut rounds = project.settlements().await?;
    let known = rounds.iter().rposition(|round| round.model == status.model);
    rounds.truncate(known.map_or(0, |last| last + 1)); // rounds settled since `status` was read
    let (mut model, done) = newest(project, store, spec, srs, &rounds).await?;
    for round in &rounds[done..] {
        model = step(project, store, spec, srs, round, &model).await?;
    }
    Ok(model)
}

/// The newest model before the last of `rounds` whose file can be fetched, and how many rounds it includes. The first model
/// needs no file, since its seed determines it.
async fn newest(
    project: &Project,
    store: &ContentStore,
    spec: &Specification,
    srs: &ReferenceString,
    rounds: &[SettledRound],
) -> Result<(Vec<i64>, usize), FileError> {
    let before = rounds.split_last().map_or(&[][..], |(_, before)| before);
    for (index, round) in before.iter().enumerate().rev() {
        let published = project.published(round.round).await?;
        let published = published.iter().take(MOST_PUBLISHERS).map(|model| model.cid);
        for cid in [round.model_cid].into_iter().chain(published) {
            match fetch_model(project, store, spec, &round.model, cid, srs).await {
                Ok(model) => return Ok((model, index + 1)),
                Err(error) if is_fatal(&error) => return Err(error),
                Err(error) => {
                    tracing::debug!(round = round.round, %error, "this earlier model file cannot be used")
                }
            }
        }
    }
    let (initial, terms) =
        (spec.model.initial(spec.training.seed, spec.quantisation.scale_log2), project.terms());
    if srs.commit_model(&initial)? == terms.model {
        return Ok((initial, 0));
    }
    Ok((fetch_model(project, store, spec, &terms.model, terms.model_cid, srs).await?, 0))
}

/// Whether every other file would fail in the same way.
fn is_fatal(error: &FileError) -> bool {
    match error {
        FileError::Chain(_) | FileError::Reference(_) => true,
        FileError::Content(error) => error.is_node_fault(),
        _ => false,
    }
}

async fn step(
    project: &Project,
    store: &ContentStore,
    spec: &Specification,
    srs: &ReferenceString,
    settled: &SettledRound,
    before: &[i64],
) -> Result<Vec<i64>, FileError> {
    let round = settled.round;
    let failed = |reason: String| FileError::Recompute { round, reason };
    let collected = collect(project, store, spec, srs, round).await.map_err(|error| match error {
        CollectError::Chain(error) => FileError::Chain(error),
        CollectError::Content(error) => FileError::Content(error),
        CollectError::Reference(error) => FileError::Reference(error),
        other => failed(other.to_string()),
    })?;
    let mut weighted: Vec<(&[i16], u32)> = Vec::new();
    for (slot, weight) in (0u8..).zip(settled.weights.iter().copied()).filter(|(_, weight)| *weight > 0) {
        match collected.iter().find(|entry| entry.slot == slot).map(|entry| &entry.update) {
            Some(Ok(update)) => weighted.push((update, weight)),
            Some(Err(reason)) => return Err(failed(format!("the update of slot {slot}: {reason}"))),
            None => return Err(failed(format!("the Ethereum node does not show the reveal of slot {slot}"))),
        }
    }
    let model = apply_step(before, &weighted)
        .ok_or_else(|| failed("an entry of the new model leaves 64 bits".into()))?;
    if srs.commit_model(&model)? != settled.model {
        return Err(failed("the result does not match the commitment on the chain".into()));
    }
    Ok(model)
}
