//! Opening a polynomial at `z` and `1/z` at once (docs/protocol.md section 5, step 6).
//!
//! `W` commits to the quotient of `Q - L` by `(X - z)(X - 1/z)`, `L` the line through both values. The verifier checks
//! `e(W, [x^2]_2) e(-(z + 1/z) W, [x]_2) e(W - C_Q + [L(x)]_1, [1]_2) = 1`.

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, PrimeGroup};
use ark_ff::{Field, Zero};
use rayon::prelude::*;

/// Below this many coefficients an evaluation is not worth spreading over threads.
const MIN_PARALLEL: usize = 2048;

/// A point `z` with its inverse, `z` not 0, 1 or -1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PointPair {
    pub(crate) z: Fr,
    pub(crate) inverse: Fr,
}

impl PointPair {
    /// `None` for 0, 1 and -1, where the two points are not two.
    pub(crate) fn new(z: Fr) -> Option<Self> {
        let inverse = z.inverse()?;
        (z != inverse).then_some(Self { z, inverse })
    }
}

/// The value of `sum_j coefficients_j X^j` at `x`.
pub(crate) fn evaluate(coefficients: &[Fr], x: Fr) -> Fr {
    let horner = |part: &[Fr]| part.iter().rev().fold(Fr::zero(), |sum, c| sum * x + c);
    let size = coefficients.len().div_ceil(rayon::current_num_threads()).max(MIN_PARALLEL);
    let parts: Vec<Fr> = coefficients.par_chunks(size).map(horner).collect();
    let step = x.pow([size as u64]);
    parts.iter().rev().fold(Fr::zero(), |sum, part| sum * step + part)
}

/// The quotient of `polynomial` by `(X - z)(X - 1/z)`, the remainder dropped: it is the line through both values.
pub(crate) fn quotient(mut polynomial: Vec<Fr>, at: &PointPair) -> Vec<Fr> {
    for point in [at.z, at.inverse] {
        let mut carry = Fr::zero();
        for coefficient in polynomial.iter_mut().rev() {
            let value = *coefficient + carry * point;
            *coefficient = carry;
            carry = value;
        }
        polynomial.pop(); // the highest place of a quotient is empty
    }
    polynomial
}

/// `(a, b)` with `a + b z = at_z` and `a + b / z = at_inverse`.
pub(crate) fn line(at: &PointPair, at_z: Fr, at_inverse: Fr) -> (Fr, Fr) {
    let run = (at.z - at.inverse).inverse().expect("a pair of points is two points");
    let slope = (at_z - at_inverse) * run;
    (at_z - slope * at.z, slope)
}

/// The three points to be paired with `[x^2]_2, [x]_2, [1]_2`, given `C_Q` and its claimed values at both points.
pub(crate) fn pairing_points(
    w: &G1Affine,
    committed: G1Projective,
    values: (Fr, Fr),
    at: &PointPair,
    x1: &G1Affine,
) -> [G1Projective; 3] {
    let (constant, slope) = line(at, values.0, values.1);
    let line_point = G1Projective::generator() * constant + *x1 * slope;
    [w.into_group(), *w * -(at.z + at.inverse), *w - committed + line_point]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::msm::msm;
    use crate::kzg::ReferenceString;
    use ark_bn254::Bn254;
    use ark_ec::{pairing::Pairing, CurveGroup};
    use ark_ff::{One, UniformRand};
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    #[test]
    fn evaluation_is_horners_whatever_the_length() {
        let mut rng = ChaCha20Rng::seed_from_u64(21);
        let x = Fr::rand(&mut rng);
        for n in [0usize, 1, 5, 2048, 2049, 9000] {
            let c: Vec<Fr> = (0..n).map(|_| Fr::rand(&mut rng)).collect();
            assert_eq!(evaluate(&c, x), c.iter().rev().fold(Fr::zero(), |s, c| s * x + c));
        }
    }

    #[test]
    fn quotient_and_line_make_up_the_polynomial() {
        let mut rng = ChaCha20Rng::seed_from_u64(22);
        let at = PointPair::new(Fr::rand(&mut rng)).unwrap();
        for n in [0usize, 1, 2, 3, 4, 33] {
            let c: Vec<Fr> = (0..n).map(|_| Fr::rand(&mut rng)).collect();
            let q = quotient(c.clone(), &at);
            assert_eq!(q.len(), n.saturating_sub(2));
            let (a, b) = line(&at, evaluate(&c, at.z), evaluate(&c, at.inverse));
            let x = Fr::rand(&mut rng);
            assert_eq!(evaluate(&c, x), evaluate(&q, x) * (x - at.z) * (x - at.inverse) + a + b * x);
        }
    }

    #[test]
    fn a_true_opening_holds_and_a_false_one_does_not() {
        let mut rng = ChaCha20Rng::seed_from_u64(23);
        let srs = ReferenceString::generate_dev(64);
        let at = PointPair::new(Fr::rand(&mut rng)).unwrap();
        let holds = |w: G1Affine, commitment: G1Projective, values: (Fr, Fr)| {
            let points = pairing_points(&w, commitment, values, &at, &srs.g1[1]);
            let g1: Vec<G1Affine> = points.iter().map(|p| p.into_affine()).collect();
            Bn254::multi_pairing(g1, [srs.g2[2], srs.g2[1], srs.g2[0]]).is_zero()
        };
        for n in [1usize, 2, 64] {
            let c: Vec<Fr> = (0..n).map(|_| Fr::rand(&mut rng)).collect();
            let commitment = msm(&srs.g1[..n], &c);
            let q = quotient(c.clone(), &at);
            let w = msm(&srs.g1[..q.len()], &q).into_affine();
            let values = (evaluate(&c, at.z), evaluate(&c, at.inverse));
            assert!(holds(w, commitment, values));
            assert!(!holds(w, commitment, (values.0 + Fr::one(), values.1)));
            assert!(!holds(w, commitment, (values.0, values.1 + Fr::one())));
            assert!(!holds(w, commitment + srs.g1[0], values));
            assert!(!holds((w + srs.g1[0]).into_affine(), commitment, values));
        }
    }

    #[test]
    fn degenerate_points_are_no_pair() {
        assert_eq!(PointPair::new(Fr::zero()), None);
        assert_eq!(PointPair::new(Fr::one()), None);
        assert_eq!(PointPair::new(-Fr::one()), None);
        let two = Fr::from(2u64);
        assert_eq!(PointPair::new(two).unwrap().inverse * two, Fr::one());
    }
}
