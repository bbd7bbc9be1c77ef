//! The aggregator's part: one proof out of updates, matrix and assessment.

use super::statement::{model_step, RoundStatement};
use super::verify::{verify_words_with, with_chi};
use super::words::RoundProof;
use crate::arguments::GramArgument;
use crate::encoding::{challenge, point_words, scalar_word};
use crate::error::ProveError;
use crate::keys::AssessmentKeys;
use crate::srs::ReferenceString;
use crate::statements::committed::{commit, prove_committed};
use crate::statements::gram_binding::{gram_hash, sigma};
use crate::statements::proof::{self, AssessmentError};
use crate::statements::public::AssessmentPublic;
use ark_bn254::Fr;
use ark_ff::AdditiveGroup;
use fairshare_protocol::{absorb, assess, Assessment, GramMatrix};
use rand::{CryptoRng, RngCore};

/// Proves a round, and verifies the proof before it returns it. `updates` are those of the active slots, ascending.
///
/// # Errors
/// Updates, matrix or assessment that do not belong together or to the statement, or commitments that are not those of
/// the updates.
pub fn prove_round(
    srs: &ReferenceString,
    keys: &AssessmentKeys,
    statement: &RoundStatement,
    updates: &[(u8, &[i16])],
    gram: &GramMatrix,
    assessment: &Assessment,
) -> Result<RoundProof, ProveError> {
    prove_round_with(srs, keys, statement, updates, gram, assessment, &mut rand::rngs::OsRng)
}

/// [`prove_round`] with the randomness that blinds the assessment's proof: a fixed seed gives a fixed proof.
///
/// # Errors
/// As [`prove_round`].
pub fn prove_round_with<R: RngCore + CryptoRng + Send>(
    srs: &ReferenceString,
    keys: &AssessmentKeys,
    statement: &RoundStatement,
    updates: &[(u8, &[i16])],
    gram: &GramMatrix,
    assessment: &Assessment,
    rng: &mut R,
) -> Result<RoundProof, ProveError> {
    check_input(keys, statement, updates, gram)?;
    if assess(gram, statement.active, statement.policy)? != *assessment {
        return Err(ProveError::AssessmentMismatch);
    }
    let (slots, rows): (Vec<u8>, Vec<&[i16]>) = updates.iter().copied().unzip();
    let public = AssessmentPublic::unbound(statement.active, statement.policy, assessment);
    let committing = match keys.committing() {
        Some(keys) => Some((keys, commit(keys, gram, &public, rng)?)),
        None => None,
    };
    let committed = committing.as_ref().map(|(_, commitment)| commitment.points());
    // The matrix is fixed before its challenge: by its hash, or by the commitment.
    let (h, fixes) = match &committed {
        None => {
            let h = gram_hash(gram);
            (h, vec![scalar_word(&h)])
        }
        Some(points) => (Fr::ZERO, points.iter().flat_map(point_words).collect()),
    };
    let st1 = absorb(statement.first_state(), "gram", &fixes);
    let rho = challenge(&st1);
    let public = AssessmentPublic { h, rho, sigma: sigma(gram, rho), ..public };
    let public = with_chi(public, st1, keys.size()).map_err(|_| ProveError::DegenerateChallenge)?;
    let (argument, groth16) = rayon::join(
        || GramArgument::prove(srs, &slots, &rows, st1),
        || match &committing {
            None => proof::prove(keys, &public, gram, rng),
            Some((keys, commitment)) => {
                prove_committed(*keys, commitment, &public, rng).map(|proof| proof.groth16)
            }
        },
    );
    let argument = argument?;
    if argument.sigma != public.sigma {
        return Err(ProveError::GramMismatch);
    }
    let made = RoundProof {
        h,
        kept: assessment.kept.bits(),
        coherence: assessment.coherence,
        shares: assessment.shares.clone(),
        weights: assessment.weights.clone(),
        groth16: groth16?,
        committed,
        argument,
        model: model_step(statement.model, &statement.commitments, &assessment.weights),
    };
    verify_words_with(keys.verifying_key(), &srs.kzg_key(), statement, &made.words())
        .map_err(ProveError::DoesNotVerify)?;
    Ok(made)
}

fn check_input(
    keys: &AssessmentKeys,
    statement: &RoundStatement,
    updates: &[(u8, &[i16])],
    gram: &GramMatrix,
) -> Result<(), ProveError> {
    statement.validate()?;
    let (expected, found) =
        (statement.active_slots(), updates.iter().map(|(slot, _)| *slot).collect::<Vec<u8>>());
    if found != expected {
        return Err(ProveError::UpdateSlots { expected, found });
    }
    let expected = statement.dimension as usize;
    if let Some((slot, update)) = updates.iter().find(|(_, update)| update.len() != expected) {
        return Err(ProveError::UpdateLength { slot: *slot, expected, found: update.len() });
    }
    let (expected, found) = (keys.rule(), statement.policy.rule());
    if found != expected {
        return Err(ProveError::Assessment(AssessmentError::Rules { expected, found }));
    }
    for size in [usize::from(statement.slots), gram.slots()] {
        if size != keys.size() {
            return Err(ProveError::KeySize { keys: keys.size(), statement: size });
        }
    }
    Ok(())
}
