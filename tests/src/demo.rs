//! The whole run: open, run, withdraw, audit, report.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use fairshare_client::{Chain, EventKind, Project, ProjectEvent, Terms};
use fairshare_protocol::{Address, SlotMask};
use serde_json::Value;

use crate::market::{seconds_since, Market, Outcome, Stage};
use crate::options::Options;
use crate::process::Failure;
use crate::report::{Report, RoundReport, TrainerReport, TransactionReport};

/// Runs a market in `folder` and reports; the market is still up when this returns.
///
/// # Errors
/// The step that went wrong, or money that does not add up.
pub async fn run(
    options: &Options,
    folder: &Path,
    tell: &mut dyn FnMut(Stage),
) -> eyre::Result<(Report, Market)> {
    let start = Instant::now();
    let market = Market::open(options, folder, |toml| toml, tell)?;
    let report = finish(&market, start, tell).await?;
    Ok((report, market))
}

/// Runs an open market to its end and reports.
///
/// # Errors
/// The step that went wrong, or money that does not add up.
pub async fn finish(market: &Market, start: Instant, tell: &mut dyn FnMut(Stage)) -> eyre::Result<Report> {
    let outcome = market.run(tell)?;
    tell(Stage::Begun("withdrawing"));
    let mut withdrawn = BTreeMap::new();
    for name in market.trainers.iter().map(|t| t.name()).chain(["aggregator", "owner"]) {
        withdrawn.insert(name.to_owned(), market.withdraw(name)?);
    }
    tell(Stage::Begun("fetching the model, auditing from chain and IPFS alone"));
    let final_accuracy = market.accuracy(None)?;
    let audit = market.audit()?;
    let chain = Chain::connect(&market.rpc, None, None).await?;
    let address = market.project.parse()?;
    let project = Project::open(&chain, address).await?;
    let history = project.history().await?;
    let mut report = report(market, &project, &history, &outcome, &withdrawn)?;
    report.final_accuracy = final_accuracy;
    report.audit = audit["audit"].clone();
    report.elapsed_s = seconds_since(start);
    let path = market.folder.join("report.json");
    std::fs::write(&path, serde_json::to_vec_pretty(&report)?)
        .map_err(Failure::io(path.display().to_string()))?;
    Ok(report)
}

fn report(
    market: &Market,
    project: &Project,
    history: &[ProjectEvent],
    outcome: &Outcome,
    withdrawn: &BTreeMap<String, u128>,
) -> eyre::Result<Report> {
    let terms = project.terms();
    let mut trainers = Vec::new();
    let mut paid_in_all = 0;
    for participant in &market.trainers {
        let address = participant.address().parse()?;
        let Earnings { rounds_kept, earned, slashed, fees, gains } = earnings(history, address, terms);
        let out = withdrawn[participant.name()];
        let joined = history
            .iter()
            .any(|e| matches!(&e.kind, EventKind::Joined { trainer, .. } if *trainer == address));
        let stake_back = if joined { terms.stake - slashed } else { 0 };
        eyre::ensure!(
            out == earned + fees + gains + stake_back,
            "{} took out {out} wei; its shares give {earned}, model files {fees}, parts of what others lost {gains} and its stake {stake_back}",
            participant.name()
        );
        paid_in_all += earned;
        trainers.push(TrainerReport {
            name: participant.name().to_owned(),
            address: address.to_string(),
            behaviour: participant.behaviour.clone(),
            rounds_kept,
            share: earned as f64,
            paid_wei: earned.to_string(),
            withdrawn_wei: out.to_string(),
            samples: participant.samples,
        });
    }
    for trainer in &mut trainers {
        trainer.share = if paid_in_all == 0 { 0.0 } else { trainer.share / paid_in_all as f64 };
    }
    let amounts =
        |of: fn(&EventKind) -> Option<u128>| history.iter().filter_map(|e| of(&e.kind)).sum::<u128>();
    // Whoever served the model file of a settled round has its fee.
    let fees = amounts(|kind| match kind {
        EventKind::ModelAttested { fee, .. } => Some(*fee),
        _ => None,
    });
    let deposit = terms.deposit();
    let left = withdrawn["owner"];
    eyre::ensure!(
        paid_in_all + fees + left == deposit,
        "paid {paid_in_all} + fees {fees} + back {left} is not the deposit {deposit}"
    );
    Ok(Report {
        final_accuracy: 0.0,
        accuracy: outcome.accuracy.clone(),
        rounds: outcome.settled.iter().map(|event| round(market, history, event)).collect(),
        trainers,
        deposit_wei: deposit.to_string(),
        paid_wei: paid_in_all.to_string(),
        fees_wei: fees.to_string(),
        escrow_left_wei: left.to_string(),
        audit: Value::Null,
        elapsed_s: 0.0,
        project: market.project.clone(),
        transactions: transactions(market, history),
        command: command_line(market.options()),
        folder: market.folder.display().to_string(),
    })
}

/// What a project's log says of one trainer.
#[derive(Default)]
struct Earnings {
    /// Rounds in which it was kept.
    rounds_kept: u64,
    /// What its shares give.
    earned: u128,
    /// What it lost of its stake.
    slashed: u128,
    /// Fees for model files that it served.
    fees: u128,
    /// Its parts of stakes and of the bond that others lost.
    gains: u128,
}

fn earnings(history: &[ProjectEvent], who: Address, terms: &Terms) -> Earnings {
    let mut earnings = Earnings::default();
    let mut bond_is_lost = false;
    let mut slots = BTreeMap::new();
    let mut attested = BTreeMap::new();
    for event in history {
        match &event.kind {
            EventKind::Committed { round, update } if update.trainer == who => {
                slots.insert(*round, usize::from(update.slot));
            }
            EventKind::SlotsActive { round, attested: mask, .. } => {
                attested.insert(*round, *mask);
            }
            EventKind::Settled(settled) => {
                if let Some(&slot) = slots.get(&settled.round) {
                    earnings.rounds_kept += u64::from(settled.kept.contains(slot));
                    // Who attests nothing is not paid.
                    if attested.get(&settled.round).is_some_and(|mask: &SlotMask| mask.contains(slot)) {
                        earnings.earned += terms.round_reward * u128::from(settled.shares[slot]) >> 16;
                    }
                }
            }
            EventKind::StakeSlashed { trainer, amount, .. }
            | EventKind::OutlierPenalised { trainer, amount, .. }
                if *trainer == who =>
            {
                earnings.slashed += amount;
            }
            EventKind::BondSlashed { .. } => bond_is_lost = true,
            EventKind::LossDivided { round, slots: parts, part } => {
                let of_bond = std::mem::take(&mut bond_is_lost);
                if slots.get(round).is_some_and(|slot| parts.contains(*slot)) {
                    // Of others' stakes at most as much as its own.
                    let own = terms.stake - earnings.slashed;
                    earnings.gains += if of_bond { *part } else { (*part).min(own) };
                }
            }
            EventKind::ModelAttested { source, fee, .. } if *source == who => earnings.fees += fee,
            _ => {}
        }
    }
    earnings
}

fn round(market: &Market, history: &[ProjectEvent], event: &Value) -> RoundReport {
    let number = |key: &str| event[key].as_u64().unwrap_or_default();
    let id = number("round");
    let settled = history.iter().find_map(|e| match &e.kind {
        EventKind::Settled(settled) if settled.round == id => Some(settled),
        _ => None,
    });
    let kept_slots = settled.map(|s| s.kept).unwrap_or_default();
    let kept = history.iter().filter_map(|e| match &e.kind {
        EventKind::Committed { round, update } if *round == id && kept_slots.contains(update.slot) => {
            Some(name_of(market, update.trainer))
        }
        _ => None,
    });
    let proving_ms = number("prove_ms") + number("verify_ms");
    RoundReport {
        round: id,
        kept: kept.collect(),
        proving_ms,
        aggregator_ms: proving_ms + number("collect_ms") + number("assess_ms"),
        settle_gas: settled.map_or(0, |s| s.gas_used),
        transaction: settled.map_or(String::new(), |s| format!("0x{}", hex::encode(s.transaction))),
    }
}

fn name_of(market: &Market, address: Address) -> String {
    let text = address.to_string();
    let found = market.trainers.iter().find(|t| t.address().eq_ignore_ascii_case(&text));
    found.map_or(text, |t| t.name().to_owned())
}

/// Gas by kind: a project's own events, and what its creation took.
fn transactions(market: &Market, history: &[ProjectEvent]) -> Vec<TransactionReport> {
    let mut kinds: BTreeMap<String, Vec<(String, u64)>> = BTreeMap::new();
    for created in market.created["transactions"].as_array().into_iter().flatten() {
        let kind = created["kind"].as_str().unwrap_or("create").to_owned();
        let hash = created["transaction"].as_str().unwrap_or_default().to_owned();
        kinds.entry(kind).or_default().push((hash, created["gas"].as_u64().unwrap_or_default()));
    }
    for event in history {
        let kind = match &event.kind {
            EventKind::Joined { .. } => "join",
            EventKind::BondPlaced { .. } => "place bond",
            EventKind::Committed { .. } => "commit",
            EventKind::Revealed { .. } => "reveal",
            EventKind::Attested { .. } => "attest",
            EventKind::ModelSourceNamed { .. } => "attest model",
            EventKind::ModelPublished { .. } => "publish model",
            EventKind::Settled(_) => "settle",
            EventKind::Withdrawn { .. } => "withdraw",
            _ => continue,
        };
        let hash = format!("0x{}", hex::encode(event.transaction));
        kinds.entry(kind.to_owned()).or_default().push((hash, event.gas_used));
    }
    let summary = |(kind, all): (String, Vec<(String, u64)>)| TransactionReport {
        kind,
        count: all.len() as u64,
        mean_gas: all.iter().map(|(_, gas)| gas).sum::<u64>() / all.len().max(1) as u64,
        max_gas: all.iter().map(|(_, gas)| *gas).max().unwrap_or_default(),
        hashes: all.into_iter().map(|(hash, _)| hash).collect(),
    };
    kinds.into_iter().map(summary).collect()
}

fn command_line(options: &Options) -> String {
    let attackers: Vec<_> =
        options.attackers.0.iter().map(|(kind, count)| format!("{kind}:{count}")).collect();
    let attackers = if attackers.is_empty() { "none".into() } else { attackers.join(",") };
    format!(
        "scripts/demo --trainers {} --rounds {} --attackers {attackers} --model {} --alpha {} --seed {}",
        options.trainers,
        options.rounds,
        format!("{:?}", options.model).to_lowercase(),
        options.alpha,
        options.seed
    )
}
