//! How far a trainer is in the open round: one stage with its data, and the only ways from one stage to another.
//!
//! ```text
//! Unknown --chain--> Idle --trained--> Prepared --on chain--> Committed --> Revealed --> Attested
//!    ^                                     ^                      |            |            |
//!    |                                     +----------------------+------------+------------+  a reorganisation
//!    +--- the chain went back to an earlier phase or block         any of them --close--> Closed
//! ```

use std::sync::Arc;

use fairshare_client::service::Backoff;
use fairshare_client::{Phase, Receipt};
use fairshare_protocol::SlotMask;

use crate::outcome::Due;
use crate::state::RoundRecord;

/// An update that is ready to be committed. The bytes stay in memory until the round is over, so that a deleted state
/// folder costs nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Update {
    pub(super) record: RoundRecord,
    /// `None` when an earlier process made the update and its file is no longer in the state folder.
    pub(super) file: Option<Arc<[u8]>>,
}

/// A commitment on chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Submission {
    pub(super) slot: u8,
    /// CID of the update's file.
    pub(super) cid: String,
    /// `None` when the update is lost and was revealed before: then nothing needs it any more.
    pub(super) update: Option<Update>,
    /// Whether this process put the file on IPFS, or cannot.
    pub(super) posted: bool,
    /// The newest block at which the chain showed this stage.
    pub(super) seen_at: u64,
}

/// How far the trainer is in a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The chain was not asked yet: a commitment may be on it. Holds the update that this process knows of.
    Unknown(Option<Update>),
    /// The chain shows no commitment, and no update is ready.
    Idle,
    /// An update is ready; a transaction with its commitment may be on its way.
    Prepared {
        update: Update,
        /// The committing transaction, once this process has sent one.
        sent: Option<Receipt>,
    },
    /// The commitment is on chain and waits for its reveal.
    Committed(Submission),
    /// The reveal is on chain; the round's pay needs the attestation.
    Revealed {
        own: Submission,
        /// Slots whose files this process fetched and checked against their commitments.
        checked: SlotMask,
    },
    /// The attestation is on chain.
    Attested(Submission),
    /// Nothing more is to be done.
    Closed,
}

/// What the chain shows of a commitment at a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown {
    pub(super) block: u64,
    pub(super) revealed: bool,
    pub(super) attested: bool,
}

/// What [`OpenRound::confirm`] found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// A reveal that was not known before.
    pub(super) reveal: bool,
    /// An attestation that was not known before.
    pub(super) attestation: bool,
    /// What a reorganisation took from the chain.
    pub(super) lost: Option<&'static str>,
}

/// The open round of a project.
#[derive(Debug)]
pub(super) struct OpenRound {
    /// The round's id; 0 before the first.
    pub(super) id: u64,
    /// The phase that was seen last.
    phase: Phase,
    stage: Stage,
    /// Whether this trainer has voted on the last model file in Closing, or may not.
    pub(super) model_voted: bool,
    /// Why the last attempt failed.
    pub(super) last_fault: Option<String>,
    /// When to try again.
    pub(super) wait: Backoff,
}

impl OpenRound {
    pub(super) fn new(id: u64) -> Self {
        Self {
            id,
            phase: Phase::Registration,
            stage: Stage::Unknown(None),
            model_voted: false,
            last_fault: None,
            wait: Backoff::default(),
        }
    }

    pub(super) fn stage(&self) -> &Stage {
        &self.stage
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    /// Goes on to a phase. False when it is an earlier one: then the chain went back, and the round is open again.
    pub(super) fn enter(&mut self, phase: Phase) -> bool {
        let is_earlier = phase < self.phase;
        if is_earlier {
            self.reopen();
        }
        if phase != self.phase {
            self.phase = phase;
            self.wait = Backoff::default();
        }
        !is_earlier
    }

    /// Forgets what the chain showed, because it went back. The update itself stays: it may still have to be revealed.
    pub(super) fn reopen(&mut self) {
        self.stage = Stage::Unknown(self.update().cloned());
        self.model_voted = false;
        self.last_fault = None;
        self.wait = Backoff::default();
    }

    /// The update, once one is known.
    pub(super) fn update(&self) -> Option<&Update> {
        match &self.stage {
            Stage::Unknown(update) => update.as_ref(),
            Stage::Prepared { update, .. } => Some(update),
            _ => self.submission().and_then(|own| own.update.as_ref()),
        }
    }

    /// The commitment on chain.
    pub(super) fn submission(&self) -> Option<&Submission> {
        match &self.stage {
            Stage::Committed(own) | Stage::Revealed { own, .. } | Stage::Attested(own) => Some(own),
            Stage::Unknown(_) | Stage::Idle | Stage::Prepared { .. } | Stage::Closed => None,
        }
    }

    fn submission_mut(&mut self) -> Option<&mut Submission> {
        match &mut self.stage {
            Stage::Committed(own) | Stage::Revealed { own, .. } | Stage::Attested(own) => Some(own),
            Stage::Unknown(_) | Stage::Idle | Stage::Prepared { .. } | Stage::Closed => None,
        }
    }

    /// True when the chain may show more, or less, at `block` than this process knows.
    pub(super) fn needs_look(&self, block: u64) -> bool {
        if self.id == 0 || self.phase < Phase::Commit || self.phase.is_over() {
            return false;
        }
        match &self.stage {
            Stage::Unknown(_) | Stage::Idle | Stage::Prepared { .. } => true,
            Stage::Committed(own) | Stage::Revealed { own, .. } => block > own.seen_at,
            Stage::Attested(own) => self.phase <= Phase::Attest && block > own.seen_at,
            Stage::Closed => false,
        }
    }

    /// True while the stage can go on in this phase, whatever the chain shows.
    pub(super) fn is_in_time(&self) -> bool {
        match &self.stage {
            Stage::Committed(_) => self.phase <= Phase::Reveal,
            Stage::Revealed { .. } | Stage::Attested(_) => self.phase <= Phase::Attest,
            Stage::Unknown(_) | Stage::Idle | Stage::Prepared { .. } => self.phase <= Phase::Commit,
            Stage::Closed => false,
        }
    }

    /// True while giving up can cost the stake: a commitment may be on chain and can still be revealed.
    pub(super) fn is_stake_at_risk(&self) -> bool {
        self.id != 0
            && self.phase <= Phase::Reveal
            && matches!(self.stage, Stage::Unknown(_) | Stage::Prepared { .. } | Stage::Committed(_))
    }

    /// What is left to do in this round before its phases end.
    pub(super) fn due(&self) -> Option<Due> {
        if self.is_stake_at_risk() {
            return Some(Due::Reveal);
        }
        let in_time = self.phase <= Phase::Attest;
        match &self.stage {
            Stage::Revealed { own, .. } | Stage::Attested(own) if in_time && !own.posted => Some(Due::File),
            Stage::Revealed { .. } if in_time => Some(Due::Attestation),
            _ => None,
        }
    }

    /// The chain shows no commitment of this trainer; `stored` is what the state folder holds, for a process that
    /// knows of no update. True when a commitment that was on chain is gone.
    pub(super) fn no_commitment(&mut self, stored: Option<Update>) -> bool {
        let was_there = self.submission().is_some();
        let known = self.update().cloned().or(stored);
        self.stage = match (std::mem::replace(&mut self.stage, Stage::Closed), known) {
            (Stage::Closed, _) => Stage::Closed,
            (prepared @ Stage::Prepared { .. }, _) => prepared,
            (_, Some(update)) => Stage::Prepared { update, sent: None },
            (_, None) => Stage::Idle,
        };
        was_there
    }

    /// An update is ready and nothing of it has left the machine.
    pub(super) fn prepare(&mut self, update: Update) {
        self.stage = Stage::Prepared { update, sent: None };
    }

    /// The transaction with the commitment is mined.
    pub(super) fn sent(&mut self, receipt: Receipt) {
        if let Stage::Prepared { sent, .. } = &mut self.stage {
            *sent = Some(receipt);
        }
    }

    /// The chain shows the commitment to `update` in `slot`. Returns the transaction when this process sent it.
    pub(super) fn commit(
        &mut self,
        slot: u8,
        cid: String,
        update: Option<Update>,
        block: u64,
    ) -> Option<Receipt> {
        let sent = match &self.stage {
            Stage::Prepared { sent, .. } => *sent,
            _ => None,
        };
        let posted = self.submission().is_some_and(|own| own.posted && own.update == update);
        self.stage = Stage::Committed(Submission { slot, cid, update, posted, seen_at: block });
        sent
    }

    /// The chain shows a commitment that cannot be matched with an update here: whether it can be revealed is open.
    pub(super) fn unmatched(&mut self) {
        self.stage = Stage::Unknown(self.update().cloned());
    }

    /// The file is on IPFS, or cannot be put there.
    pub(super) fn posted(&mut self) {
        if let Some(own) = self.submission_mut() {
            own.posted = true;
        }
    }

    /// Takes over what the chain shows of the commitment: forward, or back after a reorganisation.
    pub(super) fn confirm(&mut self, shown: Shown) -> Found {
        let (mut own, checked, before) = match std::mem::replace(&mut self.stage, Stage::Closed) {
            Stage::Committed(own) => (own, SlotMask::EMPTY, (false, false)),
            Stage::Revealed { own, checked } => (own, checked, (true, false)),
            Stage::Attested(own) => (own, SlotMask::EMPTY, (true, true)),
            other => {
                self.stage = other;
                return Found::default();
            }
        };
        own.seen_at = shown.block;
        let after = (shown.revealed, shown.revealed && shown.attested);
        self.stage = match after {
            (true, true) => Stage::Attested(own),
            (true, false) => Stage::Revealed { own, checked },
            (false, _) => Stage::Committed(own),
        };
        let lost = match (before, after) {
            ((true, _), (false, _)) => Some("the reveal"),
            ((_, true), (_, false)) => Some("the attestation"),
            _ => None,
        };
        Found { reveal: after.0 && !before.0, attestation: after.1 && !before.1, lost }
    }

    /// These slots' files give their commitments. Slots that were checked once stay so.
    pub(super) fn check(&mut self, slots: SlotMask) -> SlotMask {
        match &mut self.stage {
            Stage::Revealed { checked, .. } => {
                *checked |= slots;
                *checked
            }
            _ => slots,
        }
    }

    /// Nothing more is to be done. True when that cuts the round short, so that the user should know.
    pub(super) fn close(&mut self) -> bool {
        let is_done = matches!(self.stage, Stage::Attested(_) | Stage::Closed);
        self.stage = Stage::Closed;
        self.id != 0 && !is_done
    }
}

#[cfg(test)]
#[path = "stage_tests.rs"]
mod tests;
