//! The prover: commits, receives the challenges, proves.
//!
//! It differs from arkworks' prover in two ways beside the commitment. It evaluates the rows of the constraints once,
//! for the check and for the proof, and its multi-scalar multiplications run through [`crate::curve::msm`], since most
//! of their scalars are small. A test compares both provers' proofs.

use super::error::ProofError;
use super::keys::{private_places, ProvingKey};
use super::verify::CommittedProof;
use crate::curve::msm::{msm, msm_mixed, msm_mixed_g2};
use crate::r1cs::system::Rows;
use crate::r1cs::{Builder, R1cs};
use ark_bn254::{Fr, G1Affine};
use ark_ec::CurveGroup;
use ark_ff::{FftField, Field};
use ark_groth16::Proof;
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use ark_relations::gr1cs::SynthesisError;
use rayon::prelude::*;

/// A commitment, and what its prover must store until the challenges are known.
#[derive(Debug, Clone)]
pub(crate) struct Commitment {
    /// The point `D`.
    pub(crate) point: G1Affine,
    /// The proof of knowledge `sigma D`.
    pub(crate) knowledge: G1Affine,
    values: Vec<Fr>,
    blinding: Fr,
}

/// Commits to the committed variables of a synthesis, which may run with any challenges: they depend on none. A fresh
/// random `blinding` hides them.
///
/// # Errors
/// The constraint system's own.
pub(crate) fn commit(
    key: &ProvingKey,
    system: &R1cs,
    synthesize: impl FnOnce(&mut Builder),
    blinding: Fr,
) -> Result<Commitment, ProofError> {
    let assignment = assign(system, synthesize)?;
    let values = committed_values(system, &assignment);
    let [eta, eta_sigma, _] = key.eta;
    let (point, knowledge) = rayon::join(
        || msm_mixed(&key.committed, &values) + eta * blinding,
        || msm_mixed(&key.committed_sigma, &values) + eta_sigma * blinding,
    );
    Ok(Commitment { point: point.into_affine(), knowledge: knowledge.into_affine(), values, blinding })
}

/// The proof of a synthesis that runs with the challenges that `commitment` gave. Fresh random `r` and `s` make it
/// zero-knowledge.
///
/// # Errors
/// The first constraint that does not hold, or committed variables that have moved.
pub(crate) fn prove(
    key: &ProvingKey,
    system: &R1cs,
    commitment: &Commitment,
    synthesize: impl FnOnce(&mut Builder),
    [r, s]: [Fr; 2],
) -> Result<CommittedProof, ProofError> {
    let assignment = assign(system, synthesize)?;
    if committed_values(system, &assignment) != commitment.values {
        return Err(ProofError::Moved);
    }
    let rows = system
        .evaluate(&assignment)
        .map_err(|(constraint, section)| ProofError::Unsatisfied { constraint, section })?;
    let quotient = quotient(system, rows, &assignment)?;

    let a = msm_mixed(&key.a, &assignment) + key.vk.groth16.alpha_g1 + key.delta_g1 * r;
    let in_b: Vec<Fr> = key.b_places.iter().map(|place| assignment[*place as usize]).collect();
    let b_in_g1 = msm_mixed(&key.b_g1, &in_b) + key.beta_g1 + key.delta_g1 * s;
    let b = msm_mixed_g2(&key.b_g2, &in_b) + key.vk.groth16.beta_g2 + key.vk.groth16.delta_g2 * s;
    let private: Vec<Fr> = private_places(system).map(|place| assignment[place]).collect();
    let private = msm_mixed(&key.private, &private);
    let length = key.h.len().min(quotient.len());
    let quotient = msm(&key.h[..length], &quotient[..length]);
    // What the blinding adds to D, this takes out of C: eta gamma / gamma - (eta / delta) delta = 0.
    let c =
        private + quotient + a * s + b_in_g1 * r - key.delta_g1 * (r * s) - key.eta[2] * commitment.blinding;
    Ok(CommittedProof {
        groth16: Proof { a: a.into_affine(), b: b.into_affine(), c: c.into_affine() },
        commitment: commitment.point,
        knowledge: commitment.knowledge,
    })
}

fn assign(system: &R1cs, synthesize: impl FnOnce(&mut Builder)) -> Result<Vec<Fr>, ProofError> {
    let mut builder = system.assigning();
    synthesize(&mut builder);
    Ok(builder.assignment()?)
}

fn committed_values(system: &R1cs, assignment: &[Fr]) -> Vec<Fr> {
    system.committed().iter().map(|place| assignment[*place]).collect()
}

/// Coefficients of `(A B - C) / Z` for the polynomials through the rows; the public inputs have rows of their own in
/// `A`.
///
/// # Errors
/// More constraints than the field has roots of unity for.
fn quotient(system: &R1cs, rows: Rows, assignment: &[Fr]) -> Result<Vec<Fr>, SynthesisError> {
    let inputs = system.inputs();
    let domain = GeneralEvaluationDomain::<Fr>::new(system.constraints() + inputs)
        .ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
    let coset = domain.get_coset(Fr::GENERATOR).ok_or(SynthesisError::PolynomialDegreeTooLarge)?;
    let on_coset = |mut values: Vec<Fr>| {
        domain.ifft_in_place(&mut values);
        coset.fft_in_place(&mut values);
        values
    };
    let Rows { mut a, b, c } = rows;
    a.extend_from_slice(&assignment[..inputs]);
    let (mut a, (b, c)) = rayon::join(|| on_coset(a), || rayon::join(|| on_coset(b), || on_coset(c)));
    let vanishing = domain
        .evaluate_vanishing_polynomial(Fr::GENERATOR)
        .inverse()
        .ok_or(SynthesisError::DivisionByZero)?;
    a.par_iter_mut().zip(&b).zip(&c).for_each(|((a, b), c)| *a = (*a * b - c) * vanishing);
    coset.ifft_in_place(&mut a);
    Ok(a)
}
