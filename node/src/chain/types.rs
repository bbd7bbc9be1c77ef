//! What a project's contract says, in plain types.

use fairshare_circuits::{G1Affine, RoundProofWords};
use fairshare_protocol::Specification;
use serde::{Deserialize, Serialize};
use sha3::{Digest, Keccak256};

use crate::address::Address20;

/// A transaction that did what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its hash.
    pub transaction: [u8; 32],
    /// Gas that it used.
    pub gas_used: u64,
    /// The block that holds it.
    pub block: u64,
}

/// The rules of a project, as its contract holds them: see `Terms` in `contracts/src/interfaces/IProject.sol`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is explained where the contract declares it")]
pub struct Terms {
    pub owner: Address20,
    pub aggregator: Address20,
    pub specification: [u8; 32],
    pub rule: u8,
    pub slots: u8,
    pub dimension: u32,
    pub theta: u16,
    pub trim: u8,
    pub max_excluded: u8,
    pub min_trainers: u8,
    pub max_trainers: u8,
    pub min_active: u8,
    pub stake: u128,
    pub bond: u128,
    pub rounds: u16,
    pub max_voids: u16,
    pub round_reward: u128,
    pub round_fee: u128,
    pub registration_period: u32,
    pub commit_period: u32,
    pub reveal_period: u32,
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
    /// The terms that a specification means. `specification` is the SHA-256 of its canonical JSON; `model` and
    /// `model_cid` are the commitment and the CID's digest of `T_0`. A valid specification is expected.
    pub fn from_specification(
        spec: &Specification,
        owner: Address20,
        aggregator: Address20,
        specification: [u8; 32],
        model: G1Affine,
        model_cid: [u8; 32],
    ) -> Self {
        let (participation, training) = (&spec.participation, &spec.training);
        Self {
            owner,
            aggregator,
            specification,
            rule: spec.rule.name.id(),
            slots: spec.slots().unwrap_or(0), // 0 is refused by the contract; a valid specification has slots
            dimension: u32::try_from(spec.model.dimension()).unwrap_or(u32::MAX),
            theta: spec.rule.theta,
            trim: spec.rule.trim,
            max_excluded: participation.max_excluded,
            min_trainers: participation.min_trainers,
            max_trainers: participation.max_trainers,
            min_active: participation.min_active,
            stake: participation.stake.0,
            bond: participation.bond.0,
            rounds: spec.reward.rounds,
            max_voids: participation.max_voids,
            round_reward: spec.reward.per_round.0,
            round_fee: spec.reward.aggregator_fee.0,
            registration_period: spec.periods.registration,
            commit_period: spec.periods.commit,
            reveal_period: spec.periods.reveal,
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

    /// What the owner puts into escrow, in wei.
    pub fn deposit(&self) -> u128 {
        (self.round_reward + self.round_fee) * u128::from(self.rounds)
    }
}

/// Where a project stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Trainers join, the aggregator places its bond.
    Registration,
    /// Trainers train and post commitments.
    Commit,
    /// Trainers open their seals.
    Reveal,
    /// The aggregator proves and settles.
    Aggregate,
    /// All rounds are settled.
    Completed,
    /// Too few trainers or too many void rounds: the rest is back with the owner.
    WoundUp,
}

impl Phase {
    /// True when nothing happens any more but withdrawals.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::WoundUp)
    }

    pub(super) fn from_index(index: u8) -> Option<Self> {
        use Phase::*;
        [Registration, Commit, Reveal, Aggregate, Completed, WoundUp].get(usize::from(index)).copied()
    }
}

/// Where a project stands, read at one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The phase.
    pub phase: Phase,
    /// The open round's id, 0 before the first.
    pub round: u64,
    /// When the phase ends at the latest, Unix seconds.
    pub deadline: u64,
    /// The timestamp of the block, Unix seconds.
    pub now: u64,
    /// The number of the block.
    pub block: u64,
    /// Rounds settled.
    pub settled: u64,
    /// Rounds void.
    pub voids: u64,
    /// Trainers in the order in which they joined.
    pub trainers: Vec<Address20>,
    /// Of the open round, millionths.
    pub learning_rate: u32,
    /// Of the open round.
    pub local_epochs: u16,
    /// Commitment of the current model.
    pub model: G1Affine,
    /// Digest of the CID of the current model's file.
    pub model_cid: [u8; 32],
    /// Whether the aggregator's bond is there.
    pub bond_placed: bool,
    /// Reward and fee still in escrow, wei.
    pub escrow: u128,
}

/// The slots of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundState {
    /// How many trainers committed.
    pub committed: u32,
    /// Bit `i` for slot `i`.
    pub revealed_mask: u128,
    /// Running hash of the commitments.
    pub commitments_hash: [u8; 32],
}

/// A commitment that a trainer posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedUpdate {
    /// Its slot in the round.
    pub slot: u8,
    /// Whose it is.
    pub trainer: Address20,
    /// Of the update.
    pub commitment: G1Affine,
    /// See [`seal`].
    pub seal: [u8; 32],
}

/// A CID that a trainer revealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevealedUpdate {
    /// Its slot in the round.
    pub slot: u8,
    /// Whose it is.
    pub trainer: Address20,
    /// Digest of the CID of the update's file.
    pub cid: [u8; 32],
}

/// A round that was settled by proof. Vectors have one entry for each slot of the circuit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledRound {
    /// The round's id.
    pub round: u64,
    /// Who got the fee.
    pub payee: Address20,
    /// Slots that took part.
    pub active: u128,
    /// Slots that were not outliers.
    pub kept: u128,
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

/// What settles a round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The round's id.
    pub round: u64,
    /// Who gets the fee; before the deadline the project's aggregator.
    pub payee: Address20,
    /// Slots that take part.
    pub active: u128,
    /// Digest of the CID of the new model's file.
    pub model_cid: [u8; 32],
    /// Of every committed slot, in slot order.
    pub commitments: Vec<G1Affine>,
    /// The proof.
    pub proof: RoundProofWords,
}

/// What happened in a project, with the transaction that did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectEvent {
    /// What happened.
    pub kind: EventKind,
    /// The block.
    pub block: u64,
    /// The transaction.
    pub transaction: [u8; 32],
    /// Gas of the transaction, which may have done more than this.
    pub gas_used: u64,
}

/// The events of `IProject`, in plain types.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is explained where the contract declares it")]
pub enum EventKind {
    Opened { owner: Address20, specification: [u8; 32], deposit: u128 },
    Joined { trainer: Address20, stake: u128 },
    Left { trainer: Address20, stake: u128 },
    BondPlaced { aggregator: Address20, amount: u128 },
    PhaseOpened { round: u64, phase: Phase, deadline: u64 },
    Committed { round: u64, update: CommittedUpdate },
    Revealed { round: u64, update: RevealedUpdate },
    StakeSlashed { round: u64, trainer: Address20, amount: u128 },
    BondSlashed { round: u64, amount: u128, revealed_mask: u128 },
    Settled(SettledRound),
    HyperParameters { round: u64, learning_rate: u32, local_epochs: u16 },
    Voided { round: u64, reason: String },
    Ended { phase: Phase, to_owner: u128 },
    Withdrawn { account: Address20, to: Address20, amount: u128 },
}

/// The seal of an update: `keccak256(abi.encode(cid, sender, salt))`.
pub fn seal(cid_digest: [u8; 32], sender: Address20, salt: [u8; 32]) -> [u8; 32] {
    let mut hash = Keccak256::new();
    hash.update(cid_digest);
    hash.update([0; 12]);
    hash.update(sender);
    hash.update(salt);
    hash.finalize().into()
}
