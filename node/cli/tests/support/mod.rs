//! What the tests share.
#![allow(
    dead_code,
    unused_imports,
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses its part"
)]

#[path = "../../../client/tests/support/server.rs"]
mod server;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
pub use server::{answering, http};

/// `fairshare`, with an environment that holds none of its variables.
pub fn fairshare(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fairshare"));
    for (name, _) in std::env::vars_os() {
        let ours = name
            .to_str()
            .is_some_and(|n| n.starts_with("FAIRSHARE_") && n != "FAIRSHARE_ANVIL" && n != "FAIRSHARE_DATA");
        if ours {
            command.env_remove(name);
        }
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs a command that must fail with code 1 or 2 and gives what it said on stderr.
pub fn failure(command: &mut Command, code: i32) -> String {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{command:?}: {stderr}");
    assert!(
        output.stdout.is_empty(),
        "a failure prints no result: {}",
        String::from_utf8_lossy(&output.stdout)
    );
    stderr
}

/// Runs a command that must succeed and gives the JSON that it printed.
pub fn success(command: &mut Command) -> Value {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    json(&output)
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stdout)))
}

/// A `fairshare devnet` of its own; it is stopped with the test.
pub struct DevnetProcess {
    child: Child,
    /// The line that it printed.
    pub ready: Value,
}

impl DevnetProcess {
    pub fn start(folder: &Path, rpc_port: u16, ipfs_port: u16) -> Self {
        let mut command = fairshare(&["devnet", "--json", "--wallets", "3"]);
        command.arg("--folder").arg(folder);
        command.args([format!("--rpc-port={rpc_port}"), format!("--ipfs-port={ipfs_port}")]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
        Self { child, ready }
    }

    pub fn text(&self, key: &str) -> String {
        self.ready[key].as_str().unwrap().to_owned()
    }

    pub fn keystore(&self, name: &str) -> PathBuf {
        self.wallet(name)["keystore"].as_str().unwrap().into()
    }

    pub fn address(&self, name: &str) -> String {
        self.wallet(name)["address"].as_str().unwrap().to_owned()
    }

    fn wallet(&self, name: &str) -> &Value {
        self.ready["wallets"].as_array().unwrap().iter().find(|w| w["name"] == name).unwrap()
    }

    /// A command with network and wallet of this devnet.
    pub fn command(&self, wallet: &str, arguments: &[&str]) -> Command {
        let mut command = fairshare(arguments);
        command.env("FAIRSHARE_RPC", self.text("rpc")).env("FAIRSHARE_IPFS", self.text("ipfs"));
        command.env("FAIRSHARE_PASSWORD_FILE", self.text("password_file"));
        command.env("FAIRSHARE_WALLET", self.keystore(wallet));
        command
    }

    pub fn port(&self, key: &str) -> u16 {
        self.text(key).rsplit(':').next().unwrap().parse().unwrap()
    }

    /// As a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; gives the exit code.
    pub fn terminate(mut self) -> Option<i32> {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for DevnetProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for a condition.
pub fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "{what} does not come about");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Bytes that repeat nowhere.
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    use rand::{rngs::StdRng, RngCore, SeedableRng};
    let mut bytes = vec![0; length];
    StdRng::seed_from_u64(seed).fill_bytes(&mut bytes);
    bytes
}
