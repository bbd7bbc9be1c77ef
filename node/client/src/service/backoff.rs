//! Waiting between attempts.

use std::time::Duration;

use tokio::time::Instant;

/// Waits that double from one failure to the next.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    due: Option<Instant>,
    wait: Duration,
}

impl Backoff {
    /// The wait after the first failure.
    pub const FIRST: Duration = Duration::from_millis(300);
    /// The longest wait that the services allow.
    pub const LONGEST: Duration = Duration::from_secs(10);

    /// True before the first wait.
    pub fn is_fresh(&self) -> bool {
        self.due.is_none()
    }

    /// True when the next attempt may begin.
    pub fn is_due(&self) -> bool {
        self.due.is_none_or(|due| Instant::now() >= due)
    }

    /// Delays the first attempt.
    pub fn begin_after(&mut self, wait: Duration) {
        self.due = Some(Instant::now() + wait);
    }

    /// Delays the next attempt, by at most `longest` (or [`Self::FIRST`], if that is longer), and returns the delay.
    pub fn failed(&mut self, longest: Duration) -> Duration {
        self.wait = (self.wait * 2).clamp(Self::FIRST, longest.max(Self::FIRST));
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
        let waits: Vec<u64> = (0..7).map(|_| backoff.failed(Backoff::LONGEST).as_millis() as u64).collect();
        assert_eq!(waits, [300, 600, 1200, 2400, 4800, 9600, 10_000]);
        assert!(!backoff.is_fresh() && !backoff.is_due());
        assert_eq!(backoff.failed(Duration::from_secs(2)), Duration::from_secs(2), "a deadline is near");
        assert_eq!(backoff.failed(Duration::ZERO), Backoff::FIRST);
        backoff.begin_after(Duration::ZERO);
        assert!(backoff.is_due());
    }
}
