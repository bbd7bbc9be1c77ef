//! Errors of keys.

use crate::statements::{AssessmentCircuit, AssessmentError};
use ark_relations::gr1cs::SynthesisError;
use std::path::PathBuf;
use thiserror::Error;

/// Why no key was opened, generated or pinned.
#[derive(Debug, Error)]
pub enum KeyError {
    /// No circuit of this size has keys.
    #[error("no key for {circuit}: the circuits have {:?} slots", super::circuits::KEY_SIZES)]
    UnknownCircuit {
        /// The circuit asked for.
        circuit: AssessmentCircuit,
    },
    /// The keys that this build makes are not those that were pinned.
    #[error(
        "the {what} of {circuit} has sha256 {found}, but circuits/keys/manifest.json pins {pinned}: \
         the circuit has changed; run `fairshare-setup pin` and deploy contracts with the new keys"
    )]
    Drift {
        /// Which key.
        what: &'static str,
        /// Its circuit.
        circuit: AssessmentCircuit,
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
    /// The bytes are not a key.
    #[error("{what} of {circuit}: {fault}")]
    Malformed {
        /// Which key.
        what: &'static str,
        /// Its circuit.
        circuit: AssessmentCircuit,
        /// What is wrong.
        fault: String,
    },
    /// A file whose name is not that of a pinned key.
    #[error("{}: no key of this name is pinned by this build, so it is refused", path.display())]
    NotPinned {
        /// The file.
        path: PathBuf,
    },
    /// A file that is not the pinned key.
    #[error(
        "{}: its sha256 is {found}, but {pinned} is pinned; remove it: the next use generates it \
         again",
        path.display()
    )]
    Refused {
        /// The file.
        path: PathBuf,
        /// Digest of the file.
        found: String,
        /// Digest in the manifest.
        pinned: String,
    },
    /// The folder or file cannot be read or written.
    #[error("key file {}: {source}; give a folder that can be written, by FAIRSHARE_DATA for one", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The circuit of a key was not built.
    #[error(transparent)]
    Circuit(#[from] AssessmentError),
    /// Key generation failed.
    #[error("key generation: {0}")]
    Synthesis(#[from] SynthesisError),
}
