//! Proof words, verifying-key manifests and points from outside, changed at random: no panic, bounded memory, one
//! spelling.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../protocol/tests/support/fuzzing.rs"]
mod fuzzing;

use fairshare_circuits::{
    g2_from_words, g2_words, point_from_words, point_words, scalar_from_word, scalar_word, KzgKey, Manifest,
    RangeProof, RangeProofWords, RangeTable, ReferenceString, RoundProof, RoundProofWords,
};
use fairshare_protocol::{packed_words, word_from_u128, Word};
use fuzzing::{assert_memory_bounded, changes, mutate};
use proptest::prelude::*;
use proptest::sample::Index;

const SLOTS: u8 = 16;
/// The base field's and the scalar field's order, the words that a reader must not take for zero.
const ORDERS: [&str; 2] = [
    "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47",
    "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001",
];

fn points() -> Vec<[Word; 2]> {
    ReferenceString::generate_dev(12).g1.iter().map(point_words).collect()
}

fn small(value: u64) -> Word {
    word_from_u128(value.into())
}

/// Words that stand for something, of which no proof is made.
fn round_words() -> RoundProofWords {
    let g1 = points();
    let [b0, b1, b2, b3] = g2_words(&KzgKey::dev().g2[1]);
    RoundProofWords {
        sigma: small(2),
        kept_mask: small(0xffff),
        coherence: small(1 << 16),
        shares: vec![small(5); packed_words(SLOTS.into())],
        weights: vec![small(6); packed_words(SLOTS.into())],
        groth16: [g1[1][0], g1[1][1], b0, b1, b2, b3, g1[2][0], g1[2][1]],
        quotient: g1[3],
        reversed: g1[4],
        values: [7, 8, 9, 10].map(small),
        opening: g1[5],
        model: g1[6],
        committed: [g1[7][0], g1[7][1], g1[8][0], g1[8][1]],
    }
}

fn form_words(table: RangeTable) -> RangeProofWords {
    let (points_wanted, values) = if table == RangeTable::Limbs8 { (8, 14) } else { (6, 10) };
    RangeProofWords { points: points()[1..=points_wanted].concat(), values: (0..values).map(small).collect() }
}

/// A change of a list of words: another value, one more, one less.
type WordChange = (u8, Index, Index, Word);

fn word_changes() -> impl Strategy<Value = Vec<WordChange>> {
    prop::collection::vec((any::<u8>(), any::<Index>(), any::<Index>(), any::<Word>()), 0..3)
}

fn change_word(word: &mut Word, kind: u8, bit: &Index, value: &Word) {
    match kind % 6 {
        0 => word[bit.index(32)] ^= 1 << (kind / 6 % 8),
        1 => *word = [0; 32],
        2 => hex::decode_to_slice(ORDERS[0], word).unwrap(),
        3 => hex::decode_to_slice(ORDERS[1], word).unwrap(),
        4 => *word = [0xff; 32],
        _ => *word = *value,
    }
}

fn change_list(list: &mut Vec<Word>, (kind, at, bit, value): &WordChange) {
    match kind {
        0..20 => drop(list.pop()),
        20..40 => list.push(*value),
        _ if list.is_empty() => {}
        _ => {
            let at = at.index(list.len());
            change_word(&mut list[at], *kind, bit, value);
        }
    }
}

fn change_round(words: &mut RoundProofWords, change: &WordChange) {
    let (kind, at, bit, value) = change;
    match at.index(16) {
        0 => change_list(&mut words.shares, change),
        1 => change_list(&mut words.weights, change),
        _ => {
            let singles = [&mut words.sigma, &mut words.kept_mask, &mut words.coherence];
            let groups: [&mut [Word]; 7] = [
                &mut words.groth16,
                &mut words.quotient,
                &mut words.reversed,
                &mut words.values,
                &mut words.opening,
                &mut words.model,
                &mut words.committed,
            ];
            let mut all: Vec<&mut Word> = singles.into_iter().chain(groups.into_iter().flatten()).collect();
            let place = bit.index(all.len() * 32) / 32;
            change_word(all[place], *kind, bit, value);
        }
    }
}

proptest! {
    #[test]
    fn fuzz_round_proof_words(changes in word_changes(), slots in prop_oneof![Just(SLOTS), any::<u8>()]) {
        let mut words = round_words();
        changes.iter().for_each(|change| change_round(&mut words, change));
        if let Ok(proof) = assert_memory_bounded(|| RoundProof::from_words(&words, slots)) {
            prop_assert_eq!(proof.words(), words.clone());
        }
        if changes.is_empty() && slots == SLOTS {
            prop_assert!(RoundProof::from_words(&words, slots).is_ok());
        }
    }

    #[test]
    fn fuzz_range_proof_words(changes in prop::collection::vec((any::<bool>(), any::<u8>(), any::<Index>(), any::<Index>(), any::<Word>()), 0..3), small_table in any::<bool>()) {
        let table = if small_table { RangeTable::Limbs8 } else { RangeTable::Bits16 };
        let mut words = form_words(table);
        for (points, kind, at, bit, value) in &changes {
            let list = if *points { &mut words.points } else { &mut words.values };
            change_list(list, &(*kind, *at, *bit, *value));
        }
        let read = assert_memory_bounded(|| RangeProof::from_words(table, &words));
        prop_assert!(!changes.is_empty() || read.is_ok());
        if let Ok(proof) = read {
            prop_assert_eq!(proof.words(), words);
        }
    }

    #[test]
    fn fuzz_points_and_scalars(words in any::<[Word; 4]>(), kinds in any::<[u8; 4]>(), bit in any::<Index>()) {
        let mut g1 = points()[7];
        change_word(&mut g1[usize::from(kinds[0] % 2)], kinds[1], &bit, &words[0]);
        if let Ok(point) = point_from_words(&g1) {
            prop_assert_eq!(point_words(&point), g1);
        }
        let mut g2 = g2_words(&KzgKey::dev().g2[2]);
        change_word(&mut g2[usize::from(kinds[2] % 4)], kinds[3], &bit, &words[1]);
        if let Ok(point) = g2_from_words(&g2) {
            prop_assert_eq!(g2_words(&point), g2);
        }
        prop_assert!(g2_from_words(&words).is_err());
        if let Ok(scalar) = scalar_from_word(&words[2]) {
            prop_assert_eq!(scalar_word(&scalar), words[2]);
        }
    }

    #[test]
    fn fuzz_manifests(changes in changes()) {
        let mut bytes = include_bytes!("../keys/manifest.json").to_vec();
        mutate(&mut bytes, &changes);
        let text = String::from_utf8_lossy(&bytes);
        if let Ok(manifest) = assert_memory_bounded(|| Manifest::parse(&text)) {
            prop_assert_eq!(Manifest::parse(&serde_json::to_string(&manifest).unwrap()).unwrap(), manifest);
        }
    }
}
