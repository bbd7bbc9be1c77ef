//! The rule "agreement" for projects without evaluators: signals by what the other trainers' updates agree on.

use super::policy::SignalPolicy;
use super::products::RoundProducts;
use super::public_span::{PublicSpan, FRACTION_BITS};
use super::round::{cut_signals, Clipped, RoundSignals};
use crate::bounds::ONE;
use crate::rules::RuleError;
use crate::slot_mask::SlotMask;
use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::ToPrimitive;

/// A cosine of 0.05 and of 0.02, in `2^-16`.
const LOOSE_GAP: i64 = 3_277;
const LOOSE_LEAST: i64 = -1_311;

/// Who is an outlier by its agreement with the others, history included. `m` is the lower median of the agreements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// Below `min(m / 8, 0)`.
    Strict,
    /// Below `min(m - |m| / 4 - 0.05, -0.02)`.
    Loose,
}

/// Assesses a round by the agreement of the updates with one another.
///
/// `q_i` is the mean over `j != i` of `s_j <u_i', u_j>` without its two fifths at either end, over `length_i tau`, with
/// `u_i'` the update less its projection on the public steps. The slots that are no outliers enter the model with
/// equal weights, clipped.
///
/// # Errors
/// Fewer than three active slots, a mask beyond the trainers' slots, or a matrix with entries out of range.
pub fn signals_by_agreement(
    products: &RoundProducts,
    active: impl Into<SlotMask>,
    policy: &SignalPolicy,
    strictness: Strictness,
) -> Result<RoundSignals, RuleError> {
    let active = active.into();
    let clipped = Clipped::new(products, active, policy)?;
    let span = PublicSpan::new(&products.history);
    let slots = products.trainers();

    let (mut signals, mut agreements) = (vec![0; slots], vec![0i64; slots]);
    for &i in &clipped.on {
        let x = span.project(&products.with_history[i]);
        let beyond = |j: usize| -> BigInt {
            let moved: BigInt = x.iter().zip(&products.with_history[j]).map(|(x, b)| x * b).sum();
            (BigInt::from(products.gram.get(i, j)) << FRACTION_BITS) + moved
        };
        let signal = trimmed_cosine(&clipped, i, FRACTION_BITS, beyond);
        signals[i] = u32::try_from(signal.clamp(0, i64::from(ONE))).expect("clamped to 0 ..= 2^16");
        agreements[i] = trimmed_cosine(&clipped, i, 0, |j| BigInt::from(products.gram.get(i, j)));
    }

    cut_signals(&mut signals, &clipped, policy);
    let median = clipped.median(&agreements);
    let least = match strictness {
        Strictness::Strict => median.div_euclid(8).min(0),
        Strictness::Loose => (median - median.abs() / 4 - LOOSE_GAP).min(LOOSE_LEAST),
    };
    let kept: SlotMask = clipped.on.iter().copied().filter(|i| agreements[*i] >= least).collect();
    for i in (0..slots).filter(|i| !kept.contains(*i)) {
        signals[i] = 0;
    }
    let weights = clipped.equal_weights(kept);
    Ok(RoundSignals { signals, kept, weights })
}

/// The trimmed mean of the row of slot `i` in cosine units, `2^-16`: `floor(sum s_j product(j) / (2^fraction (length_i + 1)
/// (tau + 1) count))`, the sum without its two fifths at either end.
fn trimmed_cosine(clipped: &Clipped, i: usize, fraction: u32, product: impl Fn(usize) -> BigInt) -> i64 {
    let mut row: Vec<BigInt> =
        clipped.on.iter().filter(|j| **j != i).map(|&j| product(j) * clipped.clip_factors[j]).collect();
    row.sort_unstable();
    let active = clipped.on.len();
    let trim = (2 * active / 5).min((active - 2) / 2);
    let middle = &row[trim..row.len() - trim];
    let sum: BigInt = middle.iter().sum();
    let divisor = (BigInt::from(clipped.lengths[i]) + 1) * (BigInt::from(clipped.tau) + 1) * middle.len();
    sum.div_floor(&(divisor << fraction)).to_i64().expect("a cosine, times 2^16")
}

#[cfg(test)]
#[path = "agreement_tests.rs"]
mod tests;
