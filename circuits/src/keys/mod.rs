//! Groth16 keys of the assessment circuits: generates development keys, stores them in files, and pins them.
//!
//! The verifying keys are part of the repository (`circuits/keys/`), with a manifest that pins the digest of each and
//! of the proving key that belongs to it. Proving keys are large and generated on first use. Every machine generates
//! the same bytes, so the manifest pins their digest as well, and a file with that digest is read without checking its
//! points.
//!
//! Every key here is a DEV key, generated from a public secret. Whoever knows a setup's secret can forge proofs, so
//! contracts refuse DEV keys outside test chains.

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

pub use error::KeyError;
pub use manifest::{Manifest, ManifestKey};
pub use open::AssessmentKeys;
pub use pin::{pin, pinned_files, PinnedFile};
pub use pinned::PinnedKeys;
pub use verify::verify_proving_key;
pub use words::{verifying_key_words, KEY_FIXED_WORDS};

use crate::statements::AssessmentCircuit;
use fairshare_protocol::RuleName;

/// The sizes that have keys.
pub const KEY_SIZES: [u8; 5] = [8, 16, 32, 64, 128];

/// The circuits that have keys, in the registry's order: ascending by size. Only the rule "agreement" has circuits.
pub fn key_circuits() -> impl Iterator<Item = AssessmentCircuit> + Clone {
    KEY_SIZES.into_iter().map(|size| AssessmentCircuit { rule: RuleName::Agreement, size })
}
