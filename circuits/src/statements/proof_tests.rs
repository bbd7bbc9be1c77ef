//! Proofs of assessments under the pinned keys of eight slots: drift of the circuit fails here. Cheats with the
//! commitment itself stand in [`crate::groth16`], those with the rule beside the rule.

use super::agreement::AgreementWitness;
use super::assessment::{commit, commit_to, prove, verify, AssessmentCommitment, ProverKeys};
use super::gram_binding::sigma;
use super::public::AssessmentPublic;
use super::testing::{updates, Round};
use super::AssessmentError;
use crate::curve::words::point_words;
use crate::groth16::{lookup_challenge, CircuitKey, CommittedProof};
use crate::keys::{AssessmentKeys, PinnedKeys};
use crate::transcript::challenge;
use ark_bn254::{Fr, G1Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{Field, Zero};
use fairshare_protocol::{absorb, assess, RoundPolicy, RuleName, SlotMask};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::sync::OnceLock;

const SIZE: usize = 8;
const POLICY: RoundPolicy = RoundPolicy::Agreement { theta: 32, trim_count: 1 };

fn keys() -> ProverKeys<'static> {
    static KEYS: OnceLock<AssessmentKeys> = OnceLock::new();
    let open = || {
        let folder = tempfile::tempdir().unwrap();
        AssessmentKeys::open_dev(folder.path(), RuleName::Agreement, SIZE as u8).unwrap()
    };
    KEYS.get_or_init(open).prover()
}

/// The pinned key of eight slots.
fn key() -> &'static CircuitKey {
    &keys().proving.vk
}

fn round(seed: u64) -> Round {
    Round::of_updates(SIZE, SlotMask::lowest(7), &updates(SIZE, 900, seed), POLICY)
}

fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

fn try_commit(round: &Round, seed: u64) -> Result<AssessmentCommitment, AssessmentError> {
    let assessment = assess(&round.gram, round.active, round.policy).unwrap();
    commit(keys(), &round.gram, &round.public(), &assessment, &mut rng(seed))
}

fn committed(round: &Round, seed: u64) -> AssessmentCommitment {
    try_commit(round, seed).unwrap()
}

/// The public inputs under the challenges of a commitment.
fn bound(commitment: &AssessmentCommitment, round: &Round) -> AssessmentPublic {
    let words = commitment.points().map(|point| point_words(&point));
    let st1 = absorb([5; 32], "gram", words.as_flattened());
    let rho = challenge(&st1);
    let chi = lookup_challenge(absorb(st1, "outcome", &[])).unwrap();
    AssessmentPublic { rho, chi, sigma: sigma(&round.gram, rho), ..round.public() }
}

/// An honest assessment of eight slots, proved under the pinned key.
pub(crate) fn proved() -> (&'static CircuitKey, AssessmentPublic, CommittedProof) {
    let round = round(4);
    let commitment = committed(&round, 1);
    let public = bound(&commitment, &round);
    let proof = prove(keys(), &commitment, &public, &mut rng(2)).unwrap();
    (key(), public, proof)
}

#[test]
fn a_true_proof_verifies_under_the_pinned_key_of_its_size_alone() {
    let (_, public, proof) = proved();
    let pinned = PinnedKeys::load();
    let under = |size| verify(pinned.verifying_key(RuleName::Agreement, size).unwrap(), &public, &proof);
    assert!(under(8));
    for size in [16, 32, 64, 128] {
        assert!(!under(size), "the key of {size} slots");
    }
}

#[test]
fn a_true_proof_verifies_for_its_public_inputs_alone() {
    let (key, public, proof) = proved();
    let fields = public.to_field_elements(SIZE);
    assert!(key.verify(&fields, &proof));
    for index in 0..fields.len() {
        let mut bent = fields.clone();
        bent[index] += Fr::ONE;
        assert!(!key.verify(&bent, &proof), "public input {index}");
    }
}

#[test]
fn a_proof_of_something_else_is_refused() {
    let (key, public, proof) = proved();
    let bends: [fn(&mut AssessmentPublic); 10] = [
        |p| p.rho = p.chi,
        |p| p.chi = p.rho,
        |p| p.sigma = p.rho,
        |p| p.coherence += 1,
        |p| p.active ^= SlotMask::single(7u8),
        |p| p.policy = RoundPolicy::Agreement { theta: 33, trim_count: 1 },
        |p| p.policy = RoundPolicy::Agreement { theta: 32, trim_count: 2 },
        |p| p.kept ^= SlotMask::single(0u8),
        |p| p.shares.swap(0, 1),
        |p| p.weights[0] += 1,
    ];
    for (index, bend) in bends.iter().enumerate() {
        let mut bent = public.clone();
        bend(&mut bent);
        assert!(!verify(key, &bent, &proof), "bend {index}");
    }
    let mut moved = proof.clone();
    moved.groth16.a = (moved.groth16.a + G1Affine::generator()).into_affine();
    assert!(!verify(key, &public, &moved));
}

/// Words of another policy with the same sum, and so with the same public inputs: the verifier checks the words.
#[test]
fn a_policy_word_of_more_than_sixteen_bits_is_refused() {
    let (key, public, proof) = proved();
    let policy = RoundPolicy::MultiKrum { neighbours: 32 + (1 << 16), selected: 0 };
    let other = AssessmentPublic { policy, ..public.clone() };
    assert_eq!(other.to_field_elements(SIZE), public.to_field_elements(SIZE));
    assert!(verify(key, &public, &proof) && !verify(key, &other, &proof));
}

#[test]
fn nothing_false_is_proved() {
    let round = round(4);
    let commitment = committed(&round, 1);
    let honest = bound(&commitment, &round);
    let refused = |bend: fn(&mut AssessmentPublic)| {
        let mut public = honest.clone();
        bend(&mut public);
        prove(keys(), &commitment, &public, &mut rng(2)).unwrap_err().to_string()
    };
    assert!(refused(|p| p.shares[0] += 1).ends_with("of the section \"shares\" does not hold"));
    assert!(refused(|p| p.coherence += 1).ends_with("of the section \"coherence\" does not hold"));
    assert!(refused(|p| p.sigma += Fr::ONE).ends_with("of the section \"sigma\" does not hold"));
    assert!(refused(|p| p.active = SlotMask::lowest(8))
        .ends_with("of the section \"active slots\" does not hold"));
    assert!(refused(|p| p.weights.truncate(7)).contains("7 slots are given, the keys serve 8"));
}

#[test]
fn a_round_of_another_size_or_rule_than_the_keys_is_refused() {
    let other = Round::of_updates(16, SlotMask::lowest(10), &updates(16, 900, 4), POLICY);
    let error = try_commit(&other, 1).unwrap_err();
    assert_eq!(error.to_string(), "16 slots are given, the keys serve 8: open the keys of that size");
    let krum = Round { policy: RoundPolicy::MultiKrum { neighbours: 4, selected: 4 }, ..round(4) };
    let error = try_commit(&krum, 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the policy is one of the rule multi-krum, the keys are for agreement: open the keys of that rule"
    );
}

/// The assessment of a rule without a circuit, under a policy with one.
#[test]
fn an_assessment_of_another_rule_is_refused() {
    let round = round(4);
    let krum = RoundPolicy::MultiKrum { neighbours: 4, selected: 4 };
    let assessment = assess(&round.gram, round.active, krum).unwrap();
    let error = commit(keys(), &round.gram, &round.public(), &assessment, &mut rng(1)).unwrap_err();
    assert!(matches!(error, AssessmentError::NoCircuit { rule: RuleName::MultiKrum }));
}

/// The committed values are fixed before the challenges: limbs, matrix and orders are the same under any.
#[test]
fn nothing_committed_depends_on_a_challenge() {
    let round = round(4);
    let under = |challenge: u64| {
        let c = Fr::from(challenge);
        let public = AssessmentPublic { rho: c, chi: c, sigma: c, ..round.public() };
        commit_to(keys(), &public, Box::new(round.witness()), Fr::zero()).unwrap().points()
    };
    assert_eq!(under(0), under(1 << 40));
}

/// Another matrix than the committed one, under the committed one's challenges: with its own commitment the proof
/// holds, with the committed one's it does not.
#[test]
fn a_matrix_changed_after_the_commitment_is_refused() {
    let (first, second) = (round(4), round(5));
    let commitment = committed(&first, 1);
    let AssessmentPublic { rho, chi, .. } = bound(&commitment, &first);
    let public = AssessmentPublic { rho, chi, sigma: sigma(&second.gram, rho), ..second.public() };
    let witness: AgreementWitness = second.witness();
    let swapped = commit_to(keys(), &public, Box::new(witness), Fr::zero()).unwrap();
    let mut proof = prove(keys(), &swapped, &public, &mut rng(2)).unwrap();
    assert!(verify(key(), &public, &proof), "only the challenges tell the matrices apart, not the equations");
    assert_ne!(bound(&swapped, &second).chi, chi);
    [proof.commitment, proof.knowledge] = commitment.points();
    assert!(!verify(key(), &public, &proof));
}

/// Commitments and proofs are randomised: two of one assessment differ, and both verify.
#[test]
fn proofs_are_randomised() {
    let round = round(4);
    assert_ne!(committed(&round, 1).points(), committed(&round, 2).points());
    let commitment = committed(&round, 1);
    assert_eq!(committed(&round, 1).points(), commitment.points());
    let public = bound(&commitment, &round);
    let [first, second] = [2, 3].map(|seed| prove(keys(), &commitment, &public, &mut rng(seed)).unwrap());
    assert_ne!(first, second);
    assert!(verify(key(), &public, &first) && verify(key(), &public, &second));
}
