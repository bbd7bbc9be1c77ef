//! Waiting between two attempts.

use std::time::Duration;

use tokio::time::Instant;

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

    /// True when the next attempt may begin.
    pub(super) fn is_due(&self) -> bool {
        self.due.is_none_or(|due| Instant::now() >= due)
    }

    /// Waits before the first attempt.
    pub(super) fn begin_after(&mut self, wait: Duration) {
        self.due = Some(Instant::now() + wait);
    }

    /// Waits before the next attempt, at most `longest` unless that is less than the first wait, and returns the wait.
    pub(super) fn failed(&mut self, longest: Duration) -> Duration {
        self.wait = (self.wait * 2).clamp(FIRST_WAIT, longest.max(FIRST_WAIT));
        self.begin_after(self.wait);
        self.wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
