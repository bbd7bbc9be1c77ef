//! The chain of hashes that binds a proof to its statement (docs/protocol.md 4).
//!
//! A state is `keccak256(abi.encode(bytes32 state, bytes32 label, uint256[] items))`; its challenge is
//! the state modulo the scalar field's order. The circuits crate, which has the field, computes challenges.

use sha3::{Digest, Keccak256};

/// A 256-bit word, big endian, as in Solidity.
pub type Word = [u8; 32];

/// The next state. `label` is ASCII of at most 32 bytes, left-aligned and zero-padded.
///
/// # Panics
/// When `label` is longer than a word: labels are constants of the code, never input.
pub fn absorb(state: Word, label: &str, items: &[Word]) -> Word {
    let mut hash = Keccak256::new();
    hash.update(state);
    hash.update(word_from_label(label));
    hash.update(word_from_u128(0x60)); // where the array lies: behind three words
    hash.update(word_from_u128(items.len() as u128));
    for item in items {
        hash.update(item);
    }
    hash.finalize().into()
}

/// ASCII text as a `bytes32`, left-aligned and zero-padded.
///
/// # Panics
/// When the text is longer than 32 bytes or not ASCII.
pub fn word_from_label(label: &str) -> Word {
    assert!(label.is_ascii() && label.len() <= 32, "label {label:?} does not fit a word");
    let mut word = [0u8; 32];
    word[..label.len()].copy_from_slice(label.as_bytes());
    word
}

/// A number as a `uint256`.
pub fn word_from_u128(v: u128) -> Word {
    let mut word = [0u8; 32];
    word[16..].copy_from_slice(&v.to_be_bytes());
    word
}

/// An address as a `uint256`: the value `uint160(address)`.
pub fn word_from_address(a: &[u8; 20]) -> Word {
    let mut word = [0u8; 32];
    word[12..].copy_from_slice(a);
    word
}

/// A word back as a number, `None` when it has more than 128 bits.
pub fn u128_from_word(word: &Word) -> Option<u128> {
    let (high, low) = word.split_at(16);
    let low: [u8; 16] = low.try_into().ok()?;
    high.iter().all(|byte| *byte == 0).then(|| u128::from_be_bytes(low))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The encoding written out by hand, hashed in one piece.
    #[test]
    fn the_state_is_the_hash_of_the_abi_encoding() {
        let mut encoded = vec![7u8; 32];
        encoded.extend(b"gram");
        encoded.extend([0; 28]);
        encoded.extend([0; 31]);
        encoded.push(96);
        encoded.extend([0; 31]);
        encoded.push(1);
        encoded.extend([9; 32]);
        let expected: Word = Keccak256::digest(&encoded).into();
        assert_eq!(absorb([7; 32], "gram", &[[9; 32]]), expected);
    }

    /// `keccak256(abi.encode(bytes32(0), bytes32("a"), new uint256[](0)))`, and keccak256 of nothing to show that
    /// the hash is Ethereum's and not SHA3-256.
    #[test]
    fn the_hash_is_ethereums() {
        let empty: Word = Keccak256::digest([]).into();
        assert_eq!(hex::encode(empty), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
    }

    #[test]
    fn every_part_counts() {
        let base = absorb([0; 32], "a", &[[1; 32], [2; 32]]);
        assert_ne!(base, absorb([1; 32], "a", &[[1; 32], [2; 32]]));
        assert_ne!(base, absorb([0; 32], "b", &[[1; 32], [2; 32]]));
        assert_ne!(base, absorb([0; 32], "a", &[[2; 32], [1; 32]]));
        assert_ne!(base, absorb([0; 32], "a", &[[1; 32], [2; 32], [0; 32]]));
    }

    proptest! {
        #[test]
        fn numbers_there_and_back(v: u128) {
            prop_assert_eq!(u128_from_word(&word_from_u128(v)), Some(v));
        }

        #[test]
        fn wider_words_are_not_numbers(mut word: Word, byte in 0usize..16) {
            word[byte] |= 1;
            prop_assert_eq!(u128_from_word(&word), None);
        }
    }

    #[test]
    fn an_address_fills_the_low_bytes() {
        let word = word_from_address(&[0xab; 20]);
        assert_eq!((&word[..12], &word[12..]), (&[0u8; 12][..], &[0xab; 20][..]));
    }
}
