//! The statement of a range proof.

use super::error::RangeError;
use super::table::RangeTable;
use ark_bn254::G1Affine;
use ark_ec::AffineRepr;
use fairshare_protocol::{Word, DIMENSION_LIMIT};

/// What the contract knows of a submission and the trainer must not choose (docs/protocol.md 7, first state).
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
    /// Hash of all keys (docs/protocol.md 3.2).
    pub keys_hash: Word,
    /// `C(u)`, not infinity.
    pub commitment: G1Affine,
}

impl RangeStatement {
    pub(super) fn check(&self) -> Result<(), RangeError> {
        if self.dimension == 0 || self.dimension >= DIMENSION_LIMIT {
            return Err(RangeError::InvalidDimension { dimension: u64::from(self.dimension) });
        }
        if self.commitment.is_zero() {
            return Err(RangeError::InfiniteCommitment);
        }
        Ok(())
    }
}
