//! A chain for one test, without the devnet of the command-line crate.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const IN_THE_REPOSITORY: &str = "../../contracts/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil";

/// anvil on a free port; it is killed with its test.
pub(crate) struct Anvil {
    child: Child,
    address: String,
}

impl Anvil {
    /// Starts it, with its log in `folder`, and waits until it listens.
    pub(crate) async fn start(folder: &Path) -> Self {
        let log = folder.join("anvil.log");
        let output = File::create(&log).unwrap();
        let child = Command::new(program())
            .args(["--host", "127.0.0.1", "--port", "0", "--chain-id", "31337", "--hardfork", "cancun"])
            .args(["--gas-limit", "60000000", "--accounts", "0", "--block-time", "1", "--mixed-mining"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let mut anvil = Self { child, address: String::new() };
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let text = std::fs::read_to_string(&log).unwrap();
            // The line ends once the address is whole.
            let listening = text.split_once("Listening on ").and_then(|(_, rest)| rest.split_once('\n'));
            if let Some((address, _)) = listening {
                anvil.address = address.trim().to_owned();
                return anvil;
            }
            assert!(Instant::now() < deadline && anvil.child.try_wait().unwrap().is_none(), "anvil: {text}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Address of its RPC.
    pub(crate) fn rpc(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `FAIRSHARE_ANVIL`, else the repository's; the test fails where neither is there.
fn program() -> PathBuf {
    std::env::var_os("FAIRSHARE_ANVIL")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(IN_THE_REPOSITORY), PathBuf::from)
}
