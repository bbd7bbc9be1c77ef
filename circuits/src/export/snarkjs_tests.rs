use super::*;
use crate::statements::tests::round_for_tests;
use ark_ec::CurveGroup;
use fairshare_protocol::RuleName;
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

#[test]
fn snarkjs_accepts_a_true_proof_and_refuses_a_changed_one() {
    for rule in RuleName::ALL {
        let (keys, public, made) = round_for_tests(rule);
        let inputs = public.to_field_elements(keys.size());
        let key = verifying_key(&keys.verifying_key().groth16);
        assert!(accepted(&key, &public_inputs(&inputs), &proof(&made)));

        let mut bent = inputs.clone();
        bent[4] += Fr::from(1u64);
        assert!(!accepted(&key, &public_inputs(&bent), &proof(&made)), "another outcome");
        let mut moved = made.clone();
        moved.c = (moved.c + G1Affine::generator()).into_affine();
        assert!(!accepted(&key, &public_inputs(&inputs), &proof(&moved)), "another C");
    }
}

#[test]
fn infinity_is_written_as_snarkjs_has_it() {
    assert_eq!(g1(&G1Affine::identity()), ["0", "1", "0"]);
    assert_eq!(g2(&G2Affine::identity()), [["0", "0"], ["1", "0"], ["0", "0"]]);
    assert_eq!(g1(&G1Affine::generator()), ["1", "2", "1"]);
}
