//! The events that a running aggregator prints on stdout: one JSON object a line with `--json`, else one sentence a
//! line.

use std::fmt;

use fairshare_protocol::{Money, Phase};
use serde::{Serialize, Serializer};

/// The result of an active slot.
#[derive(Clone, Debug, Serialize)]
pub struct SlotResult {
    /// The slot.
    pub slot: u8,
    /// The trainer's address.
    pub trainer: String,
    /// Whether the rule kept it.
    pub kept: bool,
    /// Its share of the reward, `2^-16`.
    pub share: u32,
    /// Its weight in the model's step, `2^-16`.
    pub weight: u32,
}

/// Durations of the steps of a round, milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Timings {
    /// Fetching the updates and the model, checking them against their commitments.
    pub collect_ms: u64,
    /// Inner products, rule and step.
    pub assess_ms: u64,
    /// Proving.
    pub prove_ms: u64,
    /// Checking the proof and the new model as the contract and everybody else will.
    pub verify_ms: u64,
    /// From sending the settlement to its receipt, waiting for blocks included.
    pub settle_ms: u64,
}

/// A settled round.
#[derive(Clone, Debug, Serialize)]
pub struct RoundSettled {
    /// Round id.
    pub round: u64,
    /// The account that gets the fee.
    pub payee: String,
    /// False when the settlement was found on the chain: sent by an earlier run of this process, or by another.
    pub by_this_run: bool,
    /// Slots that the rule kept.
    pub kept: Vec<u8>,
    /// Active slots that the rule dropped.
    pub dropped: Vec<u8>,
    /// Committed slots that were not active: not revealed, or not attested by more than half.
    pub inactive: Vec<u8>,
    /// Every active slot.
    pub slots: Vec<SlotResult>,
    /// `0 ..= 2^16`.
    pub coherence: u32,
    /// CID of the new model's file.
    pub model_cid: String,
    /// Absent when the settlement was found.
    #[serde(flatten)]
    pub timings: Option<Timings>,
    /// Gas of the settlement.
    pub gas: u64,
    /// Its hash.
    pub transaction: String,
}

impl fmt::Display for RoundSettled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { round, kept, dropped, inactive, gas, transaction, .. } = self;
        write!(f, "round {round} is settled: kept {kept:?}, dropped {dropped:?}, not active {inactive:?}")?;
        match self.timings {
            Some(Timings { collect_ms, assess_ms, prove_ms, verify_ms, .. }) => write!(
                f,
                "; collected in {collect_ms} ms, assessed in {assess_ms}, proved in {prove_ms}, verified in {verify_ms}"
            )?,
            None => write!(f, "; found on the chain, payee {}", self.payee)?,
        }
        write!(f, "; {gas} gas ({transaction})")
    }
}

/// An active slot whose update is missing, or does not match its commitment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingUpdate {
    /// The slot.
    pub slot: u8,
    /// The trainer's address.
    pub trainer: String,
    /// What is wrong with the update's file.
    pub reason: String,
}

impl fmt::Display for MissingUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slot {} of {}: {}", self.slot, self.trainer, self.reason)
    }
}

/// What an aggregator that stops leaves undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Due {
    /// A round waits for its settlement, which the bond depends on.
    Settlement,
}

/// Something that happened. Hashes and addresses are hexadecimal text; amounts are in the currency's least unit, as
/// text; times end in `_ms`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(
    missing_docs,
    reason = "the fields are named by what they hold, and the Display below says it in words"
)]
pub enum Event {
    /// The service is ready.
    Started {
        project: String,
        aggregator: String,
        named: bool,
        phase: Phase,
        round: u64,
        settled: u64,
        dimension: u32,
        slots: u8,
        dev: bool,
    },
    /// The bond is placed.
    BondPlaced {
        #[serde(flatten, serialize_with = "self::amount")]
        amount: Money,
        transaction: String,
        gas: u64,
    },
    /// The project is in another phase than before.
    PhaseOpened { round: u64, phase: Phase, deadline: u64 },
    /// The updates of a round are fetched and checked, all but the missing ones.
    UpdatesCollected { round: u64, active: Vec<u8>, missing: Vec<MissingUpdate>, collect_ms: u64 },
    /// A round cannot go on for now.
    Waiting { round: u64, reason: String },
    /// A round is settled: by this process, or found so on the chain.
    RoundSettled(Box<RoundSettled>),
    /// This process advanced the project after a deadline.
    Advanced { round: u64, phase: Phase, transaction: String, gas: u64 },
    /// The process was asked to stop; `due` is `settlement` when a round waits for it.
    Stopped { round: u64, due: Option<Due>, deadline: Option<u64> },
    /// The project is over.
    ProjectEnded {
        phase: Phase,
        settled: u64,
        voids: u64,
        #[serde(flatten, serialize_with = "self::owed")]
        owed: Money,
    },
}

fn amount<S: Serializer>(amount: &Money, serializer: S) -> Result<S::Ok, S::Error> {
    amount.serialize_field("amount", serializer)
}

fn owed<S: Serializer>(amount: &Money, serializer: S) -> Result<S::Ok, S::Error> {
    amount.serialize_field("owed", serializer)
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started { project, aggregator, named, phase, round, dev, .. } => {
                let role = if *named { "aggregator" } else { "outsider for the open window" };
                let keys = if *dev { ", DEV keys: for test chains only" } else { "" };
                write!(f, "project {project}: {aggregator} is ready as {role} ({phase}, round {round}{keys})")
            }
            Self::BondPlaced { amount, transaction, .. } => {
                write!(f, "bond of {amount} placed ({transaction})")
            }
            Self::PhaseOpened { round, phase, deadline } => {
                write!(f, "round {round}: {phase} until {deadline}")
            }
            Self::UpdatesCollected { round, active, missing, collect_ms } => {
                write!(f, "round {round}: {} active updates checked in {collect_ms} ms", active.len())?;
                missing.iter().try_for_each(|m| write!(f, "; {m}"))
            }
            Self::Waiting { round, reason } => write!(f, "round {round}: waiting: {reason}"),
            Self::RoundSettled(settled) => settled.fmt(f),
            Self::Advanced { round, phase, transaction, .. } => {
                write!(f, "round {round}: {phase} was past its deadline, advanced ({transaction})")
            }
            Self::Stopped { round, due: Some(Due::Settlement), deadline } => {
                write!(f, "stopped; round {round} waits for its settlement")?;
                deadline.map_or(Ok(()), |deadline| write!(f, ", until {deadline}"))
            }
            Self::Stopped { round, due: None, .. } => {
                write!(f, "stopped in round {round}; nothing is due now")
            }
            Self::ProjectEnded { phase, settled, voids, owed } => write!(
                f,
                "the project has ended ({phase}): {settled} rounds settled, {voids} void; {owed} to \
                 withdraw with `fairshare withdraw`"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, to_value};

    #[test]
    fn events_are_flat_objects_with_their_name_and_the_names_of_the_trainers_events() {
        let transaction = "0x01".to_owned();
        let event = Event::Advanced { round: 2, phase: Phase::WoundUp, transaction, gas: 7 };
        assert_eq!(
            to_value(&event).unwrap(),
            json!({"event": "advanced", "round": 2, "phase": "wound-up", "transaction": "0x01", "gas": 7})
        );
        let bond = Event::BondPlaced { amount: Money::wei(5), transaction: "0x01".into(), gas: 7 };
        assert_eq!(
            to_value(&bond).unwrap(),
            json!({"event": "bond_placed", "amount_wei": "5", "transaction": "0x01", "gas": 7})
        );
        let stopped = Event::Stopped { round: 2, due: Some(Due::Settlement), deadline: Some(9) };
        assert_eq!(
            to_value(&stopped).unwrap(),
            json!({"event": "stopped", "round": 2, "due": "settlement", "deadline": 9})
        );
        assert!(stopped.to_string().contains("settlement, until 9"), "{stopped}");
    }
}
