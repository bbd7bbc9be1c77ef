//! `scripts/demo`: a whole marketplace on this machine.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use eyre::{ensure, WrapErr};
use fairshare_tests::{demo, print_report, Options, Stage};
use indicatif::{ProgressBar, ProgressStyle};

/// Marks a folder as one that a demo made and may make anew.
const MARK: &str = ".fairshare-demo";

#[tokio::main]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> eyre::Result<bool> {
    ensure!(
        options.attackers.count() + 3 <= usize::from(options.trainers),
        "--attackers names {} hostile trainers of {}; leave at least three honest ones",
        options.attackers.count(),
        options.trainers
    );
    prepare(&options.out)?;
    let bar = ProgressBar::new(u64::from(options.rounds)).with_style(
        ProgressStyle::with_template("{elapsed_precise} [{bar:24}] {pos}/{len} rounds  {msg}")
            .wrap_err("the progress bar's template")?
            .progress_chars("=> "),
    );
    bar.enable_steady_tick(Duration::from_millis(200));
    let mut tell = |stage: Stage<'_>| match stage {
        Stage::Begun(what) => {
            bar.set_message(what.to_owned());
            bar.suspend(|| eprintln!("  {what}"));
        }
        Stage::Settled { round, accuracy } => {
            bar.inc(1);
            bar.suspend(|| eprintln!("  round {round} settled by proof; held-out accuracy {accuracy:.3}"));
        }
    };
    let (report, market) = demo::run(&options, &options.out, &mut tell).await?;
    bar.finish_and_clear();
    if options.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print_report(&report);
    }
    let passed = report.audit == "pass";
    if options.keep {
        let (rpc, ipfs, project) = (market.rpc.clone(), market.ipfs.clone(), market.project.clone());
        let _up = market;
        eprintln!("\nThe network is up; Ctrl-C ends it. In another terminal:");
        eprintln!("  export FAIRSHARE_RPC={rpc} FAIRSHARE_IPFS={ipfs} FAIRSHARE_PROJECT={project}");
        eprintln!("  target/release/fairshare project show");
        tokio::signal::ctrl_c().await.wrap_err("wait for Ctrl-C")?;
    }
    Ok(passed)
}

/// Empties a folder that an earlier demo made; refuses any other that is not empty.
fn prepare(folder: &Path) -> eyre::Result<()> {
    if folder.exists() && folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        ensure!(
            folder.join(MARK).exists(),
            "--out {} is not empty and no demo made it; name another folder",
            folder.display()
        );
        std::fs::remove_dir_all(folder).wrap_err_with(|| format!("empty {}", folder.display()))?;
    }
    std::fs::create_dir_all(folder).wrap_err_with(|| format!("make {}", folder.display()))?;
    std::fs::write(folder.join(MARK), "").wrap_err_with(|| format!("write into {}", folder.display()))
}
