//! Poseidon, rate 8 (docs/protocol.md 13.3): the hash that binds the Gram matrix.
//!
//! Width 9, 8 full and 63 partial rounds, S-box `x^5`. An additive sponge: lane 0 starts as the number of elements, each
//! chunk of 8 is added to lanes 1..8 and permuted, the result is lane 1.
//!
//! In the circuit only S-boxes cost: three constraints each. Between two S-boxes everything is linear, so each
//! S-box input of the partial rounds is written straight as a combination of the 9 lanes behind the last full round and
//! of the partial S-boxes before it. The coefficients are computed once, by running the rounds on combinations.

use super::builder::{Builder, Wire};
use ark_bn254::Fr;
use ark_crypto_primitives::sponge::poseidon::find_poseidon_ark_and_mds;
use ark_ff::{AdditiveGroup, Field};
use std::sync::OnceLock;

const RATE: usize = 8;
const WIDTH: usize = RATE + 1;
const HALF_FULL_ROUNDS: usize = 4;
const PARTIAL_ROUNDS: usize = 63;
/// The lane that gives the result.
const OUTPUT_LANE: usize = 1;

/// Constraints of one permutation.
#[cfg(test)]
const PERMUTATION_CONSTRAINTS: usize = 3 * (2 * HALF_FULL_ROUNDS * WIDTH + PARTIAL_ROUNDS);

type State<T> = [T; WIDTH];

/// A combination of the 9 lanes that enter the partial rounds, of earlier partial S-boxes, and of one.
#[derive(Clone)]
struct Combination {
    coefficients: Vec<Fr>,
    constant: Fr,
}

struct Parameters {
    round_constants: Vec<Vec<Fr>>,
    matrix: Vec<Vec<Fr>>,
    /// What enters each partial S-box.
    partial_inputs: Vec<Combination>,
    /// The lanes behind the partial rounds.
    partial_outputs: Vec<Combination>,
}

fn parameters() -> &'static Parameters {
    static PARAMETERS: OnceLock<Parameters> = OnceLock::new();
    PARAMETERS.get_or_init(|| {
        let (round_constants, matrix) =
            find_poseidon_ark_and_mds::<Fr>(254, RATE, 2 * HALF_FULL_ROUNDS as u64, PARTIAL_ROUNDS as u64, 0);
        let (partial_inputs, partial_outputs) = fold_partial_rounds(&round_constants, &matrix);
        Parameters { round_constants, matrix, partial_inputs, partial_outputs }
    })
}

/// Runs the partial rounds on combinations of the S-boxes of the full round before them.
fn fold_partial_rounds(constants: &[Vec<Fr>], matrix: &[Vec<Fr>]) -> (Vec<Combination>, Vec<Combination>) {
    let basis = WIDTH + PARTIAL_ROUNDS;
    // The full round's own matrix first: its S-boxes are the basis.
    let mut lanes: Vec<Combination> = matrix
        .iter()
        .map(|row| {
            let mut coefficients = row.clone();
            coefficients.resize(basis, Fr::ZERO);
            Combination { coefficients, constant: Fr::ZERO }
        })
        .collect();
    let mut inputs = Vec::with_capacity(PARTIAL_ROUNDS);
    for round in 0..PARTIAL_ROUNDS {
        for (lane, constant) in lanes.iter_mut().zip(&constants[HALF_FULL_ROUNDS + round]) {
            lane.constant += constant;
        }
        let mut input = lanes[0].clone();
        input.coefficients.truncate(WIDTH + round);
        inputs.push(input);
        let mut output = Combination { coefficients: vec![Fr::ZERO; basis], constant: Fr::ZERO };
        output.coefficients[WIDTH + round] = Fr::ONE;
        lanes[0] = output;
        lanes = matrix.iter().map(|row| combine(row, &lanes, WIDTH + round + 1)).collect();
    }
    (inputs, lanes)
}

fn combine(row: &[Fr], lanes: &[Combination], used: usize) -> Combination {
    let mut sum =
        Combination { coefficients: vec![Fr::ZERO; lanes[0].coefficients.len()], constant: Fr::ZERO };
    for (factor, lane) in row.iter().zip(lanes) {
        for (total, coefficient) in sum.coefficients.iter_mut().zip(&lane.coefficients).take(used) {
            *total += *factor * coefficient;
        }
        sum.constant += *factor * lane.constant;
    }
    sum
}

/// The hash of `elements`.
pub(crate) fn hash(elements: &[Fr]) -> Fr {
    let mut state = [Fr::ZERO; WIDTH];
    state[0] = Fr::from(elements.len() as u64);
    for chunk in elements.chunks(RATE) {
        state[1..].iter_mut().zip(chunk).for_each(|(lane, element)| *lane += element);
        permute(&mut state);
    }
    state[OUTPUT_LANE]
}

/// The permutation as the definition has it, round by round.
fn permute(state: &mut State<Fr>) {
    let parameters = parameters();
    for (round, constants) in parameters.round_constants.iter().enumerate() {
        state.iter_mut().zip(constants).for_each(|(lane, constant)| *lane += constant);
        let full = !(HALF_FULL_ROUNDS..HALF_FULL_ROUNDS + PARTIAL_ROUNDS).contains(&round);
        let boxes = if full { WIDTH } else { 1 };
        state[..boxes].iter_mut().for_each(|lane| *lane *= lane.square().square());
        let mixed = |row: &Vec<Fr>| row.iter().zip(state.iter()).map(|(m, lane)| *m * lane).sum();
        let next: Vec<Fr> = parameters.matrix.iter().map(mixed).collect();
        state.copy_from_slice(&next);
    }
}

/// The hash of `elements` in the circuit. 405 constraints for each 8 elements begun.
pub(crate) fn hash_wires(builder: &mut Builder, elements: &[Wire]) -> Wire {
    let mut state: State<Wire> = std::array::from_fn(|_| Wire::zero());
    state[0] = Wire::constant(Fr::from(elements.len() as u64));
    for chunk in elements.chunks(RATE) {
        state[1..].iter_mut().zip(chunk).for_each(|(lane, element)| lane.add(element));
        state = permute_wires(builder, &state);
    }
    let [_, output, ..] = state;
    output
}

fn permute_wires(builder: &mut Builder, state: &State<Wire>) -> State<Wire> {
    let parameters = parameters();
    let (first, rest) = parameters.round_constants.split_at(HALF_FULL_ROUNDS);
    let last = &rest[PARTIAL_ROUNDS..];
    let mut state = state.clone();
    for (round, constants) in first.iter().enumerate() {
        state = full_boxes(builder, &state, constants);
        if round + 1 < HALF_FULL_ROUNDS {
            state = mix(&state);
        }
    }
    let mut basis = state.to_vec();
    for input in &parameters.partial_inputs {
        let input = evaluate(input, &basis);
        let output = fifth_power(builder, &input);
        basis.push(output);
    }
    let mut state: State<Wire> =
        std::array::from_fn(|lane| evaluate(&parameters.partial_outputs[lane], &basis));
    for constants in last {
        let boxes = full_boxes(builder, &state, constants);
        state = mix(&boxes);
    }
    state
}

fn full_boxes(builder: &mut Builder, state: &State<Wire>, constants: &[Fr]) -> State<Wire> {
    std::array::from_fn(|lane| {
        let input = state[lane].plus(&Wire::constant(constants[lane]));
        fifth_power(builder, &input)
    })
}

fn mix(state: &State<Wire>) -> State<Wire> {
    std::array::from_fn(|lane| weighted(&parameters().matrix[lane], state))
}

fn evaluate(combination: &Combination, basis: &[Wire]) -> Wire {
    let mut sum = weighted(&combination.coefficients, basis);
    sum.add(&Wire::constant(combination.constant));
    sum
}

fn weighted(weights: &[Fr], wires: &[Wire]) -> Wire {
    let mut sum = Wire::zero();
    wires.iter().zip(weights).for_each(|(wire, weight)| sum.add_scaled(wire, *weight));
    sum
}

fn fifth_power(builder: &mut Builder, x: &Wire) -> Wire {
    let square = builder.product(x, x);
    let fourth = builder.product(&square, &square);
    builder.product(&fourth, x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gadgets::system::check;
    use ark_crypto_primitives::sponge::poseidon::{PoseidonConfig, PoseidonSponge};
    use ark_crypto_primitives::sponge::{CryptographicSponge, FieldBasedCryptographicSponge};
    use ark_std::UniformRand;
    use rand::SeedableRng;

    fn elements(count: usize, seed: u64) -> Vec<Fr> {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        (0..count).map(|_| Fr::rand(&mut rng)).collect()
    }

    #[test]
    fn the_circuit_hashes_as_the_native_function() {
        for count in [0, 1, 7, 8, 9, 16, 34] {
            let elements = elements(count, 7);
            let expected = hash(&elements);
            let run = check(|builder| {
                let wires: Vec<Wire> = elements.iter().map(|e| builder.witness(*e)).collect();
                let result = hash_wires(builder, &wires);
                assert_eq!(result.value(), expected);
                builder.equal(&result, &Wire::constant(expected));
            });
            assert_eq!(run, (true, count.div_ceil(RATE) * PERMUTATION_CONSTRAINTS + 1));
        }
        assert_eq!(PERMUTATION_CONSTRAINTS, 405);
    }

    /// With lane 0 left at zero the sponge is the one of arkworks, which has the same parameters: our length goes in
    /// as an element of its own there.
    #[test]
    fn the_permutation_is_that_of_arkworks() {
        let parameters = parameters();
        let config = PoseidonConfig::<Fr>::new(
            2 * HALF_FULL_ROUNDS,
            PARTIAL_ROUNDS,
            5,
            parameters.matrix.clone(),
            parameters.round_constants.clone(),
            RATE,
            1,
        );
        let elements = elements(RATE, 3);
        let mut sponge = PoseidonSponge::new(&config);
        sponge.absorb(&elements);
        let squeezed: Vec<Fr> = sponge.squeeze_native_field_elements(RATE);
        let mut state = [Fr::ZERO; WIDTH];
        state[1..].copy_from_slice(&elements);
        permute(&mut state);
        assert_eq!(squeezed, state[1..]);
    }

    #[test]
    fn length_order_and_every_element_count() {
        let base = elements(9, 1);
        let mut swapped = base.clone();
        swapped.swap(0, 8);
        let mut longer = base.clone();
        longer.push(Fr::ZERO);
        let mut changed = base.clone();
        changed[8] += Fr::ONE;
        let hashes = [&base, &swapped, &longer, &changed].map(|e| hash(e));
        assert!((1..4).all(|k| hashes[k] != hashes[0]));
        assert_ne!(hash(&[]), hash(&[Fr::ZERO]));
    }

    #[test]
    fn another_hash_is_refused() {
        let elements = elements(8, 2);
        let run = check(|builder| {
            let wires: Vec<Wire> = elements.iter().map(|e| builder.witness(*e)).collect();
            let result = hash_wires(builder, &wires);
            builder.equal(&result, &Wire::constant(hash(&elements) + Fr::ONE));
        });
        assert!(!run.0);
    }
}
