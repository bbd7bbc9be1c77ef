//! The rule "reference": signals by the updates of evaluators, who hold validation data.

use super::policy::SignalPolicy;
use super::products::RoundProducts;
use super::public_span::{PublicSpan, FRACTION_BITS};
use super::round::{cut_signals, Clipped, RoundSignals};
use crate::bounds::ONE;
use crate::fixed_point::{isqrt, lower_median};
use crate::rules::RuleError;
use crate::slot_mask::SlotMask;
use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive};

/// A reference counts only where at least `2^-16` of its squared length is outside the public span. What remains of
/// one inside it is rounding, which lies along the span, and would pay who posts a public step again.
const SPAN_BITS: u32 = 16;

/// Assesses a round by its references.
///
/// `q_i` is the cosine between the clipped update and the reference less its projection on the public steps; over
/// several evaluators the median, of two the floor of the mean. Every update whose cosine with the plain reference is
/// above 0 enters the model, an outlier's too: it may help the model and bring no news. Without a reference there is no
/// signal and the model stays.
///
/// # Errors
/// Fewer than three active slots, a mask beyond the trainers' slots, or a matrix with entries out of range.
pub fn signals_by_reference(
    products: &RoundProducts,
    active: impl Into<SlotMask>,
    policy: &SignalPolicy,
) -> Result<RoundSignals, RuleError> {
    let active = active.into();
    let clipped = Clipped::new(products, active, policy)?;
    let span = PublicSpan::new(&products.history);
    let trainers = products.trainers();

    let (mut beyond, mut plain) = (Vec::new(), Vec::new());
    for e in trainers..products.gram.slots() {
        if products.gram.get(e, e) == 0 {
            continue;
        }
        plain.push(plain_cosines(products, &clipped, e));
        beyond.extend(cosines_beyond(products, &clipped, &span, e));
    }

    let mut signals = over_evaluators(&beyond, trainers);
    let kept = cut_signals(&mut signals, &clipped, policy);
    let cosines = over_evaluators(&plain, trainers);
    let helpful: SlotMask = clipped.on.iter().copied().filter(|i| cosines[*i] > 0).collect();
    Ok(RoundSignals { weights: clipped.equal_weights(helpful), signals, kept })
}

/// `floor(2^16 max(0, <u_i, r>) / ((length_i + 1) (|r| + 1)))` for every active slot.
fn plain_cosines(products: &RoundProducts, clipped: &Clipped, e: usize) -> Vec<u32> {
    let length = u128::from(isqrt(products.gram.get(e, e).unsigned_abs())) + 1;
    let mut cosines = vec![0; products.trainers()];
    for &i in &clipped.on {
        let product = u128::from(products.gram.get(i, e).max(0).unsigned_abs());
        // Below 2^16 by the inequality of Cauchy and Schwarz.
        cosines[i] = (u128::from(ONE) * product / ((u128::from(clipped.lengths[i]) + 1) * length)) as u32;
    }
    cosines
}

/// The same with `r' = 2^48 r + sum X_k h_k`; `None` for a reference in the public span.
fn cosines_beyond(
    products: &RoundProducts,
    clipped: &Clipped,
    span: &PublicSpan,
    e: usize,
) -> Option<Vec<u32>> {
    let with_history = &products.with_history[e];
    let x = span.project(with_history);
    let whole = i128::from(products.gram.get(e, e));
    let square = span.square_beyond(whole, with_history, &x);
    if (&square << SPAN_BITS) < (BigInt::from(whole) << (2 * FRACTION_BITS)) {
        return None;
    }
    let length: BigInt = square.sqrt() + 1;
    let mut cosines = vec![0; products.trainers()];
    for &i in &clipped.on {
        let moved: BigInt = x.iter().zip(&products.with_history[i]).map(|(x, b)| x * b).sum();
        let product = (BigInt::from(products.gram.get(i, e)) << FRACTION_BITS) + moved;
        if product.is_positive() {
            let cosine: BigInt = (product * ONE) / ((BigInt::from(clipped.lengths[i]) + 1) * &length);
            cosines[i] = cosine.to_u32().expect("a cosine is at most 2^16");
        }
    }
    Some(cosines)
}

/// The lower median over the evaluators, slot by slot, so that half of them can take a signal away and not give one; of
/// two the floor of the mean, since one alone could take all away. Zeros without any.
fn over_evaluators(cosines: &[Vec<u32>], slots: usize) -> Vec<u32> {
    let at = |i: usize| match cosines {
        [] => 0,
        [one] => one[i],
        [one, two] => (one[i] + two[i]) / 2,
        more => {
            let of_slot: Vec<u32> = more.iter().map(|of| of[i]).collect();
            lower_median(&of_slot).expect("there are more than two")
        }
    };
    (0..slots).map(at).collect()
}

#[cfg(test)]
#[path = "reference_tests.rs"]
mod tests;
