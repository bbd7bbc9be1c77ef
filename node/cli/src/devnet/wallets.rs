//! The wallets of a devnet.

use std::path::{Path, PathBuf};

use fairshare_client::files::write_new;
use fairshare_client::{read_password, Chain, Wallet, WalletError};
use fairshare_protocol::Address;
use rand::distributions::{Alphanumeric, DistString};
use serde::Serialize;

use super::error::DevnetError;

/// Initial balance of each wallet, wei: 1000 ether.
pub const FUNDS: u128 = 1_000_000_000_000_000_000_000;

/// A wallet of a devnet.
#[derive(Clone, Debug, Serialize)]
pub struct DevWallet {
    /// `owner`, `aggregator`, `trainer-1`, ..
    pub name: String,
    /// Its account.
    pub address: String,
    /// Its keystore file.
    pub keystore: String,
    #[serde(skip)]
    account: Address,
}

pub(super) struct DevWallets {
    password_file: PathBuf,
    wallets: Vec<DevWallet>,
}

impl DevWallets {
    /// Opens `count` wallets of the folder and creates missing ones.
    pub(super) async fn open(folder: &Path, count: u16) -> Result<Self, DevnetError> {
        let password_file = folder.join("password");
        if !password_file.exists() {
            let password = Alphanumeric.sample_string(&mut rand::thread_rng(), 24);
            write_new(&password_file, format!("{password}\n").as_bytes())
                .map_err(DevnetError::file(&password_file))?;
        }
        let password = read_password(Some(&password_file))?;
        // The key derivation is slow by design, so this uses all cores.
        let tasks: Vec<_> = (0..count)
            .map(|index| {
                let (name, password) = (name(index), password.clone());
                let path = folder.join("wallets").join(format!("{name}.json"));
                tokio::task::spawn_blocking(move || open_or_create(name, &path, &password))
            })
            .collect();
        let mut wallets = Vec::with_capacity(tasks.len());
        for task in tasks {
            wallets.push(task.await.expect("opening a wallet does not panic")?);
        }
        Ok(Self { password_file, wallets })
    }

    /// Funds the wallets whose balance is zero.
    pub(super) async fn fund(&self, chain: &Chain) -> Result<(), DevnetError> {
        for wallet in &self.wallets {
            if chain.balance(wallet.account).await? == 0 {
                chain.set_test_balance(wallet.account, FUNDS).await?;
            }
        }
        Ok(())
    }

    pub(super) fn list(&self) -> &[DevWallet] {
        &self.wallets
    }

    pub(super) fn password_file(&self) -> &Path {
        &self.password_file
    }
}

fn name(index: u16) -> String {
    match index {
        0 => "owner".into(),
        1 => "aggregator".into(),
        trainer => format!("trainer-{}", trainer - 1),
    }
}

fn open_or_create(name: String, path: &Path, password: &str) -> Result<DevWallet, WalletError> {
    let wallet = if path.exists() { Wallet::open(path, password)? } else { Wallet::create(path, password)? };
    let account = wallet.address();
    Ok(DevWallet { name, address: account.to_string(), keystore: path.display().to_string(), account })
}
