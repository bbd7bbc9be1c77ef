//! Conversions between the bindings' types and ours.

use ethers::types::{H160, U256};
use fairshare_circuits::{point_from_words, point_words, G1Affine, RangeProofWords, RoundProofWords};
use fairshare_contracts::bindings;
use fairshare_protocol::{Address, SlotMask};

use super::client::{amount, narrow, u128_from};
use super::error::ChainError;
use super::types::{CommitCall, Settlement, Terms};

/// A point that the contract has accepted: it is on the curve unless the node lies.
pub(super) fn point(words: [U256; 2], what: &str) -> Result<G1Affine, ChainError> {
    point_from_words(&words.map(to_word)).map_err(|e| ChainError::decode(what, e))
}

pub(super) fn to_words(point: &G1Affine) -> [U256; 2] {
    point_words(point).map(from_word)
}

/// A mask of slots.
pub(super) fn mask(value: U256, what: &str) -> Result<SlotMask, ChainError> {
    u128_from(value, what).map(SlotMask::from_bits)
}

/// An address; `None` for zero.
pub(super) fn some_address(address: H160) -> Option<Address> {
    Some(Address(address.0)).filter(|address| !address.is_zero())
}

fn to_word(value: U256) -> [u8; 32] {
    let mut word = [0; 32];
    value.to_big_endian(&mut word);
    word
}

pub(super) fn from_word(word: [u8; 32]) -> U256 {
    U256::from_big_endian(&word)
}

impl From<&Terms> for bindings::Terms {
    fn from(t: &Terms) -> Self {
        Self {
            owner: H160(t.owner.0),
            aggregator: H160(t.aggregator.0),
            token: H160(t.token.unwrap_or_default().0),
            specification: t.specification,
            rule: t.rule,
            slots: t.slots,
            table: t.table,
            dimension: t.dimension,
            theta: t.theta,
            trim: t.trim,
            min_trainers: t.min_trainers,
            max_trainers: t.max_trainers,
            min_active: t.min_active,
            stake: t.stake,
            bond: t.bond,
            outlier_rounds: t.outlier_rounds,
            outlier_penalty: t.outlier_penalty,
            rounds: t.rounds,
            max_voids: t.max_voids,
            round_reward: t.round_reward,
            round_fee: t.round_fee,
            registration_period: t.registration_period,
            commit_period: t.commit_period,
            reveal_period: t.reveal_period,
            attest_period: t.attest_period,
            aggregate_period: t.aggregate_period,
            learning_rate: t.learning_rate,
            local_epochs: t.local_epochs,
            decay: t.decay,
            coherence_floor: t.coherence_floor,
            coherence_decay: t.coherence_decay,
            min_learning_rate: t.min_learning_rate,
            model: to_words(&t.model),
            model_cid: t.model_cid,
        }
    }
}

impl TryFrom<bindings::Terms> for Terms {
    type Error = ChainError;

    fn try_from(t: bindings::Terms) -> Result<Self, ChainError> {
        let amount = |value: u128, what| amount(value.into(), what);
        if t.slots > 128 {
            return Err(ChainError::decode(
                "the terms",
                format!("{} slots are more than there can be", t.slots),
            ));
        }
        Ok(Self {
            owner: Address(t.owner.0),
            aggregator: Address(t.aggregator.0),
            token: some_address(t.token),
            specification: t.specification,
            rule: t.rule,
            slots: t.slots,
            table: t.table,
            dimension: t.dimension,
            theta: t.theta,
            trim: t.trim,
            min_trainers: t.min_trainers,
            max_trainers: t.max_trainers,
            min_active: t.min_active,
            stake: amount(t.stake, "the stake")?,
            bond: amount(t.bond, "the bond")?,
            outlier_rounds: t.outlier_rounds,
            outlier_penalty: amount(t.outlier_penalty, "the outliers' penalty")?,
            rounds: t.rounds,
            max_voids: t.max_voids,
            round_reward: amount(t.round_reward, "a round's reward")?,
            round_fee: amount(t.round_fee, "a round's fee")?,
            registration_period: t.registration_period,
            commit_period: t.commit_period,
            reveal_period: t.reveal_period,
            attest_period: t.attest_period,
            aggregate_period: t.aggregate_period,
            learning_rate: t.learning_rate,
            local_epochs: t.local_epochs,
            decay: t.decay,
            coherence_floor: t.coherence_floor,
            coherence_decay: t.coherence_decay,
            min_learning_rate: t.min_learning_rate,
            model: point(t.model, "the first model's commitment")?,
            model_cid: t.model_cid,
        })
    }
}

impl From<&Settlement> for bindings::project::SettleCall {
    fn from(s: &Settlement) -> Self {
        let proof = &s.proof;
        Self {
            round: s.round.into(),
            payee: H160(s.payee.0),
            model_cid: s.model_cid,
            commitments: s.commitments.iter().map(to_words).collect(),
            outliers: s.outliers.iter().map(|outlier| H160(outlier.0)).collect(),
            proof: bindings::RoundProof {
                sigma: from_word(proof.sigma),
                kept_mask: from_word(proof.kept_mask),
                coherence: from_word(proof.coherence),
                shares: proof.shares.iter().copied().map(from_word).collect(),
                weights: proof.weights.iter().copied().map(from_word).collect(),
                groth_16: proof.groth16.map(from_word),
                quotient: proof.quotient.map(from_word),
                reversed: proof.reversed.map(from_word),
                values: proof.values.map(from_word),
                opening: proof.opening.map(from_word),
                model: proof.model.map(from_word),
                committed: proof.committed.map(from_word),
            },
        }
    }
}

impl TryFrom<bindings::project::SettleCall> for Settlement {
    type Error = ChainError;

    fn try_from(call: bindings::project::SettleCall) -> Result<Self, ChainError> {
        let commitment = |words| point(words, "a settlement's commitment");
        let commitments = call.commitments.into_iter().map(commitment).collect::<Result<_, ChainError>>()?;
        let proof = call.proof;
        Ok(Self {
            round: narrow(call.round, "a settlement's round")?,
            payee: Address(call.payee.0),
            model_cid: call.model_cid,
            commitments,
            outliers: call.outliers.into_iter().map(|outlier| Address(outlier.0)).collect(),
            proof: RoundProofWords {
                sigma: to_word(proof.sigma),
                kept_mask: to_word(proof.kept_mask),
                coherence: to_word(proof.coherence),
                shares: proof.shares.into_iter().map(to_word).collect(),
                weights: proof.weights.into_iter().map(to_word).collect(),
                groth16: proof.groth_16.map(to_word),
                quotient: proof.quotient.map(to_word),
                reversed: proof.reversed.map(to_word),
                values: proof.values.map(to_word),
                opening: proof.opening.map(to_word),
                model: proof.model.map(to_word),
                committed: proof.committed.map(to_word),
            },
        })
    }
}

/// A range proof in the contract's types.
pub(super) fn range_proof_words(words: &RangeProofWords) -> bindings::RangeProof {
    let values = |words: &[[u8; 32]]| words.iter().copied().map(from_word).collect();
    bindings::RangeProof { points: values(&words.points), values: values(&words.values) }
}

impl TryFrom<bindings::project::CommitUpdateCall> for CommitCall {
    type Error = ChainError;

    fn try_from(call: bindings::project::CommitUpdateCall) -> Result<Self, ChainError> {
        let words = |values: Vec<U256>| values.into_iter().map(to_word).collect();
        Ok(Self {
            round: narrow(call.round, "a commitment's round")?,
            commitment: point(call.commitment, "a commitment")?,
            seal: call.seal,
            range_proof: RangeProofWords {
                points: words(call.proof.points),
                values: words(call.proof.values),
            },
        })
    }
}
