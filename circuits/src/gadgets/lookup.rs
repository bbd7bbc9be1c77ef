//! Ranges and orders under a challenge: a logarithmic derivative of all limbs (Haböck 2022, "Multivariate lookups based on
//! logarithmic derivatives"), and a product for every row that is brought into another order.
//!
//! The values are committed to first, and the challenge `x` follows from the commitment (docs/protocol.md 13.10). Then
//!
//! ```text
//! sum_limbs 1 / (x - limb) = sum_t m_t / (x - t)      t = 0 .. 2^width - 1, m_t committed as well
//! prod_k (x - a_k)         = prod_k (x - b_k)         b a committed copy of the row a in another order
//! ```
//!
//! hold for a random `x` only if every limb is in the table and every copy is a permutation of its row. Limbs and copies are
//! committed variables; a row must be fixed by committed variables and the statement, as those of the circuits are.

use super::builder::{power_of_two, Builder, Wire};
use ark_bn254::Fr;
use ark_ff::{batch_inversion, BigInteger, Field, PrimeField};

/// What waits for the challenge.
pub(crate) struct Lookups {
    width: usize,
    /// Each must be an entry of the table.
    limbs: Vec<Wire>,
    /// Rows, and the same in another order.
    orders: Vec<(Vec<Wire>, Vec<Wire>)>,
}

impl Lookups {
    pub(super) fn new(width: usize) -> Self {
        Self { width, limbs: Vec::new(), orders: Vec::new() }
    }

    /// How often each entry of the table is looked up. A limb that is no entry is counted nowhere.
    fn multiplicities(&self) -> Vec<u64> {
        let mut counts = vec![0; 1 << self.width];
        for limb in &self.limbs {
            let value = limb.value().into_bigint();
            let entry = (value.num_bits() <= 32).then(|| value.0[0] as usize);
            if let Some(count) = entry.and_then(|entry| counts.get_mut(entry)) {
                *count += 1;
            }
        }
        counts
    }
}

/// A combination of committed limbs, certainly in `[0, 2^bits)`, that holds `value` when `value` is there. `None` where the
/// builder has no lookups.
///
/// The width is exact: a top limb of fewer bits, `p`, is looked up twice, as itself and times `2^(width - p)`. Both are
/// small integers, so neither wraps round, and the second says that the first is below `2^p`.
pub(crate) fn limbs(builder: &mut Builder, value: Fr, bits: usize) -> Option<Wire> {
    let width = builder.lookups()?.width;
    debug_assert!((1..=250).contains(&bits));
    let value = value.into_bigint();
    let mut sum = Wire::zero();
    for from in (0..bits).step_by(width) {
        let length = width.min(bits - from);
        let digits = (0..length).fold(0u64, |digits, k| digits | u64::from(value.get_bit(from + k)) << k);
        let limb = builder.committed(Fr::from(digits));
        sum.add_scaled(&limb, power_of_two(from));
        let lookups = builder.lookups()?;
        if length < width {
            lookups.limbs.push(limb.times(power_of_two(width - length)));
        }
        lookups.limbs.push(limb);
    }
    Some(sum)
}

/// Committed copies of `wires` in the order `order`, certainly each of them once. `None` where the builder has no lookups.
/// `2 n - 2` constraints, when the lookups are closed.
pub(crate) fn reordered(builder: &mut Builder, wires: &[Wire], order: &[usize]) -> Option<Vec<Wire>> {
    builder.lookups()?;
    let copies: Vec<Wire> = order.iter().map(|input| builder.committed(wires[*input].value())).collect();
    builder.lookups()?.orders.push((wires.to_vec(), copies.clone()));
    Some(copies)
}

/// Ends the lookups under the challenge `x`. Nothing to do where the builder has none. One constraint a lookup, one an
/// entry of the table, and one.
///
/// `x` must not be an entry of the table, which the verifier looks at; a limb that equals `x` has no inverse.
pub(crate) fn close(builder: &mut Builder, x: &Wire) {
    let Some(lookups) = builder.take_lookups() else { return };
    let multiplicities = lookups.multiplicities().into_iter().map(Fr::from).collect();
    close_with(builder, x, lookups, multiplicities);
}

/// [`close`] with the multiplicities that the prover says.
fn close_with(builder: &mut Builder, x: &Wire, lookups: Lookups, multiplicities: Vec<Fr>) {
    builder.section("orders");
    for (row, copy) in &lookups.orders {
        same_elements(builder, x, row, copy);
    }

    builder.section("lookups");
    let mut inverses: Vec<Fr> = lookups.limbs.iter().map(|limb| x.value() - limb.value()).collect();
    batch_inversion(&mut inverses);
    let mut balance = Wire::zero();
    for (limb, inverse) in lookups.limbs.iter().zip(inverses) {
        let inverse = builder.witness(inverse);
        builder.enforce(&inverse, &x.minus(limb), &Wire::one());
        balance.add(&inverse);
    }

    builder.section("lookup table");
    let entries: Vec<Fr> = (0..1u64 << lookups.width).map(Fr::from).collect();
    let mut inverses: Vec<Fr> = entries.iter().map(|entry| x.value() - entry).collect();
    batch_inversion(&mut inverses);
    for ((entry, inverse), multiplicity) in entries.into_iter().zip(inverses).zip(multiplicities) {
        let share = builder.witness(inverse * multiplicity);
        let multiplicity = builder.committed(multiplicity);
        builder.enforce(&share, &x.minus(&Wire::constant(entry)), &multiplicity);
        balance.add_scaled(&share, -Fr::ONE);
    }
    builder.equal(&balance, &Wire::zero());
}

/// `prod_k (x - row_k) = prod_k (x - copy_k)`.
fn same_elements(builder: &mut Builder, x: &Wire, row: &[Wire], copy: &[Wire]) {
    let left = product(builder, x, row);
    let Some((last, others)) = copy.split_last() else { return };
    let right = product(builder, x, others);
    builder.enforce(&right, &x.minus(last), &left);
}

fn product(builder: &mut Builder, x: &Wire, factors: &[Wire]) -> Wire {
    let Some((first, others)) = factors.split_first() else { return Wire::one() };
    let first = x.minus(first);
    others.iter().fold(first, |product, factor| builder.product(&product, &x.minus(factor)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gadgets::builder::signed;
    use crate::gadgets::range::{natural, range, range_inclusive, range_with_top};
    use crate::gadgets::system::check_lookups;
    use ark_ff::AdditiveGroup;

    const WIDTH: usize = 6;

    fn challenge() -> Fr {
        Fr::from(987_654_321u64).pow([23])
    }

    /// Runs a synthesis with lookups of six bits under a challenge.
    fn run(synthesize: impl Fn(&mut Builder)) -> bool {
        run_under(challenge(), synthesize)
    }

    fn run_under(x: Fr, synthesize: impl Fn(&mut Builder)) -> bool {
        let synthesize = |builder: &mut Builder| {
            let x = builder.input(x);
            synthesize(builder);
            close(builder, &x);
        };
        check_lookups(WIDTH, synthesize).0
    }

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
                let held = run(|builder| {
                    let x = builder.witness(value);
                    range(builder, &x, bits);
                });
                assert_eq!(held, inside, "{value} in {bits} bits");
                let held = run(|builder| {
                    let number = natural(builder, value, bits);
                    builder.equal(&number, &Wire::constant(value));
                });
                assert_eq!(held, inside, "{value} as a number of {bits} bits");
            }
        }
    }

    #[test]
    fn the_top_bit_is_the_top_bit() {
        for value in [0u64, 1, 127, 128, 255] {
            for claim in [0u64, 1] {
                let held = run(|builder| {
                    let x = builder.witness(value.into());
                    let top = range_with_top(builder, &x, 8);
                    builder.equal(&top, &Wire::constant(claim.into()));
                });
                assert_eq!(held, claim == value >> 7, "{value}");
            }
        }
        for (value, inside) in [(0, true), (255, true), (256, true), (257, false), (511, false), (-1, false)]
        {
            let held = run(|builder| {
                let x = builder.witness(signed(value));
                range_inclusive(builder, &x, 8);
            });
            assert_eq!(held, inside, "{value}");
        }
    }

    /// A builder of lookups with these limbs alone, closed with these multiplicities.
    fn closed(limbs: &[Fr], multiplicities: &[(usize, Fr)]) -> bool {
        let synthesize = |builder: &mut Builder| {
            let x = builder.input(challenge());
            for limb in limbs {
                let limb = builder.committed(*limb);
                builder.lookups().unwrap().limbs.push(limb);
            }
            let lookups = builder.take_lookups().unwrap();
            let mut counts = vec![Fr::ZERO; 1 << WIDTH];
            multiplicities.iter().for_each(|(entry, count)| counts[*entry] += count);
            close_with(builder, &x, lookups, counts);
        };
        check_lookups(WIDTH, synthesize).0
    }

    #[test]
    fn multiplicities_count() {
        let limbs = [3u64, 63, 3].map(Fr::from);
        let two = Fr::from(2u64);
        assert!(closed(&limbs, &[(3, two), (63, Fr::ONE)]));
        assert!(!closed(&limbs, &[(3, Fr::ONE), (63, Fr::ONE)]), "one too few");
        assert!(!closed(&limbs, &[(3, Fr::ONE), (63, two)]), "the same number of another entry");
        assert!(!closed(&limbs, &[(3, two), (63, Fr::ONE), (0, Fr::ONE)]), "an entry that nobody looked up");
        assert!(!closed(&limbs, &[(3, -two), (63, -Fr::ONE)]), "negative counts");
    }

    /// A limb beyond the table by one, in whose place an entry is counted, or no entry, or entries that add up to it.
    #[test]
    fn a_limb_out_of_range_is_not_balanced_by_multiplicities() {
        let limbs = [64u64, 1].map(Fr::from);
        let one = Fr::ONE;
        for counts in [
            vec![(1, one)],
            vec![(1, one), (63, one)],
            vec![(1, one), (0, one)],
            vec![(1, one), (32, one + one)],
            vec![(1, one), (63, one), (1, one), (0, -one)],
        ] {
            assert!(!closed(&limbs, &counts), "{counts:?}");
        }
        assert!(!closed(&[power_of_two(1).inverse().unwrap()], &[(0, one)]), "a field element");
    }

    /// Multiplicities chosen after the challenge balance anything: this is why the commitment comes first.
    #[test]
    fn multiplicities_that_know_the_challenge_would_balance_a_limb_out_of_range() {
        let x = challenge();
        let count = (x - Fr::from(5u64)) / (x - Fr::from(64u64));
        assert!(closed(&[Fr::from(64u64)], &[(5, count)]));
    }

    /// At an entry of the table the share of that entry is free, if nobody looked it up.
    #[test]
    fn a_challenge_at_a_pole_of_the_table_would_free_a_share_and_of_a_limb_is_refused() {
        assert!(!run_under(Fr::from(9u64), |builder| {
            natural(builder, Fr::from(9u64), WIDTH);
        }));
        // Synthesised with the true value of the share, 0, the balance holds: only the verifier's look at `x` refuses it.
        assert!(run_under(Fr::from(8u64), |builder| {
            natural(builder, Fr::from(9u64), WIDTH);
        }));
    }

    fn orders(row: &[u64], order: &[usize], bent: Option<(usize, u64)>) -> bool {
        run(|builder| {
            let wires: Vec<Wire> = row.iter().map(|v| builder.witness((*v).into())).collect();
            let copies = reordered(builder, &wires, order).unwrap();
            if let Some((at, value)) = bent {
                builder.equal(&copies[at], &Wire::constant(value.into()));
            }
        })
    }

    #[test]
    fn copies_are_the_row_in_another_order() {
        assert!(orders(&[5, 9, 5, 0], &[1, 0, 2, 3], None));
        assert!(orders(&[5, 9, 5, 0], &[3, 2, 1, 0], Some((2, 9))));
        assert!(orders(&[7], &[0], None) && orders(&[7, 8], &[1, 0], Some((0, 8))));
        assert!(!orders(&[5, 9, 5, 0], &[1, 1, 2, 3], None), "one twice");
        assert!(!orders(&[5, 9, 5, 0], &[1, 0, 2], None), "one left out");
        assert!(!orders(&[5, 9, 5, 0], &[1, 0, 2, 2], None), "another in its place");
    }

    #[test]
    fn constraints_are_counted() {
        let count = |synthesize: &dyn Fn(&mut Builder)| {
            let close_all = |builder: &mut Builder| {
                let x = builder.input(challenge());
                synthesize(builder);
                close(builder, &x);
            };
            check_lookups(WIDTH, close_all).1
        };
        let table = (1 << WIDTH) + 1;
        assert_eq!(count(&|_| {}), table);
        assert_eq!(count(&|b| drop(natural(b, Fr::ONE, 12))), table + 2);
        assert_eq!(count(&|b| drop(natural(b, Fr::ONE, 13))), table + 4, "a partial limb is looked up twice");
        let row = |b: &mut Builder| drop(reordered(b, &[Wire::one(), Wire::zero(), Wire::one()], &[2, 1, 0]));
        assert_eq!(count(&row), table + 2 * 3 - 2);
    }
}
