//! A proved round of few trainers, and all that it was made of.

use super::*;
use crate::keys::{AssessmentKeys, PinnedKeys};
use crate::kzg::ReferenceString;
use fairshare_protocol::{assess, Assessment, GramMatrix, RoundPolicy, RuleName, SlotMask};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

pub(super) const D: usize = 60;
pub(super) const POLICY: RoundPolicy = RoundPolicy::Agreement { theta: 32, trim_count: 1 };

pub(super) struct Round {
    pub(super) srs: ReferenceString,
    pub(super) keys: AssessmentKeys,
    pub(super) statement: RoundStatement,
    pub(super) updates: Vec<(u8, Vec<i16>)>,
    pub(super) gram: GramMatrix,
    pub(super) assessment: Assessment,
    pub(super) proof: RoundProof,
}

impl Round {
    /// Trainers in the slots `active`, ascending, of a circuit of `size`.
    pub(super) fn new(size: u8, active: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = AssessmentKeys::open_dev(folder.path(), RuleName::Agreement, size).unwrap();
        let srs = ReferenceString::generate_dev(64);
        let mut rng = ChaCha20Rng::seed_from_u64(31);
        let base: Vec<i16> = (0..D).map(|_| rng.gen_range(-3000..3000)).collect();
        let updates: Vec<(u8, Vec<i16>)> = active
            .iter()
            .map(|slot| (*slot, base.iter().map(|b| b + rng.gen_range(-1500..1500)).collect()))
            .collect();
        let mut slots: Vec<Option<&[i16]>> = vec![None; size.into()];
        updates.iter().for_each(|(slot, update)| slots[usize::from(*slot)] = Some(update));
        let gram = GramMatrix::compute(&slots).unwrap();
        let active = SlotMask::from_slots(active.iter().copied());
        let assessment = assess(&gram, active, POLICY).unwrap();
        let statement = RoundStatement {
            chain_id: 31_337,
            project: [0x11; 20],
            round: 3,
            payee: [0x22; 20],
            dimension: D as u32,
            slots: size,
            policy: POLICY,
            keys_hash: PinnedKeys::load().hash(),
            active,
            model_cid: [0x33; 32],
            model: srs.g1[9],
            commitments: updates.iter().map(|(slot, u)| (*slot, srs.commit_update(u).unwrap())).collect(),
        };
        let proof = prove_round(&srs, &keys, &statement, &views(&updates), &gram, &assessment).unwrap();
        Self { srs, keys, statement, updates, gram, assessment, proof }
    }

    /// The same round, proved with other randomness.
    pub(super) fn proved_again(&self) -> RoundProof {
        let Self { srs, keys, statement, updates, gram, assessment, .. } = self;
        prove_round(srs, keys, statement, &views(updates), gram, assessment).unwrap()
    }
}

pub(super) fn views(updates: &[(u8, Vec<i16>)]) -> Vec<(u8, &[i16])> {
    updates.iter().map(|(slot, update)| (*slot, update.as_slice())).collect()
}
