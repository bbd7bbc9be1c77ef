//! A sound round, and terms and settlements of which little matters, for the tests.

use std::collections::BTreeMap;

use fairshare_circuits::{
    default_data_folder, model_step, prove_round, AssessmentKeys, G1Affine, PinnedKeys, ReferenceString,
};
use fairshare_client::{seal, CommittedUpdate, RevealedUpdate, RoundState, SettledRound, Settlement, Terms};
use fairshare_protocol::{Address, GramMatrix, RuleName, SlotMask, Word};

use super::settlement::statement;
use super::submissions::running_hash;

pub(crate) const DIMENSION: usize = 24;
pub(crate) const PROJECT: Address = Address([0x77; 20]);

pub(crate) fn terms() -> Terms {
    Terms {
        owner: Address([0xaa; 20]),
        aggregator: Address([0xbb; 20]),
        token: None,
        specification: [1; 32],
        rule: 1,
        slots: 8,
        table: 8,
        dimension: DIMENSION as u32,
        theta: 32,
        trim: 52,
        min_trainers: 3,
        max_trainers: 6,
        min_active: 3,
        stake: 1,
        bond: 1,
        outlier_rounds: u16::MAX,
        outlier_penalty: 0,
        rounds: 2,
        max_voids: 1,
        round_reward: 1,
        round_fee: 1,
        registration_period: 1,
        commit_period: 1,
        reveal_period: 1,
        attest_period: 1,
        aggregate_period: 1,
        learning_rate: 100_000,
        local_epochs: 2,
        decay: 62_259,
        coherence_floor: 16_384,
        coherence_decay: 32_768,
        min_learning_rate: 1_000,
        model: G1Affine::identity(),
        model_cid: [2; 32],
    }
}

/// A settlement of which nothing but round, payee and file matters.
pub(crate) fn settled_by(round: u64, payee: Address) -> SettledRound {
    SettledRound {
        round,
        payee,
        active: SlotMask::EMPTY,
        kept: SlotMask::EMPTY,
        coherence: 0,
        shares: vec![],
        weights: vec![],
        model: G1Affine::identity(),
        model_cid: [3; 32],
        transaction: [0; 32],
        gas_used: 0,
    }
}

/// A round of five, the last of which flips its sign, with its settlement.
pub(crate) struct Round {
    pub(crate) updates: Vec<Vec<i16>>,
    pub(crate) committed: Vec<CommittedUpdate>,
    pub(crate) revealed: Vec<RevealedUpdate>,
    pub(crate) salts: BTreeMap<u8, Word>,
    pub(crate) state: RoundState,
    pub(crate) before: G1Affine,
    pub(crate) settled: SettledRound,
    pub(crate) call: Settlement,
}

pub(crate) fn keys() -> PinnedKeys {
    PinnedKeys::load()
}

pub(crate) fn round() -> Round {
    let folder = default_data_folder();
    let srs = ReferenceString::open_dev(&folder, DIMENSION).unwrap();
    let updates: Vec<Vec<i16>> = (0..5i16)
        .map(|slot| {
            let sign = if slot == 4 { -1 } else { 1 };
            (0..DIMENSION as i16).map(|j| sign * (150 + 4 * j) + slot * (j % 3 - 1)).collect()
        })
        .collect();
    let (mut committed, mut revealed, mut salts) = (Vec::new(), Vec::new(), BTreeMap::new());
    for (slot, update) in (0u8..).zip(&updates) {
        let (trainer, cid, salt) = (Address([slot + 1; 20]), [slot + 100; 32], [slot + 200; 32]);
        let commitment = srs.commit_update(update).unwrap();
        committed.push(CommittedUpdate { slot, trainer, commitment, seal: seal(cid, trainer, salt) });
        revealed.push(RevealedUpdate { slot, trainer, cid });
        salts.insert(slot, salt);
    }
    let slots_hash = running_hash(committed.iter().map(|c| c.commitment));
    let all = SlotMask::lowest(5);
    let state = RoundState { committed: 5, revealed: all, attested: all, active: all, slots_hash };
    let before = srs.commit_model(&[5 << 20; DIMENSION]).unwrap();

    let mut slots: Vec<Option<&[i16]>> = updates.iter().map(|u| Some(u.as_slice())).collect();
    slots.resize(8, None);
    let gram = GramMatrix::compute(&slots).unwrap();
    let policy = terms().policy().unwrap().for_round(5);
    let assessment = fairshare_protocol::assess(&gram, all, policy).unwrap();
    let mut settled = SettledRound {
        round: 3,
        payee: Address([0xbb; 20]),
        active: all,
        kept: assessment.kept,
        coherence: assessment.coherence,
        shares: assessment.shares.clone(),
        weights: assessment.weights.clone(),
        model: G1Affine::identity(),
        model_cid: [9; 32],
        transaction: [8; 32],
        gas_used: 500_000,
    };
    let statement =
        statement(31_337, PROJECT, &terms(), keys().hash(), before, &settled, &committed).unwrap();
    assert_eq!(statement.policy, policy);
    settled.model = model_step(before, &statement.commitments, &assessment.weights);
    let open: Vec<(u8, &[i16])> = (0u8..).zip(updates.iter().map(Vec::as_slice)).collect();
    let proving = AssessmentKeys::open_dev(&folder, RuleName::Agreement, 8).unwrap();
    let proof = prove_round(&srs, &proving, &statement, &open, &gram, &assessment).unwrap();
    let call = Settlement {
        round: 3,
        payee: settled.payee,
        model_cid: settled.model_cid,
        commitments: committed.iter().map(|c| c.commitment).collect(),
        outliers: vec![],
        proof: proof.words(),
    };
    Round { updates, committed, revealed, salts, state, before, settled, call }
}
