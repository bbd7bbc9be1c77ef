//! A round's proof: the aggregator makes it, the contract verifies it, and auditors verify it again (docs/protocol.md
//! 4).
//!
//! ```text
//! st0  the statement: chain, project, round, payee, sizes, policy, keys, active mask, model file, C_T, commitments
//! st1  D, its proof of knowledge -> rho   the Gram matrix is fixed before its challenge
//!      the outcome            -> chi     a branch of st1: all that the assessment gives, digested into one public input
//! st2  sigma, C_S, C_R        -> z
//! st3  four opened values     -> gamma
//! st4  W, C_T', Groth16, inputs -> nu    joins assessment, opening and the model's step into one pairing equation
//! ```

mod error;
mod proof;
mod prove;
mod statement;
mod verify;

pub use error::{ProveError, StatementError, VerifyError};
pub use proof::{RoundProof, RoundProofWords};
pub use prove::{prove_round, prove_round_with};
pub use statement::{model_step, RoundStatement};
pub use verify::{transcript_states, verify_round, verify_words, verify_words_with};

#[cfg(test)]
mod commitment_soundness_tests;
#[cfg(test)]
mod soundness_tests;
#[cfg(test)]
mod testing;
