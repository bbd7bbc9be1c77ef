//! SIGINT and SIGTERM.

use std::future::Future;

use tokio::signal::unix::{signal, SignalKind};

/// A future that ends when the program receives SIGINT or SIGTERM.
///
/// # Errors
/// The handlers cannot be installed.
pub fn until_told_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
