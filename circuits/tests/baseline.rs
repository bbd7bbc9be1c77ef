//! What `scripts/bench` extrapolates from: the baseline's circuit has as many constraints as its formula says, and
//! proves.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../benches/performance/baseline_direct.rs"]
mod baseline_direct;

use ark_bn254::{Bn254, Fr};
use ark_groth16::Groth16;
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystem};
use ark_snark::SNARK;
use baseline_direct::{constraints, Circuit, Prover};

fn updates(trainers: usize, dimension: usize) -> Vec<Vec<i16>> {
    let entry = |place: usize| [i16::MIN, -1, 0, 1, i16::MAX][place % 5];
    (0..trainers).map(|row| (0..dimension).map(|column| entry(3 * row + column)).collect()).collect()
}

/// The circuit that `docs/performance.md` measures, and small ones on both sides of what one permutation takes.
#[test]
fn the_baseline_has_as_many_constraints_as_its_formula_says() {
    for (trainers, dimension, expected) in [(1, 1, 263), (2, 30, 1601), (3, 31, 3234), (10, 1000, 307_685)] {
        let updates = updates(trainers, dimension);
        let system = ConstraintSystem::<Fr>::new_ref();
        Circuit { updates: &updates }.generate_constraints(system.clone()).unwrap();
        assert!(system.is_satisfied().unwrap());
        let counted = system.num_constraints();
        assert_eq!(
            (counted, counted),
            (constraints(trainers, dimension), expected),
            "n = {trainers}, d = {dimension}"
        );
    }
}

#[test]
fn the_baseline_proves() {
    let updates = updates(2, 3);
    let prover = Prover::new(&updates);
    let system = ConstraintSystem::<Fr>::new_ref();
    Circuit { updates: &updates }.generate_constraints(system.clone()).unwrap();
    let public = system.instance_assignment().unwrap()[1..].to_vec();
    assert!(Groth16::<Bn254>::verify(&prover.key.vk, &public, &prover.prove()).unwrap());
}
