//! The circuit says what the native rule says: on real updates, on extremes, on matrices of no updates.

use crate::statements::testing::{
    active_mask, any_matrix, extreme_matrix, real_updates, system, updates, Round,
};
use fairshare_protocol::{assess, RoundPolicy, SlotMask, MIN_ACTIVE};
use proptest::prelude::*;

#[test]
fn honest_rounds_of_every_small_size_are_accepted() {
    for (size, active) in
        [(8, 0xffu128), (8, 0b0101_1010), (8, 0b111), (16, 0x3ff), (16, 0xfbdf), (16, 0xffff)]
    {
        let active = SlotMask::from(active);
        let policy = RoundPolicy::Agreement { theta: 32, trim_count: active.count() * 52 / 256 };
        let round = Round::of_updates(size, active, &updates(size, 900, 1), policy);
        assert_eq!(round.accepted(), Ok(()), "{size} {active}");
        assert!(round.public().kept.count() >= 2);
    }
}

/// A change of these numbers is a change of the circuit: its keys must be pinned again.
#[test]
fn constraints_are_counted() {
    let counted =
        [8, 16, 32, 64, 128].map(|size| (system(size).constraints(), system(size).committed().len()));
    assert_eq!(counted, [(2123, 1420), (5910, 3974), (17_514, 11_310), (60_562, 38_974), (207_583, 127_704)]);
    let sizes = system(8).section_sizes();
    let names = ["sigma", "agreements", "shares", "coherence", "orders", "lookups", "lookup table"];
    let sections = names.map(|name| sizes.iter().find(|(section, _)| *section == name).unwrap().1);
    assert_eq!(sections, [52, 160, 27, 51, 96, 1329, 129]);
}

fn policies(active: SlotMask) -> impl Strategy<Value = RoundPolicy> {
    (0u16..1024, 0..=(active.count() - 2) / 2)
        .prop_map(|(theta, trim_count)| RoundPolicy::Agreement { theta, trim_count })
}

fn real_rounds(size: usize) -> impl Strategy<Value = Round> {
    (real_updates(size), active_mask(size, MIN_ACTIVE)).prop_flat_map(move |(updates, active)| {
        policies(active).prop_map(move |policy| Round::of_updates(size, active, &updates, policy))
    })
}

fn any_rounds(size: usize) -> impl Strategy<Value = Round> {
    active_mask(size, MIN_ACTIVE).prop_flat_map(move |active| {
        (any_matrix(size, active), policies(active)).prop_map(move |(gram, policy)| Round {
            gram,
            active,
            policy,
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_global_rejects: 1 << 16, ..ProptestConfig::default() })]
    #[test]
    fn the_circuit_accepts_every_real_round_of_eight(round in real_rounds(8)) {
        prop_assert_eq!(round.accepted(), Ok(()));
    }

    #[test]
    fn the_circuit_accepts_every_matrix_that_the_rule_accepts(round in any_rounds(8)) {
        prop_assume!(assess(&round.gram, round.active, round.policy).is_ok());
        prop_assert_eq!(round.accepted(), Ok(()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    #[test]
    fn the_circuit_accepts_every_real_round_of_sixteen(round in real_rounds(16)) {
        prop_assert_eq!(round.accepted(), Ok(()));
    }
}

/// Every entry at a bound: the widths are as large as they must be.
#[test]
fn extremes_of_every_entry_are_accepted() {
    for size in [8, 16] {
        for flipped in [0, 1, 3] {
            let gram = extreme_matrix(size, flipped);
            for (theta, trim_count) in [(1023, 0), (0, 0), (32, 1), (32, size as u32 / 2 - 1)] {
                let policy = RoundPolicy::Agreement { theta, trim_count };
                let round = Round { gram: gram.clone(), active: SlotMask::lowest(size as u32), policy };
                assert_eq!(round.accepted(), Ok(()), "{size} {flipped} {theta} {trim_count}");
            }
        }
    }
}
