//! The lower median of the active values, by counting.

use super::comparison::{not_negative_bit, zero_bit};
use super::range::range;
use crate::r1cs::{Builder, LinearCombination};
use ark_bn254::Fr;
use ark_ff::Field;

/// The slots over which a statistic is taken.
pub(crate) struct Active<'a> {
    /// One bit a slot.
    pub(crate) bits: &'a [LinearCombination],
    /// Their sum, at least 1.
    pub(crate) count: &'a LinearCombination,
    /// `count <= 2^count_log`.
    pub(crate) count_log: usize,
}

/// Constrains `median` to be the lower median of the active `values`, and returns for every slot the bit
/// `values_i <= median`. `claims` are these bits as the prover says.
/// Six constraints a slot and two, beside the lookups.
///
/// With `L` active values below `median` and `E` not above it, `count - 1 - 2 L >= 0` and `2 E - count >= 0`. So
/// `L <= (count - 1) / 2 < count / 2 <= E`: some active value equals `median`, and it stands at rank `ceil(count / 2)`.
/// The comparisons force `median` within `2^value_bits` of every value, so it is a small integer without a range check.
///
/// `values` are in `[0, 2^value_bits)`.
pub(crate) fn lower_median(
    builder: &mut Builder,
    values: &[LinearCombination],
    median: &LinearCombination,
    active: &Active<'_>,
    value_bits: usize,
    claims: &[bool],
) -> Vec<LinearCombination> {
    let mut below = LinearCombination::zero();
    let mut at_most = LinearCombination::zero();
    let mut bits = Vec::with_capacity(values.len());
    for ((value, active), claim) in values.iter().zip(active.bits).zip(claims) {
        let distance = median.minus(value);
        let bit = not_negative_bit(builder, &distance, value_bits, *claim);
        let equal = zero_bit(builder, &distance);
        let counted = builder.product(active, &bit);
        let counted_equal = builder.product(active, &equal);
        at_most.add(&counted);
        below.add(&counted);
        below.add_scaled(&counted_equal, -Fr::ONE);
        bits.push(bit);
    }
    let two = Fr::from(2u64);
    let room_below = active.count.minus(&LinearCombination::one()).minus(&below.times(two));
    range(builder, &room_below, active.count_log);
    let room_above = at_most.times(two).minus(active.count);
    range(builder, &room_above, active.count_log + 1);
    bits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::r1cs::system::{check, lookups};
    use fairshare_protocol as native;
    use proptest::prelude::*;

    /// Runs the gadget with a claimed median and honest comparisons against it.
    fn run(values: &[u64], active: &[bool], median: i64) -> (bool, usize) {
        check(|builder| {
            let combinations: Vec<LinearCombination> =
                values.iter().map(|v| builder.witness((*v).into())).collect();
            let bits: Vec<LinearCombination> = active.iter().map(|a| builder.bit(*a)).collect();
            let count = LinearCombination::sum(&bits);
            let claims: Vec<bool> = values.iter().map(|v| *v as i64 <= median).collect();
            let median = builder.witness(crate::r1cs::linear_combination::signed(median.into()));
            let active = Active { bits: &bits, count: &count, count_log: 3 };
            lower_median(builder, &combinations, &median, &active, 10, &claims);
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn only_the_lower_median_is_accepted(
            values in prop::collection::vec(0u64..12, 8), mask in 1u8.., wrong in 0i64..14
        ) {
            let active: Vec<bool> = (0..8).map(|i| mask >> i & 1 == 1).collect();
            let chosen: Vec<u64> = (0..8).filter(|i| active[*i]).map(|i| values[i]).collect();
            let median = native::lower_median(&chosen).unwrap() as i64;
            let constraints = 8 + 8 * (6 + lookups(10)) + 2 + lookups(3) + lookups(4);
            prop_assert_eq!(run(&values, &active, median), (true, constraints));
            prop_assert_eq!(run(&values, &active, wrong - 1).0, wrong - 1 == median);
        }
    }

    #[test]
    fn one_rank_off_is_refused() {
        let values = [5, 1, 7, 3, 0, 0, 9, 1023];
        let active = [true, true, true, true, false, false, false, true];
        for (median, holds) in [(5, true), (3, false), (7, false), (4, false)] {
            assert_eq!(run(&values, &active, median).0, holds, "{median}");
        }
    }

    #[test]
    fn no_active_slot_has_no_median() {
        assert!(!run(&[0; 8], &[false; 8], 0).0);
    }
}
