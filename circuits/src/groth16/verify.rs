//! What a verifier receives, and the challenge that it computes.

use crate::transcript::challenge;
use ark_bn254::{Bn254, Fr, G1Affine};
use ark_ff::{BigInteger, PrimeField};
use ark_groth16::Proof;
use fairshare_protocol::Word;

/// Tables have at most `2^16` entries, from 0 on.
const TABLE_LOG: u32 = 16;

/// A proof with its commitment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CommittedProof {
    /// `A, B, C`.
    pub groth16: Proof<Bn254>,
    /// The commitment `D`.
    pub commitment: G1Affine,
    /// Its proof of knowledge, `sigma D`.
    pub knowledge: G1Affine,
}

/// The challenge that a state with the commitment gives for lookups, `state mod r`. `None` where it could be an entry
/// of a table: there the share of an entry would be free.
pub(crate) fn lookup_challenge(state: Word) -> Option<Fr> {
    Some(challenge(&state)).filter(|x| admissible(*x))
}

pub(super) fn admissible(x: Fr) -> bool {
    x.into_bigint().num_bits() > TABLE_LOG
}
