use super::*;
use crate::groth16::fixture::standard;
use crate::statements::proof_tests::proved;
use ark_ec::CurveGroup;
use std::path::{Path, PathBuf};
use std::process::Command;

/// snarkjs, as `scripts/setup` installs it.
fn snarkjs() -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/node_modules/.bin/snarkjs");
    assert!(path.exists(), "{} is missing: run scripts/setup, which installs it", path.display());
    path
}

/// What snarkjs says of these three files.
fn accepted(key: &Value, inputs: &Value, proof: &Value) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, value: &Value| {
        let path = folder.path().join(name);
        std::fs::write(&path, value.to_string()).unwrap();
        path
    };
    let output = Command::new(snarkjs())
        .args(["groth16", "verify"])
        .args([write("key.json", key), write("public.json", inputs), write("proof.json", proof)])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    match (said.contains("OK!"), said.contains("Invalid proof")) {
        (true, false) if output.status.success() => true,
        (false, true) => false,
        _ => panic!("snarkjs says neither: {said}{}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// A standard Groth16 circuit: our key generation and our prover, another verifier.
#[test]
fn snarkjs_accepts_a_true_proof_and_refuses_a_changed_one() {
    let standard = standard();
    let made = standard.prove([Fr::from(11u64), Fr::from(12u64)]).groth16;
    let key = verifying_key(&standard.key.vk.groth16);
    assert!(accepted(&key, &public_inputs(&standard.public), &proof(&made)));
    let mut bent = standard.public;
    bent[1] += Fr::from(1u64);
    assert!(!accepted(&key, &public_inputs(&bent), &proof(&made)), "another public input");
    let mut moved = made.clone();
    moved.c = (moved.c + G1Affine::generator()).into_affine();
    assert!(!accepted(&key, &public_inputs(&standard.public), &proof(&moved)), "another C");
}

/// snarkjs knows no commitments. The Groth16 equation of a committed proof is that of a key whose constant point
/// contains `D`, so it checks this equation; the proof of knowledge is beyond it.
#[test]
fn snarkjs_accepts_the_groth16_equation_of_an_assessment() {
    let (key, public, made) = proved();
    let inputs = public.to_field_elements(public.shares.len());
    let mut with_commitment = key.groth16.clone();
    with_commitment.gamma_abc_g1[0] = (with_commitment.gamma_abc_g1[0] + made.commitment).into_affine();
    let with_commitment = verifying_key(&with_commitment);
    assert!(accepted(&with_commitment, &public_inputs(&inputs), &proof(&made.groth16)));
    let mut bent = inputs.clone();
    bent[3] += Fr::from(1u64);
    assert!(!accepted(&with_commitment, &public_inputs(&bent), &proof(&made.groth16)), "another outcome");
    let without = verifying_key(&key.groth16);
    assert!(!accepted(&without, &public_inputs(&inputs), &proof(&made.groth16)), "no commitment");
}

#[test]
fn infinity_is_written_as_snarkjs_has_it() {
    assert_eq!(g1(&G1Affine::identity()), ["0", "1", "0"]);
    assert_eq!(g2(&G2Affine::identity()), [["0", "0"], ["1", "0"], ["0", "0"]]);
    assert_eq!(g1(&G1Affine::generator()), ["1", "2", "1"]);
}
