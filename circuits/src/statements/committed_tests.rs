//! Proofs of the circuits with a commitment. That these say what the circuits by bits say, and refuse what those refuse, is
//! tested beside those; cheats with the commitment itself in [`crate::groth16`].

use super::committed::{
    commit, commit_to, lookup_system, prove_committed, prove_unchecked, AssessmentCommitment, CommitKeys,
};
use super::gram_binding::sigma;
use super::proof::{witness, AssessmentCircuit, AssessmentError};
use super::public::AssessmentPublic;
use super::testing::{updates, Round};
use crate::encoding::{challenge, point_words};
use crate::gadgets::System;
use crate::groth16::{generate, lookup_challenge, CommitProof, CommitProvingKey, Secrets};
use ark_bn254::Fr;
use ark_ff::{Field, Zero};
use fairshare_protocol::{absorb, Policy, RuleName};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::sync::OnceLock;

const SIZE: usize = 8;

fn keys(rule: RuleName) -> CommitKeys<'static> {
    static KEYS: [OnceLock<(System, CommitProvingKey)>; 2] = [const { OnceLock::new() }; 2];
    let circuit = AssessmentCircuit { rule, size: SIZE as u8 };
    let (system, proving) = KEYS[usize::from(rule.id() - 1)].get_or_init(|| {
        let system = lookup_system(circuit).unwrap();
        let proving = generate(&system, &Secrets::dev("a test's secret")).unwrap();
        (system, proving)
    });
    CommitKeys { circuit, proving, system }
}

fn policy(rule: RuleName) -> Policy {
    match rule {
        RuleName::Agreement => Policy::Agreement { theta: 32, trim_count: 1 },
        RuleName::MultiKrum => Policy::MultiKrum { neighbours: 4, selected: 4 },
    }
}

fn round(rule: RuleName, seed: u64) -> Round {
    Round::of_updates(SIZE, 0x7f, &updates(SIZE, 900, seed), policy(rule))
}

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn committed(round: &Round, seed: u64) -> AssessmentCommitment {
    commit(keys(round.policy.rule()), &round.gram, &round.public(), &mut rng(seed)).unwrap()
}

/// The public inputs under the challenges of a commitment.
fn bound(commitment: &AssessmentCommitment, round: &Round) -> AssessmentPublic {
    let words = commitment.points().map(|point| point_words(&point));
    let st1 = absorb([5; 32], "gram", words.as_flattened());
    let rho = challenge(&st1);
    let chi = lookup_challenge(absorb(st1, "outcome", &[])).unwrap();
    AssessmentPublic { h: Fr::zero(), rho, chi, sigma: sigma(&round.gram, rho), ..round.public() }
}

fn accepts(public: &AssessmentPublic, proof: &CommitProof) -> bool {
    keys(public.policy.rule()).proving.vk.verify(&public.to_field_elements(SIZE), proof)
}

#[test]
fn a_true_proof_verifies_for_its_public_inputs_alone() {
    for rule in RuleName::ALL {
        let round = round(rule, 4);
        let commitment = committed(&round, 1);
        let public = bound(&commitment, &round);
        let proof = prove_committed(keys(rule), &commitment, &public, &mut rng(2)).unwrap();
        assert!(accepts(&public, &proof));
        let fields = public.to_field_elements(SIZE);
        for index in 0..fields.len() {
            let mut bent = fields.clone();
            bent[index] += Fr::ONE;
            assert!(!keys(rule).proving.vk.verify(&bent, &proof), "public input {index}");
        }
    }
}

#[test]
fn nothing_false_is_proved() {
    let keys = keys(RuleName::Agreement);
    let round = round(RuleName::Agreement, 4);
    let commitment = committed(&round, 1);
    let honest = bound(&commitment, &round);
    let refused = |bend: fn(&mut AssessmentPublic)| {
        let mut public = honest.clone();
        bend(&mut public);
        prove_committed(keys, &commitment, &public, &mut rng(2)).unwrap_err().to_string()
    };
    assert!(refused(|p| p.shares[0] += 1).starts_with("share is not what the rule gives"));
    assert!(refused(|p| p.sigma += Fr::ONE).starts_with("sigma is not"));
    assert!(refused(|p| p.weights.truncate(7)).contains("7 slots are given, the keys serve 8"));
    let other = Round::of_updates(16, 0x3ff, &updates(16, 900, 4), policy(RuleName::Agreement));
    let error = commit(keys, &other.gram, &other.public(), &mut rng(1)).unwrap_err();
    assert!(matches!(error, AssessmentError::Size { expected: 8, found: 16 }));
    let other = self::round(RuleName::MultiKrum, 4);
    let error = commit(keys, &other.gram, &other.public(), &mut rng(1)).unwrap_err();
    assert!(matches!(error, AssessmentError::Rules { .. }));
}

/// What is committed to is fixed before the challenges: limbs, matrix and orders are the same under any.
#[test]
fn nothing_committed_depends_on_a_challenge() {
    for rule in RuleName::ALL {
        let round = round(rule, 4);
        let under = |challenge: u64| {
            let c = Fr::from(challenge);
            let public = AssessmentPublic { rho: c, chi: c, sigma: c, ..round.public() };
            let witness = witness(&round.gram, round.active, round.policy).unwrap();
            commit_to(keys(rule), &public, witness, Fr::zero()).unwrap().points()
        };
        assert_eq!(under(0), under(1 << 40));
    }
}

/// Another matrix than the committed one, under the committed one's challenges: proved with its own commitment it holds,
/// and with the committed one's it does not.
#[test]
fn a_matrix_changed_after_the_commitment_is_refused() {
    let rule = RuleName::Agreement;
    let (first, second) = (round(rule, 4), round(rule, 5));
    let commitment = committed(&first, 1);
    let AssessmentPublic { h, rho, chi, .. } = bound(&commitment, &first);
    let public = AssessmentPublic { h, rho, chi, sigma: sigma(&second.gram, rho), ..second.public() };
    let witness = witness(&second.gram, second.active, second.policy).unwrap();
    let swapped = commit_to(keys(rule), &public, witness, Fr::zero()).unwrap();
    let mut proof = prove_unchecked(keys(rule), &swapped, &public.values(SIZE), [Fr::ONE, Fr::ONE]).unwrap();
    assert!(accepts(&public, &proof), "the equations alone do not tell: the challenges do");
    assert_ne!(bound(&swapped, &second).chi, chi);
    [proof.commitment, proof.knowledge] = commitment.points();
    assert!(!accepts(&public, &proof));
}

#[test]
fn commitments_to_equal_assessments_differ() {
    let round = round(RuleName::Agreement, 4);
    assert_ne!(committed(&round, 1).points(), committed(&round, 2).points());
    assert_eq!(committed(&round, 1).points(), committed(&round, 1).points());
}

/// A change of these numbers is a change of the circuit: its keys must be pinned anew.
#[test]
fn constraints_are_counted() {
    let counted = |rule, size| {
        let system = lookup_system(AssessmentCircuit { rule, size }).unwrap();
        (system.constraints(), system.committed().len())
    };
    assert_eq!(counted(RuleName::Agreement, 8), (2682, 1970));
    assert_eq!(counted(RuleName::Agreement, 64), (60_562, 38_974));
    assert_eq!(counted(RuleName::Agreement, 128), (207_583, 127_704));
    assert_eq!(counted(RuleName::MultiKrum, 8), (2092, 1639));
    assert_eq!(counted(RuleName::MultiKrum, 64), (48_716, 29_179));
    assert_eq!(counted(RuleName::MultiKrum, 128), (152_024, 92_501));
}
