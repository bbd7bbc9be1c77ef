//! The contract's check, natively: the same words, the same order, the same reasons.

use super::statement::RoundStatement;
use super::words::{RoundProof, RoundProofWords};
use crate::arguments::gram::{laurent_state, non_zero, values_state};
use crate::arguments::GramArgument;
use crate::encoding::{challenge, g2_from_words, point_from_words, scalar_from_word, scalar_word};
use crate::error::{EncodingError, VerifyError};
use crate::keys::CommittedKeys;
use crate::msm::msm;
use crate::srs::KzgKey;
use ark_bn254::{Bn254, Fr, G1Affine, G2Affine};
use ark_ec::{pairing::Pairing, AffineRepr, CurveGroup};
use ark_ff::Zero;
use ark_groth16::VerifyingKey;
use fairshare_protocol::{absorb, packed_words, word_from_u128, Word, AGREEMENT_RULE};

/// Checks a round's proof under the committed keys: what the contract checks, with the same reasons.
///
/// # Errors
/// The reason of the contract, a statement that contradicts itself, or keys that the statement is not about.
pub fn verify_round(
    keys: &CommittedKeys,
    statement: &RoundStatement,
    proof: &RoundProof,
) -> Result<(), VerifyError> {
    verify_words(keys, statement, &proof.words())
}

/// [`verify_round`] of words as a settlement carries them, whatever they hold.
///
/// # Errors
/// As [`verify_round`].
pub fn verify_words(
    keys: &CommittedKeys,
    statement: &RoundStatement,
    words: &RoundProofWords,
) -> Result<(), VerifyError> {
    let (expected, found) = (keys.hash(), statement.keys_hash);
    if expected != found {
        return Err(VerifyError::KeysHash { expected, found });
    }
    let key = keys.verifying_key(statement.slots).filter(|_| statement.rule == AGREEMENT_RULE);
    let key = key.ok_or(VerifyError::UnknownKey { rule: statement.rule, slots: statement.slots })?;
    verify_words_with(key, keys.kzg(), statement, words)
}

/// The check under keys that are given, without a look at their hash.
///
/// # Errors
/// The reason of the contract, or a statement that contradicts itself.
pub fn verify_words_with(
    key: &VerifyingKey<Bn254>,
    kzg: &KzgKey,
    statement: &RoundStatement,
    words: &RoundProofWords,
) -> Result<(), VerifyError> {
    check_lengths(statement, words)?;
    let points = Points::read(words)?;
    let values = scalars(&words.values)?;
    let values: [Fr; 4] = values.try_into().expect("four words give four scalars");
    let st1 = gram_state(statement, words);
    let inputs = public_inputs(statement, words, challenge(&st1))?;
    if inputs.len() + 1 != key.gamma_abc_g1.len() {
        let (expected, found) = (key.gamma_abc_g1.len() - 1, inputs.len());
        return Err(VerifyError::WrongLength { what: "public input", expected, found });
    }
    let argument = GramArgument { sigma: inputs[2], s: points.s, r: points.r, values, w: points.w };
    let (opening, st3) = argument.reduce(statement.dimension, &statement.commitments, &kzg.x1, st1)?;
    let st4 = join_state(st3, words, statement, &st1);
    let nu = non_zero(challenge(&st4))?;

    let [w, shifted, at_one] = opening.map(|point| (point * nu).into_affine());
    let input_point = msm(&key.gamma_abc_g1[1..], &inputs) + key.gamma_abc_g1[0];
    let equation: [(G1Affine, G2Affine); 7] = [
        (-points.a, points.b),
        (key.alpha_g1, key.beta_g2),
        (input_point.into_affine(), key.gamma_g2),
        (points.c, key.delta_g2),
        (w, kzg.g2[2]),
        (shifted, kzg.g2[1]),
        (at_one, kzg.g2[0]),
    ];
    let (left, right): (Vec<G1Affine>, Vec<G2Affine>) = equation.into_iter().unzip();
    if !Bn254::multi_pairing(left, right).is_zero() {
        return Err(VerifyError::PairingFailed);
    }
    Ok(())
}

/// `st0 ..= st4` of a proof's transcript, for vectors that Rust and Solidity share.
///
/// # Errors
/// Words that are not canonical.
pub fn transcript_states(
    statement: &RoundStatement,
    words: &RoundProofWords,
) -> Result<[Word; 5], VerifyError> {
    let st0 = statement.first_state();
    let st1 = gram_state(statement, words);
    let point = |w: &[Word; 2]| point_from_words(w);
    let st2 = laurent_state(st1, scalar_from_word(&words.sigma)?, &point(&words.s)?, &point(&words.r)?);
    let values: [Fr; 4] = scalars(&words.values)?.try_into().expect("four words give four scalars");
    let st3 = values_state(st2, &values);
    Ok([st0, st1, st2, st3, join_state(st3, words, statement, &st1)])
}

fn check_lengths(statement: &RoundStatement, words: &RoundProofWords) -> Result<(), VerifyError> {
    let expected = packed_words(statement.slots.into());
    for (what, packed) in [("share", &words.shares), ("weight", &words.weights)] {
        if packed.len() != expected {
            return Err(VerifyError::WrongLength { what, expected, found: packed.len() });
        }
    }
    Ok(statement.validate()?)
}

struct Points {
    a: G1Affine,
    b: G2Affine,
    c: G1Affine,
    s: G1Affine,
    r: G1Affine,
    w: G1Affine,
}

impl Points {
    fn read(words: &RoundProofWords) -> Result<Self, VerifyError> {
        let [ax, ay, b0, b1, b2, b3, cx, cy] = words.groth16;
        let finite = |w: [Word; 2]| match point_from_words(&w)? {
            point if point.is_zero() => Err(EncodingError::NotOnCurve(w[0])),
            point => Ok(point),
        };
        Ok(Self {
            a: finite([ax, ay])?,
            c: finite([cx, cy])?,
            s: point_from_words(&words.s)?,
            r: point_from_words(&words.r)?,
            w: point_from_words(&words.w)?,
            // On chain it is the pairing that looks at this one.
            b: g2_from_words(&[b0, b1, b2, b3]).map_err(|_| VerifyError::PairingFailed)?,
        })
    }
}

fn scalars(words: &[Word]) -> Result<Vec<Fr>, VerifyError> {
    words.iter().map(|word| Ok(scalar_from_word(word)?)).collect()
}

/// `st1`, which holds `h`.
fn gram_state(statement: &RoundStatement, words: &RoundProofWords) -> Word {
    absorb(statement.first_state(), "gram", &[words.h])
}

/// The words of the public inputs in the order of docs/protocol.md 13.2.
fn input_words(statement: &RoundStatement, words: &RoundProofWords, rho: Word) -> Vec<Word> {
    let mut inputs = vec![
        words.h,
        rho,
        words.sigma,
        word_from_u128(statement.active),
        word_from_u128(statement.theta.into()),
        word_from_u128(statement.trim_count.into()),
        words.kept_mask,
        words.coherence,
    ];
    inputs.extend(&words.shares);
    inputs.extend(&words.weights);
    inputs
}

fn public_inputs(
    statement: &RoundStatement,
    words: &RoundProofWords,
    rho: Fr,
) -> Result<Vec<Fr>, VerifyError> {
    scalars(&input_words(statement, words, scalar_word(&rho)))
}

/// `st4`.
fn join_state(st3: Word, words: &RoundProofWords, statement: &RoundStatement, st1: &Word) -> Word {
    let rho = scalar_word(&challenge(st1));
    let mut items = words.w.to_vec();
    items.extend(words.groth16);
    items.extend(input_words(statement, words, rho));
    absorb(st3, "join", &items)
}
