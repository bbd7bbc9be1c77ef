//! The circuit says what the native rule says: on real updates, on extremes, on matrices of no updates.

use crate::statements::testing::{
    active_mask, any_matrix, extreme_matrix, real_updates, system, updates, Round,
};
use fairshare_protocol::{assess, GramMatrix, Policy, RuleName};
use proptest::prelude::*;

#[test]
fn honest_rounds_of_every_small_size_are_accepted() {
    for (size, active) in
        [(8, 0xffu128), (8, 0b0101_1010), (8, 0b111), (16, 0x3ff), (16, 0xfbdf), (16, 0xffff)]
    {
        let n = active.count_ones();
        let policy = Policy::MultiKrum { neighbours: n - n / 5 - 2, selected: n - n / 3 };
        let round = Round::of_updates(size, active, &updates(size, 900, 1), policy);
        assert_eq!(round.accepted(), Ok(()), "{size} {active:#x}");
        assert_eq!(round.public().kept.count_ones(), n - n / 3);
    }
}

/// A change of these numbers is a change of the circuit: its keys must be pinned anew.
#[test]
fn constraints_are_counted() {
    let sections = |size: usize, names: [&str; 4]| {
        let sizes = system(RuleName::MultiKrum, size).section_sizes();
        names.map(|name| sizes.iter().find(|(section, _)| *section == name).unwrap().1)
    };
    let constraints = |size| system(RuleName::MultiKrum, size).constraints();
    let names = ["gram entries", "scores", "kept slots", "contributions"];
    assert_eq!((constraints(8), sections(8, names)), (8515, [1972, 3272, 522, 520]));
    assert_eq!((constraints(16), sections(16, names)), (28_509, [7464, 13_968, 1074, 1184]));
    assert_eq!((constraints(32), sections(32, names)), (104_632, [29_008, 57_632, 2210, 2912]));
    assert_eq!((constraints(64), sections(64, names)), (401_219, [114_336, 234_048, 4546, 7936]));
}

/// The rule refuses a policy that the circuit has no answer to, and the other way round: one slot has no neighbour.
#[test]
fn every_number_of_active_slots_from_two_on_is_accepted() {
    for n in 0..=8u32 {
        let round = |neighbours, selected| {
            let policy = Policy::MultiKrum { neighbours, selected };
            Round::of_updates(8, (1 << n) - 1, &updates(8, 900, 6), policy)
        };
        for (neighbours, selected) in [(1, 2), (1, n), (n.saturating_sub(1), 2), (n.saturating_sub(1), n)] {
            let round = round(neighbours, selected);
            let native = assess(&round.gram, round.active, round.policy);
            assert_eq!(native.is_ok(), n >= 2);
            assert!(native.is_err() || round.accepted() == Ok(()), "{n}: {neighbours}, {selected}");
        }
    }
}

fn policies(active: u128) -> impl Strategy<Value = Policy> {
    let n = active.count_ones();
    (1..n, 2..=n).prop_map(|(neighbours, selected)| Policy::MultiKrum { neighbours, selected })
}

fn real_rounds(size: usize) -> impl Strategy<Value = Round> {
    (real_updates(size), active_mask(size, 2)).prop_flat_map(move |(updates, active)| {
        policies(active).prop_map(move |policy| Round::of_updates(size, active, &updates, policy))
    })
}

fn any_rounds(size: usize) -> impl Strategy<Value = Round> {
    active_mask(size, 2).prop_flat_map(move |active| {
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
        let n = size as u32;
        let policies = [(1, 2), (1, n), (n - 1, 2), (n - 1, n), (n / 2, n / 2)];
        for flipped in [0, 1, 3] {
            let gram = extreme_matrix(size, flipped);
            for (neighbours, selected) in policies {
                let policy = Policy::MultiKrum { neighbours, selected };
                let round = Round { gram: gram.clone(), active: (1 << size) - 1, policy };
                assert_eq!(round.accepted(), Ok(()), "{size} {flipped} {neighbours} {selected}");
            }
        }
    }
}

/// Distances and scores at both their bounds at once, beside slots that are not active.
#[test]
fn the_largest_and_the_smallest_distances_are_accepted() {
    let top = 1i64 << 52;
    // Slots 0 to 2 have no length and products of 2^52, slots 3 to 5 all length and products of -2^52; 6, 7 are not active.
    let value = |i: usize, j: usize| match (i, j) {
        (_, 6..) => 0,
        (0..3, 0..3) if i == j => 0,
        (0..3, 0..3) => top,
        (3.., 3..) if i == j => top,
        _ => -top,
    };
    let upper = (0..8).flat_map(|i| (i..8).map(move |j| value(i, j))).collect();
    let gram = GramMatrix::from_upper(8, upper).unwrap();
    let mut accepted = 0;
    for (neighbours, selected) in (1..6).flat_map(|k| (2..=6).map(move |m| (k, m))) {
        let round = Round {
            gram: gram.clone(),
            active: 0b11_1111,
            policy: Policy::MultiKrum { neighbours, selected },
        };
        if assess(&round.gram, round.active, round.policy).is_ok() {
            assert_eq!(round.accepted(), Ok(()), "{neighbours} {selected}");
            accepted += 1;
        }
    }
    assert!(accepted > 5, "{accepted}");
}
