//! `fairshare project show`.

use clap::Args;
use fairshare_client::service::{print_json, print_line, NetworkArgs, OutputArgs, ProjectArgs};
use fairshare_client::{
    fetch_specification, format_address, format_point, Address20, ContentId, OpenModel, Phase, Project,
    PublishedModel, RoundState, Status, Terms, TrainerState,
};
use fairshare_protocol::{RulePolicy, Specification};
use serde_json::{json, Value};

use super::output::{duration, hash, table};

/// `fairshare project show`
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  fairshare project show --project 0x..
  FAIRSHARE_PROJECT=0x.. fairshare project show --json

What the chain says needs no IPFS; the project's name comes from there when it answers. In JSON, fields that end in _wei are
in wei, or, where terms.token names a token, in its least unit.")]
pub(super) struct ShowArgs {
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    output: OutputArgs,
}

struct View {
    status: Status,
    /// Trainers with what is held of their stakes and what they are owed.
    trainers: Vec<(Address20, TrainerState, u128)>,
    aggregator_owed: u128,
    owner_owed: u128,
    /// The slots of the open round.
    round: RoundState,
    /// The model file whose fee is open.
    open_model: OpenModel,
    /// Who says that it was withheld.
    published: Vec<PublishedModel>,
    specification: Result<Specification, String>,
}

impl ShowArgs {
    pub(super) async fn run(self) -> eyre::Result<()> {
        let chain = self.network.chain(None).await?;
        let project = self.project.open_any(&chain).await?;
        let status = project.status().await?;
        let mut trainers = Vec::new();
        for &trainer in &status.trainers {
            trainers.push((trainer, project.trainer_state(trainer).await?, project.owed(trainer).await?));
        }
        let open_model = project.open_model().await?;
        let published = match open_model.round {
            0 => vec![],
            round => project.published(round).await?,
        };
        let specification = match self.network.store().await {
            Ok(store) => fetch_specification(&project, &store).await.map_err(|e| e.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let terms = project.terms();
        let view = View {
            trainers,
            aggregator_owed: project.owed(terms.aggregator).await?,
            owner_owed: project.owed(terms.owner).await?,
            round: project.round_state(status.round).await?,
            open_model,
            published,
            specification,
            status,
        };
        if self.output.json {
            print_json(&machine(&project, &view))?;
        } else {
            people(&project, &view)?;
        }
        Ok(())
    }
}

fn machine(project: &Project, view: &View) -> Value {
    let (t, s) = (project.terms(), &view.status);
    let trainers = view.trainers.iter().map(|(address, state, owed)| {
        json!({"address": format_address(address), "stake_wei": state.stake.to_string(), "owed_wei": owed.to_string(), "dropped": state.dropped, "penalised": state.penalised})
    });
    let open = &view.open_model;
    let open_model = (open.round != 0).then(|| {
        let published = view.published.iter().map(|model| format_address(&model.publisher));
        json!({
            "round": open.round,
            "payee": format_address(&open.payee),
            "fee_wei": open.fee.to_string(),
            "published_by": published.collect::<Vec<_>>(),
        })
    });
    json!({
        "project": format_address(&project.address()),
        "chain_id": project.chain().chain_id(),
        "name": view.specification.as_ref().ok().map(|s| &s.name),
        "specification": view.specification.as_ref().ok(),
        "specification_error": view.specification.as_ref().err(),
        "phase": s.phase,
        "round": s.round,
        "deadline": s.deadline,
        "now": s.now,
        "block": s.block,
        "settled": s.settled,
        "voids": s.voids,
        "committed": view.round.committed,
        "revealed": view.round.revealed_mask.count_ones(),
        "attested": view.round.attested.count_ones(),
        "active": view.round.active.count_ones(),
        "open_model": open_model,
        "learning_rate_millionths": s.learning_rate,
        "local_epochs": s.local_epochs,
        "model": {"commitment": format_point(&s.model), "cid": model_cid(view, s)},
        "bond_placed": s.bond_placed,
        "escrow_wei": s.escrow.to_string(),
        "deposit_wei": t.deposit().to_string(),
        "owner_owed_wei": view.owner_owed.to_string(),
        "aggregator_owed_wei": view.aggregator_owed.to_string(),
        "trainers": trainers.collect::<Vec<_>>(),
        "terms": terms(t),
    })
}

fn terms(t: &Terms) -> Value {
    json!({
        "owner": format_address(&t.owner),
        "aggregator": format_address(&t.aggregator),
        "specification": hash(&t.specification),
        "specification_cid": ContentId::from_digest(t.specification, 0).to_string(),
        "rule": t.rule,
        "slots": t.slots,
        "dimension": t.dimension,
        "theta": t.theta,
        "trim": t.trim,
        "byzantine": t.byzantine,
        "selected": t.selected,
        "table": t.table,
        "token": t.token.as_ref().map(format_address),
        "attest_period": t.attest_period,
        "min_trainers": t.min_trainers,
        "max_trainers": t.max_trainers,
        "min_active": t.min_active,
        "stake_wei": t.stake.to_string(),
        "bond_wei": t.bond.to_string(),
        "outlier_rounds": t.outlier_rounds,
        "outlier_penalty_wei": t.outlier_penalty.to_string(),
        "rounds": t.rounds,
        "max_voids": t.max_voids,
        "round_reward_wei": t.round_reward.to_string(),
        "round_fee_wei": t.round_fee.to_string(),
        "registration_period": t.registration_period,
        "commit_period": t.commit_period,
        "reveal_period": t.reveal_period,
        "aggregate_period": t.aggregate_period,
        "learning_rate_millionths": t.learning_rate,
        "local_epochs": t.local_epochs,
        "decay": t.decay,
        "coherence_floor": t.coherence_floor,
        "coherence_decay": t.coherence_decay,
        "min_learning_rate_millionths": t.min_learning_rate,
        "first_model": format_point(&t.model),
    })
}

/// The model file's CID; its codec follows from the file's length, which follows from the specification's model.
fn model_cid(view: &View, status: &Status) -> Value {
    let length =
        view.specification.as_ref().ok().and_then(|s| {
            fairshare_protocol::encoded_len(&s.model, fairshare_protocol::FileKind::Model).ok()
        });
    match length {
        Some(length) => ContentId::from_digest(status.model_cid, length).to_string().into(),
        None => Value::Null,
    }
}

fn people(project: &Project, view: &View) -> std::io::Result<()> {
    let (t, s) = (project.terms(), &view.status);
    let name = view.specification.as_ref().map_or("(its specification cannot be had)", |s| s.name.as_str());
    print_line(&format!(
        "{name}  {}  chain {}",
        format_address(&project.address()),
        project.chain().chain_id()
    ))?;
    print_line(&where_it_stands(s, t.rounds, &view.round))?;
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
        facts.add_row(vec!["currency".to_owned(), format!("units of the token {}", format_address(token))]);
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
    facts.add_row(vec![
        "owner".to_owned(),
        format!("{}, owed {}", format_address(&t.owner), t.money(view.owner_owed)),
    ]);
    facts.add_row(vec![
        "aggregator".to_owned(),
        format!(
            "{}, bond of {} {bond}, owed {}",
            format_address(&t.aggregator),
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
            rows.add_row(vec![format_address(trainer), t.money(state.stake), t.money(*owed)]);
        }
        for line in rows.lines() {
            print_line(line.trim_end())?;
        }
    }
    if let Err(error) = &view.specification {
        print_line(&format!("\nits specification cannot be had: {error}"))?;
    }
    Ok(())
}

/// The rule with its numbers.
fn rule_words(t: &Terms) -> String {
    match t.policy() {
        Ok(RulePolicy::Agreement(policy)) => format!(
            "agreement: {}/256 of a row trimmed at either end, outliers below {}/256 of the median",
            policy.trim, policy.theta
        ),
        Ok(RulePolicy::MultiKrum(policy)) => format!(
            "multi-krum: {}/256 of the slots may lie, {}/256 are kept",
            policy.byzantine, policy.selected
        ),
        Err(error) => format!("{} ({error})", t.rule),
    }
}

/// Whose the fee of the last model file will be.
fn open_model_words(t: &Terms, open: &OpenModel, published: &[PublishedModel]) -> String {
    let (fee, payee) = (t.money(open.fee), format_address(&open.payee));
    let mut words =
        format!("round {}: {fee} wait for the trainers to attest that they had it from {payee}", open.round);
    if !published.is_empty() {
        let names: Vec<_> = published.iter().map(|model| format_address(&model.publisher)).collect();
        words = format!("{words}, or from {}, who say that it was withheld", names.join(", "));
    }
    words
}

fn where_it_stands(s: &Status, rounds: u16, slots: &RoundState) -> String {
    let (committed, revealed) = (slots.committed, slots.revealed_mask.count_ones());
    let (attested, active) = (slots.attested.count_ones(), slots.active.count_ones());
    let trainers = s.trainers.len();
    let left = if s.deadline > s.now {
        format!("ends in {}", duration(s.deadline - s.now))
    } else {
        "its deadline has passed: `fairshare project advance` moves it on".into()
    };
    match s.phase {
        Phase::Registration => format!("registration: {trainers} trainers so far; {left}"),
        Phase::Commit => {
            format!("round {}: training, {committed} of {trainers} trainers have committed; {left}", s.round)
        }
        Phase::Reveal => format!("round {}: revealing, {revealed} of {committed} are open; {left}", s.round),
        Phase::Attest => format!(
            "round {}: attesting, {attested} of {revealed} have said whose updates they had; {left}",
            s.round
        ),
        Phase::Aggregate => {
            format!("round {}: {active} updates wait for the aggregator's proof; {left}", s.round)
        }
        Phase::Closing => {
            format!("closing: the last model file is attested, or published by another; {left}")
        }
        Phase::Completed => {
            format!("completed: all {rounds} rounds are settled; what is owed can be withdrawn")
        }
        Phase::WoundUp => {
            "wound up: too few trainers or too many void rounds; what is owed can be withdrawn".into()
        }
    }
}

/// The phase's name, as in JSON.
pub(super) fn phase_name(phase: Phase) -> String {
    serde_json::to_value(phase).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_have_the_names_of_the_json() {
        assert_eq!(phase_name(Phase::WoundUp), "wound-up");
        assert_eq!(phase_name(Phase::Commit), "commit");
    }

    #[test]
    fn a_passed_deadline_is_said_with_what_to_do() {
        let mut status = Status {
            phase: Phase::Commit,
            round: 2,
            deadline: 100,
            now: 40,
            block: 1,
            block_hash: [0; 32],
            settled: 1,
            voids: 0,
            trainers: vec![[1; 20]; 5],
            learning_rate: 1,
            local_epochs: 1,
            model: Default::default(),
            model_cid: [0; 32],
            bond_placed: true,
            escrow: 0,
        };
        let slots = RoundState {
            committed: 3,
            revealed_mask: 0b111,
            attested: 0b101,
            active: 0b11,
            slots_hash: [0; 32],
        };
        for (phase, words) in [
            (Phase::Commit, "round 2: training, 3 of 5 trainers have committed; ends in 1 min 0 s"),
            (Phase::Attest, "round 2: attesting, 2 of 3 have said whose updates they had; ends in 1 min 0 s"),
            (Phase::Aggregate, "round 2: 2 updates wait for the aggregator's proof; ends in 1 min 0 s"),
            (
                Phase::Closing,
                "closing: the last model file is attested, or published by another; ends in 1 min 0 s",
            ),
        ] {
            status.phase = phase;
            assert_eq!(where_it_stands(&status, 5, &slots), words);
        }
        status.now = 100;
        assert!(where_it_stands(&status, 5, &slots).contains("fairshare project advance"));
    }
}
