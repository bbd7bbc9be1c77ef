//! Scalars out of integers, and weighted sums of whole updates.

use ark_bn254::Fr;
use ark_ff::{BigInt, BigInteger, Field, PrimeField};
use rayon::prelude::*;

/// What turns a signed 16-bit entry into one that is not negative.
const OFFSET: i32 = 1 << 15;

/// Coordinates that one task of [`offset_sums`] works on: its accumulators stay in the first-level cache.
const BLOCK: usize = 512;

/// A number of four 64-bit limbs, least significant first.
pub(crate) type Limbs4 = [u64; 4];

/// A number of five 64-bit limbs, least significant first.
pub(crate) type Limbs5 = [u64; 5];

/// A signed integer as a scalar.
pub fn fr_from_i64(v: i64) -> Fr {
    let magnitude = Fr::from(v.unsigned_abs());
    if v < 0 {
        -magnitude
    } else {
        magnitude
    }
}

/// `rho^(2^slot)` for each slot: a slot's power depends only on the slot, not on which others are active.
pub fn slot_powers(rho: Fr, slots: &[u8]) -> Vec<Fr> {
    let mut power = rho;
    let highest = slots.iter().copied().max().unwrap_or(0);
    let mut all = Vec::with_capacity(usize::from(highest) + 1);
    for _ in 0..=highest {
        all.push(power);
        power.square_in_place();
    }
    slots.iter().map(|slot| all[usize::from(*slot)]).collect()
}

/// `sum_i weights_i * (updates_ij + 2^15)` for every coordinate `j`, as integers that nothing reduces: with up to 256
/// updates it fits five limbs. All updates have the same length.
pub(crate) fn offset_sums(weights: &[Limbs4], updates: &[&[i16]]) -> Vec<Limbs5> {
    assert!(weights.len() == updates.len() && updates.len() <= 256);
    let dimension = updates.first().map_or(0, |u| u.len());
    assert!(updates.iter().all(|u| u.len() == dimension), "updates of one length");
    let mut sums = vec![[0u64; 5]; dimension];
    sums.par_chunks_mut(BLOCK).enumerate().for_each(|(index, sums)| {
        let from = index * BLOCK;
        for (weight, update) in weights.iter().zip(updates) {
            for (sum, entry) in sums.iter_mut().zip(&update[from..]) {
                add_product(sum, weight, (i32::from(*entry) + OFFSET) as u64);
            }
        }
    });
    sums
}

/// `sum += weight * factor`.
#[inline(always)]
fn add_product(sum: &mut Limbs5, weight: &Limbs4, factor: u64) {
    // With m = 2^64 - 1 a step's sum is at most m^2 + 2 m = 2^128 - 1, so that the carry it leaves is a limb again:
    // wrapping operations spare the innermost loop checks that could not fail.
    let mut carry = 0u128;
    for (limb, part) in sum.iter_mut().zip(weight) {
        let product = u128::from(*part).wrapping_mul(u128::from(factor));
        carry = carry.wrapping_add(product).wrapping_add(u128::from(*limb));
        *limb = carry as u64;
        carry >>= 64;
    }
    sum[4] += carry as u64;
}

/// `sum_i weights_i * updates_i`, coordinate by coordinate. One reduction a coordinate, not one a product.
pub(crate) fn weighted_sum(weights: &[Fr], updates: &[&[i16]]) -> Vec<Fr> {
    // Montgomery limbs go in, and Montgomery limbs come out: the form is linear.
    let limbs: Vec<Limbs4> = weights.iter().map(|w| w.0 .0).collect();
    let offset = weights.iter().sum::<Fr>() * Fr::from(OFFSET as u64);
    offset_sums(&limbs, updates).into_par_iter().map(|sum| reduce_montgomery(&sum) - offset).collect()
}

/// The scalar whose Montgomery form is congruent to `sum`, `R = 2^256`: the four low limbs are it up to multiples of
/// the order, and the fifth stands for `sum[4] * 2^256 / R = sum[4]`.
fn reduce_montgomery(sum: &Limbs5) -> Fr {
    let mut low = BigInt::<4>([sum[0], sum[1], sum[2], sum[3]]);
    while low >= Fr::MODULUS {
        low.sub_with_borrow(&Fr::MODULUS); // at most five times: 2^256 < 6 r
    }
    Fr::new_unchecked(low) + Fr::from(sum[4])
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{One, UniformRand, Zero};
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};

    #[test]
    fn sums_equal_those_of_the_field() {
        let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(2);
        for (n, d) in [(1usize, 1usize), (3, 511), (10, 1300), (128, 513)] {
            let mut weights: Vec<Fr> = (0..n).map(|_| Fr::rand(&mut rng)).collect();
            weights[0] = -Fr::one();
            let updates: Vec<Vec<i16>> = (0..n)
                .map(|i| {
                    (0..d).map(|_| if i % 3 == 2 { [i16::MIN, i16::MAX][i % 2] } else { rng.gen() }).collect()
                })
                .collect();
            let rows: Vec<&[i16]> = updates.iter().map(Vec::as_slice).collect();
            let sums = weighted_sum(&weights, &rows);
            assert_eq!(sums.len(), d);
            for (j, sum) in sums.iter().enumerate() {
                let expected: Fr = (0..n).map(|i| weights[i] * fr_from_i64(updates[i][j].into())).sum();
                assert_eq!(*sum, expected, "coordinate {j} of {d}, {n} updates");
            }
        }
        assert!(weighted_sum(&[], &[]).is_empty());
    }

    proptest! {
        /// The extremes are as frequent as all else: the sums stand at both ends of what five limbs hold.
        #[test]
        fn sums_equal_those_of_the_field_at_random(
            weights in prop::collection::vec((any::<[u64; 4]>(), 0usize..4), 1..=256),
            entries in prop::collection::vec(prop_oneof![Just(i16::MIN), Just(i16::MAX), Just(0), any::<i16>()], 256),
        ) {
            let power = Fr::from(2u64).pow([64]);
            let weights: Vec<Fr> = weights
                .iter()
                .map(|(limbs, kind)| match kind {
                    0 => Fr::zero(),
                    1 => -Fr::one(),
                    2 => Fr::new_unchecked(BigInt::new([0, 0, 0, Fr::MODULUS.0[3]])), // few limbs in Montgomery form
                    _ => limbs.iter().fold(Fr::zero(), |sum, limb| sum * power + Fr::from(*limb)),
                })
                .collect();
            let updates: Vec<[i16; 2]> = (0..weights.len()).map(|i| [entries[i], entries[255 - i]]).collect();
            let rows: Vec<&[i16]> = updates.iter().map(|u| u.as_slice()).collect();
            for (j, sum) in weighted_sum(&weights, &rows).into_iter().enumerate() {
                let expected: Fr = weights.iter().zip(&updates).map(|(w, u)| *w * fr_from_i64(u[j].into())).sum();
                prop_assert_eq!(sum, expected);
            }
        }
    }

    /// The largest accumulators that there can be.
    #[test]
    fn the_fifth_limb_is_not_lost() {
        let update = [i16::MAX; 3];
        let sums = weighted_sum(&[-Fr::one(); 128], &[&update[..]; 128]);
        assert!(sums.iter().all(|s| *s == -Fr::from(128u64 * 32_767)));
        let sums = offset_sums(&[[u64::MAX; 4]; 256], &[&update[..]; 256]);
        assert_eq!(sums[0][4], 256 * 65_535 - 1);
    }

    #[test]
    fn slots_have_their_own_powers() {
        let rho = Fr::from(3u64);
        assert_eq!(slot_powers(rho, &[0, 2, 5]), [rho, rho.pow([4]), rho.pow([32])]);
        assert_eq!(slot_powers(rho, &[]), []);
        let all: Vec<u8> = (0..128).collect();
        let powers = slot_powers(rho, &all);
        assert!(powers.windows(2).all(|w| w[1] == w[0].square()));
    }

    #[test]
    fn signed_integers_as_scalars() {
        assert_eq!(fr_from_i64(0), Fr::zero());
        assert_eq!(fr_from_i64(-5) + fr_from_i64(5), Fr::zero());
        assert_eq!(-fr_from_i64(i64::MIN), Fr::from(1u64 << 63));
    }
}
