//! KZG commitments: the reference string and its files, commitments to updates and models, and openings.

mod check;
mod commitment;
mod error;
mod file;
#[cfg(test)]
mod fuzz;
mod key;
pub(crate) mod opening;
mod points;
mod ptau;
mod srs;
#[cfg(test)]
mod srs_tests;
mod store;

pub use check::PowersFault;
pub use commitment::mismatching_commitments;
pub use error::SrsError;
pub use key::{KzgKey, Progress};
pub use points::PointFault;
pub use ptau::PtauError;
pub use srs::ReferenceString;
pub use store::{
    data_files, default_data_folder, describe_string, verify_string, DataFile, DataKind, Import, StringFile,
};
