//! Ports of 127.0.0.1.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use super::error::DevnetError;

/// A free port. Another program may take it before we do; binding it then fails.
pub(super) fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Waits up to two seconds for a port, since a devnet that was just killed may still hold it.
pub(super) async fn require_free(port: u16, option: &'static str) -> Result<(), DevnetError> {
    for _ in 0..20 {
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(DevnetError::PortInUse { port, option })
}
