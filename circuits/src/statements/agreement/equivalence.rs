//! The circuit says what the native rule says: on real updates, on extremes, on matrices of no updates.

use super::proof::{blank_circuit, check_constraints};
use super::witness::AgreementWitness;
use super::AgreementPublic;
use crate::gadgets::System;
use crate::statements::gram_binding::triangle;
use ark_bn254::Fr;
use ark_ff::Field;
use fairshare_protocol::{assess, GramMatrix, MIN_ACTIVE};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::OnceLock;

/// The constraints of a size, made once for all tests.
pub(super) fn system(size: usize) -> &'static System {
    static SYSTEMS: [OnceLock<System>; 4] = [const { OnceLock::new() }; 4];
    let index = size.trailing_zeros() as usize - 3;
    SYSTEMS[index].get_or_init(|| System::new(|builder| blank_circuit(builder, size)).unwrap())
}

pub(super) fn rho(seed: u64) -> Fr {
    Fr::from(seed + 77).pow([55])
}

/// A round: its matrix and what the contract fixes.
#[derive(Debug, Clone)]
pub(super) struct Round {
    pub(super) gram: GramMatrix,
    pub(super) active: u128,
    pub(super) theta: u16,
    pub(super) trim_count: u32,
}

impl Round {
    /// Updates of a common direction with noise, in the slots of `active`.
    pub(super) fn of_updates(size: usize, active: u128, updates: &[Vec<i16>]) -> Self {
        let slots: Vec<Option<&[i16]>> =
            (0..size).map(|i| (active >> i & 1 == 1).then(|| updates[i].as_slice())).collect();
        let trim_count = active.count_ones() * 52 / 256;
        Self { gram: GramMatrix::compute(&slots).unwrap(), active, theta: 32, trim_count }
    }

    pub(super) fn public(&self) -> AgreementPublic {
        let assessment = assess(&self.gram, self.active, self.theta, self.trim_count).unwrap();
        AgreementPublic::new(&self.gram, rho(5), self.active, self.theta, self.trim_count, &assessment)
    }

    pub(super) fn witness(&self) -> AgreementWitness {
        AgreementWitness::new(&self.gram, self.active, self.theta, self.trim_count).unwrap()
    }

    /// The circuit accepts what the rule says.
    fn accepted(&self) -> Result<(), String> {
        let (public, witness) = (self.public(), self.witness());
        witness.check(&public).map_err(|error| error.to_string())?;
        let size = self.gram.slots();
        check_constraints(system(size), &public.to_field_elements(size), &witness)
            .map(|_| ())
            .map_err(|error| error.to_string())
    }
}

/// Updates of one direction with noise: slot `i` of length `amplitude * (i + 1)`, every fifth one turned round.
pub(super) fn updates(size: usize, amplitude: i16, seed: u64) -> Vec<Vec<i16>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let base: Vec<i32> = (0..64).map(|_| rng.gen_range(-100..=100)).collect();
    (0..size)
        .map(|i| {
            let sign = if i % 5 == 4 { -1 } else { 1 };
            let scale = i32::from(amplitude) * (i as i32 % 7 + 1);
            base.iter().map(|b| (sign * (b + rng.gen_range(-60..=60)) * scale / 100) as i16).collect()
        })
        .collect()
}

#[test]
fn honest_rounds_of_every_small_size_are_accepted() {
    for (size, active) in [(8, 0xff), (8, 0b0101_1010), (8, 0b111), (16, 0x3ff), (16, 0xfbdf), (16, 0xffff)] {
        let round = Round::of_updates(size, active, &updates(size, 900, 1));
        assert_eq!(round.accepted(), Ok(()), "{size} {active:#x}");
        assert!(round.public().kept.count_ones() >= 2);
    }
}

/// A change of these numbers is a change of the circuit: its keys must be pinned anew.
#[test]
fn constraints_are_counted() {
    let sections = |size: usize, names: [&str; 4]| {
        let sizes = system(size).section_sizes();
        names.map(|name| sizes.iter().find(|(section, _)| *section == name).unwrap().1)
    };
    let names = ["gram entries", "gram hash", "agreements", "shares"];
    assert_eq!((system(8).constraints(), sections(8, names)), (11_038, [1540, 811, 3696, 1083]));
    assert_eq!((system(16).constraints(), sections(16, names)), (36_232, [6600, 2026, 17_600, 2228]));
    assert_eq!((system(32).constraints(), sections(32, names)), (131_811, [27_280, 6886, 77_120, 4581]));
    assert_eq!((system(64).constraints(), sections(64, names)), (506_668, [110_880, 26_326, 326_144, 9415]));
}

/// An active mask of at least three slots.
fn active_mask(size: usize) -> impl Strategy<Value = u128> {
    (any::<u128>(), any::<bool>()).prop_map(move |(mask, all)| {
        let every = (1u128 << size) - 1;
        let mask = if all { every } else { mask & every };
        if mask.count_ones() < MIN_ACTIVE {
            0b111
        } else {
            mask
        }
    })
}

fn trim_counts(active: u128) -> impl Strategy<Value = u32> {
    0..=(active.count_ones() - 2) / 2
}

/// Rounds of real updates: random, duplicates, zeros, extremes, opposite ones.
fn real_rounds(size: usize) -> impl Strategy<Value = Round> {
    let kind = 0usize..9;
    (prop::collection::vec((kind, any::<u64>()), size), active_mask(size), 0u16..1024).prop_flat_map(
        move |(kinds, active, theta)| {
            let updates: Vec<Vec<i16>> = kinds
                .iter()
                .map(|(kind, seed)| {
                    let mut rng = ChaCha8Rng::seed_from_u64(*seed);
                    let mut random = |bound: i16| (0..24).map(|_| rng.gen_range(-bound..=bound)).collect();
                    match kind {
                        0 => vec![0; 24],
                        1 => vec![i16::MAX; 24],
                        2 => vec![i16::MIN; 24],
                        3 => vec![1; 24],
                        4 => (0..24).map(|j| if j == *seed as usize % 24 { 1 } else { 0 }).collect(),
                        5 => vec![-1; 24],
                        6 => random(3),
                        7 => random(i16::MAX),
                        _ => vec![300; 24],
                    }
                })
                .collect();
            trim_counts(active).prop_map(move |trim_count| {
                let mut round = Round::of_updates(size, active, &updates);
                (round.theta, round.trim_count) = (theta, trim_count);
                round
            })
        },
    )
}

/// Matrices of any entries in range, off the diagonal divided by some power of two. Many belong to no updates, and
/// some of these have no coherence: the rule refuses them.
fn any_rounds(size: usize) -> impl Strategy<Value = Round> {
    let extreme = 1i64 << 52;
    let entry =
        prop_oneof![Just(extreme), Just(-extreme), Just(0), -2i64..3, -extreme..=extreme, 1i64..1 << 30];
    let norm = prop_oneof![4 => Just(extreme), 1 => Just(0), 2 => 0i64..9, 4 => extreme / 64..extreme];
    let entries = prop::collection::vec((entry, norm), triangle(size));
    (entries, 0u32..12, active_mask(size), 0u16..1024).prop_flat_map(
        move |(entries, shift, active, theta)| {
            let on = |i: usize| active >> i & 1 == 1;
            let places = (0..size).flat_map(|i| (i..size).map(move |j| (i, j)));
            let value = |((i, j), (entry, norm)): ((usize, usize), (i64, i64))| match () {
                () if !on(i) || !on(j) => 0,
                () if i == j => norm,
                () => entry >> shift,
            };
            let upper = places.zip(entries).map(value).collect();
            let gram = GramMatrix::from_upper(size, upper).unwrap();
            trim_counts(active).prop_map(move |trim_count| Round {
                gram: gram.clone(),
                active,
                theta,
                trim_count,
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_global_rejects: 1 << 16, ..ProptestConfig::default() })]
    #[test]
    fn the_circuit_accepts_every_real_round_of_eight(round in real_rounds(8)) {
        prop_assert_eq!(round.accepted(), Ok(()));
    }

    #[test]
    fn the_circuit_accepts_every_matrix_that_the_rule_accepts(round in any_rounds(8)) {
        prop_assume!(assess(&round.gram, round.active, round.theta, round.trim_count).is_ok());
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
    let extreme = 1i64 << 52;
    for size in [8, 16] {
        for flipped in [0, 1, 3] {
            let places = (0..size).flat_map(|i| (i..size).map(move |j| (i, j)));
            let sign = |i: usize| if flipped != 0 && i.is_multiple_of(flipped + 1) { -1 } else { 1 };
            let upper = places.map(|(i, j)| sign(i) * sign(j) * extreme).collect();
            let gram = GramMatrix::from_upper(size, upper).unwrap();
            for (theta, trim_count) in [(1023, 0), (0, 0), (32, 1), (32, size as u32 / 2 - 1)] {
                let round = Round { gram: gram.clone(), active: (1 << size) - 1, theta, trim_count };
                assert_eq!(round.accepted(), Ok(()), "{size} {flipped} {theta} {trim_count}");
            }
        }
    }
}
