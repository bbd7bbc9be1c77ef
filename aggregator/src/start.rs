//! Checks before the start: nothing is spent until wallet, project and keys fit together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use fairshare_circuits::{AssessmentKeys, PinnedKeys, ReferenceString};
use fairshare_client::service::{Reporter, Stop};
use fairshare_client::{fetch_specification, format_address, watched, Chain, ContentStore, Phase, Project};
use fairshare_protocol::RuleName;

use crate::error::AggregatorError;
use crate::funds::check_funds;
use crate::round::round_terms;
use crate::service::{Options, Service};
use crate::settle::Prover;
use crate::state::StateFolder;

/// Parameters of [`start`].
pub struct Setup {
    /// The chain, with the wallet that settles.
    pub chain: Chain,
    /// The project.
    pub project: Project,
    /// IPFS.
    pub store: ContentStore,
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
    let Setup { chain, project, store, keys_folder, state_folder, reporter, options, stop } = setup;
    let me = chain.account()?;
    let terms = project.terms();
    let named = terms.aggregator == me;
    if !named && !options.open {
        let (wallet, named) = (format_address(&me), format_address(&terms.aggregator));
        return Err(AggregatorError::NotTheAggregator { wallet, named });
    }
    let rule = round_terms(terms)?.policy.for_round(terms.min_active.into()).rule();
    let committed = PinnedKeys::load();
    let market = project.market().await?;
    let registered = market.registered_keys(&chain).await?;
    if registered.hash != committed.hash() {
        let word = |word: [u8; 32]| format!("0x{}", hex::encode(word));
        return Err(AggregatorError::KeysHash {
            on_chain: word(registered.hash),
            here: word(committed.hash()),
        });
    }
    let status = project.status().await?;
    if named && status.phase == Phase::Registration && !status.bond_placed {
        check_funds(&chain, me, terms).await?;
    }
    let spec = fetch_specification(&project, &store).await?;
    let state = StateFolder::open(&state_folder)?;
    let (dimension, slots) = (terms.dimension as usize, terms.slots);
    let (srs, keys) = open_keys(&keys_folder, dimension, rule, slots).await?;
    let prover = Prover { srs: Arc::new(srs), keys: Arc::new(keys), committed: Arc::new(committed) };
    let dev = registered.dev;
    let service = Service::new(chain, project, store, spec, prover, me, state, reporter, options, stop);
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
