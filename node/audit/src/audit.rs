//! The audit: reads the project and runs every check.

use fairshare_circuits::{PinnedKeys, ReferenceString};
use fairshare_client::{fetch_specification, ContentStore, EventKind, FileError, Project, Status};
use fairshare_protocol::Specification;

use super::claims::check_claims;
use super::error::AuditError;
use super::failure::Failure;
use super::ledger::Ledger;
use super::report::AuditReport;
use super::rounds::{Progress, Rounds};
use super::schedule::check_schedule;
use super::slashing::check_slashing;
use super::snapshot::{chain_answer, Snapshot};
use super::sources::Sources;
use super::text::{point_text, word};

/// Audits a project. `srs` must reach the project's dimension.
///
/// # Errors
/// [`AuditError`] when the chain or the IPFS node does not answer. A wrong answer is a failure in the report instead.
pub async fn audit(
    project: &Project,
    store: &ContentStore,
    srs: &ReferenceString,
    keys: &PinnedKeys,
    progress: Progress<'_>,
) -> Result<AuditReport, AuditError> {
    let registered = project.market().await?.registered_keys(project.chain()).await?;
    let snapshot = Snapshot::take(project).await?;
    let mut failures = Vec::new();
    let mut notes = Vec::new();
    if registered.dev {
        notes.push("DEV keys: anyone can forge proofs under them; for test chains only".to_owned());
    }
    if registered.hash != keys.hash() {
        failures.push(Failure::Keys { expected: word(&keys.hash()), found: word(&registered.hash) });
    }
    if let Err(error) = chain_answer(project.check_genuine().await)? {
        failures.push(Failure::Contract(error.to_string()));
    }
    let spec = specification(project, store, &mut failures).await?;

    let sources = Sources { project, store, srs, keys, spec: spec.as_ref(), keys_hash: registered.hash };
    let mut audited = Rounds { sources, notes, failures };
    let rounds = audited.check(&snapshot, progress).await?;
    let Rounds { mut notes, mut failures, .. } = audited;

    let kinds = || snapshot.events.iter().map(|event| &event.kind);
    failures.extend(check_schedule(project.terms(), kinds()));
    failures.extend(check_slashing(project.terms(), kinds()));
    let (faults, withheld) = check_claims(project.terms(), kinds());
    failures.extend(faults);
    notes.extend(withheld);
    failures.extend(current(project, &snapshot.status, kinds()));
    let (ledger, faults) = Ledger::replay(project.terms(), kinds());
    failures.extend(faults.into_iter().map(Failure::Money));
    let faults = ledger.compare(snapshot.status.escrow, snapshot.burnt, snapshot.balance, &snapshot.owed);
    failures.extend(faults.into_iter().map(Failure::Money));
    if let Some(forced) = snapshot.balance.checked_sub(ledger.held()).filter(|forced| *forced > 0) {
        let forced = project.terms().money(forced);
        notes.push(format!("{forced} reached the contract outside its functions and belong to no account"));
    }
    if !snapshot.status.phase.is_over() {
        notes.push(format!(
            "the project is running: round {} is open and not part of this audit",
            snapshot.status.round
        ));
    }
    let voids = kinds()
        .filter_map(|event| match event {
            EventKind::Voided { round, reason } => Some((*round, reason.clone())),
            _ => None,
        })
        .collect();
    Ok(AuditReport {
        project: project.address(),
        chain_id: project.chain().chain_id(),
        block: snapshot.status.block,
        phase: snapshot.status.phase,
        keys_hash: registered.hash,
        dev: registered.dev,
        token: project.terms().token,
        rounds,
        voids,
        ledger,
        balance: snapshot.balance,
        failures,
        notes,
    })
}

async fn specification(
    project: &Project,
    store: &ContentStore,
    failures: &mut Vec<Failure>,
) -> Result<Option<Specification>, AuditError> {
    match fetch_specification(project, store).await {
        Ok(spec) => Ok(Some(spec)),
        Err(FileError::Chain(error)) => Err(error.into()),
        Err(FileError::Content(error)) if error.is_node_fault() => Err(error.into()),
        Err(other) => {
            failures.push(Failure::Specification(other.to_string()));
            Ok(None)
        }
    }
}

/// Compares the contract with its last settlement.
fn current<'e>(
    project: &Project,
    status: &Status,
    events: impl Iterator<Item = &'e EventKind>,
) -> Vec<Failure> {
    let terms = project.terms();
    let (mut model, mut cid, mut settled, mut voids) = (terms.model, terms.model_cid, 0u64, 0u64);
    for event in events {
        match event {
            EventKind::Settled(round) => {
                (model, cid) = (round.model, round.model_cid);
                settled += 1;
            }
            // The publisher of a withheld file serves it under its own CID.
            EventKind::ModelAttested { cid: attested, .. } => cid = *attested,
            EventKind::Voided { .. } => voids += 1,
            _ => {}
        }
    }
    let mut failures = Vec::new();
    let mut same = |field: &'static str, expected: String, found: String| {
        if expected != found {
            failures.push(Failure::Current { field, expected, found });
        }
    };
    same("model's commitment", point_text(&model), point_text(&status.model));
    same("model file's digest", word(&cid), word(&status.model_cid));
    same("number of settled rounds", settled.to_string(), status.settled.to_string());
    same("number of void rounds", voids.to_string(), status.voids.to_string());
    failures
}
