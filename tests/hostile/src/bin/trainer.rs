//! `fairshare-hostile-trainer`: a trainer that cheats, for tests and the demo.

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use fairshare_client::service::run_main;
use fairshare_hostile::{copy, Behaviour};
use fairshare_trainer::cli::RunArgs;

/// HOSTILE, for tests: a trainer that cheats
#[derive(Parser, Debug)]
#[command(name = "fairshare-hostile-trainer", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Take part in a project as `fairshare-trainer run` does, and cheat
    Run(Box<Run>),
}

#[derive(Args, Debug)]
struct Run {
    /// How to cheat
    #[arg(long, value_enum)]
    behaviour: Behaviour,
    #[command(flatten)]
    honest: RunArgs,
}

fn main() -> ExitCode {
    let Command::Run(run) = Cli::parse().command;
    run_main(async move {
        tracing::warn!(behaviour = ?run.behaviour, "this trainer is HOSTILE: for tests and demonstrations only");
        match run.behaviour {
            Behaviour::Copycat => Ok(copy(&run.honest.connect().await?, run.honest.reporter()).await?),
            behaviour => run.honest.run_as(Arc::new(behaviour)).await,
        }
    })
}
