//! The chain at one moment.

use fairshare_client::{ChainError, Project, ProjectEvent, Status};
use fairshare_protocol::Address;

use super::error::AuditError;
use super::ledger::Ledger;

/// The state of a project, read while nothing happened in it.
pub(super) struct Snapshot {
    pub(super) status: Status,
    pub(super) events: Vec<ProjectEvent>,
    pub(super) burnt: u128,
    pub(super) balance: u128,
    pub(super) owed: Vec<(Address, u128)>,
}

impl Snapshot {
    /// Reads until no event came in between; a project is rarely busy enough for a second try.
    pub(super) async fn take(project: &Project) -> Result<Self, AuditError> {
        const TRIES: usize = 20;
        let mut events = project.history().await?;
        for _ in 0..TRIES {
            let status = project.status().await?;
            let burnt = project.burnt().await?;
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
                return Ok(Self { status, events, burnt, balance, owed });
            }
            events = again;
        }
        Err(AuditError::Busy { project: project.address().to_string(), tries: TRIES })
    }
}

/// An answer of the chain; an error of the audit when the node is at fault, since that says nothing about the project.
pub(super) fn chain_answer<T>(answer: Result<T, ChainError>) -> Result<Result<T, ChainError>, AuditError> {
    match answer {
        Err(error) if error.is_node_fault() => Err(error.into()),
        other => Ok(other),
    }
}
