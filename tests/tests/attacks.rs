//! Trainers that cheat, in markets with the real processes.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use fairshare_tests::{Background, Failure, Market, Options};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(90);

struct Run {
    market: Market,
    settled: Value,
    hostile: Vec<Value>,
    _folder: tempfile::TempDir,
}

/// Five honest trainers and one hostile one, one round of logistic regression.
fn round_with(hostile: &str, adjust: impl FnOnce(String) -> String) -> Result<Run, Failure> {
    let folder =
        tempfile::tempdir().map_err(|error| Failure::Io { what: "a temporary folder".into(), error })?;
    let options = Options::small(&[hostile]);
    let market = Market::open(&options, folder.path(), adjust, &mut |_| {})?;
    let mut aggregator = market.start_aggregator()?;
    let mut trainers: Vec<Background> =
        (0..market.trainers.len()).map(|i| market.start_trainer(i)).collect::<Result<_, _>>()?;
    let settled = aggregator.wait_for("a settled round", SOON, |e| e["event"] == "round_settled")?;
    aggregator.wait_end(SOON)?;
    for trainer in &mut trainers {
        trainer.wait_end(SOON)?;
    }
    let hostile = trainers.last().map(Background::events).unwrap_or_default();
    Ok(Run { market, settled, hostile, _folder: folder })
}

impl Run {
    /// The reasons for which slots were left out.
    fn exclusions(&self) -> Vec<String> {
        let listed = self.settled["excluded"].as_array().into_iter().flatten();
        listed.map(|e| e["reason"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// What the honest trainers and the hostile one take out, stakes of 0.1 ether included.
    fn withdrawn(&self) -> (Vec<u128>, u128) {
        let mut all: Vec<u128> =
            self.market.trainers.iter().map(|t| self.market.withdraw(t.name()).unwrap()).collect();
        let hostile = all.pop().unwrap();
        (all, hostile)
    }

    fn assert_audit_passes(&self) {
        assert_eq!(self.market.audit().unwrap()["audit"], "pass");
    }

    /// The hostile one has its stake back and no more; every honest one earned something.
    fn assert_only_honest_trainers_are_paid(&self) {
        let (honest, hostile) = self.withdrawn();
        assert!(honest.iter().all(|paid| *paid > STAKE), "{honest:?}");
        assert_eq!(hostile, STAKE);
    }
}

const STAKE: u128 = 100_000_000_000_000_000;

fn same(toml: String) -> String {
    toml
}

#[test]
fn trainer_that_flips_signs_is_dropped_and_earns_nothing() {
    let run = round_with("sign-flip", same).unwrap();
    assert_eq!(run.exclusions(), Vec::<String>::new());
    run.assert_only_honest_trainers_are_paid();
    run.assert_audit_passes();
}

#[test]
fn trainer_that_posts_noise_is_dropped_and_earns_nothing() {
    let run = round_with("noise", same).unwrap();
    run.assert_only_honest_trainers_are_paid();
    run.assert_audit_passes();
}

#[test]
fn copy_of_anothers_commitment_and_cid_is_refused_and_earns_nothing() {
    let run = round_with("copycat", |toml| toml.replace("commit = 60", "commit = 12")).unwrap();
    let refused = run.hostile.iter().any(|e| e.to_string().contains("CommitmentReused"));
    assert!(refused, "the contract's refusal is told: {:?}", run.hostile);
    run.assert_only_honest_trainers_are_paid();
}

#[test]
fn file_that_does_not_match_its_commitment_is_left_out_with_its_reason() {
    let run = round_with("wrong-bytes", same).unwrap();
    let reasons = run.exclusions();
    assert!(reasons.len() == 1 && reasons[0].contains("commitment"), "{reasons:?}");
    run.assert_only_honest_trainers_are_paid();
}

#[test]
fn file_of_the_wrong_shape_is_left_out_with_its_reason() {
    let run = round_with("wrong-shape", same).unwrap();
    let reasons = run.exclusions();
    // A file of a larger model is longer than the one length that is possible, and is not read further.
    assert!(reasons.len() == 1 && reasons[0].contains("bytes"), "{reasons:?}");
    run.assert_only_honest_trainers_are_paid();
}

#[test]
fn oversized_file_is_left_out_without_being_read_to_its_end() {
    let run = round_with("oversized", same).unwrap();
    let reasons = run.exclusions();
    // Above one chunk the posted digest names no raw block: nothing of it is read.
    assert!(reasons.len() == 1 && reasons[0].contains("cannot be fetched"), "{reasons:?}");
    run.assert_only_honest_trainers_are_paid();
}

#[test]
fn update_whose_bytes_are_withheld_is_left_out_and_the_round_goes_on() {
    let run = round_with("withhold", same).unwrap();
    assert_eq!(run.exclusions().len(), 1, "{}", run.settled);
    run.assert_only_honest_trainers_are_paid();
}

#[test]
fn trainer_that_never_submits_does_not_stop_the_round() {
    let run = round_with("silent", |toml| toml.replace("commit = 60", "commit = 12")).unwrap();
    run.assert_only_honest_trainers_are_paid();
    run.assert_audit_passes();
}

#[test]
fn trainer_that_commits_and_does_not_reveal_loses_its_stake() {
    let run = round_with("no-reveal", |toml| toml.replace("reveal = 30", "reveal = 8")).unwrap();
    let (honest, hostile) = run.withdrawn();
    assert!(honest.iter().all(|paid| *paid > STAKE), "{honest:?}");
    assert_eq!(hostile, 0);
    run.assert_audit_passes();
}
