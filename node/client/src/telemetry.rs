//! What the programs tell about their work: on stderr, so that stdout carries results only.

use std::io::{stderr, IsTerminal};

use tracing_subscriber::EnvFilter;

/// Warnings of everybody, the news of our own crates (`fairshare` is the start of all their names); the chatter of the constraint system is left out.
const DEFAULT_FILTER: &str = "warn,r1cs=off,gr1cs=off,fairshare=info";

/// Starts telling, as `FAIRSHARE_LOG` says (such as `debug`, or `fairshare_client=trace`). Once in a process; a second call
/// changes nothing.
pub fn init() {
    let filter = EnvFilter::try_from_env("FAIRSHARE_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .with_target(false)
        .try_init();
}
