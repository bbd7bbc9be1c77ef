//! Widths of the numbers in the agreement circuit, each from the largest value that a form-valid input can give.
//!
//! Two things must hold of each. Completeness: with `|G_ij| <= 2^52`, `G_ii >= 0`, up to `N = 2^log` active slots and
//! `theta < 2^10`, the honest value fits. Soundness: the equations between such numbers hold over the integers when
//! they hold modulo `r`; the largest number anywhere is below `2^140`, and `r > 2^253`.

use crate::gadgets::division::DivisionBits;
use crate::statements::outcome::FRACTION;

/// Norms: `n_i <= 2^26`, so 27 bits, and as many for `n_i - 1 - remainder`. Differences `tau - n_j` lie in
/// `-2^26 ..= 2^26`, so 27 bits beside the sign.
pub(crate) const NORM: usize = 27;

/// `s_i` from `2^16 min(n_i, tau)` divided by `n_i`.
pub(crate) const CLIP: DivisionBits = DivisionBits { quotient: FRACTION, remainder: NORM };

/// `s_i a_i` is divided by `2^32`.
pub(crate) const CONTRIBUTION_SHIFT: usize = 32;

/// `p_i s_i` is divided by `2^16`.
pub(crate) const WEIGHT_SHIFT: usize = 16;

/// `theta < 2^10`.
pub(crate) const THETA: usize = 10;

/// Widths that grow with the number of slots, `N = 2^log`.
#[derive(Clone, Copy)]
pub(crate) struct Widths {
    /// `log2 N`.
    pub(crate) log: usize,
}

impl Widths {
    pub(crate) fn new(slots: usize) -> Self {
        Self { log: slots.next_power_of_two().trailing_zeros() as usize }
    }

    /// `|s_i a_i| / 2^32 <= 2^16 (N - 1) 2^68 / 2^32`: below `2^(52 + log)`, for contributions and their differences.
    pub(crate) fn contribution(self) -> usize {
        52 + self.log
    }

    /// `256 c_i - max(1, theta M)`, both parts below `2^(62 + log)`.
    pub(crate) fn threshold(self) -> usize {
        self.contribution() + THETA
    }

    /// `n_active - 2 - 2 f`: at most `N - 2`.
    pub(crate) fn spare(self) -> usize {
        self.log
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bounds above, computed at their extremes for every size.
    #[test]
    fn the_largest_values_fit() {
        for slots in [8u128, 16, 32, 64, 128] {
            let widths = Widths::new(slots as usize);
            assert_eq!(1 << widths.log, slots);
            let contribution = (slots - 1) << (16 + 16 + 52 - 32);
            assert!(contribution < 1 << widths.contribution());
            assert!(256 * contribution < 1 << widths.threshold());
            assert!(1023 * contribution < 1 << widths.threshold());
            let total = widths.contribution() + widths.log; // as the circuit says to `outcome::shares`
            assert!(slots * contribution < 1 << total);
            assert!(slots - 2 < 1 << widths.spare());
            assert!(2 * THETA + total + FRACTION < 140);
        }
        const { assert!((1u128 << 26) < 1 << NORM && (1u128 << 16) < 1 << FRACTION) };
    }
}
