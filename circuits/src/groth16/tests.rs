//! Honest proofs of a small circuit, and every way to cheat with its commitment, by its name. And the Groth16 core
//! beneath the commitment, against arkworks' prover, with the circuit of [`super::fixture`].

use super::fixture::standard;
use super::keys::{generate, ProvingKey, Secrets};
use super::verify::{admissible, lookup_challenge, CommittedProof};
use super::{commit, prove, Commitment, ProofError};
use crate::curve::words::point_words;
use crate::gadgets::range::range;
use crate::r1cs::linear_combination::signed;
use crate::r1cs::lookup::close;
use crate::r1cs::LinearCombination;
use crate::r1cs::{Builder, R1cs};
use ark_bn254::{Bn254, Fr, G1Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{Field, UniformRand};
use ark_groth16::{prepare_verifying_key, Groth16};
use fairshare_protocol::absorb;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::sync::OnceLock;

const WIDTH: usize = 4;

/// Public: `x`, and `y = a b`. Private: `a, b` below `2^10`, and that `(b, a)` is `(a, b)` in another order.
fn circuit(builder: &mut Builder, public: &[Fr], a: i128, b: i128) {
    let [x, y] = [0, 1].map(|k| builder.input(public[k]));
    let [a, b] = [a, b].map(|v| builder.committed(signed(v)));
    range(builder, &a, 10);
    range(builder, &b, 10);
    let product = builder.product(&a, &b);
    builder.equal(&product, &y);
    let swapped = builder.reorder(&[a.clone(), b.clone()], &[1, 0]);
    builder.equal(&LinearCombination::sum(&swapped), &a.plus(&b));
    close(builder, &x);
}

struct Setup {
    system: R1cs,
    key: ProvingKey,
}

fn setup() -> &'static Setup {
    static SETUP: OnceLock<Setup> = OnceLock::new();
    SETUP.get_or_init(|| {
        let system = R1cs::new(WIDTH, |b| circuit(b, &[Fr::from(0u64); 2], 0, 0)).unwrap();
        let key = generate(&system, &Secrets::dev("a test's secret")).unwrap();
        Setup { system, key }
    })
}

/// What verifier and prover compute of a commitment.
fn challenge(point: &G1Affine, knowledge: &G1Affine) -> Fr {
    let words = [point_words(point), point_words(knowledge)];
    lookup_challenge(absorb([7; 32], "gram", words.as_flattened())).unwrap()
}

fn committed(a: i128, b: i128, blinding: u64) -> Commitment {
    let run = |builder: &mut Builder| circuit(builder, &[Fr::from(0u64); 2], a, b);
    commit(&setup().key, &setup().system, run, Fr::from(blinding)).unwrap()
}

fn proved(commitment: &Commitment, x: Fr, a: i128, b: i128) -> Result<CommittedProof, ProofError> {
    let run = |builder: &mut Builder| circuit(builder, &[x, signed(a * b)], a, b);
    prove(&setup().key, &setup().system, commitment, run, [Fr::from(3u64), Fr::from(4u64)])
}

/// The verifier: it computes `x` itself.
fn accepts(y: u64, proof: &CommittedProof) -> bool {
    accepts_under(challenge(&proof.commitment, &proof.knowledge), y, proof)
}

fn accepts_under(x: Fr, y: u64, proof: &CommittedProof) -> bool {
    setup().key.vk.verify(&[x, y.into()], proof)
}

fn honest() -> CommittedProof {
    let commitment = committed(1000, 7, 99);
    let x = challenge(&commitment.point, &commitment.knowledge);
    let proof = proved(&commitment, x, 1000, 7).unwrap();
    assert!(accepts(7000, &proof));
    proof
}

fn moved(point: G1Affine, by: G1Affine) -> G1Affine {
    (point + by).into_affine()
}

#[test]
fn a_true_proof_is_accepted_for_its_statement_alone() {
    let proof = honest();
    assert!(!accepts(7001, &proof));
    assert!(!setup().key.vk.verify(&[challenge(&proof.commitment, &proof.knowledge)], &proof));
    let key = generate(&setup().system, &Secrets::dev("another test's secret")).unwrap();
    let x = challenge(&proof.commitment, &proof.knowledge);
    assert!(!key.vk.verify(&[x, 7000u64.into()], &proof), "another setup");
}

#[test]
fn every_point_matters() {
    let one = G1Affine::generator();
    let bends: [fn(&mut CommittedProof, G1Affine); 4] = [
        |p, by| p.groth16.a = moved(p.groth16.a, by),
        |p, by| p.groth16.c = moved(p.groth16.c, by),
        |p, by| p.commitment = moved(p.commitment, by),
        |p, by| p.knowledge = moved(p.knowledge, by),
    ];
    for bend in bends {
        let mut proof = honest();
        bend(&mut proof, one);
        let x = challenge(&proof.commitment, &proof.knowledge);
        assert!(!accepts(7000, &proof) && !accepts_under(x, 7000, &proof));
    }
}

#[test]
fn a_proof_of_knowledge_that_is_wrong_or_missing_is_refused() {
    let proof = honest();
    let x = challenge(&proof.commitment, &proof.knowledge);
    for knowledge in
        [G1Affine::identity(), proof.commitment, -proof.knowledge, setup().key.committed_sigma[0]]
    {
        assert!(!accepts_under(x, 7000, &CommittedProof { knowledge, ..proof.clone() }));
    }
}

/// Without the proof of knowledge, what is shifted from one part of the equation to the other would hold: `D` made of
/// the bases of the public inputs proves another statement.
#[test]
fn a_commitment_made_of_bases_of_public_inputs_is_refused() {
    let proof = honest();
    let x = challenge(&proof.commitment, &proof.knowledge);
    let base = setup().key.vk.groth16.gamma_abc_g1[2];
    let commitment = moved(proof.commitment, -base);
    let bent = CommittedProof { commitment, ..proof.clone() };
    let key = &setup().key.vk;
    let statement = |proof: &CommittedProof, y: u64| {
        let key = &key.groth16;
        key.gamma_abc_g1[0] + key.gamma_abc_g1[1] * x + key.gamma_abc_g1[2] * Fr::from(y) + proof.commitment
    };
    assert_eq!(statement(&bent, 7001), statement(&proof, 7000), "the Groth16 equation alone holds for 7001");
    assert!(!accepts_under(x, 7001, &bent));
}

/// The same with a base of `C`: a private variable's share moved over to `D`, which the prover can do in `C` alone.
#[test]
fn a_commitment_made_of_bases_of_c_is_refused() {
    let proof = honest();
    let x = challenge(&proof.commitment, &proof.knowledge);
    for base in [setup().key.private[0], setup().key.h[0], setup().key.vk.groth16.alpha_g1, setup().key.a[3]]
    {
        let bent = CommittedProof { commitment: moved(proof.commitment, base), ..proof.clone() };
        assert!(!accepts_under(x, 7000, &bent));
    }
}

/// The bases with `sigma` prove no knowledge of themselves: that would take `sigma^2`.
#[test]
fn a_commitment_made_of_bases_of_its_proof_of_knowledge_is_refused() {
    let proof = honest();
    let x = challenge(&proof.commitment, &proof.knowledge);
    let [base, with_sigma] = [setup().key.committed[0], setup().key.committed_sigma[0]];
    let bent = CommittedProof {
        commitment: moved(proof.commitment, with_sigma),
        knowledge: moved(proof.knowledge, base),
        ..proof
    };
    assert!(!accepts_under(x, 7000, &bent));
}

/// A true opening of `D` with another value, proved to be known: the Groth16 equation refuses it.
#[test]
fn a_commitment_to_another_value_is_refused() {
    let proof = honest();
    let x = challenge(&proof.commitment, &proof.knowledge);
    let bent = CommittedProof {
        commitment: moved(proof.commitment, setup().key.committed[0]),
        knowledge: moved(proof.knowledge, setup().key.committed_sigma[0]),
        ..proof
    };
    assert!(!accepts_under(x, 7000, &bent));
}

#[test]
fn a_commitment_changed_after_its_challenge_gives_another_challenge() {
    let first = committed(1000, 7, 99);
    let x = challenge(&first.point, &first.knowledge);
    let second = committed(1000, 7, 100);
    let proof = proved(&second, x, 1000, 7).unwrap();
    assert!(accepts_under(x, 7000, &proof), "the equations alone do not tell");
    assert!(!accepts(7000, &proof), "the verifier's own challenge does");
}

#[test]
fn a_challenge_of_the_provers_choice_is_refused() {
    let commitment = committed(1000, 7, 99);
    let proof = proved(&commitment, Fr::from(1u64 << 40), 1000, 7).unwrap();
    assert!(!accepts(7000, &proof));
}

#[test]
fn a_witness_that_moves_after_the_commitment_is_not_proved() {
    let commitment = committed(1000, 7, 99);
    let x = challenge(&commitment.point, &commitment.knowledge);
    assert!(matches!(proved(&commitment, x, 7, 1000), Err(ProofError::Moved)));
}

#[test]
fn a_number_out_of_range_is_not_proved() {
    let commitment = committed(1024, 7, 99);
    let x = challenge(&commitment.point, &commitment.knowledge);
    assert!(matches!(proved(&commitment, x, 1024, 7), Err(ProofError::Unsatisfied { .. })));
}

#[test]
fn challenges_in_a_table_are_refused() {
    for x in [0u64, 1, 15, (1 << 16) - 1] {
        assert!(!admissible(x.into()));
    }
    assert!(admissible((1u64 << 16).into()) && admissible(-Fr::ONE));
}

/// Blinded: commitments to equal witnesses differ, and so do their proofs; unblinded they would not.
#[test]
fn commitments_to_equal_witnesses_differ() {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let run = |builder: &mut Builder| circuit(builder, &[Fr::from(0u64); 2], 1000, 7);
    let mut fresh = || commit(&setup().key, &setup().system, run, Fr::rand(&mut rng)).unwrap();
    let (first, second) = (fresh(), fresh());
    assert_ne!(first.point, second.point);
    for commitment in [first, second] {
        let x = challenge(&commitment.point, &commitment.knowledge);
        assert!(accepts(7000, &proved(&commitment, x, 1000, 7).unwrap()));
    }
    assert_eq!(committed(1000, 7, 0).point, committed(1000, 7, 0).point);
}

/// Without a commitment the prover makes the same proof as arkworks' of the same assignment and blinding.
#[test]
fn without_a_commitment_the_prover_equals_that_of_arkworks() {
    let fixture = standard();
    let blinding = [Fr::from(123u64), Fr::from(456u64).square()];
    let proof = fixture.prove(blinding);
    let expected = Groth16::<Bn254>::create_proof_with_reduction_and_matrices(
        &fixture.arkworks_key(),
        blinding[0],
        blinding[1],
        fixture.system.matrices(),
        fixture.system.inputs(),
        fixture.system.constraints(),
        &fixture.assignment(),
    );
    assert_eq!(proof.groth16, expected.unwrap());
    assert!(proof.commitment.is_zero() && proof.knowledge.is_zero());
    assert!(fixture.key.vk.verify(&fixture.public, &proof));
    let key = prepare_verifying_key(&fixture.key.vk.groth16);
    assert!(Groth16::<Bn254>::verify_proof(&key, &proof.groth16, &fixture.public).unwrap());
}
