//! From a commitment on chain to its reveal. The update is put on IPFS here and not before: while others can still
//! commit, nobody shall be able to copy or average it.

use std::time::Duration;

use fairshare_client::{Receipt, Status};

use super::fault::Fault;
use super::{seconds_left, transaction, Service};
use crate::behaviour::Behaviour;
use crate::event::Event;
use crate::state::RoundRecord;

const ACTION: &str = "the reveal";
/// Seconds before the deadline at which the reveal no longer waits for IPFS; a third of a phase that is short.
const REVEAL_MARGIN: u64 = 120;
/// How long putting the file on IPFS may take once the reveal is on chain.
const REVEALED_POST: Duration = Duration::from_secs(60);

impl Service {
    /// Opens the seal of this round's commitment. Can be called again and again until it succeeds.
    pub(super) async fn reveal(&mut self, status: &Status) -> Result<(), Fault> {
        let round = status.round;
        if self.options.behaviour == Behaviour::NoReveal {
            return Err(Fault::OnPurpose("this trainer does not reveal, on purpose (--behaviour no-reveal)"));
        }
        let (Some(slot), Some(record)) = (self.progress.slot, self.progress.record.clone()) else {
            return Ok(());
        };
        if !self.progress.posted {
            self.post_first(status).await?;
        }
        // When this cannot be known, the contract says it.
        let receipt = if self.is_revealed(round, slot).await.unwrap_or(false) {
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

    pub(super) async fn is_revealed(&self, round: u64, slot: u8) -> Result<bool, Fault> {
        Ok(self.project.round_state(round).await?.revealed_mask >> slot & 1 == 1)
    }

    fn tell_revealed(&mut self, slot: u8, record: &RoundRecord, receipt: Option<Receipt>) {
        self.progress.revealed = true;
        let cid = self.content_id(record).to_string();
        let (tx, gas) = (receipt.map(transaction), receipt.map(|r| r.gas_used));
        self.reporter.report(&Event::Revealed { round: self.progress.round, slot, cid, tx, gas });
    }

    /// Puts the file on IPFS before the CID is public. When that fails until shortly before the deadline, or in a way that
    /// lasts, the reveal goes first: without it the stake is lost, without the file others may not attest it in time.
    async fn post_first(&mut self, status: &Status) -> Result<(), Fault> {
        let period = u64::from(self.project.terms().reveal_period);
        let reason = match time_to_post(seconds_left(status), period) {
            Some(time) => match self.post(time).await {
                Err(Fault::Lasting(reason)) => reason,
                result => return result,
            },
            None => "the phase ends soon".into(),
        };
        tracing::warn!(round = status.round, reason, "revealing without the file on IPFS, to keep the stake");
        Ok(())
    }

    /// Puts the file on IPFS after a reveal that could not wait for it: the others may still find it.
    pub(super) async fn post_late(&mut self) -> Result<(), Fault> {
        self.post(REVEALED_POST).await.map_err(Fault::at_risk)
    }

    /// Puts the file on IPFS, once in the life of this process: a node that lost it since the last one gets it again.
    async fn post(&mut self, time: Duration) -> Result<(), Fault> {
        let Some(record) = &self.progress.record else { return Ok(()) };
        if self.options.behaviour != Behaviour::WithholdBytes {
            match self.state.update_file(record) {
                Some(file) => {
                    let late = |_| {
                        Fault::MayPass(format!(
                            "putting the update on IPFS took more than {} s",
                            time.as_secs()
                        ))
                    };
                    tokio::time::timeout(time, self.store.add(&file)).await.map_err(late)??;
                }
                None => tracing::warn!(
                    round = record.round,
                    "the update's file is no longer in the state folder; IPFS must have it"
                ),
            }
        }
        self.progress.posted = true;
        Ok(())
    }
}

/// How long putting the file on IPFS may take with `left` seconds of a reveal phase of `period` seconds; `None` when the
/// reveal cannot wait any more.
fn time_to_post(left: u64, period: u64) -> Option<Duration> {
    let time = left.saturating_sub(REVEAL_MARGIN.min(period / 3));
    (time > 0).then(|| Duration::from_secs(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reveal_waits_for_ipfs_until_shortly_before_the_deadline() {
        assert_eq!(time_to_post(600, 600), Some(Duration::from_secs(480)));
        assert_eq!(time_to_post(121, 600), Some(Duration::from_secs(1)));
        assert_eq!(time_to_post(120, 600), None);
        assert_eq!(time_to_post(30, 30), Some(Duration::from_secs(20)));
        assert_eq!(time_to_post(10, 30), None);
        assert_eq!(time_to_post(1, 1), Some(Duration::from_secs(1)));
        assert_eq!(time_to_post(0, 1), None);
    }
}
