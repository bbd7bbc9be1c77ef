//! Verifying keys, proofs and public inputs as snarkjs reads them: an independent verifier of the same proofs.
//!
//! Points are decimal and projective with `z = 1`, `(0, 1, 0)` for infinity; coordinates of G2 have the real part
//! first.

use ark_bn254::{Bn254, Fq, Fq2, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::PrimeField;
use ark_groth16::{Proof, VerifyingKey};
use serde_json::{json, Value};

/// A verifying key, for `snarkjs groth16 verify`.
pub(super) fn verifying_key(key: &VerifyingKey<Bn254>) -> Value {
    json!({
        "protocol": "groth16",
        "curve": "bn128",
        "nPublic": key.gamma_abc_g1.len().saturating_sub(1),
        "vk_alpha_1": g1(&key.alpha_g1),
        "vk_beta_2": g2(&key.beta_g2),
        "vk_gamma_2": g2(&key.gamma_g2),
        "vk_delta_2": g2(&key.delta_g2),
        "IC": key.gamma_abc_g1.iter().map(g1).collect::<Vec<_>>(),
    })
}

/// A proof.
pub(super) fn proof(proof: &Proof<Bn254>) -> Value {
    json!({
        "protocol": "groth16",
        "curve": "bn128",
        "pi_a": g1(&proof.a),
        "pi_b": g2(&proof.b),
        "pi_c": g1(&proof.c),
    })
}

/// Public inputs in their order.
pub(super) fn public_inputs(inputs: &[Fr]) -> Value {
    inputs.iter().map(|input| input.into_bigint().to_string()).collect::<Vec<_>>().into()
}

fn g1(point: &G1Affine) -> [String; 3] {
    let decimal = |x: Fq| x.into_bigint().to_string();
    point.xy().map_or(["0", "1", "0"].map(str::to_owned), |(x, y)| [decimal(x), decimal(y), "1".to_owned()])
}

fn g2(point: &G2Affine) -> [[String; 2]; 3] {
    let decimal = |x: Fq2| [x.c0, x.c1].map(|c| c.into_bigint().to_string());
    let small = |x: u64| decimal(Fq2::from(x));
    point.xy().map_or([small(0), small(1), small(0)], |(x, y)| [decimal(x), decimal(y), small(1)])
}

#[path = "snarkjs_tests.rs"]
mod tests;
