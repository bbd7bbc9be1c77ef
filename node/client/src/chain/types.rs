//! The contract's data in plain types.

use fairshare_circuits::{G1Affine, RangeProofWords, RoundProofWords};
use fairshare_protocol::{
    Address, Currency, Money, Phase, ProjectPolicy, RuleError, SlotMask, Specification,
};
use sha3::{Digest, Keccak256};

/// A mined transaction that succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its hash.
    pub transaction: [u8; 32],
    /// Gas that it used.
    pub gas_used: u64,
    /// The block that holds it.
    pub block: u64,
}

/// The terms of a project, as in its contract: see `Terms` in `contracts/src/interfaces/IProject.sol`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is explained where the contract declares it")]
pub struct Terms {
    pub owner: Address,
    pub aggregator: Address,
    /// `None` for ether.
    pub token: Option<Address>,
    pub specification: [u8; 32],
    pub rule: u8,
    pub slots: u8,
    pub table: u8,
    pub dimension: u32,
    pub theta: u16,
    pub trim: u8,
    pub min_trainers: u8,
    pub max_trainers: u8,
    pub min_active: u8,
    pub stake: u128,
    pub bond: u128,
    pub outlier_rounds: u16,
    pub outlier_penalty: u128,
    pub rounds: u16,
    pub max_voids: u16,
    pub round_reward: u128,
    pub round_fee: u128,
    pub registration_period: u32,
    pub commit_period: u32,
    pub reveal_period: u32,
    pub attest_period: u32,
    pub aggregate_period: u32,
    pub learning_rate: u32,
    pub local_epochs: u16,
    pub decay: u32,
    pub coherence_floor: u32,
    pub coherence_decay: u32,
    pub min_learning_rate: u32,
    pub model: G1Affine,
    pub model_cid: [u8; 32],
}

impl Terms {
    /// The terms of a specification. `specification` is the SHA-256 of its canonical JSON; `model` and
    /// `model_cid` are the commitment and the CID's digest of `T_0`. The specification must be valid.
    pub fn from_specification(
        spec: &Specification,
        owner: Address,
        aggregator: Address,
        specification: [u8; 32],
        model: G1Affine,
        model_cid: [u8; 32],
    ) -> Self {
        let (participation, training) = (&spec.participation, &spec.training);
        // Only "agreement" has circuits: the factory refuses the other rule by its id.
        let (theta, trim) = match spec.rule.policy() {
            ProjectPolicy::Agreement(policy) => (policy.theta, policy.trim),
            ProjectPolicy::MultiKrum(_) => (0, 0),
        };
        Self {
            owner,
            aggregator,
            token: spec.token(),
            specification,
            rule: spec.rule.name.id(),
            slots: spec.slots().unwrap_or(0), // 0 is refused by the contract; a valid specification has slots
            dimension: u32::try_from(spec.model.dimension()).unwrap_or(u32::MAX),
            table: spec.table(),
            theta,
            trim,
            min_trainers: participation.min_trainers,
            max_trainers: participation.max_trainers,
            min_active: participation.min_active,
            stake: participation.stake.least(),
            bond: participation.bond.least(),
            outlier_rounds: participation.outlier_rounds,
            outlier_penalty: participation.outlier_penalty.least(),
            rounds: spec.reward.rounds,
            max_voids: participation.max_voids,
            round_reward: spec.reward.per_round.least(),
            round_fee: spec.reward.aggregator_fee.least(),
            registration_period: spec.periods.registration,
            commit_period: spec.periods.commit,
            reveal_period: spec.periods.reveal,
            attest_period: spec.periods.attest,
            aggregate_period: spec.periods.aggregate,
            learning_rate: training.learning_rate.millionths(),
            local_epochs: training.local_epochs,
            decay: training.decay.in_65536ths(),
            coherence_floor: training.coherence_floor.in_65536ths(),
            coherence_decay: training.coherence_decay.in_65536ths(),
            min_learning_rate: training.min_learning_rate.millionths(),
            model,
            model_cid,
        }
    }

    /// The owner's deposit, in the currency's least unit.
    pub fn deposit(&self) -> u128 {
        (self.round_reward + self.round_fee) * u128::from(self.rounds)
    }

    /// The rule with its parameters.
    ///
    /// # Errors
    /// A rule that this version does not know, or parameters out of range.
    pub fn policy(&self) -> Result<ProjectPolicy, RuleError> {
        ProjectPolicy::from_terms(self.rule, self.theta, self.trim)
    }

    /// The project's currency. The contract does not hold a token's decimals, so amounts are shown in units.
    pub fn currency(&self) -> Currency {
        match self.token {
            None => Currency::Ether,
            Some(token) => Currency::Token { address: token, decimals: 0 },
        }
    }

    /// An amount of the project's currency, in its least unit.
    pub fn amount(&self, least: u128) -> Money {
        Money::new(least, self.currency())
    }

    /// An amount of the project's currency, as text.
    pub fn money(&self, least: u128) -> String {
        self.amount(least).short()
    }
}

/// The state of a project at one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The phase.
    pub phase: Phase,
    /// The open round's id, 0 before the first.
    pub round: u64,
    /// The end of the phase at the latest, Unix seconds.
    pub deadline: u64,
    /// The timestamp of the block, Unix seconds.
    pub now: u64,
    /// The number of the block.
    pub block: u64,
    /// The hash of the block: after a reorganisation another one has the same number.
    pub block_hash: [u8; 32],
    /// Rounds settled.
    pub settled: u64,
    /// Rounds void.
    pub voids: u64,
    /// Trainers in the order in which they joined.
    pub trainers: Vec<Address>,
    /// Learning rate of the open round, millionths.
    pub learning_rate: u32,
    /// Local epochs of the open round.
    pub local_epochs: u16,
    /// Commitment of the current model.
    pub model: G1Affine,
    /// Digest of the CID of the current model's file.
    pub model_cid: [u8; 32],
    /// Whether the aggregator's bond is placed.
    pub bond_placed: bool,
    /// Reward and fee still in escrow, in the currency's least unit.
    pub escrow: u128,
}

/// The slots of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundState {
    /// How many trainers committed.
    pub committed: u32,
    /// Slots whose updates are revealed.
    pub revealed: SlotMask,
    /// Slots whose trainers attested.
    pub attested: SlotMask,
    /// Slots attested by more than half of the revealed ones; none before the end of Attest.
    pub active: SlotMask,
    /// Running hash of the slots.
    pub slots_hash: [u8; 32],
}

/// A trainer's record in a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrainerState {
    /// Its stake in the contract; 0 when it is lost or returned.
    pub stake: u128,
    /// Rounds in which it was dropped as an outlier; counted only if the terms have a penalty.
    pub dropped: u32,
    /// Whether it has paid the penalty.
    pub penalised: bool,
}

/// The model file whose fee is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenModel {
    /// Its round; 0, as the other fields, when no fee is open.
    pub round: u64,
    /// The account that settled that round.
    pub payee: Address,
    /// The open fee.
    pub fee: u128,
}

/// An account that published a withheld model file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishedModel {
    /// The account.
    pub publisher: Address,
    /// Digest of the file's CID.
    pub cid: [u8; 32],
}

/// The arguments of a committing transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitCall {
    /// The round's id.
    pub round: u64,
    /// The commitment to the update.
    pub commitment: G1Affine,
    /// See [`seal`].
    pub seal: [u8; 32],
    /// Its range proof.
    pub range_proof: RangeProofWords,
}

/// A join that its trainer signed, for another account to send and pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedJoin {
    /// The joining trainer.
    pub trainer: Address,
    /// Unix seconds after which it is invalid.
    pub valid_until: u64,
    /// EIP-712, 65 bytes of an account's own key.
    pub signature: Vec<u8>,
}

/// A commitment that a trainer posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedUpdate {
    /// Its slot in the round.
    pub slot: u8,
    /// Its trainer.
    pub trainer: Address,
    /// The commitment to the update.
    pub commitment: G1Affine,
    /// See [`seal`].
    pub seal: [u8; 32],
}

/// A CID that a trainer revealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevealedUpdate {
    /// Its slot in the round.
    pub slot: u8,
    /// Its trainer.
    pub trainer: Address,
    /// Digest of the CID of the update's file.
    pub cid: [u8; 32],
}

/// A round that was settled by proof. Vectors have one entry for each slot of the circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledRound {
    /// The round's id.
    pub round: u64,
    /// The account that receives the fee.
    pub payee: Address,
    /// Slots that took part.
    pub active: SlotMask,
    /// Slots that were not outliers.
    pub kept: SlotMask,
    /// 0 to 2^16.
    pub coherence: u32,
    /// Shares of the round's reward, 2^-16.
    pub shares: Vec<u32>,
    /// Weights in the model's step, 2^-16.
    pub weights: Vec<u32>,
    /// Commitment of the new model.
    pub model: G1Affine,
    /// Digest of the CID of the new model's file.
    pub model_cid: [u8; 32],
    /// The settling transaction.
    pub transaction: [u8; 32],
    /// Its gas.
    pub gas_used: u64,
}

/// The arguments of a settling transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The round's id.
    pub round: u64,
    /// The account that receives the fee; before the deadline the project's aggregator.
    pub payee: Address,
    /// Digest of the CID of the new model's file.
    pub model_cid: [u8; 32],
    /// The commitment of every committed slot, in slot order.
    pub commitments: Vec<G1Affine>,
    /// If the terms have an outlier penalty, the trainers of the active slots that are not kept, in slot order; otherwise empty.
    pub outliers: Vec<Address>,
    /// The proof.
    pub proof: RoundProofWords,
}

/// An event of a project, with its transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectEvent {
    /// The event.
    pub kind: EventKind,
    /// The block.
    pub block: u64,
    /// The transaction.
    pub transaction: [u8; 32],
    /// Gas of the transaction, which may have caused other events too.
    pub gas_used: u64,
}

/// The events of `IProject`, in plain types.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is explained where the contract declares it")]
pub enum EventKind {
    Opened { owner: Address, specification: [u8; 32], deposit: u128 },
    Joined { trainer: Address, stake: u128 },
    Left { trainer: Address, stake: u128 },
    BondPlaced { aggregator: Address, amount: u128 },
    PhaseOpened { round: u64, phase: Phase, deadline: u64 },
    Committed { round: u64, update: CommittedUpdate },
    Revealed { round: u64, update: RevealedUpdate },
    Attested { round: u64, slot: u8, trainer: Address, mask: SlotMask, source: Option<Address> },
    SlotsActive { round: u64, active: SlotMask, attested: SlotMask },
    StakeSlashed { round: u64, trainer: Address, amount: u128 },
    OutlierPenalised { round: u64, trainer: Address, amount: u128 },
    BondSlashed { round: u64, amount: u128, active: SlotMask },
    LossDivided { round: u64, slots: SlotMask, part: u128 },
    Burnt { round: u64, amount: u128 },
    Settled(SettledRound),
    ModelPublished { round: u64, model: PublishedModel },
    ModelSourceNamed { round: u64, trainer: Address, source: Address },
    ModelAttested { round: u64, source: Address, cid: [u8; 32], fee: u128 },
    ModelUnattested { round: u64, fee: u128 },
    HyperParameters { round: u64, learning_rate: u32, local_epochs: u16 },
    Voided { round: u64, reason: String },
    Ended { phase: Phase, to_owner: u128 },
    Withdrawn { account: Address, to: Address, amount: u128 },
}

/// The seal of an update: `keccak256(abi.encode(cid, sender, salt))`.
pub fn seal(cid_digest: [u8; 32], sender: Address, salt: [u8; 32]) -> [u8; 32] {
    let mut hash = Keccak256::new();
    hash.update(cid_digest);
    hash.update([0; 12]);
    hash.update(sender);
    hash.update(salt);
    hash.finalize().into()
}
