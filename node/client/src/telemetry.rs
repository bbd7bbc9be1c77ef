//! Logging to stderr, so that stdout carries results only.

use std::io::{stderr, IsTerminal};

use tracing_subscriber::EnvFilter;

/// Warnings from every crate, `info` from our own (all their names start with `fairshare`), nothing from the constraint system.
const DEFAULT_FILTER: &str = "warn,r1cs=off,gr1cs=off,fairshare=info";

/// Starts logging with the filter in `FAIRSHARE_LOG`, such as `debug` or `fairshare_client=trace`. A second call in the
/// same process changes nothing.
pub fn init() {
    let filter = EnvFilter::try_from_env("FAIRSHARE_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .with_target(false)
        .try_init();
}
