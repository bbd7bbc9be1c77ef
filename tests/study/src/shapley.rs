//! Exact Shapley values of a round: what each update adds to every coalition (Shapley 1953; by round as in Wang et al.
//! 2020, "A principled approach to data valuation for federated learning").

use fairshare_protocol::Model;
use fairshare_trainer::{evaluate, Dataset};

/// The fall of the held-out loss by the mean update of every coalition, indexed by its mask; 0 for the empty one.
///
/// # Errors
/// Updates of another shape than the model.
pub(crate) fn coalition_values(
    model: &Model,
    at: &[f32],
    updates: &[Vec<i16>],
    held_out: &Dataset,
) -> eyre::Result<Vec<f64>> {
    let unit = 1.0 / f64::from(1u32 << 14);
    let before = evaluate(model, at, held_out)?.loss;
    (0u32..1 << updates.len())
        .map(|mask| {
            if mask == 0 {
                return Ok(0.0);
            }
            let members: Vec<&Vec<i16>> =
                updates.iter().enumerate().filter(|(i, _)| mask >> i & 1 == 1).map(|(_, u)| u).collect();
            let moved: Vec<f32> = at
                .iter()
                .enumerate()
                .map(|(e, start)| {
                    let sum: i64 = members.iter().map(|u| i64::from(u[e])).sum();
                    start + (sum as f64 / members.len() as f64 * unit) as f32
                })
                .collect();
            Ok(before - evaluate(model, &moved, held_out)?.loss)
        })
        .collect()
}

/// The Shapley value of each of `n` players from the values of all `2^n` coalitions.
pub(crate) fn shapley(values: &[f64], n: usize) -> Vec<f64> {
    let factorial = |k: usize| (1..=k).map(|x| x as f64).product::<f64>();
    let weight: Vec<f64> = (0..n).map(|s| factorial(s) * factorial(n - 1 - s) / factorial(n)).collect();
    (0..n)
        .map(|i| {
            (0..values.len())
                .filter(|mask| mask >> i & 1 == 0)
                .map(|mask| weight[mask.count_ones() as usize] * (values[mask | 1 << i] - values[mask]))
                .sum()
        })
        .collect()
}

/// Spearman's rank correlation; ranks of equal values are their mean. 0 where one side does not vary.
pub(crate) fn spearman(a: &[f64], b: &[f64]) -> f64 {
    let (a, b) = (ranks(a), ranks(b));
    let middle = (a.len() as f64 - 1.0) / 2.0;
    let product =
        |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| (x - middle) * (y - middle)).sum::<f64>();
    let spread = (product(&a, &a) * product(&b, &b)).sqrt();
    if spread > 0.0 {
        product(&a, &b) / spread
    } else {
        0.0
    }
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let below = |v: f64| values.iter().filter(|x| **x < v).count() as f64;
    let equal = |v: f64| values.iter().filter(|x| **x == v).count() as f64;
    values.iter().map(|v| below(*v) + (equal(*v) - 1.0) / 2.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The glove game: two left gloves, one right one; a pair is worth 1. Its values are in every textbook.
    #[test]
    fn the_glove_game_has_its_known_values() {
        let value = |mask: usize| f64::from(u8::from(mask & 0b100 != 0 && mask & 0b011 != 0));
        let values: Vec<f64> = (0..8).map(value).collect();
        let known = [1.0 / 6.0, 1.0 / 6.0, 4.0 / 6.0];
        assert!(shapley(&values, 3).iter().zip(known).all(|(v, k)| (v - k).abs() < 1e-12));
    }

    #[test]
    fn ranks_correlate_as_their_order_does() {
        assert!((spearman(&[1.0, 2.0, 9.0], &[10.0, 20.0, 21.0]) - 1.0).abs() < 1e-12);
        assert!((spearman(&[1.0, 2.0, 3.0], &[3.0, 2.0, 1.0]) + 1.0).abs() < 1e-12);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), 0.0);
        assert!((spearman(&[1.0, 1.0, 2.0], &[1.0, 2.0, 3.0]) - 0.866_025_4).abs() < 1e-6);
    }
}
