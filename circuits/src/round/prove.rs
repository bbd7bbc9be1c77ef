//! The aggregator's part: one proof out of updates, matrix and assessment.

use super::error::ProveError;
use super::proof::{committed_words, RoundProof};
use super::statement::{model_step, RoundStatement};
use super::verify::with_chi;
use crate::arguments::GramArgument;
use crate::keys::AssessmentKeys;
use crate::kzg::ReferenceString;
use crate::statements::assessment;
use crate::statements::gram_binding::sigma;
use crate::statements::public::AssessmentPublic;
use crate::statements::AssessmentError;
use crate::transcript::challenge;
use fairshare_protocol::{absorb, assess, Assessment, GramMatrix};
use rand::{CryptoRng, RngCore};

/// Proves a round. `updates` are those of the active slots, ascending. The proof of a statement with other commitments than
/// those of the updates does not verify: check it with [`verify_round`](super::verify_round) before it is sent.
///
/// # Errors
/// Updates, matrix or assessment that do not belong together or to the statement.
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
    let commitment = assessment::commit(keys.prover(), gram, &public, assessment, rng)?;
    // The matrix is fixed before its challenge.
    let committed = commitment.points();
    let st1 = absorb(statement.first_state(), "gram", &committed_words(&committed));
    let rho = challenge(&st1);
    let public = AssessmentPublic { rho, sigma: sigma(gram, rho), ..public };
    let public = with_chi(public, st1, keys.size()).map_err(|_| ProveError::DegenerateChallenge)?;
    let (argument, groth16) = rayon::join(
        || GramArgument::prove(srs, &slots, &rows, st1),
        || assessment::prove(keys.prover(), &commitment, &public, rng),
    );
    let argument = argument?;
    if argument.sigma != public.sigma {
        return Err(ProveError::GramMismatch);
    }
    Ok(RoundProof {
        kept: assessment.kept,
        coherence: assessment.coherence,
        shares: assessment.shares.clone(),
        weights: assessment.weights.clone(),
        groth16: groth16?.groth16,
        committed,
        argument,
        model: model_step(statement.model, &statement.commitments, &assessment.weights),
    })
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
