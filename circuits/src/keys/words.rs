//! A verifying key as words: the layout of its file, of its contract, and of the keys hash.

use super::error::KeyError;
use crate::curve::words::EncodingError;
use crate::curve::words::{g2_from_words, g2_words, point_from_words, point_words};
use crate::groth16::CircuitKey;
use crate::statements::public::PUBLIC_INPUTS;
use crate::statements::AssessmentCircuit;
use ark_bn254::{G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_groth16::VerifyingKey;
use fairshare_protocol::Word;

/// Words of `alpha_1, beta_2, gamma_2, delta_2` and `[sigma]_2`.
pub const KEY_FIXED_WORDS: usize = 18;

/// `alpha_1, beta_2, gamma_2, delta_2, [sigma]_2`, then the points of the public inputs, the constant one first.
pub fn verifying_key_words(key: &CircuitKey) -> Vec<Word> {
    let CircuitKey { groth16: key, sigma_g2 } = key;
    let mut words = point_words(&key.alpha_g1).to_vec();
    for point in [&key.beta_g2, &key.gamma_g2, &key.delta_g2, sigma_g2] {
        words.extend(g2_words(point));
    }
    words.extend(key.gamma_abc_g1.iter().flat_map(point_words));
    words
}

/// The bytes of a verifying key's file.
pub(super) fn encode(key: &CircuitKey) -> Vec<u8> {
    verifying_key_words(key).as_flattened().to_vec()
}

/// Reads a verifying key and checks every point: on its curve, in its group, not infinity. `gamma_2` must be `[1]_2`,
/// which joins the public inputs with the openings in one pairing; `delta_2` and `[sigma]_2` must be others, and
/// differ.
pub(super) fn decode(circuit: AssessmentCircuit, bytes: &[u8]) -> Result<CircuitKey, KeyError> {
    let malformed = |fault: String| KeyError::Malformed { what: "verifying key", circuit, fault };
    let (words, rest) = bytes.as_chunks::<32>();
    let inputs = PUBLIC_INPUTS + 1;
    if !rest.is_empty() || words.len() != KEY_FIXED_WORDS + 2 * inputs {
        let expected = 32 * (KEY_FIXED_WORDS + 2 * inputs);
        return Err(malformed(format!("it has {} bytes, expected {expected}", bytes.len())));
    }
    let fault = |error: EncodingError| malformed(error.to_string());
    let g1 = |at: usize| -> Result<G1Affine, KeyError> {
        let point = point_from_words(&[words[at], words[at + 1]]).map_err(fault)?;
        if point.is_zero() {
            Err(malformed(format!("the point at word {at} is infinity")))
        } else {
            Ok(point)
        }
    };
    let g2 = |at: usize| -> Result<G2Affine, KeyError> {
        let point =
            g2_from_words(&[words[at], words[at + 1], words[at + 2], words[at + 3]]).map_err(fault)?;
        if point.is_zero() {
            Err(malformed(format!("the point at word {at} is infinity")))
        } else {
            Ok(point)
        }
    };
    let (gamma_g2, delta_g2, sigma_g2) = (g2(6)?, g2(10)?, g2(14)?);
    if gamma_g2 != G2Affine::generator() || delta_g2 == gamma_g2 {
        return Err(malformed("gamma_2 is not [1]_2, or delta_2 is".to_owned()));
    }
    if sigma_g2 == gamma_g2 || sigma_g2 == delta_g2 {
        return Err(malformed("[sigma]_2 is [1]_2 or delta_2".to_owned()));
    }
    let groth16 = VerifyingKey {
        alpha_g1: g1(0)?,
        beta_g2: g2(2)?,
        gamma_g2,
        delta_g2,
        gamma_abc_g1: (0..inputs).map(|k| g1(KEY_FIXED_WORDS + 2 * k)).collect::<Result<_, _>>()?,
    };
    Ok(CircuitKey { groth16, sigma_g2 })
}
