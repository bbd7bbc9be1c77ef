//! Exact comparisons: a bit that says whether a small number is negative, and one that says whether it is zero.

use super::range::natural;
use crate::r1cs::{Builder, LinearCombination};
use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field, Zero};

/// A bit that is 1 exactly when `x >= 0`, for `-2^bits <= x < 2^bits`; no other `x` is accepted. Two
/// constraints, beside the lookups of `bits` bits.
///
/// With `b` the bit, `(2 b - 1) x = e + (1 - b)` for an `e` in `[0, 2^bits)`: `b = 1` says `x = e >= 0`, `b = 0` says
/// `x = -e - 1 < 0`. Both at once would need `2^(bits + 1) >= r`.
pub(crate) fn not_negative_bit(
    builder: &mut Builder,
    x: &LinearCombination,
    bits: usize,
    claim: bool,
) -> LinearCombination {
    let bit = builder.bit(claim);
    let magnitude = if claim { x.value() } else { -x.value() - Fr::ONE };
    let mut e = natural(builder, magnitude, bits);
    e.add(&LinearCombination::one());
    e.add_scaled(&bit, -Fr::ONE);
    let sign = bit.times(Fr::from(2u64)).minus(&LinearCombination::one());
    builder.enforce(&sign, x, &e);
    bit
}

/// A bit that is 1 exactly when `x = 0`. Two constraints.
///
/// `x z = 0` and `x y = 1 - z`: `x = 0` leaves `z = 1`, another `x` forces `z = 0`, so `z` needs no check of its own.
pub(crate) fn zero_bit(builder: &mut Builder, x: &LinearCombination) -> LinearCombination {
    let value = x.value();
    let zero = builder.witness(Fr::from(u64::from(value.is_zero())));
    let inverse = builder.witness(value.inverse().unwrap_or(Fr::ZERO));
    builder.enforce(x, &zero, &LinearCombination::zero());
    builder.enforce(x, &inverse, &LinearCombination::one().minus(&zero));
    zero
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::r1cs::linear_combination::signed;
    use crate::r1cs::system::{check, lookups};

    #[test]
    fn the_sign_bit_has_one_value() {
        for x in [0i128, 1, 255, -1, -256] {
            for claim in [false, true] {
                let run = check(|builder| {
                    let x = builder.witness(signed(x));
                    not_negative_bit(builder, &x, 8, claim);
                });
                assert_eq!(run, (claim == (x >= 0), 2 + lookups(8)), "{x} claimed {claim}");
            }
        }
    }

    #[test]
    fn numbers_beyond_the_width_have_no_sign() {
        for x in [256, -257, 1 << 100] {
            for claim in [false, true] {
                let run = check(|builder| {
                    let x = builder.witness(signed(x));
                    not_negative_bit(builder, &x, 8, claim);
                });
                assert!(!run.0);
            }
        }
    }

    #[test]
    fn zero_differs_from_everything_else() {
        for x in [0i128, 1, -1, 1 << 90] {
            for claim in [0u64, 1] {
                let run = check(|builder| {
                    let x = builder.witness(signed(x));
                    let zero = zero_bit(builder, &x);
                    builder.equal(&zero, &LinearCombination::constant(claim.into()));
                });
                assert_eq!(run, ((x == 0) == (claim == 1), 3));
            }
        }
    }

    /// A cheat that sets the zero bit by hand fails with every inverse.
    #[test]
    fn a_bent_zero_bit_is_refused() {
        for (x, zero, inverse) in [(0u64, 0u64, 0u64), (0, 0, 7), (5, 1, 0), (5, 1, 1)] {
            let run = check(|builder| {
                let [x, zero, inverse] = [x, zero, inverse].map(|v| builder.witness(v.into()));
                builder.enforce(&x, &zero, &LinearCombination::zero());
                builder.enforce(&x, &inverse, &LinearCombination::one().minus(&zero));
            });
            assert!(!run.0);
        }
    }
}
