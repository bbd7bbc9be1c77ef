//! Whether points are the powers of one secret: two pairing equations and a random combination.

use ark_bn254::{Bn254, G1Affine, G2Affine};
use ark_ec::pairing::Pairing;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::Zero;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha20Rng;
use sha2::{Digest, Sha256};

use super::key::KzgKey;
use super::points::{put_g1, put_g2, G1, G2};
use crate::curve::field::Limbs4;
use crate::curve::msm::msm_limbs;

/// Why points are not the consecutive powers of an unknown secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PowersFault {
    /// Fewer than two points.
    #[error("it has fewer than two powers")]
    TooFew,
    /// `x^0` is not the generator.
    #[error("its first power in G1 is not the generator")]
    FirstG1,
    /// `x^0` is not the generator.
    #[error("its first power in G2 is not the generator")]
    FirstG2,
    /// `[x]_1 = [1]_1`: the ceremony has no contribution.
    #[error("its secret is 1: nobody has contributed to it yet")]
    NoSecret,
    /// `[x]_1` and `[x]_2` have different logarithms.
    #[error("[x]_1 and [x]_2 are not powers of one secret")]
    X,
    /// `[x^2]_2` is not the square.
    #[error("[x^2]_2 is not the square of the secret")]
    XSquared,
    /// Some power in G1 does not follow from the one before.
    #[error("its powers in G1 are not consecutive powers of its secret")]
    NotConsecutive,
}

/// The check of the points that a verifier uses: `[1]`, `[x]` and `[x^2]` belong together.
pub(super) fn check_key(key: &KzgKey) -> Result<(), PowersFault> {
    let (one1, one2) = (G1Affine::generator(), G2Affine::generator());
    let [first, x2, x2_squared] = key.g2;
    if first != one2 {
        return Err(PowersFault::FirstG2);
    }
    if key.x1 == one1 {
        return Err(PowersFault::NoSecret);
    }
    if Bn254::pairing(key.x1, one2) != Bn254::pairing(one1, x2) {
        return Err(PowersFault::X);
    }
    if Bn254::pairing(key.x1, x2) != Bn254::pairing(one1, x2_squared) {
        return Err(PowersFault::XSquared);
    }
    Ok(())
}

/// That `g1[i] = [x^i]_1` for all `i`, with the `x` of `g2`: `e(sum r_i g1[i+1], [1]_2) = e(sum r_i g1[i], [x]_2)`.
///
/// The 128-bit weights `r_i` are hashed from all points, so the author of the points cannot fit them to the weights: a
/// string that is wrong anywhere passes with a chance of `2^-128` for every hash that its maker tries.
pub(super) fn check_powers(g1: &[G1Affine], g2: &[G2Affine; 3]) -> Result<(), PowersFault> {
    let [first, x1, ..] = g1 else { return Err(PowersFault::TooFew) };
    if *first != G1Affine::generator() {
        return Err(PowersFault::FirstG1);
    }
    check_key(&KzgKey { x1: *x1, g2: *g2 })?;
    let mut rng = ChaCha20Rng::from_seed(seed(g1, g2));
    let weights: Vec<Limbs4> = (1..g1.len()).map(|_| [rng.next_u64(), rng.next_u64(), 0, 0]).collect();
    let upper = msm_limbs(&g1[1..], &weights).into_affine();
    let lower = msm_limbs(&g1[..weights.len()], &weights).into_affine();
    let joined = Bn254::multi_pairing([upper, -lower], [g2[0], g2[1]]);
    if joined.is_zero() {
        Ok(())
    } else {
        Err(PowersFault::NotConsecutive)
    }
}

fn seed(g1: &[G1Affine], g2: &[G2Affine; 3]) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(b"fairshare check of powers v1");
    let mut bytes = [0; G2];
    for point in g2 {
        put_g2(&mut bytes, point);
        hash.update(bytes);
    }
    for point in g1 {
        put_g1(&mut bytes, point);
        hash.update(&bytes[..G1]);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::super::ReferenceString;
    use super::*;
    use ark_bn254::Fr;

    #[test]
    fn a_true_string_passes_and_every_cheat_is_named() {
        let good = ReferenceString::generate_dev(100);
        assert_eq!(check_powers(&good.g1, &good.g2), Ok(()));
        let refused = |bend: &dyn Fn(&mut Vec<G1Affine>, &mut [G2Affine; 3])| {
            let (mut g1, mut g2) = (good.g1.clone(), good.g2);
            bend(&mut g1, &mut g2);
            check_powers(&g1, &g2).unwrap_err()
        };
        let twice = |p: G1Affine| (p + p).into_affine();
        let twice2 = |p: G2Affine| (p + p).into_affine();
        assert_eq!(refused(&|g1, _| g1.truncate(1)), PowersFault::TooFew);
        assert_eq!(refused(&|g1, _| g1[0] = twice(g1[0])), PowersFault::FirstG1);
        assert_eq!(refused(&|_, g2| g2[0] = twice2(g2[0])), PowersFault::FirstG2);
        assert_eq!(refused(&|g1, _| g1[1] = g1[0]), PowersFault::NoSecret);
        assert_eq!(refused(&|g1, _| g1[1] = g1[2]), PowersFault::X);
        assert_eq!(refused(&|_, g2| g2[1] = g2[2]), PowersFault::X);
        assert_eq!(refused(&|_, g2| g2[2] = g2[1]), PowersFault::XSquared);
        for at in [2, 50, 99] {
            assert_eq!(refused(&|g1, _| g1[at] = -g1[at]), PowersFault::NotConsecutive, "power {at}");
        }
        assert_eq!(refused(&|g1, _| g1.swap(40, 41)), PowersFault::NotConsecutive);
        // Two errors that cancel in the plain sum.
        let cancelling = |g1: &mut Vec<G1Affine>, _: &mut [G2Affine; 3]| {
            let shift = G1Affine::generator() * Fr::from(5u64);
            g1[60] = (g1[60] + shift).into_affine();
            g1[70] = (g1[70] - shift).into_affine();
        };
        assert_eq!(refused(&cancelling), PowersFault::NotConsecutive);
    }
}
