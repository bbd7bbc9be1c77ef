use fairshare_circuits::G1Affine;
use fairshare_client::{CommittedUpdate, Phase, RevealedUpdate, SettledRound};

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
    assert_eq!(running.compare(running.escrow, 0, running.held(), &agreeing(&running)), vec![]);
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
    assert_eq!((ledger.escrow, ledger.returned, ledger.fees, ledger.burnt), (0, left, 1_000, 0));
    assert_eq!(ledger.paid, parts.iter().sum::<u128>() + 1_000_000);
    assert_eq!(ledger.owed[&trainer(0)], 0);
    assert_eq!(ledger.owed[&trainer(1)], parts[1] + 100);
    assert_eq!(ledger.owed[&AGGREGATOR], 1_000 + 1_001);
    assert_eq!(ledger.compare(0, ledger.burnt, ledger.held(), &agreeing(&ledger)), vec![]);
    // Money sent by force is no fault.
    assert_eq!(ledger.compare(0, ledger.burnt, ledger.held() + 5, &agreeing(&ledger)), vec![]);
}

fn reveal(round: u64, slot: u8) -> EventKind {
    EventKind::Revealed { round, update: RevealedUpdate { slot, trainer: trainer(slot), cid: [0; 32] } }
}

fn divided(slots: u128, part: u128) -> EventKind {
    EventKind::LossDivided { round: 1, slots: slots.into(), part }
}

fn burnt(amount: u128) -> EventKind {
    EventKind::Burnt { round: 1, amount }
}

#[test]
fn stakes_and_bonds_that_are_lost_are_divided_or_burnt_and_never_the_owners() {
    let mut events = opening();
    events.extend([reveal(1, 0), reveal(1, 1)]);
    // Slot 2 did not reveal: its stake goes to those who did.
    events.push(EventKind::StakeSlashed { round: 1, trainer: trainer(2), amount: 100 });
    events.push(divided(0b11, 50));
    // Then no one settles.
    events.push(EventKind::BondSlashed { round: 1, amount: 1_001, active: SlotMask::lowest(2) });
    events.extend([divided(0b11, 500), burnt(1)]);
    events.push(EventKind::Voided { round: 1, reason: "no result".into() });
    let (ledger, faults) = replay(&events);
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!((ledger.owed[&trainer(0)], ledger.owed[&trainer(1)]), (550, 550));
    assert_eq!((ledger.divided, ledger.burnt, ledger.escrow), (1_100, 1, terms().deposit()));
    assert_eq!(ledger.held(), terms().deposit() + 1_001 + 300);
    assert_eq!(ledger.compare(ledger.escrow, 1, ledger.held(), &agreeing(&ledger)), vec![]);
}

#[test]
fn a_part_is_at_most_the_own_stake_and_the_owner_gets_none() {
    let terms = Terms { owner: trainer(1), ..terms() };
    let mut events = opening();
    events.push(EventKind::OutlierPenalised { round: 1, trainer: trainer(0), amount: 40 });
    events.extend([burnt(40), reveal(1, 0), reveal(1, 1)]);
    events.push(EventKind::StakeSlashed { round: 1, trainer: trainer(2), amount: 100 });
    // 100 / 2 each; 0 has a stake of 60, and 1 is the owner.
    events.extend([divided(0b11, 50), burnt(50)]);
    let (ledger, faults) = Ledger::replay(&terms, &events);
    assert_eq!(faults, []);
    assert_eq!((ledger.owed.get(&trainer(0)), ledger.owed.get(&trainer(1))), (Some(&50), None));
    assert_eq!((ledger.divided, ledger.burnt), (50, 90));
}

#[test]
fn losses_that_go_elsewhere_are_named() {
    let lost = EventKind::StakeSlashed { round: 1, trainer: trainer(2), amount: 100 };
    let begun = [opening(), vec![reveal(1, 0), reveal(1, 1), lost]].concat();
    let faults = |more: &[EventKind]| replay(&[&begun[..], more].concat()).1.join("\n");
    assert!(faults(&[burnt(100)]).contains("100 was burnt, the rules give 0"));
    assert!(faults(&[divided(0b01, 100)]).contains("100 was credited to each slot, the rules give 50"));
    assert!(
        faults(&[divided(0b11, 49), burnt(2)]).contains("49 was credited to each slot, the rules give 50")
    );
    assert!(faults(&[divided(0b11, 50), burnt(1)]).contains("1 was burnt, the rules give 0"));
    let (ledger, _) = replay(&begun);
    let left = ledger.compare(ledger.escrow, 0, ledger.held(), &[]);
    assert_eq!(left, [MoneyFault::LossLeft { amount: 100 }]);
}

#[test]
fn fees_penalties_and_shares_go_where_the_attestations_send_them() {
    let mut events = opening();
    events.push(active(1, 0b011)); // slot 2 attested nothing
    events.push(EventKind::OutlierPenalised { round: 1, trainer: trainer(1), amount: 40 });
    events.push(burnt(40));
    events.push(settled(1, [30_000, 0, 30_000, 0, 0, 0, 0, 0]));
    let part = (1_000_000u128 * 30_000) >> 16;
    let deposit = terms().deposit();
    let (ledger, faults) = replay(&events);
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!((ledger.paid, ledger.earned.get(&trainer(2))), (part, None), "nothing for silence");
    assert_eq!((ledger.escrow, ledger.burnt), (deposit - part - 500, 40));

    // Somebody else serves the file: the fee is its, and the bond is burnt.
    let mut published = events.clone();
    published.push(EventKind::BondSlashed { round: 1, amount: 1_001, active: SlotMask::EMPTY });
    published.push(burnt(1_001));
    published.push(file_of(1, trainer(0)));
    let (ledger, _) = replay(&published);
    assert_eq!(ledger.owed[&trainer(0)], part + 500);
    assert_eq!((ledger.fees, ledger.held_fee, ledger.burnt), (500, 0, 1_041));
    assert_eq!(ledger.escrow, deposit - part - 500);
    assert_eq!(ledger.compare(ledger.escrow, ledger.burnt, ledger.held(), &agreeing(&ledger)), vec![]);
    // Nobody does.
    events.push(EventKind::ModelUnattested { round: 1, fee: 500 });
    events.push(EventKind::Left { trainer: trainer(1), stake: 60 });
    let (ledger, _) = replay(&events);
    assert_eq!((ledger.fees, ledger.escrow, ledger.owed[&trainer(1)]), (0, deposit - part, 60));
    assert_eq!(ledger.compare(ledger.escrow, ledger.burnt, ledger.held(), &agreeing(&ledger)), vec![]);
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
    let found = text(ledger.compare(ledger.escrow - 1, 3, ledger.held() - 1, &owed));
    let name = trainer(0).to_string();
    for expected in [
        "the escrow is 1000499 on chain, the events give 1000500".to_owned(),
        format!("{name} is owed 999999 on chain, the events give 1000000"),
        format!("the contract holds {}, by the events it must hold {}", ledger.held() - 1, ledger.held()),
        "3 is burnt on chain, the events give 0".to_owned(),
        "deposit 2001000 differs from paid 1000000 + fees 500 + returned 0 + escrow 1000499".to_owned(),
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
