//! Proofs, with the committed keys: drift of the circuit fails here.

use super::proof::{check_constraints, prove, verify, witness, AssessmentError};
use super::prover::prove_rows;
use super::public::AssessmentPublic;
use super::testing::{updates, Round};
use crate::keys::{AssessmentKeys, CommittedKeys, Proving};
use ark_bn254::{Bn254, Fr, G1Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::Field;
use ark_groth16::{Groth16, Proof};
use fairshare_protocol::{Policy, RuleName};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::sync::OnceLock;

fn round(rule: RuleName) -> Round {
    let policy = match rule {
        RuleName::Agreement => Policy::Agreement { theta: 32, trim_count: 1 },
        RuleName::MultiKrum => Policy::MultiKrum { neighbours: 4, selected: 4 },
    };
    Round::of_updates(8, 0x7f, &updates(8, 900, 4), policy)
}

fn keys(rule: RuleName) -> &'static AssessmentKeys {
    static KEYS: [OnceLock<AssessmentKeys>; 2] = [const { OnceLock::new() }; 2];
    let folder = || tempfile::tempdir().unwrap();
    KEYS[usize::from(rule.id() - 1)]
        .get_or_init(|| AssessmentKeys::open_dev(folder().path(), rule, 8).unwrap())
}

/// An honest round of eight slots, proved.
pub(crate) fn round_for_tests(rule: RuleName) -> (&'static AssessmentKeys, AssessmentPublic, Proof<Bn254>) {
    let round = round(rule);
    let public = round.public();
    let proof = prove(keys(rule), &public, &round.gram, &mut ChaCha20Rng::seed_from_u64(9)).unwrap();
    (keys(rule), public, proof)
}

#[test]
fn a_true_proof_verifies_under_the_committed_key() {
    for rule in RuleName::ALL {
        let (_, public, proof) = round_for_tests(rule);
        let committed = CommittedKeys::load();
        verify(committed.verifying_key(rule, 8).unwrap(), &public, &proof).unwrap();
        let others = RuleName::ALL.into_iter().filter(|other| *other != rule);
        for other in others {
            let key = committed.verifying_key(other, 8).unwrap();
            assert!(
                matches!(verify(key, &public, &proof), Err(AssessmentError::Rejected)),
                "the key of {other:?}"
            );
        }
    }
}

#[test]
fn a_proof_of_something_else_is_refused() {
    let (keys, public, proof) = round_for_tests(RuleName::Agreement);
    let key = keys.verifying_key();
    let bends: [fn(&mut AssessmentPublic); 11] = [
        |p| p.h = p.sigma,
        |p| p.rho = p.h,
        |p| p.chi = p.h,
        |p| p.sigma = p.h,
        |p| p.coherence += 1,
        |p| p.active ^= 1 << 7,
        |p| p.policy = Policy::Agreement { theta: 33, trim_count: 1 },
        |p| p.policy = Policy::Agreement { theta: 32, trim_count: 2 },
        |p| p.kept ^= 1,
        |p| p.shares.swap(0, 1),
        |p| p.weights[0] += 1,
    ];
    for (index, bend) in bends.iter().enumerate() {
        let mut bent = public.clone();
        bend(&mut bent);
        assert!(matches!(verify(key, &bent, &proof), Err(AssessmentError::Rejected)), "bend {index}");
    }
    let mut moved = proof.clone();
    moved.a = (moved.a + G1Affine::generator()).into_affine();
    assert!(matches!(verify(key, &public, &moved), Err(AssessmentError::Rejected)));
    let committed = CommittedKeys::load();
    let other = committed.verifying_key(RuleName::Agreement, 16).unwrap();
    assert!(
        matches!(verify(other, &public, &proof), Err(AssessmentError::Rejected)),
        "the key of another size"
    );
}

/// Words of another policy with the same sum, and so with the same public inputs: the verifier looks at the words.
#[test]
fn a_policy_word_of_more_than_sixteen_bits_is_refused() {
    let (keys, public, proof) = round_for_tests(RuleName::MultiKrum);
    let policy = Policy::MultiKrum { neighbours: 4 + (1 << 16), selected: 3 };
    let other = AssessmentPublic { policy, ..public.clone() };
    assert_eq!(other.to_field_elements(8), public.to_field_elements(8));
    verify(keys.verifying_key(), &public, &proof).unwrap();
    assert!(matches!(verify(keys.verifying_key(), &other, &proof), Err(AssessmentError::Rejected)));
}

#[test]
fn nothing_false_is_proved() {
    for rule in RuleName::ALL {
        let round = round(rule);
        let honest = round.public();
        let refused = |bend: fn(&mut AssessmentPublic)| {
            let mut public = honest.clone();
            bend(&mut public);
            prove(keys(rule), &public, &round.gram, &mut ChaCha20Rng::seed_from_u64(9))
                .unwrap_err()
                .to_string()
        };
        assert!(refused(|p| p.shares[0] += 1).starts_with("share is not what the rule gives"));
        assert!(refused(|p| p.coherence += 1).starts_with("coherence is not"));
        assert!(refused(|p| p.sigma = p.h).starts_with("sigma is not"));
        assert!(refused(|p| p.active = 1 << 9).contains("beyond slot 7"));
        assert!(refused(|p| p.weights.truncate(7)).contains("7 slots are given, the keys serve 8"));
    }
}

#[test]
fn a_policy_of_another_rule_than_the_keys_is_refused() {
    let round = round(RuleName::MultiKrum);
    let mut rng = ChaCha20Rng::seed_from_u64(9);
    let error = prove(keys(RuleName::Agreement), &round.public(), &round.gram, &mut rng).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the policy is one of the rule multi-krum, the keys are for agreement: open the keys of that rule"
    );
}

#[test]
fn a_matrix_of_another_size_is_refused() {
    let policy = Policy::Agreement { theta: 32, trim_count: 2 };
    let round = Round::of_updates(16, 0x3ff, &updates(16, 900, 4), policy);
    let error =
        prove(keys(RuleName::Agreement), &round.public(), &round.gram, &mut ChaCha20Rng::seed_from_u64(9))
            .unwrap_err();
    assert_eq!(error.to_string(), "16 slots are given, the keys serve 8: open the keys of that size");
}

/// Two proofs of one statement differ: they are randomised, and both verify.
#[test]
fn proofs_are_randomised() {
    let (keys, public, proof) = round_for_tests(RuleName::MultiKrum);
    let round = round(RuleName::MultiKrum);
    let second = prove(keys, &public, &round.gram, &mut ChaCha20Rng::seed_from_u64(10)).unwrap();
    assert_ne!(proof, second);
    verify(keys.verifying_key(), &public, &second).unwrap();
}

/// The prover of arkworks makes the same proof of the same assignment and blinding.
#[test]
fn the_prover_equals_that_of_arkworks() {
    let round = round(RuleName::Agreement);
    let keys = keys(RuleName::Agreement);
    let witness = witness(&round.gram, round.active, round.policy).unwrap();
    let values = round.public().values(8);
    let system = keys.system();
    let blinding = [Fr::from(123u64), Fr::from(456u64).square()];
    let (assignment, rows) = check_constraints(system, &values, witness.as_ref()).unwrap();
    let Proving::Bits(proving) = keys.proving_key() else { panic!("eight slots are proved by bits") };
    let expected = Groth16::<Bn254>::create_proof_with_reduction_and_matrices(
        proving,
        blinding[0],
        blinding[1],
        system.matrices(),
        system.inputs(),
        system.constraints(),
        &assignment,
    );
    let proof = prove_rows(proving, system, rows, &assignment, blinding);
    assert_eq!(proof.unwrap(), expected.unwrap());
}
