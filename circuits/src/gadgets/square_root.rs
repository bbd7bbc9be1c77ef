//! Integer square roots.

use super::range::{natural, range, range_with_top};
use crate::r1cs::linear_combination::power_of_two;
use crate::r1cs::{Builder, LinearCombination};
use ark_bn254::Fr;
use ark_ff::Field;

/// The largest root is `2^ROOT_LOG`.
const ROOT_LOG: usize = 26;

/// A root `n` with `n^2 <= x < (n + 1)^2`; `claim` is what the prover says it is. It also proves `0 <= x <= 2^52`
/// exactly, so `x` needs no range check of its own.
///
/// `x = n^2 + e`, `0 <= e <= 2 n`. `n` has 27 bits with room for `2^26` itself, where `e` must be 0: with the top bit
/// `t` of `n`, `t (n - 2^26 + e) = 0`, a sum of two numbers that are not negative. Below, `n <= 2^26 - 1` gives
/// `e <= 2^27 - 2` (27 bits) and `x <= 2^52 - 1`; `2 n - e <= 2^27` takes 28 bits.
pub(crate) fn square_root(builder: &mut Builder, x: &LinearCombination, claim: Fr) -> LinearCombination {
    let root = builder.witness(claim);
    let top = range_with_top(builder, &root, ROOT_LOG + 1);
    let remainder = natural(builder, x.value() - claim.square(), ROOT_LOG + 1);
    let mut rest = root.plus(&remainder);
    rest.add_scaled(&top, -power_of_two(ROOT_LOG));
    builder.enforce(&top, &rest, &LinearCombination::zero());
    builder.enforce(&root, &root, &x.minus(&remainder));
    let gap = root.times(Fr::from(2u64)).minus(&remainder);
    range(builder, &gap, ROOT_LOG + 2);
    root
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::r1cs::linear_combination::signed;
    use crate::r1cs::system::{check, lookups};
    use fairshare_protocol::isqrt;
    use proptest::prelude::*;

    fn run(x: i128, claim: i128) -> (bool, usize) {
        check(|builder| {
            let x = builder.witness(signed(x));
            square_root(builder, &x, signed(claim));
        })
    }

    #[test]
    fn only_the_floor_of_the_root_is_accepted() {
        let top = 1i128 << 52;
        // The root, its top bit, the product of the top, the square; the gap.
        let constraints = 5 + lookups(ROOT_LOG) + lookups(ROOT_LOG + 1) + lookups(ROOT_LOG + 2);
        for x in [0, 1, 2, 3, 4, 8, 9, (1 << 26) - 1, (1 << 52) - (1 << 27), top - 2, top - 1, top] {
            let root = i128::from(isqrt(x as u64));
            assert_eq!(run(x, root), (true, constraints), "{x}");
            assert!(!run(x, root + 1).0 && !run(x, root - 1).0 && (root == 0 || !run(x, -root).0), "{x}");
        }
    }

    #[test]
    fn numbers_out_of_range_have_no_root() {
        for x in [-1i128, -4, (1 << 52) + 1, (1 << 52) + (1 << 27), 1 << 54] {
            let near = (x.unsigned_abs() as f64).sqrt() as i128;
            for claim in [near - 1, near, near + 1, 1 << 26, 0] {
                assert!(!run(x, claim).0, "{x} with root {claim}");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn equals_isqrt(x in 0u64..=1 << 52) {
            prop_assert!(run(x.into(), isqrt(x).into()).0);
        }
    }
}
