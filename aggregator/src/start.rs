//! Checks before the start: nothing is spent until wallet, project and keys fit together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fairshare_circuits::{AssessmentKeys, ReferenceString};
use fairshare_client::service::{Reporter, Session, Stop};
use fairshare_client::{watched, Phase};
use fairshare_protocol::RuleName;

use crate::error::AggregatorError;
use crate::funds::check_funds;
use crate::round::round_terms;
use crate::service::{Options, Service};
use crate::settle::Prover;
use crate::state::StateFolder;

/// Parameters of [`start`].
pub struct Setup {
    /// The project, opened with the wallet that settles.
    pub session: Session,
    /// Folder of reference strings and proving keys.
    pub keys_folder: PathBuf,
    /// Folder of this aggregator.
    pub state_folder: PathBuf,
    /// Where events go.
    pub reporter: Reporter,
    /// What the user decides.
    pub options: Options,
    /// The request to stop.
    pub stop: Stop,
}

/// Checks wallet, project and keys, and returns an aggregator that is ready to [`Service::run`]. Spends nothing.
///
/// # Errors
/// [`AggregatorError`] names the mismatch and the remedy.
pub async fn start(setup: Setup) -> Result<Service, AggregatorError> {
    let Setup { session, keys_folder, state_folder, reporter, options, stop } = setup;
    let me = session.chain().account()?;
    let terms = session.project.terms().clone();
    let named = terms.aggregator == me;
    if !named && !options.open {
        let (wallet, named) = (me.to_string(), terms.aggregator.to_string());
        return Err(AggregatorError::NotTheAggregator { wallet, named });
    }
    let rule = round_terms(&terms)?.policy.for_round(terms.min_active.into()).rule();
    let (committed, dev) = session.keys().await?;
    let status = session.project.status().await?;
    if named && status.phase == Phase::Registration && !status.bond_placed {
        check_funds(session.chain(), me, &terms).await?;
    }
    let state = StateFolder::open(&state_folder)?;
    let (dimension, slots) = (terms.dimension as usize, terms.slots);
    let (srs, keys) = open_keys(&keys_folder, dimension, rule, slots).await?;
    let prover = Prover { srs: Arc::new(srs), keys: Arc::new(keys), committed: Arc::new(committed) };
    let service = Service::new(session, prover, me, state, reporter, options, stop);
    service.report_start(dev).await?;
    Ok(service)
}

/// Opens the reference string and the proving key; makes the development ones where they are missing, which takes a
/// while.
async fn open_keys(
    folder: &Path,
    dimension: usize,
    rule: RuleName,
    slots: u8,
) -> Result<(ReferenceString, AssessmentKeys), AggregatorError> {
    let folder = folder.to_owned();
    let fault = |error: &dyn std::error::Error| AggregatorError::Keys(error.to_string());
    watched("opening the reference string and the proving key, or making the DEV ones, once", move || {
        let srs = ReferenceString::open_dev(&folder, dimension).map_err(|error| fault(&error))?;
        let keys = AssessmentKeys::open_dev(&folder, rule, slots).map_err(|error| fault(&error))?;
        Ok((srs, keys))
    })
    .await
    .map_err(|lost| AggregatorError::Computation(lost.to_string()))?
}
