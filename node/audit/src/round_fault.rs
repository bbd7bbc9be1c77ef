//! Faults of a round.

use fairshare_client::Exclusion;
use fairshare_protocol::{Address, SlotMask};

use super::files::FileFault;

/// A fault of a round.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoundFault {
    /// The log has another number of commitments than the contract.
    #[error("{found} commitments in the log, {expected} in the contract")]
    CommitmentCount {
        /// In the contract.
        expected: u32,
        /// In the log.
        found: usize,
    },
    /// The commitments in the log differ from those in the contract's running hash.
    #[error("the running hash of the commitments in the log is {found}, the contract has {expected}")]
    RunningHash {
        /// In the contract.
        expected: String,
        /// Of the log.
        found: String,
    },
    /// A reveal for a slot without a commitment, or with one of another trainer.
    #[error("slot {slot} was revealed by {revealed} and committed by {}", committer(.committed))]
    RevealedByAnother {
        /// The slot.
        slot: u8,
        /// Who revealed.
        revealed: Address,
        /// Who committed, if anyone.
        committed: Option<Address>,
    },
    /// The revealed CID and salt do not open the seal.
    #[error("slot {slot} of {trainer}: the revealed CID and salt do not open its seal")]
    Seal {
        /// The slot.
        slot: u8,
        /// Its trainer.
        trainer: Address,
    },
    /// Contract and log disagree about the revealed slots.
    #[error("the log has revealed slots {found}, the contract {expected}")]
    RevealedMask {
        /// In the contract.
        expected: SlotMask,
        /// In the log.
        found: SlotMask,
    },
    /// A commitment's range proof does not verify, or its transaction differs from the log.
    #[error("slot {slot} of {trainer}: its range proof is invalid: {reason}")]
    RangeProof {
        /// The slot.
        slot: u8,
        /// Its trainer.
        trainer: Address,
        /// The contract's reason.
        reason: String,
    },
    /// An attestation that the contract must refuse.
    #[error("{trainer} attested as slot {slot} in a way that the contract must refuse: twice, without a reveal, without its own slot, or for a slot that was not revealed")]
    WrongAttestation {
        /// The slot.
        slot: u8,
        /// The trainer.
        trainer: Address,
    },
    /// Contract and log disagree about the attesters.
    #[error("the log has slots {found} as attesting, the contract {expected}")]
    AttestedMask {
        /// In the contract.
        expected: SlotMask,
        /// In the log.
        found: SlotMask,
    },
    /// The active slots are not those that the attestations give.
    #[error("slots {found} are active, the attestations give {expected}")]
    ActiveMask {
        /// By the attestations.
        expected: SlotMask,
        /// In the event, or in the contract.
        found: SlotMask,
    },
    /// A round was settled without an event of its active slots.
    #[error("the round was settled without an event of its active slots")]
    NoActiveSlots,
    /// The fee of the model file went to another account than the attestations give.
    #[error("the fee of its model file: {0}")]
    ModelFee(String),
    /// A trainer lost a wrong amount as an outlier, or should have lost nothing.
    #[error("trainer {trainer} lost {found} of its stake as an outlier, the earlier rounds give {expected}")]
    OutlierPenalty {
        /// The trainer.
        trainer: Address,
        /// By the earlier rounds.
        expected: u128,
        /// The event.
        found: u128,
    },
    /// Fewer slots took part than the terms require.
    #[error("{found} slots took part, the terms require {required}")]
    TooFewActive {
        /// The terms.
        required: u8,
        /// Took part.
        found: u32,
    },
    /// The settling transaction cannot be read.
    #[error("the settling transaction {transaction}: {reason}")]
    Transaction {
        /// Its hash.
        transaction: String,
        /// Why it cannot be read.
        reason: String,
    },
    /// The event of the settlement differs from its transaction.
    #[error("{field} is {found} in the settlement's event and {expected} in its transaction")]
    Call {
        /// The field.
        field: &'static str,
        /// In the transaction.
        expected: String,
        /// In the event.
        found: String,
    },
    /// The update of an active slot is missing or wrong.
    #[error("update of slot {slot} ({trainer}): {}", update_words(.reason))]
    Update {
        /// The slot.
        slot: u8,
        /// Its trainer.
        trainer: Address,
        /// Why it is excluded.
        reason: Exclusion,
    },
    /// The rule gives another result for a trainer.
    #[error("trainer {trainer} (slot {slot}): {field} is {found} on chain, the updates give {expected}")]
    Assessment {
        /// The slot.
        slot: u8,
        /// Its trainer.
        trainer: Address,
        /// `kept`, `share` or `weight`.
        field: &'static str,
        /// From the updates.
        expected: String,
        /// On chain.
        found: String,
    },
    /// The rule gives another coherence.
    #[error("coherence is {found} on chain, the updates give {expected}")]
    Coherence {
        /// From the updates.
        expected: u32,
        /// On chain.
        found: u32,
    },
    /// The rule refuses these updates.
    #[error("the rule refuses the updates: {0}")]
    Rule(String),
    /// The proof does not verify.
    #[error("the proof does not verify: {0}")]
    Proof(String),
    /// The model's commitment does not follow from the previous one.
    #[error("the model's commitment is {found} on chain; the previous one and the weighted updates give {expected}")]
    ModelStep {
        /// From the commitments.
        expected: String,
        /// On chain.
        found: String,
    },
    /// The recomputed model has another commitment than the one on chain.
    #[error("the model from the updates has commitment {expected}, the chain has {found}")]
    ModelCommitment {
        /// Of the recomputed model.
        expected: String,
        /// On chain.
        found: String,
    },
    /// The published model.
    #[error(transparent)]
    File(#[from] FileFault),
    /// A round opened without an event of its hyper-parameters.
    #[error("the round opened without an event of its hyper-parameters")]
    NoHyperParameters,
    /// A trainer kept the stake that it should have lost.
    #[error("trainer {trainer} kept its stake, although it did not reveal its commitment or more than half attested without it")]
    NotSlashed {
        /// The trainer.
        trainer: Address,
    },
    /// A trainer lost the stake that it should have kept.
    #[error(
        "trainer {trainer} lost its stake, although it revealed an update that at most half attested without"
    )]
    WronglySlashed {
        /// The trainer.
        trainer: Address,
    },
    /// A trainer lost another amount than its stake.
    #[error("trainer {trainer} lost {found}, its stake was {expected}")]
    SlashedAmount {
        /// The trainer.
        trainer: Address,
        /// The stake.
        expected: u128,
        /// The event.
        found: u128,
    },
    /// A round began with other hyper-parameters than the earlier rounds give.
    #[error("{field} is {found} on chain, the earlier rounds give {expected}")]
    HyperParameters {
        /// `learning rate` (millionths) or `local epochs`.
        field: &'static str,
        /// Recomputed.
        expected: u32,
        /// On chain.
        found: u32,
    },
}

fn committer(committed: &Option<Address>) -> String {
    committed.as_ref().map_or_else(|| "no trainer".into(), ToString::to_string)
}

fn update_words(reason: &Exclusion) -> String {
    match reason {
        Exclusion::Missing(_) => format!("not available: {reason}"),
        other => other.to_string(),
    }
}
