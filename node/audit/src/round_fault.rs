//! Faults of a round.

use fairshare_client::{format_address, Address20, Exclusion};

use super::files::FileFault;

/// What does not hold in a round.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoundFault {
    /// Logs are missing, or there are too many.
    #[error("{found} commitments in the log, {expected} in the contract")]
    CommitmentCount {
        /// In the contract.
        expected: u32,
        /// In the log.
        found: usize,
    },
    /// The commitments in the log are not those that the contract chained.
    #[error("the running hash of the commitments in the log is {found}, the contract has {expected}")]
    RunningHash {
        /// In the contract.
        expected: String,
        /// Of the log.
        found: String,
    },
    /// A reveal for a slot that nobody committed to, or that another trainer did.
    #[error("slot {slot} was revealed by {} and committed by {}", format_address(.revealed), committer(.committed))]
    RevealedByAnother {
        /// The slot.
        slot: u8,
        /// Who revealed.
        revealed: Address20,
        /// Who committed, if anybody.
        committed: Option<Address20>,
    },
    /// The revealed CID and salt do not open the seal.
    #[error("slot {slot} of {}: the revealed CID and salt do not open its seal", format_address(.trainer))]
    Seal {
        /// The slot.
        slot: u8,
        /// Its trainer.
        trainer: Address20,
    },
    /// The contract and the log name other slots as revealed.
    #[error("the log has revealed slots {found:#b}, the contract {expected:#b}")]
    RevealedMask {
        /// In the contract.
        expected: u128,
        /// In the log.
        found: u128,
    },
    /// A commitment's proof of form does not verify, or its transaction says something else.
    #[error("slot {slot} of {}: its proof of form does not hold: {reason}", format_address(.trainer))]
    Form {
        /// The slot.
        slot: u8,
        /// Its trainer.
        trainer: Address20,
        /// The contract's reason.
        reason: String,
    },
    /// Somebody attested who could not, or for slots that nobody revealed.
    #[error("{} attested as slot {slot} what the contract must refuse: twice, without a reveal, without its own slot, or a slot that was not revealed", format_address(.trainer))]
    WrongAttestation {
        /// The slot.
        slot: u8,
        /// Who.
        trainer: Address20,
    },
    /// The contract and the log name other attesters.
    #[error("the log has slots {found:#b} as attesting, the contract {expected:#b}")]
    AttestedMask {
        /// In the contract.
        expected: u128,
        /// In the log.
        found: u128,
    },
    /// Other slots took part than the attestations give.
    #[error("slots {found:#b} are active, the attestations give {expected:#b}")]
    ActiveMask {
        /// By the attestations.
        expected: u128,
        /// In the event, or in the contract.
        found: u128,
    },
    /// A round was settled and no event says which slots are active.
    #[error("the round was settled without an event of its active slots")]
    NoActiveSlots,
    /// The fee of the model file went to somebody whom the attestations do not give.
    #[error("the fee of its model file: {0}")]
    ModelFee(String),
    /// Somebody paid the outliers' penalty who should not have, or another amount.
    #[error("trainer {} lost {found} of its stake as an outlier, the rounds before give {expected}", format_address(.trainer))]
    OutlierPenalty {
        /// Who.
        trainer: Address20,
        /// By the rounds before.
        expected: u128,
        /// The event.
        found: u128,
    },
    /// Fewer slots took part than the terms ask for.
    #[error("{found} slots took part, the terms ask for {required}")]
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
        /// What is wrong.
        reason: String,
    },
    /// The event of the settlement and the transaction that made it say different things.
    #[error("{field} is {found} in the settlement's event and {expected} in its transaction")]
    Call {
        /// Which number.
        field: &'static str,
        /// In the transaction.
        expected: String,
        /// In the event.
        found: String,
    },
    /// The update of a slot that took part.
    #[error("update of slot {slot} ({}): {}", format_address(.trainer), update_words(.reason))]
    Update {
        /// The slot.
        slot: u8,
        /// Its trainer.
        trainer: Address20,
        /// What is wrong with it.
        reason: Exclusion,
    },
    /// The rule gives something else for a trainer.
    #[error("trainer {} (slot {slot}): {field} is {found} on chain, the updates give {expected}", format_address(.trainer))]
    Assessment {
        /// The slot.
        slot: u8,
        /// Its trainer.
        trainer: Address20,
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
    /// The rule has no answer for these updates.
    #[error("the rule refuses the updates: {0}")]
    Rule(String),
    /// The proof does not verify.
    #[error("the proof does not verify: {0}")]
    Proof(String),
    /// The model's commitment does not follow from the one before.
    #[error("the model's commitment is {found} on chain; the one before and the weighted updates' give {expected}")]
    ModelStep {
        /// From the commitments.
        expected: String,
        /// On chain.
        found: String,
    },
    /// The recomputed model does not open the commitment on chain.
    #[error("the model from the updates has commitment {expected}, the chain says {found}")]
    ModelCommitment {
        /// Of the recomputed model.
        expected: String,
        /// On chain.
        found: String,
    },
    /// The published model.
    #[error(transparent)]
    File(#[from] FileFault),
    /// A round of which no hyper-parameters were announced.
    #[error("the round opened without an event of its hyper-parameters")]
    NoHyperParameters,
    /// Somebody hid an update at no cost.
    #[error("trainer {} did not reveal what it had committed to, or no majority had its bytes, and it kept its stake", format_address(.trainer))]
    NotSlashed {
        /// Who.
        trainer: Address20,
    },
    /// Somebody lost a stake who should not have.
    #[error("trainer {} lost its stake, and had revealed an update that a majority had", format_address(.trainer))]
    WronglySlashed {
        /// Who.
        trainer: Address20,
    },
    /// A stake of another amount was lost.
    #[error("the stake that trainer {} lost was {found}, {expected} was held", format_address(.trainer))]
    SlashedAmount {
        /// Whose.
        trainer: Address20,
        /// What was held of it.
        expected: u128,
        /// The event.
        found: u128,
    },
    /// A round began with other hyper-parameters than the proved numbers before it give.
    #[error("{field} is {found} on chain, the rounds before give {expected}")]
    HyperParameters {
        /// `learning rate` (millionths) or `local epochs`.
        field: &'static str,
        /// Recomputed.
        expected: u32,
        /// On chain.
        found: u32,
    },
}

fn committer(committed: &Option<Address20>) -> String {
    committed.as_ref().map_or_else(|| "nobody".into(), format_address)
}

fn update_words(reason: &Exclusion) -> String {
    match reason {
        Exclusion::Missing(_) => format!("not available: {reason}"),
        other => other.to_string(),
    }
}
