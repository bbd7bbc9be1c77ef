//! The range proof (docs/protocol.md sections 7 and 13.6): every one of the first `d` entries of a committed update
//! lies in `[-2^15, 2^15)`. Without it a trainer in league with the aggregator could commit to field elements that are
//! no small integers: `(x, i x)` with `i^2 = -1` in two coordinates leaves the Gram matrix as it was.
//!
//! ```text
//! prover                                     verifier
//! [C_HI], C_M: limbs, multiplicities  ---->  beta
//! C_F.., C_K: 1/(beta + v), m/(beta + t) ->  y, g: all equations in one constant term
//! C_S: the rest of that Laurent polynomial ->  z
//! values at z, 1/z and at yz, y/z     ---->  gamma; the identity at z
//! W, then W'                          ---->  v; one opening of everything at both pairs of points
//! ```
//!
//! It does not bound the degree of the update: the Gram argument does, for every slot at once.

mod prover;
mod table;
mod transcript;
mod verifier;
mod words;

#[cfg(test)]
#[path = "tests/attacks.rs"]
mod attacks;
#[cfg(test)]
#[path = "tests/liar.rs"]
mod liar;
#[cfg(test)]
#[path = "tests/honest.rs"]
mod tests;

pub use prover::{prove_range, prove_range_unchecked, RangeWitness};
pub use table::RangeTable;
pub use verifier::{range_transcript_states, verify_range};
pub use words::RangeProofWords;

use crate::curve::words::EncodingError;
use crate::kzg::SrsError;
use ark_bn254::{Fr, G1Affine};
use ark_ec::AffineRepr;
use fairshare_protocol::{Word, MAX_DIMENSION};
use thiserror::Error;

/// What the contract knows of a submission and the trainer must not choose (docs/protocol.md 13.6, first state).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeStatement {
    /// Chain id.
    pub chain_id: u64,
    /// Address of the project.
    pub project: [u8; 20],
    /// Id of the round.
    pub round: u64,
    /// Address of the trainer: the proof is valid for this trainer only.
    pub trainer: [u8; 20],
    /// Parameters of the model, `1 <= d < 2^22`.
    pub dimension: u32,
    /// The table that the project's specification names.
    pub table: RangeTable,
    /// Hash of all keys (docs/protocol.md 13.4).
    pub keys_hash: Word,
    /// `C(u)`, not infinity.
    pub commitment: G1Affine,
}

impl RangeStatement {
    fn check(&self) -> Result<(), RangeError> {
        if self.dimension == 0 || self.dimension as usize >= MAX_DIMENSION {
            return Err(RangeError::InvalidDimension { dimension: u64::from(self.dimension) });
        }
        if self.commitment.is_zero() {
            return Err(RangeError::InfiniteCommitment);
        }
        Ok(())
    }
}

/// What the trainer sends. Any point may be infinity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeProof {
    /// `C_HI`, with limbs only.
    pub high: Option<G1Affine>,
    /// `C_M`, multiplicities of the table's entries.
    pub counts: G1Affine,
    /// `C_F` for each column that is looked up, coefficients `1 / (beta + v_j)`.
    pub fractions: Vec<G1Affine>,
    /// `C_K`, coefficients `m_t / (beta + t)`.
    pub table_fractions: G1Affine,
    /// `C_S` of the Laurent identity.
    pub s: G1Affine,
    /// Pairs of values: `U, [HI], S` at `z, 1/z`, then `F.., K, M` at `yz, y/z`.
    pub values: Vec<[Fr; 2]>,
    /// `W`: the quotients of both sets of points.
    pub w: G1Affine,
    /// `W'`: what is left of them at `v`.
    pub w_prime: G1Affine,
}

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
    #[error("InvalidPoint: the update's commitment is the point at infinity, that of an update of zeros: no contract takes it")]
    InfiniteCommitment,
    /// A challenge came out as one at which the argument says nothing.
    #[error("DegenerateChallenge: a challenge came out at a pole of the argument")]
    DegenerateChallenge,
    /// The opened values do not fit `A(z) + A(1/z) = 2 (1 + g ..) I_d(y) + z S(z) + S(1/z) / z`.
    #[error("FormIdentityFailed: the opened values do not fit the lookup: an entry is not in the table")]
    FormIdentityFailed,
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
    #[error("InvalidDimension: {dimension}; a model has 1 to {} parameters", MAX_DIMENSION - 1)]
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
    #[error("the statement's commitment is not that of the update: commit to the same entries with the same reference string")]
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
            Self::FormIdentityFailed => "FormIdentityFailed",
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
