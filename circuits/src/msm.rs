//! Multi-scalar multiplication on G1: Pippenger's buckets over signed windows, added in affine coordinates with one
//! inversion for many additions at a time.
//!
//! Windows are signed by an offset: with `K = sum_k 2^(c-1) 2^(ck)`, the digit `k` of `v` is `((v + K) >> ck) mod 2^c - 2^(c-1)`,
//! read without a carry; the highest digit is not masked. That serves negative integers as they are, so a small
//! negative number costs what a small positive one costs.

use crate::field::{Limbs4, Limbs5};
use ark_bn254::{Fq, Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, VariableBaseMSM};
use ark_ff::{serial_batch_inversion_and_mul, AdditiveGroup, Field, PrimeField, Zero};
use rayon::prelude::*;

type Bucket = <G1Projective as VariableBaseMSM>::Bucket;
type Coordinates = (Fq, Fq);

/// Field multiplications of one addition with a shared inversion.
const ADD_COST: usize = 6;
/// Field multiplications that a bucket costs at the end: two additions without inversions.
const BUCKET_COST: usize = 24;
/// Below this many points a chunk is not worth a task of its own.
const MIN_CHUNK: usize = 4096;
/// Widest window: more buckets would outgrow the caches.
const MAX_WINDOW: usize = 16;

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
    let limbs: Vec<Limbs4> = scalars.par_iter().map(|s| s.into_bigint().0).collect();
    msm_limbs(bases, &limbs)
}

/// `sum_i scalars_i * bases_i` for scalars of which many are small, of either sign: zeros are skipped, integers of a few limbs
/// and those of the whole width go separate ways, so that the small ones cost few windows.
///
/// # Panics
/// When the two slices have different lengths.
pub(crate) fn msm_mixed(bases: &[G1Affine], scalars: &[Fr]) -> G1Projective {
    assert_eq!(bases.len(), scalars.len(), "one scalar a base");
    let mut classes: [(Vec<G1Affine>, Vec<Limbs4>); MIXED_BITS.len()] = Default::default();
    for (base, scalar) in bases.iter().zip(scalars) {
        let (base, magnitude) = positive(base, scalar);
        let bits = bit_length(&magnitude);
        if let Some(class) = MIXED_BITS.iter().position(|most| bits > 0 && bits <= *most) {
            classes[class].0.push(base);
            classes[class].1.push(magnitude);
        }
    }
    classes.par_iter().map(|(bases, scalars)| msm_limbs(bases, scalars)).sum()
}

/// Widths of the classes of [`msm_mixed`]: limbs of lookups, Gram entries, products, anything.
const MIXED_BITS: [usize; 4] = [16, 56, 112, 256];

/// `scalar * base` with the smaller of `scalar` and `-scalar`.
fn positive(base: &G1Affine, scalar: &Fr) -> (G1Affine, Limbs4) {
    let magnitude = scalar.into_bigint();
    if magnitude > Fr::MODULUS_MINUS_ONE_DIV_TWO {
        (-*base, (-*scalar).into_bigint().0)
    } else {
        (*base, magnitude.0)
    }
}

/// The same for integers below `2^256` that nobody has reduced.
pub(crate) fn msm_limbs(bases: &[G1Affine], scalars: &[Limbs4]) -> G1Projective {
    assert_eq!(bases.len(), scalars.len(), "one scalar a base");
    let bits = scalars.iter().map(bit_length).max().unwrap_or(0);
    if bits == 0 {
        return G1Projective::zero();
    }
    let plan = Plan::new(bases.len(), bits + 1);
    let mut offset = [0u64; 5];
    for k in 1..=plan.windows {
        let bit = plan.width * k - 1;
        offset[bit / 64] |= 1 << (bit % 64);
    }
    let shifted: Vec<Limbs5> = scalars.par_iter().map(|s| add(s, &offset)).collect();
    plan.run(bases, |index, window| plan.digit(bits_from(&shifted[index], plan.width * window), window))
}

fn bit_length(limbs: &Limbs4) -> usize {
    limbs
        .iter()
        .rposition(|limb| *limb != 0)
        .map_or(0, |top| 64 * (top + 1) - limbs[top].leading_zeros() as usize)
}

fn add(scalar: &Limbs4, offset: &Limbs5) -> Limbs5 {
    let mut sum = *offset;
    let mut carry = 0u128;
    for (k, limb) in sum.iter_mut().enumerate() {
        carry += u128::from(*limb) + u128::from(scalar.get(k).copied().unwrap_or(0));
        *limb = carry as u64;
        carry >>= 64;
    }
    sum
}

/// Sixty-four bits of `limbs`, starting at `bit`.
#[inline(always)]
fn bits_from(limbs: &Limbs5, bit: usize) -> u64 {
    let (limb, shift) = (bit / 64, bit % 64);
    let high = if shift == 0 { 0 } else { limbs.get(limb + 1).copied().unwrap_or(0) << (64 - shift) };
    limbs[limb] >> shift | high
}

/// How a multiplication is cut: windows of `width` bits, and chunks of points where windows alone do not fill the cores.
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
        let sums: Vec<G1Projective> = (0..self.windows * chunks)
            .into_par_iter()
            .map(|task| {
                let (window, from) = (task / chunks, task % chunks * self.chunk);
                let points = &bases[from..bases.len().min(from + self.chunk)];
                let digits: Vec<i32> = (0..points.len()).map(|index| digit(from + index, window)).collect();
                window_sum(points, &digits, self.width)
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

/// `sum_i digits_i * points_i` with `|digits_i| <= 2^(width - 1)`.
fn window_sum(points: &[G1Affine], digits: &[i32], width: usize) -> G1Projective {
    let mut buckets = Buckets::sort(points, digits, 1 << (width - 1));
    while buckets.halve() {}
    buckets.weighted_sum()
}

/// Points sorted by the magnitude of their digit, negated where the digit is negative. Infinity and digit zero are left out.
struct Buckets {
    points: Vec<Coordinates>,
    /// Where bucket `k`, of magnitude `k + 1`, starts.
    starts: Vec<usize>,
    /// How many points it holds now.
    lengths: Vec<usize>,
    /// Scratch: what the next additions divide by.
    denominators: Vec<Fq>,
}

impl Buckets {
    fn sort(points: &[G1Affine], digits: &[i32], count: usize) -> Self {
        let counted = |(point, digit): &(&G1Affine, &i32)| **digit != 0 && !point.is_zero();
        let mut lengths = vec![0usize; count];
        for (_, digit) in points.iter().zip(digits).filter(counted) {
            lengths[digit.unsigned_abs() as usize - 1] += 1;
        }
        let mut total = 0;
        let starts: Vec<usize> = lengths
            .iter()
            .map(|length| {
                total += length;
                total - length
            })
            .collect();
        let mut next = starts.clone();
        let mut sorted = vec![(Fq::ZERO, Fq::ZERO); total];
        for (point, digit) in points.iter().zip(digits).filter(counted) {
            let place = &mut next[digit.unsigned_abs() as usize - 1];
            sorted[*place] = (point.x, if *digit < 0 { -point.y } else { point.y });
            *place += 1;
        }
        Self { points: sorted, starts, lengths, denominators: Vec::with_capacity(total / 2) }
    }

    /// Adds the points of every bucket in pairs, all with one inversion. False when no bucket held two.
    fn halve(&mut self) -> bool {
        self.denominators.clear();
        for (start, length) in self.starts.iter().zip(&self.lengths) {
            let pairs = self.points[*start..start + length].chunks_exact(2);
            self.denominators.extend(pairs.map(|pair| slope_denominator(&pair[0], &pair[1])));
        }
        if self.denominators.is_empty() {
            return false;
        }
        serial_batch_inversion_and_mul(&mut self.denominators, &Fq::ONE);
        let mut inverses = self.denominators.iter();
        for (start, length) in self.starts.iter().zip(self.lengths.iter_mut()) {
            let bucket = &mut self.points[*start..start + *length];
            let mut written = 0; // never ahead of what is read
            for pair in 0..bucket.len() / 2 {
                let inverse = inverses.next().expect("one a pair");
                if let Some(sum) = sum_with_inverse(&bucket[2 * pair], &bucket[2 * pair + 1], inverse) {
                    bucket[written] = sum;
                    written += 1;
                }
            }
            if bucket.len() % 2 == 1 {
                bucket[written] = bucket[bucket.len() - 1];
                written += 1;
            }
            *length = written;
        }
        true
    }

    /// `sum_k (k + 1) * bucket_k` by running sums, when each bucket holds at most one point.
    fn weighted_sum(&self) -> G1Projective {
        let (mut running, mut total) = (Bucket::ZERO, Bucket::ZERO);
        for (start, length) in self.starts.iter().zip(&self.lengths).rev() {
            if *length == 1 {
                let (x, y) = self.points[*start];
                running += &G1Affine::new_unchecked(x, y);
            }
            total += &running;
        }
        total.into()
    }
}

/// What the slope through `p` and `q` is divided by; one where they cancel. Never zero: no point of the curve has `y = 0`.
#[inline(always)]
fn slope_denominator(p: &Coordinates, q: &Coordinates) -> Fq {
    if p.0 != q.0 {
        q.0 - p.0
    } else if p.1 == q.1 {
        p.1.double()
    } else {
        Fq::ONE
    }
}

/// `p + q` given the inverse of [`slope_denominator`]; `None` is infinity.
#[inline(always)]
fn sum_with_inverse(p: &Coordinates, q: &Coordinates, inverse: &Fq) -> Option<Coordinates> {
    let rise = if p.0 != q.0 {
        q.1 - p.1
    } else if p.1 == q.1 {
        let square = p.0.square();
        square.double() + square
    } else {
        return None;
    };
    let slope = rise * inverse;
    let x = slope.square() - p.0 - q.0;
    Some((x, slope * (p.0 - x) - p.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::fr_from_i64;
    use ark_ec::CurveGroup;
    use ark_ff::{One, UniformRand};
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha20Rng;

    fn points(n: usize, rng: &mut ChaCha20Rng) -> Vec<G1Affine> {
        let all: Vec<G1Projective> = (0..n).map(|_| G1Projective::rand(rng)).collect();
        G1Projective::normalize_batch(&all)
    }

    fn check(bases: &[G1Affine], scalars: &[Fr]) {
        assert_eq!(
            msm(bases, scalars),
            G1Projective::msm_unchecked(bases, scalars),
            "{} points",
            bases.len()
        );
    }

    fn check_integers<T: Copy + Into<i64> + Sync>(bases: &[G1Affine], scalars: &[T]) {
        let field: Vec<Fr> = scalars.iter().map(|v| fr_from_i64((*v).into())).collect();
        assert_eq!(
            msm_integers(bases, scalars),
            G1Projective::msm_unchecked(bases, &field),
            "{} points",
            bases.len()
        );
    }

    #[test]
    fn agrees_with_arkworks_on_random_input_of_many_sizes() {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let bases = points(10_000, &mut rng);
        for n in [0, 1, 2, 3, 31, 32, 100, 1000, 4097, 10_000] {
            check(&bases[..n], &(0..n).map(|_| Fr::rand(&mut rng)).collect::<Vec<_>>());
            check_integers(&bases[..n], &(0..n).map(|_| rng.gen::<i16>()).collect::<Vec<_>>());
            check_integers(&bases[..n], &(0..n).map(|_| rng.gen::<i64>()).collect::<Vec<_>>());
            check_integers(&bases[..n], &(0..n).map(|_| rng.gen_range(-9i64..9)).collect::<Vec<_>>());
        }
    }

    /// Scalars at which windows, signs and carries could go wrong.
    #[test]
    fn edges_of_the_scalars() {
        let mut rng = ChaCha20Rng::seed_from_u64(4);
        let bases = points(64, &mut rng);
        for edge in [i16::MIN, i16::MIN + 1, -1, 0, 1, 127, 128, 129, 255, 256, i16::MAX] {
            check_integers(&bases, &[edge; 64]);
            check_integers(&bases[..1], &[edge]);
        }
        for bit in 0..63 {
            for edge in [(1i64 << bit) - 1, 1 << bit, -(1 << bit), 1 - (1 << bit), i64::MIN, i64::MAX] {
                check_integers(&bases[..3], &[edge, 1, -edge.saturating_abs()]);
            }
        }
        let mut power = Fr::one();
        for _ in 0..254 {
            check(&bases[..4], &[power, -power, power - Fr::one(), Fr::one() - power]);
            power.double_in_place();
        }
        check(&bases, &[-Fr::one(); 64]);
        check(&bases, &[Fr::zero(); 64]);
    }

    #[test]
    fn adversarial_points() {
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        let p = points(1, &mut rng)[0];
        let scalars: Vec<Fr> = (0..513).map(|_| Fr::rand(&mut rng)).collect();
        let small: Vec<i16> = (0..513).map(|_| rng.gen()).collect();
        let repeated = |f: &dyn Fn(usize) -> G1Affine| (0..513).map(f).collect::<Vec<_>>();
        for bases in [
            repeated(&|_| p),
            repeated(&|i| if i.is_multiple_of(2) { p } else { -p }),
            repeated(&|i| if i.is_multiple_of(3) { G1Affine::identity() } else { p }),
            repeated(&|_| G1Affine::identity()),
            repeated(&|i| if i < 256 { p } else { -p }),
        ] {
            check(&bases, &scalars);
            check(&bases, &vec![scalars[0]; 513]);
            check_integers(&bases, &small);
            check_integers(&bases, &vec![i16::MIN; 513]);
            check_integers(&bases, &vec![7i64; 513]);
        }
        // P + P meets -2P in the next round, and P meets -P after a negative digit.
        let twice = (p + p).into_affine();
        check_integers(&[p, p, -twice, p], &[5i16, 5, 5, -5]);
        check_integers(&[p, -p], &[9i16, 9]);
        check_integers(&[p, p], &[9i16, -9]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn few_points_in_many_places(picks in prop::collection::vec((0usize..8, any::<i64>(), 0u32..64), 0..200)) {
            let mut rng = ChaCha20Rng::seed_from_u64(6);
            let mut pool = points(3, &mut rng);
            pool.extend([-pool[0], -pool[1], (pool[0] + pool[1]).into_affine(), -(pool[0] + pool[1]).into_affine(), G1Affine::identity()]);
            let bases: Vec<G1Affine> = picks.iter().map(|(k, _, _)| pool[*k]).collect();
            check_integers(&bases, &picks.iter().map(|(_, v, shift)| v >> shift).collect::<Vec<_>>());
            check(&bases, &picks.iter().map(|(_, v, shift)| fr_from_i64(v >> shift) * fr_from_i64(*v)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn mixed_scalars_go_separate_ways() {
        let mut rng = ChaCha20Rng::seed_from_u64(9);
        let bases = points(600, &mut rng);
        let scalars: Vec<Fr> = (0..600)
            .map(|k| {
                let bits = k * 254 / 600;
                let power = Fr::from(2u64).pow([bits as u64]);
                match k % 5 {
                    0 => power - Fr::one(),
                    1 => -power,
                    2 => Fr::from(k as u64 % 7),
                    3 => fr_from_i64(rng.gen::<i64>() >> (k % 64)),
                    _ => Fr::rand(&mut rng),
                }
            })
            .collect();
        assert_eq!(msm_mixed(&bases, &scalars), G1Projective::msm_unchecked(&bases, &scalars));
        assert!(msm_mixed(&bases, &[Fr::zero(); 600]).is_zero() && msm_mixed(&[], &[]).is_zero());
    }

    #[test]
    fn integers_beyond_the_field_are_taken_as_they_are() {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        let bases = points(5, &mut rng);
        let scalars: Vec<Limbs4> = (0..5).map(|_| [rng.gen(), rng.gen(), rng.gen(), u64::MAX]).collect();
        let reduced: Vec<Fr> = scalars
            .iter()
            .map(|s| {
                s.iter().rev().fold(Fr::zero(), |acc, limb| acc * Fr::from(2u64).pow([64]) + Fr::from(*limb))
            })
            .collect();
        assert_eq!(msm_limbs(&bases, &scalars), G1Projective::msm_unchecked(&bases, &reduced));
    }

    /// Cuts into several chunks a window, which two cores alone would not show.
    #[test]
    fn many_threads_cut_into_chunks() {
        let mut rng = ChaCha20Rng::seed_from_u64(8);
        let bases = points(9000, &mut rng);
        let scalars: Vec<i16> = (0..9000).map(|_| rng.gen()).collect();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(32).build().unwrap();
        pool.install(|| {
            assert!(Plan::new(9000, 16).chunk < 9000);
            check_integers(&bases, &scalars);
        });
    }
}
