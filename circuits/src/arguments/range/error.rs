//! Errors of range proofs.

use crate::curve::words::EncodingError;
use crate::kzg::SrsError;
use fairshare_protocol::{Word, DIMENSION_LIMIT};
use thiserror::Error;

/// Why no range proof was made, or why one is refused. The refusals carry the names of the contract's errors.
#[derive(Debug, Error)]
pub enum RangeError {
    /// A word that must be a scalar is not smaller than the order `r`.
    #[error("ScalarOutOfRange: 0x{} is not below the scalar field's order", hex::encode(.0))]
    ScalarOutOfRange(Word),
    /// A coordinate is not smaller than `q`, or a point is not on the curve.
    #[error("InvalidPoint: {0}")]
    InvalidPoint(EncodingError),
    /// The update's commitment is infinity: no contract takes it.
    #[error(
        "InvalidPoint: the update's commitment is the point at infinity, that of an update of zeros: no \
         contract takes it"
    )]
    InfiniteCommitment,
    /// A challenge came out as one at which the argument says nothing.
    #[error("DegenerateChallenge: a challenge came out at a pole of the argument")]
    DegenerateChallenge,
    /// The opened values do not fit `A(z) + A(1/z) = 2 (1 + g ..) I_d(y) + z S(z) + S(1/z) / z`.
    #[error("RangeIdentityFailed: the opened values do not fit the lookup: an entry is not in the table")]
    RangeIdentityFailed,
    /// The opening does not hold.
    #[error("PairingFailed: the opening of the committed polynomials does not hold")]
    PairingFailed,
    /// The number of words does not fit the table.
    #[error("WrongLength: {found} {what}, expected {expected} for this table")]
    WrongLength {
        /// Points or values.
        what: &'static str,
        /// How many there must be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// No table has this id.
    #[error("UnknownTable: {0}; there is 8 (two limbs of 8 bits) and 16 (16 bits)")]
    UnknownTable(u8),
    /// A dimension that no project has.
    #[error("InvalidDimension: {dimension}; a model has 1 to {} parameters", DIMENSION_LIMIT - 1)]
    InvalidDimension {
        /// The dimension.
        dimension: u64,
    },
    /// The update does not have the statement's dimension.
    #[error("the update has {found} entries, the statement says {expected}")]
    UpdateLength {
        /// The dimension.
        expected: usize,
        /// Entries given.
        found: usize,
    },
    /// The commitment is not that of the update.
    #[error(
        "the statement's commitment is not that of the update: commit to the same entries with the same \
         reference string"
    )]
    CommitmentMismatch,
    /// The reference string does not reach.
    #[error(transparent)]
    Srs(#[from] SrsError),
    /// What was proved does not verify.
    #[error("the finished range proof does not verify: {0}")]
    DoesNotVerify(Box<RangeError>),
}

impl From<EncodingError> for RangeError {
    fn from(error: EncodingError) -> Self {
        match error {
            EncodingError::ScalarOutOfRange(word) => Self::ScalarOutOfRange(word),
            point => Self::InvalidPoint(point),
        }
    }
}

impl RangeError {
    /// The name of the contract's error for the same refusal; `None` for what only a prover meets.
    pub fn contract_name(&self) -> Option<&'static str> {
        Some(match self {
            Self::ScalarOutOfRange(_) => "ScalarOutOfRange",
            Self::InvalidPoint(_) | Self::InfiniteCommitment => "InvalidPoint",
            Self::DegenerateChallenge => "DegenerateChallenge",
            Self::RangeIdentityFailed => "RangeIdentityFailed",
            Self::PairingFailed => "PairingFailed",
            Self::WrongLength { .. } => "WrongLength",
            Self::UnknownTable(_) => "UnknownTable",
            Self::InvalidDimension { .. } => "InvalidDimension",
            Self::UpdateLength { .. } | Self::CommitmentMismatch | Self::Srs(_) | Self::DoesNotVerify(_) => {
                return None
            }
        })
    }
}
