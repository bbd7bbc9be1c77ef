//! Ways of cheating with the commitment to a round's witnesses (docs/protocol.md 6.3).

use super::error::VerifyError;
use super::testing::Round;
use super::*;
use crate::curve::words::{point_from_words, point_words};
use crate::keys::PinnedKeys;
use crate::transcript::challenge;
use ark_bn254::G1Affine;
use ark_ec::{AffineRepr, CurveGroup};
use fairshare_protocol::Word;
use std::sync::OnceLock;

fn round() -> &'static Round {
    static ROUND: OnceLock<Round> = OnceLock::new();
    ROUND.get_or_init(|| Round::new(8, &[0, 1, 4, 6, 7]))
}

/// The same round, proved with other randomness.
fn again() -> &'static RoundProof {
    static AGAIN: OnceLock<RoundProof> = OnceLock::new();
    AGAIN.get_or_init(|| round().proved_again())
}

fn refused(change: impl FnOnce(&mut RoundProofWords)) -> VerifyError {
    let mut words = round().proof.words();
    change(&mut words);
    verify_words(&PinnedKeys::load(), &round().statement, &words).unwrap_err()
}

/// A word of a point, moved by adding `by` to the point.
fn moved(words: &mut [Word], by: G1Affine) {
    let point = point_from_words(&[words[0], words[1]]).unwrap();
    words.copy_from_slice(&point_words(&(point + by).into_affine()));
}

#[test]
fn equal_rounds_have_other_commitments_and_other_challenges() {
    let (Round { statement, proof, .. }, again) = (round(), again());
    assert_ne!(proof.committed(), again.committed());
    let rho = |proof: &RoundProof| challenge(&transcript_states(statement, &proof.words()).unwrap()[1]);
    assert_ne!(rho(proof), rho(again));
    assert_eq!(verify_round(&PinnedKeys::load(), statement, again), Ok(()));
}

#[test]
fn every_word_of_the_commitment_matters() {
    for index in 0..4 {
        assert!(matches!(refused(|w| w.committed[index][31] ^= 1), VerifyError::InvalidPoint(_)), "{index}");
        assert!(matches!(refused(|w| w.committed[index] = [0xff; 32]), VerifyError::InvalidPoint(_)));
    }
    assert_eq!(refused(|w| w.committed = [[0; 32]; 4]), VerifyError::LaurentIdentityFailed, "infinity");
    // On the curve: the challenges are others, and the equation that the opened values must fulfil is the first to
    // fail.
    for at in [0, 2] {
        let error = refused(|w| moved(&mut w.committed[at..at + 2], G1Affine::generator()));
        assert_eq!(error, VerifyError::LaurentIdentityFailed, "{at}");
    }
    assert_eq!(refused(|w| w.committed.rotate_left(2)), VerifyError::LaurentIdentityFailed);
    let other = again().words().committed;
    assert_eq!(refused(|w| w.committed = other), VerifyError::LaurentIdentityFailed);
}

/// Everything of the proof is made anew for the wrong proof of knowledge, as a cheat would: only the pairing tells.
#[test]
fn a_wrong_proof_of_knowledge_under_its_own_challenges_is_refused() {
    let key = round().keys.verifying_key();
    let words = round().proof.words();
    let joint = |key: &crate::groth16::CircuitKey| {
        let joint = verify::Joint::new(key, PinnedKeys::load().kzg(), &round().statement, &words).unwrap();
        joint.holds(challenge(&joint.st4))
    };
    assert!(joint(key));
    let mut other = key.clone();
    other.sigma_g2 = key.groth16.beta_g2;
    assert!(!joint(&other), "under another sigma the same point proves nothing");
}
