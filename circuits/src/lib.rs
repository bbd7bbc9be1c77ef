//! Commitments, the Gram argument, assessment circuits, keys and round proofs.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod arguments;
mod commitment;
mod encoding;
mod error;
pub mod export;
mod field;
#[cfg(test)]
#[path = "../../protocol/tests/support/fuzzing.rs"]
mod fuzzing;
mod gadgets;
mod groth16;
mod keys;
mod lazy;
mod msm;
mod round_proof;
mod srs;
mod statements;
mod transform;

pub use arguments::{
    form_transcript_states, prove_form, prove_form_unchecked, verify_form, FormError, FormProof,
    FormProofWords, FormStatement, FormTable, FormWitness, GramArgument,
};
pub use ark_bn254::{Fr, G1Affine};
pub use commitment::mismatching_commitments;
pub use encoding::{
    challenge, g2_from_words, g2_words, point_from_words, point_words, scalar_from_word, scalar_word,
};
pub use error::{EncodingError, ProveError, SrsError, StatementError, VerifyError};
pub use field::{fr_from_i64, slot_powers};
pub use groth16::CircuitKey;
pub use keys::{
    key_circuits, pin, pinned_files, verify_proving_key, verifying_key_words, AssessmentKeys, CommittedKeys,
    KeyError, Manifest, ManifestKey, PinnedFile, KEY_FIXED_WORDS, KEY_SIZES,
};
pub use msm::{msm, msm_integers};
pub use round_proof::{
    model_step, prove_round, prove_round_with, transcript_states, verify_round, verify_words,
    verify_words_with, RoundProof, RoundProofWords, RoundStatement,
};
pub use srs::{
    data_files, default_data_folder, describe_string, verify_string, DataFile, DataKind, Import, KzgKey,
    PointFault, PowersFault, Progress, PtauError, ReferenceString, StringFile,
};
pub use statements::{AssessmentCircuit, AssessmentError};
