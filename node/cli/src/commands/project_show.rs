//! `fairshare project show`.

use clap::Args;
use fairshare_client::service::{print_json, print_line};
use fairshare_client::{format_point, OpenModel, Project, PublishedModel, RoundState, Status, Terms};
use fairshare_protocol::{Phase, ProjectPolicy};

use super::open::ReadArgs;
use super::output::{duration, table};
use super::project_json::to_json;
use super::project_view::View;

/// `fairshare project show`
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  fairshare project show --project 0x..
  FAIRSHARE_PROJECT=0x.. fairshare project show --json

The state comes from the chain, so this works without IPFS; the project's name needs IPFS. In JSON, amounts
end in _wei (ether) or _units (the least unit of the token that terms.token names).")]
pub(super) struct ShowArgs {
    #[command(flatten)]
    read: ReadArgs,
}

impl ShowArgs {
    pub(super) async fn run(self) -> eyre::Result<()> {
        let project = self.read.project().await?;
        let view = View::read(&project, &self.read.network).await?;
        if self.read.output.json {
            print_json(&to_json(&project, &view))?;
        } else {
            print_text(&project, &view)?;
        }
        Ok(())
    }
}

fn print_text(project: &Project, view: &View) -> std::io::Result<()> {
    let (t, s) = (project.terms(), &view.status);
    let name = view.specification.as_ref().map_or("(specification not available)", |s| s.name.as_str());
    print_line(&format!("{name}  {}  chain {}", project.address(), project.chain().chain_id()))?;
    print_line(&phase_text(s, t.rounds, &view.round))?;
    print_line("")?;
    let mut facts = table(&[]);
    let round =
        format!("{} to trainers, {} to the aggregator", t.money(t.round_reward), t.money(t.round_fee));
    let rate = f64::from(s.learning_rate) / 1e6;
    let bond = match (s.bond_placed, s.phase) {
        (true, _) => "placed",
        (false, Phase::Registration) => "not placed yet",
        (false, phase) if phase.is_over() => "no longer held",
        (false, _) => "lost",
    };
    facts.add_row(vec![
        "rounds".to_owned(),
        format!("{} settled of {}, {} void (at most {})", s.settled, t.rounds, s.voids, t.max_voids),
    ]);
    facts.add_row(vec!["a round pays".to_owned(), round]);
    facts.add_row(vec!["in escrow".to_owned(), format!("{} of {}", t.money(s.escrow), t.money(t.deposit()))]);
    facts.add_row(vec![
        "trainers".to_owned(),
        format!(
            "{} ({} to {}), stake {}",
            view.trainers.len(),
            t.min_trainers,
            t.max_trainers,
            t.money(t.stake)
        ),
    ]);
    if let Some(token) = &t.token {
        facts.add_row(vec!["currency".to_owned(), format!("units of the token {token}")]);
    }
    facts.add_row(vec!["rule".to_owned(), rule_words(t)]);
    if t.outlier_penalty > 0 {
        let words = format!(
            "dropped in more than {} rounds: loses {} of its stake, once",
            t.outlier_rounds,
            t.money(t.outlier_penalty)
        );
        facts.add_row(vec!["an outlier".to_owned(), words]);
    }
    facts.add_row(vec![
        "training".to_owned(),
        format!("learning rate {rate}, {} local epochs", s.local_epochs),
    ]);
    facts.add_row(vec![
        "model".to_owned(),
        format!("{} parameters, commitment {}", t.dimension, format_point(&s.model)),
    ]);
    if view.open_model.round != 0 {
        facts.add_row(vec!["model file".to_owned(), open_model_words(t, &view.open_model, &view.published)]);
    }
    facts.add_row(vec!["owner".to_owned(), format!("{}, owed {}", t.owner, t.money(view.owner_owed))]);
    facts.add_row(vec![
        "aggregator".to_owned(),
        format!(
            "{}, bond of {} {bond}, owed {}",
            t.aggregator,
            t.money(t.bond),
            t.money(view.aggregator_owed)
        ),
    ]);
    for line in facts.lines() {
        print_line(line.trim_end())?;
    }
    if !view.trainers.is_empty() {
        print_line("")?;
        let mut rows = table(&["trainer", "stake", "owed now"]);
        for (trainer, state, owed) in &view.trainers {
            rows.add_row(vec![trainer.to_string(), t.money(state.stake), t.money(*owed)]);
        }
        for line in rows.lines() {
            print_line(line.trim_end())?;
        }
    }
    if let Err(error) = &view.specification {
        print_line(&format!("\nits specification is not available: {error}"))?;
    }
    Ok(())
}

/// The rule with its numbers.
fn rule_words(t: &Terms) -> String {
    match t.policy() {
        Ok(ProjectPolicy::Agreement(policy)) => format!(
            "agreement: {}/256 of a row trimmed at either end, outliers below {}/256 of the median",
            policy.trim, policy.theta
        ),
        Ok(ProjectPolicy::MultiKrum(_)) => "multi-krum".to_owned(), // no factory creates such a project
        Err(error) => format!("{} ({error})", t.rule),
    }
}

/// Who will receive the fee of the last model file.
fn open_model_words(t: &Terms, open: &OpenModel, published: &[PublishedModel]) -> String {
    let (fee, payee) = (t.money(open.fee), open.payee.to_string());
    let mut words = format!(
        "round {}: {fee} are paid when the trainers attest that they fetched it from {payee}",
        open.round
    );
    if !published.is_empty() {
        let names: Vec<_> = published.iter().map(|model| model.publisher.to_string()).collect();
        words = format!("{words}, or from {}, which published it as withheld", names.join(", "));
    }
    words
}

fn phase_text(s: &Status, rounds: u16, slots: &RoundState) -> String {
    let (committed, revealed) = (slots.committed, slots.revealed.count());
    let (attested, active) = (slots.attested.count(), slots.active.count());
    let trainers = s.trainers.len();
    let left = if s.deadline > s.now {
        format!("ends in {}", duration(s.deadline - s.now))
    } else {
        "its deadline has passed: `fairshare project advance` starts the next phase".into()
    };
    match s.phase {
        Phase::Registration => format!("registration: {trainers} trainers so far; {left}"),
        Phase::Commit => {
            format!("round {}: training, {committed} of {trainers} trainers have committed; {left}", s.round)
        }
        Phase::Reveal => {
            format!("round {}: revealing, {revealed} of {committed} updates are revealed; {left}", s.round)
        }
        Phase::Attest => {
            format!("round {}: attesting, {attested} of {revealed} trainers have attested; {left}", s.round)
        }
        Phase::Aggregate => {
            format!("round {}: {active} updates wait for the aggregator's proof; {left}", s.round)
        }
        Phase::Closing => {
            format!("closing: trainers attest the last model file, or publish it; {left}")
        }
        Phase::Completed => {
            format!("completed: all {rounds} rounds are settled; use `fairshare withdraw`")
        }
        Phase::WoundUp => {
            "wound up: too few trainers or too many void rounds; use `fairshare withdraw`".into()
        }
    }
}

#[cfg(test)]
mod tests {
    use fairshare_protocol::{Address, SlotMask};

    use super::*;

    #[test]
    fn a_passed_deadline_comes_with_its_remedy() {
        let mut status = Status {
            phase: Phase::Commit,
            round: 2,
            deadline: 100,
            now: 40,
            block: 1,
            block_hash: [0; 32],
            settled: 1,
            voids: 0,
            trainers: vec![Address([1; 20]); 5],
            learning_rate: 1,
            local_epochs: 1,
            model: Default::default(),
            model_cid: [0; 32],
            bond_placed: true,
            escrow: 0,
        };
        let slots = RoundState {
            committed: 3,
            revealed: SlotMask::lowest(3),
            attested: 0b101.into(),
            active: SlotMask::lowest(2),
            slots_hash: [0; 32],
        };
        for (phase, words) in [
            (Phase::Commit, "round 2: training, 3 of 5 trainers have committed; ends in 1 min 0 s"),
            (Phase::Attest, "round 2: attesting, 2 of 3 trainers have attested; ends in 1 min 0 s"),
            (Phase::Aggregate, "round 2: 2 updates wait for the aggregator's proof; ends in 1 min 0 s"),
            (
                Phase::Closing,
                "closing: trainers attest the last model file, or publish it; ends in 1 min 0 s",
            ),
        ] {
            status.phase = phase;
            assert_eq!(phase_text(&status, 5, &slots), words);
        }
        status.now = 100;
        assert!(phase_text(&status, 5, &slots).contains("fairshare project advance"));
    }
}
