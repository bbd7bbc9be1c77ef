//! The public inputs of the assessment circuits, the same for every rule, and the outcome that one of them digests.

use crate::gadgets::packing::{mask, pack, pack_combinations, pack_elements};
use crate::gadgets::range::range;
use crate::r1cs::linear_combination::power_of_two;
use crate::r1cs::{Builder, LinearCombination};
#[cfg(test)]
use crate::statements::gram_binding::sigma;
use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
#[cfg(test)]
use fairshare_protocol::GramMatrix;
use fairshare_protocol::{packed_words, Assessment, RoundPolicy, SlotMask};

/// Public inputs of every assessment circuit.
pub(crate) const PUBLIC_INPUTS: usize = 4;

/// Bits of the active mask in `packed_inputs`.
const MASK_BITS: usize = 128;

/// Bits of each policy word in `packed_inputs`.
const POLICY_BITS: usize = 16;

/// What is proved of a round, and to whom it is shown.
///
/// | index | field | Solidity |
/// | --- | --- | --- |
/// | 0 | `rho` | the challenge `st1 mod r` |
/// | 1 | `packed_inputs`: `active + 2^128 policy_0 + 2^144 policy_1` | `statement.activeMask`, `statement.policy` |
/// | 2 | `chi` | the challenge of the outcome, and of the lookups |
/// | 3 | `outcome_digest`: `sum_k chi^k outcome_k` | the same |
///
/// The outcome is all that follows from the matrix and inputs 0 and 1: `sigma`, `kept`, `coherence`, then `shares` and
/// `weights`, 17 bits each, 14 to a word. docs/protocol.md 6.1 has the same table, and says why the digest binds the
/// outcome and why `packed_inputs` has one reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AssessmentPublic {
    /// The challenge that follows from the commitment.
    pub(crate) rho: Fr,
    /// The challenge that follows from the outcome.
    pub(crate) chi: Fr,
    /// `sum_{i,j} rho_i rho_j G_ij`.
    pub(crate) sigma: Fr,
    /// Active slots.
    pub(crate) active: SlotMask,
    /// The rule, which the key of the proof decides, and its two words.
    pub(crate) policy: RoundPolicy,
    /// Kept slots.
    pub(crate) kept: SlotMask,
    /// `0 ..= 2^16`.
    pub(crate) coherence: u32,
    /// Pay shares in `2^-16`, one a slot.
    pub(crate) shares: Vec<u32>,
    /// Model weights in `2^-16`, one a slot.
    pub(crate) weights: Vec<u32>,
}

impl AssessmentPublic {
    /// The statement about an assessment of `gram` under the challenges `rho` and `chi`.
    #[cfg(test)]
    pub(crate) fn new(
        gram: &GramMatrix,
        [rho, chi]: [Fr; 2],
        active: SlotMask,
        policy: RoundPolicy,
        assessment: &Assessment,
    ) -> Self {
        Self { rho, chi, sigma: sigma(gram, rho), ..Self::unbound(active, policy, assessment) }
    }

    /// What is known before the challenges: `rho`, `chi` and `sigma` are 0.
    pub(crate) fn unbound(active: SlotMask, policy: RoundPolicy, assessment: &Assessment) -> Self {
        Self {
            rho: Fr::ZERO,
            chi: Fr::ZERO,
            sigma: Fr::ZERO,
            active,
            policy,
            kept: assessment.kept,
            coherence: assessment.coherence,
            shares: assessment.shares.clone(),
            weights: assessment.weights.clone(),
        }
    }

    /// The outcome in its order, for the circuit of `size` slots.
    ///
    /// Shares and weights for fewer slots are filled with zeros; entries beyond `size` are cut, which verification
    /// refuses.
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

    /// The public inputs in their order, for the circuit of `size` slots. They distinguish policies whose words are
    /// below `2^16`; verification refuses other policies.
    #[cfg(test)]
    pub(crate) fn to_field_elements(&self, size: usize) -> Vec<Fr> {
        self.values(size).inputs.to_vec()
    }

    pub(crate) fn values(&self, size: usize) -> PublicValues {
        let policy = self.policy.words().map(Fr::from);
        let before = [self.rho, packed_inputs(self.active, policy)];
        PublicValues::new(before, policy, self.chi, self.outcome(size))
    }
}

/// The mask and the two policy words as one public input. Below `2^160` and with one reading if both words are in
/// range.
pub(crate) fn packed_inputs(active: SlotMask, policy: [Fr; 2]) -> Fr {
    mask(active) + power_of_two(MASK_BITS) * pack(&policy, POLICY_BITS)
}

/// The first policy word that is too large for `packed_inputs`, if there is one.
pub(crate) fn policy_word_out_of_range(policy: RoundPolicy) -> Option<u32> {
    policy.words().into_iter().find(|word| word >> POLICY_BITS != 0)
}

/// `sum_k chi^k outcome_k`.
pub(crate) fn outcome_digest(outcome: &[Fr], chi: Fr) -> Fr {
    outcome.iter().rev().fold(Fr::ZERO, |sum, value| sum * chi + value)
}

/// The values with which a circuit is synthesised.
#[derive(Debug, Clone)]
pub(crate) struct PublicValues {
    pub(crate) inputs: [Fr; PUBLIC_INPUTS],
    /// The policy words that the prover claims for `packed_inputs`.
    pub(crate) policy: [Fr; 2],
    pub(crate) outcome: Vec<Fr>,
}

impl PublicValues {
    /// `rho` and `packed_inputs`, the policy words of the second, the challenge of the outcome, and the outcome.
    pub(crate) fn new([rho, packed]: [Fr; 2], policy: [Fr; 2], chi: Fr, outcome: Vec<Fr>) -> Self {
        Self { inputs: [rho, packed, chi, outcome_digest(&outcome, chi)], policy, outcome }
    }

    /// Values that do not matter.
    pub(crate) fn blank(size: usize) -> Self {
        Self::new([Fr::ZERO; 2], [Fr::ZERO; 2], Fr::ZERO, vec![Fr::ZERO; 3 + 2 * packed_words(size)])
    }

    /// Allocates the public inputs, and policy words and outcome as private variables. One constraint per word of the
    /// outcome ties it to its digest.
    pub(crate) fn allocate(&self, builder: &mut Builder) -> PublicVariables {
        builder.section("public inputs");
        let [rho, packed, chi, digest] = self.inputs.map(|value| builder.input(value));
        let policy = self.policy.map(|value| builder.witness(value));
        let mut outcome =
            self.outcome.iter().map(|value| builder.witness(*value)).collect::<Vec<LinearCombination>>();

        // Policy words: 16 bits each. The mask is what they leave of `packed_inputs`, and a rule's "active slots"
        // require it to be the sum of their bits. With all three in range the sum is below 2^160, so there are no other
        // words and no other mask.
        builder.section("policy words");
        for word in &policy {
            range(builder, word, POLICY_BITS);
        }
        let mut active = packed;
        active.add_scaled(&pack_combinations(&policy, POLICY_BITS), -power_of_two(MASK_BITS));

        builder.section("outcome");
        let (last, others) = outcome.split_last().expect("sigma is an element");
        let mut sum = last.clone();
        for value in others.iter().rev() {
            sum = builder.product(&sum, &chi).plus(value);
        }
        builder.equal(&sum, &digest);
        let weights = outcome.split_off((outcome.len() + 3) / 2);
        let shares = outcome.split_off(3);
        let [sigma, kept, coherence] = outcome.try_into().expect("three are left");
        PublicVariables { rho, active, policy, chi, sigma, kept, coherence, shares, weights }
    }
}

/// The parts of the public inputs: mask and policy words of `packed_inputs`, and the outcome of `outcome_digest`.
pub(crate) struct PublicVariables {
    pub(crate) rho: LinearCombination,
    /// What the policy words leave of `packed_inputs`; [`super::outcome::active_slots`] requires it to be a mask.
    pub(crate) active: LinearCombination,
    /// Each below `2^16`.
    pub(crate) policy: [LinearCombination; 2],
    pub(crate) chi: LinearCombination,
    pub(crate) sigma: LinearCombination,
    pub(crate) kept: LinearCombination,
    pub(crate) coherence: LinearCombination,
    /// Packed words, as `weights`.
    pub(crate) shares: Vec<LinearCombination>,
    pub(crate) weights: Vec<LinearCombination>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::r1cs::lookup::close;
    use crate::r1cs::system::check;
    use crate::r1cs::R1cs;
    use crate::statements::outcome::active_slots;
    use ark_ff::Field;

    fn public() -> AssessmentPublic {
        AssessmentPublic {
            rho: Fr::from(101u64),
            chi: Fr::from(3u64),
            sigma: Fr::from(102u64),
            active: SlotMask::lowest(16),
            policy: RoundPolicy::Agreement { theta: 32, trim_count: 3 },
            kept: SlotMask::lowest(15),
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
        let packed = Fr::from(0xffffu64) + power_of_two(128 + 5) + power_of_two(144) + power_of_two(145);
        assert_eq!(values.inputs[..3], [101u64.into(), packed, 3u64.into()]);
        assert_eq!(values.policy, [32u64, 3].map(Fr::from));
        let powers = [1u64, 3, 9, 27, 81, 243, 729].map(Fr::from);
        assert_eq!(
            values.inputs[3],
            outcome.iter().zip(powers).map(|(value, power)| power * value).sum::<Fr>()
        );
        assert_eq!(public().to_field_elements(16), values.inputs);
    }

    #[test]
    fn the_digest_binds_the_outcome() {
        let holds = |values: &PublicValues| check(|builder| drop(values.allocate(builder))).0;
        let honest = public().values(16);
        assert!(holds(&honest));
        for index in 0..honest.outcome.len() {
            let mut bent = honest.clone();
            bent.outcome[index] += Fr::from(1u64);
            assert!(!holds(&bent), "outcome {index}");
        }
        for index in [2, 3] {
            let mut bent = honest.clone();
            bent.inputs[index] += Fr::from(1u64);
            assert!(!holds(&bent), "input {index}");
        }
    }

    const SLOTS: usize = 8;
    const MASK: u128 = 0b0111_1011;

    /// `packed_inputs` of this mask and these words beside the words `claimed`, under a challenge that is not an entry
    /// of the table.
    fn stated(mask: u128, policy: [u64; 2], claimed: [Fr; 2]) -> PublicValues {
        let packed = packed_inputs(mask.into(), policy.map(Fr::from));
        let outcome = vec![Fr::ONE; 3 + 2 * packed_words(SLOTS)];
        PublicValues::new([Fr::ONE, packed], claimed, Fr::from(3u64).pow([100]), outcome)
    }

    /// The public inputs and the active slots `bits`, nothing else: every section that is broken.
    #[track_caller]
    fn broken(values: &PublicValues, bits: u128) -> Vec<&'static str> {
        let synthesize = |builder: &mut Builder| {
            let public = values.allocate(builder);
            builder.section("active slots");
            let claims: Vec<bool> = (0..SLOTS).map(|slot| bits >> slot & 1 == 1).collect();
            active_slots(builder, &claims, &public.active);
            close(builder, &public.chi);
        };
        let system = R1cs::new(10, synthesize).unwrap();
        let mut builder = system.assigning();
        synthesize(&mut builder);
        system.broken_sections(&builder.assignment().unwrap())
    }

    fn as_claimed(mask: u128, policy: [u64; 2]) -> PublicValues {
        stated(mask, policy, policy.map(Fr::from))
    }

    #[test]
    fn packed_inputs_are_read_as_they_were_stated() {
        for mask in [0, 1, MASK, 0xff] {
            for policy in [[0, 0], [32, 1], [0xffff, 0], [0, 0xffff], [0xffff, 0xffff]] {
                assert_eq!(broken(&as_claimed(mask, policy), mask), [""; 0], "{mask:#x} {policy:?}");
            }
        }
        assert_eq!(broken(&as_claimed(MASK, [32, 1]), MASK ^ 1), ["active slots"]);
        assert_eq!(broken(&stated(MASK, [32, 1], [33u64, 1].map(Fr::from)), MASK), ["active slots"]);
        assert_eq!(broken(&stated(MASK, [32, 1], [1u64, 32].map(Fr::from)), MASK), ["active slots"]);
    }

    /// The sum is the same and everything else holds: only the ranges refuse it.
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
            assert_eq!(values.inputs[1], parts.iter().sum::<Fr>(), "the sum does not tell");
            assert_eq!(broken(&values, MASK), ["policy words"], "{policy:?} moved by {moved}");
        }
    }

    /// A slot left out or added, and a word that is not an integer makes up for it: only the range refuses it.
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
        let out =
            |neighbours, selected| policy_word_out_of_range(RoundPolicy::MultiKrum { neighbours, selected });
        assert_eq!((out(0, 0), out(0xffff, 0xffff)), (None, None));
        assert_eq!((out(1 << 16, 3), out(3, 1 << 16)), (Some(1 << 16), Some(1 << 16)));
        assert_eq!(out(u32::MAX, u32::MAX - 1), Some(u32::MAX));
    }
}
