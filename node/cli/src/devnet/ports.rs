//! Ports of 127.0.0.1.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use super::error::DevnetError;

/// A free port; somebody may take it before it is used, which is seen then.
pub(super) fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Waits a little for a port: a devnet that was just killed may still be giving it back.
pub(super) async fn require_free(port: u16, option: &'static str) -> Result<(), DevnetError> {
    for _ in 0..20 {
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(DevnetError::PortInUse { port, option })
}
