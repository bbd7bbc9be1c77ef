use fairshare_circuits::{RangeProofWords, ReferenceString};

use super::*;

fn update() -> Update {
    let point = ReferenceString::generate_dev(1).commit_update(&[3]).unwrap();
    let proof = RangeProofWords { points: vec![], values: vec![] };
    let record = RoundRecord::new(3, [9; 32], &point, [5; 32], [7; 32], &proof);
    Update { record, file: Some(Arc::from(&b"update"[..])) }
}

fn shown(block: u64, revealed: bool, attested: bool) -> Shown {
    Shown { block, revealed, attested }
}

/// Round 3 in Reveal with a commitment in slot 2, as the chain showed it at block 10.
fn committed() -> OpenRound {
    let mut round = OpenRound::new(3);
    assert!(round.enter(Phase::Commit));
    assert!(!round.no_commitment(None) && *round.stage() == Stage::Idle);
    round.prepare(update());
    let receipt = Receipt { transaction: [1; 32], gas_used: 7, block: 10 };
    round.sent(receipt);
    assert_eq!(round.commit(2, "bafk".into(), Some(update()), 10), Some(receipt));
    assert!(round.enter(Phase::Reveal));
    round
}

fn attested() -> OpenRound {
    let mut round = committed();
    let found = round.confirm(shown(11, true, false));
    assert_eq!(found, Found { reveal: true, ..Found::default() });
    round.posted();
    assert!(round.enter(Phase::Attest));
    let found = round.confirm(shown(12, true, true));
    assert_eq!(found, Found { attestation: true, ..Found::default() });
    round
}

#[test]
fn round_goes_through_its_stages_and_a_finished_one_is_closed_without_a_word() {
    let mut round = attested();
    assert!(matches!(round.stage(), Stage::Attested(own) if own.slot == 2 && own.posted));
    assert!(!round.close() && !round.close());
    let mut round = OpenRound::new(4);
    assert!(round.close() && !round.close(), "a round that is cut short is told once");
    assert!(!OpenRound::new(0).close(), "before the first round there is nothing to tell");
}

/// Issue 12: a restarted trainer reported a round as skipped in which it had attested.
#[test]
fn restarted_trainer_learns_from_the_chain_that_it_has_revealed_and_attested() {
    let mut round = OpenRound::new(3);
    round.enter(Phase::Aggregate);
    assert!(round.needs_look(20));
    assert_eq!(round.commit(2, "bafk".into(), Some(update()), 20), None, "an earlier process sent it");
    let found = round.confirm(shown(20, true, true));
    assert_eq!(found, Found { reveal: true, attestation: true, lost: None });
    assert!(!round.close(), "the round is not skipped");
}

#[test]
fn reveal_and_attestation_that_a_reorganisation_takes_back_are_due_again() {
    let mut round = committed();
    round.confirm(shown(11, true, false));
    assert!(!round.needs_look(11) && round.needs_look(12));
    let found = round.confirm(shown(12, false, false));
    assert_eq!(found.lost, Some("the reveal"));
    assert!(matches!(round.stage(), Stage::Committed(_)) && round.is_stake_at_risk());

    let mut round = attested();
    assert!(round.needs_look(13));
    assert_eq!(round.confirm(shown(13, true, false)).lost, Some("the attestation"));
    assert!(matches!(round.stage(), Stage::Revealed { checked: SlotMask::EMPTY, .. }));
    assert_eq!(round.due(), Some(Due::Attestation));
}

#[test]
fn commitment_that_a_reorganisation_takes_back_is_prepared_again_with_its_bytes() {
    let mut round = committed();
    assert!(round.no_commitment(None));
    assert_eq!(*round.stage(), Stage::Prepared { update: update(), sent: None });
    // In another slot it is a commitment all the same.
    assert_eq!(round.commit(1, "bafk".into(), Some(update()), 12), None);
    assert_eq!(round.submission().map(|own| own.slot), Some(1));
}

#[test]
fn earlier_phase_opens_the_round_again_and_keeps_the_update() {
    let mut round = committed();
    round.wait.failed(Backoff::LONGEST);
    assert!(round.enter(Phase::Reveal) && !round.wait.is_due());
    assert!(!round.enter(Phase::Commit));
    assert_eq!(*round.stage(), Stage::Unknown(Some(update())));
    assert!(round.wait.is_due() && round.is_stake_at_risk() && round.phase() == Phase::Commit);
    assert!(round.enter(Phase::Aggregate), "a later phase begins without the waits of the last");
}

#[test]
fn stake_is_at_risk_until_the_reveal_or_until_the_chain_shows_no_commitment() {
    let mut round = OpenRound::new(3);
    round.enter(Phase::Commit);
    assert!(round.is_stake_at_risk(), "the chain was not asked yet");
    round.no_commitment(None);
    assert!(!round.is_stake_at_risk() && round.due().is_none());
    round.prepare(update());
    assert_eq!(round.due(), Some(Due::Reveal), "a transaction may be on its way");

    let mut round = committed();
    assert_eq!(round.due(), Some(Due::Reveal));
    round.confirm(shown(11, true, false));
    assert!(!round.is_stake_at_risk());
    assert_eq!(round.due(), Some(Due::File));
    round.posted();
    assert_eq!(round.due(), Some(Due::Attestation));
    round.enter(Phase::Aggregate);
    assert_eq!(round.due(), None);
    let mut round = committed();
    round.enter(Phase::Attest);
    assert!(!round.is_stake_at_risk() && !round.is_in_time());
    assert!(!OpenRound::new(0).is_stake_at_risk());
    assert_eq!(attested().due(), None);
}

#[test]
fn commitment_that_matches_no_update_stays_at_risk() {
    let mut round = committed();
    round.unmatched();
    assert!(round.is_stake_at_risk() && round.needs_look(10));
    assert_eq!(round.update(), Some(&update()));
}

#[test]
fn slots_that_were_checked_stay_checked_until_the_attestation() {
    let mut round = committed();
    round.confirm(shown(11, true, false));
    assert_eq!(round.check(0b01.into()), 0b01);
    assert_eq!(round.check(0b10.into()), 0b11);
    round.confirm(shown(12, true, false));
    assert_eq!(round.check(SlotMask::EMPTY), 0b11);
}
