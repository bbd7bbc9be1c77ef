//! Integer arithmetic that the rules and their circuits share. Nothing here rounds except by `floor`.

/// The largest `n` with `n^2 <= x`.
pub fn isqrt(x: u64) -> u64 {
    x.isqrt()
}

/// The lower median: the element at position `ceil(len / 2)`, counted from one, in ascending order.
/// `None` for an empty slice.
pub fn lower_median<T: Ord + Copy>(values: &[T]) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len().div_ceil(2).checked_sub(1)?).copied()
}

/// The sum of `values` without the `trim` smallest and the `trim` largest. Ties do not change it.
/// Zero when nothing is left.
pub fn trimmed_sum(values: &[i128], trim: usize) -> i128 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let end = sorted.len().saturating_sub(trim);
    sorted.get(trim..end).map_or(0, |kept| kept.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn isqrt_is_the_floor(x: u64) {
            let root = u128::from(isqrt(x));
            prop_assert!(root * root <= u128::from(x) && (root + 1) * (root + 1) > u128::from(x));
        }

        #[test]
        fn the_median_is_the_one_value_of_the_definition(values in prop::collection::vec(0u64..20, 1..30)) {
            let median = lower_median(&values).unwrap();
            let less = values.iter().filter(|v| **v < median).count() as i64;
            let at_most = values.iter().filter(|v| **v <= median).count() as i64;
            let n = values.len() as i64;
            prop_assert!(n - 1 - 2 * less >= 0 && 2 * at_most - n >= 0);
        }
    }

    #[test]
    fn edges() {
        assert_eq!(lower_median::<u64>(&[]), None);
        assert_eq!(lower_median(&[4, 1, 3, 2]), Some(2));
        assert_eq!(trimmed_sum(&[5, -9, 1, 2, 100], 1), 8);
        assert_eq!(trimmed_sum(&[5, 5, 5], 1), 5);
        assert_eq!(trimmed_sum(&[1, 2], 1), 0);
        assert_eq!(trimmed_sum(&[1], 3), 0);
        assert_eq!([isqrt(0), isqrt(1), isqrt(3), isqrt(4), isqrt(u64::MAX)], [0, 1, 1, 2, (1 << 32) - 1]);
    }
}
