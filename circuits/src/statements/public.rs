//! The public inputs of the assessment circuits, the same for every rule.

use crate::gadgets::packing::{mask, pack_elements};
use crate::statements::gram_binding::{gram_hash, sigma};
use ark_bn254::Fr;
use fairshare_protocol::{packed_words, Assessment, GramMatrix, Policy};

/// What is proved of a round, and to whom it is shown.
///
/// | index | field | Solidity word |
/// | --- | --- | --- |
/// | 0 | `h` | `proof.h`, or the challenge `x` of 13.10 |
/// | 1 | `rho` | the challenge `st1 mod r` |
/// | 2 | `sigma` | `proof.sigma` |
/// | 3 | `active` | `statement.activeMask` |
/// | 4 | `policy`, word 0 | `statement.policy[0]` |
/// | 5 | `policy`, word 1 | `statement.policy[1]` |
/// | 6 | `kept` | `proof.keptMask` |
/// | 7 | `coherence` | `proof.coherence` |
/// | 8 .. 8 + k | `shares`, 17 bits each, 14 to a word | `proof.shares` |
/// | 8 + k .. 8 + 2 k | `weights`, likewise | `proof.weights` |
///
/// with `k = ceil(N / 14)`; the same table stands in docs/protocol.md 13.2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssessmentPublic {
    /// Poseidon of the Gram matrix; where the prover commits, the challenge `x` of the commitment.
    pub h: Fr,
    /// The challenge that `h` gives.
    pub rho: Fr,
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
    /// The public inputs that an assessment of `gram` gives under the challenge `rho`.
    pub fn new(gram: &GramMatrix, rho: Fr, active: u128, policy: Policy, assessment: &Assessment) -> Self {
        Self::unbound(active, policy, assessment).bound(gram, gram_hash(gram), rho)
    }

    /// What is known before the challenges: `h`, `rho` and `sigma` are 0.
    pub(crate) fn unbound(active: u128, policy: Policy, assessment: &Assessment) -> Self {
        let zero = Fr::from(0u64);
        Self {
            h: zero,
            rho: zero,
            sigma: zero,
            active,
            policy,
            kept: assessment.kept,
            coherence: assessment.coherence,
            shares: assessment.shares.clone(),
            weights: assessment.weights.clone(),
        }
    }

    /// The same bound to a matrix: by its hash `h`, or by the challenge of a commitment in its place.
    pub(crate) fn bound(self, gram: &GramMatrix, h: Fr, rho: Fr) -> Self {
        Self { h, rho, sigma: sigma(gram, rho), ..self }
    }

    /// The public inputs in their order, for the circuit of `size` slots. This function alone fixes it.
    ///
    /// Shares and weights for fewer slots are filled with zeros; entries beyond `size` are cut, which verification refuses.
    pub fn to_field_elements(&self, size: usize) -> Vec<Fr> {
        let filled = |elements: &[u32]| {
            let mut elements = elements.to_vec();
            elements.resize(size, 0);
            pack_elements(&elements)
        };
        let [first, second] = self.policy.words();
        let mut fields = vec![
            self.h,
            self.rho,
            self.sigma,
            mask(self.active),
            Fr::from(first),
            Fr::from(second),
            mask(self.kept),
            Fr::from(self.coherence),
        ];
        fields.extend(filled(&self.shares));
        fields.extend(filled(&self.weights));
        fields
    }
}

/// Public inputs of the circuit of `size` slots.
pub fn public_inputs(size: usize) -> usize {
    8 + 2 * packed_words(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_the_table() {
        let public = AssessmentPublic {
            h: Fr::from(100u64),
            rho: Fr::from(101u64),
            sigma: Fr::from(102u64),
            active: 0xffff,
            policy: Policy::Agreement { theta: 32, trim_count: 3 },
            kept: 0x7fff,
            coherence: 999,
            shares: (1..=16).collect(),
            weights: (21..=36).collect(),
        };
        let fields = public.to_field_elements(16);
        assert_eq!(fields.len(), 12);
        assert_eq!(fields.len(), public_inputs(16));
        assert_eq!(fields[..8], [100u64, 101, 102, 0xffff, 32, 3, 0x7fff, 999].map(Fr::from));
        assert_eq!(fields[9], Fr::from(15u64 + (16 << 17)));
        assert_eq!(fields[11], Fr::from(35u64 + (36 << 17)));
        assert_eq!([8, 32, 64, 128].map(public_inputs), [10, 14, 18, 28]);
    }
}
