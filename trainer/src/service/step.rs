//! One step: what the stage and the phase ask for now, and what becomes of a failure.

use std::time::Duration;

use fairshare_client::service::Backoff;
use fairshare_client::{Phase, Status};

use super::fault::Fault;
use super::run::Service;
use super::stage::{OpenRound, Stage};
use crate::event::Event;

const COMMIT_ENDED: &str = "the commit phase ended before a commitment was on chain";
const REVEAL_ENDED: &str = "the reveal phase ended before the reveal was on chain";
const ATTEST_ENDED: &str =
    "the attest phase ended before the attestation was on chain: the round pays nothing";

impl Service {
    /// Does what is due in this phase.
    pub(super) async fn step(&mut self, status: &Status) {
        if status.round != self.round.id {
            self.close_round("the next round has begun");
            self.round = OpenRound::new(status.round);
        }
        if !self.round.enter(status.phase) {
            tracing::warn!(round = status.round, phase = %status.phase, "the chain went back to an earlier phase");
        }
        if !self.round.wait.is_due() {
            return;
        }
        match self.act(status).await {
            Ok(()) => {
                self.round.wait = Backoff::default();
                self.round.last_fault = None;
            }
            Err(fault) => self.note(status, fault),
        }
    }

    async fn act(&mut self, status: &Status) -> Result<(), Fault> {
        let phase = status.phase;
        if self.round.needs_look(status.block) {
            let looked = self.look_at_round(status).await;
            // While the stage is in time, what this process knows is enough to go on.
            if let Err(fault) = looked {
                if self.round.submission().is_none() || !self.round.is_in_time() {
                    return Err(fault);
                }
                tracing::debug!(round = status.round, ?fault, "commitment and reveal could not be confirmed");
            }
        }
        self.restore_files();
        match (phase, self.round.stage()) {
            (Phase::Registration | Phase::Completed | Phase::WoundUp, _) => return Ok(()),
            (_, Stage::Closed) => {}
            (Phase::Commit, Stage::Unknown(_) | Stage::Idle | Stage::Prepared { .. }) => {
                return self.commit(status).await
            }
            (Phase::Reveal, Stage::Unknown(_) | Stage::Prepared { .. }) => {
                let known = self.round.last_fault.clone();
                let reason = || "a commitment was prepared and the chain does not show it".to_owned();
                return Err(Fault::MayPass(known.unwrap_or_else(reason)));
            }
            (_, Stage::Unknown(_) | Stage::Idle | Stage::Prepared { .. }) => self.close_round(COMMIT_ENDED),
            (Phase::Commit, _) => {}
            (Phase::Reveal, Stage::Committed(_)) => return self.reveal(status).await,
            (_, Stage::Committed(_)) => self.close_round(REVEAL_ENDED),
            (Phase::Reveal | Phase::Attest, Stage::Revealed { own, .. } | Stage::Attested(own))
                if !own.posted =>
            {
                return self.post_late().await
            }
            (Phase::Attest, Stage::Revealed { .. }) => return self.attest(status).await,
            (Phase::Aggregate | Phase::Closing, Stage::Revealed { .. }) => self.close_round(ATTEST_ENDED),
            (_, Stage::Revealed { .. } | Stage::Attested(_)) => {}
        }
        if phase == Phase::Closing && !self.round.model_voted {
            return self.attest_model(status).await;
        }
        Ok(())
    }

    /// Keeps a fault that may pass for the next attempt; reports one that does not, and gives the round up. While
    /// that can cost the stake, every fault may pass.
    fn note(&mut self, status: &Status, fault: Fault) {
        let round = self.round.id;
        let is_new = |told: &Option<String>, reason: &str| told.as_deref() != Some(reason);
        let kept = if self.round.is_stake_at_risk() { fault.clone().at_risk() } else { fault.clone() };
        if let Fault::Refused { action, reason } = fault {
            let again = matches!(&kept, Fault::MayPass(kept) if !is_new(&self.round.last_fault, kept));
            if !again {
                self.reporter.report(&Event::Refused { round, action, reason });
            }
        }
        let reason = match kept {
            Fault::MayPass(reason) => {
                let left = Duration::from_secs(self.seconds_left(status).max(4));
                let seconds = self.round.wait.failed(Backoff::LONGEST.min(left / 4)).as_secs_f64();
                if is_new(&self.round.last_fault, &reason) {
                    tracing::warn!(
                        round,
                        reason,
                        seconds,
                        "this failed; it is tried again while the phase is open"
                    );
                } else {
                    tracing::debug!(round, reason, seconds, "the same failure again");
                }
                self.round.last_fault = Some(reason);
                return;
            }
            Fault::Refused { action, reason } => format!("the contract refused {action}: {reason}"),
            Fault::Lasting(reason) => reason,
            Fault::OnPurpose(reason) => reason.to_owned(),
        };
        self.round.last_fault = None;
        self.close_round(&reason);
    }

    /// Reports once that the round goes on, or is over, without this trainer.
    pub(super) fn close_round(&mut self, reason: &str) {
        if self.round.close() {
            let reason = match self.round.last_fault.take() {
                Some(fault) => format!("{reason}; the last attempt: {fault}"),
                None => reason.to_owned(),
            };
            self.reporter.report(&Event::RoundSkipped { round: self.round.id, reason });
        }
    }
}
