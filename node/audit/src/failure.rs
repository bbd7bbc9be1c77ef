//! What an audit can find, in sentences.

use fairshare_client::{format_address, Address20, Exclusion};
use fairshare_protocol::TensorError;

/// Something that does not hold. Its text names the round, the trainer and the field where there is one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The contracts check against other keys.
    #[error("keys: the project's registry has keys hash {found}, the committed keys of this version have {expected}")]
    Keys {
        /// Of the keys committed with this software.
        expected: String,
        /// On chain.
        found: String,
    },
    /// The contracts are not those of this version.
    #[error("contract: {0}")]
    Contract(String),
    /// The specification is not to be had, not canonical, or says something else than the contract.
    #[error("specification: {0}")]
    Specification(String),
    /// The commitment of the first model is not that of the specification's seed.
    #[error("first model: its commitment is {found} on chain, the specification's seed gives {expected}")]
    FirstModelCommitment {
        /// From the seed.
        expected: String,
        /// On chain.
        found: String,
    },
    /// The file of the first model.
    #[error("first model: {0}")]
    FirstModelFile(FileFault),
    /// What the contract shows is not what its last settlement left.
    #[error("contract: its {field} is {found}, the events give {expected}")]
    Current {
        /// Which.
        field: &'static str,
        /// From the events.
        expected: String,
        /// On chain.
        found: String,
    },
    /// In a round.
    #[error("round {round}: {fault}")]
    Round {
        /// Round id.
        round: u64,
        /// What does not hold.
        fault: RoundFault,
    },
    /// The money.
    #[error("money (in the currency's least unit): {0}")]
    Money(MoneyFault),
}

/// What is wrong with a model file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    /// Nobody provides it.
    #[error("model file: not available: {0}")]
    NotAvailable(String),
    /// It is longer than any file of the project's model.
    #[error("model file: {0}")]
    TooLong(String),
    /// It is no file of the project's model.
    #[error("{0}")]
    Malformed(TensorError),
    /// An entry is another than it must be.
    #[error("model file: parameter {parameter}[{index}]: expected {expected}, found {found}{}", others(*.more))]
    Entry {
        /// The parameter's name.
        parameter: &'static str,
        /// Position in the parameter, row-major.
        index: usize,
        /// The recomputed value.
        expected: i64,
        /// The value in the file.
        found: i64,
        /// How many entries differ beside this one.
        more: usize,
    },
    /// Its commitment is not that of the chain, and the updates are not there to say which entry is wrong.
    #[error("model file: its commitment is {found}, the chain says {expected}")]
    Commitment {
        /// On chain.
        expected: String,
        /// Of the file.
        found: String,
    },
}

fn others(more: usize) -> String {
    if more == 0 {
        String::new()
    } else {
        format!(" (and {more} more entries differ)")
    }
}

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

/// What does not add up. Amounts are in the least unit of the project's currency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyFault {
    /// The owner put down another amount than the terms ask for.
    #[error("the deposit was {found}, the terms ask for {expected}")]
    Deposit {
        /// The terms.
        expected: u128,
        /// The event.
        found: u128,
    },
    /// A stake or bond of another amount than the terms ask for.
    #[error("the {what} of {} was {found}, the terms ask for {expected}", format_address(.account))]
    Security {
        /// `stake` or `bond`.
        what: &'static str,
        /// Who put it down.
        account: Address20,
        /// The terms.
        expected: u128,
        /// The event.
        found: u128,
    },
    /// A settlement paid out more than the escrow held.
    #[error("round {round} credited {credited}, with {escrow} in escrow")]
    EscrowOverdrawn {
        /// Round id.
        round: u64,
        /// What was credited.
        credited: u128,
        /// What was there.
        escrow: u128,
    },
    /// Somebody took out more than it was owed.
    #[error("{} took out {taken}, with {owed} owed", format_address(.account))]
    Overdrawn {
        /// Who.
        account: Address20,
        /// How much.
        taken: u128,
        /// What was owed by the events before.
        owed: u128,
    },
    /// The owner got another rest.
    #[error("the owner was credited {found} at the end, the events leave {expected} in escrow")]
    Returned {
        /// From the events.
        expected: u128,
        /// The event of the end.
        found: u128,
    },
    /// The escrow is another.
    #[error("the escrow is {found} on chain, the events give {expected}")]
    Escrow {
        /// From the events.
        expected: u128,
        /// On chain.
        found: u128,
    },
    /// Somebody is owed another amount.
    #[error("{} is owed {found} on chain, the events give {expected}", format_address(.account))]
    Owed {
        /// Who.
        account: Address20,
        /// From the events.
        expected: u128,
        /// On chain.
        found: u128,
    },
    /// The contract holds less than it owes.
    #[error("the contract holds {found}, the events say that it must hold {expected}")]
    Balance {
        /// Escrow, what is owed, stakes and bond.
        expected: u128,
        /// Its balance.
        found: u128,
    },
    /// The deposit did not stay whole.
    #[error("deposit {deposit} + slashed {slashed} are not paid {paid} + fees {fees} + returned {returned} + escrow {escrow}")]
    Sum {
        /// The owner's deposit.
        deposit: u128,
        /// Stakes and parts of the bond that fell into escrow.
        slashed: u128,
        /// Trainers' shares.
        paid: u128,
        /// Aggregators' fees.
        fees: u128,
        /// Back to the owner.
        returned: u128,
        /// On chain.
        escrow: u128,
    },
}
