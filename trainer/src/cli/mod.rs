//! `fairshare-trainer` and its commands.

mod data;
mod evaluate;
mod run;

use clap::{Parser, Subcommand};

pub use run::RunArgs;

/// Trains on data that never leaves this machine, and is paid for what it adds to a project's model.
#[derive(Parser, Debug)]
#[command(
    name = "fairshare-trainer",
    version,
    after_help = "\
Examples:
  fairshare-trainer data split --dataset digits --trainers 10 --alpha 0.5 --seed 7 --held-out 0.2 --out data
  fairshare-trainer run --project 0x.. --data data/shard-1.safetensors --join --wallet me.json --password-file password
  fairshare-trainer evaluate --model model.safetensors --data data/held-out.safetensors --spec project.toml

FAIRSHARE_RPC, FAIRSHARE_IPFS, FAIRSHARE_PROJECT, FAIRSHARE_WALLET and FAIRSHARE_PASSWORD_FILE save typing.
FAIRSHARE_LOG=debug prints more on stderr. Exit codes: 0 done, 1 failed, 2 wrong arguments; `run --help` has more."
)]
pub struct FairshareTrainer {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Make shards to train on
    #[command(subcommand)]
    Data(data::DataCommand),
    /// Take part in a project until it ends
    Run(Box<run::RunArgs>),
    /// Measure a model on data
    Evaluate(evaluate::EvaluateArgs),
}

impl FairshareTrainer {
    /// Runs the command.
    ///
    /// # Errors
    /// A message with the remedy.
    pub async fn run(self) -> eyre::Result<()> {
        match self.command {
            Command::Data(command) => command.run(),
            Command::Run(args) => args.run().await,
            Command::Evaluate(args) => args.run(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_commands_are_sound_and_each_teaches_with_an_example() {
        let mut root = FairshareTrainer::command();
        root.clone().debug_assert();
        root.build();
        let mut open = vec![root];
        while let Some(command) = open.pop() {
            if command.get_name() == "help" {
                continue;
            }
            let subcommands: Vec<_> = command.get_subcommands().cloned().collect();
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(!subcommands.is_empty() || help.contains("fairshare-trainer "), "{}", command.get_name());
            open.extend(subcommands);
        }
    }
}
