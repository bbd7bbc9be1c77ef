//! The vectors that Rust and Solidity test against (`tests/vectors/*.json`): what they say holds, and what writes them.
//!
//! Everything is seeded, so the same code writes the same bytes. `scripts/regenerate` runs [`write`], which is ignored
//! otherwise.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod range;
mod round;

use fairshare_protocol::Word;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// `tests/vectors/<name>` of the repository.
fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors").join(name)
}

/// A word in JSON: 0x and 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct HexWord(Word);

impl Serialize for HexWord {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("0x{}", hex::encode(self.0)))
    }
}

impl<'de> Deserialize<'de> for HexWord {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut word = [0u8; 32];
        let digits =
            text.strip_prefix("0x").ok_or_else(|| serde::de::Error::custom("a word starts with 0x"))?;
        hex::decode_to_slice(digits, &mut word).map_err(serde::de::Error::custom)?;
        Ok(Self(word))
    }
}

fn hex_words(words: &[Word]) -> Vec<HexWord> {
    words.iter().copied().map(HexWord).collect()
}

/// Writes every vector.
#[test]
#[ignore = "writes tests/vectors: scripts/regenerate runs it"]
fn write() {
    for (name, text) in range::files().into_iter().chain(round::files()) {
        std::fs::write(path(name), text).unwrap();
    }
}
