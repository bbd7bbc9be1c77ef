//! A chain and an IPFS node on this machine, with funded wallets, for development and tests.
//!
//! One folder holds the state of both, so that a devnet that was stopped or killed continues where it was.

mod anvil;
mod error;
mod ports;
mod wallets;

use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use fairshare_client::files::replace;
use serde_json::{json, Value};

pub use self::anvil::CHAIN_ID;
pub use self::error::DevnetError;
use self::ports::require_free;
pub use self::wallets::{DevWallet, FUNDS};
use fairshare_ipfs::EmbeddedIpfs;

/// Options of a devnet.
#[derive(Clone, Debug)]
pub struct DevnetOptions {
    /// Folder of the whole state.
    pub folder: PathBuf,
    /// Port of the Ethereum RPC; 0 takes a free one.
    pub rpc_port: u16,
    /// Port of the IPFS RPC; 0 takes a free one.
    pub ipfs_port: u16,
    /// Number of wallets: `owner`, `aggregator`, then trainers.
    pub wallets: u16,
    /// Seconds between blocks without transactions.
    pub block_time: u64,
}

/// A running devnet.
pub struct Devnet {
    folder: PathBuf,
    anvil: anvil::Anvil,
    ipfs: EmbeddedIpfs,
    wallets: wallets::DevWallets,
}

impl Devnet {
    /// Starts a new devnet, or the one in the folder.
    ///
    /// # Errors
    /// [`DevnetError`] contains the remedy.
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
        replace(&path, format!("{description:#}\n").as_bytes()).map_err(DevnetError::file(&path))?;
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

    /// The wallets: owner, aggregator, trainers.
    pub fn wallets(&self) -> &[DevWallet] {
        self.wallets.list()
    }

    /// The file with the password of all wallets.
    pub fn password_file(&self) -> &Path {
        self.wallets.password_file()
    }

    /// What programs need to connect, as in `devnet.json`.
    pub fn description(&self) -> Value {
        description(&self.anvil, &self.ipfs, &self.wallets, &self.folder)
    }

    /// Waits until anvil ends on its own, which it should not.
    pub async fn chain_ended(&mut self) -> String {
        self.anvil.ended().await.map_or_else(|e| e.to_string(), |s: ExitStatus| s.to_string())
    }

    /// The chain's log.
    pub fn chain_log(&self) -> PathBuf {
        self.anvil.log()
    }

    /// Stops chain and IPFS node after they have written their state.
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
