//! The Gram matrix of a round: all inner products of the quantised updates, over the integers.
//!
//! Every rule of `rules` is a function of this matrix alone, so nothing after it depends on the model's size.

use rayon::prelude::*;
use thiserror::Error;

use crate::bounds::{DIMENSION_LIMIT, MAX_SLOTS};

/// Coordinates per dense product: sixteen rows of them fit the second-level cache.
const BLOCK: usize = 2048;

/// Invalid input for a Gram matrix.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GramError {
    /// An entry of a public step is out of range.
    #[error("a public step has the entry {value}: its size must be below 2^42")]
    HistoryEntry {
        /// The entry.
        value: i64,
    },
    /// No slot, or more than a mask can hold.
    #[error("a gram matrix cannot have {slots} slots: give 1 to {MAX_SLOTS}")]
    SlotCount {
        /// Slots requested.
        slots: usize,
    },
    /// Updates of one round have different lengths.
    #[error(
        "the update of slot {slot} has {found} entries, expected {expected}: \
         all updates of a round have the model's dimension"
    )]
    LengthMismatch {
        /// The slot whose update differs from the first one.
        slot: usize,
        /// Entries of the first update.
        expected: usize,
        /// Entries of this update.
        found: usize,
    },
    /// An update so long that the sums are no longer exact.
    #[error("updates have {dimension} entries: a model must have fewer than {DIMENSION_LIMIT} parameters")]
    TooLong {
        /// Entries of an update.
        dimension: usize,
    },
    /// The length of the upper triangle does not match `slots`.
    #[error(
        "the upper triangle for {slots} slots has {found} entries, expected {expected}: list it row by row, i <= j"
    )]
    UpperLength {
        /// Slots of the matrix.
        slots: usize,
        /// `slots * (slots + 1) / 2`.
        expected: usize,
        /// Entries given.
        found: usize,
    },
}

/// A symmetric `N x N` matrix of integers, zero in the rows of inactive slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GramMatrix {
    slots: usize,
    upper: Vec<i64>,
}

impl GramMatrix {
    /// `G_ij = <u_i, u_j>` for the updates given, exact; `None` stands for an inactive slot.
    ///
    /// The products run as dense `f64` products: every partial sum is an integer below `2^30 d < 2^52`
    /// (docs/protocol.md 2), which `f64` holds exactly whatever the order of the additions.
    ///
    /// # Errors
    /// No slot or more than [`MAX_SLOTS`], updates of different lengths, or [`DIMENSION_LIMIT`] entries and more.
    pub fn compute(slots: &[Option<&[i16]>]) -> Result<Self, GramError> {
        check_slot_count(slots.len())?;
        let present: Vec<(usize, &[i16])> =
            slots.iter().enumerate().filter_map(|(slot, update)| update.map(|u| (slot, u))).collect();
        let dimension = present.first().map_or(0, |(_, update)| update.len());
        if dimension >= DIMENSION_LIMIT as usize {
            return Err(GramError::TooLong { dimension });
        }
        for (slot, update) in &present {
            if update.len() != dimension {
                return Err(GramError::LengthMismatch {
                    slot: *slot,
                    expected: dimension,
                    found: update.len(),
                });
            }
        }
        let rows = present.len();
        let dense = products(&present, dimension);
        let mut upper = vec![0i64; triangle(slots.len())];
        for (a, (i, _)) in present.iter().enumerate() {
            for (b, (j, _)) in present.iter().enumerate().skip(a) {
                upper[upper_index(slots.len(), *i, *j)] = dense[a * rows + b];
            }
        }
        Ok(Self { slots: slots.len(), upper })
    }

    /// The matrix with this upper triangle, row by row, `i <= j`. The rules check the entries' ranges.
    ///
    /// # Errors
    /// No slot or more than [`MAX_SLOTS`], or a triangle of another length.
    pub fn from_upper(slots: usize, upper: Vec<i64>) -> Result<Self, GramError> {
        check_slot_count(slots)?;
        let expected = triangle(slots);
        if upper.len() != expected {
            return Err(GramError::UpperLength { slots, expected, found: upper.len() });
        }
        Ok(Self { slots, upper })
    }

    /// The number `N` of slots.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// `G_ij`.
    ///
    /// # Panics
    /// When `i` or `j` is not below [`Self::slots`], like indexing a slice.
    pub fn get(&self, i: usize, j: usize) -> i64 {
        assert!(
            i < self.slots && j < self.slots,
            "entry ({i}, {j}) of a gram matrix of {} slots",
            self.slots
        );
        self.upper[upper_index(self.slots, i.min(j), i.max(j))]
    }

    /// The upper triangle row by row, `i <= j`.
    pub fn upper(&self) -> &[i64] {
        &self.upper
    }
}

fn check_slot_count(slots: usize) -> Result<(), GramError> {
    if slots == 0 || slots > MAX_SLOTS {
        return Err(GramError::SlotCount { slots });
    }
    Ok(())
}

fn triangle(slots: usize) -> usize {
    slots * (slots + 1) / 2
}

/// Position of `(i, j)`, `i <= j`, in the upper triangle.
fn upper_index(slots: usize, i: usize, j: usize) -> usize {
    i * slots + j - i * (i + 1) / 2
}

/// The full `n x n` matrix of products, blocks of coordinates spread over the threads.
fn products(updates: &[(usize, &[i16])], dimension: usize) -> Vec<i64> {
    let n = updates.len();
    (0..dimension.div_ceil(BLOCK))
        .into_par_iter()
        .fold(
            || (vec![0f64; n * n], vec![0f64; n * BLOCK]),
            |(mut sums, mut block), index| {
                let from = index * BLOCK;
                let width = BLOCK.min(dimension - from);
                for (row, (_, update)) in block.chunks_exact_mut(BLOCK).zip(updates) {
                    for (entry, value) in row.iter_mut().zip(&update[from..from + width]) {
                        *entry = f64::from(*value);
                    }
                }
                add_block(&mut sums, &block, n, width);
                (sums, block)
            },
        )
        .map(|(sums, _)| sums)
        .reduce(
            || vec![0f64; n * n],
            |mut left, right| {
                left.iter_mut().zip(&right).for_each(|(a, b)| *a += b);
                left
            },
        )
        .into_iter()
        .map(|sum| sum as i64) // an integer below 2^52: exact
        .collect()
}

/// `sums += A A'` for the first `width` columns of `A`, `n` rows of `BLOCK` entries.
#[expect(
    unsafe_code,
    reason = "matrixmultiply offers dgemm on raw pointers alone; the bounds stand in the assertions"
)]
fn add_block(sums: &mut [f64], block: &[f64], n: usize, width: usize) {
    assert!(sums.len() == n * n && block.len() == n * BLOCK && width <= BLOCK);
    // SAFETY: with the strides given, the reads end at block[(n - 1) * BLOCK + width - 1] and the writes at
    // sums[n * n - 1], both inside by the assertion; `sums` is borrowed mutably, so it does not overlap `block`.
    unsafe {
        matrixmultiply::dgemm(
            n,
            width,
            n,
            1.0,
            block.as_ptr(),
            BLOCK as isize,
            1,
            block.as_ptr(),
            1,
            BLOCK as isize,
            1.0,
            sums.as_mut_ptr(),
            n as isize,
            1,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(a: &[i16], b: &[i16]) -> i64 {
        a.iter().zip(b).map(|(x, y)| i64::from(*x) * i64::from(*y)).sum()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn equals_the_sums_in_integers(
            (dimension, rows) in (1usize..5000).prop_flat_map(|d| {
                (Just(d), prop::collection::vec(prop::option::of(prop::collection::vec(any::<i16>(), d)), 1..20))
            })
        ) {
            let slots: Vec<Option<&[i16]>> = rows.iter().map(Option::as_deref).collect();
            let gram = GramMatrix::compute(&slots).unwrap();
            prop_assert_eq!(gram.upper().len(), triangle(rows.len()));
            prop_assert!(slots.iter().flatten().all(|u| u.len() == dimension));
            for (i, a) in slots.iter().enumerate() {
                for (j, b) in slots.iter().enumerate() {
                    let expected = a.zip(*b).map_or(0, |(a, b)| naive(a, b));
                    prop_assert_eq!(gram.get(i, j), expected);
                }
            }
        }
    }

    #[test]
    fn extremes_over_many_blocks_are_exact() {
        let low = vec![i16::MIN; (1 << 20) + 3];
        let high = vec![i16::MAX; (1 << 20) + 3];
        let gram = GramMatrix::compute(&[Some(&low), None, Some(&high)]).unwrap();
        assert_eq!(gram.get(0, 0), ((1 << 20) + 3) << 30);
        assert_eq!(gram.get(2, 0), naive(&low, &high));
        assert_eq!(gram.get(2, 2), naive(&high, &high));
        assert_eq!(gram.get(1, 2), 0);
    }

    #[test]
    fn wrong_shapes_are_refused_by_name() {
        assert_eq!(GramMatrix::compute(&[]), Err(GramError::SlotCount { slots: 0 }));
        assert_eq!(GramMatrix::compute(&[None; 129]), Err(GramError::SlotCount { slots: 129 }));
        let (a, b) = (vec![1i16; 4], vec![1i16; 5]);
        assert_eq!(
            GramMatrix::compute(&[None, Some(&a), Some(&b)]),
            Err(GramError::LengthMismatch { slot: 2, expected: 4, found: 5 })
        );
        let dimension = DIMENSION_LIMIT as usize;
        let long = vec![0i16; dimension];
        assert_eq!(GramMatrix::compute(&[Some(&long)]), Err(GramError::TooLong { dimension }));
        assert_eq!(
            GramMatrix::from_upper(3, vec![0; 5]),
            Err(GramError::UpperLength { slots: 3, expected: 6, found: 5 })
        );
        assert!(GramMatrix::compute(&[None, None]).unwrap().upper().iter().all(|x| *x == 0));
    }

    #[test]
    fn the_upper_triangle_goes_row_by_row() {
        let gram = GramMatrix::from_upper(3, vec![1, 2, 3, 4, 5, 6]).unwrap();
        let rows: Vec<Vec<i64>> = (0..3).map(|i| (0..3).map(|j| gram.get(i, j)).collect()).collect();
        assert_eq!(rows, [[1, 2, 3], [2, 4, 5], [3, 5, 6]]);
    }
}
