//! Range checks: by bits, or by lookups of limbs where the builder has them.

use super::builder::{power_of_two, Builder, Wire};
use super::lookup;
use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};

/// Whether `value` is in `[0, 2^bits)`: the native form of [`range`].
#[cfg(test)]
fn in_range(value: Fr, bits: usize) -> bool {
    value.into_bigint().num_bits() as usize <= bits
}

/// `x` is in `[0, 2^bits)`. By bits `bits` constraints; by lookups one equality and the limbs'.
pub(crate) fn range(builder: &mut Builder, x: &Wire, bits: usize) {
    match lookup::limbs(builder, x.value(), bits) {
        Some(limbs) => builder.equal(x, &limbs),
        None => {
            upper_bits(builder, x, bits);
        }
    }
}

/// `x` is in `[0, 2^bits)`; gives its highest bit. `bits >= 2`.
pub(crate) fn range_with_top(builder: &mut Builder, x: &Wire, bits: usize) -> Wire {
    let value = x.value().into_bigint();
    let top_value = value.get_bit(bits - 1);
    let below = x.value() - if top_value { power_of_two(bits - 1) } else { Fr::ZERO };
    let Some(mut limbs) = lookup::limbs(builder, below, bits - 1) else {
        return upper_bits(builder, x, bits).swap_remove(bits - 2);
    };
    let top = builder.bit(top_value);
    limbs.add_scaled(&top, power_of_two(bits - 1));
    builder.equal(x, &limbs);
    top
}

/// `x` is in `[0, 2^bits)`, by bits. Returns all of them but the lowest, from bit 1 on.
///
/// Bit 0 is no variable of its own: it is what the others leave of `x`, and must be 0 or 1. So `bits` constraints and
/// `bits - 1` variables, with no equality beside them. `2^bits < r` makes the representation unique.
fn upper_bits(builder: &mut Builder, x: &Wire, bits: usize) -> Vec<Wire> {
    debug_assert!((1..=250).contains(&bits));
    let value = x.value().into_bigint();
    let mut lowest = x.clone();
    let mut weight = Fr::ONE;
    let mut upper = Vec::with_capacity(bits - 1);
    for k in 1..bits {
        weight.double_in_place();
        let bit = builder.bit(value.get_bit(k));
        lowest.add_scaled(&bit, -weight);
        upper.push(bit);
    }
    let below = lowest.minus(&Wire::one());
    builder.enforce(&lowest, &below, &Wire::zero());
    upper
}

/// A number in `[0, 2^bits)`, `value` when that is there. By bits a new variable and `bits` constraints; by lookups the
/// combination of its limbs.
pub(crate) fn natural(builder: &mut Builder, value: Fr, bits: usize) -> Wire {
    lookup::limbs(builder, value, bits).unwrap_or_else(|| {
        let wire = builder.witness(value);
        upper_bits(builder, &wire, bits);
        wire
    })
}

/// A linear combination of new bits or limbs, certainly in `[0, 2^bits)`, that holds `value` when `value` is there.
/// By bits `bits` constraints.
pub(crate) fn bits_of(builder: &mut Builder, value: Fr, bits: usize) -> Wire {
    if let Some(limbs) = lookup::limbs(builder, value, bits) {
        return limbs;
    }
    let value = value.into_bigint();
    let mut sum = Wire::zero();
    let mut weight = Fr::ONE;
    for k in 0..bits {
        sum.add_scaled(&builder.bit(value.get_bit(k)), weight);
        weight.double_in_place();
    }
    sum
}

/// `x` is in `[0, 2^bits]`, the bound itself included. By bits `bits + 2` constraints.
///
/// One bit more than the range, and where that top bit is set nothing else is.
pub(crate) fn range_inclusive(builder: &mut Builder, x: &Wire, bits: usize) {
    let top = range_with_top(builder, x, bits + 1);
    let mut rest = x.clone();
    rest.add_scaled(&top, -power_of_two(bits));
    builder.enforce(&top, &rest, &Wire::zero());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gadgets::builder::signed;
    use crate::gadgets::system::check;

    fn ranged(value: Fr, bits: usize) -> (bool, usize) {
        check(|builder| {
            natural(builder, value, bits);
        })
    }

    #[test]
    fn range_accepts_its_ends_and_nothing_beyond() {
        for bits in [1, 2, 17, 70, 250] {
            let top = power_of_two(bits) - Fr::ONE;
            for (value, inside) in [
                (Fr::ZERO, true),
                (Fr::ONE, true),
                (top, true),
                (top + Fr::ONE, false),
                (signed(-1), false),
                (power_of_two(1).inverse().unwrap(), false),
            ] {
                assert_eq!(ranged(value, bits), (inside, bits), "{value} in {bits} bits");
                assert_eq!(in_range(value, bits), inside);
            }
        }
    }

    #[test]
    fn inclusive_range_ends_at_the_power() {
        for (value, inside) in [(0, true), (255, true), (256, true), (257, false), (511, false), (-1, false)]
        {
            let run = check(|builder| {
                let x = builder.witness(signed(value));
                range_inclusive(builder, &x, 8);
            });
            assert_eq!(run, (inside, 10), "{value}");
        }
    }

    #[test]
    fn bits_of_hold_what_fits() {
        for (value, holds) in [(0u64, true), (1023, true), (1024, false)] {
            let run = check(|builder| {
                let sum = bits_of(builder, value.into(), 10);
                builder.equal(&sum, &Wire::constant(value.into()));
            });
            assert_eq!(run, (holds, 11));
        }
    }
}
