//! `fairshare-aggregator run`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use eyre::bail;
use fairshare_client::service::{
    DataArgs, NetworkArgs, OutputArgs, ProjectArgs, Reporter, Session, Stop, WalletArgs,
};

use crate::service::Options;
use crate::start::{start, Setup};
use crate::Service;

/// `fairshare-aggregator run`
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  fairshare-aggregator run --project 0x... --wallet devnet/wallets/aggregator.json --password-file devnet/password

Places the bond, then fetches, checks, assesses, proves and settles every round. The fee of a round is paid once more
than half of the trainers attest that this aggregator served its model file. It may be stopped or killed at any
moment: started again it goes on where the chain is. Prints one line an event (--json: one JSON object a line):
started, bond_placed, phase_opened, updates_collected, waiting, round_settled, advanced, stopped, project_ended.

SIGTERM or SIGINT (Ctrl-C) ends it after the current step, within 10 s, and the event `stopped` names what is still
to be done; a second signal ends it at once.

Exit codes: 0 the project has ended, or it was stopped while nothing was due; 1 it failed, or was stopped while a round
waits for its settlement, which the bond depends on; 2 wrong arguments; 128 + N a second signal N.")]
pub struct RunArgs {
    /// Folder for model files; it may be deleted at any time
    /// [default: aggregator/PROJECT in the data folder]
    #[arg(long, env = "FAIRSHARE_STATE", value_name = "DIR")]
    state: Option<PathBuf>,
    /// Settle, for your own account, the rounds that the named aggregator does not settle
    #[arg(long)]
    open: bool,
    /// Milliseconds between two looks at the chain
    #[arg(long, value_name = "MS", default_value_t = 250, value_parser = clap::value_parser!(u64).range(10..=600_000))]
    poll_ms: u64,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    wallet: WalletArgs,
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl RunArgs {
    /// Settles the project's rounds until it ends.
    ///
    /// # Errors
    /// See [`start`] and [`Service::run`].
    pub async fn run(self) -> eyre::Result<()> {
        self.run_with(|_| {}).await
    }

    /// The same with options that the command line does not have: for tests.
    ///
    /// # Errors
    /// See [`start`] and [`Service::run`].
    pub async fn run_with(self, adjust: impl FnOnce(&mut Options)) -> eyre::Result<()> {
        let mut options = self.options();
        adjust(&mut options);
        let mut stop = Stop::listen()?;
        let listener = stop.clone();
        let service = tokio::select! {
            service = self.start(options, listener) => service?,
            () = stop.requested() => bail!(
                "stopped before it looked at the chain: if a round waits for its settlement, start again before the \
                 aggregate phase ends, or the bond is lost"
            ),
        };
        Ok(service.run().await?)
    }

    async fn start(self, options: Options, stop: Stop) -> eyre::Result<Service> {
        let setup = Setup {
            session: Session::open(&self.network, &self.project, Some(self.wallet.open()?)).await?,
            keys_folder: self.data.folder(),
            state_folder: self.state_folder(),
            reporter: Reporter { json: self.output.json },
            options,
            stop,
        };
        Ok(start(setup).await?)
    }

    fn options(&self) -> Options {
        Options { open: self.open, poll: Duration::from_millis(self.poll_ms), serve_models: true }
    }

    fn state_folder(&self) -> PathBuf {
        let default = || self.data.folder().join("aggregator").join(self.project.project.to_string());
        self.state.clone().unwrap_or_else(default)
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

    fn parse(more: &[&str]) -> RunArgs {
        let address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        let given = ["run", "--wallet", "w.json", "--project", address];
        Run::try_parse_from(given.iter().chain(more)).unwrap_or_else(|error| panic!("{error}")).args
    }

    #[test]
    fn defaults_are_the_defaults() {
        let run = parse(&["--data-folder", "/data"]);
        assert_eq!(
            run.options(),
            Options { open: false, poll: Duration::from_millis(250), serve_models: true }
        );
        assert_eq!(
            run.state_folder(),
            PathBuf::from("/data/aggregator/0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
        );
    }

    #[test]
    fn options_that_are_given_count() {
        let run = parse(&["--state", "s", "--open", "--poll-ms", "20", "--json"]);
        assert_eq!(
            run.options(),
            Options { open: true, poll: Duration::from_millis(20), serve_models: true }
        );
        assert_eq!((run.state_folder(), run.output.json), (PathBuf::from("s"), true));
    }

    #[test]
    fn help_names_the_exit_codes_and_no_hostile_conduct() {
        let help = Run::try_parse_from(["run", "--help"]).err().unwrap().to_string();
        assert!(help.contains("Exit codes: 0") && help.contains("SIGTERM"), "{help}");
        let lower = help.to_lowercase();
        for word in ["hostile", "behaviour", "withhold"] {
            assert!(!lower.contains(word), "{word}: {help}");
        }
    }
}
