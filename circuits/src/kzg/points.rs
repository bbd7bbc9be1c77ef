//! Points as `.ptau` files and our own string files hold them: coordinates in Montgomery form, little endian. They are
//! read without a multiplication, so that the check of the curve is all that a point costs.

use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInt, PrimeField, Zero};

/// Bytes of a coordinate.
pub(super) const COORDINATE: usize = 32;
/// Bytes of a point of G1: `x, y`.
pub(super) const G1: usize = 2 * COORDINATE;
/// Bytes of a point of G2: `x.c0, x.c1, y.c0, y.c1`.
pub(super) const G2: usize = 4 * COORDINATE;

/// Why bytes are not a point of a reference string. A power of a secret is never infinity, so infinity (zeros) is
/// refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PointFault {
    /// A coordinate that is not below the base field's order.
    #[error("has a coordinate that is not below the field's order")]
    NotReduced,
    /// All zeros.
    #[error("is infinity")]
    Infinity,
    /// Not on the curve.
    #[error("is off the curve")]
    OffCurve,
    /// On the twist, but not in the group of order `r`.
    #[error("is outside the group")]
    OutsideGroup,
}

fn coordinate(bytes: &[u8]) -> Result<Fq, PointFault> {
    let mut limbs = BigInt::new([0u64; 4]);
    for (limb, bytes) in limbs.0.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *limb = u64::from_le_bytes(*bytes);
    }
    if limbs < Fq::MODULUS {
        Ok(Fq::new_unchecked(limbs))
    } else {
        Err(PointFault::NotReduced)
    }
}

fn put(to: &mut [u8], coordinate: &Fq) {
    for (bytes, limb) in to.chunks_exact_mut(8).zip(coordinate.0 .0) {
        bytes.copy_from_slice(&limb.to_le_bytes());
    }
}

/// A point of G1, whose group is all of the curve.
pub(super) fn g1(bytes: &[u8; G1]) -> Result<G1Affine, PointFault> {
    let (x, y) = bytes.split_at(COORDINATE);
    let (x, y) = (coordinate(x)?, coordinate(y)?);
    if x.is_zero() && y.is_zero() {
        return Err(PointFault::Infinity);
    }
    let point = G1Affine::new_unchecked(x, y);
    if point.is_on_curve() {
        Ok(point)
    } else {
        Err(PointFault::OffCurve)
    }
}

/// A point of G2, its group checked.
pub(super) fn g2(bytes: &[u8; G2]) -> Result<G2Affine, PointFault> {
    let mut c = [Fq::default(); 4];
    for (c, bytes) in c.iter_mut().zip(bytes.chunks_exact(COORDINATE)) {
        *c = coordinate(bytes)?;
    }
    if c.iter().all(Zero::is_zero) {
        return Err(PointFault::Infinity);
    }
    let point = G2Affine::new_unchecked(Fq2::new(c[0], c[1]), Fq2::new(c[2], c[3]));
    if !point.is_on_curve() {
        return Err(PointFault::OffCurve);
    }
    if !point.is_in_correct_subgroup_assuming_on_curve() {
        return Err(PointFault::OutsideGroup);
    }
    Ok(point)
}

/// Writes a point of G1; infinity as zeros.
pub(super) fn put_g1(to: &mut [u8], point: &G1Affine) {
    if let Some((x, y)) = point.xy() {
        put(&mut to[..COORDINATE], &x);
        put(&mut to[COORDINATE..G1], &y);
    }
}

/// Writes a point of G2; infinity as zeros.
pub(super) fn put_g2(to: &mut [u8], point: &G2Affine) {
    if let Some((x, y)) = point.xy() {
        for (to, c) in to.chunks_exact_mut(COORDINATE).zip([x.c0, x.c1, y.c0, y.c1]) {
            put(to, &c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::{G1Projective, G2Projective};
    use ark_ec::CurveGroup;
    use ark_ff::UniformRand;
    use rand::SeedableRng;

    #[test]
    fn points_come_back() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        for _ in 0..20 {
            let (p, q) =
                (G1Projective::rand(&mut rng).into_affine(), G2Projective::rand(&mut rng).into_affine());
            let (mut b1, mut b2) = ([0; G1], [0; G2]);
            put_g1(&mut b1, &p);
            put_g2(&mut b2, &q);
            assert_eq!((g1(&b1), g2(&b2)), (Ok(p), Ok(q)));
        }
    }

    #[test]
    fn what_is_no_point_is_refused_with_the_reason() {
        assert_eq!(g1(&[0; G1]), Err(PointFault::Infinity));
        assert_eq!(g2(&[0; G2]), Err(PointFault::Infinity));
        assert_eq!(g1(&[0xff; G1]), Err(PointFault::NotReduced));
        assert_eq!(g2(&[0xff; G2]), Err(PointFault::NotReduced));
        let mut modulus = [0; G1];
        put_g1(&mut modulus, &G1Affine::generator());
        for (bytes, limb) in modulus[..COORDINATE].chunks_exact_mut(8).zip(Fq::MODULUS.0) {
            bytes.copy_from_slice(&limb.to_le_bytes());
        }
        assert_eq!(g1(&modulus), Err(PointFault::NotReduced), "exactly the modulus");
        let outside = (1u64..)
            .filter_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::new(x.into(), Fq::zero()), false))
            .find(|p| !p.is_in_correct_subgroup_assuming_on_curve())
            .unwrap();
        let mut bytes = [0; G2];
        put_g2(&mut bytes, &outside);
        assert_eq!(g2(&bytes), Err(PointFault::OutsideGroup));
        bytes[0] ^= 1;
        assert_eq!(g2(&bytes), Err(PointFault::OffCurve));
    }
}
