//! What the tests share.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a test may panic, and nothing outside uses this"
)]

pub mod anvil;
pub mod server;
