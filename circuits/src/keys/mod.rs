//! Groth16 keys of the assessment circuits: how development keys are made, kept as files, and pinned.
//!
//! The verifying keys are part of the repository (`circuits/keys/`), with a manifest that pins the digest of each and of
//! the proving key that belongs to it. Proving keys are large and made on first use; they come out bit for bit
//! the same everywhere, so their digest is pinned as well, and a file with that digest is read without checking points.
//!
//! Every key here is a DEV key: it is made from a secret that anybody knows. Whoever knows a setup's secret can forge
//! proofs, so contracts refuse DEV keys outside test chains.

mod committed;
mod error;
mod file;
mod generate;
mod manifest;
mod open;
mod pin;
mod verify;
mod words;

pub use committed::CommittedKeys;
pub use error::KeyError;
pub(crate) use generate::Proving;
pub use manifest::{Manifest, ManifestKey};
pub use open::AssessmentKeys;
pub use pin::{pin, pinned_files, PinnedFile};
pub use verify::verify_proving_key;
pub use words::{verifying_key_words, KEY_FIXED_WORDS};

use crate::statements::proof::AssessmentCircuit;
use fairshare_protocol::RuleName;

/// The sizes that have keys, for every rule. From 64 on provers commit to their limbs; below, ranges are proved by bits.
pub const KEY_SIZES: [u8; 5] = [8, 16, 32, 64, 128];

/// The circuits that have keys, in the registry's order: by rule, then by size.
pub fn key_circuits() -> impl Iterator<Item = AssessmentCircuit> + Clone {
    RuleName::ALL.into_iter().flat_map(|rule| KEY_SIZES.map(|size| AssessmentCircuit { rule, size }))
}
