//! Groth16 keys of the assessment circuits: generates development keys, stores them in files, and pins them.
//!
//! The verifying keys are part of the repository (`circuits/keys/`), with a manifest that pins the digest of each and
//! of the proving key that belongs to it. Proving keys are large and generated on first use. Every machine generates
//! the same bytes, so the manifest pins their digest as well, and a file with that digest is read without checking its
//! points.
//!
//! Every key here is a DEV key, generated from a public secret. Whoever knows a setup's secret can forge proofs, so
//! contracts refuse DEV keys outside test chains.

mod circuits;
mod error;
mod file;
mod generate;
mod manifest;
mod open;
mod pin;
mod pinned;
mod solidity;
mod verify;
mod words;

pub use circuits::{key_circuits, KEY_SIZES};
pub use error::KeyError;
pub use manifest::{Manifest, ManifestKey};
pub use open::AssessmentKeys;
pub use pin::{pin, pinned_files, PinnedFile};
pub use pinned::PinnedKeys;
pub use verify::verify_proving_key;
pub use words::{verifying_key_words, KEY_FIXED_WORDS};
