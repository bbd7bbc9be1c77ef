//! The chain's time between its blocks, and what to make of a machine whose clock is wrong.
//!
//! The timestamp of a block that has just appeared is the chain's time now. Between blocks, and on chains that make
//! blocks only for transactions, this machine's clock tells the time, unless it differs clearly from the chain's:
//! then the time since the last new block counts, measured by a clock that nobody sets.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::chain::Status;

/// Seconds by which our clock must be past a deadline before we take the chain's to be past it too.
const MARGIN: u64 = 2;
/// Seconds by which both clocks may differ: a block is seen some seconds after its timestamp.
const TOLERANCE: u64 = 30;
/// A block counts as new when the look before it, which did not see it, is not older than this.
const NEW: Duration = Duration::from_secs(10);

/// The chain's time as this process has learnt it.
#[derive(Debug, Default)]
pub struct Clock {
    last_look: Option<(u64, Instant)>,
    /// A timestamp of the chain, and when it was the time.
    anchor: Option<(u64, Instant)>,
    told: bool,
}

impl Clock {
    /// Learns from a look at the chain, and logs once when this machine's clock is clearly wrong. Call it at every
    /// look.
    pub fn look(&mut self, status: &Status) {
        let (wall, at) = (wall_clock(), Instant::now());
        self.observe(status, wall, at);
        if let Some(ahead) = self.warning(wall, at) {
            let (seconds, side) = (ahead.unsigned_abs(), if ahead > 0 { "ahead of" } else { "behind" });
            tracing::warn!(
                "this machine's clock is {seconds} s {side} the chain's: deadlines follow the chain's clock; set \
                 this one right (NTP)"
            );
        }
    }

    /// The chain's time, Unix seconds.
    pub fn time(&self, status: &Status) -> u64 {
        self.now(status, wall_clock(), Instant::now())
    }

    /// The contract says that the deadline of `status` is not reached: the chain's time is still that of its block.
    pub fn too_early(&mut self, status: &Status) {
        self.anchor = Some((status.now, Instant::now()));
    }

    /// `wall` is this machine's clock, Unix seconds.
    fn observe(&mut self, status: &Status, wall: u64, at: Instant) {
        let is_new = self
            .last_look
            .is_some_and(|(block, when)| status.block > block && at.duration_since(when) <= NEW);
        // The chain is never behind its own blocks, new or not.
        let is_later = status.now > self.anchored(at).unwrap_or(wall.saturating_add(TOLERANCE));
        if is_new || is_later {
            self.anchor = Some((status.now, at));
        }
        self.last_look = Some((status.block, at));
    }

    fn now(&self, status: &Status, wall: u64, at: Instant) -> u64 {
        let clock = match self.anchored(at) {
            Some(chain) if self.offset(wall, at).is_some() => chain,
            _ => wall,
        };
        status.now.max(clock.saturating_sub(MARGIN))
    }

    /// Seconds by which our clock is ahead of the chain's (negative: behind), when it is clearly wrong. Once.
    fn warning(&mut self, wall: u64, at: Instant) -> Option<i64> {
        let offset = self.offset(wall, at);
        let is_news = offset.is_some() && !self.told;
        self.told = offset.is_some();
        offset.filter(|_| is_news)
    }

    fn anchored(&self, at: Instant) -> Option<u64> {
        let (time, when) = self.anchor?;
        Some(time.saturating_add(at.saturating_duration_since(when).as_secs()))
    }

    fn offset(&self, wall: u64, at: Instant) -> Option<i64> {
        let chain = self.anchored(at)?;
        let offset = i64::try_from(wall).ok()?.checked_sub(i64::try_from(chain).ok()?)?;
        (offset.unsigned_abs() > TOLERANCE).then_some(offset)
    }
}

/// This machine's clock, Unix seconds.
fn wall_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::fixture;

    const T: u64 = 1_700_000_000;
    const HOUR: u64 = 3600;

    fn status(block: u64, now: u64) -> Status {
        Status { deadline: T + 60, now, block, ..fixture::status() }
    }

    fn seconds(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn right_clock_tells_the_time_on_a_chain_that_makes_blocks_only_for_transactions() {
        let (mut clock, start) = (Clock::default(), Instant::now());
        clock.observe(&status(7, T - 500), T, start);
        assert_eq!(
            clock.now(&status(7, T - 500), T, start),
            T - MARGIN,
            "an old block says nothing of the clock"
        );
        clock.observe(&status(8, T + 1), T + 2, seconds(start, 2));
        let later = seconds(start, 400);
        clock.observe(&status(8, T + 1), T + 400, later);
        assert_eq!(clock.now(&status(8, T + 1), T + 400, later), T + 400 - MARGIN);
        assert_eq!(clock.warning(T + 400, later), None);
    }

    #[test]
    fn clock_that_is_an_hour_ahead_is_told_once_and_deadlines_follow_the_chain() {
        let (mut clock, start) = (Clock::default(), Instant::now());
        clock.observe(&status(7, T), T + HOUR, start);
        let at = seconds(start, 2);
        clock.observe(&status(8, T + 2), T + 2 + HOUR, at);
        assert_eq!(clock.warning(T + 2 + HOUR, at), Some(HOUR as i64));
        assert_eq!(clock.warning(T + 2 + HOUR, at), None);
        // No deadline has passed, and time goes on without a further block.
        let at = seconds(start, 40);
        assert_eq!(clock.now(&status(8, T + 2), T + 40 + HOUR, at), T + 40 - MARGIN);
    }

    #[test]
    fn clock_that_is_an_hour_behind_is_told_at_the_first_look() {
        let (mut clock, start) = (Clock::default(), Instant::now());
        clock.observe(&status(7, T), T - HOUR, start);
        assert_eq!(clock.warning(T - HOUR, start), Some(-(HOUR as i64)));
        let at = seconds(start, 70);
        assert_eq!(clock.now(&status(7, T), T - HOUR + 70, at), T + 70 - MARGIN);
    }

    #[test]
    fn clock_that_jumps_while_no_block_comes_is_not_followed() {
        let (mut clock, start) = (Clock::default(), Instant::now());
        clock.observe(&status(7, T), T, start);
        clock.observe(&status(8, T + 1), T + 1, seconds(start, 1));
        let at = seconds(start, 5);
        assert_eq!(clock.now(&status(8, T + 1), T + 5 + HOUR, at), T + 5 - MARGIN);
        assert_eq!(clock.warning(T + 5 + HOUR, at), Some(HOUR as i64));
    }

    #[test]
    fn contract_that_says_too_early_is_believed_rather_than_our_clock() {
        let (mut clock, start) = (Clock::default(), Instant::now());
        let idle = status(7, T);
        clock.observe(&idle, T + HOUR, start);
        assert_eq!(clock.now(&idle, T + HOUR, start), T + HOUR - MARGIN, "no block has come yet");
        clock.too_early(&idle);
        assert_eq!(clock.now(&idle, T + HOUR, Instant::now()), T);
    }

    #[test]
    fn block_that_is_seen_late_after_an_outage_says_nothing_of_the_clock() {
        let (mut clock, start) = (Clock::default(), Instant::now());
        clock.observe(&status(7, T), T, start);
        let at = seconds(start, 300);
        clock.observe(&status(8, T + 10), T + 300, at);
        assert_eq!(clock.warning(T + 300, at), None);
    }
}
