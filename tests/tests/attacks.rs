//! Trainers and an aggregator that cheat, in markets with the real processes. Attackers that do not disturb each other
//! share a market, so that the whole takes minutes.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use fairshare_protocol::SlotMask;
use fairshare_tests::{Background, Behaviour, Fault, FaultProxy, Market, Options};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(120);
const STAKE: u128 = 100_000_000_000_000_000;
const FEE: u128 = 50_000_000_000_000_000;

/// Why a trainer of this behaviour loses its seat.
fn seat_loss(behaviour: &str) -> Option<&'static str> {
    match behaviour {
        "no-reveal" => Some("missed_reveal"),
        "wrong-bytes" | "wrong-shape" | "oversized" | "withhold-bytes" => Some("not_attested"),
        _ => None,
    }
}

struct Run {
    market: Market,
    /// The aggregator's `round_settled` events.
    settled: Vec<Value>,
    /// Every trainer's events.
    events: Vec<Vec<Value>>,
    _folder: tempfile::TempDir,
}

/// Honest trainers and hostile ones; logistic regression to the end of the project.
fn run(honest: u8, hostile: &[&str], rounds: u16, adjust: impl FnOnce(String) -> String) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { trainers: honest + hostile.len() as u8, rounds, ..Options::small(hostile) };
    let market = Market::open(&options, folder.path(), adjust, &mut |_| {}).unwrap();
    let mut aggregator = market.start_aggregator().unwrap();
    let mut trainers: Vec<Background> =
        (0..market.trainers.len()).map(|i| market.start_trainer(i).unwrap()).collect();
    for (trainer, participant) in trainers.iter_mut().zip(&market.trainers) {
        let succeeded = trainer.wait_end(SOON).unwrap();
        let lost = trainer.events().into_iter().find(|e| e["event"] == "seat_lost");
        let reason = lost.as_ref().map(|e| e["reason"].as_str().unwrap());
        assert_eq!(reason, seat_loss(&participant.behaviour), "{}", trainer.tail());
        assert_eq!(succeeded, reason.is_none(), "a lost seat is a failure: {}", trainer.tail());
    }
    assert!(aggregator.wait_end(SOON).unwrap(), "{}", aggregator.tail());
    let settled = aggregator.events().into_iter().filter(|e| e["event"] == "round_settled").collect();
    let events = trainers.iter().map(Background::events).collect();
    Run { market, settled, events, _folder: folder }
}

impl Run {
    fn find(&self, behaviour: &str) -> usize {
        self.market.trainers.iter().position(|t| t.behaviour == behaviour).unwrap()
    }

    fn events_of(&self, trainer: usize, kind: &str) -> Vec<&Value> {
        self.events[trainer].iter().filter(|e| e["event"] == kind).collect()
    }

    /// The slot of a trainer in round 1.
    fn slot(&self, trainer: usize) -> u64 {
        self.events_of(trainer, "committed")[0]["slot"].as_u64().unwrap()
    }

    /// The slots that took part in round 1.
    fn active(&self) -> Vec<u64> {
        let slots = self.settled[0]["slots"].as_array().unwrap();
        slots.iter().map(|s| s["slot"].as_u64().unwrap()).collect()
    }

    /// Why the first trainer did not attest another one.
    fn reason(&self, of: usize) -> String {
        let attested = self.events_of(0, "attested")[0];
        let slot = self.slot(of);
        let all = attested["left_out"].as_array().unwrap();
        let found = all.iter().find(|l| l["slot"] == slot);
        found.map_or_else(String::new, |l| l["reason"].as_str().unwrap().to_owned())
    }

    fn withdraw(&self, trainer: usize) -> u128 {
        self.market.withdraw(self.market.trainers[trainer].name()).unwrap()
    }

    /// Every honest trainer earned something beside its stake.
    fn assert_honest_trainers_are_paid(&self) {
        for (i, trainer) in self.market.trainers.iter().enumerate() {
            if trainer.behaviour == "honest" {
                let out = self.withdraw(i);
                assert!(out > STAKE, "{}: {out}", trainer.name());
            }
        }
    }

    fn assert_audit_passes(&self) {
        assert_eq!(self.market.audit().unwrap()["audit"], "pass");
    }
}

/// Attackers that delay no phase: outliers, and files that are missing or differ from what was committed.
#[test]
fn outliers_earn_nothing_and_who_withholds_or_bends_its_bytes_is_not_active_and_loses_its_stake() {
    let outliers = ["sign-flip", "noise"];
    let bent = ["wrong-bytes", "wrong-shape", "oversized", "withhold-bytes"];
    let run =
        run(7, &[&outliers[..], &bent[..]].concat(), 1, |toml| toml.replace("attest = 30", "attest = 24"));
    run.assert_audit_passes();
    run.assert_honest_trainers_are_paid();
    let active = run.active();
    for attacker in outliers {
        let at = run.find(attacker);
        assert!(active.contains(&run.slot(at)), "{attacker} is judged by the rule");
        assert_eq!(run.withdraw(at), STAKE, "{attacker}");
    }
    for (attacker, reason) in
        bent.into_iter().zip(["commitment", "bytes", "cannot be fetched", "cannot be fetched"])
    {
        let at = run.find(attacker);
        assert!(!active.contains(&run.slot(at)), "{attacker}: {active:?}");
        assert!(run.reason(at).contains(reason), "{attacker}: {}", run.reason(at));
        assert_eq!(run.withdraw(at), 0, "{attacker} has lost its stake");
    }
    assert_eq!(active.len(), 9);
}

/// Attackers that let phases run to their deadlines.
#[test]
fn who_stays_silent_copies_commits_to_field_elements_hides_or_attests_nothing_is_not_paid() {
    let hostile = ["silent", "no-reveal", "copycat", "field-elements", "attest-nothing"];
    let run = run(6, &hostile, 1, |toml| {
        toml.replace("commit = 60", "commit = 14")
            .replace("reveal = 30", "reveal = 6")
            .replace("attest = 30", "attest = 8")
    });
    run.assert_audit_passes();
    run.assert_honest_trainers_are_paid();
    let refusal = |behaviour: &str| {
        let refused = run.events_of(run.find(behaviour), "refused");
        refused.iter().map(|e| e["reason"].as_str().unwrap()).collect::<Vec<_>>().join(" ")
    };
    assert!(refusal("copycat").contains("CommitmentReused"), "{}", refusal("copycat"));
    // No range proof for field elements: the contract's verifier says so when they are posted.
    assert!(refusal("field-elements").contains("RangeIdentityFailed"), "{}", refusal("field-elements"));
    for behaviour in ["silent", "copycat", "field-elements"] {
        let at = run.find(behaviour);
        assert_eq!(run.events_of(at, "committed").len(), 0, "{behaviour} has no slot");
        assert_eq!(run.withdraw(at), STAKE, "{behaviour} has its stake back and no more");
    }
    assert_eq!(run.withdraw(run.find("no-reveal")), 0, "who does not reveal has lost its stake");
    let at = run.find("attest-nothing");
    let slot = run.slot(at);
    let earned = run.settled[0]["slots"].as_array().unwrap().iter().find(|s| s["slot"] == slot).unwrap();
    assert!(earned["share"].as_u64().unwrap() > 0, "its update was good: {earned}");
    // Seven revealed, and share the stake of the one that did not.
    assert_eq!(run.withdraw(at), STAKE + STAKE / 7, "who attests nothing is not paid for the round");
}

#[test]
fn two_liars_among_ten_change_nothing() {
    let hostile = ["attest-falsely", "attest-falsely", "withhold-bytes"];
    let run = run(7, &hostile, 1, |toml| toml.replace("attest = 30", "attest = 16"));
    let withheld = run.find("withhold-bytes");
    let expected: Vec<u64> = (0..10).filter(|slot| *slot != run.slot(withheld)).collect();
    assert_eq!(
        run.active(),
        expected,
        "the honest slots that the liars left out are in, the withheld one is not"
    );
    for liar in (0..10).filter(|i| run.market.trainers[*i].behaviour == "attest-falsely") {
        let mask = run.events_of(liar, "attested")[0]["mask"].as_str().unwrap().to_owned();
        let mask: SlotMask = mask.parse().unwrap();
        assert_eq!(mask.count(), 8, "it lied: {mask}");
        assert!(mask.contains(run.slot(withheld) as usize), "it claimed what it could not have: {mask}");
    }
    run.assert_audit_passes();
    run.assert_honest_trainers_are_paid();
    assert_eq!(run.withdraw(withheld), 0);
}

/// Both times at which a model file is attested: in the next round, and in Closing after the last.
///
/// A file has one CID whoever serves it: a trainer that looks for the first time after another has published finds the
/// bytes and names the aggregator. On a busy machine that may be most of them. So no publication reaches the chain
/// before every trainer has missed the file by itself.
#[test]
fn withheld_model_file_is_published_by_a_trainer_who_takes_the_fee() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { rounds: 2, ..Options::small(&[]) };
    let periods =
        |toml: String| toml.replace("commit = 60", "commit = 80").replace("attest = 30", "attest = 48");
    let mut market = Market::open(&options, folder.path(), periods, &mut |_| {}).unwrap();
    let names: Vec<String> = market.trainers.iter().map(|trainer| trainer.name().to_owned()).collect();
    let mut proxies = vec![];
    for (seed, name) in names.iter().enumerate() {
        let proxy = FaultProxy::start(&market.rpc, seed as u64).unwrap();
        let ipfs = market.ipfs.clone();
        market.route(name, &proxy.url(), &ipfs);
        proxies.push(proxy);
    }
    let mut aggregator = market.start_aggregator_program("fairshare-hostile-aggregator").unwrap();
    let mut trainers: Vec<Background> = (0..5).map(|i| market.start_trainer(i).unwrap()).collect();
    for round in [1, 2] {
        let hold = Fault::new(Behaviour::Latency(SOON)).on_transactions_of("publishModel");
        let held: Vec<_> = proxies.iter().map(|proxy| proxy.inject(hold.clone())).collect();
        for (proxy, id) in proxies.iter().zip(&held) {
            proxy.wait_injected(*id, 1, SOON).unwrap();
        }
        proxies.iter().zip(&held).for_each(|(proxy, id)| proxy.remove(*id));
        let is_published = |e: &Value| e["event"] == "model_published" && e["round"] == round;
        for trainer in &trainers {
            trainer.wait_for("its publication", SOON, is_published).unwrap();
        }
    }
    for process in trainers.iter_mut().chain([&mut aggregator]) {
        assert!(process.wait_end(SOON).unwrap(), "{}", process.tail());
    }
    let settled = aggregator.events().iter().filter(|e| e["event"] == "round_settled").count();
    assert_eq!(settled, 2);
    assert_eq!(market.audit().unwrap()["audit"], "pass");
    let out: u128 = names.iter().map(|name| market.withdraw(name).unwrap()).sum();
    let paid = market.withdraw("aggregator").unwrap();
    assert_eq!(paid, 0, "neither fee nor bond: it withheld what it was paid for");
    let owner = market.withdraw("owner").unwrap();
    // Pay and fees are with the trainers, roundings with the owner. The bond is burnt, so that no one gains by the loss.
    let deposit = 2 * (1_000_000_000_000_000_000 + FEE);
    assert_eq!(out + owner, deposit + 5 * STAKE);
    assert!(owner < 1_000_000_000_000_000, "{owner}");
}
