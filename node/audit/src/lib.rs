//! The audit of a project, from the chain and IPFS alone: everything that was proved is verified again, everything that
//! was published is recomputed, and the money is counted.
//!
//! ```text
//! logs, calldata --> submissions, schedule, ledger       failures: sentences that name
//! updates on IPFS --> rule --> kept, shares, weights  -> round, trainer, field,
//! T_0 from its seed --> T_1 --> T_2 ..                   expected and found
//! ```
//!
//! The checks are functions of what was read, in modules of their own; this one does the reading.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod claims;
mod error;
mod failure;
mod files;
mod ledger;
mod report;
mod schedule;
mod settlement;
mod slashing;
mod submissions;
mod walk;

pub use claims::check_claims;
pub use error::AuditError;
pub use failure::{Failure, FileFault, MoneyFault, RoundFault};
pub use files::{check_model, check_model_file};
pub use ledger::Ledger;
pub use report::{AuditReport, AuditedRound};
pub use schedule::check_schedule;
pub use settlement::{check_assessment, check_call, check_proof, check_step, reassess, statement};
pub use slashing::check_slashing;
pub use submissions::{
    attested_by_majority, check_active, check_attestations, check_commitments, check_form, check_reveals,
    check_slots_active, running_hash, Attestation,
};

use fairshare_circuits::{CommittedKeys, ReferenceString};
use fairshare_client::{
    fetch_specification, format_address, Address20, ChainError, ContentStore, EventKind, FileError, Phase,
    Project, ProjectEvent, Status,
};
use fairshare_protocol::Specification;

use submissions::{point_text, word};

#[cfg(test)]
pub(crate) mod tests;

/// How far an audit is: rounds done, and all settled rounds.
pub type Progress<'p> = &'p mut dyn FnMut(usize, usize);

/// Audits a project. `srs` must reach the project's dimension.
///
/// # Errors
/// [`AuditError`] when the chain or the IPFS node cannot be asked. Whatever they answer that does not hold is a failure
/// in the report instead.
pub async fn audit(
    project: &Project,
    store: &ContentStore,
    srs: &ReferenceString,
    keys: &CommittedKeys,
    progress: Progress<'_>,
) -> Result<AuditReport, AuditError> {
    let registered = project.market().await?.registered_keys(project.chain()).await?;
    let snapshot = Snapshot::take(project).await?;
    let mut failures = Vec::new();
    let mut notes = Vec::new();
    if registered.dev {
        notes.push("DEV keys: whoever made them can forge a proof; for test chains only".to_owned());
    }
    if registered.hash != keys.hash() {
        failures.push(Failure::Keys { expected: word(&keys.hash()), found: word(&registered.hash) });
    }
    if let Err(error) = chain_answer(project.check_genuine().await)? {
        failures.push(Failure::Contract(error.to_string()));
    }
    let spec = specification(project, store, &mut failures).await?;

    let mut walk = walk::Walk {
        project,
        store,
        srs,
        keys,
        spec: spec.as_ref(),
        keys_hash: registered.hash,
        notes,
        failures,
    };
    let rounds = walk.rounds(&snapshot, progress).await?;
    let walk::Walk { mut notes, mut failures, .. } = walk;

    let kinds = || snapshot.events.iter().map(|event| &event.kind);
    failures.extend(check_schedule(project.terms(), kinds()));
    failures.extend(check_slashing(project.terms(), kinds()));
    let (faults, withheld) = check_claims(project.terms(), kinds());
    failures.extend(faults);
    notes.extend(withheld);
    failures.extend(current(project, &snapshot.status, kinds()));
    let (ledger, faults) = Ledger::replay(project.terms(), kinds());
    failures.extend(faults.into_iter().map(Failure::Money));
    let faults = ledger.compare(snapshot.status.escrow, snapshot.balance, &snapshot.owed);
    failures.extend(faults.into_iter().map(Failure::Money));
    if let Some(forced) = snapshot.balance.checked_sub(ledger.held()).filter(|forced| *forced > 0) {
        let forced = project.terms().money(forced);
        notes.push(format!("{forced} were sent to the contract past its functions: they are nobody's"));
    }
    if !snapshot.status.phase.is_over() {
        notes.push(format!(
            "the project goes on: round {} is open and not part of this audit",
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

/// What the contract shows now against the last settlement.
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
            // Who published a withheld file serves it under its own name.
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

/// The chain at one moment: nothing happened in the project while it was read.
pub(crate) struct Snapshot {
    pub(crate) status: Status,
    pub(crate) events: Vec<ProjectEvent>,
    balance: u128,
    owed: Vec<(Address20, u128)>,
}

impl Snapshot {
    /// Reads until nothing happened in between; a project is never so busy that this takes many tries.
    async fn take(project: &Project) -> Result<Self, AuditError> {
        const TRIES: usize = 20;
        let mut events = project.history().await?;
        for _ in 0..TRIES {
            let status = project.status().await?;
            let (chain, address) = (project.chain(), project.address());
            let balance = match project.terms().token {
                None => chain.balance(address).await?,
                Some(token) => chain.token_balance(token, address).await?,
            };
            let (ledger, _) = Ledger::replay(project.terms(), events.iter().map(|event| &event.kind));
            let mut owed = Vec::new();
            for account in ledger.accounts() {
                owed.push((account, project.owed(account).await?));
            }
            let again = project.history().await?;
            if again == events {
                return Ok(Self { status, events, balance, owed });
            }
            events = again;
        }
        Err(AuditError::Busy { project: format_address(&project.address()), tries: TRIES })
    }
}

/// Whether a failure to read is the node's, so that nothing can be said.
pub(crate) fn chain_answer<T>(answer: Result<T, ChainError>) -> Result<Result<T, ChainError>, AuditError> {
    match answer {
        Err(error) if error.is_node_fault() => Err(error.into()),
        other => Ok(other),
    }
}

/// The phase in words, for the report.
pub fn phase_words(phase: Phase) -> &'static str {
    match phase {
        Phase::Registration => "registration",
        Phase::Commit | Phase::Reveal | Phase::Attest | Phase::Aggregate => "running",
        Phase::Closing => "closing",
        Phase::Completed => "completed",
        Phase::WoundUp => "wound up",
    }
}
