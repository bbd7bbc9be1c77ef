//! The prover's own steps.

use super::*;
use ark_ff::UniformRand;
use rand::SeedableRng;

#[test]
fn correlations_are_the_sums_of_shifted_products() {
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(41);
    let mut random = |n: usize| (0..n).map(|_| Fr::rand(&mut rng)).collect::<Vec<_>>();
    let products = vec![
        (random(3), random(5)),
        (random(33), random(33)),
        (random(4), random(5)),
        (random(1), random(1)),
    ];
    let mut expected = vec![Fr::zero(); 33];
    for (a, b) in &products {
        for (i, a) in a.iter().enumerate() {
            for (j, b) in b.iter().enumerate() {
                expected[i.abs_diff(j)] += *a * b;
            }
        }
    }
    assert_eq!(correlations(products, 33), expected);
}

#[test]
fn powers_run_through_blocks() {
    let base = Fr::from(3u64);
    let all = powers(base, BLOCK + 3);
    assert!(all.windows(2).all(|w| w[1] == w[0] * base) && all[0].is_one());
}
