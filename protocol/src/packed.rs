//! Packing of shares and weights (docs/protocol.md 12.2): 17 bits each, 14 to a word, element 0 in the low bits.

use crate::transcript::Word;
use thiserror::Error;

/// Bits of an element: `0 ..= 2^16` needs seventeen.
pub const ELEMENT_BITS: usize = 17;

/// Elements in one word. `14 * 17 = 238` bits, below every scalar field's order.
pub const ELEMENTS_PER_WORD: usize = 14;

/// Elements that cannot be packed, or words that are not a packing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PackError {
    /// An element of more than 17 bits.
    #[error("element {index} is {value}: packed elements are below 2^{ELEMENT_BITS}")]
    TooLarge {
        /// Position of the element.
        index: usize,
        /// Its value.
        value: u32,
    },
    /// The number of words does not match the number of elements.
    #[error("{found} packed words for {count} elements: expected {expected}")]
    WordCount {
        /// Number of elements.
        count: usize,
        /// Words that so many elements need.
        expected: usize,
        /// Words given.
        found: usize,
    },
    /// A bit outside the elements is set.
    #[error("packed word {word} has bits outside its elements: it is not a packing of {count} elements")]
    StrayBits {
        /// Position of the word.
        word: usize,
        /// Number of elements.
        count: usize,
    },
}

/// Number of words for `count` elements.
pub fn packed_words(count: usize) -> usize {
    count.div_ceil(ELEMENTS_PER_WORD)
}

/// Packs elements below `2^17`, 14 to a big-endian word.
///
/// # Errors
/// An element of `2^17` or more.
pub fn pack17(elements: &[u32]) -> Result<Vec<Word>, PackError> {
    if let Some((index, value)) = elements.iter().enumerate().find(|(_, v)| **v >> ELEMENT_BITS != 0) {
        return Err(PackError::TooLarge { index, value: *value });
    }
    Ok(elements.chunks(ELEMENTS_PER_WORD).map(pack_word).collect())
}

fn pack_word(elements: &[u32]) -> Word {
    let mut word = [0u8; 32];
    for (k, element) in elements.iter().enumerate() {
        for bit in (0..ELEMENT_BITS).filter(|bit| element >> bit & 1 == 1) {
            let position = k * ELEMENT_BITS + bit;
            word[31 - position / 8] |= 1 << (position % 8);
        }
    }
    word
}

/// Unpacks `count` elements.
///
/// # Errors
/// A wrong number of words for `count` elements, or a bit set outside the elements.
pub fn unpack17(words: &[Word], count: usize) -> Result<Vec<u32>, PackError> {
    let expected = packed_words(count);
    if words.len() != expected {
        return Err(PackError::WordCount { count, expected, found: words.len() });
    }
    let mut elements = Vec::with_capacity(count);
    for (index, word) in words.iter().enumerate() {
        let here = (count - elements.len()).min(ELEMENTS_PER_WORD);
        let unpacked: Vec<u32> = (0..here).map(|k| element_at(word, k)).collect();
        if pack_word(&unpacked) != *word {
            return Err(PackError::StrayBits { word: index, count });
        }
        elements.extend(unpacked);
    }
    Ok(elements)
}

/// The element at `index` as the contract reads it: ignores all other bits, and yields 0 beyond the words.
pub fn element17(words: &[Word], index: usize) -> u32 {
    words.get(index / ELEMENTS_PER_WORD).map_or(0, |word| element_at(word, index % ELEMENTS_PER_WORD))
}

fn element_at(word: &Word, k: usize) -> u32 {
    (0..ELEMENT_BITS).fold(0, |element, bit| {
        let position = k * ELEMENT_BITS + bit;
        element | u32::from(word[31 - position / 8] >> (position % 8) & 1) << bit
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn there_and_back(elements in prop::collection::vec(0u32..1 << 17, 0..130)) {
            let words = pack17(&elements).unwrap();
            prop_assert_eq!(words.len(), packed_words(elements.len()));
            prop_assert_eq!(unpack17(&words, elements.len()).unwrap(), elements);
        }

        #[test]
        fn one_bit_outside_is_refused(count in 1usize..14, bit in 0usize..256) {
            let mut word = [0u8; 32];
            word[31 - bit / 8] = 1 << (bit % 8);
            prop_assert_eq!(unpack17(&[word], count).is_ok(), bit < count * ELEMENT_BITS);
        }
    }

    #[test]
    fn element_zero_is_in_the_low_bits() {
        let words = pack17(&[1, 2, 0x1ffff]).unwrap();
        let mut expected = [0u8; 32];
        // 1 + 2 * 2^17 + (2^17 - 1) * 2^34
        expected[24..].copy_from_slice(&(1u64 + (2 << 17) + (0x1ffff << 34)).to_be_bytes());
        assert_eq!(words, [expected]);
    }

    #[test]
    fn wrong_sizes_are_refused() {
        assert_eq!(pack17(&[0, 1 << 17]), Err(PackError::TooLarge { index: 1, value: 1 << 17 }));
        let words = pack17(&[7; 15]).unwrap();
        assert_eq!(words.len(), 2);
        assert_eq!(unpack17(&words, 14), Err(PackError::WordCount { count: 14, expected: 1, found: 2 }));
        assert_eq!(unpack17(&[[0xff; 32]], 14), Err(PackError::StrayBits { word: 0, count: 14 }));
    }
}
