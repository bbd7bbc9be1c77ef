//! Processes and networks that fail in the middle of a round.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use fairshare_tests::{Background, Market, Options};

const SOON: Duration = Duration::from_secs(90);

fn open(folder: &tempfile::TempDir, rounds: u16) -> Market {
    let options = Options { rounds, ..Options::small(&[]) };
    Market::open(&options, folder.path(), |toml| toml, &mut |_| {}).unwrap()
}

fn start_trainers(market: &Market) -> Vec<Background> {
    (0..market.trainers.len()).map(|i| market.start_trainer(i).unwrap()).collect()
}

fn assert_all_are_paid(market: &Market) {
    let paid: Vec<u128> = market.trainers.iter().map(|t| market.withdraw(t.name()).unwrap()).collect();
    assert!(paid.iter().all(|paid| *paid > 100_000_000_000_000_000), "{paid:?}");
    assert_eq!(market.audit().unwrap()["audit"], "pass");
}

#[test]
fn aggregator_that_is_killed_and_started_again_finishes_the_round() {
    let folder = tempfile::tempdir().unwrap();
    let market = open(&folder, 2);
    let mut first = market.start_aggregator().unwrap();
    let mut trainers = start_trainers(&market);
    first.wait_for("the first settled round", SOON, |e| e["event"] == "round_settled").unwrap();
    // Somewhere in the second round.
    trainers[0].wait_for("a second commit", SOON, |e| e["event"] == "committed" && e["round"] == 2).unwrap();
    first.kill();
    let mut second = market.start_aggregator().unwrap();
    second
        .wait_for("the second settled round", SOON, |e| e["event"] == "round_settled" && e["round"] == 2)
        .unwrap();
    assert!(second.wait_end(SOON).unwrap());
    for trainer in &mut trainers {
        assert!(trainer.wait_end(SOON).unwrap());
    }
    assert_all_are_paid(&market);
}

#[test]
fn trainer_that_is_killed_after_its_commit_and_again_after_its_reveal_reveals_and_attests() {
    let folder = tempfile::tempdir().unwrap();
    let market = open(&folder, 1);
    let mut aggregator = market.start_aggregator().unwrap();
    let mut trainers = start_trainers(&market);
    let last = trainers.len() - 1;
    trainers[last].wait_for("its commit", SOON, |e| e["event"] == "committed").unwrap();
    trainers[last].kill();
    trainers[last] = market.start_trainer(last).unwrap();
    trainers[last].wait_for("its reveal", SOON, |e| e["event"] == "revealed").unwrap();
    trainers[last].kill();
    // The others attest; the phase waits for the last one.
    trainers[0].wait_for("an attestation", SOON, |e| e["event"] == "attested").unwrap();
    trainers[last] = market.start_trainer(last).unwrap();
    trainers[last].wait_for("its attestation", SOON, |e| e["event"] == "attested").unwrap();
    aggregator.wait_for("a settled round", SOON, |e| e["event"] == "round_settled").unwrap();
    assert!(aggregator.wait_end(SOON).unwrap());
    for trainer in &mut trainers {
        assert!(trainer.wait_end(SOON).unwrap());
    }
    assert_all_are_paid(&market);
}

#[test]
fn chain_and_ipfs_that_go_down_and_come_back_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut market = open(&folder, 2);
    let mut aggregator = market.start_aggregator().unwrap();
    let mut trainers = start_trainers(&market);
    aggregator.wait_for("the first settled round", SOON, |e| e["event"] == "round_settled").unwrap();
    market.restart_devnet(|| std::thread::sleep(Duration::from_secs(1))).unwrap(); // an outage of a second
    aggregator
        .wait_for("the second settled round", SOON, |e| e["event"] == "round_settled" && e["round"] == 2)
        .unwrap();
    assert!(aggregator.wait_end(SOON).unwrap());
    for trainer in &mut trainers {
        assert!(trainer.wait_end(SOON).unwrap());
    }
    assert_all_are_paid(&market);
}
