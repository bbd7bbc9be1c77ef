//! `fairshare audit`.

use std::io::stderr;
use std::io::IsTerminal;

use clap::Args;
use fairshare_audit::{audit, AuditReport, AuditedRound};
use fairshare_circuits::PinnedKeys;
use fairshare_client::service::{print_json, print_line, DataArgs};
use indicatif::{ProgressBar, ProgressStyle};

use super::open::ReadArgs;
use super::output::{hash, reference_string, table, Progress};

/// `fairshare audit`
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  fairshare audit --project 0x..
  fairshare audit --project 0x.. --json

Needs no wallet. Verifies every proof again (of rounds and of ranges), recounts every attestation, recomputes every assessment
and every model from the updates on IPFS, and accounts for the money to the last unit. Prints every failure with its round,
trainer and field. Exit code 1 when there is one.")]
pub(super) struct AuditArgs {
    #[command(flatten)]
    read: ReadArgs,
    #[command(flatten)]
    data: DataArgs,
}

impl AuditArgs {
    pub(super) async fn run(self) -> eyre::Result<()> {
        let project = self.read.project().await?;
        let store = self.read.network.store().await?;
        let opening = Progress::start("opening the reference string");
        let srs = reference_string(&self.data, project.terms().dimension as usize, &opening)?;
        drop(opening);
        let bar = bar();
        let mut progress = |done: usize, all: usize| {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        };
        let report = audit(&project, &store, &srs, &PinnedKeys::load(), &mut progress).await;
        bar.finish_and_clear();
        let report = report?;
        if self.read.output.json {
            print_json(&report.to_json())?;
        } else {
            print_text(&report)?;
        }
        match report.failures.len() {
            0 => Ok(()),
            1 => Err(eyre::eyre!("the audit found one failure")),
            more => Err(eyre::eyre!("the audit found {more} failures")),
        }
    }
}

fn bar() -> ProgressBar {
    let bar = if stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
    if let Ok(style) = ProgressStyle::with_template("auditing {wide_bar} round {pos} of {len} ({elapsed})") {
        bar.set_style(style);
    }
    bar
}

fn print_text(report: &AuditReport) -> std::io::Result<()> {
    let project = report.project.to_string();
    print_line(&format!(
        "project {project}, chain {}, block {}, {}",
        report.chain_id, report.block, report.phase
    ))?;
    let dev = if report.dev { " (DEV keys: for test chains only)" } else { "" };
    print_line(&format!("keys {}{dev}", hash(&report.keys_hash)))?;
    if !report.rounds.is_empty() {
        print_line("")?;
        let header =
            ["round", "active", "kept", "coherence", "rate", "proof", "updates", "model", "gas", "holds"];
        let mut rounds = table(&header);
        for round in &report.rounds {
            rounds.add_row(row(round));
        }
        print_table(&rounds)?;
    }
    for (round, reason) in &report.voids {
        print_line(&format!("round {round} is void: {reason}"))?;
    }
    print_line("")?;
    let ledger = &report.ledger;
    let mut money = table(&[]);
    for (what, amount) in [
        ("deposit", ledger.deposit),
        ("paid to trainers", ledger.paid),
        ("fees for model files", ledger.fees),
        ("fee of the open model file", ledger.held_fee),
        ("back to the owner", ledger.returned),
        ("in escrow", ledger.escrow),
        ("lost by others, to trainers", ledger.divided),
        ("lost and burnt", ledger.burnt),
        ("withdrawn so far", ledger.withdrawn),
        ("still to withdraw", ledger.owed.values().sum()),
    ] {
        money.add_row(vec![what.to_owned(), report.amount(amount).short()]);
    }
    print_table(&money)?;
    print_line("")?;
    for note in &report.notes {
        print_line(&format!("note: {note}"))?;
    }
    for failure in &report.failures {
        print_line(&format!("FAIL: {failure}"))?;
    }
    if report.passes() {
        print_line("pass: every proof verifies, and everything published matches its proof")?;
    }
    Ok(())
}

fn row(round: &AuditedRound) -> Vec<String> {
    let s = &round.settled;
    let yes = |holds: bool| if holds { "yes" } else { "NO" }.to_owned();
    let active = s.active.count();
    vec![
        s.round.to_string(),
        active.to_string(),
        s.kept.count().to_string(),
        format!("{:.3}", f64::from(s.coherence) / 65_536.0),
        round.learning_rate.map_or_else(String::new, |rate| format!("{}", f64::from(rate) / 1e6)),
        yes(round.proof),
        format!("{} of {active}", round.updates),
        yes(round.model),
        s.gas_used.to_string(),
        yes(round.failures == 0),
    ]
}

fn print_table(table: &comfy_table::Table) -> std::io::Result<()> {
    table.lines().try_for_each(|line| print_line(line.trim_end()))
}
