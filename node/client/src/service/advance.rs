//! Moving a project on whose phase is past its deadline.

use std::time::Duration;

use rand::Rng;

use super::Backoff;
use crate::chain::{ChainError, Project, Receipt, Status};

/// A staggered service waits for a random part of this before its first attempt.
const STAGGER: Duration = Duration::from_millis(1500);

/// Calls `advance` when a phase is past its deadline and nobody else has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Advance {
    wait: Backoff,
    stagger: Duration,
}

impl Advance {
    /// Waits for a random moment before the first attempt, so that ten trainers do not all pay for one transaction.
    /// (The default does not wait.)
    pub fn staggered() -> Self {
        Self { wait: Backoff::default(), stagger: STAGGER }
    }

    /// Sends `advance` when it is due at `now` (see [`super::Clock::time`]) and returns its receipt. Call this at
    /// every look at the chain; it never waits.
    ///
    /// # Errors
    /// The transaction was not accepted: another service was faster, the chain's clock is behind ours, or the node is
    /// at fault. The next attempt waits longer.
    pub async fn if_overdue(
        &mut self,
        project: &Project,
        status: &Status,
        now: u64,
    ) -> Result<Option<Receipt>, ChainError> {
        if !self.is_due(status, now) {
            return Ok(None);
        }
        match project.advance().await {
            Ok(receipt) => {
                self.wait = Backoff::default();
                Ok(Some(receipt))
            }
            Err(error) => {
                self.wait.failed(Backoff::LONGEST);
                Err(error)
            }
        }
    }

    /// Whether to send `advance` at `now`, Unix seconds.
    fn is_due(&mut self, status: &Status, now: u64) -> bool {
        if status.phase.is_over() || now <= status.deadline {
            self.wait = Backoff::default();
            return false;
        }
        if self.wait.is_fresh() && !self.stagger.is_zero() {
            self.wait.begin_after(rand::thread_rng().gen_range(Duration::ZERO..self.stagger));
        }
        self.wait.is_due()
    }
}

#[cfg(test)]
mod tests {
    use fairshare_protocol::Phase;

    use super::*;
    use crate::service::fixture;

    fn status(phase: Phase, deadline: u64) -> Status {
        Status { phase, deadline, ..fixture::status() }
    }

    #[tokio::test]
    async fn only_a_running_phase_past_its_deadline_is_moved_on() {
        let mut advance = Advance::default();
        assert!(!advance.is_due(&status(Phase::Commit, 100), 100));
        assert!(advance.is_due(&status(Phase::Commit, 100), 101));
        assert!(!advance.is_due(&status(Phase::Completed, 100), 101));
        advance.wait.failed(Backoff::LONGEST);
        assert!(!advance.is_due(&status(Phase::Commit, 100), 101), "a failure delays the next attempt");
        assert!(!advance.is_due(&status(Phase::Reveal, 200), 101));
        assert!(advance.is_due(&status(Phase::Reveal, 200), 201), "and a new phase forgets it");
    }

    #[tokio::test]
    async fn a_staggered_service_does_not_begin_at_once() {
        let mut advance = Advance::staggered();
        advance.is_due(&status(Phase::Commit, 100), 101);
        assert!(!advance.wait.is_fresh(), "the first attempt has a moment of its own");
    }
}
