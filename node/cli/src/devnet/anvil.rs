//! The chain: anvil as a child process that never outlives this one.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use fairshare_client::Chain;
use tokio::process::{Child, Command};
use tokio::time::Instant;

use super::error::DevnetError;
use super::ports::{free_port, require_free};

/// The devnet's chain id, one of the test chains of the contracts.
pub const CHAIN_ID: u64 = 31_337;
/// Runs its arguments and ends them when its standard input closes, which also happens when this process is killed.
const GUARD: &str = r#"exec 3<&0
"$@" </dev/null &
child=$!
(read -r _ <&3; kill -TERM "$child") 2>/dev/null &
reader=$!
wait "$child"
code=$?
kill "$reader" 2>/dev/null
exit "$code""#;
const IN_THE_REPOSITORY: &str = "contracts/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil";
/// Number of states that anvil keeps in memory; it drops older ones instead of writing them to the user's home.
const STATES: &str = "256";
/// Seconds between two writes of the whole chain, which grows with every round. Anvil also writes it when it ends, which it
/// does in order when this process is killed: only a power cut loses blocks.
const STATE_INTERVAL: &str = "60";
const START_TIMEOUT: Duration = Duration::from_secs(30);
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

pub(super) struct Anvil {
    guard: Child,
    port: u16,
    log: PathBuf,
    /// This process, the guard and anvil (as their standard output) hold its lock: the folder is in use until all have ended.
    _lock: File,
}

impl Anvil {
    /// Starts anvil on `folder/chain.json`; see [`Self::ready`].
    pub(super) async fn start(folder: &Path, port: u16, block_time: u64) -> Result<Self, DevnetError> {
        let program = find()?;
        let log = folder.join("anvil.log");
        let lock = lock(&log, folder).await?;
        let port = if port == 0 {
            free_port().map_err(DevnetError::file(folder))?
        } else {
            require_free(port, "--rpc-port").await?;
            port
        };
        lock.set_len(0).map_err(DevnetError::file(&log))?;
        let output = || lock.try_clone().map(Stdio::from).map_err(DevnetError::file(&log));
        let guard = Command::new("sh")
            .args(["-c", GUARD, "anvil-guard"])
            .arg(&program)
            .args(["--host", "127.0.0.1", "--port", &port.to_string(), "--chain-id", &CHAIN_ID.to_string()])
            .args(["--hardfork", "cancun", "--gas-limit", "60000000", "--accounts", "0", "--quiet"])
            .args(["--block-time", &block_time.to_string(), "--mixed-mining", "--prune-history", STATES])
            .arg("--state")
            .arg(folder.join("chain.json"))
            .args(["--state-interval", STATE_INTERVAL])
            .stdin(Stdio::piped())
            .stdout(output()?)
            .stderr(output()?)
            // Ctrl-c in the terminal must reach this process only, which then stops anvil in order.
            .process_group(0)
            .kill_on_drop(false)
            .spawn()
            .map_err(DevnetError::file(&program))?;
        Ok(Self { guard, port, log, _lock: lock })
    }

    /// Waits until the chain answers.
    pub(super) async fn ready(&mut self) -> Result<Chain, DevnetError> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            if let Ok(Some(status)) = self.guard.try_wait() {
                return Err(self.fault(format!("ended at once ({status})")));
            }
            match Chain::connect(&self.rpc(), None, Some(CHAIN_ID)).await {
                Ok(chain) => return Ok(chain),
                Err(error) if Instant::now() >= deadline => {
                    return Err(self.fault(format!("does not answer ({error})")))
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    pub(super) fn rpc(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn log(&self) -> PathBuf {
        self.log.clone()
    }

    pub(super) async fn ended(&mut self) -> std::io::Result<ExitStatus> {
        // `Child::wait` would close the standard input and thereby stop the guard.
        loop {
            if let Some(status) = self.guard.try_wait()? {
                return Ok(status);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Stops anvil, which writes its state first.
    pub(super) async fn stop(&mut self) {
        drop(self.guard.stdin.take());
        if tokio::time::timeout(STOP_TIMEOUT, self.guard.wait()).await.is_err() {
            tracing::warn!(
                seconds = STOP_TIMEOUT.as_secs(),
                "anvil does not stop in time; no longer waiting for it"
            );
        }
    }

    fn fault(&self, what: String) -> DevnetError {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().filter(|l| !l.trim().is_empty()).collect();
        let tail = lines[lines.len().saturating_sub(5)..].join(" | ");
        DevnetError::Anvil {
            what,
            log: self.log.clone(),
            tail: if tail.is_empty() { "(empty)".into() } else { tail },
        }
    }
}

/// Opens and locks the log. Waits up to five seconds for the anvil of a killed devnet, which may still write its state.
async fn lock(log: &Path, folder: &Path) -> Result<File, DevnetError> {
    let file = OpenOptions::new().create(true).append(true).open(log).map_err(DevnetError::file(log))?;
    for _ in 0..50 {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => tokio::time::sleep(Duration::from_millis(100)).await,
            Err(TryLockError::Error(error)) => return Err(DevnetError::file(log)(error)),
        }
    }
    Err(DevnetError::FolderInUse(folder.to_owned()))
}

/// Finds anvil: `FAIRSHARE_ANVIL`, the repository around this program or the working directory, then PATH.
fn find() -> Result<PathBuf, DevnetError> {
    if let Some(named) = std::env::var_os("FAIRSHARE_ANVIL").map(PathBuf::from) {
        let looked = format!("FAIRSHARE_ANVIL is {}, which is not a file", named.display());
        return if named.is_file() { Ok(named) } else { Err(DevnetError::NoAnvil { looked }) };
    }
    let starts = [std::env::current_exe().ok(), std::env::current_dir().ok()];
    let above = starts
        .iter()
        .flatten()
        .flat_map(|start| start.ancestors())
        .map(|folder| folder.join(IN_THE_REPOSITORY));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("anvil"));
    above.chain(on_path).find(|candidate| candidate.is_file()).ok_or_else(|| DevnetError::NoAnvil {
        looked: format!(
            "neither {IN_THE_REPOSITORY} above this program or the working directory nor on PATH"
        ),
    })
}
