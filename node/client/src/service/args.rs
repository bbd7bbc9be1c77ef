//! Command-line arguments that several programs share, and the connections that they describe.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use fairshare_protocol::Address;

use crate::chain::{read_password, Chain, ChainError, Project, Wallet, WalletError};
use crate::content::{ContentError, ContentStore};

/// The Ethereum node and the IPFS node.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Network")]
pub struct NetworkArgs {
    /// Address of the Ethereum node
    #[arg(long, env = "FAIRSHARE_RPC", value_name = "URL", default_value = "http://127.0.0.1:8545")]
    pub rpc: String,
    /// Address of the IPFS node's RPC
    #[arg(long, env = "FAIRSHARE_IPFS", value_name = "URL", default_value = "http://127.0.0.1:5001")]
    pub ipfs: String,
    /// Refuse a chain with any other id
    #[arg(long, env = "FAIRSHARE_CHAIN_ID", value_name = "ID")]
    pub chain_id: Option<u64>,
    /// Seconds that the IPFS node may take over one file
    #[arg(long, env = "FAIRSHARE_IPFS_TIMEOUT", value_name = "SECONDS", default_value_t = 20,
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub ipfs_timeout: u64,
}

impl NetworkArgs {
    /// Connects to the chain.
    ///
    /// # Errors
    /// No Ethereum node answers, or it serves another chain.
    pub async fn chain(&self, wallet: Option<Wallet>) -> Result<Chain, ChainError> {
        Chain::connect(&self.rpc, wallet, self.chain_id).await
    }

    /// The content store, once it has answered a first request.
    ///
    /// # Errors
    /// No IPFS node answers.
    pub async fn store(&self) -> Result<ContentStore, ContentError> {
        let store = ContentStore::new(&self.ipfs, Duration::from_secs(self.ipfs_timeout))?;
        store.check().await?;
        Ok(store)
    }
}

/// The wallet that signs.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Wallet")]
pub struct WalletArgs {
    /// Keystore file of the wallet that signs (version 3, as geth and foundry write it)
    #[arg(long, env = "FAIRSHARE_WALLET", value_name = "FILE")]
    pub wallet: PathBuf,
    /// File whose first line is the keystore's password; without it FAIRSHARE_PASSWORD is used
    #[arg(long, env = "FAIRSHARE_PASSWORD_FILE", value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

impl WalletArgs {
    /// Opens the keystore.
    ///
    /// # Errors
    /// The file or the password is wrong.
    pub fn open(&self) -> Result<Wallet, WalletError> {
        Wallet::open(&self.wallet, &self.password()?)
    }

    /// The password.
    ///
    /// # Errors
    /// No password is given, or its file cannot be read.
    pub fn password(&self) -> Result<String, WalletError> {
        read_password(self.password_file.as_deref())
    }
}

/// The project.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Project")]
pub struct ProjectArgs {
    /// Address of the project's contract
    #[arg(long, env = "FAIRSHARE_PROJECT", value_name = "ADDRESS")]
    pub project: Address,
}

impl ProjectArgs {
    /// Opens the project after a check that it is one of this version.
    ///
    /// # Errors
    /// No project of this version is at its address.
    pub async fn open(&self, chain: &Chain) -> Result<Project, ChainError> {
        Project::open(chain, self.project).await
    }

    /// Opens a project of any version: see [`Project::open_any`].
    ///
    /// # Errors
    /// No project is at its address.
    pub async fn open_any(&self, chain: &Chain) -> Result<Project, ChainError> {
        Project::open_any(chain, self.project).await
    }
}

/// The output format.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Print JSON on stdout, for programs
    #[arg(long)]
    pub json: bool,
}

/// The data folder.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Keys")]
pub struct DataArgs {
    /// Folder of reference strings and proving keys; created if missing [default: the user's data folder]
    #[arg(long, env = "FAIRSHARE_DATA", value_name = "DIR")]
    pub data_folder: Option<PathBuf>,
}

impl DataArgs {
    /// The folder.
    pub fn folder(&self) -> PathBuf {
        self.data_folder.clone().unwrap_or_else(fairshare_circuits::default_data_folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct All {
        #[command(flatten)]
        network: NetworkArgs,
        #[command(flatten)]
        wallet: WalletArgs,
        #[command(flatten)]
        project: ProjectArgs,
        #[command(flatten)]
        output: OutputArgs,
    }

    #[test]
    fn defaults_are_the_defaults() {
        let address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        let all = All::parse_from(["x", "--wallet", "w.json", "--project", address]);
        assert_eq!(all.network.rpc, "http://127.0.0.1:8545");
        assert_eq!(all.network.ipfs, "http://127.0.0.1:5001");
        assert_eq!((all.network.chain_id, all.network.ipfs_timeout), (None, 20));
        assert_eq!((all.wallet.password_file, all.output.json), (None, false));
        assert_eq!(all.project.project, address.parse().unwrap());
    }

    #[test]
    fn a_wrong_address_is_refused_with_the_reason() {
        let error =
            All::try_parse_from(["x", "--wallet", "w", "--project", "0x12"]).err().unwrap().to_string();
        assert!(error.contains("it has 2 digits, not 40"), "{error}");
    }
}
