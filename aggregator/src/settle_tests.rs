use std::sync::OnceLock;

use fairshare_circuits::{default_data_folder, VerifyError};
use fairshare_protocol::{AgreementPolicy, ProjectPolicy, RuleName};

use super::*;
use crate::assess::{assess_round, RoundTerms};

const DIMENSION: usize = 40;
const TERMS: RoundTerms =
    RoundTerms { slots: 8, policy: ProjectPolicy::Agreement(AgreementPolicy { theta: 32, trim: 52 }) };

/// The development keys of the smallest circuit, opened once for all tests.
fn prover() -> Prover {
    static PROVER: OnceLock<Prover> = OnceLock::new();
    let open = || {
        let folder = default_data_folder();
        Prover {
            srs: Arc::new(ReferenceString::open_dev(&folder, DIMENSION).unwrap()),
            keys: Arc::new(AssessmentKeys::open_dev(&folder, RuleName::Agreement, TERMS.slots).unwrap()),
            committed: Arc::new(PinnedKeys::load()),
        }
    };
    PROVER.get_or_init(open).clone()
}

/// Six committed slots: 0 to 3 honest, 4 flips the sign, 5 cannot be fetched.
struct Synthetic {
    model: Vec<i64>,
    updates: Vec<(u8, Vec<i16>)>,
    context: RoundContext,
}

fn synthetic(prover: &Prover) -> Synthetic {
    let model: Vec<i64> = (0..DIMENSION as i64).map(|j| (j * j - 300) << 20).collect();
    let update = |slot: i16, sign: i16| -> Vec<i16> {
        (0..DIMENSION as i16).map(|j| sign * (200 + 3 * j) + slot * (j % 5 - 2)).collect()
    };
    let all: Vec<(u8, Vec<i16>)> =
        (0..6u8).map(|slot| (slot, update(i16::from(slot), if slot == 4 { -1 } else { 1 }))).collect();
    let committed =
        all.iter().map(|(slot, u)| (Address([*slot; 20]), prover.srs.commit_update(u).unwrap())).collect();
    let context = RoundContext {
        chain_id: 31_337,
        project: Address([0x11; 20]),
        round: 3,
        payee: Address([0x22; 20]),
        dimension: DIMENSION as u32,
        slots: TERMS.slots,
        model: prover.srs.commit_model(&model).unwrap(),
        committed,
        outlier_penalty: true,
    };
    Synthetic { model, updates: all.into_iter().take(5).collect(), context }
}

fn borrowed(updates: &[(u8, Vec<i16>)]) -> Vec<(u8, &[i16])> {
    updates.iter().map(|(slot, update)| (*slot, update.as_slice())).collect()
}

#[test]
fn a_round_from_updates_to_a_proof_that_everybody_accepts() {
    let prover = prover();
    let round = synthetic(&prover);
    let updates = borrowed(&round.updates);
    let assessed = assess_round(&TERMS, &round.model, &updates).unwrap();
    assert_eq!((assessed.active, assessed.assessment.kept), (SlotMask::lowest(5), SlotMask::lowest(4)));
    let proved = prover.prove(&round.context, &assessed, &updates, [9; 32]).unwrap();

    // What is sent verifies when it is read back from its words, as an auditor does.
    let settlement = round.context.settlement(&proved);
    assert_eq!(
        (settlement.round, settlement.commitments.len()),
        (3, 6),
        "every committed slot, active or not"
    );
    assert_eq!(settlement.outliers, [Address([4; 20])]);
    let without = RoundContext { outlier_penalty: false, ..round.context.clone() };
    assert!(without.settlement(&proved).outliers.is_empty());
    let read = RoundProof::from_words(&settlement.proof, TERMS.slots).unwrap();
    verify_round(&prover.committed, &proved.statement, &read).unwrap();
    assert_eq!(prover.srs.commit_model(&assessed.model).unwrap(), proved.model);

    // Anything else in the statement, and it does not: another model file, another payee, another round.
    let statement = &proved.statement;
    for bent in [
        RoundStatement { model_cid: [8; 32], ..statement.clone() },
        RoundStatement { payee: [0x23; 20], ..statement.clone() },
        RoundStatement { round: 4, ..statement.clone() },
        RoundStatement {
            active: SlotMask::lowest(4),
            commitments: statement.commitments[..4].to_vec(),
            ..statement.clone()
        },
        RoundStatement { model: proved.model, ..statement.clone() },
    ] {
        let refused = verify_round(&prover.committed, &bent, &read);
        assert!(
            matches!(refused, Err(VerifyError::LaurentIdentityFailed | VerifyError::PairingFailed)),
            "{refused:?}"
        );
    }
}

#[test]
fn an_update_that_is_not_the_committed_one_is_not_proved() {
    let prover = prover();
    let mut round = synthetic(&prover);
    round.updates[1].1[7] += 1;
    let updates = borrowed(&round.updates);
    let assessed = assess_round(&TERMS, &round.model, &updates).unwrap();
    let error = prover.prove(&round.context, &assessed, &updates, [9; 32]).err().unwrap();
    assert!(matches!(error, SettleError::Verify(VerifyError::PairingFailed)), "{error}");
}

#[test]
fn a_model_that_is_not_the_chains_is_not_settled() {
    let prover = prover();
    let mut round = synthetic(&prover);
    round.model[3] += 1;
    let updates = borrowed(&round.updates);
    let assessed = assess_round(&TERMS, &round.model, &updates).unwrap();
    let error = prover.prove(&round.context, &assessed, &updates, [9; 32]).err().unwrap();
    assert!(matches!(error, SettleError::ModelMismatch), "{error}");
}

#[test]
fn an_active_slot_without_a_commitment_is_named() {
    let prover = prover();
    let mut round = synthetic(&prover);
    round.context.committed.truncate(4);
    let updates = borrowed(&round.updates);
    let assessed = assess_round(&TERMS, &round.model, &updates).unwrap();
    let error = prover.prove(&round.context, &assessed, &updates, [9; 32]).err().unwrap();
    assert!(matches!(error, SettleError::NoCommitment { slot: 4 }), "{error}");
}
