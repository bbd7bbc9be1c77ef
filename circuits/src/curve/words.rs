//! Points and scalars as words, in the layout of the chain's precompiles and of docs/protocol.md section 12.

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInt, BigInteger, PrimeField, Zero};
use fairshare_protocol::Word;
use thiserror::Error;

/// Words that encode no scalar of the field or no point of the curve.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EncodingError {
    /// A scalar that is not reduced.
    #[error("word 0x{} is not below the scalar field's order", hex::encode(.0))]
    ScalarOutOfRange([u8; 32]),
    /// A coordinate that is not reduced.
    #[error("word 0x{} is not below the base field's order", hex::encode(.0))]
    CoordinateOutOfRange([u8; 32]),
    /// Two coordinates that belong to no point of the group.
    #[error("(0x{}, ..) is not a point of the curve's group", hex::encode(.0))]
    NotOnCurve([u8; 32]),
}

/// `x, y`; infinity as `0, 0`.
pub fn point_words(p: &G1Affine) -> [Word; 2] {
    p.xy().map_or([[0; 32]; 2], |(x, y)| [coordinate_word(&x), coordinate_word(&y)])
}

/// A point from `x, y`; `0, 0` is infinity. The group of the curve is all of it, so on the curve is in the group.
///
/// # Errors
/// A coordinate that is not reduced, or a point off the curve.
pub fn point_from_words(w: &[Word; 2]) -> Result<G1Affine, EncodingError> {
    let (x, y) = (coordinate(&w[0])?, coordinate(&w[1])?);
    if x.is_zero() && y.is_zero() {
        return Ok(G1Affine::identity());
    }
    let point = G1Affine::new_unchecked(x, y);
    if !point.is_on_curve() {
        return Err(EncodingError::NotOnCurve(w[0]));
    }
    Ok(point)
}

/// `x.c1, x.c0, y.c1, y.c0`: the imaginary part first; infinity as zeros.
pub fn g2_words(p: &G2Affine) -> [Word; 4] {
    p.xy().map_or([[0; 32]; 4], |(x, y)| [x.c1, x.c0, y.c1, y.c0].map(|c| coordinate_word(&c)))
}

/// A point of the group of order `r` from its four words.
///
/// # Errors
/// A coordinate that is not reduced, a point off the curve, or one outside the group.
pub fn g2_from_words(w: &[Word; 4]) -> Result<G2Affine, EncodingError> {
    let c = [coordinate(&w[0])?, coordinate(&w[1])?, coordinate(&w[2])?, coordinate(&w[3])?];
    if c.iter().all(Zero::is_zero) {
        return Ok(G2Affine::identity());
    }
    let point = G2Affine::new_unchecked(Fq2::new(c[1], c[0]), Fq2::new(c[3], c[2]));
    if !point.is_on_curve() || !point.is_in_correct_subgroup_assuming_on_curve() {
        return Err(EncodingError::NotOnCurve(w[0]));
    }
    Ok(point)
}

/// A scalar as a word.
pub fn scalar_word(x: &Fr) -> Word {
    word_of_limbs(x.into_bigint())
}

/// A scalar from its word.
///
/// # Errors
/// A word that is not below the scalar field's order.
pub fn scalar_from_word(w: &Word) -> Result<Fr, EncodingError> {
    Fr::from_bigint(limbs_of_word(w)).ok_or(EncodingError::ScalarOutOfRange(*w))
}

fn coordinate_word(x: &Fq) -> Word {
    word_of_limbs(x.into_bigint())
}

fn coordinate(w: &Word) -> Result<Fq, EncodingError> {
    Fq::from_bigint(limbs_of_word(w)).ok_or(EncodingError::CoordinateOutOfRange(*w))
}

fn word_of_limbs(limbs: BigInt<4>) -> Word {
    let mut word = [0u8; 32];
    word.copy_from_slice(&limbs.to_bytes_be());
    word
}

fn limbs_of_word(w: &Word) -> BigInt<4> {
    let mut limbs = [0u64; 4];
    for (limb, bytes) in limbs.iter_mut().zip(w.rchunks_exact(8)) {
        *limb = bytes.iter().fold(0, |acc, byte| acc << 8 | u64::from(*byte));
    }
    BigInt::new(limbs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::{G1Projective, G2Projective};
    use ark_ec::CurveGroup;
    use ark_ff::UniformRand;
    use rand::SeedableRng;

    #[test]
    fn points_and_scalars_there_and_back() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(1);
        for _ in 0..20 {
            let p = G1Projective::rand(&mut rng).into_affine();
            assert_eq!(point_from_words(&point_words(&p)), Ok(p));
            let q = G2Projective::rand(&mut rng).into_affine();
            assert_eq!(g2_from_words(&g2_words(&q)), Ok(q));
            let x = Fr::rand(&mut rng);
            assert_eq!(scalar_from_word(&scalar_word(&x)), Ok(x));
        }
        assert_eq!(point_from_words(&[[0; 32]; 2]), Ok(G1Affine::identity()));
        assert_eq!(point_words(&G1Affine::identity()), [[0; 32]; 2]);
        assert_eq!(g2_from_words(&[[0; 32]; 4]), Ok(G2Affine::identity()));
    }

    #[test]
    fn the_generator_is_the_precompiles() {
        let mut one = [0u8; 32];
        one[31] = 1;
        let mut two = [0u8; 32];
        two[31] = 2;
        assert_eq!(point_words(&G1Affine::generator()), [one, two]);
        // The generator of EIP-197, imaginary part of x first.
        let words = g2_words(&G2Affine::generator());
        assert_eq!(hex::encode(words[0]), "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2");
    }

    #[test]
    fn what_is_not_canonical_is_refused() {
        let order = word_of_limbs(Fr::MODULUS);
        assert_eq!(scalar_from_word(&order), Err(EncodingError::ScalarOutOfRange(order)));
        assert_eq!(scalar_from_word(&[0xff; 32]), Err(EncodingError::ScalarOutOfRange([0xff; 32])));
        let base = word_of_limbs(Fq::MODULUS);
        // x + q names the same point again.
        assert_eq!(point_from_words(&[base, [0; 32]]), Err(EncodingError::CoordinateOutOfRange(base)));
        let mut words = point_words(&G1Affine::generator());
        words[1][31] ^= 1;
        assert_eq!(point_from_words(&words), Err(EncodingError::NotOnCurve(words[0])));
        words[0] = [0; 32];
        assert_eq!(point_from_words(&words), Err(EncodingError::NotOnCurve(words[0])));
        let mut words = g2_words(&G2Affine::generator());
        words[3][31] ^= 1;
        assert_eq!(g2_from_words(&words), Err(EncodingError::NotOnCurve(words[0])));
    }

    #[test]
    fn a_twist_point_outside_the_group_is_refused() {
        let outside = (1u64..)
            .filter_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::new(x.into(), Fq::zero()), false))
            .find(|p| !p.is_in_correct_subgroup_assuming_on_curve())
            .unwrap();
        let words = g2_words(&outside);
        assert_eq!(g2_from_words(&words), Err(EncodingError::NotOnCurve(words[0])));
    }
}
