//! The inner products that the rules need of a round.

use crate::gram::{GramError, GramMatrix};
use rayon::prelude::*;

/// Entries of history rows are below it: a step of the model is below `2^31`, the sum of 1,000 of them below `2^41`.
const HISTORY_LIMIT: u64 = 1 << 42;

/// Inner products of a round's vectors. Everything that a rule sees of them. They are made from vectors alone, so the
/// inequality of Cauchy and Schwarz holds for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundProducts {
    /// Of the trainers' updates and, in the last `references` slots, of the evaluators' references.
    pub(super) gram: GramMatrix,
    /// How many of the last slots are references.
    pub(super) references: usize,
    /// `with_history[i][k] = <u_i, h_k>`, one row a slot of `gram`, zeros for an absent one; below `2^79`.
    pub(super) with_history: Vec<Vec<i128>>,
    /// `history[k][l] = <h_k, h_l>`; below `2^105`.
    pub(super) history: Vec<Vec<i128>>,
}

impl RoundProducts {
    /// The inner products of the trainers' updates, the evaluators' references, and the public steps of the model in
    /// fixed point. All have the model's dimension; an absent update or reference is `None`.
    ///
    /// # Errors
    /// As [`GramMatrix::compute`], for updates and references together; a history row of another length counts as the slot
    /// after the last; entries of history rows of `2^42` and more.
    pub fn compute(
        updates: &[Option<&[i16]>],
        references: &[Option<&[i16]>],
        history: &[&[i64]],
    ) -> Result<Self, GramError> {
        let slots: Vec<Option<&[i16]>> = updates.iter().chain(references).copied().collect();
        let gram = GramMatrix::compute(&slots)?;
        let dimension = slots.iter().flatten().next().map_or(0, |u| u.len());
        if let Some(row) = history.iter().find(|row| row.len() != dimension) {
            return Err(GramError::LengthMismatch {
                slot: slots.len(),
                expected: dimension,
                found: row.len(),
            });
        }
        let large = |row: &&[i64]| row.iter().copied().find(|e| e.unsigned_abs() >= HISTORY_LIMIT);
        if let Some(value) = history.iter().find_map(large) {
            return Err(GramError::HistoryEntry { value });
        }
        let with_history = slots
            .par_iter()
            .map(|slot| match slot {
                Some(update) => history.iter().map(|row| dot(update, row)).collect(),
                None => vec![0; history.len()],
            })
            .collect();
        let history = history.par_iter().map(|a| history.iter().map(|b| dot(a, b)).collect()).collect();
        Ok(Self { gram, references: references.len(), with_history, history })
    }

    /// Number of trainers' slots.
    pub fn trainers(&self) -> usize {
        self.gram.slots() - self.references
    }
}

/// At most `2^22` entries of 16 or 42 bits times 42 bits: below `2^106`.
fn dot<T: Copy + Into<i128>>(a: &[T], b: &[i64]) -> i128 {
    a.iter().zip(b).map(|(x, y)| (*x).into() * i128::from(*y)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_updates_references_and_history_are_the_inner_products() {
        let (u, r): (&[i16], &[i16]) = (&[1, -2, 3], &[4, 5, -6]);
        let (h1, h2): (&[i64], &[i64]) = (&[1 << 41, 0, 1], &[0, -7, 0]);
        let products = RoundProducts::compute(&[Some(u), None], &[Some(r)], &[h1, h2]).unwrap();
        assert_eq!((products.trainers(), products.gram.get(0, 2)), (2, 4 - 10 - 18));
        assert_eq!(products.with_history, [[(1 << 41) + 3, 14], [0, 0], [(1 << 43) - 6, -35]]);
        assert_eq!(products.history, [[(1 << 82) + 1, 0], [0, 49]]);
    }

    #[test]
    fn history_of_another_length_or_size_is_refused() {
        let u: &[i16] = &[1, 2];
        let error = RoundProducts::compute(&[Some(u)], &[], &[&[1, 2, 3]]).unwrap_err();
        assert_eq!(error, GramError::LengthMismatch { slot: 1, expected: 2, found: 3 });
        for value in [1 << 42, i64::MIN] {
            let error = RoundProducts::compute(&[Some(u)], &[], &[&[0, value]]).unwrap_err();
            assert_eq!(error, GramError::HistoryEntry { value });
        }
    }
}
