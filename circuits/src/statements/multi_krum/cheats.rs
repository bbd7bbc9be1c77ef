//! Ways to cheat, one test each: every one is refused by the circuit, in the section that is there for it, and by the
//! native check.
//!
//! A cheat bends one value and then continues honestly from it as far as it can, so that the constraint named is the
//! one that refuses it.

use super::MultiKrumWitness;
use crate::gadgets::builder::signed;
use crate::statements::gram_binding::{hash_entries, position};
use crate::statements::public::AssessmentPublic;
use crate::statements::testing::{
    assert_accepted, assert_inputs_have_their_places, assert_policy_unit_is_no_bit_of_the_mask,
    assert_refused, assert_refused_in_modes, assert_slot_is_no_part_of_a_policy_word, circuit, rebind, rho,
    updates, Round,
};
use ark_bn254::Fr;
use ark_ff::Field;
use fairshare_protocol::{coherence, GramMatrix, Policy};

const SIZE: usize = 8;
/// Slots 2 and 7 are not active; slot 4 turns its update round.
const ACTIVE: u128 = 0b0111_1011;
/// Of six active slots: three neighbours, four kept.
const POLICY: Policy = Policy::MultiKrum { neighbours: 3, selected: 4 };

struct Cheat {
    gram: GramMatrix,
    public: AssessmentPublic,
    witness: MultiKrumWitness,
}

impl Cheat {
    /// An honest round to bend.
    fn new() -> Self {
        Self::of_updates(&updates(SIZE, 900, 3), 4)
    }

    fn of_updates(updates: &[Vec<i16>], selected: u32) -> Self {
        let policy = Policy::MultiKrum { neighbours: 3, selected };
        let round = Round::of_updates(SIZE, ACTIVE, updates, policy);
        let witness = MultiKrumWitness::new(&round.gram, ACTIVE, 3, selected).unwrap();
        let cheat = Self { public: round.public(), witness, gram: round.gram };
        assert_accepted(&cheat.public, &cheat.witness);
        cheat
    }

    fn rebind(&mut self) {
        rebind(&mut self.public, &self.witness.gram);
    }

    #[track_caller]
    fn refused_in(&self, expected: &str) {
        assert_refused(&self.public, &self.witness, expected);
    }

    #[track_caller]
    fn refused_in_modes(&self, by_bits: &str, by_lookups: Option<&str>) {
        assert_refused_in_modes(&self.public, &self.witness, by_bits, by_lookups);
    }

    /// The distances of a slot to the others, as they are.
    fn distances(&self, i: usize) -> Vec<i128> {
        let entry = |a: usize, b: usize| i128::from(self.gram.get(a, b));
        let distance = |j: usize| entry(i, i) + entry(j, j) - 2 * entry(i, j);
        (0..SIZE).filter(|j| *j != i).map(distance).collect()
    }

    /// Makes these the neighbours of a slot, with the score and the threshold that go with them.
    fn take_neighbours(&mut self, i: usize, nearest: Vec<bool>) {
        let distances = self.distances(i);
        let chosen: Vec<i128> =
            distances.iter().zip(&nearest).filter(|(_, b)| **b).map(|(d, _)| *d).collect();
        self.witness.scores[i] = chosen.iter().sum();
        self.witness.thresholds[i] = *chosen.iter().max().unwrap();
        self.witness.nearest[i] = nearest;
    }

    /// Keeps these slots, and shares out anew as if that were right.
    fn keep(&mut self, kept: [bool; SIZE]) {
        let entry = |i: usize, j: usize| i128::from(self.gram.get(i, j));
        let sum = |i: usize| -> i128 { (0..SIZE).filter(|j| *j != i && kept[*j]).map(|j| entry(i, j)).sum() };
        let sums: Vec<i128> = (0..SIZE).map(|i| if kept[i] { sum(i) } else { 0 }).collect();
        let total = sums.iter().map(|sum| (*sum).max(0)).sum::<i128>().max(1);
        let shares: Vec<u32> = sums.iter().map(|sum| (((*sum).max(0) << 16) / total) as u32).collect();
        self.witness.kept = kept.to_vec();
        self.witness.positive = sums.iter().map(|sum| *sum >= 0).collect();
        self.public.kept = (0..SIZE).filter(|i| kept[*i]).map(|i| 1 << i).sum();
        self.set_shares(shares);
    }

    fn set_shares(&mut self, shares: Vec<u32>) {
        let coherence = coherence(&self.gram, &shares).unwrap();
        (self.witness.coherence, self.public.coherence) = (coherence, coherence);
        (self.public.shares, self.public.weights) = (shares.clone(), shares.clone());
        self.witness.shares = shares;
    }

    fn kept(&self) -> [bool; SIZE] {
        std::array::from_fn(|i| self.witness.kept[i])
    }
}

#[test]
fn wrong_hash() {
    let mut cheat = Cheat::new();
    cheat.public.h += Fr::ONE;
    cheat.refused_in_modes("gram hash", None);
}

#[test]
fn wrong_sigma() {
    let mut cheat = Cheat::new();
    cheat.public.sigma += Fr::ONE;
    cheat.refused_in("sigma");
}

#[test]
fn another_challenge() {
    let mut cheat = Cheat::new();
    cheat.public.rho = rho(6);
    cheat.refused_in("sigma");
}

#[test]
fn wrong_gram_entry() {
    let mut cheat = Cheat::new();
    cheat.witness.gram[position(SIZE, 0, 1)] += Fr::ONE;
    cheat.refused_in_modes("gram hash", Some("sigma"));
    cheat.public.h = hash_entries(&cheat.witness.gram);
    cheat.refused_in("sigma");
}

#[test]
fn gram_entry_out_of_range() {
    for (i, j, values) in
        [(0, 1, [(1 << 52) + 1, -(1 << 52) - 1, 1 << 60]), (3, 3, [(1 << 52) + 1, -1, 1 << 60])]
    {
        for value in values {
            let mut cheat = Cheat::new();
            cheat.witness.gram[position(SIZE, i, j)] = signed(value);
            cheat.rebind();
            cheat.refused_in_modes("gram entries", Some("scores"));
        }
    }
}

#[test]
fn packing_that_is_not_canonical() {
    let mut cheat = Cheat::new();
    let honest = cheat.public.h;
    cheat.witness.gram[position(SIZE, 0, 0)] += signed(1 << 54);
    cheat.witness.gram[position(SIZE, 0, 1)] -= Fr::ONE;
    cheat.rebind();
    assert_eq!(cheat.public.h, honest, "the hash alone does not tell");
    cheat.refused_in_modes("gram entries", Some("scores"));
}

#[test]
fn active_mask_that_leaves_one_out() {
    let mut cheat = Cheat::new();
    cheat.witness.active[0] = false;
    cheat.refused_in("active slots");
}

/// The neighbours of a slot but one, or one more: the score is another sum, and the count is not `k`.
#[test]
fn threshold_that_counts_one_neighbour_too_few_or_too_many() {
    for more in [false, true] {
        let mut cheat = Cheat::new();
        let (distances, mut nearest) = (cheat.distances(0), cheat.witness.nearest[0].clone());
        let active = |k: &usize| ACTIVE >> (k + 1) & 1 == 1; // slot 0's row begins with slot 1
        let moved = if more {
            (0..SIZE - 1).filter(active).filter(|k| !nearest[*k]).min_by_key(|k| distances[*k])
        } else {
            (0..SIZE - 1).filter(|k| nearest[*k]).max_by_key(|k| distances[*k])
        };
        nearest[moved.unwrap()] = more;
        cheat.take_neighbours(0, nearest);
        cheat.refused_in("scores");
    }
}

#[test]
fn neighbour_that_is_not_among_the_nearest() {
    let mut cheat = Cheat::new();
    let mut nearest = cheat.witness.nearest[0].clone();
    let near = nearest.iter().position(|b| *b).unwrap();
    nearest[near] = false;
    nearest[3] = true; // slot 4, which turned round
    cheat.take_neighbours(0, nearest);
    for threshold in [cheat.witness.thresholds[0], cheat.distances(0)[near]] {
        cheat.witness.thresholds[0] = threshold;
        cheat.refused_in("scores");
    }
}

/// Slot 2 is not active: with entries of zero it would be as near as one's own length.
#[test]
fn neighbour_that_is_not_active() {
    let mut cheat = Cheat::new();
    let mut nearest = cheat.witness.nearest[0].clone();
    let near = nearest.iter().position(|b| *b).unwrap();
    nearest[near] = false;
    nearest[1] = true;
    cheat.take_neighbours(0, nearest);
    cheat.refused_in("scores");
}

#[test]
fn score_off_by_one() {
    for off in [1, -1] {
        let mut cheat = Cheat::new();
        cheat.witness.scores[0] += off;
        cheat.refused_in("scores");
    }
}

#[test]
fn threshold_beside_the_gap() {
    for slot in 0..SIZE {
        let mut cheat = Cheat::new();
        cheat.witness.thresholds[slot] -= 1;
        cheat.refused_in("scores");
    }
}

/// Inside the gap between the last neighbour and the next one the threshold is the prover's choice: nothing follows
/// from it, and the same proof comes out.
#[test]
fn threshold_inside_the_gap_changes_nothing() {
    let mut cheat = Cheat::new();
    cheat.witness.thresholds[0] += 1;
    cheat.witness.cut += 1;
    assert_accepted(&cheat.public, &cheat.witness);
}

#[test]
fn trainer_dropped_that_should_be_kept_and_the_reverse() {
    let honest = Cheat::new();
    for (out, into) in (0..SIZE).flat_map(|out| (0..SIZE).map(move |into| (out, into))) {
        let mut kept = honest.kept();
        if !kept[out] || kept[into] {
            continue;
        }
        (kept[out], kept[into]) = (false, true);
        let mut cheat = Cheat::new();
        cheat.keep(kept);
        cheat.refused_in("kept slots");
    }
}

#[test]
fn one_kept_too_many_or_too_few() {
    let kept = Cheat::new().kept();
    for slot in 0..SIZE {
        let mut cheat = Cheat::new();
        let mut kept = kept;
        kept[slot] = !kept[slot];
        cheat.keep(kept);
        cheat.refused_in("kept slots");
    }
}

/// Six equal updates have six equal scores: the lower slots are kept, and no others.
#[test]
fn ties_broken_the_other_way() {
    let same = vec![vec![7i16; 8]; SIZE];
    let honest = Cheat::of_updates(&same, 4);
    assert_eq!(honest.public.kept, 0b0001_1011);
    for (out, into) in [(4, 5), (0, 6), (3, 5)] {
        let mut kept = honest.kept();
        (kept[out], kept[into]) = (false, true);
        let mut cheat = Cheat::of_updates(&same, 4);
        cheat.keep(kept);
        for cut in [cheat.witness.cut, cheat.witness.cut + 1, cheat.witness.cut - 1] {
            cheat.witness.cut = cut;
            cheat.refused_in("kept slots");
        }
    }
}

/// Which of equal distances are neighbours is the prover's choice: the sum is the same.
#[test]
fn ties_among_neighbours_change_nothing() {
    let mut cheat = Cheat::of_updates(&vec![vec![7i16; 8]; SIZE], 4);
    assert_eq!(cheat.witness.nearest[0], [true, false, true, true, false, false, false]);
    cheat.witness.nearest[0] = vec![true, false, false, true, false, true, false];
    assert_accepted(&cheat.public, &cheat.witness);
}

#[test]
fn cut_one_off() {
    let mut cheat = Cheat::new();
    cheat.witness.cut -= 1;
    cheat.refused_in("kept slots");
}

#[test]
fn inactive_slot_kept() {
    for slot in [2, 7] {
        let mut cheat = Cheat::new();
        let mut kept = cheat.kept();
        kept[slot] = true;
        kept[kept.iter().position(|b| *b).unwrap()] = false;
        cheat.keep(kept);
        cheat.refused_in("kept slots");
    }
}

#[test]
fn kept_mask_with_a_bit_flipped() {
    for slot in 0..SIZE {
        let mut cheat = Cheat::new();
        cheat.public.kept ^= 1 << slot;
        cheat.refused_in("kept slots");
    }
}

/// Other policy words than those that the values belong to.
#[test]
fn another_policy_word() {
    for (neighbours, selected, section) in
        [(2, 4, "scores"), (4, 4, "scores"), (3, 3, "kept slots"), (3, 5, "kept slots")]
    {
        let mut cheat = Cheat::new();
        assert_eq!(cheat.public.policy, POLICY);
        cheat.public.policy = Policy::MultiKrum { neighbours, selected };
        cheat.refused_in(section);
    }
}

/// Words that the contract never gives: no neighbour, all slots, nobody kept, one kept, more than there are.
#[test]
fn policy_out_of_range() {
    for (neighbours, selected, section) in [
        (0, 4, "policy"),
        (6, 4, "policy"),
        (u32::MAX, 4, "policy words"),
        (3, 0, "policy"),
        (3, 1, "policy"),
        (3, u32::MAX, "policy words"),
        (3, 7, "kept slots"),
    ] {
        let mut cheat = Cheat::new();
        cheat.public.policy = Policy::MultiKrum { neighbours, selected };
        cheat.refused_in(section);
    }
}

/// `2^16` neighbours for one slot that is kept: the same sum, so the same public inputs.
#[test]
fn policy_words_moved_into_one_another() {
    let mut cheat = Cheat::new();
    let honest = cheat.public.to_field_elements(SIZE);
    cheat.public.policy = Policy::MultiKrum { neighbours: 3 + (1 << 16), selected: 3 };
    assert_eq!(cheat.public.to_field_elements(SIZE), honest, "the inputs do not tell");
    cheat.refused_in("policy words");
}

/// A slot left out, and a policy word that is no integer makes up for it.
#[test]
fn active_slot_traded_for_a_part_of_a_policy_word() {
    let mut cheat = Cheat::new();
    cheat.witness.active[3] = false;
    assert_slot_is_no_part_of_a_policy_word(&cheat.public, &cheat.witness, 3);
}

/// A unit less in a policy word is `2^128` more for the mask.
#[test]
fn policy_unit_traded_for_a_bit_of_the_mask() {
    let cheat = Cheat::new();
    assert_policy_unit_is_no_bit_of_the_mask(&cheat.public, &cheat.witness);
}

/// Slot 4 turned round; with all six kept its products with the others are negative.
#[test]
fn negative_contribution_made_positive() {
    let mut cheat = Cheat::of_updates(&updates(SIZE, 900, 3), 6);
    assert!(cheat.witness.kept[4] && !cheat.witness.positive[4]);
    cheat.witness.positive[4] = true;
    cheat.refused_in("contributions");
}

#[test]
fn positive_contribution_made_nothing() {
    let mut cheat = Cheat::new();
    let slot = (0..SIZE).find(|i| cheat.witness.shares[*i] > 0).unwrap();
    cheat.witness.positive[slot] = false;
    cheat.refused_in("contributions");
}

/// A share one off is also a wrong remainder: the quotient has one value.
#[test]
fn share_off_by_one() {
    for off in [1, -1] {
        let mut cheat = Cheat::new();
        let slot = (0..SIZE).find(|i| cheat.witness.shares[*i] > 0).unwrap();
        let mut shares = cheat.witness.shares.clone();
        shares[slot] = shares[slot].checked_add_signed(off).unwrap();
        cheat.set_shares(shares);
        cheat.refused_in("shares");
    }
}

#[test]
fn shares_moved_by_one_between_two() {
    let mut cheat = Cheat::new();
    let paid: Vec<usize> = (0..SIZE).filter(|i| cheat.witness.shares[*i] > 0).collect();
    let mut shares = cheat.witness.shares.clone();
    shares[paid[0]] += 1;
    shares[paid[1]] -= 1;
    cheat.set_shares(shares);
    cheat.refused_in("shares");
}

#[test]
fn public_share_that_is_not_the_proved_one() {
    let mut cheat = Cheat::new();
    cheat.public.shares[0] += 1;
    cheat.refused_in("shares");
}

#[test]
fn dropped_or_inactive_slot_with_a_share() {
    let honest = Cheat::new();
    for slot in (0..SIZE).filter(|i| !honest.witness.kept[*i]) {
        let mut cheat = Cheat::new();
        cheat.witness.shares[slot] = 1;
        cheat.public.shares[slot] = 1;
        cheat.public.weights[slot] = 1;
        cheat.refused_in("shares");
    }
}

#[test]
fn weight_off_by_one() {
    let honest = Cheat::new();
    for slot in 0..SIZE {
        let mut cheat = Cheat::new();
        cheat.public.weights[slot] += 1;
        cheat.refused_in("weights");
        if honest.public.weights[slot] > 0 {
            cheat.public.weights[slot] -= 2;
            cheat.refused_in("weights");
        }
    }
}

#[test]
fn inactive_slot_with_a_weight() {
    for slot in [2, 7] {
        let mut cheat = Cheat::new();
        cheat.public.weights[slot] = 1;
        cheat.refused_in("weights");
    }
}

#[test]
fn weights_moved_by_one_between_two() {
    let mut cheat = Cheat::new();
    let paid: Vec<usize> = (0..SIZE).filter(|i| cheat.witness.shares[*i] > 0).collect();
    cheat.public.weights[paid[0]] += 1;
    cheat.public.weights[paid[1]] -= 1;
    cheat.refused_in("weights");
}

#[test]
fn coherence_off_by_one() {
    for off in [1, -1] {
        let mut cheat = Cheat::new();
        let coherence = cheat.witness.coherence.checked_add_signed(off).unwrap();
        cheat.witness.coherence = coherence;
        cheat.public.coherence = coherence;
        cheat.refused_in("coherence");
    }
}

#[test]
fn public_coherence_that_is_not_the_proved_one() {
    let mut cheat = Cheat::new();
    cheat.public.coherence += 1;
    cheat.refused_in("coherence");
}

/// A coherence where none is defined, and a share of nothing.
#[test]
fn coherence_and_shares_of_nothing() {
    for coherence in [1, 1 << 16] {
        let mut cheat = Cheat::of_updates(&vec![vec![0; 8]; SIZE], 4);
        assert_eq!((cheat.public.kept, cheat.public.shares.iter().sum::<u32>()), (0b0001_1011, 0));
        cheat.witness.coherence = coherence;
        cheat.public.coherence = coherence;
        cheat.refused_in("coherence");
        let mut cheat = Cheat::of_updates(&vec![vec![0; 8]; SIZE], 4);
        cheat.set_shares(vec![1 << 16, 0, 0, 0, 0, 0, 0, 0]);
        cheat.refused_in("shares");
    }
}

#[test]
fn public_inputs_in_another_order_or_not_reduced_the_same_way() {
    let cheat = Cheat::new();
    // Weights are the shares in this rule, so their words may change places; everything else may not.
    assert!(circuit(&cheat.public, &cheat.witness).is_ok());
    assert_inputs_have_their_places(&cheat.public, &cheat.witness);
}
