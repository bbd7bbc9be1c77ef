//! The events that a running trainer prints on stdout: one JSON object a line with `--json`, else one sentence a line.

use std::fmt;

use fairshare_protocol::{Money, Phase};
use serde::{Serialize, Serializer};

use crate::outcome::{Due, SeatLoss};

/// Something that happened. Hashes and addresses are hexadecimal text; amounts are in the currency's least unit, as
/// text, in fields that end in `_wei` or `_units`. `transaction` and `gas` are null when an earlier process sent the transaction.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The wallet is a trainer of the project.
    Joined {
        /// The project's address.
        project: String,
        /// The wallet's address.
        trainer: String,
        /// The stake that it put in.
        #[serde(flatten, serialize_with = "self::stake")]
        stake: Money,
        /// The joining transaction.
        transaction: Option<String>,
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
        /// Duration of the training.
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
        transaction: Option<String>,
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
        transaction: Option<String>,
        /// Its gas.
        gas: Option<u64>,
    },
    /// The trainer has attested which revealed files it fetched and found to match their commitments.
    Attested {
        /// Round id.
        round: u64,
        /// The trainer's slot in the round.
        slot: u8,
        /// Bit `i` for slot `i`, hexadecimal; null when an earlier process attested.
        mask: Option<String>,
        /// The account that served the last settled round's model file; null when nobody did, or when no fee is open.
        source: Option<String>,
        /// Revealed slots that are not in the mask; empty when an earlier process attested.
        left_out: Vec<LeftOut>,
        /// The transaction.
        transaction: Option<String>,
        /// Its gas.
        gas: Option<u64>,
    },
    /// The trainer has attested who served the last model file, after the last round.
    ModelAttested {
        /// The model's round.
        round: u64,
        /// The account that served the file.
        source: String,
        /// The transaction.
        transaction: String,
        /// Its gas.
        gas: u64,
    },
    /// A model file could not be fetched and was computed again from its round's updates.
    ModelRecomputed {
        /// The model's round.
        round: u64,
        /// CID of the file.
        cid: String,
    },
    /// The trainer serves a model file that was withheld, and has said so on chain.
    ModelPublished {
        /// The model's round.
        round: u64,
        /// CID of the file.
        cid: String,
        /// The transaction.
        transaction: Option<String>,
        /// Its gas.
        gas: Option<u64>,
    },
    /// The contract refused something; the trainer goes on.
    Refused {
        /// Round id.
        round: u64,
        /// The refused action.
        action: &'static str,
        /// The contract's reason.
        reason: String,
    },
    /// The trainer does not take part in a round, or no longer.
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
        transaction: String,
        /// Its gas.
        gas: u64,
    },
    /// The trainer no longer takes part in the project.
    SeatLost {
        /// What cost the seat.
        reason: SeatLoss,
        /// The round in which it happened; null when the trainer left, or when the chain's log could not be read.
        round: Option<u64>,
        /// What was lost of the stake.
        #[serde(flatten, serialize_with = "self::stake_lost")]
        stake_lost: Money,
    },
    /// The process was asked to stop.
    Stopped {
        /// Round id.
        round: u64,
        /// What is left to do in the round: `reveal`, `file` (put the update on IPFS) or `attestation`; null for
        /// nothing.
        due: Option<Due>,
        /// When the phase ends, Unix seconds; null before the first look at the chain.
        deadline: Option<u64>,
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
        #[serde(flatten, serialize_with = "self::owed")]
        owed: Money,
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

fn stake<S: Serializer>(amount: &Money, serializer: S) -> Result<S::Ok, S::Error> {
    amount.serialize_field("stake", serializer)
}

fn stake_lost<S: Serializer>(amount: &Money, serializer: S) -> Result<S::Ok, S::Error> {
    amount.serialize_field("stake_lost", serializer)
}

fn owed<S: Serializer>(amount: &Money, serializer: S) -> Result<S::Ok, S::Error> {
    amount.serialize_field("owed", serializer)
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joined { project, trainer, stake, .. } => {
                write!(f, "{trainer} is a trainer of project {project}, stake {stake}")
            }
            Self::Training { round, loss_before, loss_after, clamped_share, seconds } => write!(
                f,
                "round {round}: trained in {seconds:.1} s, loss {loss_before:.3} -> {loss_after:.3}, {:.4} % clamped",
                100.0 * clamped_share
            ),
            Self::Committed { round, slot, transaction, .. } => {
                write!(f, "round {round}: committed in slot {slot}{}", By(transaction))
            }
            Self::Revealed { round, slot, cid, transaction, .. } => {
                write!(f, "round {round}: revealed slot {slot}, {cid}{}", By(transaction))
            }
            Self::Attested { round, mask, left_out, transaction, .. } => {
                let mask = mask.as_deref().unwrap_or_default();
                write!(f, "round {round}: attested {mask}{}", By(transaction))?;
                left_out.iter().try_for_each(|l| write!(f, "; slot {} of {}: {}", l.slot, l.trainer, l.reason))
            }
            Self::ModelAttested { round, source, transaction, .. } => {
                write!(f, "attested that {source} served the model file of round {round} ({transaction})")
            }
            Self::ModelRecomputed { round, cid } => {
                write!(f, "nobody serves the model file of round {round}: computed again from its updates, {cid}")
            }
            Self::ModelPublished { round, cid, transaction, .. } => {
                write!(f, "the model file of round {round} is served here, {cid}{}", By(transaction))
            }
            Self::Refused { round, action, reason } => {
                write!(f, "round {round}: the contract refused {action}: {reason}")
            }
            Self::RoundSkipped { round, reason } => write!(f, "round {round} is skipped: {reason}"),
            Self::Advanced { round, phase, transaction, .. } => {
                write!(f, "round {round}: {phase} was past its deadline, advanced ({transaction})")
            }
            Self::SeatLost { reason, round, stake_lost } => {
                write!(f, "the trainer's seat is lost")?;
                round.map_or(Ok(()), |round| write!(f, " in round {round}"))?;
                write!(f, ": {reason}; {stake_lost} of stake are lost")
            }
            Self::Stopped { round, due, deadline } => {
                write!(f, "stopped in round {round}")?;
                let Some(due) = due else { return write!(f, "; nothing is left to do in this phase") };
                write!(f, "; {}", due.danger())?;
                deadline.map_or(Ok(()), |deadline| write!(f, ", until {deadline}"))
            }
            Self::Ended { phase, settled, voids, owed } => write!(
                f,
                "the project has ended ({phase}): {settled} rounds settled, {voids} void; {owed} to \
                 withdraw with `fairshare withdraw`"
            ),
        }
    }
}

/// A transaction in brackets, or that an earlier process sent it.
struct By<'a>(&'a Option<String>);

impl fmt::Display for By<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(transaction) => write!(f, " ({transaction})"),
            None => write!(f, " (found on the chain)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, to_value};

    #[test]
    fn events_are_flat_objects_with_their_name() {
        let event = Event::Committed { round: 2, slot: 1, cid: "bafk".into(), transaction: None, gas: None };
        assert_eq!(
            to_value(&event).unwrap(),
            json!({"event": "committed", "round": 2, "slot": 1, "cid": "bafk", "transaction": null, "gas": null})
        );
        assert!(event.to_string().contains("found on the chain"));
        let ended = Event::Ended { phase: Phase::WoundUp, settled: 1, voids: 3, owed: Money::wei(7) };
        let ended = to_value(&ended).unwrap();
        assert_eq!((&ended["phase"], &ended["owed_wei"]), (&json!("wound-up"), &json!("7")));
    }

    #[test]
    fn lost_seat_is_told_with_round_reason_and_stake() {
        let reason = SeatLoss::MissedReveal;
        let event = Event::SeatLost { reason, round: Some(3), stake_lost: Money::wei(100) };
        assert_eq!(
            to_value(&event).unwrap(),
            json!({"event": "seat_lost", "reason": "missed_reveal", "round": 3, "stake_lost_wei": "100"})
        );
        let words = event.to_string();
        assert!(
            words.contains("round 3")
                && words.contains("did not reveal")
                && words.contains(&Money::wei(100).to_string()),
            "{words}"
        );
    }

    #[test]
    fn stop_names_what_is_due_and_until_when() {
        let event = Event::Stopped { round: 3, due: Some(Due::Reveal), deadline: Some(1_700_000_000) };
        assert_eq!(
            to_value(&event).unwrap(),
            json!({"event": "stopped", "round": 3, "due": "reveal", "deadline": 1_700_000_000u64})
        );
        assert!(event.to_string().contains("reveal, until 1700000000"), "{event}");
        assert!(Event::Stopped { round: 3, due: None, deadline: Some(7) }
            .to_string()
            .contains("nothing is left"));
    }
}
