//! How often a request is made again that failed on its way, and how long we wait in between.

use std::time::Duration;

use rand::Rng;

/// Attempts at a request that is lost on its way.
pub(crate) const ATTEMPTS: u32 = 12;
/// Attempts at reading what a node that is some blocks behind does not show yet.
pub(crate) const LAG_ATTEMPTS: u32 = 8;
/// Attempts while nothing listens at the address: a node that is being restarted, or a wrong address.
pub(crate) const CONNECT_ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(800);

/// The pause after the failed attempt with this number, from 1: doubled each time, and shortened at random, so that many
/// clients do not come back together.
pub(crate) fn pause(attempt: u32) -> Duration {
    longest(attempt).mul_f64(rand::thread_rng().gen_range(0.5..=1.0))
}

fn longest(attempt: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << attempt.saturating_sub(1).min(10)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_limit() {
        let longest: Vec<u64> = (1..=6).map(|attempt| longest(attempt).as_millis() as u64).collect();
        assert_eq!(longest, [50, 100, 200, 400, 800, 800]);
        for attempt in 0..20 {
            let (pause, longest) = (pause(attempt), super::longest(attempt));
            assert!(pause >= longest / 2 && pause <= longest, "{attempt}: {pause:?}");
        }
    }
}
