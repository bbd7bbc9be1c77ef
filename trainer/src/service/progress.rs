//! How far this process is in the open round.

use std::time::Duration;

use fairshare_client::{Phase, Receipt};
use tokio::time::Instant;

use super::after;
use crate::state::RoundRecord;

const FIRST_WAIT: Duration = Duration::from_millis(300);
/// The longest wait between two attempts.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Waits that double from one failure to the next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Backoff {
    due: Option<Instant>,
    wait: Duration,
}

impl Backoff {
    /// True before the first wait.
    pub(super) fn is_fresh(&self) -> bool {
        self.due.is_none()
    }

    /// True when nothing has to be waited for.
    pub(super) fn is_due(&self) -> bool {
        self.due.is_none_or(|due| Instant::now() >= due)
    }

    /// Waits before the first attempt.
    pub(super) fn begin_after(&mut self, wait: Duration) {
        self.due = Some(after(wait));
    }

    /// Waits before the next attempt, at most `longest` where that is more than the first wait, and says for how long.
    pub(super) fn failed(&mut self, longest: Duration) -> Duration {
        self.wait = (self.wait * 2).clamp(FIRST_WAIT, longest.max(FIRST_WAIT));
        self.due = Some(after(self.wait));
        self.wait
    }
}

/// How far this process is in the open round. What the chain knows better is asked of the chain.
#[derive(Debug)]
pub(super) struct Progress {
    /// The round's id; 0 before the first.
    pub(super) round: u64,
    /// The phase that was seen last.
    pub(super) phase: Phase,
    /// The block at which the chain was last asked how far we are.
    pub(super) asked_at: Option<u64>,
    /// Whether a commitment of ours may be on chain or on its way: false only when the chain knows none and none was
    /// prepared.
    pub(super) may_be_committed: bool,
    /// The update, once it is stored.
    pub(super) record: Option<RoundRecord>,
    /// Whether this process put the file on IPFS, or cannot.
    pub(super) posted: bool,
    /// The committing transaction, when this process sent it.
    pub(super) sent: Option<Receipt>,
    /// The slot, once the commitment is on chain.
    pub(super) slot: Option<u8>,
    /// Whether the reveal is on chain.
    pub(super) revealed: bool,
    /// Slots whose bytes this process found to give their commitments.
    pub(super) good: u128,
    /// Whether the attestation is on chain.
    pub(super) attested: bool,
    /// Whether nothing more is to be said of the last model file in Closing.
    pub(super) model_attested: bool,
    /// Whether nothing more is to be done.
    closed: bool,
    /// Why the last attempt failed.
    pub(super) last_fault: Option<String>,
    /// When to try again.
    pub(super) wait: Backoff,
    /// Whose commitment a copycat took.
    pub(super) victim: Option<fairshare_client::Address20>,
}

impl Progress {
    /// At the start of a round.
    pub(super) fn new(round: u64) -> Self {
        Self {
            round,
            phase: Phase::Registration,
            asked_at: None,
            may_be_committed: true,
            record: None,
            posted: false,
            sent: None,
            slot: None,
            revealed: false,
            good: 0,
            attested: false,
            model_attested: false,
            closed: false,
            last_fault: None,
            wait: Backoff::default(),
            victim: None,
        }
    }

    /// Takes note of the phase. False when it is an earlier one than before: then the chain went back, and nothing that
    /// is remembered of it counts.
    pub(super) fn enter(&mut self, phase: Phase) -> bool {
        if phase < self.phase {
            return false;
        }
        if phase > self.phase {
            self.phase = phase;
            self.wait = Backoff::default();
        }
        true
    }

    /// True while giving up can cost the stake: a commitment of ours may be on chain and can still be revealed.
    pub(super) fn is_stake_at_risk(&self) -> bool {
        self.round != 0
            && self.may_be_committed
            && !self.closed
            && !self.revealed
            && self.phase <= Phase::Reveal
    }

    /// True when what is remembered of our slot was not yet confirmed at `block`.
    pub(super) fn is_to_be_confirmed(&self, block: u64) -> bool {
        !self.closed
            && self.slot.is_some()
            && self.phase <= Phase::Attest
            && self.asked_at.is_some_and(|asked| asked != block)
    }

    /// Takes over what the chain says at `block` of our slot, its reveal and its attestation. What is gone is to be done again.
    pub(super) fn confirm(&mut self, block: u64, slot: Option<u8>, revealed: bool, attested: bool) {
        self.asked_at = Some(block);
        if self.attested && !attested {
            tracing::warn!(round = self.round, "our attestation is no longer on chain; it is sent again");
            self.attested = false;
        }
        if slot != self.slot {
            tracing::warn!(round = self.round, "our commitment is no longer where it was on chain");
            (self.slot, self.sent, self.revealed) = (None, None, false);
        } else if self.revealed && !revealed {
            tracing::warn!(round = self.round, "our reveal is no longer on chain; it is sent again");
            self.revealed = false;
        }
    }

    /// True while it is open whether there will be a commitment.
    pub(super) fn is_unsettled(&self) -> bool {
        self.round != 0 && !self.closed && self.slot.is_none()
    }

    /// True while a commitment waits for its reveal.
    pub(super) fn has_to_reveal(&self) -> bool {
        !self.closed && self.slot.is_some() && !self.revealed
    }

    /// True while a reveal waits for the attestation that its pay hangs on.
    pub(super) fn has_to_attest(&self) -> bool {
        !self.closed && self.revealed && !self.attested
    }

    /// True when the reveal went without the file, which the aggregator still waits for.
    pub(super) fn has_to_post(&self) -> bool {
        !self.closed && self.revealed && !self.posted
    }

    /// Nothing more is to be done. True when that cuts something short, so that it should be told.
    pub(super) fn close(&mut self) -> bool {
        let short = self.is_unsettled() || self.has_to_reveal() || self.has_to_attest();
        self.closed = true;
        short
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_goes_through_its_stages_and_is_closed_once() {
        let mut progress = Progress::new(3);
        assert!(progress.is_unsettled() && !progress.has_to_reveal());
        progress.slot = Some(2);
        assert!(!progress.is_unsettled() && progress.has_to_reveal());
        progress.revealed = true;
        assert!(progress.has_to_attest() && !progress.has_to_reveal());
        progress.attested = true;
        assert!(!progress.close(), "a round that is done is closed without a word");
        let mut progress = Progress::new(4);
        assert!(progress.close() && !progress.close());
        assert!(!Progress::new(0).close(), "before the first round there is nothing to tell");
    }

    /// A round in Reveal with a commitment in slot 2, as the chain said at block 10.
    fn committed() -> Progress {
        let mut progress = Progress::new(3);
        assert!(progress.enter(Phase::Reveal));
        (progress.slot, progress.asked_at) = (Some(2), Some(10));
        progress
    }

    #[test]
    fn reveal_that_is_gone_from_the_chain_is_sent_again() {
        let mut progress = committed();
        progress.revealed = true;
        assert!(!progress.is_to_be_confirmed(10) && progress.is_to_be_confirmed(11));
        progress.confirm(11, Some(2), true, false);
        assert!(progress.revealed && !progress.is_to_be_confirmed(11));
        progress.confirm(12, Some(2), false, false);
        assert!(progress.has_to_reveal() && progress.is_stake_at_risk());
    }

    #[test]
    fn attestation_that_is_gone_from_the_chain_is_sent_again() {
        let mut progress = committed();
        (progress.revealed, progress.attested) = (true, true);
        assert!(
            progress.enter(Phase::Attest) && progress.is_to_be_confirmed(11) && !progress.has_to_attest()
        );
        progress.confirm(11, Some(2), true, false);
        assert!(progress.has_to_attest() && progress.revealed);
    }

    #[test]
    fn commitment_that_is_gone_from_the_chain_or_in_another_slot_is_looked_for_again() {
        for slot in [None, Some(1)] {
            let mut progress = committed();
            progress.revealed = true;
            progress.confirm(11, slot, false, false);
            assert!(progress.is_unsettled() && !progress.revealed && progress.is_stake_at_risk());
        }
    }

    #[test]
    fn earlier_phase_is_noticed_and_a_later_one_is_begun_without_the_waits_of_the_last() {
        let mut progress = committed();
        progress.wait.failed(LONGEST_WAIT);
        assert!(progress.enter(Phase::Reveal) && !progress.wait.is_due());
        assert!(!progress.enter(Phase::Commit));
        assert!(progress.enter(Phase::Aggregate) && progress.wait.is_due());
    }

    #[test]
    fn stake_is_at_risk_until_the_reveal_the_end_of_its_phase_or_the_knowledge_that_there_is_no_commitment() {
        let mut progress = Progress::new(3);
        assert!(progress.enter(Phase::Commit) && progress.is_stake_at_risk(), "the chain was not asked yet");
        progress.may_be_committed = false;
        assert!(!progress.is_stake_at_risk());
        let mut progress = committed();
        assert!(progress.is_stake_at_risk());
        progress.enter(Phase::Aggregate);
        assert!(!progress.is_stake_at_risk());
        let mut progress = committed();
        progress.revealed = true;
        assert!(!progress.is_stake_at_risk() && progress.has_to_post());
        progress.posted = true;
        assert!(!progress.has_to_post());
        assert!(!Progress::new(0).is_stake_at_risk());
    }

    #[test]
    fn waits_double_up_to_a_limit() {
        let mut backoff = Backoff::default();
        assert!(backoff.is_fresh() && backoff.is_due());
        let waits: Vec<u64> = (0..7).map(|_| backoff.failed(LONGEST_WAIT).as_millis() as u64).collect();
        assert_eq!(waits, [300, 600, 1200, 2400, 4800, 9600, 10_000]);
        assert!(!backoff.is_fresh() && !backoff.is_due());
        assert_eq!(backoff.failed(Duration::from_secs(2)), Duration::from_secs(2), "a deadline is near");
        assert_eq!(backoff.failed(Duration::ZERO), FIRST_WAIT);
        backoff.begin_after(Duration::ZERO);
        assert!(backoff.is_due());
    }
}
