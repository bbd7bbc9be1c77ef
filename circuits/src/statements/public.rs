//! The public inputs of the assessment circuits, the same for every rule, and the outcome that they fold into one.

use crate::gadgets::builder::{power_of_two, Builder, Wire};
use crate::gadgets::packing::{mask, pack, pack_elements, pack_wires};
use crate::gadgets::range::range;
use crate::statements::gram_binding::{gram_hash, sigma};
use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use fairshare_protocol::{packed_words, Assessment, GramMatrix, Policy};

/// Public inputs of every assessment circuit.
pub const PUBLIC_INPUTS: usize = 5;

/// Bits of the active mask in `setting`.
const MASK_BITS: usize = 128;

/// Bits of each policy word in `setting`.
const POLICY_BITS: usize = 16;

/// What is proved of a round, and to whom it is shown.
///
/// | index | field | Solidity |
/// | --- | --- | --- |
/// | 0 | `h` | `proof.h`: 0 where the prover commits (13.10) |
/// | 1 | `rho` | the challenge `st1 mod r` |
/// | 2 | `setting`: `active + 2^128 policy_0 + 2^144 policy_1` | `statement.activeMask`, `statement.policy` |
/// | 3 | `chi` | the challenge of the outcome |
/// | 4 | `sum_k chi^k outcome_k` | the same |
///
/// The outcome, everything that follows from the matrix and inputs 1 and 2: `sigma`, `kept`, `coherence`, then `shares` and `weights`,
/// 17 bits each, 14 to a word. The same stands in docs/protocol.md 13.2, with why the fold binds it and why `setting` has one reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssessmentPublic {
    /// Poseidon of the Gram matrix, or 0 where the prover commits to it.
    pub h: Fr,
    /// The challenge that `h` or the commitment gives.
    pub rho: Fr,
    /// The challenge that the outcome gives; where the prover commits, also that of the lookups.
    pub chi: Fr,
    /// `sum_{i,j} rho_i rho_j G_ij`.
    pub sigma: Fr,
    /// Active slots, slot `i` as bit `i`.
    pub active: u128,
    /// The rule, which the key of the proof decides, and its two words.
    pub policy: Policy,
    /// Kept slots.
    pub kept: u128,
    /// `0 ..= 2^16`.
    pub coherence: u32,
    /// Pay shares in `2^-16`, one a slot.
    pub shares: Vec<u32>,
    /// Model weights in `2^-16`, one a slot.
    pub weights: Vec<u32>,
}

impl AssessmentPublic {
    /// What an assessment of `gram` gives under the challenges `rho` and `chi`, for a circuit whose prover does not commit.
    pub fn new(
        gram: &GramMatrix,
        [rho, chi]: [Fr; 2],
        active: u128,
        policy: Policy,
        assessment: &Assessment,
    ) -> Self {
        let h = gram_hash(gram);
        Self { h, rho, chi, sigma: sigma(gram, rho), ..Self::unbound(active, policy, assessment) }
    }

    /// What is known before the challenges: `h`, `rho`, `chi` and `sigma` are 0.
    pub(crate) fn unbound(active: u128, policy: Policy, assessment: &Assessment) -> Self {
        Self {
            h: Fr::ZERO,
            rho: Fr::ZERO,
            chi: Fr::ZERO,
            sigma: Fr::ZERO,
            active,
            policy,
            kept: assessment.kept.bits(),
            coherence: assessment.coherence,
            shares: assessment.shares.clone(),
            weights: assessment.weights.clone(),
        }
    }

    /// The outcome in its order, for the circuit of `size` slots.
    ///
    /// Shares and weights for fewer slots are filled with zeros; entries beyond `size` are cut, which verification refuses.
    pub(crate) fn outcome(&self, size: usize) -> Vec<Fr> {
        let filled = |elements: &[u32]| {
            let mut elements = elements.to_vec();
            elements.resize(size, 0);
            pack_elements(&elements)
        };
        let mut outcome = vec![self.sigma, mask(self.kept), Fr::from(self.coherence)];
        outcome.extend(filled(&self.shares));
        outcome.extend(filled(&self.weights));
        outcome
    }

    /// The public inputs in their order, for the circuit of `size` slots. They tell policies apart whose words are below
    /// `2^16`, and no others: verification refuses those.
    pub fn to_field_elements(&self, size: usize) -> Vec<Fr> {
        self.values(size).inputs.to_vec()
    }

    pub(crate) fn values(&self, size: usize) -> PublicValues {
        let policy = self.policy.words().map(Fr::from);
        let before = [self.h, self.rho, setting(self.active, policy)];
        PublicValues::new(before, policy, self.chi, self.outcome(size))
    }
}

/// The mask and the two policy words as one public input. Below `2^160`, and read in one way, where both words are in range.
pub(crate) fn setting(active: u128, policy: [Fr; 2]) -> Fr {
    mask(active) + power_of_two(MASK_BITS) * pack(&policy, POLICY_BITS)
}

/// The first policy word that is too large for `setting`, if there is one.
pub(crate) fn policy_word_out_of_range(policy: Policy) -> Option<u32> {
    policy.words().into_iter().find(|word| word >> POLICY_BITS != 0)
}

/// `sum_k chi^k outcome_k`.
pub(crate) fn fold(outcome: &[Fr], chi: Fr) -> Fr {
    outcome.iter().rev().fold(Fr::ZERO, |sum, value| sum * chi + value)
}

/// The values with which a circuit is synthesised.
#[derive(Debug, Clone)]
pub(crate) struct PublicValues {
    pub(crate) inputs: [Fr; PUBLIC_INPUTS],
    /// The policy words that the prover says `setting` holds.
    pub(crate) policy: [Fr; 2],
    pub(crate) outcome: Vec<Fr>,
}

impl PublicValues {
    /// Public inputs before the challenge of the outcome, the policy words of the third, that challenge, and the outcome,
    /// which is folded.
    pub(crate) fn new([h, rho, setting]: [Fr; 3], policy: [Fr; 2], chi: Fr, outcome: Vec<Fr>) -> Self {
        Self { inputs: [h, rho, setting, chi, fold(&outcome, chi)], policy, outcome }
    }

    /// Values that do not matter.
    pub(crate) fn blank(size: usize) -> Self {
        Self::new([Fr::ZERO; 3], [Fr::ZERO; 2], Fr::ZERO, vec![Fr::ZERO; 3 + 2 * packed_words(size)])
    }

    /// Makes the public inputs; the policy words as private variables; and the outcome as private variables that the last
    /// input folds: one constraint each.
    pub(crate) fn allocate(&self, builder: &mut Builder) -> PublicWires {
        builder.section("public inputs");
        let [h, rho, setting, chi, folded] = self.inputs.map(|value| builder.input(value));
        let policy = self.policy.map(|value| builder.witness(value));
        let mut outcome = self.outcome.iter().map(|value| builder.witness(*value)).collect::<Vec<Wire>>();

        // Policy words: 16 bits each. The mask is what they leave of `setting`, and a rule's "active slots" say that it is the
        // sum of their bits. With all three in range the sum is below 2^160, so there are no other words and no other mask.
        builder.section("policy words");
        for word in &policy {
            range(builder, word, POLICY_BITS);
        }
        let mut active = setting;
        active.add_scaled(&pack_wires(&policy, POLICY_BITS), -power_of_two(MASK_BITS));

        builder.section("outcome");
        let (last, others) = outcome.split_last().expect("sigma is one");
        let mut sum = last.clone();
        for value in others.iter().rev() {
            sum = builder.product(&sum, &chi).plus(value);
        }
        builder.equal(&sum, &folded);
        let weights = outcome.split_off((outcome.len() + 3) / 2);
        let shares = outcome.split_off(3);
        let [sigma, kept, coherence] = outcome.try_into().expect("three are left");
        PublicWires { h, rho, active, policy, chi, sigma, kept, coherence, shares, weights }
    }
}

/// The public inputs of a circuit but the last: mask and policy words for `setting`, and the outcome for the fold.
pub(crate) struct PublicWires {
    pub(crate) h: Wire,
    pub(crate) rho: Wire,
    /// What the policy words leave of `setting`; [`super::outcome::active_slots`] says that it is a mask.
    pub(crate) active: Wire,
    /// Each below `2^16`.
    pub(crate) policy: [Wire; 2],
    pub(crate) chi: Wire,
    pub(crate) sigma: Wire,
    pub(crate) kept: Wire,
    pub(crate) coherence: Wire,
    /// Packed words, as `weights`.
    pub(crate) shares: Vec<Wire>,
    pub(crate) weights: Vec<Wire>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gadgets::lookup::close;
    use crate::gadgets::system::check;
    use crate::gadgets::System;
    use crate::statements::outcome::active_slots;
    use ark_ff::Field;

    fn public() -> AssessmentPublic {
        AssessmentPublic {
            h: Fr::from(100u64),
            rho: Fr::from(101u64),
            chi: Fr::from(3u64),
            sigma: Fr::from(102u64),
            active: 0xffff,
            policy: Policy::Agreement { theta: 32, trim_count: 3 },
            kept: 0x7fff,
            coherence: 999,
            shares: (1..=16).collect(),
            weights: (21..=36).collect(),
        }
    }

    #[test]
    fn the_order_is_that_of_the_table() {
        let values = public().values(16);
        let outcome = &values.outcome;
        assert_eq!(outcome.len(), 7);
        assert_eq!(outcome[..3], [102u64, 0x7fff, 999].map(Fr::from));
        assert_eq!(outcome[4], Fr::from(15u64 + (16 << 17)));
        assert_eq!(outcome[6], Fr::from(35u64 + (36 << 17)));
        let setting = Fr::from(0xffffu64) + power_of_two(128 + 5) + power_of_two(144) + power_of_two(145);
        assert_eq!(values.inputs[..4], [100u64.into(), 101u64.into(), setting, 3u64.into()]);
        assert_eq!(values.policy, [32u64, 3].map(Fr::from));
        let powers = [1u64, 3, 9, 27, 81, 243, 729].map(Fr::from);
        assert_eq!(
            values.inputs[4],
            outcome.iter().zip(powers).map(|(value, power)| power * value).sum::<Fr>()
        );
        assert_eq!(public().to_field_elements(16), values.inputs);
    }

    #[test]
    fn the_fold_binds_the_outcome() {
        let holds = |values: &PublicValues| check(|builder| drop(values.allocate(builder))).0;
        let honest = public().values(16);
        assert!(holds(&honest));
        for index in 0..honest.outcome.len() {
            let mut bent = honest.clone();
            bent.outcome[index] += Fr::from(1u64);
            assert!(!holds(&bent), "outcome {index}");
        }
        for index in [3, 4] {
            let mut bent = honest.clone();
            bent.inputs[index] += Fr::from(1u64);
            assert!(!holds(&bent), "input {index}");
        }
    }

    const SLOTS: usize = 8;
    const MASK: u128 = 0b0111_1011;

    /// `setting` of this mask and these words beside the words `claimed`, under a challenge that is no entry of a table.
    fn stated(mask: u128, policy: [u64; 2], claimed: [Fr; 2]) -> PublicValues {
        let setting = setting(mask, policy.map(Fr::from));
        let outcome = vec![Fr::ONE; 3 + 2 * packed_words(SLOTS)];
        PublicValues::new([Fr::ONE, Fr::ONE, setting], claimed, Fr::from(3u64).pow([100]), outcome)
    }

    /// The public inputs and the active slots `bits`, nothing else: every section that is broken, by bits as by lookups.
    #[track_caller]
    fn broken(values: &PublicValues, bits: u128) -> Vec<&'static str> {
        let synthesize = |builder: &mut Builder| {
            let public = values.allocate(builder);
            builder.section("active slots");
            let claims: Vec<bool> = (0..SLOTS).map(|slot| bits >> slot & 1 == 1).collect();
            active_slots(builder, &claims, &public.active);
            close(builder, &public.chi);
        };
        let sections = |system: System| {
            let mut builder = system.assigning();
            synthesize(&mut builder);
            system.broken_sections(&builder.assignment().unwrap())
        };
        let by_bits = sections(System::new(synthesize).unwrap());
        let by_lookups = sections(System::with_lookups(10, synthesize).unwrap());
        assert_eq!(by_bits, by_lookups);
        by_bits
    }

    fn as_claimed(mask: u128, policy: [u64; 2]) -> PublicValues {
        stated(mask, policy, policy.map(Fr::from))
    }

    #[test]
    fn a_setting_is_read_as_it_was_stated() {
        for mask in [0, 1, MASK, 0xff] {
            for policy in [[0, 0], [32, 1], [0xffff, 0], [0, 0xffff], [0xffff, 0xffff]] {
                assert_eq!(broken(&as_claimed(mask, policy), mask), [""; 0], "{mask:#x} {policy:?}");
            }
        }
        assert_eq!(broken(&as_claimed(MASK, [32, 1]), MASK ^ 1), ["active slots"]);
        assert_eq!(broken(&stated(MASK, [32, 1], [33u64, 1].map(Fr::from)), MASK), ["active slots"]);
        assert_eq!(broken(&stated(MASK, [32, 1], [1u64, 32].map(Fr::from)), MASK), ["active slots"]);
    }

    /// The sum is the same and everything else holds: the ranges alone refuse it.
    #[test]
    fn policy_words_moved_into_one_another_are_refused_by_their_range() {
        let whole = power_of_two(16);
        for (policy, moved) in
            [([32, 1], whole), ([32, 1], whole + whole), ([32, 1], -whole), ([0, 0xffff], whole)]
        {
            let [first, second] = policy.map(Fr::from);
            let claimed = [first + moved, second - moved / whole];
            let values = stated(MASK, policy, claimed);
            let parts = [MASK.into(), power_of_two(128) * claimed[0], power_of_two(144) * claimed[1]];
            assert_eq!(values.inputs[2], parts.iter().sum::<Fr>(), "the sum does not tell");
            assert_eq!(broken(&values, MASK), ["policy words"], "{policy:?} moved by {moved}");
        }
    }

    /// A slot left out or let in, and a word that is no integer makes up for it: the range alone refuses it.
    #[test]
    fn a_slot_traded_for_a_part_of_a_policy_word_is_refused_by_its_range() {
        for slot in 0..SLOTS {
            let bit = Fr::from(1u128 << slot) * if MASK >> slot & 1 == 1 { Fr::ONE } else { -Fr::ONE };
            for (word, weight) in [power_of_two(128), power_of_two(144)].into_iter().enumerate() {
                let mut claimed = [32u64, 1].map(Fr::from);
                claimed[word] += bit / weight;
                let values = stated(MASK, [32, 1], claimed);
                assert_eq!(broken(&values, MASK ^ 1 << slot), ["policy words"], "slot {slot}, word {word}");
            }
        }
    }

    /// One policy unit less is `2^128` more for the mask: no sum of the slots' bits.
    #[test]
    fn a_policy_unit_traded_for_a_bit_of_the_mask_is_refused_by_the_slots() {
        for claimed in [[31u64, 1], [32, 0]] {
            let values = stated(MASK, [32, 1], claimed.map(Fr::from));
            for bits in [MASK, 0, 0xff, MASK | 1] {
                assert_eq!(broken(&values, bits), ["active slots"], "{claimed:?} {bits:#x}");
            }
        }
    }

    /// A mask of more slots than the circuit has is no sum of its bits, and no part of a policy word.
    #[test]
    fn a_mask_beyond_the_slots_is_refused() {
        for bit in [SLOTS, 64, 127] {
            let mask = MASK | 1 << bit;
            assert_eq!(broken(&as_claimed(mask, [32, 1]), MASK), ["active slots"], "bit {bit}");
            let claimed = [Fr::from(32u64) + Fr::from(1u128 << bit) / power_of_two(128), Fr::ONE];
            assert_eq!(broken(&stated(mask, [32, 1], claimed), MASK), ["policy words"], "bit {bit}");
        }
    }

    #[test]
    fn policy_words_of_sixteen_bits_are_in_range() {
        let out = |neighbours, selected| policy_word_out_of_range(Policy::MultiKrum { neighbours, selected });
        assert_eq!((out(0, 0), out(0xffff, 0xffff)), (None, None));
        assert_eq!((out(1 << 16, 3), out(3, 1 << 16)), (Some(1 << 16), Some(1 << 16)));
        assert_eq!(out(u32::MAX, u32::MAX - 1), Some(u32::MAX));
    }
}
