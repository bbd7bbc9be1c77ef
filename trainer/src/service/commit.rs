//! From the model on chain to a commitment on chain.

use fairshare_node::{fetch_model, seal, ContentId, Status};
use rand::RngCore;

use super::fault::Fault;
use super::{transaction, Service};
use crate::behaviour::Behaviour;
use crate::error::TrainerError;
use crate::event::Event;
use crate::round::{local_update, HyperParameters, LocalUpdate};
use crate::seed::RoundSeed;
use crate::state::RoundRecord;

const ACTION: &str = "the commitment";

impl Service {
    /// Brings this round's commitment onto the chain. Can be called again and again until it succeeds.
    pub(super) async fn commit(&mut self, status: &Status) -> Result<(), Fault> {
        if self.options.behaviour == Behaviour::Silent {
            return Err(Fault::Lasting("this trainer is silent on purpose (--behaviour silent)".into()));
        }
        if self.find_commitment(status.round).await? {
            return Ok(());
        }
        let (record, file) = match self.stored(status)? {
            Some(found) => found,
            None => self.prepare(status).await?,
        };
        self.progress.record = Some(record.clone());
        self.post(&file).await?;
        let commitment =
            record.commitment().ok_or_else(|| Fault::Lasting("the stored commitment is no point".into()))?;
        let sealed = seal(record.cid, self.me, record.salt);
        match self.project.commit_update(status.round, &commitment, sealed).await {
            Ok(receipt) => self.progress.sent = Some(receipt),
            // A transaction of an earlier attempt may have gone through unseen: then it is on chain.
            Err(error) => {
                return if self.find_commitment(status.round).await? {
                    Ok(())
                } else {
                    Err(Fault::of_sending(ACTION, error))
                };
            }
        }
        self.find_commitment(status.round).await.map(drop)
    }

    /// Whether the wallet's commitment of the round is on chain; if so, it is matched with the stored record and told.
    pub(super) async fn find_commitment(&mut self, round: u64) -> Result<bool, Fault> {
        let Some(slot) = self.project.slot_of(round, self.me).await? else { return Ok(false) };
        let record = match self.progress.record.take() {
            Some(record) => Some(record),
            None => self.state.record(round)?,
        };
        let posted = self.project.committed(round).await?.into_iter().find(|c| c.slot == slot);
        let ours = |r: &RoundRecord| {
            let sealed = seal(r.cid, self.me, r.salt);
            posted.as_ref().is_some_and(|p| p.seal == sealed && Some(p.commitment) == r.commitment())
        };
        let Some(record) = record.filter(ours) else {
            return Err(Fault::Lasting(format!(
                "slot {slot} holds a commitment of this wallet that this state folder knows nothing of: it cannot be \
                 revealed from here, and the stake is lost unless the process that made it reveals it (check --state)"
            )));
        };
        let cid = self.content_id(&record).to_string();
        let sent = self.progress.sent;
        self.progress.record = Some(record);
        self.progress.slot = Some(slot);
        self.reporter.report(&Event::Committed {
            round,
            slot,
            cid,
            tx: sent.map(transaction),
            gas: sent.map(|r| r.gas_used),
        });
        Ok(true)
    }

    /// The CID of an update's file.
    pub(super) fn content_id(&self, record: &RoundRecord) -> ContentId {
        let length = self.state.update_file(record).map_or(0, |file| file.len());
        ContentId::from_digest(record.cid, length)
    }

    /// What an earlier attempt, or process, prepared from the same model.
    fn stored(&self, status: &Status) -> Result<Option<(RoundRecord, Vec<u8>)>, TrainerError> {
        let record = self.state.record(status.round)?.filter(|record| record.model_cid == status.model_cid);
        Ok(record.and_then(|record| self.state.update_file(&record).map(|file| (record, file))))
    }

    /// Trains, commits and stores: nothing of it has left the machine when this returns.
    async fn prepare(&self, status: &Status) -> Result<(RoundRecord, Vec<u8>), Fault> {
        let Self { project, store, specification, reference, .. } = self;
        let global =
            fetch_model(project, store, specification, &status.model, status.model_cid, reference).await?;
        let local = self.train(status, global).await?;
        self.reporter.report(&Event::Training {
            round: status.round,
            loss_before: local.loss_before,
            loss_after: local.loss_after,
            clamped_share: local.clamped_share,
            seconds: local.seconds,
        });
        let behaviour = self.options.behaviour;
        let file = behaviour.posted_file(&specification.model, &local.update).map_err(TrainerError::from)?;
        let reference = self.reference.clone();
        let commitment = tokio::task::spawn_blocking(move || reference.commit_update(&local.update))
            .await
            .map_err(|_| TrainerError::Broken("the commitment"))??;
        let mut salt = [0; 32];
        rand::rngs::OsRng.fill_bytes(&mut salt);
        let cid = ContentId::of(&file).digest();
        let record = RoundRecord::new(status.round, status.model_cid, &commitment, cid, salt);
        self.state.keep(&record, &file)?;
        Ok((record, file))
    }

    async fn train(&self, status: &Status, global: Vec<i64>) -> Result<LocalUpdate, TrainerError> {
        let (specification, data, behaviour) =
            (self.specification.clone(), self.data.clone(), self.options.behaviour);
        let hyper =
            HyperParameters { learning_rate: status.learning_rate, local_epochs: status.local_epochs };
        let seed =
            RoundSeed { seed: self.options.seed, project: self.project.address(), round: status.round };
        tokio::task::spawn_blocking(move || {
            local_update(&specification, &global, &data, hyper, behaviour, &seed)
        })
        .await
        .map_err(|_| TrainerError::Broken("the training"))?
    }

    /// Puts the file on IPFS, once in the life of this process: a node that lost it since the last one gets it again.
    pub(super) async fn post(&mut self, file: &[u8]) -> Result<(), Fault> {
        if !self.progress.posted && self.options.behaviour != Behaviour::Withhold {
            self.store.add(file).await?;
        }
        self.progress.posted = true;
        Ok(())
    }
}
