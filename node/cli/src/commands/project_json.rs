//! A project as JSON: see `docs/events.schema.json`.

use fairshare_client::service::add_amounts;
use fairshare_client::{format_point, ContentId, Project, Status, Terms};
use fairshare_protocol::{encoded_len, FileKind};
use serde_json::{json, Value};

use super::output::hash;
use super::project_view::View;

pub(super) fn to_json(project: &Project, view: &View) -> Value {
    let (t, s) = (project.terms(), &view.status);
    let trainers = view.trainers.iter().map(|(address, state, owed)| {
        let (dropped, penalised) = (state.dropped, state.penalised);
        let mut trainer = json!({"address": address.to_string(), "dropped": dropped, "penalised": penalised});
        add_amounts(&mut trainer, [("stake", t.amount(state.stake)), ("owed", t.amount(*owed))]);
        trainer
    });
    let open = &view.open_model;
    let open_model = (open.round != 0).then(|| {
        let published = view.published.iter().map(|model| model.publisher.to_string());
        let mut model = json!({
            "round": open.round,
            "payee": open.payee.to_string(),
            "published_by": published.collect::<Vec<_>>(),
        });
        add_amounts(&mut model, [("fee", t.amount(open.fee))]);
        model
    });
    let mut shown = json!({
        "project": project.address().to_string(),
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
        "revealed": view.round.revealed.count(),
        "attested": view.round.attested.count(),
        "active": view.round.active.count(),
        "open_model": open_model,
        "learning_rate_millionths": s.learning_rate,
        "local_epochs": s.local_epochs,
        "model": {"commitment": format_point(&s.model), "cid": model_cid(view, s)},
        "bond_placed": s.bond_placed,
        "trainers": trainers.collect::<Vec<_>>(),
        "terms": terms(t),
    });
    let amounts = [
        ("escrow", s.escrow),
        ("deposit", t.deposit()),
        ("owner_owed", view.owner_owed),
        ("aggregator_owed", view.aggregator_owed),
    ];
    add_amounts(&mut shown, amounts.map(|(name, amount)| (name, t.amount(amount))));
    shown
}

fn terms(t: &Terms) -> Value {
    let mut terms = json!({
        "owner": t.owner.to_string(),
        "aggregator": t.aggregator.to_string(),
        "specification": hash(&t.specification),
        "specification_cid": ContentId::from_digest(t.specification, 0).to_string(),
        "rule": t.rule,
        "slots": t.slots,
        "dimension": t.dimension,
        "theta": t.theta,
        "trim": t.trim,
        "table": t.table,
        "token": t.token.as_ref().map(ToString::to_string),
        "attest_period": t.attest_period,
        "min_trainers": t.min_trainers,
        "max_trainers": t.max_trainers,
        "min_active": t.min_active,
        "outlier_rounds": t.outlier_rounds,
        "rounds": t.rounds,
        "max_voids": t.max_voids,
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
    });
    let amounts = [
        ("stake", t.stake),
        ("bond", t.bond),
        ("outlier_penalty", t.outlier_penalty),
        ("round_reward", t.round_reward),
        ("round_fee", t.round_fee),
    ];
    add_amounts(&mut terms, amounts.map(|(name, amount)| (name, t.amount(amount))));
    terms
}

/// The model file's CID; its codec follows from the file's length, which follows from the specification's model.
fn model_cid(view: &View, status: &Status) -> Value {
    let length = view.specification.as_ref().ok().and_then(|s| encoded_len(&s.model, FileKind::Model).ok());
    match length {
        Some(length) => ContentId::from_digest(status.model_cid, length).to_string().into(),
        None => Value::Null,
    }
}
