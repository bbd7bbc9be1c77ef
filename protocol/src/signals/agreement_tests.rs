use super::*;
use proptest::prelude::*;

const POLICY: SignalPolicy = SignalPolicy { theta: 32, floor: 0, norm_ceiling: u64::MAX };

fn assess(updates: &[&[i16]], history: &[&[i64]], strictness: Strictness) -> RoundSignals {
    let slots: Vec<_> = updates.iter().copied().map(Some).collect();
    let products = RoundProducts::compute(&slots, &[], history).unwrap();
    signals_by_agreement(&products, SlotMask::lowest(updates.len() as u32), &POLICY, strictness).unwrap()
}

#[test]
fn equal_updates_agree_wholly_and_share_the_step() {
    let equal: [&[i16]; 5] = [&[3000, 4000]; 5];
    let round = assess(&equal, &[], Strictness::Strict);
    // 2^16 (5000 / 5001)^2, floored.
    assert_eq!((round.signals, round.weights), (vec![65_509; 5], vec![13_107; 5]));
}

#[test]
fn what_lies_along_the_public_step_is_no_signal() {
    // All agree along x, which is public, and two of them along y.
    let updates: [&[i16]; 5] = [&[1000, 0, 0], &[1000, 0, 0], &[800, 600, 0], &[800, 600, 0], &[800, 600, 1]];
    let round = assess(&updates, &[&[1 << 30, 0, 0]], Strictness::Strict);
    assert_eq!(round.signals[..2], [0, 0]);
    assert!(round.signals[2..].iter().all(|q| *q > 5_000), "{:?}", round.signals);
    assert_eq!(round.kept, SlotMask::lowest(5), "who brings no news is no outlier");
}

#[test]
fn a_turned_update_is_an_outlier_without_pay_or_weight() {
    for strictness in [Strictness::Strict, Strictness::Loose] {
        let updates: [&[i16]; 5] = [&[1000, 50], &[1000, -50], &[990, 0], &[1010, 10], &[-1000, 0]];
        let round = assess(&updates, &[], strictness);
        assert_eq!(round.kept, SlotMask::lowest(4));
        assert_eq!((round.signals[4], round.weights[4]), (0, 0));
    }
}

#[test]
fn two_fifths_of_clones_cannot_lift_one_another() {
    // Two clones of five: their row holds one product with a clone and three with honest ones; trimming leaves the middle.
    let updates: [&[i16]; 5] = [&[1000, 0, 0], &[990, 10, 0], &[1000, 0, 10], &[0, 0, -1000], &[0, 0, -1000]];
    let round = assess(&updates, &[], Strictness::Strict);
    assert_eq!(round.signals[3..], [0, 0]);
}

#[test]
fn fewer_than_three_are_refused() {
    let u: &[i16] = &[1, 2];
    let products = RoundProducts::compute(&[Some(u), Some(u)], &[], &[]).unwrap();
    let error =
        signals_by_agreement(&products, SlotMask::lowest(2), &POLICY, Strictness::Strict).unwrap_err();
    assert_eq!(error, RuleError::TooFewActive { active: 2 });
}

proptest! {
    #[test]
    fn weights_sum_to_at_most_one_and_the_order_does_not_matter(
        updates in prop::collection::vec(prop::collection::vec(-2_000i16..2_000, 6), 3..9),
        history in prop::collection::vec(prop::collection::vec(-(1i64 << 31)..1 << 31, 6), 0..4),
        loose: bool,
    ) {
        let strictness = if loose { Strictness::Loose } else { Strictness::Strict };
        let history: Vec<&[i64]> = history.iter().map(Vec::as_slice).collect();
        let updates: Vec<&[i16]> = updates.iter().map(Vec::as_slice).collect();
        let turned: Vec<&[i16]> = updates.iter().rev().copied().collect();
        let (round, other) = (assess(&updates, &history, strictness), assess(&turned, &history, strictness));
        prop_assert!(round.weights.iter().sum::<u32>() <= ONE);
        prop_assert!(round.signals.iter().all(|q| *q <= ONE));
        prop_assert_eq!(round.signals.iter().rev().copied().collect::<Vec<_>>(), other.signals);
        prop_assert_eq!(round.weights.iter().rev().copied().collect::<Vec<_>>(), other.weights);
    }
}
