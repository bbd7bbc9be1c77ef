use super::*;
use crate::bounds::{MAX_ENTRY, ONE};
use proptest::prelude::*;

const POLICY: MultiKrumPolicy = MultiKrumPolicy { byzantine: 52, selected: 179 };

fn gram_of(updates: &[Vec<i16>]) -> GramMatrix {
    GramMatrix::compute(&updates.iter().map(|u| Some(u.as_slice())).collect::<Vec<_>>()).unwrap()
}

fn assess(
    gram: &GramMatrix,
    active: impl Into<SlotMask>,
    neighbours: u32,
    selected: u32,
) -> Result<Assessment, RuleError> {
    super::assess(gram, active.into(), neighbours, selected)
}

fn detail(assessment: &Assessment) -> &MultiKrumDetail {
    match &assessment.detail {
        Detail::MultiKrum(detail) => detail,
        other => panic!("the detail of another rule: {other:?}"),
    }
}

fn run(updates: &[Vec<i16>]) -> Assessment {
    let n = updates.len() as u32;
    assess(&gram_of(updates), SlotMask::lowest(n), POLICY.neighbours(n), POLICY.kept(n)).unwrap()
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

#[test]
fn four_slots_by_hand() {
    let gram = gram_of(&[vec![10], vec![11], vec![13], vec![100]]);
    let a = assess(&gram, 0b1111, 2, 3).unwrap();
    assert_eq!(detail(&a).scores, [1 + 9, 1 + 4, 4 + 9, 7569 + 7921]);
    assert_eq!(a.kept, 0b0111);
    assert_eq!(detail(&a).agreements, [110 + 130, 110 + 143, 130 + 143, 0]);
    assert_eq!(a.contributions, [240, 253, 273, 0]);
    assert_eq!(a.shares, [20_533, 21_645, 23_356, 0]);
    assert_eq!(a.weights, a.shares);
}

/// A dropped slot must not influence the pay of others: pay is the share in the model's step, which has kept updates
/// only.
#[test]
fn a_dropped_slot_changes_no_share() {
    let near = [vec![10i16, 0], vec![11, 1], vec![13, 2]];
    let with = |far: Vec<i16>| {
        let rows: Vec<Vec<i16>> = near.iter().cloned().chain([far]).collect();
        assess(&gram_of(&rows), 0b1111, 2, 3).unwrap()
    };
    let (a, b) = (with(vec![-9000, 5]), with(vec![3000, 30_000]));
    assert_eq!((a.kept.bits(), b.kept.bits()), (0b0111, 0b0111));
    assert_eq!((a.shares, a.coherence), (b.shares, b.coherence));
}

#[test]
fn ties_go_to_the_lower_slot() {
    let same = gram_of(&vec![vec![7i16, -3]; 5]);
    for selected in 2..=5 {
        let a = assess(&same, 0b11111, 3, selected).unwrap();
        assert_eq!(a.kept, SlotMask::lowest(selected));
        assert!(a.shares.iter().take(selected as usize).all(|p| *p == ONE / selected));
    }
}

#[test]
fn a_slot_that_turns_against_the_others_earns_nothing_though_it_is_kept() {
    let a = assess(&gram_of(&[vec![1, 1], vec![1, 1], vec![-2, 0]]), 0b111, 1, 3).unwrap();
    assert_eq!(a.kept, 0b111);
    assert_eq!((detail(&a).agreements[2], a.contributions[2], a.shares[2], a.weights[2]), (-4, 0, 0, 0));
}

#[test]
fn kept_slots_without_contributions_leave_all_at_zero() {
    for rows in [vec![vec![0i16; 4]; 5], vec![vec![5, 0, 0], vec![0, 5, 0], vec![0, 0, 5]]] {
        let n = rows.len() as u32;
        let a = assess(&gram_of(&rows), SlotMask::lowest(n), 1, 2).unwrap();
        assert_eq!((a.kept.bits(), a.coherence), (0b11, 0));
        assert!(a.shares.iter().chain(&a.weights).all(|x| *x == 0));
    }
}

#[test]
fn the_largest_matrices_of_all_are_assessed() {
    for n in [2usize, 3, 16, 128] {
        let mask = SlotMask::lowest(n as u32);
        let equal = GramMatrix::from_upper(n, vec![MAX_ENTRY; n * (n + 1) / 2]).unwrap();
        let a = assess(&equal, mask, 1, n as u32).unwrap();
        assert_eq!((a.kept, a.coherence), (mask, ONE));
        assert_eq!(detail(&a).agreements[0], (n as i128 - 1) << 52);
        let lowest: Vec<i64> =
            (0..n).flat_map(|i| (i..n).map(move |j| if i == j { MAX_ENTRY } else { -MAX_ENTRY })).collect();
        let a = assess(&GramMatrix::from_upper(n, lowest).unwrap(), mask, n as u32 - 1, 2).unwrap();
        assert_eq!((a.kept.bits(), a.coherence), (0b11, 0));
        assert_eq!(detail(&a).scores[n - 1], (n as i128 - 1) << 54);
    }
}

#[test]
fn wrong_input_is_refused_by_name() {
    let good = gram_of(&[vec![1], vec![2], vec![3], vec![4]]);
    let refused =
        |active: u128, neighbours, selected| assess(&good, active, neighbours, selected).unwrap_err();
    assert_eq!(refused(0b1111, 0, 2), RuleError::Neighbours { neighbours: 0, active: 4 });
    assert_eq!(refused(0b1111, 4, 2), RuleError::Neighbours { neighbours: 4, active: 4 });
    assert_eq!(refused(0b1111, 1, 1), RuleError::Selected { selected: 1, active: 4 });
    assert_eq!(refused(0b1111, 1, 5), RuleError::Selected { selected: 5, active: 4 });
    assert_eq!(
        refused(0b1111, u32::MAX, u32::MAX),
        RuleError::Neighbours { neighbours: u32::MAX, active: 4 }
    );
    assert_eq!(refused(0b1_1111, 1, 2), RuleError::MaskBeyondSlots { mask: 0b1_1111.into(), slots: 4 });
    assert_eq!(refused(0b0111, 1, 2), RuleError::InactiveEntry { i: 0, j: 3, value: 4 });
    for active in [0u128, 1] {
        let alone = GramMatrix::from_upper(1, vec![active as i64]).unwrap();
        let error = assess(&alone, active, POLICY.neighbours(active as u32), 2).unwrap_err();
        assert_eq!(error, RuleError::Neighbours { neighbours: 0, active: active as u32 });
    }
}

#[test]
fn every_allowed_policy_serves_every_round() {
    for byzantine in 0..=MAX_BYZANTINE {
        for active in 3..=128 {
            let k = MultiKrumPolicy { byzantine, selected: 1 }.neighbours(active);
            assert!((1..active).contains(&k), "byzantine {byzantine}, {active} active");
        }
    }
    for selected in 1..=255 {
        for active in 2..=128 {
            let m = MultiKrumPolicy { byzantine: 0, selected }.kept(active);
            assert!((2..=active).contains(&m), "selected {selected}, {active} active");
        }
    }
    assert_eq!((POLICY.neighbours(10), POLICY.kept(10)), (6, 6));
    assert_eq!((POLICY.neighbours(0), POLICY.neighbours(2)), (0, 0));
    assert!(POLICY.validate().is_ok());
}

/// The smallest sum of `k` of the values, by trying every choice.
fn smallest_sum(values: &[i128], k: u32) -> i128 {
    let sum = |choice: u32| {
        values.iter().enumerate().filter(|(i, _)| choice >> i & 1 == 1).map(|(_, v)| *v).sum::<i128>()
    };
    (0..1u32 << values.len()).filter(|choice| choice.count_ones() == k).map(sum).min().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The definition by choices, on matrices of any entries, negative distances among them.
    #[test]
    fn scores_are_the_smallest_sums_and_the_kept_have_the_smallest_scores(
        entries in prop::collection::vec(prop_oneof![-3i64..4, -MAX_ENTRY..=MAX_ENTRY], 28), k in 1u32..7, m in 2u32..8
    ) {
        let mut entries = entries.into_iter();
        let upper = (0..7).flat_map(|i| (i..7).map(move |j| i == j))
            .map(|diagonal| entries.next().map(|e| if diagonal { e.abs() } else { e }).unwrap())
            .collect();
        let gram = GramMatrix::from_upper(7, upper).unwrap();
        let Ok(a) = assess(&gram, 0x7f, k, m) else {
            return Ok(()); // no coherence: the matrix of no updates
        };
        let scores = &detail(&a).scores;
        for (i, score) in scores.iter().enumerate() {
            let distance = |j| i128::from(gram.get(i, i)) + i128::from(gram.get(j, j)) - 2 * i128::from(gram.get(i, j));
            let distances: Vec<i128> = (0..7).filter(|j| *j != i).map(distance).collect();
            prop_assert_eq!(*score, smallest_sum(&distances, k));
            let before = (0..7).filter(|j| (scores[*j], *j) < (*score, i)).count() as u32;
            prop_assert_eq!(a.kept.contains(i), before < m);
        }
    }

    #[test]
    fn shares_sum_to_at_most_one_and_are_the_weights(rows in updates(3..17, 12)) {
        let a = run(&rows);
        prop_assert!(a.shares.iter().sum::<u32>() <= ONE);
        prop_assert_eq!(&a.shares, &a.weights);
        prop_assert_eq!(a.kept.count(), POLICY.kept(rows.len() as u32));
        for i in 0..rows.len() {
            prop_assert!(a.kept.contains(i) || (a.shares[i], a.contributions[i]) == (0, 0));
        }
    }

    /// Scores follow their trainers always; so does everything else unless the last kept score and the first dropped
    /// one are equal. Then the slot decides, and only the kept scores are the same.
    #[test]
    fn the_order_of_trainers_matters_in_ties_at_the_threshold_alone(
        rows in updates(3..17, 4), twins in prop::collection::vec((0usize..17, 0usize..17), 0..6), seed: u64
    ) {
        let n = rows.len();
        let mut rows = rows;
        for (from, to) in twins {
            rows[to % n] = rows[from % n].clone();
        }
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by_key(|i| (seed ^ (*i as u64 + 1)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let shuffled: Vec<Vec<i16>> = order.iter().map(|i| rows[*i].clone()).collect();
        let (a, b) = (run(&rows), run(&shuffled));
        let mut ranked = detail(&a).scores.clone();
        ranked.sort_unstable();
        let m = POLICY.kept(n as u32) as usize;
        let tied = ranked.get(m).is_some_and(|dropped| *dropped == ranked[m - 1]);
        let kept_scores = |x: &Assessment| {
            let kept = (0..n).filter(|i| x.kept.contains(*i));
            let mut scores: Vec<i128> = kept.map(|i| detail(x).scores[i]).collect();
            scores.sort_unstable();
            scores
        };
        prop_assert_eq!(kept_scores(&a), kept_scores(&b));
        for (to, from) in order.iter().enumerate() {
            prop_assert_eq!(detail(&a).scores[*from], detail(&b).scores[to]);
            if !tied {
                prop_assert_eq!(a.kept.contains(*from), b.kept.contains(to));
                prop_assert_eq!((a.shares[*from], a.contributions[*from]), (b.shares[to], b.contributions[to]));
            }
        }
        prop_assert!(tied || a.coherence == b.coherence);
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
        let (mask, n) = (SlotMask::from_slots(at.iter().copied()), rows.len() as u32);
        let gram = GramMatrix::compute(&slots).unwrap();
        let spread = assess(&gram, mask, POLICY.neighbours(n), POLICY.kept(n)).unwrap();
        let dense = run(&rows);
        for (k, slot) in at.iter().enumerate() {
            let at = |x: &Assessment, i: usize| (x.shares[i], detail(x).scores[i]);
            prop_assert_eq!(at(&dense, k), at(&spread, *slot));
        }
        prop_assert_eq!(dense.coherence, spread.coherence);
    }

    #[test]
    fn any_matrix_gives_an_answer_or_an_error(
        n in 1usize..20, mask: u128, neighbours in 0u32..22, selected in 0u32..22, seed: u64, spread in 0u32..64
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
        if let Ok(a) = assess(&GramMatrix::from_upper(n, upper).unwrap(), mask, neighbours, selected) {
            prop_assert!(a.shares.iter().sum::<u32>() <= ONE && a.kept.is_subset_of(mask));
        }
    }
}
