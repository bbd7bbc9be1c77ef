//! Numbers of fixed width side by side in one field element, the first in the low bits.

use crate::r1cs::linear_combination::power_of_two;
use crate::r1cs::LinearCombination;
use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use fairshare_protocol::{SlotMask, ELEMENTS_PER_WORD, ELEMENT_BITS};

/// `sum_k values_k 2^(bits k)`. Injective where every value is below `2^bits` and all of them together below `r`.
pub(crate) fn pack(values: &[Fr], bits: usize) -> Fr {
    let step = power_of_two(bits);
    values.iter().rev().fold(Fr::ZERO, |word, value| word * step + value)
}

/// [`pack`] for combinations. No constraint; the caller has checked the ranges.
pub(crate) fn pack_combinations(combinations: &[LinearCombination], bits: usize) -> LinearCombination {
    let step = power_of_two(bits);
    let mut word = LinearCombination::zero();
    let mut weight = Fr::ONE;
    for combination in combinations {
        word.add_scaled(combination, weight);
        weight *= step;
    }
    word
}

/// Shares or weights, 17 bits each, 14 to a field element (docs/protocol.md 6.1).
pub(crate) fn pack_elements(elements: &[u32]) -> Vec<Fr> {
    let values: Vec<Fr> = elements.iter().map(|element| Fr::from(*element)).collect();
    values.chunks(ELEMENTS_PER_WORD).map(|chunk| pack(chunk, ELEMENT_BITS)).collect()
}

/// [`pack_elements`] for combinations.
pub(crate) fn pack_element_combinations(elements: &[LinearCombination]) -> Vec<LinearCombination> {
    elements.chunks(ELEMENTS_PER_WORD).map(|chunk| pack_combinations(chunk, ELEMENT_BITS)).collect()
}

/// A mask in the field, slot `i` as bit `i`.
pub(crate) fn mask(mask: SlotMask) -> Fr {
    Fr::from(mask.bits())
}

/// Bits as a mask, the first one lowest.
#[cfg(test)]
pub(crate) fn bits_mask(bits: &[bool]) -> SlotMask {
    (0..bits.len()).filter(|slot| bits[*slot]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::r1cs::Builder;
    use ark_ff::PrimeField;
    use fairshare_protocol::pack17;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn elements_pack_as_on_chain(elements in prop::collection::vec(0u32..1 << 17, 1..65)) {
            let fields = pack_elements(&elements);
            let words = pack17(&elements).unwrap();
            let from_words: Vec<Fr> = words.iter().map(|w| Fr::from_be_bytes_mod_order(w)).collect();
            prop_assert_eq!(&fields, &from_words);
            let mut builder = Builder::assigning(4);
            let combinations: Vec<LinearCombination> = elements.iter().map(|e| builder.witness((*e).into())).collect();
            let packed: Vec<Fr> = pack_element_combinations(&combinations).iter().map(LinearCombination::value).collect();
            prop_assert_eq!(packed, fields);
        }
    }

    #[test]
    fn the_first_value_is_in_the_low_bits() {
        assert_eq!(pack(&[3u64, 5].map(Fr::from), 54), Fr::from(3u128 + (5 << 54)));
        assert_eq!(mask(SlotMask::single(63u8)), power_of_two(63));
    }
}
