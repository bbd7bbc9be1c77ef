//! The last part of every rule's circuit: active slots, pay shares, and the coherence of the weighted updates.

use super::gram_binding::position;
use crate::gadgets::comparison::zero_bit;
use crate::gadgets::division::{floor_division, DivisionBits};
use crate::gadgets::packing::{pack_combinations, pack_element_combinations};
use crate::r1cs::linear_combination::power_of_two;
use crate::r1cs::{Builder, LinearCombination};
use ark_bn254::Fr;

/// Clip factors, shares, weights and coherence: `0 ..= 2^16`.
pub(super) const FRACTION: usize = 17;

/// Coherence: `w'Gw 2^16` divided by `sum w * sum_i w_i G_ii <= 2^16 * 2^68`, whose remainder is below `2^84`.
const COHERENCE: DivisionBits = DivisionBits { quotient: FRACTION, remainder: 84 };

/// Active mask: one bit per slot; together they are what the policy words leave of `packed_inputs`. Returns the bits
/// and their sum.
pub(super) fn active_slots(
    builder: &mut Builder,
    claims: &[bool],
    mask: &LinearCombination,
) -> (Vec<LinearCombination>, LinearCombination) {
    let active: Vec<LinearCombination> = claims.iter().map(|bit| builder.bit(*bit)).collect();
    builder.equal(&pack_combinations(&active, 1), mask);
    let count = LinearCombination::sum(&active);
    (active, count)
}

/// Pay shares: `p_i = floor(2^16 c_i / sum c)` of contributions that are 0 for slots not kept; divided by 1 when all
/// are
/// 0. `claims` are the shares as the prover says, `packed` the public words of them; the sum is below `2^bits`.
pub(super) fn shares(
    builder: &mut Builder,
    counted: &[LinearCombination],
    claims: &[u32],
    packed: &[LinearCombination],
    bits: usize,
) -> Vec<LinearCombination> {
    let total = LinearCombination::sum(counted);
    let none = zero_bit(builder, &total);
    let divisor = total.plus(&none);
    let bits = DivisionBits { quotient: FRACTION, remainder: bits };
    let mut shares = Vec::with_capacity(counted.len());
    for (counted, share) in counted.iter().zip(claims) {
        let numerator = counted.times(power_of_two(16));
        let claim = Fr::from(*share);
        shares.push(floor_division(builder, &numerator, &divisor, &LinearCombination::zero(), claim, bits));
    }
    equal_packed(builder, &shares, packed);
    shares
}

/// Shares or weights are those of the public words.
pub(super) fn equal_packed(
    builder: &mut Builder,
    elements: &[LinearCombination],
    packed: &[LinearCombination],
) {
    for (word, packed) in pack_element_combinations(elements).iter().zip(packed) {
        builder.equal(word, packed);
    }
}

/// Coherence: `floor(2^16 w'Gw / (sum w * sum_i w_i G_ii))`, 0 where the denominator is 0.
pub(super) fn coherence(
    builder: &mut Builder,
    gram: &[LinearCombination],
    weights: &[LinearCombination],
    claim: u32,
    public: &LinearCombination,
) {
    let two = Fr::from(2u64);
    let slots = weights.len();
    let mut step = LinearCombination::zero();
    let mut parts = LinearCombination::zero();
    for i in 0..slots {
        let mut row = builder.product(&weights[i], &gram[position(slots, i, i)]);
        parts.add(&row);
        for j in i + 1..slots {
            row.add_scaled(&builder.product(&weights[j], &gram[position(slots, i, j)]), two);
        }
        step.add(&builder.product(&weights[i], &row));
    }
    let denominator = builder.product(&LinearCombination::sum(weights), &parts);
    let none = zero_bit(builder, &denominator);
    // Where the denominator is 0 the numerator counts as 0: of real updates it is.
    let counted = builder.product(&step, &LinearCombination::one().minus(&none));
    let numerator = counted.times(power_of_two(16));
    let divisor = denominator.plus(&none);
    let claim = Fr::from(claim);
    let quotient =
        floor_division(builder, &numerator, &divisor, &LinearCombination::zero(), claim, COHERENCE);
    builder.equal(&quotient, public);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_remainders_fit() {
        const { assert!((1u128 << 16) < 1 << FRACTION) };
        const { assert!((1u128 << (16 + 68)) - 1 < 1 << COHERENCE.remainder) };
    }
}
