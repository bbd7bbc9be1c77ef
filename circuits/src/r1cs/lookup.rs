//! Proves all ranges and orders of a synthesis under one challenge: a logarithmic derivative of all limbs (Haböck 2022,
//! "Multivariate lookups based on logarithmic derivatives"), and a product for every row that is sorted.
//!
//! The prover commits to the values first, and the challenge `x` follows from the commitment (docs/protocol.md 6.3).
//! Then
//!
//! ```text
//! sum_limbs 1 / (x - limb) = sum_t m_t / (x - t)      t = 0 .. 2^width - 1, m_t committed as well
//! prod_k (x - a_k)         = prod_k (x - b_k)         b a committed copy of the row a in another order
//! ```
//!
//! hold for a random `x` only if every limb is in the table and every copy is a permutation of its row. Limbs and
//! copies are committed variables; a row must be fixed by committed variables and the statement, as those of the
//! circuits are.

use super::builder::{Builder, Pending};
use super::linear_combination::LinearCombination;
use ark_bn254::Fr;
use ark_ff::{batch_inversion, BigInteger, Field, PrimeField};

/// How often each entry of the table is looked up. A limb that is not an entry is not counted.
fn multiplicities(limb_bits: usize, limbs: &[LinearCombination]) -> Vec<Fr> {
    let mut counts = vec![0u64; 1 << limb_bits];
    for limb in limbs {
        let value = limb.value().into_bigint();
        let entry = (value.num_bits() <= 32).then(|| value.0[0] as usize);
        if let Some(count) = entry.and_then(|entry| counts.get_mut(entry)) {
            *count += 1;
        }
    }
    counts.into_iter().map(Fr::from).collect()
}

/// Proves every pending lookup and order under the challenge `x`. One constraint per lookup, one per entry of the
/// table, one for their balance, and `2 n - 2` per row of `n`.
///
/// `x` must not be an entry of the table, which the verifier checks; a limb that equals `x` has no inverse.
pub(crate) fn close(builder: &mut Builder, x: &LinearCombination) {
    let pending = builder.take_pending();
    let multiplicities = multiplicities(builder.limb_bits(), &pending.limbs);
    close_with(builder, x, pending, multiplicities);
}

/// [`close`] with the multiplicities that the prover claims.
fn close_with(builder: &mut Builder, x: &LinearCombination, pending: Pending, multiplicities: Vec<Fr>) {
    builder.section("orders");
    for (row, copy) in &pending.orders {
        same_elements(builder, x, row, copy);
    }

    builder.section("lookups");
    let mut inverses: Vec<Fr> = pending.limbs.iter().map(|limb| x.value() - limb.value()).collect();
    batch_inversion(&mut inverses);
    let mut balance = LinearCombination::zero();
    for (limb, inverse) in pending.limbs.iter().zip(inverses) {
        let inverse = builder.witness(inverse);
        builder.enforce(&inverse, &x.minus(limb), &LinearCombination::one());
        balance.add(&inverse);
    }

    builder.section("lookup table");
    let entries: Vec<Fr> = (0..1u64 << builder.limb_bits()).map(Fr::from).collect();
    let mut inverses: Vec<Fr> = entries.iter().map(|entry| x.value() - entry).collect();
    batch_inversion(&mut inverses);
    for ((entry, inverse), multiplicity) in entries.into_iter().zip(inverses).zip(multiplicities) {
        let share = builder.witness(inverse * multiplicity);
        let multiplicity = builder.committed(multiplicity);
        builder.enforce(&share, &x.minus(&LinearCombination::constant(entry)), &multiplicity);
        balance.add_scaled(&share, -Fr::ONE);
    }
    builder.equal(&balance, &LinearCombination::zero());
}

/// `prod_k (x - row_k) = prod_k (x - copy_k)`.
fn same_elements(
    builder: &mut Builder,
    x: &LinearCombination,
    row: &[LinearCombination],
    copy: &[LinearCombination],
) {
    let left = product(builder, x, row);
    let Some((last, others)) = copy.split_last() else { return };
    let right = product(builder, x, others);
    builder.enforce(&right, &x.minus(last), &left);
}

fn product(builder: &mut Builder, x: &LinearCombination, factors: &[LinearCombination]) -> LinearCombination {
    let Some((first, others)) = factors.split_first() else { return LinearCombination::one() };
    let first = x.minus(first);
    others.iter().fold(first, |product, factor| builder.product(&product, &x.minus(factor)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::r1cs::linear_combination::power_of_two;
    use crate::r1cs::system::{check, check_closed, check_under, test_challenge, TEST_LIMB_BITS};
    use ark_ff::AdditiveGroup;

    /// Only these limbs, closed with these multiplicities.
    fn closed(limbs: &[Fr], multiplicities: &[(usize, Fr)]) -> bool {
        let synthesize = |builder: &mut Builder| {
            let x = builder.input(test_challenge());
            for limb in limbs {
                let limb = builder.committed(*limb);
                builder.look_up(limb);
            }
            let pending = builder.take_pending();
            let mut counts = vec![Fr::ZERO; 1 << TEST_LIMB_BITS];
            multiplicities.iter().for_each(|(entry, count)| counts[*entry] += count);
            close_with(builder, &x, pending, counts);
        };
        check_closed(synthesize).0
    }

    #[test]
    fn multiplicities_count() {
        let limbs = [3u64, 63, 3].map(Fr::from);
        let two = Fr::from(2u64);
        assert!(closed(&limbs, &[(3, two), (63, Fr::ONE)]));
        assert!(!closed(&limbs, &[(3, Fr::ONE), (63, Fr::ONE)]), "one too few");
        assert!(!closed(&limbs, &[(3, Fr::ONE), (63, two)]), "the same number of another entry");
        assert!(!closed(&limbs, &[(3, two), (63, Fr::ONE), (0, Fr::ONE)]), "an entry that no limb looks up");
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
        let x = test_challenge();
        let count = (x - Fr::from(5u64)) / (x - Fr::from(64u64));
        assert!(closed(&[Fr::from(64u64)], &[(5, count)]));
    }

    /// At an entry of the table the share of that entry is free, if no limb looks it up.
    #[test]
    fn a_challenge_at_a_pole_of_the_table_would_free_a_share_and_of_a_limb_is_refused() {
        let nine_under = |challenge: u64| {
            check_under(challenge.into(), |builder| {
                let limb = builder.committed(9u64.into());
                builder.look_up(limb);
            })
        };
        assert!(!nine_under(9).0);
        // Synthesised with the true value of the share, 0, the balance holds: only the verifier's check of `x` refuses
        // it.
        assert!(nine_under(8).0);
    }

    fn orders(row: &[u64], order: &[usize], bent: Option<(usize, u64)>) -> bool {
        let synthesize = |builder: &mut Builder| {
            let combinations: Vec<LinearCombination> =
                row.iter().map(|v| builder.witness((*v).into())).collect();
            let copies = builder.reorder(&combinations, order);
            if let Some((at, value)) = bent {
                builder.equal(&copies[at], &LinearCombination::constant(value.into()));
            }
        };
        check(synthesize).0
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
        let limb = |b: &mut Builder| {
            let limb = b.committed(Fr::ONE);
            b.look_up(limb);
        };
        assert_eq!(check(|_| {}), (true, 0));
        assert_eq!(check(limb), (true, 1));
        let row = |b: &mut Builder| {
            drop(b.reorder(
                &[LinearCombination::one(), LinearCombination::zero(), LinearCombination::one()],
                &[2, 1, 0],
            ))
        };
        assert_eq!(check(row), (true, 2 * 3 - 2));
    }
}
