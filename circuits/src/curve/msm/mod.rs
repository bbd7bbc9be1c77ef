//! Multi-scalar multiplication on G1: Pippenger's buckets over signed windows, added in affine coordinates with one
//! inversion for many additions at a time.
//!
//! Windows are signed by an offset: with `K = sum_k 2^(c-1) 2^(ck)`, the digit `k` of `v` is `((v + K) >> ck) mod 2^c -
//! 2^(c-1)`, read without a carry; the highest digit is not masked. That serves negative integers as they are, so a
//! small negative number costs what a small positive one costs.

mod buckets;

use crate::curve::field::{Limbs4, Limbs5};
use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{AffineRepr, VariableBaseMSM};
use ark_ff::{AdditiveGroup, BigInt, PrimeField, Zero};
use rayon::prelude::*;

/// Field multiplications of one addition with a shared inversion.
const ADD_COST: usize = 6;
/// Field multiplications that a bucket costs at the end: it is added to its row and to its column.
const BUCKET_COST: usize = 12;
/// Below this many points a chunk is not worth a task of its own.
const MIN_CHUNK: usize = 4096;
/// Widest window: more buckets would outgrow the caches.
const MAX_WINDOW: usize = 17;

/// `sum_i scalars_i * bases_i` for integers of 64 bits and fewer, such as quantised updates (`i16`) and models (`i64`).
///
/// # Panics
/// When the two slices have different lengths.
pub fn msm_integers<T: Copy + Into<i64> + Sync>(bases: &[G1Affine], scalars: &[T]) -> G1Projective {
    assert_eq!(bases.len(), scalars.len(), "one scalar a base");
    // The least k with |v| <= 2^k for all v; then windows of k + 1 bits in all hold them.
    let magnitude = scalars.iter().map(|v| (*v).into().unsigned_abs()).max().unwrap_or(0);
    if magnitude == 0 {
        return G1Projective::zero();
    }
    let bits = 64 - (magnitude - 1).leading_zeros() as usize;
    let plan = Plan::new(bases.len(), bits + 1);
    let offset = (0..plan.windows).fold(0i128, |sum, k| sum | 1 << (plan.width * (k + 1) - 1));
    plan.run(bases, |index, window| {
        let shifted = (i128::from(scalars[index].into()) + offset) >> (plan.width * window);
        plan.digit(shifted as u64, window)
    })
}

/// `sum_i scalars_i * bases_i` for any scalars.
///
/// # Panics
/// When the two slices have different lengths.
pub fn msm(bases: &[G1Affine], scalars: &[Fr]) -> G1Projective {
    assert_eq!(bases.len(), scalars.len(), "one scalar a base");
    msm_wide(bases, scalars.par_iter().map(|s| widened(&s.into_bigint().0)).collect())
}

/// `sum_i scalars_i * bases_i` for scalars of which many are small, of either sign: zeros are skipped, integers of a
/// few limbs and those of the whole width go separate ways, so that the small ones cost few windows.
///
/// # Panics
/// When the two slices have different lengths.
pub(crate) fn msm_mixed(bases: &[G1Affine], scalars: &[Fr]) -> G1Projective {
    assert_eq!(bases.len(), scalars.len(), "one scalar a base");
    let mut classes: [(Vec<G1Affine>, Vec<Limbs4>); MIXED_BITS.len()] = Default::default();
    for (base, scalar) in bases.iter().zip(scalars) {
        let (negative, magnitude) = magnitude(scalar);
        let bits = bit_length(&magnitude);
        if let Some(class) = MIXED_BITS.iter().position(|most| bits > 0 && bits <= *most) {
            classes[class].0.push(if negative { -*base } else { *base });
            classes[class].1.push(magnitude);
        }
    }
    classes.par_iter().map(|(bases, scalars)| msm_limbs(bases, scalars)).sum()
}

/// The same in G2, all in one class: it takes the smaller of each scalar and its negative.
///
/// # Panics
/// When the two slices have different lengths.
pub(crate) fn msm_mixed_g2(bases: &[G2Affine], scalars: &[Fr]) -> G2Projective {
    assert_eq!(bases.len(), scalars.len(), "one scalar a base");
    let (bases, scalars): (Vec<G2Affine>, Vec<BigInt<4>>) = bases
        .iter()
        .zip(scalars)
        .map(|(base, scalar)| {
            let (negative, magnitude) = magnitude(scalar);
            (if negative { -*base } else { *base }, BigInt::new(magnitude))
        })
        .unzip();
    G2Projective::msm_bigint(&bases, &scalars)
}

/// Widths of the classes of [`msm_mixed`]: limbs of lookups, Gram entries, products, anything.
const MIXED_BITS: [usize; 4] = [16, 56, 112, 256];

/// The smaller of a scalar and its negative, and whether it is the negative.
fn magnitude(scalar: &Fr) -> (bool, Limbs4) {
    let magnitude = scalar.into_bigint();
    if magnitude > Fr::MODULUS_MINUS_ONE_DIV_TWO {
        (true, (-*scalar).into_bigint().0)
    } else {
        (false, magnitude.0)
    }
}

/// The same for integers below `2^256` that are not reduced modulo `r`.
pub(crate) fn msm_limbs(bases: &[G1Affine], scalars: &[Limbs4]) -> G1Projective {
    assert_eq!(bases.len(), scalars.len(), "one scalar a base");
    msm_wide(bases, scalars.par_iter().map(widened).collect())
}

/// The same, the scalars with an empty limb for the offset, which is added in place.
fn msm_wide(bases: &[G1Affine], mut scalars: Vec<Limbs5>) -> G1Projective {
    let bits = scalars.par_iter().map(|s| bit_length(s)).max().unwrap_or(0);
    if bits == 0 {
        return G1Projective::zero();
    }
    let plan = Plan::new(bases.len(), bits + 1);
    let mut offset = [0u64; 5];
    for k in 1..=plan.windows {
        let bit = plan.width * k - 1;
        offset[bit / 64] |= 1 << (bit % 64);
    }
    scalars.par_iter_mut().for_each(|s| add(s, &offset));
    plan.run(bases, |index, window| plan.digit(bits_from(&scalars[index], plan.width * window), window))
}

fn widened(limbs: &Limbs4) -> Limbs5 {
    [limbs[0], limbs[1], limbs[2], limbs[3], 0]
}

fn bit_length(limbs: &[u64]) -> usize {
    limbs
        .iter()
        .rposition(|limb| *limb != 0)
        .map_or(0, |top| 64 * (top + 1) - limbs[top].leading_zeros() as usize)
}

/// `sum += other`.
fn add(sum: &mut Limbs5, other: &Limbs5) {
    let mut carry = 0u128;
    for (limb, part) in sum.iter_mut().zip(other) {
        carry += u128::from(*limb) + u128::from(*part);
        *limb = carry as u64;
        carry >>= 64;
    }
}

/// Sixty-four bits of `limbs`, starting at `bit`.
#[inline(always)]
fn bits_from(limbs: &Limbs5, bit: usize) -> u64 {
    let (limb, shift) = (bit / 64, bit % 64);
    let high = if shift == 0 { 0 } else { limbs.get(limb + 1).copied().unwrap_or(0) << (64 - shift) };
    limbs[limb] >> shift | high
}

/// How a multiplication is cut: windows of `width` bits, and chunks of points where windows alone do not fill the
/// cores.
#[derive(Clone, Copy)]
struct Plan {
    width: usize,
    windows: usize,
    chunk: usize,
}

impl Plan {
    /// The cheapest cut for `points` scalars whose windows must hold `bits` bits, sign included.
    fn new(points: usize, bits: usize) -> Self {
        let threads = rayon::current_num_threads();
        let plan_of = |width: usize| {
            let windows = bits.div_ceil(width);
            let chunks = threads.div_ceil(windows).min(points.div_ceil(MIN_CHUNK)).max(1);
            let cost = windows * (points * ADD_COST + chunks * BUCKET_COST * (1 << (width - 1)));
            let workers = threads.min(windows * chunks);
            (cost / workers, Self { width, windows, chunk: points.div_ceil(chunks).max(1) })
        };
        let (_, plan) =
            (2..=MAX_WINDOW).map(plan_of).min_by_key(|(cost, _)| *cost).expect("some width is tried");
        plan
    }

    /// The signed digit in the low bits of `shifted`; the highest window keeps all of them.
    #[inline(always)]
    fn digit(&self, shifted: u64, window: usize) -> i32 {
        let masked = if window + 1 == self.windows { shifted } else { shifted & ((1 << self.width) - 1) };
        masked as i32 - (1 << (self.width - 1))
    }

    /// Sums over all windows and chunks; `digit` gives a scalar's digit by index and window.
    fn run(&self, bases: &[G1Affine], digit: impl Fn(usize, usize) -> i32 + Sync) -> G1Projective {
        let chunks = bases.len().div_ceil(self.chunk);
        let infinite = bases.par_iter().any(|base| base.is_zero());
        let sums: Vec<G1Projective> = (0..self.windows * chunks)
            .into_par_iter()
            .map(|task| {
                let (window, from) = (task / chunks, task % chunks * self.chunk);
                let points = &bases[from..bases.len().min(from + self.chunk)];
                let mut digits: Vec<i32> =
                    (0..points.len()).map(|index| digit(from + index, window)).collect();
                if infinite {
                    digits.iter_mut().zip(points).filter(|(_, p)| p.is_zero()).for_each(|(d, _)| *d = 0);
                }
                buckets::weighted_sum(points, &digits, 1 << (self.width - 1))
            })
            .collect();
        sums.chunks(chunks).rev().fold(G1Projective::zero(), |mut total, window| {
            (0..self.width).for_each(|_| {
                total.double_in_place();
            });
            window.iter().fold(total, |sum, part| sum + part)
        })
    }
}

#[cfg(test)]
mod tests;
