//! The contract's check, natively: the same words, the same order, the same reasons.

use super::error::VerifyError;
use super::proof::{committed_points, RoundProof, RoundProofWords};
use super::statement::{model_step, RoundStatement};
use crate::arguments::gram::{laurent_state, values_state};
use crate::arguments::GramArgument;
use crate::curve::msm::msm;
use crate::curve::words::EncodingError;
use crate::curve::words::{g2_from_words, point_from_words, scalar_from_word, scalar_word};
use crate::groth16::{lookup_challenge, CircuitKey};
use crate::keys::PinnedKeys;
use crate::kzg::KzgKey;
use crate::statements::public::{
    outcome_digest, packed_inputs, policy_word_out_of_range, AssessmentPublic, PUBLIC_INPUTS,
};
use crate::transcript::{challenge, non_zero};
use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::{pairing::Pairing, AffineRepr, CurveGroup};
use ark_ff::{Field, Zero};
use fairshare_protocol::{absorb, element17, packed_words, word_from_u128, Word};

/// Checks a round's proof under the committed keys: what the contract checks, with the same reasons.
///
/// # Errors
/// The reason of the contract, a statement that contradicts itself, or keys that the statement is not about.
pub fn verify_round(
    keys: &PinnedKeys,
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
    keys: &PinnedKeys,
    statement: &RoundStatement,
    words: &RoundProofWords,
) -> Result<(), VerifyError> {
    let (expected, found) = (keys.hash(), statement.keys_hash);
    if expected != found {
        return Err(VerifyError::KeysHash { expected, found });
    }
    let (rule, slots) = (statement.policy.rule(), statement.slots);
    let key = keys.verifying_key(rule, slots).ok_or(VerifyError::UnknownKey { rule: rule.id(), slots })?;
    verify_words_with(key, keys.kzg(), statement, words)
}

/// The check under keys that are given, without a look at their hash.
///
/// # Errors
/// The reason of the contract, or a statement that contradicts itself.
pub fn verify_words_with(
    key: &CircuitKey,
    kzg: &KzgKey,
    statement: &RoundStatement,
    words: &RoundProofWords,
) -> Result<(), VerifyError> {
    let joint = Joint::new(key, kzg, statement, words)?;
    let nu = non_zero(challenge(&joint.st4))?;
    if !joint.holds(nu) {
        return Err(VerifyError::PairingFailed);
    }
    Ok(())
}

/// Four equations that `nu` joins. `st4` fixes all of them before `nu` is known.
pub(super) struct Joint {
    /// `A, B`, `alpha, beta`, `C, delta`, and the point of the public inputs beside `[1]_2`.
    groth16: [(G1Affine, G2Affine); 3],
    inputs: G1Projective,
    /// The opening, beside `[x^2]_2, [x]_2, [1]_2`.
    opening: [G1Projective; 3],
    /// `C_T + sum w_i C_i - C_T'`, beside `[1]_2`: infinity when the claim is true.
    model: G1Projective,
    /// `D`, which is in `inputs` as well, beside `[sigma]_2`; and its proof of knowledge beside `[1]_2`.
    committed: [G1Affine; 2],
    sigma_g2: G2Affine,
    g2: [G2Affine; 3],
    pub(super) st4: Word,
}

impl Joint {
    /// Everything but the pairing, with the reasons of the contract.
    pub(super) fn new(
        key: &CircuitKey,
        kzg: &KzgKey,
        statement: &RoundStatement,
        words: &RoundProofWords,
    ) -> Result<Self, VerifyError> {
        check_lengths(statement, words)?;
        let points = Points::read(words)?;
        let values = scalars(&words.values)?;
        let values: [Fr; 4] = values.try_into().expect("four words give four scalars");
        let st1 = gram_state(statement, words);
        let groth16 = &key.groth16;
        let inputs = public_inputs(statement, words, st1)?;
        if PUBLIC_INPUTS + 1 != groth16.gamma_abc_g1.len() {
            let expected = groth16.gamma_abc_g1.len() - 1;
            return Err(VerifyError::WrongLength { what: "public input", expected, found: PUBLIC_INPUTS });
        }
        let sigma = scalar_from_word(&words.sigma)?;
        let argument = GramArgument {
            sigma,
            quotient: points.quotient,
            reversed: points.reversed,
            values,
            opening: points.opening,
        };
        let (opening, st3) = argument.reduce(statement.dimension, &statement.commitments, &kzg.x1, st1)?;
        // As the contract reads them: what does not fit a lane, the circuit refuses.
        let weights: Vec<u32> =
            (0..usize::from(statement.slots)).map(|slot| element17(&words.weights, slot)).collect();
        let stepped = model_step(statement.model, &statement.commitments, &weights);
        Ok(Self {
            groth16: [
                (-points.a, points.b),
                (groth16.alpha_g1, groth16.beta_g2),
                (points.c, groth16.delta_g2),
            ],
            inputs: msm(&groth16.gamma_abc_g1[1..], &inputs) + groth16.gamma_abc_g1[0] + points.committed[0],
            committed: points.committed,
            sigma_g2: key.sigma_g2,
            opening,
            model: stepped.into_group() - points.model,
            g2: kzg.g2,
            st4: join_state(st3, words, &inputs),
        })
    }

    /// The pairing equation of docs/protocol.md 6.4.
    pub(super) fn holds(&self, nu: Fr) -> bool {
        let cube = nu.square() * nu;
        let [commitment, knowledge] = self.committed;
        let [w, shifted, at_one] = self.opening.map(|point| point * nu);
        let at_one = self.inputs + at_one + self.model * nu.square() - knowledge * cube;
        let points = G1Projective::normalize_batch(&[at_one, shifted, w, commitment * cube]);
        let [g2_one, g2_x, g2_x2] = self.g2;
        let beside = [g2_one, g2_x, g2_x2, self.sigma_g2];
        let pairs = self.groth16.into_iter().chain(points.into_iter().zip(beside));
        let (left, right): (Vec<G1Affine>, Vec<G2Affine>) = pairs.unzip();
        Bn254::multi_pairing(left, right).is_zero()
    }
}

/// `st0 ..= st4` of a proof's transcript, for vectors that Rust and Solidity share.
///
/// # Errors
/// Words that are not canonical, or a degenerate challenge, which happens with negligible probability.
pub fn transcript_states(
    statement: &RoundStatement,
    words: &RoundProofWords,
) -> Result<[Word; 5], VerifyError> {
    let st0 = statement.first_state();
    let st1 = gram_state(statement, words);
    let (quotient, reversed) = (point_from_words(&words.quotient)?, point_from_words(&words.reversed)?);
    let st2 = laurent_state(st1, scalar_from_word(&words.sigma)?, &quotient, &reversed);
    let values: [Fr; 4] = scalars(&words.values)?.try_into().expect("four words give four scalars");
    let st3 = values_state(st2, &values);
    let st4 = join_state(st3, words, &public_inputs(statement, words, st1)?);
    Ok([st0, st1, st2, st3, st4])
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
    quotient: G1Affine,
    reversed: G1Affine,
    opening: G1Affine,
    model: G1Affine,
    committed: [G1Affine; 2],
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
            quotient: point_from_words(&words.quotient)?,
            reversed: point_from_words(&words.reversed)?,
            opening: point_from_words(&words.opening)?,
            model: point_from_words(&words.model)?,
            committed: committed_points(&words.committed)?,
            // On chain it is the pairing that looks at this one.
            b: g2_from_words(&[b0, b1, b2, b3]).map_err(|_| VerifyError::PairingFailed)?,
        })
    }
}

fn scalars(words: &[Word]) -> Result<Vec<Fr>, VerifyError> {
    words.iter().map(|word| Ok(scalar_from_word(word)?)).collect()
}

/// `st1`, which contains the commitment to the matrix.
fn gram_state(statement: &RoundStatement, words: &RoundProofWords) -> Word {
    absorb(statement.first_state(), "gram", &words.committed)
}

/// `chi`, which the outcome of an assessment gives: `absorb(st1, "outcome", outcome) mod r`.
///
/// # Errors
/// A challenge that lookups cannot take: of negligible probability.
fn outcome_challenge(st1: Word, outcome: &[Word]) -> Result<Fr, VerifyError> {
    lookup_challenge(absorb(st1, "outcome", outcome)).ok_or(VerifyError::DegenerateChallenge)
}

/// What an assessment says, with the challenge that follows from it.
///
/// # Errors
/// As [`outcome_challenge`].
pub(super) fn with_chi(
    public: AssessmentPublic,
    st1: Word,
    size: usize,
) -> Result<AssessmentPublic, VerifyError> {
    let outcome: Vec<Word> = public.outcome(size).iter().map(scalar_word).collect();
    Ok(AssessmentPublic { chi: outcome_challenge(st1, &outcome)?, ..public })
}

/// The outcome as a proof claims it, in the order of docs/protocol.md 6.1.
pub(super) fn outcome_words(words: &RoundProofWords) -> Vec<Word> {
    let head = [words.sigma, words.kept_mask, words.coherence];
    [&head, words.shares.as_slice(), &words.weights].concat()
}

/// The public inputs of docs/protocol.md 6.1.
///
/// # Errors
/// A policy word of more than 16 bits, scalars that are not canonical, or a challenge that lookups cannot take.
fn public_inputs(
    statement: &RoundStatement,
    words: &RoundProofWords,
    st1: Word,
) -> Result<[Fr; PUBLIC_INPUTS], VerifyError> {
    // Otherwise another policy would have the same `packed_inputs`.
    if let Some(word) = policy_word_out_of_range(statement.policy) {
        return Err(VerifyError::ScalarOutOfRange(word_from_u128(word.into())));
    }
    let packed = packed_inputs(statement.active, statement.policy.words().map(Fr::from));
    let outcome = outcome_words(words);
    let chi = outcome_challenge(st1, &outcome)?;
    Ok([challenge(&st1), packed, chi, outcome_digest(&scalars(&outcome)?, chi)])
}

/// `st4`.
fn join_state(st3: Word, words: &RoundProofWords, inputs: &[Fr]) -> Word {
    let mut items = words.opening.to_vec();
    items.extend(words.model);
    items.extend(words.groth16);
    items.extend(inputs.iter().map(scalar_word));
    absorb(st3, "join", &items)
}
