//! Errors of reference strings and commitments.

use super::ptau::PtauError;
use std::path::PathBuf;
use thiserror::Error;

/// Errors of reference strings.
#[derive(Debug, Error)]
pub enum SrsError {
    /// A model of no parameters, or of too many.
    #[error("a reference string for {dimension} parameters was asked for: a model has 1 to {} of them", max - 1)]
    Dimension {
        /// Parameters asked for.
        dimension: usize,
        /// First number that is too many.
        max: usize,
    },
    /// A vector longer than the string.
    #[error(
        "{entries} entries are to be committed, but the reference string has {points} points: open it \
         for the model's dimension"
    )]
    TooLong {
        /// Entries of the vector.
        entries: usize,
        /// Points of the string.
        points: usize,
    },
    /// Vectors of one check have different lengths.
    #[error(
        "update {index} has {found} entries, expected {expected}: all updates of a round have the \
         model's dimension"
    )]
    LengthMismatch {
        /// Position of the update.
        index: usize,
        /// Entries of the first update.
        expected: usize,
        /// Entries of this one.
        found: usize,
    },
    /// A name that an imported string may not have.
    #[error("{name:?} is not a name for a reference string: 1 to 40 lower case letters, digits and hyphens")]
    Name {
        /// The name.
        name: String,
    },
    /// Another string has the name already.
    #[error(
        "{} is the string of another secret: import under another name than {name:?}, or remove \
         it",
        path.display()
    )]
    NameTaken {
        /// The name.
        name: String,
        /// The file that is there.
        path: PathBuf,
    },
    /// A `.ptau` file that is refused.
    #[error("{}: {source}", path.display())]
    Ptau {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<PtauError>,
    },
    /// A file that is not a sound reference string.
    #[error("reference string {}: {fault}; remove the file, then make or import the string again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: String,
    },
    /// The folder or file cannot be read or written.
    #[error(
        "reference string {}: {source}; give a folder that can be written, by FAIRSHARE_DATA for \
         one",
        path.display()
    )]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}
