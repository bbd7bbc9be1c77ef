//! Values in another order: by a permutation network, or by a committed copy where the builder has lookups.
//!
//! The network: `sum_i ceil(log2 i)` switches carry any order of `n` values.
//!
//! The network of Waksman in the form for any `n` of Beauquier and Darrot ("On arbitrary Waksman networks and their
//! vulnerability", 2002): a column of switches, two networks of half the size, a column of switches. Every setting of the
//! switches is a permutation, so nothing needs to be checked but that each switch is a bit.

use super::builder::{Builder, Wire};
use super::lookup;
use ark_bn254::Fr;
use ark_ff::Field;

/// `wires` in the order `order`, in which input `order[k]` comes out as `k`: certainly all of them, each once.
pub(crate) fn reorder(builder: &mut Builder, wires: &[Wire], order: &[usize]) -> Vec<Wire> {
    lookup::reordered(builder, wires, order)
        .unwrap_or_else(|| permute(builder, wires, &mut route(order).into_iter()))
}

/// The settings that bring input `order[k]` to output `k`, in the sequence in which [`permute`] meets its switches.
/// `order` must be a permutation of `0..order.len()`.
pub(crate) fn route(order: &[usize]) -> Vec<bool> {
    let n = order.len();
    if n < 2 {
        return Vec::new();
    }
    if n == 2 {
        return vec![order[0] == 1];
    }
    let lower_output = sides(order);
    let mut lower_input = vec![false; n];
    let mut halves = [vec![0; n / 2], vec![0; n - n / 2]];
    for (output, input) in order.iter().enumerate() {
        lower_input[*input] = lower_output[output];
        halves[usize::from(lower_output[output])][output / 2] = input / 2;
    }
    let outputs = (n - 1) / 2; // an even network's last pair is fixed
    let mut settings: Vec<bool> = (0..n / 2).map(|pair| lower_input[2 * pair]).collect();
    halves.iter().for_each(|half| settings.extend(route(half)));
    settings.extend((0..outputs).map(|pair| lower_output[2 * pair]));
    settings
}

/// For each output whether it comes from the lower half. Both members of a pair, of outputs and of inputs, go to
/// different halves; an odd one out goes to the lower half, and so does the last output of an even network.
fn sides(order: &[usize]) -> Vec<bool> {
    let n = order.len();
    let paired = |index: usize| index < n / 2 * 2;
    let mut output_of = vec![0; n];
    for (output, input) in order.iter().enumerate() {
        output_of[*input] = output;
    }
    let mut lower: Vec<Option<bool>> = vec![None; n];
    for start in (0..n).rev() {
        // Follows the chain of partners: this output is lower, so its input's partner is upper, so that one's output's
        // partner is lower again, until the chain closes or meets the one without a partner.
        let mut output = start;
        while lower[output].is_none() {
            lower[output] = Some(true);
            let input = order[output];
            if !paired(input) {
                break;
            }
            let partner = output_of[input ^ 1];
            lower[partner] = Some(false);
            output = partner ^ 1;
        }
    }
    lower.into_iter().map(|side| side == Some(true)).collect()
}

/// `wires` in the order that `settings` give. Two constraints a switch.
pub(crate) fn permute(
    builder: &mut Builder,
    wires: &[Wire],
    settings: &mut impl Iterator<Item = bool>,
) -> Vec<Wire> {
    let n = wires.len();
    if n < 2 {
        return wires.to_vec();
    }
    if n == 2 {
        return switch(builder, &wires[0], &wires[1], settings).into();
    }
    let mut halves = [Vec::with_capacity(n / 2), Vec::with_capacity(n - n / 2)];
    for pair in wires.chunks(2) {
        let [upper, lower] = match pair {
            [a, b] => switch(builder, a, b, settings).map(Some),
            rest => [None, rest.first().cloned()],
        };
        halves[0].extend(upper);
        halves[1].extend(lower);
    }
    let [upper, lower] = halves.map(|half| permute(builder, &half, settings));
    let mut outputs = Vec::with_capacity(n);
    for (pair, lower) in lower.iter().enumerate() {
        match upper.get(pair) {
            Some(upper) if pair < (n - 1) / 2 => outputs.extend(switch(builder, upper, lower, settings)),
            upper => outputs.extend(upper.into_iter().chain([lower]).cloned()),
        }
    }
    outputs
}

/// `[a, b]`, or `[b, a]` where the setting is 1.
fn switch(builder: &mut Builder, a: &Wire, b: &Wire, settings: &mut impl Iterator<Item = bool>) -> [Wire; 2] {
    let bit = builder.bit(settings.next().unwrap_or(false));
    let moved = builder.product(&bit, &b.minus(a));
    let mut second = b.clone();
    second.add_scaled(&moved, -Fr::ONE);
    [a.plus(&moved), second]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gadgets::system::check;
    use proptest::prelude::*;
    use rand::{seq::SliceRandom, SeedableRng};

    fn outcome(order: &[usize]) -> Vec<Fr> {
        let mut builder = Builder::assigning();
        let wires: Vec<Wire> = (0..order.len()).map(|v| builder.witness(Fr::from(v as u64 + 100))).collect();
        let mut settings = route(order).into_iter();
        let outputs = permute(&mut builder, &wires, &mut settings);
        assert!(settings.next().is_none(), "every setting has its switch");
        outputs.iter().map(Wire::value).collect()
    }

    fn expected(order: &[usize]) -> Vec<Fr> {
        order.iter().map(|v| Fr::from(*v as u64 + 100)).collect()
    }

    #[test]
    fn every_order_of_up_to_six_is_carried() {
        fn all(n: usize) -> Vec<Vec<usize>> {
            if n == 0 {
                return vec![Vec::new()];
            }
            let shorter = all(n - 1);
            let insert = |order: &Vec<usize>, at: usize| {
                let mut order = order.clone();
                order.insert(at, n - 1);
                order
            };
            shorter.iter().flat_map(|order| (0..n).map(move |at| insert(order, at))).collect()
        }
        for n in 0..=6 {
            for order in all(n) {
                assert_eq!(outcome(&order), expected(&order), "{order:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_order_is_carried(n in 7usize..64, seed: u64) {
            let mut order: Vec<usize> = (0..n).collect();
            order.shuffle(&mut rand_chacha::ChaCha8Rng::seed_from_u64(seed));
            prop_assert_eq!(outcome(&order), expected(&order));
        }
    }

    #[test]
    fn switches_are_counted() {
        for (n, switches) in [(2, 1), (3, 3), (7, 14), (15, 45), (31, 124), (63, 315)] {
            let order: Vec<usize> = (0..n).rev().collect();
            assert_eq!(route(&order).len(), switches);
            let run = check(|builder| {
                let wires: Vec<Wire> = (0..n).map(|v| builder.witness(Fr::from(v as u64))).collect();
                permute(builder, &wires, &mut route(&order).into_iter());
            });
            assert_eq!(run, (true, 2 * switches));
        }
    }
}
