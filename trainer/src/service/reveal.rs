//! From a commitment on chain to its reveal.

use fairshare_node::{Receipt, Status};

use super::fault::Fault;
use super::{transaction, Service};
use crate::behaviour::Behaviour;
use crate::event::Event;
use crate::state::RoundRecord;

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
        let receipt = if self.is_revealed(round, slot).await? {
            None
        } else {
            match self.project.reveal_update(round, record.cid, record.salt).await {
                Ok(receipt) => Some(receipt),
                // A transaction of an earlier attempt may have gone through unseen.
                Err(_) if self.is_revealed(round, slot).await? => None,
                Err(error) => return Err(Fault::of_sending(ACTION, error)),
            }
        };
        self.tell_revealed(slot, &record, receipt);
        Ok(())
    }

    /// After the phase: whether a reveal of an earlier attempt, or process, went through unseen.
    pub(super) async fn look_for_reveal(&mut self, round: u64) -> Result<(), Fault> {
        let (Some(slot), Some(record)) = (self.progress.slot, self.progress.record.clone()) else {
            return Ok(());
        };
        if self.is_revealed(round, slot).await? {
            self.tell_revealed(slot, &record, None);
        } else {
            self.close_round("the reveal phase ended before the reveal was on chain");
        }
        Ok(())
    }

    async fn is_revealed(&self, round: u64, slot: u8) -> Result<bool, Fault> {
        Ok(self.project.round_state(round).await?.revealed_mask >> slot & 1 == 1)
    }

    fn tell_revealed(&mut self, slot: u8, record: &RoundRecord, receipt: Option<Receipt>) {
        self.progress.revealed = true;
        let cid = self.content_id(record).to_string();
        let (tx, gas) = (receipt.map(transaction), receipt.map(|r| r.gas_used));
        self.reporter.report(&Event::Revealed { round: self.progress.round, slot, cid, tx, gas });
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
