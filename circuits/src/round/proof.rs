//! A round's proof as typed values, and as the words of the contract's struct.

use super::error::VerifyError;
use crate::arguments::GramArgument;
use crate::curve::words::EncodingError;
use crate::curve::words::{
    g2_from_words, g2_words, point_from_words, point_words, scalar_from_word, scalar_word,
};
use ark_bn254::{Bn254, G1Affine};
use ark_groth16::Proof;
use fairshare_protocol::{pack17, u128_from_word, unpack17, word_from_u128, SlotMask, Word, ONE};

/// What the aggregator computed and proves. Made by the prover or read from words, so that its numbers fit their
/// places.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundProof {
    pub(crate) kept: SlotMask,
    pub(crate) coherence: u32,
    pub(crate) shares: Vec<u32>,
    pub(crate) weights: Vec<u32>,
    pub(crate) groth16: Proof<Bn254>,
    pub(crate) argument: GramArgument,
    pub(crate) committed: [G1Affine; 2],
    pub(crate) model: G1Affine,
}

/// The contract's `RoundProof`, word for word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundProofWords {
    /// `<p, p>`.
    pub sigma: Word,
    /// Kept slots.
    pub kept_mask: Word,
    /// `0 ..= 2^16`.
    pub coherence: Word,
    /// Pay shares, 17 bits each, 14 to a word.
    pub shares: Vec<Word>,
    /// Model weights, likewise.
    pub weights: Vec<Word>,
    /// `A`, `B` (imaginary part first), `C`.
    pub groth16: [Word; 8],
    /// `C_S`.
    pub quotient: [Word; 2],
    /// `C_R`.
    pub reversed: [Word; 2],
    /// `P(z), P(1/z), S(z), S(1/z)`.
    pub values: [Word; 4],
    /// The opening `W`.
    pub opening: [Word; 2],
    /// `C_T'`, the claimed commitment of the new model.
    pub model: [Word; 2],
    /// `D` and its proof of knowledge (docs/protocol.md 6.3).
    pub committed: [Word; 4],
}

impl RoundProof {
    /// Kept slots.
    pub fn kept(&self) -> SlotMask {
        self.kept
    }

    /// How far the weighted updates point one way, `0 ..= 2^16`.
    pub fn coherence(&self) -> u32 {
        self.coherence
    }

    /// Pay shares in `2^-16`, one a slot.
    pub fn shares(&self) -> &[u32] {
        &self.shares
    }

    /// Model weights in `2^-16`, one a slot.
    pub fn weights(&self) -> &[u32] {
        &self.weights
    }

    /// The Gram argument.
    pub fn argument(&self) -> &GramArgument {
        &self.argument
    }

    /// The commitment `D` and its proof of knowledge.
    pub fn committed(&self) -> [G1Affine; 2] {
        self.committed
    }

    /// The proof of the assessment.
    pub fn groth16(&self) -> &Proof<Bn254> {
        &self.groth16
    }

    /// `C_T'`, the claimed commitment of the new model: it is the true one if the proof verifies.
    pub fn model(&self) -> G1Affine {
        self.model
    }

    /// The words that the contract takes.
    pub fn words(&self) -> RoundProofWords {
        let packed = |elements: &[u32]| pack17(elements).expect("shares and weights are at most 2^16");
        let ([ax, ay], [cx, cy]) = (point_words(&self.groth16.a), point_words(&self.groth16.c));
        let [b0, b1, b2, b3] = g2_words(&self.groth16.b);
        RoundProofWords {
            sigma: scalar_word(&self.argument.sigma),
            kept_mask: word_from_u128(self.kept.bits()),
            coherence: word_from_u128(self.coherence.into()),
            shares: packed(&self.shares),
            weights: packed(&self.weights),
            groth16: [ax, ay, b0, b1, b2, b3, cx, cy],
            quotient: point_words(&self.argument.quotient),
            reversed: point_words(&self.argument.reversed),
            values: self.argument.values.each_ref().map(scalar_word),
            opening: point_words(&self.argument.opening),
            model: point_words(&self.model),
            committed: committed_words(&self.committed),
        }
    }

    /// Reads the words of a settlement back, for the circuit of `slots` slots.
    ///
    /// This checks the encoding of every word, not that the proof holds.
    ///
    /// # Errors
    /// Words that are not canonical, points off the curve, another number of packed words than the size takes, or
    /// numbers wider than their places.
    pub fn from_words(words: &RoundProofWords, slots: u8) -> Result<Self, VerifyError> {
        let [ax, ay, b0, b1, b2, b3, cx, cy] = words.groth16;
        let element = |what: &'static str, word: &Word| {
            let number = u128_from_word(word).and_then(|v| u32::try_from(v).ok()).filter(|v| *v <= ONE);
            number.ok_or(VerifyError::NumberTooLarge { what, value: *word, max: ONE.into() })
        };
        let unpacked = |what: &'static str, packed: &[Word]| {
            let elements = unpack17(packed, slots.into())?;
            match elements.iter().find(|v| **v > ONE) {
                Some(v) => Err(VerifyError::NumberTooLarge {
                    what,
                    value: word_from_u128((*v).into()),
                    max: ONE.into(),
                }),
                None => Ok(elements),
            }
        };
        let scalar = |word: &Word| scalar_from_word(word);
        Ok(Self {
            kept: u128_from_word(&words.kept_mask).map(SlotMask::from_bits).ok_or(
                VerifyError::NumberTooLarge { what: "kept mask", value: words.kept_mask, max: u128::MAX },
            )?,
            coherence: element("coherence", &words.coherence)?,
            shares: unpacked("share", &words.shares)?,
            weights: unpacked("weight", &words.weights)?,
            groth16: Proof {
                a: point_from_words(&[ax, ay])?,
                b: g2_from_words(&[b0, b1, b2, b3])?,
                c: point_from_words(&[cx, cy])?,
            },
            argument: GramArgument {
                sigma: scalar(&words.sigma)?,
                quotient: point_from_words(&words.quotient)?,
                reversed: point_from_words(&words.reversed)?,
                values: [
                    scalar(&words.values[0])?,
                    scalar(&words.values[1])?,
                    scalar(&words.values[2])?,
                    scalar(&words.values[3])?,
                ],
                opening: point_from_words(&words.opening)?,
            },
            model: point_from_words(&words.model)?,
            committed: committed_points(&words.committed)?,
        })
    }
}

/// The words of `D` and its proof of knowledge, which the state of the Gram matrix absorbs.
pub(super) fn committed_words(points: &[G1Affine; 2]) -> [Word; 4] {
    let [[a, b], [c, d]] = points.each_ref().map(point_words);
    [a, b, c, d]
}

/// `D` and its proof of knowledge.
pub(super) fn committed_points([a, b, c, d]: &[Word; 4]) -> Result<[G1Affine; 2], EncodingError> {
    Ok([point_from_words(&[*a, *b])?, point_from_words(&[*c, *d])?])
}
