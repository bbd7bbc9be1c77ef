//! The model that a round starts from, and who served its file.
//!
//! ```text
//! the payee's file, early in the phase   -> the payee is the source
//! else the first publisher's file        -> the publisher is the source
//! else computed again from the updates   -> published here, unless --no-publish: then this trainer is the source
//! ```
//!
//! A file has one CID whoever serves it, so the payee's can appear when a publisher puts the same bytes on IPFS. Time
//! decides: a payee whose file is there within an eighth of the phase is its source, and nobody publishes earlier.

use std::sync::Arc;
use std::time::Duration;

use fairshare_client::{
    fetch_model, rebuild, ContentError, ContentId, ContentStore, FileError, OpenModel, Status,
};
use fairshare_protocol::{encode_model, Address};
use rand::Rng;

use super::fault::Fault;
use super::last_model::LastModel;
use super::run::{transaction, Service, STAGGER};
use crate::error::TrainerError;
use crate::event::Event;

/// We wait for a missing model file this part of a phase.
const PATIENCE: u64 = 8;
/// The most publishers of one model file that we try: each may cost a timeout.
const MOST_PUBLISHERS: usize = 8;

impl Service {
    /// The model before the open round. That the payee's file may still come, or that nobody serves one, is a fault
    /// that may pass.
    pub(super) async fn current_model(&mut self, status: &Status) -> Result<Arc<Vec<i64>>, Fault> {
        let open = self.open_model(status).await?;
        let period = u64::from(self.project.terms().commit_period);
        self.look_for_model(status, &open, period).await?;
        self.serve_model(status, &open).await;
        self.last_model.entries.clone().ok_or_else(|| Fault::MayPass("the model is not there yet".into()))
    }

    /// Who served the last model file, as far as that can be known now; looks for the file first when nobody has yet.
    pub(super) async fn model_source(
        &mut self,
        status: &Status,
        open: &OpenModel,
        period: u64,
    ) -> Result<Option<Address>, Fault> {
        if self.last_model.record.source().is_none() {
            self.look_for_model(status, open, period).await?;
            self.serve_model(status, open).await;
        }
        Ok(self.last_model.record.source())
    }

    /// The model whose fee is open. Forgets what is known of another one.
    pub(super) async fn open_model(&mut self, status: &Status) -> Result<OpenModel, Fault> {
        let open = self.project.open_model().await?;
        let known = &self.last_model;
        if known.cid != Some(status.model_cid) || (open.round != 0 && known.record.round != open.round) {
            self.last_model = LastModel {
                cid: Some(status.model_cid),
                record: self.state.model_record(open.round),
                ..LastModel::default()
            };
        }
        Ok(open)
    }

    /// One attempt at the entries, and at a source of the file while its fee is open.
    async fn look_for_model(&mut self, status: &Status, open: &OpenModel, period: u64) -> Result<(), Fault> {
        let fee_is_open = open.round != 0;
        if self.last_model.entries.is_some() && (!fee_is_open || self.last_model.record.source().is_some()) {
            return Ok(());
        }
        if status.settled == 0 {
            // The owner's first model: nobody else can serve it.
            let store = self.store.clone();
            self.last_model.entries = Some(self.model_file(&store, status, status.model_cid).await?);
            return Ok(());
        }
        let patience = period / PATIENCE;
        let store = self.quick_store(patience)?;
        if !self.last_model.record.late {
            match self.model_file(&store, status, status.model_cid).await {
                Ok(entries) => return self.fetched_from(open, open.payee, entries),
                Err(error) if is_node_fault(&error) => return Err(error.into()),
                Err(error) if self.elapsed(status, period) < patience => {
                    return Err(Fault::MayPass(format!(
                        "the last round's model file is not there yet: {error}"
                    )))
                }
                Err(error) => {
                    tracing::warn!(%error, "nobody served the last round's model file early in the phase");
                    self.last_model.record.late = true;
                    self.state.keep_model_record(&self.last_model.record)?;
                }
            }
        }
        if fee_is_open && self.fetched_from_a_publisher(&store, status, open).await? {
            return Ok(());
        }
        if let Ok(entries) = self.model_file(&store, status, status.model_cid).await {
            // It may be a publisher's work of this moment.
            if fee_is_open && self.fetched_from_a_publisher(&store, status, open).await? {
                return Ok(());
            }
            return self.fetched_from(open, open.payee, entries);
        }
        if self.last_model.entries.is_none() {
            self.recompute(status).await?;
        }
        Ok(())
    }

    /// Tries the publications in the order of the log.
    async fn fetched_from_a_publisher(
        &mut self,
        store: &ContentStore,
        status: &Status,
        open: &OpenModel,
    ) -> Result<bool, Fault> {
        for publication in self.project.published(open.round).await?.into_iter().take(MOST_PUBLISHERS) {
            if self.last_model.idle.contains(&publication.publisher) {
                continue;
            }
            if publication.publisher == self.me {
                // Ours, from before; `serve_model` puts it on IPFS again.
                if self.last_model.entries.is_none() {
                    self.recompute(status).await?;
                }
                self.last_model.record.set_source(self.me);
                self.state.keep_model_record(&self.last_model.record)?;
                return Ok(true);
            }
            match self.model_file(store, status, publication.cid).await {
                Ok(entries) => {
                    self.fetched_from(open, publication.publisher, entries)?;
                    return Ok(true);
                }
                Err(error) if is_node_fault(&error) => return Err(error.into()),
                Err(error) => {
                    tracing::warn!(%error, "a published model file is not the model, or missing");
                    self.last_model.idle.insert(publication.publisher);
                }
            }
        }
        Ok(false)
    }

    fn fetched_from(
        &mut self,
        open: &OpenModel,
        source: Address,
        entries: Arc<Vec<i64>>,
    ) -> Result<(), Fault> {
        self.last_model.entries = Some(entries);
        if open.round != 0 {
            self.last_model.record.set_source(source);
            self.state.keep_model_record(&self.last_model.record)?;
        }
        Ok(())
    }

    async fn model_file(
        &self,
        store: &ContentStore,
        status: &Status,
        cid: [u8; 32],
    ) -> Result<Arc<Vec<i64>>, FileError> {
        let Self { project, specification, reference, .. } = self;
        fetch_model(project, store, specification, &status.model, cid, reference).await.map(Arc::new)
    }

    /// Computes the model again from the last settled round's updates.
    async fn recompute(&mut self, status: &Status) -> Result<(), Fault> {
        let Self { project, store, specification, reference, .. } = self;
        let entries =
            rebuild::recompute_model(project, store, specification, reference, status).await.map_err(
                |error| Fault::MayPass(format!("the last round's model cannot be computed again: {error}")),
            )?;
        let file = encode_model(&self.specification.model, &entries).map_err(TrainerError::from)?;
        let (round, cid) = (self.last_model.record.round, ContentId::of(&file).to_string());
        self.last_model.entries = Some(Arc::new(entries));
        self.reporter.report(&Event::ModelRecomputed { round, cid });
        Ok(())
    }

    /// Publishes a model that nobody serves: first on chain, so that who is first is not in doubt, then on IPFS.
    /// Training does not wait for a failure of this.
    async fn serve_model(&mut self, status: &Status, open: &OpenModel) {
        if !self.options.publish || open.round == 0 || self.last_model.served || !self.last_model.record.late
        {
            return;
        }
        if let Err(fault) = self.publish_model(status, open).await {
            tracing::warn!(round = open.round, ?fault, "the model could not be published");
        }
    }

    async fn publish_model(&mut self, status: &Status, open: &OpenModel) -> Result<(), Fault> {
        let Some(entries) = self.last_model.entries.clone() else { return Ok(()) };
        if self.last_model.record.source().is_some_and(|source| source != self.me) {
            return Ok(());
        }
        let file = encode_model(&self.specification.model, &entries).map_err(TrainerError::from)?;
        let cid = ContentId::of(&file);
        let store = self.quick_store(u64::from(self.project.terms().attest_period) / PATIENCE)?;
        let is_mine = |all: Vec<fairshare_client::PublishedModel>, me| all.iter().any(|p| p.publisher == me);
        if !is_mine(self.project.published(open.round).await?, self.me) {
            // Ten trainers need not pay for one file.
            tokio::time::sleep(rand::thread_rng().gen_range(Duration::ZERO..STAGGER)).await;
            if self.fetched_from_a_publisher(&store, status, open).await? {
                return Ok(());
            }
            let receipt = self.project.publish_model(cid.digest()).await?;
            self.reporter.report(&Event::ModelPublished {
                round: open.round,
                cid: cid.to_string(),
                transaction: Some(transaction(receipt)),
                gas: Some(receipt.gas_used),
            });
        }
        store.add(&file).await?;
        self.last_model.served = true;
        // Whoever was first on the chain is the source.
        self.fetched_from_a_publisher(&store, status, open).await?;
        Ok(())
    }

    /// The content store with a shorter time limit than the user's where the phase is short.
    pub(super) fn quick_store(&self, patience: u64) -> Result<ContentStore, Fault> {
        let seconds = (patience / 2).clamp(1, self.options.ipfs_timeout.as_secs().max(1));
        Ok(ContentStore::new(self.store.api(), Duration::from_secs(seconds))?)
    }
}

fn is_node_fault(error: &FileError) -> bool {
    match error {
        FileError::Chain(error) => error.is_node_fault(),
        FileError::Content(error @ ContentError::Unreachable { .. }) => error.is_node_fault(),
        _ => false,
    }
}
