//! The Gram argument (docs/protocol.md section 5): the committed updates have exactly the Gram matrix that was
//! committed to, and no coordinate beyond the model's dimension.
//!
//! ```text
//! prover                                    verifier
//! st1 -> rho, P = sum rho^(2^i) U_i         st1 -> rho, C_P = sum rho^(2^i) C_i
//! sigma, C_S, C_R        ---- st2 ---->     z
//! P(z) P(1/z) S(z) S(1/z) --- st3 ---->     gamma; P(z) P(1/z) = sigma + z S(z) + S(1/z) / z
//! W                      ------------->     Q = P + gamma S + gamma^2 R opens at z and 1/z
//! ```

use crate::curve::field::{slot_powers, weighted_sum};
use crate::curve::msm::msm;
use crate::curve::ntt::{multiply_by_own_mirror, Transform};
use crate::curve::words::{point_words, scalar_word};
use crate::kzg::opening::{evaluate, pairing_points, quotient, PointPair};
use crate::kzg::ReferenceString;
use crate::kzg::SrsError;
use crate::transcript::{challenge, non_zero, Degenerate};
use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::CurveGroup;
use ark_ff::{Field, Zero};
use fairshare_protocol::{absorb, Word};
use rayon::prelude::*;
use thiserror::Error;

/// Why no Gram argument was made.
#[derive(Debug, Error)]
pub enum GramArgumentError {
    /// The reference string is too short.
    #[error(transparent)]
    Srs(#[from] SrsError),
    /// A challenge came out as 0, 1 or -1, which happens with negligible probability.
    #[error("a challenge of the transcript came out as 0, 1 or -1")]
    DegenerateChallenge,
}

impl From<Degenerate> for GramArgumentError {
    fn from(_: Degenerate) -> Self {
        Self::DegenerateChallenge
    }
}

/// Why an argument is refused before its pairing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GramRefusal {
    /// A challenge came out as 0, 1 or -1.
    DegenerateChallenge,
    /// The opened values do not fit `sigma`.
    LaurentIdentity,
}

impl From<Degenerate> for GramRefusal {
    fn from(_: Degenerate) -> Self {
        Self::DegenerateChallenge
    }
}

/// What the prover sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GramArgument {
    /// `sum_ij rho_i rho_j G_ij = <p, p>`.
    pub sigma: Fr,
    /// `C_S`, the quotient of the Laurent identity; may be infinity.
    pub quotient: G1Affine,
    /// `C_R`, the reversed polynomial of the degree step; may be infinity.
    pub reversed: G1Affine,
    /// `P(z), P(1/z), S(z), S(1/z)`.
    pub values: [Fr; 4],
    /// `W`, the opening of `P + gamma S + gamma^2 R`; may be infinity.
    pub opening: G1Affine,
}

impl GramArgument {
    /// Proves over the updates of the slots given, all of one length, from the state that contains the commitment to
    /// their matrix.
    ///
    /// # Errors
    /// Updates longer than the reference string, or a degenerate challenge, which happens with negligible probability.
    pub fn prove(
        srs: &ReferenceString,
        slots: &[u8],
        updates: &[&[i16]],
        st1: Word,
    ) -> Result<Self, GramArgumentError> {
        let rho = first_challenge(&st1)?;
        Self::prove_combined(srs, weighted_sum(&slot_powers(rho, slots), updates), st1)
    }

    /// The same from the coefficients of `P`, as many as the model has parameters.
    pub(crate) fn prove_combined(
        srs: &ReferenceString,
        p: Vec<Fr>,
        st1: Word,
    ) -> Result<Self, GramArgumentError> {
        let dimension = p.len();
        let powers = srs.powers(dimension)?;
        let (sigma, s) = laurent(&p);
        let r: Vec<Fr> = p.iter().rev().copied().collect();
        let s_point = msm(&powers[..s.len()], &s).into_affine();
        let r_point = msm(powers, &r).into_affine();
        let st2 = laurent_state(st1, sigma, &s_point, &r_point);
        let at = second_challenge(&st2)?;
        let values =
            [evaluate(&p, at.z), evaluate(&p, at.inverse), evaluate(&s, at.z), evaluate(&s, at.inverse)];
        let gamma = third_challenge(&values_state(st2, &values))?;
        let gamma_squared = gamma.square();
        let mut q = p;
        q.par_iter_mut().zip(&r).for_each(|(q, r)| *q += gamma_squared * r);
        q.par_iter_mut().zip(&s).for_each(|(q, s)| *q += gamma * s);
        let q = quotient(q, &at);
        let opening = msm(&powers[..q.len()], &q).into_affine();
        Ok(Self { sigma, quotient: s_point, reversed: r_point, values, opening })
    }

    /// Everything but the pairing. Returns the points to be paired with `[x^2]_2, [x]_2, [1]_2` and the state after the
    /// opened values.
    ///
    /// # Errors
    /// A degenerate challenge, or values that do not fit `sigma`.
    pub(crate) fn reduce(
        &self,
        dimension: u32,
        commitments: &[(u8, G1Affine)],
        x1: &G1Affine,
        st1: Word,
    ) -> Result<([G1Projective; 3], Word), GramRefusal> {
        let rho = first_challenge(&st1)?;
        let st2 = laurent_state(st1, self.sigma, &self.quotient, &self.reversed);
        let at = second_challenge(&st2)?;
        let st3 = values_state(st2, &self.values);
        let gamma = third_challenge(&st3)?;
        if !laurent_identity_holds(self.sigma, &self.values, &at) {
            return Err(GramRefusal::LaurentIdentity);
        }
        let [p, p_inverse, s, s_inverse] = self.values;
        let gamma_squared = gamma.square();
        // R(z) = z^(d-1) P(1/z) and R(1/z) = z^-(d-1) P(z): the prover need not send them.
        let shift = u64::from(dimension) - 1;
        let at_z = p + gamma * s + gamma_squared * at.z.pow([shift]) * p_inverse;
        let at_inverse = p_inverse + gamma * s_inverse + gamma_squared * at.inverse.pow([shift]) * p;
        let (slots, points): (Vec<u8>, Vec<G1Affine>) = commitments.iter().copied().unzip();
        let committed =
            msm(&points, &slot_powers(rho, &slots)) + self.quotient * gamma + self.reversed * gamma_squared;
        Ok((pairing_points(&self.opening, committed, (at_z, at_inverse), &at, x1), st3))
    }
}

fn first_challenge(st1: &Word) -> Result<Fr, Degenerate> {
    non_zero(challenge(st1))
}

fn second_challenge(st2: &Word) -> Result<PointPair, Degenerate> {
    PointPair::new(challenge(st2)).ok_or(Degenerate)
}

fn third_challenge(st3: &Word) -> Result<Fr, Degenerate> {
    non_zero(challenge(st3))
}

/// `st2`.
pub(crate) fn laurent_state(st1: Word, sigma: Fr, s: &G1Affine, r: &G1Affine) -> Word {
    let ([sx, sy], [rx, ry]) = (point_words(s), point_words(r));
    absorb(st1, "laurent", &[scalar_word(&sigma), sx, sy, rx, ry])
}

/// `st3`.
pub(crate) fn values_state(st2: Word, values: &[Fr; 4]) -> Word {
    absorb(st2, "values", &values.each_ref().map(scalar_word))
}

fn laurent_identity_holds(sigma: Fr, values: &[Fr; 4], at: &PointPair) -> bool {
    let [p, p_inverse, s, s_inverse] = values;
    *p * p_inverse == sigma + at.z * s + at.inverse * s_inverse
}

/// `(sigma, S)` of `P(X) P(1/X) = sigma + X S(X) + S(1/X)/X`; `S` has one coefficient less than `P`.
pub(crate) fn laurent(p: &[Fr]) -> (Fr, Vec<Fr>) {
    let Some(most) = (2 * p.len()).checked_sub(1) else {
        return (Fr::zero(), vec![]);
    };
    // With 2d - 1 roots no two powers of the product fall together.
    let transform = Transform::new(most);
    let mut product = transform.forward(p);
    multiply_by_own_mirror(&mut product);
    transform.inverse_in_place(&mut product);
    let scale = transform.scale();
    let s = product[1..p.len()].par_iter().map(|c| c.times(scale).reduced()).collect();
    (product[0].times(scale).reduced(), s)
}

#[cfg(test)]
#[path = "gram_tests.rs"]
mod tests;
