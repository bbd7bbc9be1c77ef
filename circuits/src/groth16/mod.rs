//! Groth16 with one commitment to chosen witnesses (docs/protocol.md 6.3).
//!
//! ```text
//! prover                                          verifier
//! committed witnesses, blinding
//! D, PoK                ----------------------->  transcript: rho, x (no entry of the table)
//! inverses, products under x
//! A, B, C               ----------------------->  e(A, B) = e(alpha, beta) e(IC + D, [1]) e(C, delta)
//!                                                 e(PoK, [1]) = e(D, [sigma])
//! ```
//!
//! The commitment is that of LegoSNARK (Campanelli, Fiore, Querol 2019, the scheme ccGroth16), its use for a challenge
//! inside the circuit that of gnark's commitments; the proof of knowledge keeps `D` within the committed variables.
//! Keys have `gamma_2 = [1]_2`, as all keys of this protocol.

mod error;
mod keys;
mod prove;
mod verify;

#[cfg(test)]
mod equations;
#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod snarkjs;
#[cfg(test)]
mod tests;

pub(crate) use error::ProofError;
pub use keys::CircuitKey;
pub(crate) use keys::{generate, ProvingKey, Secrets};
pub(crate) use prove::{commit, prove, Commitment};
pub(crate) use verify::{lookup_challenge, CommittedProof};
