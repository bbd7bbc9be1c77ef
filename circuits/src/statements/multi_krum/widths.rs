//! Widths of the numbers in the multi-krum circuit, each from the largest value that an accepted matrix can give.
//!
//! Two things must hold of each. Completeness: with `|G_ij| <= 2^52`, `G_ii >= 0` and up to `N = 2^log` active slots the
//! honest value fits, also where a matrix is that of no updates and distances are negative. Soundness: the equations
//! between such numbers hold over the integers when they hold modulo `r`; the largest is below `2^75`, and `r > 2^253`.

/// Distances lie in `-2^53 ..= 2^54`. To a slot that is not active this is added: every such distance is then larger
/// than that between any two active ones.
pub(super) const DISTANCE_LIFT_LOG: usize = 55;

/// Difference of two distances, lifted or not: at most `2^55 + 2^54 + 2^53`.
pub(super) const DISTANCE: usize = 56;

/// Widths that grow with the number of slots, `N = 2^log`.
#[derive(Clone, Copy)]
pub(super) struct Widths {
    /// `log2 N`.
    pub(super) log: usize,
}

impl Widths {
    pub(super) fn new(slots: usize) -> Self {
        Self { log: slots.next_power_of_two().trailing_zeros() as usize }
    }

    /// Scores lie in `-(N - 1) 2^53 ..= (N - 1) 2^54`. To that of a slot that is not active this power of two is added.
    pub(super) fn score_lift_log(self) -> usize {
        DISTANCE_LIFT_LOG + self.log
    }

    /// Difference of two ranks `N score + slot`, lifted or not.
    pub(super) fn rank(self) -> usize {
        DISTANCE + 2 * self.log
    }

    /// `c_i <= (N - 1) 2^52`, below `2^(52 + log)`, for its magnitude where it would be negative.
    pub(super) fn contribution(self) -> usize {
        52 + self.log
    }

    /// `n_active - 1 - k`, `k - 1` and `m - 2`: at most `N - 2`.
    pub(super) fn spare(self) -> usize {
        self.log
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bounds above, computed at their extremes for every size.
    #[test]
    fn the_largest_values_fit() {
        let (highest, lowest) = (1i128 << 54, -(1i128 << 53)); // 0 + 0 - 2 * 2^52
        let lift = 1i128 << DISTANCE_LIFT_LOG;
        assert!(lowest + lift > highest);
        assert!(highest + lift - lowest < 1 << DISTANCE);
        for slots in [8i128, 16, 32, 64, 128] {
            let widths = Widths::new(slots as usize);
            assert_eq!(1 << widths.log, slots);
            let (high, low) = ((slots - 1) * highest, (slots - 1) * lowest);
            let lift = 1i128 << widths.score_lift_log();
            assert!(slots * (low + lift) > slots * high + slots - 1);
            assert!(slots * (high + lift) + slots - 1 - slots * low < 1 << widths.rank());
            assert!((slots - 1) << 52 < 1 << widths.contribution());
            assert!(slots - 2 < 1 << widths.spare());
            assert!(widths.rank() <= 75 && widths.contribution() + widths.log <= 75);
        }
    }
}
