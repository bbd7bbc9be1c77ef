//! The sum of a row's active entries without its `f` largest and its `f` smallest.
//!
//! The prover commits to a copy of the row in descending order, proves the order by the differences of neighbours, and
//! adds up the entries inside a window that all rows share. A sorted row costs one range check per entry, two
//! thresholds would cost two. Ties allow several orders, all with the same sum.

use super::range::range;
use crate::r1cs::linear_combination::power_of_two;
use crate::r1cs::{Builder, LinearCombination};
use ark_bn254::Fr;

/// Entries lie within `2^ENTRY_LOG`: a clip factor up to `2^16` times a Gram entry up to `2^52`.
pub(crate) const ENTRY_LOG: usize = 68;

/// Difference of neighbours: at most `2^68 - (-2^69) < 2^70`, an inactive entry standing at `-2^69`.
const DIFFERENCE_BITS: usize = ENTRY_LOG + 2;

/// The window `from .. to` of ranks that count, as bits. `4 length` constraints and two equalities.
///
/// `from` and `to` are combinations, `claims` the same numbers as the prover says. Each is turned into steps
/// `u_k = [k >= bound]`: bits that never fall, of which exactly `bound` are 0.
pub(crate) fn window(
    builder: &mut Builder,
    length: usize,
    from: &LinearCombination,
    to: &LinearCombination,
    claims: [usize; 2],
) -> Vec<LinearCombination> {
    let started = steps(builder, length, from, claims[0]);
    let ended = steps(builder, length, to, claims[1]);
    started.iter().zip(&ended).map(|(started, ended)| started.minus(ended)).collect()
}

fn steps(
    builder: &mut Builder,
    length: usize,
    bound: &LinearCombination,
    claim: usize,
) -> Vec<LinearCombination> {
    let steps: Vec<LinearCombination> = (0..length).map(|k| builder.bit(k >= claim)).collect();
    for pair in steps.windows(2) {
        let fallen = LinearCombination::one().minus(&pair[1]);
        builder.enforce(&pair[0], &fallen, &LinearCombination::zero());
    }
    let zeros = LinearCombination::constant(Fr::from(length as u64)).minus(&LinearCombination::sum(&steps));
    builder.equal(&zeros, bound);
    steps
}

/// The order of a row as an honest prover gives it: active entries descending, then those that are not active.
pub(crate) fn descending(entries: &[(i128, bool)]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    order.sort_by_key(|k| (!entries[*k].1, std::cmp::Reverse(entries[*k].0)));
    order
}

/// The sum of the entries at the ranks of `window`, ranks counted in descending order over the active entries;
/// `order` is that order as the prover claims it. `4 m - 3` constraints for `m` entries, beside the lookups.
///
/// An entry that is not active is moved to `-2^69`, below all others, so it comes last; the window ends before it. In
/// the row of a slot that is not active every entry is 0, and so is the sum: the window ends before the others' number.
pub(crate) fn window_sum(
    builder: &mut Builder,
    entries: &[LinearCombination],
    active: &[LinearCombination],
    window: &[LinearCombination],
    order: &[usize],
) -> LinearCombination {
    let below = power_of_two(ENTRY_LOG + 1);
    let lowered: Vec<LinearCombination> = entries
        .iter()
        .zip(active)
        .map(|(entry, active)| {
            let mut lowered = entry.clone();
            lowered.add_scaled(active, below);
            lowered.add_scaled(&LinearCombination::one(), -below);
            lowered
        })
        .collect();
    let sorted = builder.reorder(&lowered, order);
    for pair in sorted.windows(2) {
        let difference = pair[0].minus(&pair[1]);
        range(builder, &difference, DIFFERENCE_BITS);
    }
    let counted: Vec<LinearCombination> =
        sorted.iter().zip(window).map(|(entry, inside)| builder.product(inside, entry)).collect();
    LinearCombination::sum(&counted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::r1cs::linear_combination::signed;
    use crate::r1cs::system::{check, lookups};
    use fairshare_protocol::trimmed_sum;
    use proptest::prelude::*;

    #[derive(Debug)]
    struct Row {
        entries: Vec<(i128, bool)>,
        trim: usize,
        claims: [usize; 2],
        order: Vec<usize>,
        sum: i128,
    }

    impl Row {
        fn honest(entries: Vec<(i128, bool)>, trim: usize) -> Self {
            let active: Vec<i128> = entries.iter().filter(|e| e.1).map(|e| e.0).collect();
            let claims = [trim, active.len() - trim];
            Self { order: descending(&entries), sum: trimmed_sum(&active, trim), entries, trim, claims }
        }

        fn run(&self) -> (bool, usize) {
            check(|builder| {
                let entries: Vec<LinearCombination> =
                    self.entries.iter().map(|e| builder.witness(signed(e.0))).collect();
                let active: Vec<LinearCombination> = self.entries.iter().map(|e| builder.bit(e.1)).collect();
                let from = builder.witness(Fr::from(self.trim as u64));
                let to = LinearCombination::sum(&active).minus(&from);
                let window = window(builder, entries.len(), &from, &to, self.claims);
                let sum = window_sum(builder, &entries, &active, &window, &self.order);
                builder.equal(&sum, &LinearCombination::constant(signed(self.sum)));
            })
        }
    }

    fn rows() -> impl Strategy<Value = Row> {
        let extreme = 1i128 << 68;
        let value = prop_oneof![Just(extreme), Just(-extreme), Just(0), -3i128..3, -extreme..=extreme];
        (prop::collection::vec((value, prop::bool::weighted(0.7)), 7), 0usize..3).prop_filter_map(
            "the trim leaves something",
            |(mut entries, trim)| {
                entries.iter_mut().filter(|e| !e.1).for_each(|e| e.0 = 0);
                (entries.iter().filter(|e| e.1).count() > 2 * trim).then(|| Row::honest(entries, trim))
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn equals_the_trimmed_sum(row in rows()) {
            let constraints = 7 + 2 * (7 + 6 + 1) + (2 * 7 - 2) + 6 * (1 + lookups(70)) + 7 + 1;
            prop_assert_eq!(row.run(), (true, constraints));
        }

        #[test]
        fn another_sum_is_refused(mut row in rows(), off in prop_oneof![Just(1i128), Just(-1), any::<i64>().prop_map(i128::from)]) {
            prop_assume!(off != 0);
            row.sum += off;
            prop_assert!(!row.run().0);
        }
    }

    fn example() -> Row {
        let values = [5i128, -3, 900, 0, 77, 0, -12];
        Row::honest(values.iter().map(|v| (*v, *v != 0)).collect(), 1)
    }

    #[test]
    fn the_example_is_what_it_should_be() {
        let row = example();
        assert_eq!((row.sum, row.order.clone(), row.run().0), (79, vec![2, 4, 0, 1, 6, 3, 5], true));
    }

    #[test]
    fn a_window_one_rank_off_is_refused() {
        for claims in [[0, 4], [2, 4], [1, 3], [1, 5], [0, 3], [2, 5]] {
            let mut row = example();
            row.claims = claims;
            let ranked = [900i128, 77, 5, -3, -12];
            row.sum = ranked[claims[0]..claims[1]].iter().sum();
            assert!(!row.run().0, "{claims:?}");
        }
    }

    #[test]
    fn an_order_that_is_not_descending_is_refused() {
        let mut row = example();
        row.order.swap(0, 1); // 900 comes into the window in the place of 77
        row.sum = 900 + 5 - 3;
        assert!(!row.run().0);
    }

    #[test]
    fn an_inactive_entry_inside_the_window_is_refused() {
        let mut row = example();
        row.order.swap(3, 5); // the zero of slot 3 in the place of -3
        row.sum = 77 + 5;
        assert!(!row.run().0);
    }
}
