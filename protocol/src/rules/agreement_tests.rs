use super::*;
use crate::bounds::MAX_ENTRY;
use proptest::prelude::*;

const THETA: u16 = 32;
const TRIM: u8 = 52;

fn gram_of(updates: &[Vec<i16>]) -> GramMatrix {
    GramMatrix::compute(&updates.iter().map(|u| Some(u.as_slice())).collect::<Vec<_>>()).unwrap()
}

fn assess(
    gram: &GramMatrix,
    active: impl Into<SlotMask>,
    theta: u16,
    trim_count: u32,
) -> Result<Assessment, RuleError> {
    super::assess(gram, active.into(), theta, trim_count)
}

fn detail(assessment: &Assessment) -> &AgreementDetail {
    match &assessment.detail {
        Detail::Agreement(detail) => detail,
        other => panic!("the detail of another rule: {other:?}"),
    }
}

fn run(updates: &[Vec<i16>]) -> Assessment {
    let n = updates.len() as u32;
    let policy = AgreementPolicy { theta: THETA, trim: TRIM };
    assess(&gram_of(updates), SlotMask::lowest(n), THETA, policy.trim_count(n)).unwrap()
}

/// Updates around a common direction.
fn updates(rows: std::ops::Range<usize>, dimension: usize) -> impl Strategy<Value = Vec<Vec<i16>>> {
    (
        prop::collection::vec(-900i16..900, dimension),
        prop::collection::vec(prop::collection::vec(-500i16..500, dimension), rows),
    )
        .prop_map(|(base, noise)| {
            noise.iter().map(|row| row.iter().zip(&base).map(|(a, b)| a + b).collect()).collect()
        })
}

/// Ten honest updates, one sign flip, one of noise: by hand from the protocol's sentences.
fn round_with_attackers() -> Vec<Vec<i16>> {
    let base: Vec<i16> = (0..200).map(|j| ((j * 37) % 211) as i16 - 105).collect();
    let mut rows: Vec<Vec<i16>> = (0..10)
        .map(|i| base.iter().enumerate().map(|(j, b)| b + ((i * 53 + j * 29) % 61) as i16 - 30).collect())
        .collect();
    rows.push(base.iter().map(|b| -b).collect());
    rows.push((0..200).map(|j| if (j * j + 3 * j) % 7 < 3 { 100 } else { -80 }).collect());
    rows
}

#[test]
fn a_sign_flip_is_dropped_and_earns_nothing_and_honest_trainers_are_paid() {
    let a = run(&round_with_attackers());
    assert!(!a.kept.contains(10usize));
    assert_eq!((a.contributions[10], a.shares[10], a.weights[10]), (0, 0, 0));
    for i in 0..10 {
        assert!(a.kept.contains(i) && a.shares[i] > 5000, "slot {i} has share {}", a.shares[i]);
    }
    assert!(a.coherence > 40_000);
}

/// A round of three slots, worked out on paper.
#[test]
fn three_slots_by_hand() {
    // u = (3, 4), (6, 8), (0, 5): G = [25 50 20; 50 100 40; 20 40 25], norms 5 10 5, tau 5, s = 1, 1/2, 1.
    let a = run(&[vec![3, 4], vec![6, 8], vec![0, 5]]);
    assert_eq!((detail(&a).norms.as_slice(), detail(&a).tau), ([5, 10, 5].as_slice(), 5));
    assert_eq!(detail(&a).clip_factors, [65_536, 32_768, 65_536]);
    // a_0 = 2^15 * 50 + 2^16 * 20, a_1 = 2^16 * (50 + 40), a_2 = 2^16 * 20 + 2^15 * 40
    assert_eq!(detail(&a).agreements, [45 << 16, 90 << 16, 40 << 16]);
    assert_eq!(a.contributions, [45, 45, 40]);
    assert_eq!((detail(&a).median, a.kept.bits()), (45, 0b111));
    assert_eq!(a.shares, [22_685, 22_685, 20_164]);
    assert_eq!(a.weights, [22_685, 11_342, 20_164]);
    let w = [22_685i128, 11_342, 20_164];
    let step: i128 = w[0] * w[0] * 25
        + w[1] * w[1] * 100
        + w[2] * w[2] * 25
        + 2 * (w[0] * w[1] * 50 + w[0] * w[2] * 20 + w[1] * w[2] * 40);
    let parts = w[0] * 25 + w[1] * 100 + w[2] * 25;
    assert_eq!(i128::from(a.coherence), (step << 16) / ((w[0] + w[1] + w[2]) * parts));
}

#[test]
fn the_trim_drops_the_largest_and_smallest_of_a_row() {
    // Row of slot 0: products 1, 2, 3, 1000 with others, all clip factors one (equal norms).
    let mut upper = vec![0i64; 15];
    let n = 5;
    let mut set = |i: usize, j: usize, v: i64| upper[i * n + j - i * (i + 1) / 2] = v;
    (0..n).for_each(|i| set(i, i, 10_000));
    [(1, 1), (2, 2), (3, 3), (4, 1000)].into_iter().for_each(|(j, v)| set(0, j, v));
    let gram = GramMatrix::from_upper(n, upper).unwrap();
    assert_eq!(detail(&assess(&gram, 0b11111, THETA, 1).unwrap()).agreements[0], 5 << 16);
    assert_eq!(detail(&assess(&gram, 0b11111, THETA, 0).unwrap()).agreements[0], 1006 << 16);
    assert_eq!(assess(&gram, 0b11111, THETA, 2), Err(RuleError::TrimTooLarge { trim_count: 2, others: 4 }));
}

#[test]
fn nothing_kept_leaves_all_at_zero() {
    for rows in [vec![vec![0i16; 4]; 5], vec![vec![5, 0, 0], vec![0, 5, 0], vec![0, 0, 5]]] {
        let a = run(&rows);
        assert_eq!((a.kept.bits(), detail(&a).median, a.coherence), (0, 0, 0));
        assert!(a.shares.iter().chain(&a.weights).all(|x| *x == 0));
    }
}

#[test]
fn zero_updates_beside_honest_ones_are_dropped() {
    let mut rows = round_with_attackers();
    rows[11] = vec![0; 200];
    let a = run(&rows);
    assert_eq!((detail(&a).norms[11], detail(&a).clip_factors[11], a.shares[11]), (0, 65_536, 0));
    assert!(!a.kept.contains(11usize));
}

#[test]
fn the_largest_matrix_of_all_is_assessed() {
    for n in [3usize, 16, 128] {
        let gram = GramMatrix::from_upper(n, vec![MAX_ENTRY; n * (n + 1) / 2]).unwrap();
        let mask = SlotMask::lowest(n as u32);
        let a = assess(&gram, mask, 1023, 0).unwrap();
        // theta of almost four medians: nobody is kept; at one eighth everybody is, with equal shares.
        assert_eq!(a.kept, 0);
        let a = assess(&gram, mask, THETA, 0).unwrap();
        assert_eq!((a.kept, a.coherence), (mask, 65_536));
        assert_eq!(detail(&a).agreements[0], ((n as i128) - 1) << 68);
        assert!(a.shares.iter().all(|p| *p == 65_536 / n as u32));
        let lowest: Vec<i64> =
            (0..n).flat_map(|i| (i..n).map(move |j| if i == j { MAX_ENTRY } else { -MAX_ENTRY })).collect();
        let a = assess(&GramMatrix::from_upper(n, lowest).unwrap(), mask, THETA, 0).unwrap();
        assert_eq!((a.kept.bits(), a.coherence), (0, 0));
        assert_eq!(detail(&a).agreements[0], -(((n as i128) - 1) << 68));
    }
}

#[test]
fn wrong_input_is_refused_by_name() {
    let gram = |upper: [i64; 10]| GramMatrix::from_upper(4, upper.to_vec()).unwrap();
    let good = gram([9, 1, 1, 0, 9, 1, 0, 9, 0, 0]);
    assert!(assess(&good, 0b0111, THETA, 0).is_ok());
    assert_eq!(
        assess(&good, 0b10111, THETA, 0),
        Err(RuleError::MaskBeyondSlots { mask: 0b10111.into(), slots: 4 })
    );
    assert_eq!(assess(&gram([0; 10]), 0b0011, THETA, 0), Err(RuleError::TooFewActive { active: 2 }));
    assert_eq!(assess(&good, 0b0111, 1024, 0), Err(RuleError::ThetaTooLarge { theta: 1024 }));
    assert_eq!(assess(&good, 0b0111, THETA, 1), Err(RuleError::TrimTooLarge { trim_count: 1, others: 2 }));
    assert_eq!(
        assess(&good, 0b0111, THETA, u32::MAX),
        Err(RuleError::TrimTooLarge { trim_count: u32::MAX, others: 2 })
    );
    assert_eq!(
        assess(&gram([9, 1, 1, 5, 9, 1, 0, 9, 0, 0]), 0b0111, THETA, 0),
        Err(RuleError::InactiveEntry { i: 0, j: 3, value: 5 })
    );
    assert_eq!(
        assess(&gram([-9, 1, 1, 0, 9, 1, 0, 9, 0, 0]), 0b0111, THETA, 0),
        Err(RuleError::NegativeNorm { slot: 0, value: -9 })
    );
    for value in [MAX_ENTRY + 1, -MAX_ENTRY - 1, i64::MIN, i64::MAX] {
        assert_eq!(
            assess(&gram([9, 1, value, 0, 9, 1, 0, 9, 0, 0]), 0b0111, THETA, 0),
            Err(RuleError::EntryOutOfRange { i: 0, j: 2, value })
        );
    }
}

#[test]
fn policies_out_of_range_are_refused() {
    let policy = |theta, trim| AgreementPolicy { theta, trim }.validate();
    assert_eq!(policy(1023, 85), Ok(()));
    assert_eq!(policy(1024, 0), Err(RuleError::ThetaTooLarge { theta: 1024 }));
    assert_eq!(policy(0, 86), Err(RuleError::TrimShareTooLarge { trim: 86 }));
}

#[test]
fn every_allowed_trim_leaves_an_entry() {
    for trim in 0..=MAX_TRIM {
        let policy = AgreementPolicy { theta: THETA, trim };
        for active in MIN_ACTIVE..=128 {
            assert!(active > 2 * policy.trim_count(active) + 1, "trim {trim}, {active} active");
        }
    }
    assert_eq!(AgreementPolicy { theta: THETA, trim: TRIM }.trim_count(10), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn shares_and_weights_sum_to_at_most_one(rows in updates(3..17, 12)) {
        let a = run(&rows);
        let shares: u32 = a.shares.iter().sum();
        prop_assert!(shares <= ONE);
        prop_assert!(a.weights.iter().zip(&a.shares).all(|(w, p)| w <= p));
        if !a.kept.is_empty() {
            prop_assert!(shares > ONE - rows.len() as u32);
        }
        for i in 0..rows.len() {
            prop_assert!(a.kept.contains(i) || (a.shares[i], a.weights[i]) == (0, 0));
        }
    }

    #[test]
    fn the_order_of_trainers_does_not_matter(rows in updates(3..17, 12), seed: u64) {
        let n = rows.len();
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by_key(|i| (seed ^ (*i as u64 + 1)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let shuffled: Vec<Vec<i16>> = order.iter().map(|i| rows[*i].clone()).collect();
        let (a, b) = (run(&rows), run(&shuffled));
        for (to, from) in order.iter().enumerate() {
            prop_assert_eq!(a.contributions[*from], b.contributions[to]);
            prop_assert_eq!((a.shares[*from], a.weights[*from]), (b.shares[to], b.weights[to]));
            prop_assert_eq!(a.kept.contains(*from), b.kept.contains(to));
        }
        let whole = |x: &Assessment| (detail(x).tau, detail(x).median, x.coherence);
        prop_assert_eq!(whole(&a), whole(&b));
    }

    #[test]
    fn empty_slots_between_change_nothing(rows in updates(3..9, 12), gaps in prop::collection::vec(0usize..3, 9)) {
        let mut slots: Vec<Option<&[i16]>> = vec![];
        let mut at = vec![];
        for (row, gap) in rows.iter().zip(gaps) {
            slots.extend(vec![None; gap]);
            at.push(slots.len());
            slots.push(Some(row));
        }
        let mask = SlotMask::from_slots(at.iter().copied());
        let policy = AgreementPolicy { theta: THETA, trim: TRIM };
        let trim_count = policy.trim_count(rows.len() as u32);
        let spread = assess(&GramMatrix::compute(&slots).unwrap(), mask, THETA, trim_count).unwrap();
        let dense = run(&rows);
        for (k, slot) in at.iter().enumerate() {
            prop_assert_eq!((dense.shares[k], dense.weights[k]), (spread.shares[*slot], spread.weights[*slot]));
        }
        prop_assert_eq!(dense.coherence, spread.coherence);
        prop_assert_eq!(spread.shares.iter().sum::<u32>(), dense.shares.iter().sum::<u32>());
    }

    /// A longer update is clipped back: scaling what is already the longest up gains at most the rounding of its own
    /// clip factor and of the others' products with it.
    #[test]
    fn scaling_an_update_up_does_not_pay(rows in updates(5..12, 12), times in 2i16..8) {
        let mut longest = rows.clone();
        longest[0].iter_mut().for_each(|x| *x *= 2);
        let mut longer = rows.clone();
        longer[0].iter_mut().for_each(|x| *x *= 2 * times);
        let (a, b) = (run(&longest), run(&longer));
        prop_assume!(detail(&a).norms[0] > detail(&a).tau);
        prop_assert_eq!(detail(&a).tau, detail(&b).tau);
        prop_assert!(b.contributions[0] <= a.contributions[0] + a.contributions[0] / 500 + 2,
            "contribution rose from {} to {}", a.contributions[0], b.contributions[0]);
        prop_assert!(b.shares[0] <= a.shares[0] + a.shares[0] / 100 + 64,
            "share rose from {} to {}", a.shares[0], b.shares[0]);
    }

    #[test]
    fn any_matrix_gives_an_answer_or_an_error(
        n in 1usize..20, mask: u128, theta in 0u16..2000, trim_count in 0u32..12, seed: u64, spread in 0u32..64
    ) {
        let mask = SlotMask::from(mask);
        let mut state = seed;
        let pairs: Vec<(usize, usize)> = (0..n).flat_map(|i| (i..n).map(move |j| (i, j))).collect();
        let upper: Vec<i64> = pairs
            .into_iter()
            .map(|(i, j)| {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                let value = (state as i64) >> spread;
                let on = |k: usize| mask.contains(k);
                if i == j { value.saturating_abs() * i64::from(on(i)) } else { value * i64::from(on(i) && on(j)) }
            })
            .collect();
        let mask = mask & SlotMask::lowest(n as u32);
        if let Ok(a) = assess(&GramMatrix::from_upper(n, upper).unwrap(), mask, theta, trim_count) {
            prop_assert!(a.shares.iter().sum::<u32>() <= ONE && a.kept.is_subset_of(mask));
        }
    }

    #[test]
    fn duplicates_and_extremes_are_assessed(
        picks in prop::collection::vec(0usize..6, 3..17), dimension in 1usize..40
    ) {
        let kinds: [Vec<i16>; 6] = [
            vec![0; dimension], vec![i16::MAX; dimension], vec![i16::MIN; dimension], vec![1; dimension],
            (0usize..dimension).map(|j| if j.is_multiple_of(2) { i16::MAX } else { i16::MIN }).collect(),
            vec![-1; dimension],
        ];
        let rows: Vec<Vec<i16>> = picks.iter().map(|k| kinds[*k].clone()).collect();
        let a = run(&rows);
        for (i, k) in picks.iter().enumerate() {
            for (j, l) in picks.iter().enumerate() {
                prop_assert!(k != l || a.contributions[i] == a.contributions[j]);
            }
        }
    }
}
