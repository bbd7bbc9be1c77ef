//! `fairshare-trainer run`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use eyre::bail;
use fairshare_circuits::{RangeTable, ReferenceString};
use fairshare_client::service::{
    DataArgs, NetworkArgs, OutputArgs, ProjectArgs, Reporter, Session, Stop, WalletArgs,
};
use fairshare_client::{watched, Project};
use fairshare_protocol::Address;

use crate::conduct::{Conduct, Honest};
use crate::data::read_shard;
use crate::service::{Service, ServiceOptions};

/// Time between two looks at a chain on this machine.
const LOCAL_POLL: Duration = Duration::from_millis(200);
/// Time between two looks at a chain elsewhere.
const REMOTE_POLL: Duration = Duration::from_secs(3);

/// Shown while it lasts: making the reference string takes a while, once.
const OPENING: &str = "opening the reference string, or making the DEV one, once";

/// `fairshare-trainer run`
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  fairshare-trainer run --project 0x.. --data data/shard-1.safetensors --join --wallet me.json --password-file password

Runs until the project ends and prints one line an event (--json: one JSON object a line): joined, training,
committed, revealed, attested, model_recomputed, model_published, model_attested, refused, round_skipped, advanced,
seat_lost, stopped, ended. It may be stopped or killed at any moment: started again with the same --state it goes on
where it was, and reveals what it committed. Afterwards: fairshare withdraw.

SIGTERM or SIGINT (Ctrl-C) ends it after the current step, within 10 s, and the event `stopped` names what is still
to be done in the round; a second signal ends it at once.

Exit codes: 0 the project has ended, or it was stopped while its stake did not depend on it; 1 it failed, lost its
seat (seat_lost says why), or was stopped while a commitment waits for its reveal; 2 wrong arguments; 128 + N a second
signal N.")]
pub struct RunArgs {
    #[command(flatten)]
    project: ProjectArgs,
    /// Shard file to train on: safetensors with `features` F32 [m, k] and `labels` I64 [m]; it stays on this machine
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Join the project with its stake when the wallet has not yet
    #[arg(long)]
    join: bool,
    /// Folder of the updates that were committed; keep it, a reveal needs it [default:
    /// trainers/CHAIN-ID/PROJECT/ADDRESS in the data folder]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Decides the order of samples: the same seed, data and model give the same update
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Do not publish a model file that was withheld; whoever does earns the aggregator's fee
    #[arg(long)]
    no_publish: bool,
    /// Milliseconds between two looks at the chain [default: 200 on this machine, 3000 elsewhere]
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u64).range(20..=600_000))]
    poll_ms: Option<u64>,
    #[command(flatten)]
    wallet: WalletArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    keys: DataArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl RunArgs {
    /// Takes part in the project, honestly.
    ///
    /// # Errors
    /// See [`Service::run`].
    pub async fn run(self) -> eyre::Result<()> {
        self.run_as(Arc::new(Honest)).await
    }

    /// Takes part in the project with another conduct than the honest one: for tests.
    ///
    /// # Errors
    /// See [`Service::run`].
    pub async fn run_as(self, conduct: Arc<dyn Conduct>) -> eyre::Result<()> {
        let mut stop = Stop::listen()?;
        let listener = stop.clone();
        let service = tokio::select! {
            service = self.open(conduct, listener) => service?,
            () = stop.requested() => bail!(
                "stopped before it looked at the chain: if an earlier process has committed, start again before the \
                 reveal phase ends, or the stake is lost"
            ),
        };
        Ok(service.run().await?)
    }

    /// Connects to the project with the wallet that signs.
    ///
    /// # Errors
    /// A wallet that cannot be opened, a chain that does not answer, no project at the address.
    pub async fn connect(&self) -> eyre::Result<Project> {
        let chain = self.network.chain(Some(self.wallet.open()?)).await?;
        Ok(self.project.open(&chain).await?)
    }

    /// Where events go.
    pub fn reporter(&self) -> Reporter {
        Reporter { json: self.output.json }
    }

    async fn open(self, conduct: Arc<dyn Conduct>, stop: Stop) -> eyre::Result<Service> {
        let session = Session::open(&self.network, &self.project, Some(self.wallet.open()?)).await?;
        let keys_hash = session.keys().await?.0.hash();
        let Session { project, store, specification } = session;
        let me = project.chain().account()?;
        let data = read_shard(&self.data, &specification.model)?;
        let folder = self.keys.folder();
        // Long enough for the range proof as well.
        let dimension = RangeTable::from_id(project.terms().table)?.points(project.terms().dimension);
        let reference = watched(OPENING, move || ReferenceString::open_dev(&folder, dimension)).await??;
        let reporter = self.reporter();
        let chain_id = project.chain().chain_id();
        let state =
            self.state.unwrap_or_else(|| default_state(&self.keys.folder(), chain_id, project.address(), me));
        tracing::info!(folder = %state.display(), "updates are stored here; without them nothing can be revealed");
        let poll = self.poll_ms.map(Duration::from_millis).unwrap_or_else(|| default_poll(&self.network.rpc));
        let options = ServiceOptions {
            join: self.join,
            seed: self.seed,
            conduct,
            poll,
            ipfs_timeout: Duration::from_secs(self.network.ipfs_timeout),
            publish: !self.no_publish,
            state,
        };
        let service =
            Service::new(project, store, reference, keys_hash, specification, data, options, reporter, stop)?;
        Ok(service)
    }
}

/// One folder for each chain, project and wallet, wherever the process is started.
fn default_state(data: &Path, chain_id: u64, project: Address, me: Address) -> PathBuf {
    let (project, me) = (project.to_string(), me.to_string());
    data.join("trainers").join(chain_id.to_string()).join(project).join(me)
}

fn default_poll(rpc: &str) -> Duration {
    let host = rpc.split("://").nth(1).unwrap_or(rpc);
    let local = ["127.", "localhost", "[::1]"].iter().any(|name| host.starts_with(name));
    if local {
        LOCAL_POLL
    } else {
        REMOTE_POLL
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Run {
        #[command(flatten)]
        args: RunArgs,
    }

    #[test]
    fn defaults_are_the_defaults() {
        let project = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        let run = Run::parse_from(["run", "--project", project, "--data", "d", "--wallet", "w"]).args;
        assert_eq!(
            (run.join, run.seed, run.state, run.poll_ms, run.no_publish),
            (false, 0, None, None, false)
        );
        assert_eq!(default_poll("http://127.0.0.1:8545"), LOCAL_POLL);
        assert_eq!(default_poll("http://localhost:8545"), LOCAL_POLL);
        assert_eq!(default_poll("http://node.example:8545"), REMOTE_POLL);
    }

    #[test]
    fn default_state_lies_in_the_data_folder_and_is_named_in_the_help() {
        let state = default_state(Path::new("/data"), 31337, Address([1; 20]), Address([2; 20]));
        let (project, me) = (Address([1; 20]).to_string(), Address([2; 20]).to_string());
        assert_eq!(state, PathBuf::from(format!("/data/trainers/31337/{project}/{me}")));
        let help = Run::try_parse_from(["run", "--help"]).err().unwrap().to_string();
        assert!(help.contains("trainers/CHAIN-ID/PROJECT/ADDRESS"), "{help}");
    }

    #[test]
    fn help_names_the_exit_codes_and_no_hostile_conduct() {
        let help = Run::try_parse_from(["run", "--help"]).err().unwrap().to_string();
        assert!(help.contains("Exit codes: 0") && help.contains("SIGTERM"), "{help}");
        let lower = help.to_lowercase();
        for word in ["hostile", "behaviour", "sign-flip", "copycat"] {
            assert!(!lower.contains(word), "{word}: {help}");
        }
        let project = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        let given = ["run", "--project", project, "--data", "d", "--wallet", "w", "--behaviour", "honest"];
        assert!(Run::try_parse_from(given).is_err(), "the released program has no such option");
    }
}
