//! How often a request is made again that failed on its way, and how long we wait in between.

use std::future::Future;
use std::time::Duration;

use rand::Rng;

/// Attempts at a request that is lost on its way.
pub(crate) const ATTEMPTS: u32 = 12;
/// Attempts at reading what a node that is some blocks behind does not show yet.
const LAG_ATTEMPTS: u32 = 8;
/// Attempts while nothing listens at the address: a node that is being restarted, or a wrong address.
pub(crate) const CONNECT_ATTEMPTS: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(800);

/// The pause after the failed attempt with this number, from 1: doubled each time, and shortened at random, so that many
/// clients do not come back together.
pub(crate) fn pause(attempt: u32) -> Duration {
    longest(attempt).mul_f64(rand::thread_rng().gen_range(0.5..=1.0))
}

/// Reads again while the answer shows that the node is some blocks behind; the last answer stands. A contract may be newer
/// than the latest block of one node of a provider.
pub(crate) async fn while_lagging<T, F: Future<Output = T>>(
    mut read: impl FnMut() -> F,
    lags: impl Fn(&T) -> bool,
) -> T {
    for attempt in 1..LAG_ATTEMPTS {
        let answer = read().await;
        if !lags(&answer) {
            return answer;
        }
        tokio::time::sleep(pause(attempt)).await;
    }
    read().await
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
    #[tokio::test]
    async fn a_node_that_lags_is_read_again_until_it_shows_the_contract_or_the_attempts_are_over() {
        let reads_of = async |shows_at: u32| {
            let mut reads = 0;
            let read = || {
                reads += 1;
                std::future::ready(reads)
            };
            let last = while_lagging(read, |answer| *answer < shows_at).await;
            assert_eq!(last, reads, "the last answer stands");
            reads
        };
        let reads = futures::join!(reads_of(1), reads_of(3), reads_of(LAG_ATTEMPTS), reads_of(u32::MAX));
        assert_eq!(reads, (1, 3, LAG_ATTEMPTS, LAG_ATTEMPTS));
    }
}
