//! What the contract knows of a round and the prover must not choose.

use super::error::StatementError;
use crate::curve::msm::msm_integers;
use crate::curve::words::point_words;
use ark_bn254::G1Affine;
use ark_ec::{AffineRepr, CurveGroup};
use fairshare_protocol::{
    absorb, word_from_address, word_from_u128, RoundPolicy, SlotMask, Word, DIMENSION_LIMIT, MAX_SLOTS,
};

/// A round as its settlement states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundStatement {
    /// The chain's id.
    pub chain_id: u64,
    /// The project's address.
    pub project: [u8; 20],
    /// The round's id.
    pub round: u64,
    /// Who is paid the aggregator's fee.
    pub payee: [u8; 20],
    /// Parameters of the model, `d`.
    pub dimension: u32,
    /// Slots that the circuit serves, `N`.
    pub slots: u8,
    /// The rule and its two policy words.
    pub policy: RoundPolicy,
    /// Hash of the registered keys.
    pub keys_hash: Word,
    /// Active slots.
    pub active: SlotMask,
    /// Digest of the new model's CID.
    pub model_cid: Word,
    /// `C_T`, the model's commitment before the round; may be infinity.
    pub model: G1Affine,
    /// Commitments of the active slots, ascending.
    pub commitments: Vec<(u8, G1Affine)>,
}

impl RoundStatement {
    /// The active slots, ascending.
    pub fn active_slots(&self) -> Vec<u8> {
        self.active.iter().collect()
    }

    /// What every statement of a contract fulfils.
    ///
    /// # Errors
    /// A mask beyond the circuit, commitments that are not those of the mask in order, one at infinity, or a dimension
    /// out of range.
    pub fn validate(&self) -> Result<(), StatementError> {
        let (active, slots) = (self.active, self.slots);
        if usize::from(slots) > MAX_SLOTS || !active.is_subset_of(SlotMask::lowest(slots.into())) {
            return Err(StatementError::MaskBeyondSlots { active, slots });
        }
        if self.dimension == 0 || self.dimension >= DIMENSION_LIMIT {
            return Err(StatementError::Dimension {
                dimension: self.dimension,
                max: DIMENSION_LIMIT as usize,
            });
        }
        let expected = self.active_slots();
        let found: Vec<u8> = self.commitments.iter().map(|(slot, _)| *slot).collect();
        if found != expected {
            return Err(StatementError::CommitmentSlots { active, expected, found });
        }
        match self.commitments.iter().find(|(_, point)| point.is_zero()) {
            Some((slot, _)) => Err(StatementError::InfiniteCommitment { slot: *slot }),
            None => Ok(()),
        }
    }

    /// `st0`.
    pub fn first_state(&self) -> Word {
        let [first, second] = self.policy.words();
        let mut items = vec![
            word_from_u128(self.chain_id.into()),
            word_from_address(&self.project),
            word_from_u128(self.round.into()),
            word_from_address(&self.payee),
            word_from_u128(self.dimension.into()),
            word_from_u128(self.slots.into()),
            word_from_u128(self.policy.rule().id().into()),
            word_from_u128(first.into()),
            word_from_u128(second.into()),
            self.keys_hash,
            word_from_u128(self.active.bits()),
            self.model_cid,
        ];
        items.extend(point_words(&self.model));
        items.extend(self.commitments.iter().flat_map(|(_, point)| point_words(point)));
        absorb([0; 32], "fairshare.round.v3", &items)
    }
}

/// `C_T' = C_T + sum w_i C_i`: the next model's commitment. `weights` has one entry a slot; a slot beyond it weighs 0.
pub fn model_step(model: G1Affine, commitments: &[(u8, G1Affine)], weights: &[u32]) -> G1Affine {
    let weight = |slot: u8| i64::from(weights.get(usize::from(slot)).copied().unwrap_or(0));
    let (scalars, points): (Vec<i64>, Vec<G1Affine>) =
        commitments.iter().map(|(slot, point)| (weight(*slot), *point)).unzip();
    (msm_integers(&points, &scalars) + model).into_affine()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kzg::ReferenceString;

    fn statement() -> RoundStatement {
        let srs = ReferenceString::generate_dev(8);
        RoundStatement {
            chain_id: 31_337,
            project: [1; 20],
            round: 7,
            payee: [2; 20],
            dimension: 8,
            slots: 8,
            policy: RoundPolicy::Agreement { theta: 32, trim_count: 0 },
            keys_hash: [3; 32],
            active: 0b1011.into(),
            model_cid: [4; 32],
            model: srs.g1[4],
            commitments: vec![(0, srs.g1[1]), (1, srs.g1[2]), (3, srs.g1[3])],
        }
    }

    #[test]
    fn every_field_enters_the_first_state() {
        let base = statement();
        let changes: [&dyn Fn(&mut RoundStatement); 15] = [
            &|s| s.chain_id += 1,
            &|s| s.project[19] ^= 1,
            &|s| s.round += 1,
            &|s| s.payee[0] ^= 1,
            &|s| s.dimension += 1,
            &|s| s.slots = 16,
            &|s| s.policy = RoundPolicy::MultiKrum { neighbours: 32, selected: 0 },
            &|s| s.policy = RoundPolicy::Agreement { theta: 33, trim_count: 0 },
            &|s| s.policy = RoundPolicy::Agreement { theta: 32, trim_count: 1 },
            &|s| s.keys_hash[0] ^= 1,
            &|s| s.active ^= SlotMask::single(7u8),
            &|s| s.model_cid[31] ^= 1,
            &|s| s.model = G1Affine::identity(),
            &|s| s.commitments.swap(0, 2),
            &|s| s.commitments.truncate(2),
        ];
        for (index, change) in changes.into_iter().enumerate() {
            let mut changed = base.clone();
            change(&mut changed);
            assert_ne!(changed.first_state(), base.first_state(), "change {index}");
        }
    }

    #[test]
    fn statements_that_contradict_themselves_are_named() {
        assert_eq!(statement().validate(), Ok(()));
        let fault = |change: &dyn Fn(&mut RoundStatement)| {
            let mut changed = statement();
            change(&mut changed);
            changed.validate().unwrap_err()
        };
        assert!(matches!(fault(&|s| s.slots = 3), StatementError::MaskBeyondSlots { slots: 3, .. }));
        assert!(matches!(fault(&|s| s.slots = 200), StatementError::MaskBeyondSlots { slots: 200, .. }));
        assert!(matches!(fault(&|s| s.dimension = 0), StatementError::Dimension { dimension: 0, .. }));
        assert!(matches!(fault(&|s| s.dimension = 1 << 22), StatementError::Dimension { .. }));
        assert!(matches!(fault(&|s| s.commitments.swap(0, 1)), StatementError::CommitmentSlots { .. }));
        assert!(matches!(fault(&|s| s.active = SlotMask::lowest(4)), StatementError::CommitmentSlots { .. }));
        assert!(matches!(
            fault(&|s| s.commitments[2].1 = G1Affine::identity()),
            StatementError::InfiniteCommitment { slot: 3 }
        ));
    }

    #[test]
    fn a_step_is_the_commitment_of_the_stepped_model() {
        let srs = ReferenceString::generate_dev(8);
        let (model, u, v) = ([1i64 << 40, -5, 7, 0], [3i16, -4, 5, 6], [i16::MIN, 0, 1, i16::MAX]);
        let weights = [65_536u32, 0, 9, 1234];
        let next: Vec<i64> =
            (0..4).map(|j| model[j] + 65_536 * i64::from(u[j]) + 1234 * i64::from(v[j])).collect();
        let commitments = [(0u8, srs.commit_update(&u).unwrap()), (3, srs.commit_update(&v).unwrap())];
        let step = model_step(srs.commit_model(&model).unwrap(), &commitments, &weights);
        assert_eq!(step, srs.commit_model(&next).unwrap());
        let origin = model_step(G1Affine::identity(), &commitments, &[0; 4]);
        assert!(origin.is_zero());
        assert_eq!(model_step(srs.g1[0], &commitments, &[]), srs.g1[0]);
    }
}
