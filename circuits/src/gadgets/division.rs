//! Floor division with exact remainders.

use super::range::{natural, range};
use crate::r1cs::linear_combination::power_of_two;
use crate::r1cs::{Builder, LinearCombination};
use ark_bn254::Fr;

/// Widths of a division's parts.
#[derive(Clone, Copy)]
pub(crate) struct DivisionBits {
    /// Of the quotient.
    pub(crate) quotient: usize,
    /// Of the remainder and of `denominator - 1`.
    pub(crate) remainder: usize,
}

/// The quotient `floor(numerator / denominator)` for `denominator + slack >= 1`; `claim` is what the prover says it is.
/// Two constraints, beside the lookups of one quotient and two remainders.
///
/// `claim * denominator + remainder = numerator` with `0 <= remainder < denominator + slack`. `slack` is 0, or a bit
/// that is 1 where the denominator may be 0 and the caller fixes the quotient itself. The caller's widths keep
/// `2^(quotient + remainder)` far below `r`, so the equation holds over the integers and has one solution.
pub(crate) fn floor_division(
    builder: &mut Builder,
    numerator: &LinearCombination,
    denominator: &LinearCombination,
    slack: &LinearCombination,
    claim: Fr,
    bits: DivisionBits,
) -> LinearCombination {
    let quotient = natural(builder, claim, bits.quotient);
    let remainder = natural(builder, numerator.value() - claim * denominator.value(), bits.remainder);
    builder.enforce(&quotient, denominator, &numerator.minus(&remainder));
    let gap = denominator.plus(slack).minus(&LinearCombination::one()).minus(&remainder);
    range(builder, &gap, bits.remainder);
    quotient
}

/// The quotient `floor(a b / 2^shift)`; `claim` is what the prover says it is. One constraint, beside the
/// lookups of quotient and remainder.
pub(crate) fn shifted_product(
    builder: &mut Builder,
    a: &LinearCombination,
    b: &LinearCombination,
    shift: usize,
    claim: Fr,
    quotient_bits: usize,
) -> LinearCombination {
    let quotient = natural(builder, claim, quotient_bits);
    let scaled = quotient.times(power_of_two(shift));
    let remainder = natural(builder, a.value() * b.value() - scaled.value(), shift);
    builder.enforce(a, b, &scaled.plus(&remainder));
    quotient
}

/// Native floor division of small field elements' integers: what an honest prover claims.
#[cfg(test)]
fn quotient_of(numerator: u64, denominator: u64) -> Fr {
    Fr::from(numerator / denominator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::r1cs::system::{check, lookups};
    use ark_ff::{AdditiveGroup, Field, Zero};

    const BITS: DivisionBits = DivisionBits { quotient: 10, remainder: 8 };

    /// Whether the quotient may be `claim`. A claim out of range is not written as it is, but by its lowest bits.
    fn divide(numerator: u64, denominator: u64, claim: Fr) -> (bool, usize) {
        check(|builder| {
            let [n, d] = [numerator, denominator].map(|v| builder.witness(v.into()));
            let quotient = floor_division(builder, &n, &d, &LinearCombination::zero(), claim, BITS);
            builder.equal(&quotient, &LinearCombination::constant(claim));
        })
    }

    #[test]
    fn only_the_floor_is_accepted() {
        for (n, d) in [(0u64, 1u64), (1, 1), (1023, 1), (255, 256), (1000, 7), (256 * 1023 + 255, 256)] {
            let q = quotient_of(n, d);
            assert_eq!(divide(n, d, q), (true, 3 + lookups(10) + 2 * lookups(8)), "{n} / {d}");
            assert!(!divide(n, d, q + Fr::ONE).0 && !divide(n, d, q - Fr::ONE).0, "{n} / {d}");
        }
    }

    #[test]
    fn a_field_quotient_is_refused() {
        let third = Fr::from(1000u64) / Fr::from(7u64);
        assert!(!divide(1000, 7, third).0);
        assert!(!divide(5, 0, Fr::zero()).0, "nothing divides by zero");
    }

    #[test]
    fn slack_admits_a_zero_denominator_with_no_remainder() {
        let run = |numerator: u64| {
            check(|builder| {
                let [n, d] = [numerator, 0].map(|v| builder.witness(v.into()));
                floor_division(builder, &n, &d, &LinearCombination::one(), Fr::ZERO, BITS);
            })
        };
        assert!(run(0).0 && !run(1).0);
    }

    #[test]
    fn shifts_are_floors() {
        for (a, b) in [(0u64, 0u64), (16, 16), (300, 213), (1023, 1000)] {
            let q = Fr::from(a * b >> 10);
            for (claim, holds) in [(q, true), (q + Fr::ONE, false), (q - Fr::ONE, false)] {
                let run = check(|builder| {
                    let [a, b] = [a, b].map(|v| builder.witness(v.into()));
                    let quotient = shifted_product(builder, &a, &b, 10, claim, 11);
                    builder.equal(&quotient, &LinearCombination::constant(claim));
                });
                assert_eq!(run, (holds, 2 + lookups(10) + lookups(11)));
            }
        }
    }
}
