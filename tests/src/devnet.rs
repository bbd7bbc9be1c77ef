//! The devnet of a marketplace: its process, its addresses, its wallets.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::process::{binary, Background, Failure};

/// Longest time until chain and IPFS are up.
const READY: Duration = Duration::from_secs(60);

/// A participant's wallet.
#[derive(Clone, Debug)]
pub(crate) struct Wallet {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) keystore: PathBuf,
}

/// Addresses of chain and content as a participant knows them: the nodes themselves, or proxies before them.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub(crate) rpc: String,
    pub(crate) ipfs: String,
}

/// The chain and the wallets of a market that has no project yet.
pub struct Devnet<'a> {
    pub(crate) ready: &'a Value,
    pub(crate) route: Route,
}

impl Route {
    pub(crate) fn apply(&self, command: &mut Command) {
        command.env("FAIRSHARE_RPC", &self.rpc).env("FAIRSHARE_IPFS", &self.ipfs);
    }
}

impl Devnet<'_> {
    /// One call of the Ethereum node.
    ///
    /// # Errors
    /// [`Failure::Output`] with what the node says.
    pub fn call(&self, method: &str, parameters: Value) -> Result<Value, Failure> {
        crate::process::call_node(text(self.ready, "rpc")?, method, parameters)
    }

    /// Address of the Ethereum node.
    pub fn rpc(&self) -> &str {
        &self.route.rpc
    }

    /// Address of the IPFS node.
    pub fn ipfs(&self) -> &str {
        &self.route.ipfs
    }

    /// Sends everything that follows, the creation of the project first, to these addresses: proxies before the nodes.
    pub fn route_all(&mut self, rpc: &str, ipfs: &str) {
        self.route = Route { rpc: rpc.into(), ipfs: ipfs.into() };
    }

    /// The addresses of all wallets, the owner's and the aggregator's among them.
    pub fn addresses(&self) -> Vec<String> {
        let wallets = self.ready["wallets"].as_array().into_iter().flatten();
        wallets.filter_map(|w| w["address"].as_str().map(str::to_owned)).collect()
    }
}

/// Starts chain and IPFS; port 0 is any free one. Gives the process and the line with its addresses and wallets.
pub(crate) fn start_devnet(
    folder: &Path,
    wallets: usize,
    rpc_port: u16,
    ipfs_port: u16,
) -> Result<(Background, Value), Failure> {
    let mut command = Command::new(binary("fairshare")?);
    command.args(["devnet", "--json"]).arg("--folder").arg(folder.join("devnet")).args([
        format!("--wallets={wallets}"),
        format!("--rpc-port={rpc_port}"),
        format!("--ipfs-port={ipfs_port}"),
    ]);
    let devnet = Background::start("devnet", &mut command, &folder.join("logs/devnet.log"))?;
    let ready =
        devnet.wait_for("the line that says it is ready", READY, |event| event.get("rpc").is_some())?;
    Ok((devnet, ready))
}

/// A field of a command's result.
pub(crate) fn text<'v>(value: &'v Value, key: &str) -> Result<&'v str, Failure> {
    value[key].as_str().ok_or_else(|| Failure::Output {
        command: "a command".into(),
        output: value.to_string(),
        expected: format!("a field {key:?}"),
    })
}

/// The wallet of this name, by the line of [`start_devnet`].
pub(crate) fn wallet(ready: &Value, name: &str) -> Result<Wallet, Failure> {
    let found = ready["wallets"].as_array().into_iter().flatten().find(|w| w["name"] == name);
    let found = found.ok_or_else(|| Failure::Output {
        command: "fairshare devnet".into(),
        output: ready.to_string(),
        expected: format!("a wallet {name:?}"),
    })?;
    Ok(Wallet {
        name: name.into(),
        address: text(found, "address")?.into(),
        keystore: text(found, "keystore")?.into(),
    })
}
