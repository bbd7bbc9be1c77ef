//! Honest proofs hold, whatever the update; changed ones do not.

use super::*;
use crate::curve::words::{point_words, scalar_word};
use crate::kzg::{ReferenceString, SrsError};
use ark_bn254::Fq;
use ark_bn254::{Fr, G1Affine};
use ark_ff::{One, PrimeField};
use fairshare_protocol::{Word, DIMENSION_LIMIT};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use std::sync::OnceLock;

pub(super) fn small_srs() -> &'static ReferenceString {
    static SRS: OnceLock<ReferenceString> = OnceLock::new();
    SRS.get_or_init(|| ReferenceString::generate_dev(512))
}

pub(super) fn large_srs() -> &'static ReferenceString {
    static SRS: OnceLock<ReferenceString> = OnceLock::new();
    SRS.get_or_init(|| ReferenceString::generate_dev(1 << 16))
}

pub(super) fn random_update(d: usize, seed: u64) -> Vec<i16> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    (0..d).map(|_| rng.gen()).collect()
}

pub(super) fn statement(table: RangeTable, dimension: usize, commitment: G1Affine) -> RangeStatement {
    RangeStatement {
        chain_id: 31_337,
        project: [0x11; 20],
        round: 3,
        trainer: [0x22; 20],
        dimension: dimension as u32,
        table,
        keys_hash: [0x33; 32],
        commitment,
    }
}

fn honest(srs: &ReferenceString, table: RangeTable, update: &[i16]) -> (RangeStatement, RangeProof) {
    let statement = statement(table, update.len(), srs.commit_update(update).unwrap());
    let proof = prove_range(srs, &statement, update).unwrap();
    (statement, proof)
}

pub(super) fn name(result: Result<(), RangeError>) -> &'static str {
    match result {
        Ok(()) => "accepted",
        Err(error) => error.contract_name().unwrap(),
    }
}

#[test]
fn honest_updates_of_any_length_are_proved_with_limbs() {
    let srs = small_srs();
    for d in [1usize, 2, 3, 8, 255, 256, 257, 511, 512] {
        for update in
            [random_update(d, d as u64), vec![i16::MIN; d], vec![i16::MAX; d], vec![-1; d], vec![1; d]]
        {
            let (statement, proof) = honest(srs, RangeTable::Limbs8, &update);
            verify_range(&srs.kzg_key(), &statement, &proof).unwrap();
        }
    }
}

#[test]
fn honest_updates_are_proved_with_the_table_of_sixteen_bits() {
    let srs = large_srs();
    for d in [1usize, 4096] {
        let mut update = random_update(d, 7);
        update[0] = i16::MIN;
        update[d / 2] = i16::MAX;
        let (statement, proof) = honest(srs, RangeTable::Bits16, &update);
        verify_range(&srs.kzg_key(), &statement, &proof).unwrap();
        let words = proof.words();
        assert_eq!((words.points.len(), words.values.len()), (12, 10));
        assert_eq!(RangeProof::from_words(RangeTable::Bits16, &words).unwrap(), proof);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_update_but_zero_proves(update in prop::collection::vec(any::<i16>(), 1..64)) {
        prop_assume!(update.iter().any(|v| *v != 0));
        let srs = small_srs();
        let (statement, proof) = honest(srs, RangeTable::Limbs8, &update);
        let read = RangeProof::from_words(RangeTable::Limbs8, &proof.words()).unwrap();
        prop_assert!(verify_range(&srs.kzg_key(), &statement, &read).is_ok());
    }
}

#[test]
fn the_prover_names_what_does_not_fit() {
    let srs = small_srs();
    let update = random_update(16, 1);
    let good = statement(RangeTable::Limbs8, 16, srs.commit_update(&update).unwrap());
    assert!(matches!(
        prove_range(srs, &good, &update[..15]),
        Err(RangeError::UpdateLength { expected: 16, found: 15 })
    ));
    let mut other = update.clone();
    other[15] ^= 1;
    assert!(matches!(prove_range(srs, &good, &other), Err(RangeError::CommitmentMismatch)));
    let long = RangeStatement { table: RangeTable::Bits16, ..good.clone() };
    assert!(matches!(
        prove_range(srs, &long, &update),
        Err(RangeError::Srs(SrsError::TooLong { entries: 65_536, .. }))
    ));
    let zeros = statement(RangeTable::Limbs8, 16, G1Affine::identity());
    assert!(matches!(prove_range(srs, &zeros, &[0; 16]), Err(RangeError::InfiniteCommitment)));
    for dimension in [0, DIMENSION_LIMIT] {
        let bad = RangeStatement { dimension, ..good.clone() };
        assert!(matches!(prove_range(srs, &bad, &update), Err(RangeError::InvalidDimension { .. })));
        let proof = prove_range(srs, &good, &update).unwrap();
        assert_eq!(name(verify_range(&srs.kzg_key(), &bad, &proof)), "InvalidDimension");
    }
}

/// A proof serves one chain, project, round, trainer, dimension, table, key set and commitment.
#[test]
fn a_proof_is_not_replayed_elsewhere() {
    let srs = small_srs();
    let update = random_update(40, 2);
    let (good, proof) = honest(srs, RangeTable::Limbs8, &update);
    let other = srs.commit_update(&random_update(40, 3)).unwrap();
    let mut trainer = good.trainer;
    trainer[19] ^= 1;
    for elsewhere in [
        RangeStatement { chain_id: 1, ..good.clone() },
        RangeStatement { project: trainer, ..good.clone() },
        RangeStatement { round: 4, ..good.clone() },
        RangeStatement { trainer, ..good.clone() },
        RangeStatement { dimension: 41, ..good.clone() },
        RangeStatement { dimension: 39, ..good.clone() },
        RangeStatement { keys_hash: [0x34; 32], ..good.clone() },
        RangeStatement { commitment: other, ..good.clone() },
        RangeStatement { commitment: -good.commitment, ..good.clone() },
    ] {
        assert_eq!(
            name(verify_range(&srs.kzg_key(), &elsewhere, &proof)),
            "RangeIdentityFailed",
            "{elsewhere:?}"
        );
    }
    let infinite = RangeStatement { commitment: G1Affine::identity(), ..good.clone() };
    assert_eq!(name(verify_range(&srs.kzg_key(), &infinite, &proof)), "InvalidPoint");
    let other_table = RangeStatement { table: RangeTable::Bits16, ..good };
    assert_eq!(name(verify_range(&srs.kzg_key(), &other_table, &proof)), "WrongLength");
}

/// Every word changed, zeroed, set to the scalar order and to the base field's order.
#[test]
fn every_word_of_a_proof_counts() {
    let srs = small_srs();
    let (statement, proof) = honest(srs, RangeTable::Limbs8, &random_update(40, 4));
    let words = proof.words();
    let check = |words: &RangeProofWords| {
        name(
            RangeProof::from_words(statement.table, words)
                .and_then(|proof| verify_range(&srs.kzg_key(), &statement, &proof)),
        )
    };
    assert_eq!(check(&words), "accepted");
    let order = above(scalar_word(&-Fr::one()));
    let base = above(point_words(&G1Affine::new_unchecked(-Fq::one(), Fq::one()))[0]);
    assert_eq!(base, word_of(Fq::MODULUS.0));
    for index in 0..words.points.len() {
        let with = |word: Word| {
            let mut changed = words.clone();
            changed.points[index] = word;
            check(&changed)
        };
        let mut flipped = words.points[index];
        flipped[31] ^= 1;
        for bad in [flipped, [0; 32], order, base, [0xff; 32]] {
            assert_eq!(with(bad), "InvalidPoint", "word {index} of the points");
        }
        // The whole point: infinity, its negative, another point of the curve.
        let at = index & !1;
        let with_point = |point: [Word; 2]| {
            let mut changed = words.clone();
            changed.points[at..at + 2].copy_from_slice(&point);
            check(&changed)
        };
        let own: &[Word; 2] = words.points[at..at + 2].try_into().unwrap();
        let negative = point_words(&-crate::curve::words::point_from_words(own).unwrap());
        // W moves v alone, and W' nothing: everything before them moves z, or gamma.
        let expected = if at >= words.points.len() - 4 { "PairingFailed" } else { "RangeIdentityFailed" };
        for bad in [[[0; 32]; 2], negative, point_words(&srs.g1[3])] {
            assert_eq!(with_point(bad), expected, "point {}", at / 2);
        }
    }
    for index in 0..words.values.len() {
        let with = |word: Word| {
            let mut changed = words.clone();
            changed.values[index] = word;
            check(&changed)
        };
        let mut flipped = words.values[index];
        flipped[31] ^= 1;
        assert_eq!(with(flipped), "RangeIdentityFailed", "value {index}");
        assert_eq!(with([0; 32]), "RangeIdentityFailed", "value {index}");
        for bad in [order, base, [0xff; 32]] {
            assert_eq!(with(bad), "ScalarOutOfRange", "value {index}");
        }
    }
    for (points, values) in [(16, 13), (16, 15), (14, 14), (18, 14), (12, 10), (0, 0)] {
        let mut changed = words.clone();
        changed.points.resize(points, [0; 32]);
        changed.values.resize(values, [0; 32]);
        assert_eq!(check(&changed), "WrongLength");
    }
    let mut shapeless = proof.clone();
    shapeless.high = None;
    assert_eq!(name(verify_range(&srs.kzg_key(), &statement, &shapeless)), "WrongLength");
    shapeless.fractions.clear();
    shapeless.values.clear();
    assert_eq!(name(verify_range(&srs.kzg_key(), &statement, &shapeless)), "WrongLength");
}

/// The next number.
fn above(mut word: Word) -> Word {
    let at = word.iter().rposition(|byte| *byte != 0xff).unwrap();
    word[at] += 1;
    word[at + 1..].fill(0);
    word
}

fn word_of(limbs: [u64; 4]) -> Word {
    let bytes: Vec<u8> = limbs.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect();
    bytes.try_into().unwrap()
}
