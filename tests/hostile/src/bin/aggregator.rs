//! `fairshare-hostile-aggregator`: settles by proof and never puts a model file on IPFS, for tests.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use fairshare_aggregator::RunArgs;
use fairshare_client::service::run_main;

/// HOSTILE, for tests: an aggregator that withholds the model files
#[derive(Parser, Debug)]
#[command(name = "fairshare-hostile-aggregator", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Settle rounds as `fairshare-aggregator run` does, and withhold every model file
    Run(Box<RunArgs>),
}

fn main() -> ExitCode {
    let Command::Run(run) = Cli::parse().command;
    run_main(async move {
        tracing::warn!("this aggregator is HOSTILE: for tests only");
        run.run_with(|options| options.serve_models = false).await
    })
}
