//! HOSTILE, for tests: a trainer that trains nothing and takes what another one made.
//!
//! First it posts another's commitment under a seal of its own; the contract knows the point and refuses it. Later,
//! when the other's CID is public, it reveals that as its own; there is nothing of its own to reveal.

use std::time::Duration;

use fairshare_circuits::FormProofWords;
use fairshare_client::seal;
use rand::RngCore;

use super::fault::Fault;
use super::Service;
use crate::event::Event;

/// How long it waits for somebody to copy from.
const LURK: Duration = Duration::from_millis(500);

impl Service {
    /// Posts the first commitment of the round that is another's.
    pub(super) async fn copy_commitment(&mut self, round: u64) -> Result<(), Fault> {
        if self.progress.victim.is_some() {
            return Ok(());
        }
        let Some(other) = self.project.committed(round).await?.into_iter().find(|c| c.trainer != self.me)
        else {
            tokio::time::sleep(LURK).await;
            return Ok(());
        };
        let mut salt = [0; 32];
        rand::rngs::OsRng.fill_bytes(&mut salt);
        let sealed = seal(other.seal, self.me, salt);
        // It cannot prove the form of what it does not know, and the other's proof serves nobody else.
        let form = FormProofWords { points: vec![[0; 32]; 16], values: vec![[0; 32]; 14] };
        if let Err(error) = self.project.commit_update(round, &other.commitment, sealed, &form).await {
            self.tell_refusal(round, "a copied commitment", Fault::of_sending("a copied commitment", error))?;
        }
        self.progress.victim = Some(other.trainer);
        Ok(())
    }

    /// Reveals the victim's CID as its own.
    pub(super) async fn copy_reveal(&mut self, round: u64) -> Result<(), Fault> {
        let Some(victim) = self.progress.victim else { return Ok(()) };
        let Some(cid) =
            self.project.revealed(round).await?.into_iter().find(|r| r.trainer == victim).map(|r| r.cid)
        else {
            tokio::time::sleep(LURK).await;
            return Ok(());
        };
        if let Err(error) = self.project.reveal_update(round, cid, [0; 32]).await {
            self.tell_refusal(round, "a copied CID", Fault::of_sending("a copied CID", error))?;
        }
        self.progress.victim = None;
        self.progress.close();
        Ok(())
    }

    fn tell_refusal(&self, round: u64, action: &'static str, fault: Fault) -> Result<(), Fault> {
        let Fault::Refused { reason, .. } = fault else { return Err(fault) };
        self.reporter.report(&Event::Refused { round, action, reason });
        Ok(())
    }
}
