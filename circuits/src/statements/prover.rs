//! The Groth16 prover for circuits whose constraints are kept: the one of arkworks, with two things spared.
//!
//! The rows of the constraints are evaluated once, for the check and for the proof, and the multi-scalar multiplications run
//! through [`crate::msm`], most of their scalars being bits. A test holds both provers' proofs side by side.

use crate::gadgets::system::{Rows, System};
use crate::msm::{msm, msm_mixed, msm_mixed_g2};
use ark_bn254::{Bn254, Fr};
use ark_ec::CurveGroup;
use ark_ff::{FftField, Field};
use ark_groth16::{Proof, ProvingKey};
use ark_poly::{EvaluationDomain, GeneralEvaluationDomain};
use ark_relations::gr1cs::SynthesisError;
use rayon::prelude::*;

/// The proof that `r` and `s` give, for an assignment whose rows hold. Fresh random `r` and `s` make it zero-knowledge.
///
/// # Errors
/// More constraints than the field has roots of unity for.
pub(crate) fn prove_rows(
    key: &ProvingKey<Bn254>,
    system: &System,
    rows: Rows,
    assignment: &[Fr],
    [r, s]: [Fr; 2],
) -> Result<Proof<Bn254>, SynthesisError> {
    let quotient = quotient(system, rows, assignment)?;
    let a = msm_mixed(&key.a_query, assignment) + key.vk.alpha_g1 + key.delta_g1 * r;
    let b_in_g1 = msm_mixed(&key.b_g1_query, assignment) + key.beta_g1 + key.delta_g1 * s;
    let b = msm_mixed_g2(&key.b_g2_query, assignment) + key.vk.beta_g2 + key.vk.delta_g2 * s;
    let private = msm_mixed(&key.l_query, &assignment[system.inputs()..]);
    let length = key.h_query.len().min(quotient.len());
    let quotient = msm(&key.h_query[..length], &quotient[..length]);
    let c = private + quotient + a * s + b_in_g1 * r - key.delta_g1 * (r * s);
    Ok(Proof { a: a.into_affine(), b: b.into_affine(), c: c.into_affine() })
}

/// Coefficients of `(A B - C) / Z` for the polynomials through the rows; the public inputs have rows of their own in `A`.
pub(crate) fn quotient(system: &System, rows: Rows, assignment: &[Fr]) -> Result<Vec<Fr>, SynthesisError> {
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
