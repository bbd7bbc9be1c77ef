//! What a running trainer tells: one JSON object a line with `--json`, one sentence a line without, on stdout.

use std::fmt;

use fairshare_client::Phase;
use serde::Serialize;

/// Something that happened. Hashes and addresses are hexadecimal text; amounts are wei as text. `tx` and `gas` are null
/// when it was done by an earlier process.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The wallet is a trainer of the project.
    Joined {
        /// The project's address.
        project: String,
        /// The wallet's address.
        trainer: String,
        /// What it put in.
        stake_wei: String,
        /// The joining transaction.
        tx: Option<String>,
        /// Its gas.
        gas: Option<u64>,
    },
    /// The local training of a round is done.
    Training {
        /// Round id.
        round: u64,
        /// Mean loss over the own data, before.
        loss_before: f64,
        /// Mean loss over the own data, after.
        loss_after: f64,
        /// Share of the update's entries that did not fit 16 bits.
        clamped_share: f64,
        /// Time that it took.
        seconds: f64,
    },
    /// The commitment is on chain.
    Committed {
        /// Round id.
        round: u64,
        /// The trainer's slot in the round.
        slot: u8,
        /// CID of the update's file, not public yet.
        cid: String,
        /// The transaction.
        tx: Option<String>,
        /// Its gas.
        gas: Option<u64>,
    },
    /// The commitment is opened.
    Revealed {
        /// Round id.
        round: u64,
        /// The trainer's slot in the round.
        slot: u8,
        /// CID of the update's file.
        cid: String,
        /// The transaction.
        tx: Option<String>,
        /// Its gas.
        gas: Option<u64>,
    },
    /// The trainer has said which revealed updates can be had and are what was committed.
    Attested {
        /// Round id.
        round: u64,
        /// The trainer's slot in the round.
        slot: u8,
        /// Bit `i` for slot `i`, hexadecimal; null when an earlier process attested.
        mask: Option<String>,
        /// From whom it had the last settled round's model file; null when from nobody, or when no fee is open.
        source: Option<String>,
        /// Revealed slots that are not in the mask; empty when an earlier process attested.
        left_out: Vec<LeftOut>,
        /// The transaction.
        tx: Option<String>,
        /// Its gas.
        gas: Option<u64>,
    },
    /// The trainer has said from whom it had the last model file, after the last round.
    ModelAttested {
        /// The model's round.
        round: u64,
        /// From whom it had the file.
        source: String,
        /// The transaction.
        tx: String,
        /// Its gas.
        gas: u64,
    },
    /// A model file was not to be had and was made again from its round's updates.
    ModelRecomputed {
        /// The model's round.
        round: u64,
        /// CID of the file.
        cid: String,
    },
    /// The trainer says on chain that a model file was withheld, and serves it.
    ModelPublished {
        /// The model's round.
        round: u64,
        /// CID of the file.
        cid: String,
        /// The transaction.
        tx: Option<String>,
        /// Its gas.
        gas: Option<u64>,
    },
    /// The contract refused something; the trainer goes on.
    Refused {
        /// Round id.
        round: u64,
        /// What was tried.
        action: &'static str,
        /// The contract's reason.
        reason: String,
    },
    /// The trainer has no part, or no further part, in a round.
    RoundSkipped {
        /// Round id.
        round: u64,
        /// Why.
        reason: String,
    },
    /// This process moved the project on after a deadline.
    Advanced {
        /// Round id.
        round: u64,
        /// The phase whose deadline had passed.
        phase: Phase,
        /// The transaction.
        tx: String,
        /// Its gas.
        gas: u64,
    },
    /// The project is over.
    Ended {
        /// `completed` or `wound-up`.
        phase: Phase,
        /// Rounds that were settled.
        settled: u64,
        /// Rounds that were void.
        voids: u64,
        /// What `fairshare withdraw` would pay now: shares and stake.
        owed_wei: String,
    },
}

/// A revealed slot that a trainer did not attest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The slot.
    pub slot: u8,
    /// Whose it is.
    pub trainer: String,
    /// What is wrong with its file.
    pub reason: String,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joined { project, trainer, stake_wei, .. } => {
                write!(f, "{trainer} is a trainer of project {project}, stake {stake_wei} wei")
            }
            Self::Training { round, loss_before, loss_after, clamped_share, seconds } => write!(
                f,
                "round {round}: trained in {seconds:.1} s, loss {loss_before:.3} -> {loss_after:.3}, {:.4} % clamped",
                100.0 * clamped_share
            ),
            Self::Committed { round, slot, tx, .. } => write!(f, "round {round}: committed in slot {slot}{}", By(tx)),
            Self::Revealed { round, slot, cid, tx, .. } => {
                write!(f, "round {round}: revealed slot {slot}, {cid}{}", By(tx))
            }
            Self::Attested { round, mask, left_out, tx, .. } => {
                let mask = mask.as_deref().unwrap_or_default();
                write!(f, "round {round}: attested {mask}{}", By(tx))?;
                left_out.iter().try_for_each(|l| write!(f, "; slot {} of {}: {}", l.slot, l.trainer, l.reason))
            }
            Self::ModelAttested { round, source, tx, .. } => {
                write!(f, "the model file of round {round} was had from {source}, attested ({tx})")
            }
            Self::ModelRecomputed { round, cid } => {
                write!(f, "the model file of round {round} was not to be had: made again from its updates, {cid}")
            }
            Self::ModelPublished { round, cid, tx, .. } => {
                write!(f, "the model file of round {round} is served here, {cid}{}", By(tx))
            }
            Self::Refused { round, action, reason } => write!(f, "round {round}: {action} was refused: {reason}"),
            Self::RoundSkipped { round, reason } => write!(f, "round {round} is skipped: {reason}"),
            Self::Advanced { round, phase, tx, .. } => {
                write!(f, "round {round}: {phase:?} was past its deadline, moved on ({tx})")
            }
            Self::Ended { phase, settled, voids, owed_wei } => write!(
                f,
                "the project has ended ({phase:?}): {settled} rounds settled, {voids} void; {owed_wei} wei to withdraw \
                 with `fairshare withdraw`"
            ),
        }
    }
}

/// A transaction in brackets, or that an earlier process sent it.
struct By<'a>(&'a Option<String>);

impl fmt::Display for By<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(tx) => write!(f, " ({tx})"),
            None => write!(f, " (found on the chain)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_flat_objects_with_their_name() {
        let event = Event::Committed { round: 2, slot: 1, cid: "bafk".into(), tx: None, gas: None };
        let json = serde_json::to_value(&event).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"event": "committed", "round": 2, "slot": 1, "cid": "bafk", "tx": null, "gas": null})
        );
        assert!(event.to_string().contains("found on the chain"));
        let ended = Event::Ended { phase: Phase::WoundUp, settled: 1, voids: 3, owed_wei: "7".into() };
        assert_eq!(serde_json::to_value(&ended).unwrap()["phase"], "wound-up");
    }
}
