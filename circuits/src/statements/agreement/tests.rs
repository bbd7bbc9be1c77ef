//! Proofs, with the committed keys: drift of the circuit fails here.

use super::equivalence::{updates, Round};
use super::proof::check_constraints;
use super::{prove, verify, AgreementError, AgreementPublic};
use crate::keys::{AssessmentKeys, CommittedKeys};
use crate::statements::prover::prove_rows;
use ark_bn254::{Bn254, Fr, G1Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::Field;
use ark_groth16::{Groth16, Proof};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::sync::OnceLock;

fn round() -> Round {
    Round::of_updates(8, 0x7f, &updates(8, 900, 4))
}

fn keys() -> &'static AssessmentKeys {
    static KEYS: OnceLock<AssessmentKeys> = OnceLock::new();
    KEYS.get_or_init(|| AssessmentKeys::open_dev(tempfile::tempdir().unwrap().path(), 8).unwrap())
}

/// An honest round of eight slots, proved.
pub(crate) fn round_for_tests() -> (&'static AssessmentKeys, AgreementPublic, Proof<Bn254>) {
    let round = round();
    let public = round.public();
    let proof = prove(keys(), &public, &round.gram, &mut ChaCha20Rng::seed_from_u64(9)).unwrap();
    (keys(), public, proof)
}

#[test]
fn a_true_proof_verifies_under_the_committed_key() {
    let (_, public, proof) = round_for_tests();
    let committed = CommittedKeys::load();
    verify(committed.verifying_key(8).unwrap(), &public, &proof).unwrap();
}

#[test]
fn a_proof_of_something_else_is_refused() {
    let (keys, public, proof) = round_for_tests();
    let key = keys.verifying_key();
    let bends: [fn(&mut AgreementPublic); 8] = [
        |p| p.h = p.sigma,
        |p| p.rho = p.h,
        |p| p.active ^= 1 << 7,
        |p| p.theta += 1,
        |p| p.trim_count += 1,
        |p| p.kept ^= 1,
        |p| p.shares.swap(0, 1),
        |p| p.weights[0] += 1,
    ];
    for (index, bend) in bends.iter().enumerate() {
        let mut bent = public.clone();
        bend(&mut bent);
        assert!(matches!(verify(key, &bent, &proof), Err(AgreementError::Rejected)), "bend {index}");
    }
    let mut moved = proof.clone();
    moved.a = (moved.a + G1Affine::generator()).into_affine();
    assert!(matches!(verify(key, &public, &moved), Err(AgreementError::Rejected)));
    let committed = CommittedKeys::load();
    let other = committed.verifying_key(16).unwrap();
    assert!(
        matches!(verify(other, &public, &proof), Err(AgreementError::Rejected)),
        "the key of another size"
    );
}

#[test]
fn nothing_false_is_proved() {
    let round = round();
    let honest = round.public();
    let refused = |bend: fn(&mut AgreementPublic)| {
        let mut public = honest.clone();
        bend(&mut public);
        prove(keys(), &public, &round.gram, &mut ChaCha20Rng::seed_from_u64(9)).unwrap_err().to_string()
    };
    assert!(refused(|p| p.shares[0] += 1).starts_with("share is not what the rule gives"));
    assert!(refused(|p| p.coherence += 1).starts_with("coherence is not"));
    assert!(refused(|p| p.sigma = p.h).starts_with("sigma is not"));
    assert!(refused(|p| p.active = 1 << 9).contains("beyond slot 7"));
    assert!(refused(|p| p.weights.truncate(7)).contains("7 slots are given, the keys serve 8"));
}

#[test]
fn a_matrix_of_another_size_is_refused() {
    let round = Round::of_updates(16, 0x3ff, &updates(16, 900, 4));
    let error = prove(keys(), &round.public(), &round.gram, &mut ChaCha20Rng::seed_from_u64(9)).unwrap_err();
    assert_eq!(error.to_string(), "16 slots are given, the keys serve 8: open the keys of that size");
}

/// Two proofs of one statement differ: they are randomised, and both verify.
#[test]
fn proofs_are_randomised() {
    let (keys, public, proof) = round_for_tests();
    let round = round();
    let second = prove(keys, &public, &round.gram, &mut ChaCha20Rng::seed_from_u64(10)).unwrap();
    assert_ne!(proof, second);
    verify(keys.verifying_key(), &public, &second).unwrap();
}

/// The prover of arkworks makes the same proof of the same assignment and blinding.
#[test]
fn the_prover_equals_that_of_arkworks() {
    let round = round();
    let fields = round.public().to_field_elements(8);
    let system = keys().system();
    let blinding = [Fr::from(123u64), Fr::from(456u64).square()];
    let (assignment, rows) = check_constraints(system, &fields, &round.witness()).unwrap();
    let expected = Groth16::<Bn254>::create_proof_with_reduction_and_matrices(
        keys().proving_key(),
        blinding[0],
        blinding[1],
        system.matrices(),
        system.inputs(),
        system.constraints(),
        &assignment,
    );
    let proof = prove_rows(keys().proving_key(), system, rows, &assignment, blinding);
    assert_eq!(proof.unwrap(), expected.unwrap());
}
