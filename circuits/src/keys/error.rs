//! What can be wrong with a key.

use ark_relations::gr1cs::SynthesisError;
use std::path::PathBuf;
use thiserror::Error;

/// Why a key could not be had.
#[derive(Debug, Error)]
pub enum KeyError {
    /// No circuit of this size has keys.
    #[error("no key for {size} slots: the circuits have {:?} slots", super::KEY_SIZES)]
    UnknownSize {
        /// The size asked for.
        size: u8,
    },
    /// The keys that this build makes are not those that were pinned.
    #[error(
        "the {what} for {size} slots has sha256 {found}, but circuits/keys/manifest.json pins {pinned}: \
         the circuit has changed; run `fairshare-setup pin` and deploy contracts with the new keys"
    )]
    Drift {
        /// Which key.
        what: &'static str,
        /// Slots of its circuit.
        size: u8,
        /// Digest of the key at hand.
        found: String,
        /// Digest in the manifest.
        pinned: String,
    },
    /// The manifest does not describe these keys.
    #[error("circuits/keys/manifest.json: {fault}; restore it, or run `fairshare-setup pin`")]
    Manifest {
        /// What is wrong.
        fault: String,
    },
    /// The bytes are no key.
    #[error("{what} for {size} slots: {fault}")]
    Malformed {
        /// Which key.
        what: &'static str,
        /// Slots of its circuit.
        size: u8,
        /// What is wrong.
        fault: String,
    },
    /// The folder or file cannot be read or written.
    #[error("key file {}: {source}; give a folder that can be written, by FAIRSHARE_DATA for one", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Key generation failed.
    #[error("key generation: {0}")]
    Synthesis(#[from] SynthesisError),
}
