//! The public inputs of the assessment circuits, the same for every rule, and the outcome that they fold into one.

use crate::gadgets::builder::{Builder, Wire};
use crate::gadgets::packing::{mask, pack_elements};
use crate::statements::gram_binding::{gram_hash, sigma};
use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use fairshare_protocol::{packed_words, Assessment, GramMatrix, Policy};

/// Public inputs of every assessment circuit.
pub const PUBLIC_INPUTS: usize = 7;

/// What is proved of a round, and to whom it is shown.
///
/// | index | field | Solidity |
/// | --- | --- | --- |
/// | 0 | `h` | `proof.h`: 0 where the prover commits (13.10) |
/// | 1 | `rho` | the challenge `st1 mod r` |
/// | 2 | `active` | `statement.activeMask` |
/// | 3 | `policy`, word 0 | `statement.policy[0]` |
/// | 4 | `policy`, word 1 | `statement.policy[1]` |
/// | 5 | `chi` | the challenge of the outcome |
/// | 6 | `sum_k chi^k outcome_k` | the same |
///
/// The outcome, everything that follows from the matrix and inputs 1 to 4: `sigma`, `kept`, `coherence`, then `shares` and `weights`,
/// 17 bits each, 14 to a word. The same stands in docs/protocol.md 13.2, with why the fold binds it.
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
            kept: assessment.kept,
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

    /// The public inputs in their order, for the circuit of `size` slots.
    pub fn to_field_elements(&self, size: usize) -> Vec<Fr> {
        self.values(size).inputs.to_vec()
    }

    pub(crate) fn values(&self, size: usize) -> PublicValues {
        let [first, second] = self.policy.words();
        let before = [self.h, self.rho, mask(self.active), Fr::from(first), Fr::from(second)];
        PublicValues::new(before, self.chi, self.outcome(size))
    }
}

/// `sum_k chi^k outcome_k`.
pub(crate) fn fold(outcome: &[Fr], chi: Fr) -> Fr {
    outcome.iter().rev().fold(Fr::ZERO, |sum, value| sum * chi + value)
}

/// The values with which a circuit is synthesised.
#[derive(Debug, Clone)]
pub(crate) struct PublicValues {
    pub(crate) inputs: [Fr; PUBLIC_INPUTS],
    pub(crate) outcome: Vec<Fr>,
}

impl PublicValues {
    /// Public inputs `before` the challenge of the outcome, that challenge, and the outcome, which is folded.
    pub(crate) fn new([h, rho, active, first, second]: [Fr; 5], chi: Fr, outcome: Vec<Fr>) -> Self {
        Self { inputs: [h, rho, active, first, second, chi, fold(&outcome, chi)], outcome }
    }

    /// Values that do not matter.
    pub(crate) fn blank(size: usize) -> Self {
        Self::new([Fr::ZERO; 5], Fr::ZERO, vec![Fr::ZERO; 3 + 2 * packed_words(size)])
    }

    /// Makes the public inputs, and the outcome as private variables that the last input folds: one constraint each.
    pub(crate) fn allocate(&self, builder: &mut Builder) -> PublicWires {
        builder.section("public inputs");
        let [h, rho, active, first, second, chi, folded] = self.inputs.map(|value| builder.input(value));
        let mut outcome = self.outcome.iter().map(|value| builder.witness(*value)).collect::<Vec<Wire>>();
        builder.section("outcome");
        let mut sum = Wire::zero();
        for value in outcome.iter().rev() {
            sum = builder.product(&sum, &chi).plus(value);
        }
        builder.equal(&sum, &folded);
        let weights = outcome.split_off((outcome.len() + 3) / 2);
        let shares = outcome.split_off(3);
        let [sigma, kept, coherence] = outcome.try_into().expect("three are left");
        PublicWires { h, rho, active, policy: [first, second], chi, sigma, kept, coherence, shares, weights }
    }
}

/// The public inputs of a circuit but the last, and the outcome that the last one folds.
pub(crate) struct PublicWires {
    pub(crate) h: Wire,
    pub(crate) rho: Wire,
    pub(crate) active: Wire,
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
    use crate::gadgets::system::check;

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
        assert_eq!(values.inputs[..6], [100u64, 101, 0xffff, 32, 3, 3].map(Fr::from));
        let powers = [1u64, 3, 9, 27, 81, 243, 729].map(Fr::from);
        assert_eq!(
            values.inputs[6],
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
        for index in [5, 6] {
            let mut bent = honest.clone();
            bent.inputs[index] += Fr::from(1u64);
            assert!(!holds(&bent), "input {index}");
        }
    }
}
