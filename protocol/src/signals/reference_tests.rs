use super::*;
use proptest::prelude::*;

const POLICY: SignalPolicy = SignalPolicy { theta: 32, floor: 0, norm_ceiling: u64::MAX };

fn assess(updates: &[&[i16]], references: &[&[i16]], history: &[&[i64]]) -> RoundSignals {
    assess_under(updates, references, history, POLICY)
}

fn assess_under(
    updates: &[&[i16]],
    references: &[&[i16]],
    history: &[&[i64]],
    policy: SignalPolicy,
) -> RoundSignals {
    let (u, r): (Vec<_>, Vec<_>) =
        (updates.iter().copied().map(Some).collect(), references.iter().copied().map(Some).collect());
    let products = RoundProducts::compute(&u, &r, history).unwrap();
    signals_by_reference(&products, SlotMask::lowest(updates.len() as u32), &policy).unwrap()
}

/// By hand: the step points along x, so only y and z count. The reference beyond it is (0, 300, 400), of length 500.
/// All updates have the length 1000, so a cosine is the product over 1001 * 501 (and some rounding).
#[test]
fn signal_is_the_cosine_beyond_the_public_step() {
    let round = assess(
        &[&[1000, 0, 0], &[0, 600, 800], &[0, -1000, 0], &[800, 600, 0]],
        &[&[500, 300, 400]],
        &[&[7 << 16, 0, 0]],
    );
    let near = |q: u32, cosine: f64| (f64::from(q) / 65_536.0 - cosine).abs() < 0.005;
    assert_eq!((round.signals[0], round.signals[2]), (0, 0), "a public step, and one turned away");
    assert!(near(round.signals[1], 1.0) && near(round.signals[3], 0.36), "{:?}", round.signals);
    assert_eq!(round.kept, SlotMask::from_slots([1usize, 3]));
    // Beside the plain reference all but the turned one help, one third each.
    assert_eq!(round.weights, [21_845, 21_845, 0, 21_845]);
}

#[test]
fn a_long_update_is_clipped_to_the_median_and_all_to_the_ceiling() {
    let plain = assess(&[&[100, 0], &[100, 0], &[10_000, 0]], &[&[50, 0]], &[]);
    assert_eq!(plain.signals[0], plain.signals[1]);
    // Its clipped form is as long as theirs: the same signal, but for rounding by one over its length.
    assert!(plain.signals[2] >= plain.signals[0] && plain.signals[2] - plain.signals[0] < 1_000);
    assert_eq!(plain.weights, [21_845, 21_845, 218], "a hundredth of a third");
    let ceiling = SignalPolicy { norm_ceiling: 50, ..POLICY };
    let low = assess_under(&[&[100, 0], &[100, 0], &[100, 0]], &[&[50, 0]], &[], ceiling);
    assert_eq!(low.weights, [10_922; 3], "a third, clipped by half");
}

#[test]
fn nobody_moves_the_model_by_more_than_two_parts() {
    let round = assess(&[&[100, 0], &[-100, 0], &[-100, 1], &[-100, -1]], &[&[100, 1]], &[]);
    assert_eq!(round.weights, [32_768, 0, 0, 0]);
}

#[test]
fn three_evaluators_give_their_median_and_two_the_floor_of_the_mean() {
    let updates: [&[i16]; 3] = [&[1000, 0], &[0, 1000], &[700, 700]];
    let one = |r: &[i16]| assess(&updates, &[r], &[]).signals;
    let references: [&[i16]; 3] = [&[900, 100], &[500, 500], &[100, 900]];
    let each: Vec<Vec<u32>> = references.iter().map(|r| one(r)).collect();
    let three = assess(&updates, &references, &[]).signals;
    let two = assess(&updates, &references[..2], &[]).signals;
    for i in 0..3 {
        let mut sorted = [each[0][i], each[1][i], each[2][i]];
        sorted.sort_unstable();
        assert_eq!(three[i], sorted[1]);
        assert_eq!(two[i], (each[0][i] + each[1][i]) / 2);
    }
}

#[test]
fn half_of_four_evaluators_cannot_give_a_signal() {
    let (friend, honest): (&[i16], &[i16]) = (&[0, 1000], &[1000, 0]);
    let round = assess(&[friend, honest, honest], &[honest, honest, friend, friend], &[]);
    assert_eq!((round.signals[0], round.weights[0]), (0, 0));
}

#[test]
fn without_a_reference_nothing_is_paid_and_the_model_stays() {
    for references in [&[][..], &[&[0i16, 0][..]]] {
        let round = assess(&[&[1, 2], &[3, 4], &[5, 6]], references, &[]);
        assert_eq!((round.signals, round.weights), (vec![0; 3], vec![0; 3]));
    }
}

#[test]
fn a_reference_in_the_public_span_counts_as_absent() {
    let round = assess(&[&[100, 3, 0], &[90, 0, 5], &[80, 1, 1]], &[&[30, 0, 0]], &[&[1 << 20, 0, 0]]);
    assert_eq!(round.signals, [0; 3]);
    assert!(round.weights.iter().all(|w| *w > 0), "the step follows the plain reference");
}

#[test]
fn a_round_without_news_has_no_outliers() {
    let floor = SignalPolicy { floor: 2_621, ..POLICY };
    let updates: [&[i16]; 3] = [&[1000, 10, 0], &[1000, 0, -10], &[1000, 20, 0]];
    let round = assess_under(&updates, &[&[1000, 900, 0]], &[&[1 << 20, 0, 0]], floor);
    assert_eq!((round.signals.clone(), round.kept), (vec![0; 3], SlotMask::lowest(3)), "{:?}", round.signals);
}

#[test]
fn masks_that_do_not_fit_the_matrix_are_refused() {
    let u: &[i16] = &[1, 2];
    let products = RoundProducts::compute(&[Some(u); 4], &[Some(u)], &[]).unwrap();
    let refused =
        |mask: u128| signals_by_reference(&products, SlotMask::from_bits(mask), &POLICY).unwrap_err();
    assert_eq!(refused(0b11), RuleError::TooFewActive { active: 2 });
    assert!(
        matches!(refused(0b11111), RuleError::MaskBeyondSlots { slots: 4, .. }),
        "a reference is no trainer"
    );
    assert!(matches!(refused(0b0111), RuleError::InactiveEntry { .. }), "slot 3 has an update");
}

fn vectors(count: usize) -> impl Strategy<Value = Vec<Vec<i16>>> {
    prop::collection::vec(prop::collection::vec(-2_000i16..2_000, 6), count)
}

proptest! {
    #[test]
    fn weights_sum_to_at_most_one_and_signals_are_cosines(
        updates in vectors(7), references in vectors(3),
        history in prop::collection::vec(prop::collection::vec(-(1i64 << 31)..1 << 31, 6), 0..4),
    ) {
        let history: Vec<&[i64]> = history.iter().map(Vec::as_slice).collect();
        let updates: Vec<&[i16]> = updates.iter().map(Vec::as_slice).collect();
        let references: Vec<&[i16]> = references.iter().map(Vec::as_slice).collect();
        let round = assess(&updates, &references, &history);
        prop_assert!(round.weights.iter().sum::<u32>() <= ONE);
        prop_assert!(round.signals.iter().all(|q| *q <= ONE));
        // The order of the trainers does not matter.
        let turned: Vec<&[i16]> = updates.iter().rev().copied().collect();
        let other = assess(&turned, &references, &history);
        prop_assert_eq!(round.signals.iter().rev().copied().collect::<Vec<_>>(), other.signals);
        prop_assert_eq!(round.weights.iter().rev().copied().collect::<Vec<_>>(), other.weights);
    }

    /// Who posts a combination of public steps earns nothing, beside honest trainers who agree with the reference.
    #[test]
    fn a_combination_of_public_steps_has_no_signal(
        steps in prop::collection::vec(prop::collection::vec(-200i64..200, 8), 1..4),
        mix in prop::collection::vec(-4i64..4, 4),
        honest in prop::collection::vec(prop::collection::vec(-500i16..500, 8), 4),
    ) {
        let ridden: Vec<i16> =
            (0..8).map(|e| steps.iter().zip(&mix).map(|(s, m)| s[e] * m).sum::<i64>() as i16).collect();
        let model_steps: Vec<Vec<i64>> = steps.iter().map(|s| s.iter().map(|e| e << 16).collect()).collect();
        let rows: Vec<&[i64]> = model_steps.iter().map(Vec::as_slice).collect();
        // Steps that nearly are sums of the others do not count as rows, so what lies along them is not covered.
        let with = |v: &[i16]| {
            let products = RoundProducts::compute(&[Some(v)], &[], &rows).unwrap();
            PublicSpan::new(&products.history).rank()
        };
        prop_assume!(with(&ridden) == steps.len());
        let mut updates: Vec<&[i16]> = honest.iter().map(Vec::as_slice).collect();
        updates.push(&ridden);
        let round = assess(&updates, &[&[90, -70, 50, 30, -10, 80, -60, 40]], &rows);
        prop_assert!(round.signals[4] <= 1, "{}", round.signals[4]);
    }
}
