//! Ways to cheat, one test each: every one is refused by the circuit, in the section that is there for it, and by the
//! native check.
//!
//! A cheat bends one value and then continues honestly from it as far as it can, so that the constraint named is the
//! one that refuses it.

use super::AgreementWitness;
use crate::r1cs::linear_combination::{power_of_two, signed};
use crate::statements::gram_binding::position;
use crate::statements::public::AssessmentPublic;
use crate::statements::testing::{
    assert_accepted, assert_claim_refused, assert_inputs_have_their_places,
    assert_policy_unit_is_no_bit_of_the_mask, assert_refused, assert_slot_is_no_part_of_a_policy_word,
    rebind, rho, updates, Round,
};
use ark_bn254::Fr;
use ark_ff::Field;
use fairshare_protocol::{RoundPolicy, SlotMask};

const SIZE: usize = 8;
/// Slots 2 and 7 are not active; slot 4 turns its update round.
const ACTIVE: SlotMask = SlotMask::from_bits(0b0111_1011);

struct Cheat {
    public: AssessmentPublic,
    witness: AgreementWitness,
}

impl Cheat {
    /// An honest round to bend.
    fn new() -> Self {
        Self::of_updates(&updates(SIZE, 900, 3))
    }

    fn of_updates(updates: &[Vec<i16>]) -> Self {
        let round =
            Round::of_updates(SIZE, ACTIVE, updates, RoundPolicy::Agreement { theta: 32, trim_count: 1 });
        let cheat = Self { public: round.public(), witness: round.witness() };
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
    cheat.refused_in("sigma");
}

/// The Gram argument refuses such a matrix whatever its assessment; the widths of the rule's circuit do so as well.
#[test]
fn gram_entry_out_of_range() {
    for value in [(1 << 52) + 1, -(1 << 52) - 1, 1 << 60] {
        let mut cheat = Cheat::new();
        cheat.witness.gram[position(SIZE, 0, 1)] = signed(value);
        cheat.rebind();
        cheat.refused_in("agreements");
    }
}

#[test]
fn active_mask_that_leaves_one_out() {
    let mut cheat = Cheat::new();
    cheat.witness.active[0] = false;
    cheat.refused_in("active slots");
}

#[test]
fn square_root_one_too_large() {
    let mut cheat = Cheat::new();
    cheat.witness.norms[1] += 1;
    cheat.refused_in("norms");
}

#[test]
fn square_root_one_too_small() {
    let mut cheat = Cheat::new();
    cheat.witness.norms[1] -= 1;
    cheat.refused_in("norms");
}

/// The active norms in ascending order.
fn ranked(cheat: &Cheat, values: &[u64]) -> Vec<u64> {
    let mut ranked: Vec<u64> = (0..SIZE).filter(|i| cheat.witness.active[*i]).map(|i| values[i]).collect();
    ranked.sort_unstable();
    ranked
}

#[test]
fn median_norm_one_rank_off() {
    for rank in [1, 3] {
        let mut cheat = Cheat::new();
        let norms = cheat.witness.norms.clone();
        let tau = ranked(&cheat, &norms)[rank];
        assert_ne!(tau, cheat.witness.tau);
        cheat.witness.tau = tau;
        cheat.witness.unclipped = norms.iter().map(|norm| *norm <= tau).collect();
        cheat.refused_in("median norm");
    }
}

#[test]
fn median_norm_of_no_slot() {
    let mut cheat = Cheat::new();
    cheat.witness.tau += 1;
    cheat.refused_in("median norm");
}

#[test]
fn long_update_left_unclipped() {
    let mut cheat = Cheat::new();
    let slot = (0..SIZE).find(|i| !cheat.witness.unclipped[*i]).unwrap();
    cheat.witness.unclipped[slot] = true;
    cheat.witness.clip_factors[slot] = 1 << 16;
    cheat.refused_in("median norm");
}

#[test]
fn clip_factor_off_by_one() {
    for off in [1, -1] {
        let mut cheat = Cheat::new();
        let slot = (0..SIZE).find(|i| !cheat.witness.unclipped[*i]).unwrap();
        cheat.witness.clip_factors[slot] = cheat.witness.clip_factors[slot].checked_add_signed(off).unwrap();
        cheat.refused_in("clip factors");
    }
}

#[test]
fn short_update_clipped() {
    let mut cheat = Cheat::new();
    cheat.witness.clip_factors[0] -= 1;
    assert!(cheat.witness.unclipped[0]);
    cheat.refused_in("clip factors");
}

#[test]
fn trim_that_counts_one_too_few_or_too_many() {
    for window in [[0, 4], [1, 5], [2, 4], [1, 3], [0, 5]] {
        let mut cheat = Cheat::new();
        assert_eq!(cheat.witness.window, [1, 4]);
        cheat.witness.window = window;
        cheat.refused_in("trim window");
    }
}

#[test]
fn row_that_is_not_descending() {
    let mut cheat = Cheat::new();
    cheat.witness.orders[0].swap(0, 1); // the entry that is trimmed comes into the window
    cheat.refused_in("agreements");
}

#[test]
fn inactive_slot_inside_the_trim_window() {
    let mut cheat = Cheat::new();
    cheat.witness.orders[0].swap(3, 5); // rank 5 is the first slot that is not active
    cheat.refused_in("agreements");
}

#[test]
fn contribution_off_by_one() {
    let slot = 0;
    for magnitude in [|m: u128| m + 1, |m: u128| m - 1] {
        let mut cheat = Cheat::new();
        assert!(cheat.witness.positive[slot]);
        cheat.witness.magnitudes[slot] = magnitude(cheat.witness.magnitudes[slot]);
        cheat.refused_in("contributions");
    }
}

#[test]
fn negative_contribution_made_positive() {
    let mut cheat = Cheat::new();
    let slot = (0..SIZE).find(|i| !cheat.witness.positive[*i]).unwrap();
    cheat.witness.positive[slot] = true;
    cheat.refused_in("contributions");
}

#[test]
fn positive_contribution_made_nothing() {
    let mut cheat = Cheat::new();
    cheat.witness.positive[0] = false;
    cheat.refused_in("contributions");
}

fn contributions(cheat: &Cheat) -> Vec<u64> {
    let witness = &cheat.witness;
    (0..SIZE).map(|i| if witness.positive[i] { witness.magnitudes[i] as u64 } else { 0 }).collect()
}

#[test]
fn median_contribution_one_rank_off() {
    for rank in [1, 3] {
        let mut cheat = Cheat::new();
        let contributions = contributions(&cheat);
        let median = ranked(&cheat, &contributions)[rank];
        assert_ne!(median, cheat.witness.median);
        cheat.witness.median = median;
        cheat.witness.at_most_median = contributions.iter().map(|c| *c <= median).collect();
        cheat.refused_in("median contribution");
    }
}

/// Keeps or drops a slot and computes the shares again.
fn reshare(cheat: &mut Cheat, slot: usize) {
    cheat.witness.kept[slot] = !cheat.witness.kept[slot];
    cheat.public.kept ^= SlotMask::single(slot);
    let contributions = contributions(cheat);
    let total: u64 = (0..SIZE).filter(|i| cheat.witness.kept[*i]).map(|i| contributions[i]).sum();
    for i in 0..SIZE {
        let counted = if cheat.witness.kept[i] { contributions[i] } else { 0 };
        let share = (u128::from(counted) << 16) / u128::from(total);
        cheat.witness.shares[i] = share as u32;
        cheat.witness.weights[i] = ((share * u128::from(cheat.witness.clip_factors[i])) >> 16) as u32;
    }
    cheat.public.shares = cheat.witness.shares.clone();
    cheat.public.weights = cheat.witness.weights.clone();
}

#[test]
fn trainer_dropped_that_should_be_kept() {
    let mut cheat = Cheat::new();
    assert!(cheat.witness.kept[0]);
    reshare(&mut cheat, 0);
    cheat.refused_in("kept slots");
}

#[test]
fn trainer_kept_that_should_be_dropped() {
    let mut cheat = Cheat::new();
    assert!(!cheat.witness.kept[4] && cheat.witness.active[4]);
    reshare(&mut cheat, 4);
    cheat.refused_in("kept slots");
}

#[test]
fn inactive_slot_kept() {
    let mut cheat = Cheat::new();
    reshare(&mut cheat, 2);
    cheat.refused_in("kept slots");
}

#[test]
fn kept_mask_with_a_bit_flipped() {
    for slot in 0..SIZE {
        let mut cheat = Cheat::new();
        cheat.public.kept ^= SlotMask::single(slot);
        cheat.refused_in("kept slots");
    }
}

#[test]
fn share_off_by_one() {
    for off in [1, -1] {
        let mut cheat = Cheat::new();
        let share = cheat.witness.shares[0].checked_add_signed(off).unwrap();
        cheat.witness.shares[0] = share;
        cheat.public.shares[0] = share;
        cheat.refused_in("shares");
    }
}

#[test]
fn public_share_that_is_not_the_proved_one() {
    let mut cheat = Cheat::new();
    cheat.public.shares[0] += 1;
    cheat.refused_in("shares");
}

#[test]
fn inactive_slot_with_a_share() {
    let mut cheat = Cheat::new();
    cheat.witness.shares[2] = 1;
    cheat.public.shares[2] = 1;
    cheat.refused_in("shares");
}

#[test]
fn weight_off_by_one() {
    for off in [1, -1] {
        let mut cheat = Cheat::new();
        let weight = cheat.witness.weights[0].checked_add_signed(off).unwrap();
        cheat.witness.weights[0] = weight;
        cheat.public.weights[0] = weight;
        cheat.refused_in("weights");
    }
}

#[test]
fn public_weight_that_is_not_the_proved_one() {
    let mut cheat = Cheat::new();
    cheat.public.weights[1] -= 1;
    cheat.refused_in("weights");
}

#[test]
fn inactive_slot_with_a_weight() {
    let mut cheat = Cheat::new();
    cheat.witness.weights[7] = 1;
    cheat.public.weights[7] = 1;
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

/// A coherence where none is defined.
#[test]
fn coherence_of_nothing() {
    for coherence in [1, 1 << 16] {
        let mut cheat = Cheat::of_updates(&vec![vec![0; 8]; SIZE]);
        assert_eq!(cheat.public.kept, 0);
        cheat.witness.coherence = coherence;
        cheat.public.coherence = coherence;
        cheat.refused_in("coherence");
    }
}

/// Another threshold than the contract's: the values of one policy under the other.
#[test]
fn another_threshold() {
    let mut cheat = Cheat::new();
    // Keeps contributions of four medians and more: there are none.
    cheat.public.policy = RoundPolicy::Agreement { theta: 1023, trim_count: 1 };
    cheat.refused_in("kept slots");
}

#[test]
fn threshold_out_of_range() {
    let mut cheat = Cheat::new();
    cheat.public.policy = RoundPolicy::Agreement { theta: 1 << 10, trim_count: 1 };
    cheat.refused_in("kept slots");
}

#[test]
fn another_trim_count() {
    for trim_count in [0, 2] {
        let mut cheat = Cheat::new();
        cheat.public.policy = RoundPolicy::Agreement { theta: 32, trim_count };
        cheat.refused_in("trim window");
    }
}

#[test]
fn policy_word_of_more_than_sixteen_bits() {
    let mut cheat = Cheat::new();
    cheat.public.policy = RoundPolicy::Agreement { theta: 32, trim_count: 1 << 16 | 1 };
    cheat.refused_in("policy words");
}

/// `2^16` units of the threshold for one of the trim count: the same sum.
#[test]
fn policy_words_moved_into_one_another() {
    let cheat = Cheat::new();
    assert_claim_refused(&cheat.public, &cheat.witness, "policy words", |[theta, trim_count]| {
        [theta + power_of_two(16), trim_count - Fr::ONE]
    });
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

/// A trim that leaves nothing, with a window to fit.
#[test]
fn trim_that_leaves_nothing() {
    let mut cheat = Cheat::new();
    cheat.public.policy = RoundPolicy::Agreement { theta: 32, trim_count: 3 };
    cheat.witness.window = [3, 2];
    cheat.refused_in("trim window");
}

#[test]
fn public_inputs_in_another_order_or_not_reduced_the_same_way() {
    let cheat = Cheat::new();
    assert_inputs_have_their_places(&cheat.public, &cheat.witness);
}
