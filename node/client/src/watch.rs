//! Log lines for long work of the services.

use std::time::{Duration, Instant};

use tokio::task::{spawn_blocking, JoinError};

/// Shorter work logs nothing.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest time between two lines.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// Does `work` on a thread of its own and logs `what` with the time so far: after two seconds, then at growing intervals of
/// at most thirty seconds.
///
/// # Errors
/// The work panicked.
pub async fn watched<T: Send + 'static>(
    what: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, JoinError> {
    let (started, mut silence) = (Instant::now(), PATIENCE);
    let mut work = spawn_blocking(work);
    loop {
        match tokio::time::timeout(silence, &mut work).await {
            Ok(done) => return done,
            Err(_) => tracing::info!(seconds = started.elapsed().as_secs(), "{what}"),
        }
        silence = (2 * silence).min(LONGEST_SILENCE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_the_work_gives_comes_back_and_a_panic_is_an_error() {
        assert_eq!(watched("adding", || 1 + 2).await.unwrap(), 3);
        assert!(watched("failing", || panic!("on purpose")).await.unwrap_err().is_panic());
    }
}
