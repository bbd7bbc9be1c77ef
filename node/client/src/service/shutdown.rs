//! What SIGTERM and SIGINT do to a service: it finishes its step and ends; a second signal ends it at once.

use std::future::{pending, Future};
use std::io;
use std::time::Duration;

use tokio::signal::unix::{signal, SignalKind};
use tokio::sync::watch;

/// How long a step may go on once the process is asked to stop.
const GRACE: Duration = Duration::from_secs(10);
/// A process that ends by a signal has this exit code plus the signal's number.
const SIGNALLED: i32 = 128;

/// A request to stop, which comes at most once. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Listens for SIGTERM and SIGINT, within a Tokio runtime.
    ///
    /// # Errors
    /// When the system does not let the process handle signals.
    pub fn listen() -> io::Result<Self> {
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            loop {
                let kind = tokio::select! {
                    _ = interrupt.recv() => SignalKind::interrupt(),
                    _ = terminate.recv() => SignalKind::terminate(),
                };
                if sender.send_replace(true) {
                    std::process::exit(SIGNALLED + kind.as_raw_value());
                }
                tracing::info!("stopping after this step; a second signal ends the process at once");
            }
        });
        Ok(Self(receiver))
    }

    /// A request that never comes.
    pub fn never() -> Self {
        Self(watch::channel(false).1)
    }

    /// True once the process is asked to stop.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the process is asked to stop.
    pub async fn requested(&mut self) {
        if self.0.wait_for(|stop| *stop).await.is_err() {
            pending::<()>().await;
        }
    }

    /// Waits for `pause`, or until the process is asked to stop.
    pub async fn sleep(&mut self, pause: Duration) {
        let _ = tokio::time::timeout(pause, self.requested()).await;
    }

    /// Does `work`. Once the process is asked to stop, the work has ten seconds to come to an end of its own; `None`
    /// when it does not.
    pub async fn finish<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        self.finish_within(GRACE, work).await
    }

    async fn finish_within<T>(&mut self, grace: Duration, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        tokio::select! {
            biased;
            done = &mut work => Some(done),
            () = self.requested() => tokio::time::timeout(grace, work).await.ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    fn stop() -> (watch::Sender<bool>, Stop) {
        let (sender, receiver) = watch::channel(false);
        (sender, Stop(receiver))
    }

    #[tokio::test]
    async fn step_that_ends_within_the_grace_is_finished_and_a_longer_one_is_not() {
        let (sender, mut stop) = stop();
        assert_eq!(stop.finish(async { 1 }).await, Some(1));
        sender.send_replace(true);
        let step = |length| async move {
            tokio::time::sleep(length).await;
            "done"
        };
        assert_eq!(stop.finish_within(LONG, step(Duration::from_millis(5))).await, Some("done"));
        assert_eq!(stop.finish_within(Duration::from_millis(5), step(LONG)).await, None);
    }

    #[tokio::test]
    async fn sleep_ends_with_the_request() {
        let (sender, mut stop) = stop();
        stop.sleep(Duration::from_millis(5)).await;
        assert!(!stop.is_requested());
        sender.send_replace(true);
        stop.sleep(LONG).await; // the test would not end
        assert!(stop.is_requested());
        let mut never = Stop::never();
        never.sleep(Duration::from_millis(5)).await;
        assert!(!never.is_requested());
    }
}
