//! Coherence: how much the kept updates agree in direction. It drives the learning rate.

use super::error::RuleError;
use crate::bounds::ONE;
use crate::gram::GramMatrix;

/// `floor(2^16 w'Gw / (sum w * sum_i w_i G_ii))`, in `0 ..= 2^16`; 0 when the denominator is 0.
///
/// `2^16` when all weighted updates are equal, about `2^16 / m` when `m` of them are unrelated noise. `weights` has one
/// entry a slot, each up to `2^16`; entries of `gram` lie within `2^52`, so all of it stays below `2^116`.
///
/// # Errors
/// A wrong number of weights, or a matrix that is not a Gram matrix: for every Gram matrix
/// `|sum w_i u_i|^2 <= sum w * sum w_i |u_i|^2` holds (Jensen).
pub fn coherence(gram: &GramMatrix, weights: &[u32]) -> Result<u32, RuleError> {
    let slots = gram.slots();
    if weights.len() != slots {
        return Err(RuleError::WeightCount { slots, found: weights.len() });
    }
    let entry = |i: usize, j: usize| i128::from(gram.get(i, j));
    let weight = |i: usize| i128::from(weights[i]);
    let weighted: Vec<usize> = (0..slots).filter(|i| weights[*i] != 0).collect();
    let step: i128 = weighted
        .iter()
        .map(|i| weight(*i) * weighted.iter().map(|j| weight(*j) * entry(*i, *j)).sum::<i128>())
        .sum();
    let total: i128 = weighted.iter().map(|i| weight(*i)).sum();
    let parts: i128 = weighted.iter().map(|i| weight(*i) * entry(*i, *i)).sum();
    let denominator = total * parts;
    if denominator == 0 {
        return Ok(0);
    }
    let value = (step * i128::from(ONE)).div_euclid(denominator);
    match u32::try_from(value) {
        Ok(coherence) if coherence <= ONE => Ok(coherence),
        _ => Err(RuleError::NotAGramMatrix { value }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gram(updates: &[&[i16]]) -> GramMatrix {
        GramMatrix::compute(&updates.iter().map(|u| Some(*u)).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn equal_updates_are_wholly_coherent() {
        let u: &[i16] = &[3, -4, 100];
        assert_eq!(coherence(&gram(&[u, u, u]), &[10_000, 20_000, 30_000]), Ok(65_536));
        let extreme: &[i16] = &[i16::MIN; 4096];
        assert_eq!(coherence(&gram(&[extreme; 16]), &[4096; 16]), Ok(65_536));
    }

    #[test]
    fn orthogonal_updates_give_one_over_their_number() {
        let g = gram(&[&[5, 0, 0, 0], &[0, 5, 0, 0], &[0, 0, 5, 0], &[0, 0, 0, 5]]);
        assert_eq!(coherence(&g, &[16_384; 4]), Ok(16_384));
    }

    #[test]
    fn opposite_updates_cancel() {
        assert_eq!(coherence(&gram(&[&[7, 1], &[-7, -1]]), &[100, 100]), Ok(0));
    }

    #[test]
    fn no_weight_or_no_length_is_no_coherence() {
        assert_eq!(coherence(&gram(&[&[7], &[7]]), &[0, 0]), Ok(0));
        assert_eq!(coherence(&gram(&[&[0], &[0]]), &[32_768, 32_768]), Ok(0));
    }

    #[test]
    fn a_matrix_of_no_vectors_is_refused() {
        let g = GramMatrix::from_upper(2, vec![1, 5, 1]).unwrap();
        assert_eq!(coherence(&g, &[1, 1]), Err(RuleError::NotAGramMatrix { value: 3 * 65_536 }));
        let g = GramMatrix::from_upper(2, vec![1, -5, 1]).unwrap();
        assert_eq!(coherence(&g, &[1, 1]), Err(RuleError::NotAGramMatrix { value: -2 * 65_536 }));
        assert_eq!(coherence(&g, &[1]), Err(RuleError::WeightCount { slots: 2, found: 1 }));
    }
}
