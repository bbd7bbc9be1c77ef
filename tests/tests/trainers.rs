//! Trainers that are stopped, restarted, or lose their state folder in the middle of a round.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use fairshare_tests::{Background, Market, Options};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(120);
const STAKE: u128 = 100_000_000_000_000_000;

fn events<'a>(all: &'a [Value], kind: &str) -> Vec<&'a Value> {
    all.iter().filter(|e| e["event"] == kind).collect()
}

fn is(kind: &'static str) -> impl Fn(&Value) -> bool {
    move |event| event["event"] == kind
}

fn wait_for_phase(market: &Market, phase: &str) {
    let end = Instant::now() + SOON;
    loop {
        let shown = market.show().unwrap();
        if shown["phase"] == phase {
            return;
        }
        assert!(Instant::now() < end, "the project does not reach {phase}: {shown}");
        std::thread::sleep(Duration::from_millis(200)); // polls a condition with a deadline
    }
}

/// One market for four trainers' fates: the sixth honest one and the silent one keep the phases open until their
/// deadlines.
#[test]
fn trainers_that_are_stopped_or_lose_their_folder_keep_their_stake_and_a_missed_reveal_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { trainers: 7, ..Options::small(&["silent"]) };
    let adjust =
        |toml: String| toml.replace("commit = 60", "commit = 30").replace("reveal = 30", "reveal = 20");
    let market = Market::open(&options, folder.path(), adjust, &mut |_| {}).unwrap();

    // Nothing is due while trainers register: both programs end with success.
    let mut aggregator = market.start_aggregator().unwrap();
    aggregator.wait_for("its bond", SOON, is("bond_placed")).unwrap();
    assert!(aggregator.terminate(SOON).unwrap(), "{}", aggregator.tail());
    assert_eq!(events(&aggregator.events(), "stopped")[0]["due"], Value::Null);
    let mut first = market.start_trainer(0).unwrap();
    first.wait_for("its join", SOON, is("joined")).unwrap();
    assert!(first.terminate(SOON).unwrap(), "{}", first.tail());
    assert_eq!(events(&first.events(), "stopped")[0]["due"], Value::Null);

    let mut aggregator = market.start_aggregator().unwrap();
    let mut trainers: Vec<Background> =
        (0..market.trainers.len()).map(|i| market.start_trainer(i).unwrap()).collect();
    for trainer in &trainers[..6] {
        trainer.wait_for("its commitment", SOON, is("committed")).unwrap();
    }
    // The first one loses its folder, which is all that a process that is started again would have.
    let state = market.folder.join("state").join(market.trainers[0].name());
    std::fs::remove_dir_all(&state).unwrap();
    // The second one is stopped while its stake depends on the reveal, and started again.
    assert!(!trainers[1].terminate(SOON).unwrap(), "its stake is at risk: {}", trainers[1].tail());
    assert_eq!(events(&trainers[1].events(), "stopped")[0]["due"], "reveal");
    assert!(trainers[1].tail().contains("--state"), "{}", trainers[1].tail());
    trainers[1] = market.start_trainer(1).unwrap();
    // The third one is killed, and comes back when the reveal phase is over.
    trainers[2].kill();

    for trainer in [0, 1] {
        trainers[trainer].wait_for("its reveal", SOON, is("revealed")).unwrap();
    }
    assert!(state.join("round-1.json").is_file(), "the folder is written again");
    trainers[0].wait_for("its attestation", SOON, is("attested")).unwrap();
    trainers[2] = market.start_trainer(2).unwrap();
    let lost = trainers[2].wait_for("the loss of its seat", SOON, is("seat_lost")).unwrap();
    assert_eq!((&lost["reason"], &lost["round"]), (&"missed_reveal".into(), &1.into()), "{lost}");
    assert_eq!(lost["stake_lost_wei"], STAKE.to_string());
    assert!(!trainers[2].wait_end(SOON).unwrap());
    assert!(trainers[2].tail().contains("fairshare withdraw"), "{}", trainers[2].tail());

    for i in [0, 1, 3, 4, 5, 6] {
        assert!(trainers[i].wait_end(SOON).unwrap(), "{}", trainers[i].tail());
    }
    assert!(aggregator.wait_end(SOON).unwrap(), "{}", aggregator.tail());
    let paid: Vec<u128> = market.trainers.iter().map(|t| market.withdraw(t.name()).unwrap()).collect();
    assert!([0, 1, 3, 4, 5].iter().all(|i| paid[*i] > STAKE), "{paid:?}");
    assert_eq!((paid[2], paid[6]), (0, STAKE));
}

#[test]
fn trainer_that_is_started_again_after_its_attestation_does_not_skip_the_round() {
    let folder = tempfile::tempdir().unwrap();
    let market = Market::open(&Options::small(&[]), folder.path(), |toml| toml, &mut |_| {}).unwrap();
    // Without an aggregator the round waits for its settlement.
    let mut aggregator = market.start_aggregator().unwrap();
    aggregator.wait_for("its bond", SOON, is("bond_placed")).unwrap();
    aggregator.kill();
    let mut trainers: Vec<Background> =
        (0..market.trainers.len()).map(|i| market.start_trainer(i).unwrap()).collect();
    for trainer in &trainers {
        trainer.wait_for("its attestation", SOON, is("attested")).unwrap();
    }
    wait_for_phase(&market, "aggregate");
    trainers[0].kill();
    trainers[0] = market.start_trainer(0).unwrap();
    let attested = trainers[0].wait_for("its attestation, from the chain", SOON, is("attested")).unwrap();
    assert_eq!(attested["transaction"], Value::Null);
    let mut aggregator = market.start_aggregator().unwrap();
    for trainer in &mut trainers {
        assert!(trainer.wait_end(SOON).unwrap(), "{}", trainer.tail());
        assert!(events(&trainer.events(), "round_skipped").is_empty(), "{:?}", trainer.events());
    }
    assert!(aggregator.wait_end(SOON).unwrap(), "{}", aggregator.tail());
}
