//! The checks of a round, each with a sound round and with every fault.

use fairshare_circuits::{default_data_folder, prove_range, RangeStatement, RangeTable, ReferenceString};
use fairshare_client::{
    CommitCall, ContentError, EventKind, Exclusion, RoundState, SettledRound, Settlement, Terms,
};
use fairshare_protocol::{Address, Phase, SlotMask};

use super::fixture::{keys, round, settled_by, terms, Round, DIMENSION, PROJECT};
use super::submissions::disagreeing;
use super::text::word;
use super::*;

fn texts(faults: Vec<RoundFault>) -> Vec<String> {
    faults.into_iter().map(|fault| Failure::Round { round: 3, fault }.to_string()).collect()
}

fn only(faults: Vec<RoundFault>) -> String {
    let mut texts = texts(faults);
    assert_eq!(texts.len(), 1, "{texts:?}");
    texts.remove(0)
}

#[test]
fn a_round_that_holds_passes_and_a_bent_one_is_named() {
    let Round { updates, committed, settled, call, before, .. } = round();
    let by_slot: Vec<Option<&[i16]>> = (0..8).map(|i| updates.get(i).map(Vec::as_slice)).collect();
    let assessment = reassess(&terms(), settled.active, &by_slot).unwrap();
    let made = |settled: &SettledRound| {
        statement(31_337, PROJECT, &terms(), keys().hash(), before, settled, &committed).unwrap()
    };
    assert_eq!(settled.kept, 0b0_1111, "the sign flip is dropped");
    assert_eq!(check_assessment(&assessment, &settled, &committed), vec![]);
    assert_eq!(check_call(&settled, &call, &committed, false), vec![]);
    check_proof(&keys(), &made(&settled), &call).unwrap();
    check_step(before, &made(&settled), &settled).unwrap();

    // The rule.
    let trainer = Address([2; 20]).to_string();
    let mut bent = settled.clone();
    bent.shares[1] += 1;
    let (found, expected) = (bent.shares[1], settled.shares[1]);
    assert_eq!(
        only(check_assessment(&assessment, &bent, &committed)),
        format!(
            "round 3: trainer {trainer} (slot 1): share is {found} on chain, the updates give {expected}"
        )
    );
    let mut bent = settled.clone();
    bent.kept.insert(4u8);
    bent.weights[1] = 0;
    bent.coherence += 1;
    let found = texts(check_assessment(&assessment, &bent, &committed)).join("\n");
    assert!(found.contains("(slot 4): verdict is kept on chain, the updates give dropped"), "{found}");
    assert!(found.contains("(slot 1): weight is 0 on chain"), "{found}");
    assert!(
        found.contains(&format!(
            "coherence is {} on chain, the updates give {}",
            bent.coherence, settled.coherence
        )),
        "{found}"
    );

    // Event and transaction.
    let mut other = call.clone();
    other.proof.coherence[31] ^= 1;
    other.commitments.swap(0, 1);
    let found = texts(check_call(&settled, &other, &committed, false)).join("\n");
    assert!(found.contains("round 3: coherence is 0x") && found.contains("list of commitments"), "{found}");
    let mut other = call.clone();
    other.commitments[0] = -other.commitments[0]; // the same x
    assert!(only(check_call(&settled, &other, &committed, false)).contains("list of commitments"));
    // Without a penalty no one's dropping counts; with one that of slot 4 does, the only slot that is not kept.
    let with = |outliers: &[u8]| Settlement {
        outliers: outliers.iter().map(|slot| committed[usize::from(*slot)].trainer).collect(),
        ..call.clone()
    };
    assert_eq!(settled.active - settled.kept, 0b1_0000);
    assert!(only(check_call(&settled, &with(&[4]), &committed, false)).contains("list of outliers"));
    assert_eq!(check_call(&settled, &with(&[4]), &committed, true), vec![]);
    for outliers in [&[][..], &[3], &[4, 4], &[3, 4]] {
        let found = only(check_call(&settled, &with(outliers), &committed, true));
        assert!(found.contains("list of outliers"), "{found}");
    }
    let mut other = call.clone();
    other.proof.model[0][31] ^= 1;
    assert!(only(check_call(&settled, &other, &committed, false)).contains("model's commitment"));
    let other = Settlement { payee: Address([1; 20]), ..call.clone() };
    assert!(only(check_call(&settled, &other, &committed, false)).contains("payee is"));

    // The proof, and what it was made for.
    let mut other = call.clone();
    other.proof.sigma[31] ^= 1;
    let found = only(check_proof(&keys(), &made(&settled), &other).err().into_iter().collect());
    assert!(found.starts_with("round 3: the proof does not verify: "), "{found}");
    let elsewhere = SettledRound { payee: Address([1; 20]), ..settled.clone() };
    assert!(check_proof(&keys(), &made(&elsewhere), &call).is_err());
    let other_rule = Terms { rule: 3, ..terms() };
    let fault = statement(31_337, PROJECT, &other_rule, keys().hash(), before, &settled, &committed);
    assert!(only(fault.err().into_iter().collect()).contains("the rule refuses"), "an unknown rule");

    // The model's commitment.
    let other = SettledRound { model: before, ..settled.clone() };
    let found = only(check_step(before, &made(&other), &other).err().into_iter().collect());
    assert!(found.starts_with("round 3: the model's commitment is 0x"), "{found}");
}

#[test]
fn what_trainers_posted_is_checked() {
    let Round { mut committed, mut revealed, mut salts, mut state, .. } = round();
    assert_eq!(check_commitments(&committed, &state), vec![]);
    assert_eq!(check_reveals(&committed, &revealed, &salts, &state), vec![]);
    assert_eq!(check_active(&terms(), &state, SlotMask::lowest(5)), vec![]);
    assert_eq!(
        only(check_active(&terms(), &state, 0b1_0111.into())),
        "round 3: slots 0x17 are active, the attestations give 0x1f"
    );
    let few = RoundState { active: SlotMask::lowest(2), ..state };
    assert_eq!(
        only(check_active(&terms(), &few, few.active)),
        "round 3: 2 slots took part, the terms require 3"
    );

    salts.insert(2, [0; 32]);
    let trainer = Address([3; 20]).to_string();
    assert_eq!(
        only(check_reveals(&committed, &revealed, &salts, &state)),
        format!("round 3: slot 2 of {trainer}: the revealed CID and salt do not open its seal")
    );
    salts.clear();
    revealed[1].trainer = Address([9; 20]);
    assert!(
        only(check_reveals(&committed, &revealed, &salts, &state)).contains("slot 1 was revealed by 0x0909")
    );
    revealed.remove(1);
    assert_eq!(
        only(check_reveals(&committed, &revealed, &salts, &state)),
        "round 3: the log has revealed slots 0x1d, the contract 0x1f"
    );

    committed.swap(0, 1);
    assert!(only(check_commitments(&committed, &state))
        .contains("running hash of the commitments in the log is 0x"));
    committed.swap(0, 1);
    state.committed = 6;
    assert_eq!(
        only(check_commitments(&committed, &state)),
        "round 3: 5 commitments in the log, 6 in the contract"
    );
}

#[test]
fn active_slots_follow_from_the_attestations() {
    let Round { revealed, state, .. } = round();
    let says =
        |slot: u8, mask: u128| Attestation { slot, trainer: Address([slot + 1; 20]), mask: mask.into() };
    // No one else can fetch slot 4's bytes; slot 3 lies about slot 0; slot 1 attests nothing.
    let attestations = [says(0, 0b0_1111), says(2, 0b0_1111), says(3, 0b0_1110), says(4, 0b1_1111)];
    assert_eq!(attested_by_majority(&attestations, SlotMask::lowest(5)), 0b0_1111);
    assert_eq!(
        attested_by_majority(&attestations[..2], SlotMask::lowest(5)),
        0,
        "two of five are no majority"
    );
    let (attesters, active, all) = (SlotMask::from(0b1_1101), SlotMask::lowest(4), SlotMask::lowest(5));
    let state = RoundState { attested: attesters, active, ..state };
    assert_eq!(check_attestations(&attestations, &revealed, &state), vec![]);
    assert_eq!(check_slots_active(&attestations, &state, active, attesters), vec![]);

    let wrong = "round 3: slots 0x1f are active, the attestations give 0xf";
    assert_eq!(only(check_slots_active(&attestations, &state, all, attesters)), wrong);
    let other = RoundState { active: all, ..state };
    assert_eq!(only(check_slots_active(&attestations, &other, active, attesters)), wrong);
    assert!(only(check_slots_active(&attestations, &state, active, 0b0_1101.into())).contains("as attesting"));
    assert!(only(check_attestations(&attestations[..3], &revealed, &state)).contains("0xd as attesting"));
    for bent in [
        says(0, 0b0_1110),                                                // without its own slot
        says(0, 0b10_1111),                                               // of a slot that was not revealed
        Attestation { slot: 0, trainer: Address([9; 20]), mask: active }, // of another's slot
    ] {
        let mut bent_attestations = attestations;
        bent_attestations[0] = bent;
        let text = only(check_attestations(&bent_attestations, &revealed, &state));
        assert!(text.contains("attested as slot 0 in a way that the contract must refuse"), "{text}");
    }
    let twice = [&attestations[..], &attestations[..1]].concat();
    assert!(only(check_attestations(&twice, &revealed, &state)).contains("twice"));

    let notes = disagreeing(&attestations, active).join("\n");
    assert!(notes.contains("(slot 3) did not attest slot 0, whose file matches its commitment"), "{notes}");
    assert!(notes.contains("(slot 4) attested slot 4, whose file is not available"), "{notes}");
    assert_eq!(notes.lines().count(), 2, "{notes}");
}

#[test]
fn a_range_proof_is_checked_once_more() {
    let Round { updates, committed, .. } = round();
    let srs = ReferenceString::open_dev(&default_data_folder(), 256).unwrap();
    let update = &committed[0];
    let statement = RangeStatement {
        chain_id: 31_337,
        project: PROJECT.0,
        round: 3,
        trainer: update.trainer.0,
        dimension: DIMENSION as u32,
        table: RangeTable::Limbs8,
        keys_hash: keys().hash(),
        commitment: update.commitment,
    };
    let range_proof = prove_range(&srs, &statement, &updates[0]).unwrap().words();
    let call = CommitCall { round: 3, commitment: update.commitment, seal: update.seal, range_proof };
    let check = |statement: RangeStatement, call: &CommitCall| {
        only(check_form(keys().kzg(), statement, 0, call, update).err().into_iter().collect())
    };
    check_form(keys().kzg(), statement.clone(), 0, &call, update).unwrap();
    let mut bent = call.clone();
    bent.range_proof.values[0][31] ^= 1;
    let text = check(statement.clone(), &bent);
    assert!(text.contains("its range proof is invalid: RangeIdentityFailed"), "{text}");
    bent.range_proof.values.pop();
    assert!(check(statement.clone(), &bent).contains("WrongLength"));
    assert!(check(RangeStatement { trainer: [9; 20], ..statement.clone() }, &call).contains("is invalid"));
    let other = CommitCall { seal: [0; 32], ..call };
    assert!(check(statement, &other).contains("another commitment than the log"));
}

#[test]
fn updates_that_are_gone_or_wrong_are_named_with_their_trainer() {
    let what = |reason| RoundFault::Update { slot: 2, trainer: Address([3; 20]), reason };
    let gone = ContentError::Timeout {
        what: "fetching bafk".into(),
        api: "http://127.0.0.1:5001".into(),
        seconds: 20,
    };
    let trainer = Address([3; 20]).to_string();
    let found = what(Exclusion::Missing(gone)).to_string();
    assert!(
        found
            .starts_with(&format!("update of slot 2 ({trainer}): not available: its file cannot be fetched")),
        "{found}"
    );
    assert_eq!(
        what(Exclusion::CommitmentMismatch).to_string(),
        format!("update of slot 2 ({trainer}): its file does not match its commitment")
    );
    assert!(matches!(
        reassess(&terms(), SlotMask::lowest(2), &[Some(&[1]), Some(&[1])]),
        Err(RoundFault::Rule(_))
    ));
    assert_eq!(
        FileFault::NotAvailable("no answer".into()).to_string(),
        "model file: not available: no answer"
    );
    let commitment = FileFault::Commitment { expected: word(&[1; 32]), found: word(&[2; 32]) };
    assert!(commitment.to_string().starts_with("model file: its commitment is 0x0202"), "{commitment}");
    let keys = Failure::Keys { expected: "0x01".into(), found: "0x02".into() };
    assert_eq!(
        keys.to_string(),
        "keys: the project's registry has keys hash 0x02, the committed keys of this version have 0x01"
    );
}

#[test]
fn the_learning_rate_follows_from_proved_numbers() {
    let opens = |round, learning_rate| EventKind::HyperParameters { round, learning_rate, local_epochs: 2 };
    let settles =
        |round, coherence| EventKind::Settled(SettledRound { coherence, ..settled_by(round, Address::ZERO) });
    let voids = |round| EventKind::Voided { round, reason: "no result".into() };
    // 0.95 after a coherent round, 0.475 after an incoherent one, nothing after a void one.
    let mut events = vec![
        opens(1, 100_000),
        settles(1, 16_384),
        opens(2, 94_999),
        voids(2),
        opens(3, 94_999),
        settles(3, 0),
        opens(4, 45_124),
    ];
    assert_eq!(check_schedule(&terms(), &events), vec![]);
    events[2] = opens(2, 95_000);
    let found: Vec<String> = check_schedule(&terms(), &events).iter().map(ToString::to_string).collect();
    assert_eq!(
        found[0],
        "round 2: learning rate (millionths) is 95000 on chain, the earlier rounds give 94999"
    );
    events[2] = EventKind::PhaseOpened { round: 2, phase: Phase::Commit, deadline: 1 };
    let found: Vec<String> = check_schedule(&terms(), &events).iter().map(ToString::to_string).collect();
    assert_eq!(found, ["round 2: the round opened without an event of its hyper-parameters"]);
    events[2] = EventKind::HyperParameters { round: 2, learning_rate: 94_999, local_epochs: 3 };
    let found: Vec<String> = check_schedule(&terms(), &events).iter().map(ToString::to_string).collect();
    assert_eq!(found, ["round 2: local epochs is 3 on chain, the earlier rounds give 2"]);
}
