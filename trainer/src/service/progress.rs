//! How far this process is in the open round.

use std::time::Duration;

use fairshare_node::Receipt;
use tokio::time::Instant;

use super::after;
use crate::state::RoundRecord;

const FIRST_WAIT: Duration = Duration::from_millis(300);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

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

    /// Waits before the next attempt, and says for how long.
    pub(super) fn failed(&mut self) -> Duration {
        self.wait = (self.wait * 2).clamp(FIRST_WAIT, LONGEST_WAIT);
        self.due = Some(after(self.wait));
        self.wait
    }
}

/// How far this process is in the open round. What the chain knows better is asked of the chain.
#[derive(Debug)]
pub(super) struct Progress {
    /// The round's id; 0 before the first.
    pub(super) round: u64,
    /// The update, once it is stored.
    pub(super) record: Option<RoundRecord>,
    /// Whether this process put the file on IPFS.
    pub(super) posted: bool,
    /// The committing transaction, when this process sent it.
    pub(super) sent: Option<Receipt>,
    /// The slot, once the commitment is on chain.
    pub(super) slot: Option<u8>,
    /// Whether the reveal is on chain.
    pub(super) revealed: bool,
    /// Whether nothing more is to be done.
    closed: bool,
    /// Why the last attempt failed.
    pub(super) last_fault: Option<String>,
    /// When to try again.
    pub(super) wait: Backoff,
    /// Whose commitment a copycat took.
    pub(super) victim: Option<fairshare_node::Address20>,
}

impl Progress {
    /// At the start of a round.
    pub(super) fn new(round: u64) -> Self {
        Self {
            round,
            record: None,
            posted: false,
            sent: None,
            slot: None,
            revealed: false,
            closed: false,
            last_fault: None,
            wait: Backoff::default(),
            victim: None,
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

    /// Nothing more is to be done. True when that cuts something short, so that it should be told.
    pub(super) fn close(&mut self) -> bool {
        let short = self.is_unsettled() || self.has_to_reveal();
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
        assert!(!progress.close(), "a round that is done is closed without a word");
        let mut progress = Progress::new(4);
        assert!(progress.close() && !progress.close());
        assert!(!Progress::new(0).close(), "before the first round there is nothing to tell");
    }

    #[test]
    fn waits_double_up_to_a_limit() {
        let mut backoff = Backoff::default();
        assert!(backoff.is_fresh() && backoff.is_due());
        let waits: Vec<u64> = (0..7).map(|_| backoff.failed().as_millis() as u64).collect();
        assert_eq!(waits, [300, 600, 1200, 2400, 4800, 9600, 10_000]);
        assert!(!backoff.is_fresh() && !backoff.is_due());
        backoff.begin_after(Duration::ZERO);
        assert!(backoff.is_due());
    }
}
