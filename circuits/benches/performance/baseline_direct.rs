//! What the Gram argument spares: one Groth16 circuit over the updates themselves. It hashes every entry, checks its 16
//! bits and forms all inner products. No rule comes after it, so it is less than a round proof, not more.
//!
//! Per entry 17 constraints for its range and `(n + 1) / 2` for its products; per 30 entries one permutation of
//! Poseidon with width 3 (8 full and 57 partial rounds, S-box `x^5`), 15 entries in each of the two field elements it
//! takes.

use ark_bn254::{Bn254, Fr};
use ark_crypto_primitives::sponge::poseidon::find_poseidon_ark_and_mds;
use ark_ff::{AdditiveGroup, Field};
use ark_groth16::{Groth16, Proof, ProvingKey};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, SynthesisError, Variable,
};
use ark_snark::SNARK;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

const WIDTH: usize = 3;
const FULL_ROUNDS: usize = 8;
const PARTIAL_ROUNDS: usize = 57;
/// Entries of 16 bits that one field element holds.
const PACKED: usize = 15;

/// A linear combination with its value.
#[derive(Clone)]
struct Wire {
    terms: LinearCombination<Fr>,
    value: Fr,
}

impl Wire {
    fn constant(value: Fr) -> Self {
        Self { terms: LinearCombination(vec![(value, Variable::One)]), value }
    }

    /// `sum_k factor_k * wire_k`.
    fn sum<'a>(parts: impl IntoIterator<Item = (Fr, &'a Self)>) -> Self {
        let (mut terms, mut value) = (vec![], Fr::ZERO);
        for (factor, wire) in parts {
            terms.extend(wire.terms.0.iter().map(|(c, variable)| (*c * factor, *variable)));
            value += factor * wire.value;
        }
        let mut terms = LinearCombination(terms);
        terms.compactify();
        Self { terms, value }
    }
}

type Made = Result<Wire, SynthesisError>;

fn witness(system: &ConstraintSystemRef<Fr>, value: Fr) -> Made {
    let variable = system.new_witness_variable(|| Ok(value))?;
    Ok(Wire { terms: LinearCombination(vec![(Fr::ONE, variable)]), value })
}

fn product(system: &ConstraintSystemRef<Fr>, a: &Wire, b: &Wire) -> Made {
    let c = witness(system, a.value * b.value)?;
    system.enforce_r1cs_constraint(|| a.terms.clone(), || b.terms.clone(), || c.terms.clone())?;
    Ok(c)
}

/// A public input that equals `wire`.
fn publish(system: &ConstraintSystemRef<Fr>, wire: &Wire) -> Result<(), SynthesisError> {
    let input = system.new_input_variable(|| Ok(wire.value))?;
    system.enforce_r1cs_constraint(
        || wire.terms.clone(),
        || LinearCombination(vec![(Fr::ONE, Variable::One)]),
        || LinearCombination(vec![(Fr::ONE, input)]),
    )
}

/// `entry` in 16 bits, offset so that none is negative: one constraint a bit, one for their sum.
fn entry(system: &ConstraintSystemRef<Fr>, value: i16) -> Made {
    let shifted = (i32::from(value) + (1 << 15)) as u64;
    let entry = witness(system, Fr::from(shifted))?;
    let mut bits = vec![];
    for k in 0..16 {
        let bit = witness(system, Fr::from(shifted >> k & 1))?;
        let other = Wire::sum([(Fr::ONE, &Wire::constant(Fr::ONE)), (-Fr::ONE, &bit)]);
        system.enforce_r1cs_constraint(
            || bit.terms.clone(),
            || other.terms.clone(),
            || LinearCombination(vec![]),
        )?;
        bits.push((Fr::from(1u64 << k), bit));
    }
    let sum = Wire::sum(bits.iter().map(|(power, bit)| (*power, bit)));
    system.enforce_r1cs_constraint(
        || sum.terms.clone(),
        || LinearCombination(vec![(Fr::ONE, Variable::One)]),
        || entry.terms.clone(),
    )?;
    Ok(entry)
}

struct Poseidon {
    constants: Vec<Vec<Fr>>,
    matrix: Vec<Vec<Fr>>,
}

impl Poseidon {
    fn permute(
        &self,
        system: &ConstraintSystemRef<Fr>,
        mut state: Vec<Wire>,
    ) -> Result<Vec<Wire>, SynthesisError> {
        for (round, constants) in self.constants.iter().enumerate() {
            let full = !(FULL_ROUNDS / 2..FULL_ROUNDS / 2 + PARTIAL_ROUNDS).contains(&round);
            for (lane, constant) in constants.iter().enumerate() {
                let input = Wire::sum([(Fr::ONE, &state[lane]), (Fr::ONE, &Wire::constant(*constant))]);
                state[lane] = if full || lane == 0 {
                    let square = product(system, &input, &input)?;
                    let fourth = product(system, &square, &square)?;
                    product(system, &fourth, &input)?
                } else {
                    input
                };
            }
            state = self.matrix.iter().map(|row| Wire::sum(row.iter().copied().zip(&state))).collect();
        }
        Ok(state)
    }
}

#[derive(Clone)]
pub(crate) struct Circuit<'a> {
    pub(crate) updates: &'a [Vec<i16>],
}

impl ConstraintSynthesizer<Fr> for Circuit<'_> {
    fn generate_constraints(self, system: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        let (constants, matrix) =
            find_poseidon_ark_and_mds::<Fr>(254, WIDTH - 1, FULL_ROUNDS as u64, PARTIAL_ROUNDS as u64, 0);
        let poseidon = Poseidon { constants, matrix };
        let offset = Wire::constant(Fr::from(1u64 << 15));
        let mut rows = vec![];
        for update in self.updates {
            let shifted = update.iter().map(|v| entry(&system, *v)).collect::<Result<Vec<_>, _>>()?;
            let packed = shifted.chunks(PACKED).map(|chunk| {
                Wire::sum(
                    chunk.iter().enumerate().map(|(k, wire)| (Fr::from(2u64).pow([16 * k as u64]), wire)),
                )
            });
            let mut state = vec![Wire::constant(Fr::ZERO); WIDTH];
            for pair in packed.collect::<Vec<_>>().chunks(WIDTH - 1) {
                for (lane, element) in pair.iter().enumerate() {
                    state[lane + 1] = Wire::sum([(Fr::ONE, &state[lane + 1]), (Fr::ONE, element)]);
                }
                state = poseidon.permute(&system, state)?;
            }
            publish(&system, &state[1])?;
            let signed = shifted.iter().map(|wire| Wire::sum([(Fr::ONE, wire), (-Fr::ONE, &offset)]));
            rows.push(signed.collect::<Vec<_>>());
        }
        for (i, a) in rows.iter().enumerate() {
            for b in &rows[i..] {
                let products =
                    a.iter().zip(b).map(|(a, b)| product(&system, a, b)).collect::<Result<Vec<_>, _>>()?;
                publish(&system, &Wire::sum(products.iter().map(|wire| (Fr::ONE, wire))))?;
            }
        }
        Ok(())
    }
}

/// Keys of the circuit, made from a fixed seed, and the updates to prove over.
pub(crate) struct Prover<'a> {
    updates: &'a [Vec<i16>],
    pub(crate) key: ProvingKey<Bn254>,
}

impl<'a> Prover<'a> {
    pub(crate) fn new(updates: &'a [Vec<i16>]) -> Self {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let (key, _) =
            Groth16::<Bn254>::circuit_specific_setup(Circuit { updates }, &mut rng).expect("a circuit");
        Self { updates, key }
    }

    pub(crate) fn prove(&self) -> Proof<Bn254> {
        let mut rng = ChaCha20Rng::seed_from_u64(4);
        Groth16::<Bn254>::prove(&self.key, Circuit { updates: self.updates }, &mut rng).expect("true updates")
    }
}

/// Constraints of the circuit, by the counts in this file's header; `tests/baseline.rs` counts them.
pub(crate) fn constraints(trainers: usize, dimension: usize) -> usize {
    let permutation = 3 * (WIDTH * FULL_ROUNDS + PARTIAL_ROUNDS);
    let hashes = dimension.div_ceil(PACKED).div_ceil(WIDTH - 1) * permutation + 1;
    let pairs = trainers * (trainers + 1) / 2;
    trainers * (17 * dimension + hashes) + pairs * (dimension + 1)
}
