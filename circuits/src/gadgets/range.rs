//! Range checks: a number is a sum of committed limbs, each of which is looked up in a table.

use crate::r1cs::linear_combination::power_of_two;
use crate::r1cs::{Builder, LinearCombination};
use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField};

/// A combination of committed limbs in `[0, 2^bits)`, which equals `value` if `value` is in that range.
///
/// The width is exact: a top limb of `p` bits, fewer than a limb has, is looked up twice, as itself and times
/// `2^(limb_bits - p)`. Both are small integers, so neither wraps round, and the second says that the first is below
/// `2^p`.
pub(crate) fn natural(builder: &mut Builder, value: Fr, bits: usize) -> LinearCombination {
    debug_assert!((1..=250).contains(&bits));
    let width = builder.limb_bits();
    let value = value.into_bigint();
    let mut sum = LinearCombination::zero();
    for from in (0..bits).step_by(width) {
        let length = width.min(bits - from);
        let digits = (0..length).fold(0u64, |digits, k| digits | u64::from(value.get_bit(from + k)) << k);
        let limb = builder.committed(Fr::from(digits));
        sum.add_scaled(&limb, power_of_two(from));
        if length < width {
            builder.look_up(limb.times(power_of_two(width - length)));
        }
        builder.look_up(limb);
    }
    sum
}

/// `x` is in `[0, 2^bits)`. One equality, beside the lookups.
pub(crate) fn range(builder: &mut Builder, x: &LinearCombination, bits: usize) {
    let limbs = natural(builder, x.value(), bits);
    builder.equal(x, &limbs);
}

/// `x` is in `[0, 2^bits)`; returns its highest bit. `bits >= 2`. Two constraints, beside the lookups.
pub(crate) fn range_with_top(builder: &mut Builder, x: &LinearCombination, bits: usize) -> LinearCombination {
    let top_value = x.value().into_bigint().get_bit(bits - 1);
    let below = x.value() - if top_value { power_of_two(bits - 1) } else { Fr::from(0u64) };
    let mut sum = natural(builder, below, bits - 1);
    let top = builder.bit(top_value);
    sum.add_scaled(&top, power_of_two(bits - 1));
    builder.equal(x, &sum);
    top
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::r1cs::linear_combination::signed;
    use crate::r1cs::system::{check, lookups};
    use ark_ff::{AdditiveGroup, Field};

    /// Widths below, at and above one limb, whole limbs and not: each end, and what lies beyond it.
    #[test]
    fn ranges_are_exact_in_width() {
        for bits in [1, 2, 5, 6, 7, 11, 12, 13, 17, 70, 250] {
            let top = power_of_two(bits) - Fr::ONE;
            for (value, inside) in [
                (Fr::ZERO, true),
                (Fr::ONE, true),
                (top, true),
                (top + Fr::ONE, false),
                (top + top, false),
                (signed(-1), false),
                (power_of_two(1).inverse().unwrap(), false),
            ] {
                let held = check(|builder| {
                    let x = builder.witness(value);
                    range(builder, &x, bits);
                })
                .0;
                assert_eq!(held, inside, "{value} in {bits} bits");
                let held = check(|builder| {
                    let number = natural(builder, value, bits);
                    builder.equal(&number, &LinearCombination::constant(value));
                })
                .0;
                assert_eq!(held, inside, "{value} as a number of {bits} bits");
            }
        }
    }

    #[test]
    fn the_top_bit_is_the_top_bit() {
        for value in [0u64, 1, 127, 128, 255] {
            for claim in [0u64, 1] {
                let held = check(|builder| {
                    let x = builder.witness(value.into());
                    let top = range_with_top(builder, &x, 8);
                    builder.equal(&top, &LinearCombination::constant(claim.into()));
                })
                .0;
                assert_eq!(held, claim == value >> 7, "{value}");
            }
        }
    }

    #[test]
    fn constraints_are_counted() {
        for (bits, looked_up) in [(1, 2), (6, 1), (12, 2), (13, 4), (70, 13)] {
            assert_eq!(lookups(bits), looked_up, "a partial limb is looked up twice");
            assert_eq!(check(|b| drop(natural(b, Fr::ONE, bits))), (true, looked_up));
            assert_eq!(check(|b| range(b, &LinearCombination::one(), bits)), (true, looked_up + 1));
        }
    }
}
