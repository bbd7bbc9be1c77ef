use fairshare_circuits::G1Affine;
use fairshare_client::{ContentError, Exclusion};
use fairshare_protocol::{Address, AgreementPolicy};

use super::*;

const TERMS: RoundTerms =
    RoundTerms { slots: 8, policy: ProjectPolicy::Agreement(AgreementPolicy { theta: 32, trim: 52 }) };

fn entry(slot: u8, update: Result<Vec<i16>, Exclusion>) -> Collected {
    Collected {
        slot,
        trainer: Address([slot; 20]),
        commitment: G1Affine::identity(),
        cid: [slot; 32],
        update,
    }
}

fn missing() -> Exclusion {
    let (what, api) = ("fetching bafkrei".to_owned(), "http://127.0.0.1:5001".to_owned());
    Exclusion::Missing(ContentError::Timeout { what, api, seconds: 20 })
}

/// An update that points along `direction` with a disturbance of its own.
fn update(slot: u8, sign: i16) -> Vec<i16> {
    (0..64i16).map(|j| sign * (100 + j) + i16::from(slot) * (j % 3 - 1)).collect()
}

fn round(updates: &[(u8, Vec<i16>)]) -> AssessedRound {
    let borrowed: Vec<(u8, &[i16])> = updates.iter().map(|(slot, u)| (*slot, u.as_slice())).collect();
    assess_round(&TERMS, &[7; 64], &borrowed).unwrap()
}

fn known(entries: Vec<Collected>) -> BTreeMap<u8, Collected> {
    let mut known = BTreeMap::new();
    merge(&mut known, entries);
    known
}

#[test]
fn every_active_slots_update_is_needed_and_no_other() {
    let known = known(vec![
        entry(5, Err(missing())),
        entry(0, Ok(vec![1])),
        entry(2, Err(Exclusion::CommitmentMismatch)),
        entry(3, Ok(vec![7])),
    ]);
    let updates = active_updates(&TERMS, 0b1001.into(), &known).unwrap();
    assert_eq!(updates, [(0, &[1i16][..]), (3, &[7][..])]);
    // What is not active is left out however good it is; what is active is not, however bad.
    assert_eq!(active_updates(&TERMS, 0b1000.into(), &known).unwrap().len(), 1);
    let error = active_updates(&TERMS, 0b110_1101.into(), &known).unwrap_err();
    let AssessError::MissingUpdates { active: 5, missing } = &error else { panic!("{error}") };
    let slots: Vec<u8> = missing.iter().map(|m| m.slot).collect();
    assert_eq!(slots, [2, 5, 6], "slot 6 was never shown");
    let text = error.to_string();
    assert!(text.contains("3 of 5") && text.contains("its file does not match its commitment"), "{text}");
    assert!(text.contains("no answer") && text.contains("does not show its reveal"), "{text}");
}

#[test]
fn slots_of_another_circuit_settle_nothing() {
    let known = known(vec![entry(8, Ok(vec![1]))]);
    let error = active_updates(&TERMS, SlotMask::single(8u8), &known).unwrap_err();
    assert!(matches!(error, AssessError::SlotOutOfRange { slot: 8, slots: 8 }), "{error}");
}

#[test]
fn an_update_that_was_right_once_stays_and_a_missing_one_may_come_back() {
    let mut known = BTreeMap::new();
    merge(&mut known, vec![entry(0, Ok(vec![1])), entry(1, Err(missing())), entry(2, Err(missing()))]);
    assert_eq!(known.values().filter(|e| e.update.is_err()).count(), 2);
    merge(
        &mut known,
        vec![entry(0, Err(missing())), entry(1, Ok(vec![2])), entry(2, Err(Exclusion::CommitmentMismatch))],
    );
    assert_eq!(known[&0].update, Ok(vec![1]));
    assert_eq!(known[&1].update, Ok(vec![2]));
    assert_eq!(known[&2].update, Err(Exclusion::CommitmentMismatch));
}

#[test]
fn a_slot_that_the_chain_gave_to_another_file_is_taken_anew_and_a_lost_slot_forgotten() {
    let mut known = BTreeMap::new();
    merge(&mut known, vec![entry(0, Ok(vec![1])), entry(1, Ok(vec![1]))]);
    let moved = Collected { cid: [9; 32], ..entry(0, Ok(vec![7])) };
    merge(&mut known, vec![moved]);
    assert_eq!(known.len(), 1);
    assert_eq!(known[&0].update, Ok(vec![7]));
}

#[test]
fn hostile_updates_are_dropped_and_do_not_move_the_model() {
    let mut updates: Vec<(u8, Vec<i16>)> = (0..5).map(|slot| (slot, update(slot, 1))).collect();
    let honest = round(&updates);
    updates.push((5, update(5, -1)));
    updates.push((7, (0..64).map(|j| if j % 2 == 0 { 1500 } else { -1500 }).collect())); // large, and across
    let attacked = round(&updates);
    assert_eq!(attacked.active, 0b1011_1111);
    assert_eq!(attacked.policy, RoundPolicy::Agreement { theta: 32, trim_count: 1 });
    assert_eq!(attacked.assessment.kept, 0b1_1111);
    assert_eq!((attacked.assessment.shares[5], attacked.assessment.shares[7]), (0, 0));
    let sum: u32 = attacked.assessment.shares.iter().sum();
    assert!(sum <= 1 << 16 && sum > (1 << 16) - 8);
    // Where the honest updates lead, the model goes.
    let towards: i128 =
        honest.model.iter().zip(&attacked.model).map(|(a, b)| i128::from(a - 7) * i128::from(b - 7)).sum();
    assert!(towards > 0);
}

#[test]
fn the_model_moves_by_the_weighted_updates_exactly() {
    let updates: Vec<(u8, Vec<i16>)> = [0u8, 2, 3, 6].map(|slot| (slot, update(slot, 1))).into();
    let round = round(&updates);
    for (j, entry) in round.model.iter().enumerate() {
        let step: i64 = updates
            .iter()
            .map(|(slot, u)| i64::from(u[j]) * i64::from(round.assessment.weights[usize::from(*slot)]))
            .sum();
        assert_eq!(*entry, 7 + step);
    }
}

#[test]
fn updates_of_another_length_and_models_beyond_64_bits_are_refused() {
    let (short, long) = (vec![1i16; 3], vec![1i16; 4]);
    let error = assess_round(&TERMS, &[0; 4], &[(0, &long), (1, &short), (2, &long)]).unwrap_err();
    assert!(matches!(error, AssessError::Step { dimension: 4 }), "{error}");
    let full = vec![i16::MAX; 4];
    let error = assess_round(&TERMS, &[i64::MAX; 4], &[(0, &full), (1, &full), (2, &full)]).unwrap_err();
    assert!(matches!(error, AssessError::Step { dimension: 4 }), "{error}");
    let error = assess_round(&TERMS, &[0; 4], &[(9, &long)]).unwrap_err();
    assert!(matches!(error, AssessError::SlotOutOfRange { slot: 9, slots: 8 }), "{error}");
}
