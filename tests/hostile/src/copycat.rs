//! A trainer that trains nothing and takes what another one made.
//!
//! First it posts another's commitment under a seal of its own; the contract knows the point and refuses it. Later,
//! when the other's CID is public, it reveals that as its own; there is nothing of its own to reveal.

use std::time::Duration;

use fairshare_circuits::RangeProofWords;
use fairshare_client::service::Reporter;
use fairshare_client::{seal, ChainError, Phase, Project};
use fairshare_protocol::Address;
use fairshare_trainer::Event;
use rand::RngCore;

/// Time between two looks at the chain.
const POLL: Duration = Duration::from_millis(500);

/// Joins, and copies the first other trainer of every round, until the project ends.
///
/// # Errors
/// The node's faults.
pub async fn copy(project: &Project, reporter: Reporter) -> Result<(), ChainError> {
    let me = project.chain().account()?;
    if !project.is_trainer(me).await? {
        project.join().await?;
    }
    let (mut committed, mut revealed) = (0, 0);
    let mut victim = None;
    loop {
        let status = project.status().await?;
        let round = status.round;
        match status.phase {
            phase if phase.is_over() => return Ok(()),
            Phase::Commit if committed < round => {
                victim = copy_commitment(project, reporter, me, round).await?;
                if victim.is_some() {
                    committed = round;
                }
            }
            Phase::Reveal if revealed < round => {
                let done = copy_reveal(project, reporter, victim, round).await?;
                revealed = if done { round } else { revealed };
            }
            _ => {}
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Posts the first commitment of the round that is another's, and returns whose it was.
async fn copy_commitment(
    project: &Project,
    reporter: Reporter,
    me: Address,
    round: u64,
) -> Result<Option<Address>, ChainError> {
    let Some(other) = project.committed(round).await?.into_iter().find(|c| c.trainer != me) else {
        return Ok(None);
    };
    let mut salt = [0; 32];
    rand::rngs::OsRng.fill_bytes(&mut salt);
    let sealed = seal(other.seal, me, salt);
    // It cannot prove the range of what it does not know, and the other's proof serves nobody else.
    let proof = RangeProofWords { points: vec![[0; 32]; 16], values: vec![[0; 32]; 14] };
    if let Err(error) = project.commit_update(round, &other.commitment, sealed, &proof).await {
        report_refusal(reporter, round, "a copied commitment", error)?;
    }
    Ok(Some(other.trainer))
}

/// Reveals the victim's CID as its own, once that is public.
async fn copy_reveal(
    project: &Project,
    reporter: Reporter,
    victim: Option<Address>,
    round: u64,
) -> Result<bool, ChainError> {
    let revealed = project.revealed(round).await?;
    let Some(found) = revealed.into_iter().find(|r| Some(r.trainer) == victim) else { return Ok(false) };
    if let Err(error) = project.reveal_update(round, found.cid, [0; 32]).await {
        report_refusal(reporter, round, "a copied CID", error)?;
    }
    Ok(true)
}

fn report_refusal(
    reporter: Reporter,
    round: u64,
    action: &'static str,
    error: ChainError,
) -> Result<(), ChainError> {
    match error {
        ChainError::Refused { reason, .. } | ChainError::Reverted { reason, .. } => {
            reporter.report(&Event::Refused { round, action, reason });
            Ok(())
        }
        error => Err(error),
    }
}
