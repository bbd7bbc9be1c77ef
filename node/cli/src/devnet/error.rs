//! Errors of the devnet.

use std::path::{Path, PathBuf};

use fairshare_client::{ChainError, WalletError};

use fairshare_ipfs::EmbeddedError;

/// Errors at the start of a devnet.
#[derive(Debug, thiserror::Error)]
pub enum DevnetError {
    /// The chain's program is missing.
    #[error("anvil was not found ({looked}): run scripts/setup, or name it with FAIRSHARE_ANVIL")]
    NoAnvil {
        /// The places that were searched.
        looked: String,
    },
    /// The chain's program ended, or did not answer.
    #[error("anvil {what}; its log {log}: {tail}")]
    Anvil {
        /// What happened.
        what: String,
        /// Its log.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// Another program uses the port.
    #[error("port {port} of 127.0.0.1 is in use: stop the program that uses it, or choose another with {option} (0 takes a free one)")]
    PortInUse {
        /// The port.
        port: u16,
        /// The option that names it.
        option: &'static str,
    },
    /// Another devnet runs in the folder.
    #[error("another devnet runs in {0}: stop it, or choose another --folder")]
    FolderInUse(PathBuf),
    /// A file cannot be read or written.
    #[error("{path}: {reason}")]
    File {
        /// Which file.
        path: PathBuf,
        /// The error of the system.
        reason: String,
    },
    /// The chain.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A wallet.
    #[error(transparent)]
    Wallet(#[from] WalletError),
    /// The IPFS node.
    #[error(transparent)]
    Ipfs(#[from] EmbeddedError),
}

impl DevnetError {
    pub(super) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |error| Self::File { path: path.to_owned(), reason: error.to_string() }
    }
}
