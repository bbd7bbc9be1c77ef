//! A round of 64 slots, whose prover commits to its witnesses (docs/protocol.md 13.10), and the cheats that this adds.

use super::testing::Round;
use super::*;
use crate::encoding::{challenge, point_from_words, point_words};
use crate::error::VerifyError;
use crate::keys::CommittedKeys;
use ark_bn254::G1Affine;
use ark_ec::{AffineRepr, CurveGroup};
use fairshare_protocol::{absorb, Word};
use std::sync::OnceLock;

const SLOTS: u8 = 64;

fn round() -> &'static Round {
    static ROUND: OnceLock<Round> = OnceLock::new();
    ROUND.get_or_init(|| Round::new(SLOTS, &[0, 1, 17, 40, 62, 63]))
}

/// The same round, proved with other randomness.
fn again() -> &'static RoundProof {
    static AGAIN: OnceLock<RoundProof> = OnceLock::new();
    AGAIN.get_or_init(|| round().proved_again())
}

fn refused(change: impl FnOnce(&mut RoundProofWords)) -> VerifyError {
    let mut words = round().proof.words();
    change(&mut words);
    verify_words(&CommittedKeys::load(), &round().statement, &words).unwrap_err()
}

/// A word of a point, moved by adding `by` to the point.
fn moved(words: &mut [Word], by: G1Affine) {
    let point = point_from_words(&[words[0], words[1]]).unwrap();
    words.copy_from_slice(&point_words(&(point + by).into_affine()));
}

#[test]
fn the_honest_round_is_accepted_and_survives_its_words() {
    let Round { statement, proof, keys, .. } = round();
    assert_eq!(verify_round(&CommittedKeys::load(), statement, proof), Ok(()));
    let words = proof.words();
    let read = RoundProof::from_words(&words, SLOTS).unwrap();
    assert_eq!((&read, read.words()), (proof, words.clone()));
    assert_eq!((words.committed.len(), words.h), (4, [0; 32]));
    assert!(keys.verifying_key().sigma_g2.is_some());
    let states = transcript_states(statement, &words).unwrap();
    assert_eq!(states[1], absorb(states[0], "gram", &words.committed));
}

#[test]
fn equal_rounds_have_other_commitments_and_other_challenges() {
    let (Round { statement, proof, .. }, again) = (round(), again());
    assert_ne!(proof.committed(), again.committed());
    let rho = |proof: &RoundProof| challenge(&transcript_states(statement, &proof.words()).unwrap()[1]);
    assert_ne!(rho(proof), rho(again));
    assert_eq!(verify_round(&CommittedKeys::load(), statement, again), Ok(()));
}

#[test]
fn a_commitment_left_out_or_of_another_length_is_refused() {
    for length in [0, 1, 2, 3, 5] {
        let error = refused(|w| w.committed.resize(length, [0; 32]));
        let named = matches!(error, VerifyError::WrongLength { what: "commitment", expected: 4, found } if found == length);
        assert!(named, "{length}: {error}");
    }
}

#[test]
fn a_hash_beside_the_commitment_is_refused() {
    assert!(matches!(refused(|w| w.h[31] = 1), VerifyError::ScalarOutOfRange(_)));
}

#[test]
fn every_word_of_the_commitment_matters() {
    for index in 0..4 {
        assert!(matches!(refused(|w| w.committed[index][31] ^= 1), VerifyError::InvalidPoint(_)), "{index}");
        assert!(matches!(refused(|w| w.committed[index] = [0xff; 32]), VerifyError::InvalidPoint(_)));
    }
    // On the curve: the challenges are others, and the equation that the opened values must fulfil is the first to fail.
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
        let joint = verify::Joint::new(key, CommittedKeys::load().kzg(), &round().statement, &words).unwrap();
        joint.holds(challenge(&joint.st4))
    };
    assert!(joint(key));
    let mut other = key.clone();
    other.sigma_g2 = Some(key.groth16.beta_g2);
    assert!(!joint(&other), "under another sigma the same point proves nothing");
}

/// A key without a commitment takes none, and one with a commitment needs one.
#[test]
fn a_commitment_is_for_keys_that_have_one() {
    let mut bits = round().keys.verifying_key().clone();
    bits.sigma_g2 = None;
    let words = round().proof.words();
    let error =
        verify_words_with(&bits, CommittedKeys::load().kzg(), &round().statement, &words).unwrap_err();
    assert_eq!(error, VerifyError::WrongLength { what: "commitment", expected: 0, found: 4 });
}
