//! Commitments, range proofs, the Gram argument, assessment circuits, keys and round proofs.
//!
//! Every room depends only on the rooms above it in this list:
//!
//! ```text
//! curve        scalars, multi-scalar multiplication, number-theoretic transform, words
//! transcript   challenges
//! kzg          reference string, .ptau files, commitments, openings
//! r1cs         linear combinations, builder, matrices, lookups
//! gadgets      ranges, divisions, roots, medians, trimmed sums
//! groth16      Groth16 with committed witnesses
//! statements   the assessment circuit
//! arguments    range proofs of updates, the Gram argument
//! keys         development keys, their files and what pins them
//! round        statement, proof, prover and verifier of a round
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod arguments;
mod curve;
#[cfg(test)]
#[path = "../../protocol/tests/support/fuzzing.rs"]
mod fuzzing;
mod gadgets;
mod groth16;
mod keys;
mod kzg;
mod r1cs;
mod round;
mod statements;
mod transcript;

pub use arguments::{
    prove_range, prove_range_unchecked, range_transcript_states, verify_range, GramArgument,
    GramArgumentError, RangeError, RangeProof, RangeProofWords, RangeStatement, RangeTable, RangeWitness,
};
pub use ark_bn254::{Fr, G1Affine};
pub use curve::field::{fr_from_i64, slot_powers};
pub use curve::msm::{msm, msm_integers};
pub use curve::words::{
    g2_from_words, g2_words, point_from_words, point_words, scalar_from_word, scalar_word, EncodingError,
};
pub use groth16::CircuitKey;
pub use keys::{
    key_circuits, pin, pinned_files, verify_proving_key, verifying_key_words, AssessmentKeys, KeyError,
    Manifest, ManifestKey, PinnedFile, PinnedKeys, KEY_FIXED_WORDS, KEY_SIZES,
};
pub use kzg::{
    data_files, default_data_folder, describe_string, mismatching_commitments, verify_string, DataFile,
    DataKind, Import, KzgKey, PointFault, PowersFault, Progress, PtauError, ReferenceString, SrsError,
    StringFile,
};
pub use round::{
    model_step, prove_round, prove_round_with, transcript_states, verify_round, verify_words,
    verify_words_with, ProveError, RoundProof, RoundProofWords, RoundStatement, StatementError, VerifyError,
};
pub use statements::{AssessmentCircuit, AssessmentError};
pub use transcript::challenge;
