//! Random changes of everything that this crate parses: no panic, bounded memory, and every accepted input is exactly
//! what the encoder writes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/fuzzing.rs"]
mod fuzzing;

use fairshare_protocol::{
    decode_export, decode_model, decode_update, encode_export, encode_model, encode_update, pack17,
    packed_words, u128_from_word, unpack17, word_from_u128, Amount, Decimal, Model, Specification,
    DIMENSION_LIMIT, MAX_HEADER,
};
use fuzzing::{assert_memory_bounded, changes, mutate};
use proptest::prelude::*;
use proptest::sample::Index;

const EXAMPLE: &str = include_str!("../../docs/examples/digits.toml");

fn model() -> Model {
    Model::Mlp { inputs: 6, hidden: 5, classes: 3 }
}

/// Which tokens of a text [`swap_token`] replaces, and with what.
fn tokens() -> impl Strategy<Value = Vec<(Index, Index)>> {
    prop::collection::vec((any::<Index>(), any::<Index>()), 0..3)
}

/// Replaces one token of a text with one at which parsers fail.
fn swap_token(text: &str, at: &Index, with: &Index) -> String {
    let extremes = [
        "0",
        "-1",
        "-0",
        "1",
        "255",
        "256",
        "65536",
        "4294967295",
        "4294967296",
        "9223372036854775807",
        "18446744073709551615",
        "18446744073709551616",
        "1e400",
        "nan",
        "inf",
        "-inf",
        "0.5",
        "\"\"",
        "\"mlp\"",
        "\"1000000000000000000000000000000 ether\"",
        "\"0.0000000000000000001 ether\"",
        "\"1e18 wei\"",
        "[]",
        "{}",
        "true",
        "null",
        "1979-05-27",
        "\"\\u0000\"",
    ];
    let tokens: Vec<(usize, &str)> = text
        .split(|c: char| c.is_whitespace() || ",:{}[]=".contains(c))
        .filter(|token| !token.is_empty())
        .map(|token| (token.as_ptr() as usize - text.as_ptr() as usize, token))
        .collect();
    let Some((start, token)) = (!tokens.is_empty()).then(|| tokens[at.index(tokens.len())]) else {
        return text.to_owned();
    };
    format!("{}{}{}", &text[..start], extremes[with.index(extremes.len())], &text[start + token.len()..])
}

/// Every accepted specification is within the bounds and equals what its canonical form says.
fn sound(specification: &Specification) {
    assert!(specification.model.dimension() < DIMENSION_LIMIT as usize);
    assert!(specification.deposit().unwrap() < 1 << 96);
    specification.slots().unwrap();
    let json = specification.canonical_json();
    assert_eq!(&Specification::from_canonical_json(&json).unwrap(), specification);
}

proptest! {
    #[test]
    fn fuzz_update_files(changes in changes()) {
        let valid = encode_update(&model(), &vec![-7; model().dimension()]).unwrap();
        let mut file = valid.clone();
        mutate(&mut file, &changes);
        match assert_memory_bounded(|| decode_update(&model(), &file)) {
            Ok(update) => prop_assert_eq!(encode_update(&model(), &update).unwrap(), file),
            Err(error) => prop_assert!(error.to_string().len() < 2 * MAX_HEADER),
        }
    }

    #[test]
    fn fuzz_model_files(changes in changes()) {
        let mut file = encode_model(&model(), &vec![1 << 40; model().dimension()]).unwrap();
        mutate(&mut file, &changes);
        if let Ok(values) = assert_memory_bounded(|| decode_model(&model(), &file)) {
            prop_assert_eq!(encode_model(&model(), &values).unwrap(), file);
        }
    }

    #[test]
    fn fuzz_exported_model_files(changes in changes()) {
        let mut file = encode_export(&model(), &vec![0.25; model().dimension()]).unwrap();
        mutate(&mut file, &changes);
        if let Ok(values) = assert_memory_bounded(|| decode_export(&model(), &file)) {
            prop_assert_eq!(encode_export(&model(), &values).unwrap(), file);
        }
    }

    #[test]
    fn fuzz_arbitrary_bytes_as_files(file in prop::collection::vec(any::<u8>(), 0..600)) {
        assert_memory_bounded(|| {
            prop_assert!(decode_update(&model(), &file).is_err());
            prop_assert!(decode_model(&model(), &file).is_err());
            prop_assert!(decode_export(&model(), &file).is_err());
            Ok(())
        })?;
    }

    #[test]
    fn fuzz_specification_toml(changes in changes(), tokens in tokens()) {
        let mut text = EXAMPLE.to_owned();
        for (at, with) in &tokens {
            text = swap_token(&text, at, with);
        }
        if tokens.is_empty() {
            let mut bytes = text.into_bytes();
            mutate(&mut bytes, &changes);
            text = String::from_utf8_lossy(&bytes).into_owned();
        }
        if let Ok(specification) = assert_memory_bounded(|| Specification::from_toml(&text)) {
            sound(&specification);
        }
    }

    #[test]
    fn fuzz_specification_json(changes in changes(), tokens in tokens()) {
        let valid = Specification::from_toml(EXAMPLE).unwrap().canonical_json();
        let mut text = String::from_utf8(valid).unwrap();
        for (at, with) in &tokens {
            text = swap_token(&text, at, with);
        }
        let mut bytes = text.into_bytes();
        if tokens.is_empty() {
            mutate(&mut bytes, &changes);
        }
        if let Ok(specification) = assert_memory_bounded(|| Specification::from_canonical_json(&bytes)) {
            sound(&specification);
            prop_assert_eq!(specification.canonical_json(), bytes);
        }
    }

    #[test]
    fn fuzz_amounts(text in "[-+]?[0-9]{0,45}[.]?[0-9]{0,30} ?(ether|gwei|wei|units?)?|\\PC{0,40}") {
        if let Ok(amount) = text.parse::<Amount>() {
            prop_assert_eq!(amount.to_string().parse::<Amount>().unwrap(), amount);
        }
        if let Ok(decimal) = text.parse::<Decimal>() {
            prop_assert_eq!(decimal.to_string().parse::<Decimal>().unwrap(), decimal);
        }
    }

    #[test]
    fn fuzz_packed_words(
        words in prop::collection::vec(any::<[u8; 32]>(), 0..12),
        small in prop::collection::vec(0u32..1 << 17, 0..130),
        flip in any::<(Index, Index)>(),
        count in 0usize..300,
    ) {
        prop_assert!(unpack17(&words, count).map_or(true, |read| pack17(&read).unwrap() == words));
        let mut packed = pack17(&small).unwrap();
        prop_assert_eq!(packed.len(), packed_words(small.len()));
        if !packed.is_empty() {
            let (word, bit) = (flip.0.index(packed.len()), flip.1.index(256));
            packed[word][bit / 8] ^= 1 << (bit % 8);
            if let Ok(read) = unpack17(&packed, small.len()) {
                prop_assert_ne!(&read, &small);
                prop_assert_eq!(pack17(&read).unwrap(), packed);
            }
        }
    }

    #[test]
    fn fuzz_words(word in any::<[u8; 32]>(), high in any::<bool>()) {
        let mut word = word;
        if !high {
            word[..16].fill(0);
        }
        match u128_from_word(&word) {
            Some(value) => prop_assert_eq!(word_from_u128(value), word),
            None => prop_assert!(word[..16].iter().any(|byte| *byte != 0)),
        }
    }
}

#[test]
fn nesting_without_end_is_refused_and_not_followed() {
    for open in ["[", "{\"a\":", "{a="] {
        let text = format!("name = {}", open.repeat(200_000));
        assert!(Specification::from_toml(&text).is_err());
        assert!(Specification::from_canonical_json(open.repeat(200_000).as_bytes()).is_err());
    }
}
