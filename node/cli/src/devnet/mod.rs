//! A chain and an IPFS node on this machine, with funded wallets: for trying things out and for tests.
//!
//! Both keep their state in one folder, so that a devnet that was stopped or killed goes on where it was.

mod anvil;
mod wallets;

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use fairshare_client::{ChainError, WalletError};
use serde_json::{json, Value};

pub use self::wallets::DevWallet;
use crate::embedded::{EmbeddedError, EmbeddedIpfs};

/// The id of the devnet's chain, one of those that the contracts know as test chains.
pub const CHAIN_ID: u64 = 31_337;
/// What each wallet gets, wei: 1000 ether.
pub const FUNDS: u128 = 1_000_000_000_000_000_000_000;

/// What a devnet is like.
#[derive(Clone, Debug)]
pub struct DevnetOptions {
    /// Where everything is kept.
    pub folder: PathBuf,
    /// Of the Ethereum RPC; 0 takes a free one.
    pub rpc_port: u16,
    /// Of the IPFS RPC; 0 takes a free one.
    pub ipfs_port: u16,
    /// `owner`, `aggregator`, then trainers.
    pub wallets: u16,
    /// Seconds between blocks without transactions.
    pub block_time: u64,
}

/// Why a devnet does not start.
#[derive(Debug, thiserror::Error)]
pub enum DevnetError {
    /// The chain's program is missing.
    #[error("anvil was not found ({looked}): run scripts/setup, or name it with FAIRSHARE_ANVIL")]
    NoAnvil {
        /// Where it was looked for.
        looked: String,
    },
    /// The chain's program ended, or did not answer.
    #[error("anvil {what}; its log {log}: {tail}")]
    Anvil {
        /// What happened.
        what: String,
        /// Its log.
        log: PathBuf,
        /// The log's end.
        tail: String,
    },
    /// Somebody else has the port.
    #[error("port {port} of 127.0.0.1 is in use: end what uses it, or take another with {option} (0 takes a free one)")]
    PortInUse {
        /// The port.
        port: u16,
        /// The option that names it.
        option: &'static str,
    },
    /// Another devnet runs in the folder.
    #[error("another devnet runs in {0}: stop it, or take another --folder")]
    FolderInUse(PathBuf),
    /// A file cannot be read or written.
    #[error("{path}: {reason}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
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
    fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |error| Self::File { path: path.to_owned(), reason: error.to_string() }
    }
}

/// A running devnet.
pub struct Devnet {
    folder: PathBuf,
    anvil: anvil::Anvil,
    ipfs: EmbeddedIpfs,
    wallets: wallets::DevWallets,
}

impl Devnet {
    /// Starts it, new or from the folder's state.
    ///
    /// # Errors
    /// [`DevnetError`] says what to do.
    pub async fn start(options: &DevnetOptions) -> Result<Self, DevnetError> {
        let folder = &options.folder;
        std::fs::create_dir_all(folder).map_err(DevnetError::file(folder))?;
        let folder = folder.canonicalize().map_err(DevnetError::file(folder))?;
        let mut anvil = anvil::Anvil::start(&folder, options.rpc_port, options.block_time).await?;
        match Self::around(&mut anvil, options, &folder).await {
            Ok((ipfs, wallets)) => Ok(Self { folder, anvil, ipfs, wallets }),
            Err(error) => {
                anvil.stop().await;
                Err(error)
            }
        }
    }

    async fn around(
        anvil: &mut anvil::Anvil,
        options: &DevnetOptions,
        folder: &Path,
    ) -> Result<(EmbeddedIpfs, wallets::DevWallets), DevnetError> {
        if options.ipfs_port != 0 {
            require_free(options.ipfs_port, "--ipfs-port").await?;
        }
        let chain = anvil.ready().await?;
        let wallets = wallets::DevWallets::open(folder, options.wallets).await?;
        wallets.fund(&chain).await?;
        let ipfs = EmbeddedIpfs::start(&folder.join("ipfs"), options.ipfs_port).await?;
        let path = folder.join("devnet.json");
        let description = description(anvil, &ipfs, &wallets, folder);
        replace(&path, &format!("{description:#}\n")).map_err(DevnetError::file(&path))?;
        Ok((ipfs, wallets))
    }

    /// Address of the Ethereum RPC.
    pub fn rpc(&self) -> String {
        self.anvil.rpc()
    }

    /// Address of the IPFS RPC.
    pub fn ipfs(&self) -> String {
        self.ipfs.api()
    }

    /// The wallets.
    pub fn wallets(&self) -> &[DevWallet] {
        self.wallets.list()
    }

    /// The file with the password of all wallets.
    pub fn password_file(&self) -> &Path {
        self.wallets.password_file()
    }

    /// What programs need to know, as in `devnet.json`.
    pub fn description(&self) -> Value {
        description(&self.anvil, &self.ipfs, &self.wallets, &self.folder)
    }

    /// Waits until the chain ends by itself, which it should not.
    pub async fn chain_ended(&mut self) -> String {
        self.anvil.ended().await.map_or_else(|e| e.to_string(), |s: ExitStatus| s.to_string())
    }

    /// The chain's log.
    pub fn chain_log(&self) -> PathBuf {
        self.anvil.log()
    }

    /// Stops everything, after both have written their state.
    pub async fn stop(mut self) {
        self.anvil.stop().await;
        self.ipfs.stop().await;
    }
}

fn description(
    anvil: &anvil::Anvil,
    ipfs: &EmbeddedIpfs,
    wallets: &wallets::DevWallets,
    folder: &Path,
) -> Value {
    json!({
        "rpc": anvil.rpc(),
        "ipfs": ipfs.api(),
        "chain_id": CHAIN_ID,
        "folder": folder,
        "password_file": wallets.password_file(),
        "wallets": wallets.list(),
    })
}

/// Writes a file anew: whoever reads it sees the old one or the new one.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}

/// A free port; somebody may take it before it is used, which is seen then.
fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Waits a little for a port: a devnet that was just killed may still be giving it back.
async fn require_free(port: u16, option: &'static str) -> Result<(), DevnetError> {
    for _ in 0..20 {
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(DevnetError::PortInUse { port, option })
}
