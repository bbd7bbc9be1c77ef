//! From a commitment on chain to its reveal. The update is put on IPFS here and not before: while others can still
//! commit, nobody shall be able to copy or average it.

use std::time::Duration;

use fairshare_client::Status;

use super::fault::Fault;
use super::run::Service;
use super::stage::{Shown, Stage};
use crate::conduct::Duty;

const ACTION: &str = "the reveal";
/// Seconds before the deadline at which the reveal no longer waits for IPFS; a third of a phase that is short.
const REVEAL_MARGIN: u64 = 120;
/// Time limit for putting the file on IPFS once the reveal is on chain.
const REVEALED_POST: Duration = Duration::from_secs(60);

impl Service {
    /// Opens the seal of this round's commitment. Can be called again and again until it succeeds.
    pub(super) async fn reveal(&mut self, status: &Status) -> Result<(), Fault> {
        let round = status.round;
        if let Some(reason) = self.options.conduct.refuses(Duty::Reveal) {
            return Err(Fault::OnPurpose(reason));
        }
        let Some(own) = self.round.submission().cloned() else { return Ok(()) };
        if !own.posted {
            self.post_first(status).await?;
        }
        let update = own.update.as_ref().ok_or_else(|| Fault::Lasting("the update is lost".into()))?;
        let record = &update.record;
        match self.project.reveal_update(round, record.cid, record.salt).await {
            Ok(receipt) => {
                let shown = Shown { block: receipt.block, revealed: true, attested: false };
                self.confirm(shown, Some(receipt));
                Ok(())
            }
            // A transaction of an earlier attempt may have been mined without an answer.
            Err(error) => {
                self.look_at_round(status).await?;
                match self.round.stage() {
                    Stage::Revealed { .. } | Stage::Attested(_) => Ok(()),
                    _ => Err(Fault::of_sending(ACTION, error)),
                }
            }
        }
    }

    /// Puts the file on IPFS before the CID is public. When that fails until shortly before the deadline, or in a way
    /// that lasts, the reveal goes first: without it the stake is lost, without the file others may not attest it in
    /// time.
    async fn post_first(&mut self, status: &Status) -> Result<(), Fault> {
        let period = u64::from(self.project.terms().reveal_period);
        let reason = match time_to_post(self.seconds_left(status), period) {
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
        let Some(own) = self.round.submission() else { return Ok(()) };
        if self.options.conduct.refuses(Duty::PostFile).is_none() {
            match own.update.as_ref().and_then(|update| update.file.as_ref()) {
                Some(file) => {
                    let late = |_| {
                        let seconds = time.as_secs();
                        Fault::MayPass(format!("putting the update on IPFS took more than {seconds} s"))
                    };
                    tokio::time::timeout(time, self.store.add(file)).await.map_err(late)??;
                }
                None => tracing::warn!(
                    round = self.round.id,
                    "the update's file is no longer in the state folder; others can fetch it only if IPFS still has it"
                ),
            }
        }
        self.round.posted();
        Ok(())
    }
}

/// Time limit for putting the file on IPFS with `left` seconds of a reveal phase of `period` seconds; `None` when the
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
