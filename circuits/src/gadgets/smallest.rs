//! The smallest of some values, by a threshold: one bit a value, and an exact count.

use super::builder::{Builder, Wire};
use super::range::natural;
use ark_bn254::Fr;
use ark_ff::Field;

/// The `count` smallest values as bits, of equal ones the first: what an honest prover claims. And the largest of them,
/// its threshold; `None` for a count of 0 or more than there are.
pub(crate) fn smallest(values: &[i128], count: usize) -> Option<(Vec<bool>, i128)> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by_key(|k| (values[*k], *k));
    let last = *order.get(count.checked_sub(1)?)?;
    let mut chosen = vec![false; values.len()];
    order[..count].iter().for_each(|k| chosen[*k] = true);
    Some((chosen, values[last]))
}

/// Whether `chosen` and `threshold` are what [`choose_smallest`] accepts: the native form of it.
pub(crate) fn is_smallest(values: &[i128], chosen: &[bool], threshold: i128, count: usize) -> bool {
    let sides = values.iter().zip(chosen).all(|(v, b)| if *b { *v <= threshold } else { *v >= threshold });
    chosen.len() == values.len() && sides && chosen.iter().filter(|b| **b).count() == count
}

/// Values chosen by a threshold.
pub(crate) struct Chosen {
    /// One bit a value.
    pub(crate) bits: Vec<Wire>,
    /// How far each value lies from the threshold.
    distances: Vec<Wire>,
}

/// Constrains `count` of the values to be chosen, none of them above `threshold` and no other value below it. `claims`
/// are the chosen ones as the prover says. `(bits + 2)` constraints a value, and one.
///
/// With `b` the bit of a value `v`, `(2 b - 1) (threshold - v) = e` for an `e` in `[0, 2^bits)`: a chosen value is
/// `threshold - e`, another one `threshold + e`. So every chosen value is at most every other one, and the chosen ones are
/// `count` smallest: which of equal values is left to the prover, their sum is not. The caller's values are integers far
/// below `r / 2^bits`, and so is the threshold then, whatever the prover says. The honest threshold is a value, so
/// `2^bits` must be above the difference of any two.
pub(crate) fn choose_smallest(
    builder: &mut Builder,
    values: &[Wire],
    count: &Wire,
    threshold: &Wire,
    claims: &[bool],
    bits: usize,
) -> Chosen {
    let mut chosen = Chosen { bits: Vec::new(), distances: Vec::new() };
    for (value, claim) in values.iter().zip(claims) {
        let bit = builder.bit(*claim);
        let sign = bit.times(Fr::from(2u64)).minus(&Wire::one());
        let below = threshold.minus(value);
        let distance = natural(builder, sign.value() * below.value(), bits);
        builder.enforce(&sign, &below, &distance);
        chosen.bits.push(bit);
        chosen.distances.push(distance);
    }
    builder.equal(&Wire::sum(&chosen.bits), count);
    chosen
}

/// The sum of the `count` smallest values; `claim` is what the prover says it is. `len (bits + 2) + 3` constraints.
///
/// No product a value: `n` distances sum to `E = count t - S + (V - S) - (n - count) t` for the threshold `t`, the sum `V`
/// of all values and `S` of the chosen ones, so `2 S = V + (2 count - n) t - E`.
pub(crate) fn smallest_sum(
    builder: &mut Builder,
    values: &[Wire],
    count: &Wire,
    threshold: &Wire,
    claims: &[bool],
    claim: Fr,
    bits: usize,
) -> Wire {
    let chosen = choose_smallest(builder, values, count, threshold, claims, bits);
    let mut factor = count.times(Fr::from(2u64));
    factor.add_scaled(&Wire::one(), -Fr::from(values.len() as u64));
    let mut twice = builder.product(&factor, threshold);
    values.iter().for_each(|value| twice.add(value));
    chosen.distances.iter().for_each(|distance| twice.add_scaled(distance, -Fr::ONE));
    let sum = builder.witness(claim);
    builder.equal(&sum.times(Fr::from(2u64)), &twice);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gadgets::builder::signed;
    use crate::gadgets::system::check;
    use proptest::prelude::*;

    const BITS: usize = 12;

    struct Case {
        values: Vec<i128>,
        count: usize,
        threshold: i128,
        chosen: Vec<bool>,
        sum: i128,
    }

    impl Case {
        fn honest(values: Vec<i128>, count: usize) -> Self {
            let (chosen, threshold) = smallest(&values, count).unwrap();
            let mut sorted = values.clone();
            sorted.sort_unstable();
            Self { sum: sorted[..count].iter().sum(), values, count, threshold, chosen }
        }

        fn run(&self) -> (bool, usize) {
            check(|builder| {
                let values: Vec<Wire> = self.values.iter().map(|v| builder.witness(signed(*v))).collect();
                let count = builder.witness(Fr::from(self.count as u64));
                let threshold = builder.witness(signed(self.threshold));
                smallest_sum(builder, &values, &count, &threshold, &self.chosen, signed(self.sum), BITS);
            })
        }

        /// Chooses these, and sums them up.
        fn choose(&mut self, chosen: [bool; 5]) {
            self.chosen = chosen.to_vec();
            self.sum = self.values.iter().zip(chosen).filter(|(_, b)| *b).map(|(v, _)| v).sum();
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn equals_the_sum_of_the_smallest(
            values in prop::collection::vec(prop_oneof![-3i128..3, -2048i128..2048], 7), count in 1usize..8
        ) {
            prop_assert_eq!(Case::honest(values, count).run(), (true, 7 * (BITS + 2) + 3));
        }

        /// Whatever the threshold and the choice, no other sum is accepted; and the native form agrees.
        #[test]
        fn no_choice_gives_another_sum(
            values in prop::collection::vec(-3i128..3, 5), count in 1usize..6, mask in 0u8..32, threshold in -4i128..4,
        ) {
            let mut case = Case::honest(values, count);
            let sum = case.sum;
            case.threshold = threshold;
            case.choose(std::array::from_fn(|k| mask >> k & 1 == 1));
            prop_assert_eq!(case.run().0, is_smallest(&case.values, &case.chosen, threshold, count));
            prop_assert!(!case.run().0 || case.sum == sum);
        }
    }

    fn example() -> Case {
        Case::honest(vec![5, 9, -2, 9, 40], 3)
    }

    #[test]
    fn a_sum_off_by_one_is_refused() {
        assert_eq!((example().sum, example().run().0), (12, true));
        for off in [1, -1] {
            let mut case = example();
            case.sum += off;
            assert!(!case.run().0);
        }
    }

    #[test]
    fn one_too_few_or_too_many_is_refused() {
        for chosen in [[true, false, true, false, false], [true, true, true, true, false]] {
            let mut case = example();
            case.choose(chosen);
            assert!(!case.run().0);
        }
    }

    #[test]
    fn a_larger_value_in_the_place_of_a_smaller_one_is_refused() {
        for threshold in [5, 9, 40] {
            let mut case = example();
            case.threshold = threshold;
            case.choose([true, false, true, false, true]);
            assert!(!case.run().0, "{threshold}");
        }
    }

    #[test]
    fn of_equal_values_either_may_be_chosen() {
        let mut case = example();
        case.choose([true, false, true, true, false]);
        assert_eq!((case.sum, case.run().0), (12, true));
    }

    #[test]
    fn a_threshold_beyond_the_field_of_small_numbers_is_refused() {
        for threshold in [1 << 13, -(1 << 13), 1 << 100] {
            let mut case = example();
            case.threshold = threshold;
            assert!(!case.run().0);
        }
    }

    #[test]
    fn nothing_and_too_many_have_no_threshold() {
        assert_eq!(smallest(&[1, 2], 0), None);
        assert_eq!(smallest(&[1, 2], 3), None);
        assert_eq!(smallest(&[2, 1, 1], 2), Some((vec![false, true, true], 1)));
    }
}
