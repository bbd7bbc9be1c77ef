use fairshare_circuits::G1Affine;
use fairshare_client::{CommittedUpdate, Phase, SettledRound};

use super::*;

const OWNER: Address = Address([0xaa; 20]);
const AGGREGATOR: Address = Address([0xbb; 20]);

fn terms() -> Terms {
    Terms {
        owner: OWNER,
        aggregator: AGGREGATOR,
        stake: 100,
        bond: 1_001,
        outlier_penalty: 40,
        outlier_rounds: 0,
        rounds: 2,
        max_voids: 2,
        round_reward: 1_000_000,
        round_fee: 500,
        ..crate::fixture::terms()
    }
}

/// All have attested, and the file of the round before, if any, is the aggregator's.
fn active(round: u64, attested: u128) -> EventKind {
    EventKind::SlotsActive { round, active: SlotMask::lowest(3), attested: attested.into() }
}

fn file_of(round: u64, source: Address) -> EventKind {
    EventKind::ModelAttested { round, source, cid: [3; 32], fee: 500 }
}

fn trainer(n: u8) -> Address {
    Address([n; 20])
}

fn commit(round: u64, slot: u8) -> EventKind {
    let update =
        CommittedUpdate { slot, trainer: trainer(slot), commitment: G1Affine::identity(), seal: [0; 32] };
    EventKind::Committed { round, update }
}

fn settled(round: u64, shares: [u32; 8]) -> EventKind {
    EventKind::Settled(SettledRound {
        round,
        payee: AGGREGATOR,
        active: SlotMask::lowest(3),
        kept: SlotMask::lowest(3),
        coherence: 0,
        shares: shares.to_vec(),
        weights: vec![0; 8],
        model: G1Affine::identity(),
        model_cid: [3; 32],
        transaction: [4; 32],
        gas_used: 1,
    })
}

fn opening() -> Vec<EventKind> {
    let mut events =
        vec![EventKind::Opened { owner: OWNER, specification: [1; 32], deposit: terms().deposit() }];
    events.extend((0..3).map(|n| EventKind::Joined { trainer: trainer(n), stake: 100 }));
    events.push(EventKind::BondPlaced { aggregator: AGGREGATOR, amount: 1_001 });
    events.extend((0..3).map(|slot| commit(1, slot)));
    events
}

fn replay(events: &[EventKind]) -> (Ledger, Vec<String>) {
    let (ledger, faults) = Ledger::replay(&terms(), events);
    (ledger, faults.iter().map(ToString::to_string).collect())
}

/// What the contract would say after these events.
fn agreeing(ledger: &Ledger) -> Vec<(Address, u128)> {
    ledger
        .accounts()
        .into_iter()
        .map(|who| (who, ledger.owed.get(&who).copied().unwrap_or_default()))
        .collect()
}

#[test]
fn a_project_that_runs_to_its_end_adds_up_to_the_last_unit() {
    let mut events = opening();
    events.push(active(1, 0b111));
    events.push(settled(1, [30_000, 20_000, 15_535, 0, 0, 0, 0, 0])); // one part short of all
    events.extend((0..3).map(|slot| commit(2, slot)));
    events.extend([file_of(1, AGGREGATOR), active(2, 0b111)]);
    events.push(settled(2, [65_536, 0, 0, 0, 0, 0, 0, 0]));
    let (running, _) = replay(&events);
    assert_eq!((running.held_fee, running.fees), (500, 500), "the last file is not attested yet");
    assert_eq!(running.compare(running.escrow, running.held(), &agreeing(&running)), vec![]);
    events.push(file_of(2, AGGREGATOR));
    let parts = [30_000u128, 20_000, 15_535].map(|share| (1_000_000 * share) >> 16);
    let left = 1_000_000 - parts.iter().sum::<u128>();
    events.push(EventKind::Ended { phase: Phase::Completed, to_owner: left });
    events.push(EventKind::Withdrawn {
        account: trainer(0),
        to: trainer(9),
        amount: parts[0] + 1_000_000 + 100,
    });
    let (ledger, faults) = replay(&events);
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!((ledger.escrow, ledger.returned, ledger.fees, ledger.slashed), (0, left, 1_000, 0));
    assert_eq!(ledger.paid, parts.iter().sum::<u128>() + 1_000_000);
    assert_eq!(ledger.owed[&trainer(0)], 0);
    assert_eq!(ledger.owed[&trainer(1)], parts[1] + 100);
    assert_eq!(ledger.owed[&AGGREGATOR], 1_000 + 1_001);
    assert_eq!(ledger.compare(0, ledger.held(), &agreeing(&ledger)), vec![]);
    // Money sent by force is no fault.
    assert_eq!(ledger.compare(0, ledger.held() + 5, &agreeing(&ledger)), vec![]);
}

#[test]
fn slashed_stakes_and_bonds_are_followed() {
    let mut events = opening();
    events.push(EventKind::StakeSlashed { round: 1, trainer: trainer(2), amount: 100 });
    events.push(EventKind::BondSlashed { round: 1, amount: 1_001, active: SlotMask::lowest(2) });
    events.push(EventKind::Voided { round: 1, reason: "no result".into() });
    let (ledger, faults) = replay(&events);
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!((ledger.owed[&trainer(0)], ledger.owed[&trainer(1)], ledger.slashed), (500, 500, 101));
    assert_eq!(ledger.escrow, terms().deposit() + 101);
    assert_eq!(ledger.held(), terms().deposit() + 1_001 + 300);
    assert_eq!(ledger.compare(ledger.escrow, ledger.held(), &agreeing(&ledger)), vec![]);
}

#[test]
fn fees_penalties_and_shares_go_where_the_attestations_send_them() {
    let mut events = opening();
    events.push(active(1, 0b011)); // slot 2 attested nothing
    events.push(EventKind::OutlierPenalised { round: 1, trainer: trainer(1), amount: 40 });
    events.push(settled(1, [30_000, 0, 30_000, 0, 0, 0, 0, 0]));
    let part = (1_000_000u128 * 30_000) >> 16;
    let deposit = terms().deposit();
    let (ledger, faults) = replay(&events);
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!((ledger.paid, ledger.earned.get(&trainer(2))), (part, None), "nothing for silence");
    assert_eq!((ledger.escrow, ledger.slashed), (deposit + 40 - part - 500, 40));

    // Somebody else serves the file: the fee is its, and the bond falls to the escrow.
    let mut published = events.clone();
    published.push(EventKind::BondSlashed { round: 1, amount: 1_001, active: SlotMask::EMPTY });
    published.push(file_of(1, trainer(0)));
    let (ledger, _) = replay(&published);
    assert_eq!(ledger.owed[&trainer(0)], part + 500);
    assert_eq!((ledger.fees, ledger.held_fee, ledger.slashed), (500, 0, 1_041));
    assert_eq!(ledger.escrow, deposit + 1_041 - part - 500);
    assert_eq!(ledger.compare(ledger.escrow, ledger.held(), &agreeing(&ledger)), vec![]);
    // Nobody does.
    events.push(EventKind::ModelUnattested { round: 1, fee: 500 });
    events.push(EventKind::Left { trainer: trainer(1), stake: 60 });
    let (ledger, _) = replay(&events);
    assert_eq!((ledger.fees, ledger.escrow, ledger.owed[&trainer(1)]), (0, deposit + 40 - part, 60));
    assert_eq!(ledger.compare(ledger.escrow, ledger.held(), &agreeing(&ledger)), vec![]);
}

#[test]
fn who_leaves_has_its_stake_back() {
    let mut events = opening();
    events.push(EventKind::Left { trainer: trainer(1), stake: 100 });
    let (ledger, faults) = replay(&events);
    assert_eq!((faults.len(), ledger.owed[&trainer(1)]), (0, 100));
    assert_eq!(ledger.held(), terms().deposit() + 1_001 + 300);
}

#[test]
fn every_difference_with_the_contract_is_named() {
    let mut events = opening();
    events.push(active(1, 0b111));
    events.push(settled(1, [65_536, 0, 0, 0, 0, 0, 0, 0]));
    let (ledger, _) = replay(&events);
    let text = |faults: Vec<MoneyFault>| faults.iter().map(|fault| format!("{fault}\n")).collect::<String>();
    let mut owed = agreeing(&ledger);
    owed.retain(|(who, _)| *who != trainer(0));
    owed.push((trainer(0), 999_999));
    let found = text(ledger.compare(ledger.escrow - 1, ledger.held() - 1, &owed));
    let name = trainer(0).to_string();
    for expected in [
        "the escrow is 1000499 on chain, the events give 1000500".to_owned(),
        format!("{name} is owed 999999 on chain, the events give 1000000"),
        format!("the contract holds {}, by the events it must hold {}", ledger.held() - 1, ledger.held()),
        "deposit 2001000 + slashed 0 differ from paid 1000000 + fees 500 + returned 0 + escrow 1000499"
            .to_owned(),
    ] {
        assert!(found.contains(&expected), "{expected}\nis not in\n{found}");
    }
}

#[test]
fn events_that_do_not_add_up_are_named() {
    let mut events = vec![EventKind::Opened { owner: OWNER, specification: [1; 32], deposit: 7 }];
    events.push(EventKind::Joined { trainer: trainer(0), stake: 99 });
    events.push(EventKind::BondPlaced { aggregator: AGGREGATOR, amount: 1 });
    events.push(commit(1, 0));
    events.push(active(1, 0b111));
    events.push(settled(1, [65_536, 0, 0, 0, 0, 0, 0, 0]));
    events.push(EventKind::Withdrawn { account: trainer(1), to: trainer(1), amount: 3 });
    events.push(EventKind::Ended { phase: Phase::WoundUp, to_owner: 8 });
    let (_, faults) = replay(&events);
    let all = faults.join("\n");
    for expected in [
        "the deposit was 7, the terms require 2001000",
        "was 99, the terms require 100",
        "was 1, the terms require 1001",
        "round 1 credited 1000500, with 7 in escrow",
        "withdrew 3, but was owed 0",
        "the owner was credited 8 at the end, the events leave 0 in escrow",
    ] {
        assert!(all.contains(expected), "{expected}\nis not in\n{all}");
    }
}
