//! From a commitment on chain to its reveal.

use fairshare_node::Status;

use super::fault::Fault;
use super::{transaction, Service};
use crate::behaviour::Behaviour;
use crate::event::Event;

const ACTION: &str = "the reveal";

impl Service {
    /// Opens the seal of this round's commitment. Can be called again and again until it succeeds.
    pub(super) async fn reveal(&mut self, status: &Status) -> Result<(), Fault> {
        let round = status.round;
        if self.options.behaviour == Behaviour::NoReveal {
            return Err(Fault::Lasting(
                "this trainer does not reveal, on purpose (--behaviour no-reveal)".into(),
            ));
        }
        let (Some(slot), Some(record)) = (self.progress.slot, self.progress.record.clone()) else {
            return Ok(());
        };
        if !self.progress.posted {
            self.post_again(status).await?;
        }
        let is_revealed = async |service: &Self| -> Result<bool, Fault> {
            Ok(service.project.round_state(round).await?.revealed_mask >> slot & 1 == 1)
        };
        let receipt = if is_revealed(self).await? {
            None
        } else {
            match self.project.reveal_update(round, record.cid, record.salt).await {
                Ok(receipt) => Some(receipt),
                // A transaction of an earlier attempt may have gone through unseen.
                Err(_) if is_revealed(self).await? => None,
                Err(error) => return Err(Fault::of_sending(ACTION, error)),
            }
        };
        self.progress.revealed = true;
        let cid = self.content_id(&record).to_string();
        let (tx, gas) = (receipt.map(transaction), receipt.map(|r| r.gas_used));
        self.reporter.report(&Event::Revealed { round, slot, cid, tx, gas });
        Ok(())
    }

    /// After a restart the file goes onto IPFS again, before the aggregator looks for it. When IPFS is down for half of
    /// the phase the reveal goes first: without it the stake is lost, without the file only this round's pay.
    async fn post_again(&mut self, status: &Status) -> Result<(), Fault> {
        let Some(file) = self.progress.record.as_ref().and_then(|record| self.state.update_file(record))
        else {
            tracing::warn!(
                round = status.round,
                "the update's file is no longer in the state folder; IPFS must have it"
            );
            self.progress.posted = true;
            return Ok(());
        };
        let left = status.deadline.saturating_sub(status.now);
        match self.post(&file).await {
            Err(Fault::MayPass(reason)) if left <= u64::from(self.project.terms().reveal_period) / 2 => {
                tracing::warn!(
                    round = status.round,
                    reason,
                    "revealing without the file on IPFS, to keep the stake"
                );
                self.progress.posted = true;
                Ok(())
            }
            result => result,
        }
    }
}
