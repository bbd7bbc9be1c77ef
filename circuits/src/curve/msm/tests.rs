//! Multiplications against plain sums and against arkworks.

use super::*;
use crate::curve::field::fr_from_i64;
use ark_ec::CurveGroup;
use ark_ff::{Field, One, UniformRand};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

fn points(n: usize, rng: &mut ChaCha20Rng) -> Vec<G1Affine> {
    let all: Vec<G1Projective> = (0..n).map(|_| G1Projective::rand(rng)).collect();
    G1Projective::normalize_batch(&all)
}

fn check(bases: &[G1Affine], scalars: &[Fr]) {
    assert_eq!(msm(bases, scalars), G1Projective::msm_unchecked(bases, scalars), "{} points", bases.len());
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

/// A scalar of so many bits, or its negative.
fn scalar_of(limbs: [u64; 4], bits: u32, negative: bool) -> Fr {
    let wide =
        limbs.iter().rev().fold(Fr::zero(), |sum, limb| sum * Fr::from(2u64).pow([64]) + Fr::from(*limb));
    let mut cut = wide.into_bigint();
    cut >>= 254 - bits;
    let scalar = Fr::from(cut);
    if negative {
        -scalar
    } else {
        scalar
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Few points, their negatives, doubles and infinity, each many times: pairs that are equal or cancel, in every
    /// round of additions. Scalars of any width and sign.
    #[test]
    fn few_points_in_many_places(
        picks in prop::collection::vec((0usize..8, any::<[u64; 4]>(), 0u32..=254, any::<bool>()), 0..200),
    ) {
        let mut rng = ChaCha20Rng::seed_from_u64(6);
        let mut pool = points(3, &mut rng);
        pool.extend([-pool[0], -pool[1], (pool[0] + pool[1]).into_affine(), (pool[0] + pool[0]).into_affine(), G1Affine::identity()]);
        let bases: Vec<G1Affine> = picks.iter().map(|(k, ..)| pool[*k]).collect();
        check_integers(&bases, &picks.iter().map(|(_, v, shift, _)| v[0] as i64 >> (shift % 64)).collect::<Vec<_>>());
        check_integers(&bases, &picks.iter().map(|(_, v, shift, _)| v[0] as i16 >> (shift % 16)).collect::<Vec<_>>());
        let scalars: Vec<Fr> = picks.iter().map(|(_, limbs, bits, negative)| scalar_of(*limbs, *bits, *negative)).collect();
        check(&bases, &scalars);
        prop_assert_eq!(msm_mixed(&bases, &scalars), G1Projective::msm_unchecked(&bases, &scalars));
        let generator = G2Affine::generator();
        let pool = [generator, -generator, (generator + generator).into_affine(), G2Affine::identity()];
        let bases: Vec<G2Affine> = picks.iter().map(|(k, ..)| pool[k % 4]).collect();
        prop_assert_eq!(msm_mixed_g2(&bases, &scalars), G2Projective::msm_unchecked(&bases, &scalars));
    }

    /// Scalars that differ in few bits fill few buckets, with long runs of points in each.
    #[test]
    fn long_runs_of_equal_digits(count in 1usize..3000, low in any::<i16>(), choices in any::<u64>()) {
        let mut rng = ChaCha20Rng::seed_from_u64(choices);
        let pool = points(4, &mut rng);
        let bases: Vec<G1Affine> = (0..count).map(|_| pool[rng.gen_range(0..4)]).collect();
        let small: Vec<i16> = (0..count).map(|_| if rng.gen() { low } else { low.wrapping_neg() }).collect();
        check_integers(&bases, &small);
        let wide = Fr::rand(&mut rng);
        check(&bases, &(0..count).map(|_| if rng.gen() { wide } else { -wide }).collect::<Vec<_>>());
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
    let in_g2: Vec<G2Affine> = (0..600).map(|_| G2Affine::rand(&mut rng)).collect();
    assert_eq!(msm_mixed_g2(&in_g2, &scalars), G2Projective::msm_unchecked(&in_g2, &scalars));
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

/// Cuts a window into several chunks, which a machine with two cores would not do.
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
