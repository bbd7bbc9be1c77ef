//! Errors of round proofs.

use crate::arguments::gram::GramRefusal;
use crate::arguments::GramArgumentError;
use crate::curve::words::EncodingError;
use crate::kzg::SrsError;
use crate::statements::AssessmentError;
use crate::transcript::Degenerate;
use fairshare_protocol::{PackError, RuleError, SlotMask};
use thiserror::Error;

/// Why no proof of a round was made.
#[derive(Debug, Error)]
pub enum ProveError {
    /// The statement contradicts itself.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// An update for a slot that is not active, a slot twice, or an active slot without one.
    #[error("updates are given for slots {found:?}, expected exactly the active slots {expected:?} in ascending order")]
    UpdateSlots {
        /// Active slots of the statement.
        expected: Vec<u8>,
        /// Slots of the updates given.
        found: Vec<u8>,
    },
    /// An update of another length than the statement's dimension.
    #[error("the update of slot {slot} has {found} entries, expected {expected}")]
    UpdateLength {
        /// Its slot.
        slot: u8,
        /// The dimension.
        expected: usize,
        /// Its entries.
        found: usize,
    },
    /// The keys serve another number of slots.
    #[error("the keys serve {keys} slots, the round's circuit has {statement}: open the keys of that size")]
    KeySize {
        /// Slots of the keys.
        keys: usize,
        /// Slots of the statement or matrix.
        statement: usize,
    },
    /// The matrix is not that of the updates.
    #[error("sigma from the gram matrix differs from sigma from the updates: the matrix is not that of these updates")]
    GramMismatch,
    /// The assessment is not what the rule gives for the matrix.
    #[error(
        "the assessment given is not what the rule gives for the gram matrix: assess it with the \
         statement's policy"
    )]
    AssessmentMismatch,
    /// The rule refuses the matrix.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The reference string does not reach.
    #[error(transparent)]
    Srs(#[from] SrsError),
    /// The assessment circuit refuses its witness, or its prover failed.
    #[error("assessment proof: {0}")]
    Assessment(#[from] AssessmentError),
    /// A challenge came out as 0, 1 or -1, which happens with negligible probability. Another model file changes it.
    #[error("a challenge of the transcript came out as 0, 1 or -1: prove again for another model file")]
    DegenerateChallenge,
}

impl From<GramArgumentError> for ProveError {
    fn from(error: GramArgumentError) -> Self {
        match error {
            GramArgumentError::Srs(error) => Self::Srs(error),
            GramArgumentError::DegenerateChallenge => Self::DegenerateChallenge,
        }
    }
}

/// Why a statement is invalid: no contract makes such a statement.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StatementError {
    /// Commitments that do not go with the active mask.
    #[error(
        "commitments are listed for slots {found:?}, the active mask {active} asks for {expected:?} \
         in ascending order"
    )]
    CommitmentSlots {
        /// The mask.
        active: SlotMask,
        /// Its slots.
        expected: Vec<u8>,
        /// Slots listed.
        found: Vec<u8>,
    },
    /// The mask names a slot that the circuit does not have.
    #[error("the active mask {active} has bits beyond the circuit's {slots} slots")]
    MaskBeyondSlots {
        /// The mask.
        active: SlotMask,
        /// Slots of the circuit.
        slots: u8,
    },
    /// A commitment at infinity, which the contract refuses.
    #[error("the commitment of slot {slot} is the point at infinity: the contract refuses it")]
    InfiniteCommitment {
        /// Its slot.
        slot: u8,
    },
    /// A dimension that no project has.
    #[error("dimension {dimension} is out of range: a model has 1 to {} parameters", max - 1)]
    Dimension {
        /// The dimension.
        dimension: u32,
        /// First number that is too many.
        max: usize,
    },
}

/// Why a round's proof is refused. The first six carry the names of the contract's errors and are found in its order; a
/// statement that contradicts itself, which the contract calls `WrongLength` or `InvalidPoint`, has its own variant
/// here.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// A word that must be a scalar is not smaller than the order `r`; a policy word not smaller than `2^16`.
    #[error(
        "ScalarOutOfRange: 0x{} is not below the scalar field's order, or too large for its \
         place",
        hex::encode(.0)
    )]
    ScalarOutOfRange([u8; 32]),
    /// A coordinate is not smaller than `q`, or a point is not on the curve (or is infinity where that is refused).
    #[error("InvalidPoint: {0}")]
    InvalidPoint(EncodingError),
    /// A challenge came out as 0, 1 or -1.
    #[error("DegenerateChallenge: a challenge came out as 0, 1 or -1")]
    DegenerateChallenge,
    /// `P(z) P(1/z) = sigma + z S(z) + S(1/z)/z` does not hold.
    #[error("LaurentIdentityFailed: the opened values do not fit sigma")]
    LaurentIdentityFailed,
    /// The pairing equation does not hold.
    #[error("PairingFailed: the joined pairing equation does not hold")]
    PairingFailed,
    /// The number of packed words does not fit the circuit's size.
    #[error("WrongLength: {found} {what} words, expected {expected}")]
    WrongLength {
        /// Which words.
        what: &'static str,
        /// How many there must be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// No key is registered for the rule and size.
    #[error("no verifying key for rule {rule} and {slots} slots")]
    UnknownKey {
        /// Rule id.
        rule: u8,
        /// Slots.
        slots: u8,
    },
    /// The statement was made for other keys.
    #[error(
        "the statement's keys hash 0x{} is not 0x{} of the keys at hand",
        hex::encode(found),
        hex::encode(expected)
    )]
    KeysHash {
        /// Hash of the keys at hand.
        expected: [u8; 32],
        /// Hash in the statement.
        found: [u8; 32],
    },
    /// The statement contradicts itself.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// Packed words that hold something beside their elements.
    #[error(transparent)]
    Packing(#[from] PackError),
    /// A number wider than its place.
    #[error("{what} is 0x{}: it must be at most {max}", hex::encode(value))]
    NumberTooLarge {
        /// Which number.
        what: &'static str,
        /// The word.
        value: [u8; 32],
        /// The largest allowed.
        max: u128,
    },
}

impl From<EncodingError> for VerifyError {
    fn from(error: EncodingError) -> Self {
        match error {
            EncodingError::ScalarOutOfRange(word) => Self::ScalarOutOfRange(word),
            point => Self::InvalidPoint(point),
        }
    }
}

impl From<Degenerate> for VerifyError {
    fn from(_: Degenerate) -> Self {
        Self::DegenerateChallenge
    }
}

impl From<GramRefusal> for VerifyError {
    fn from(refusal: GramRefusal) -> Self {
        match refusal {
            GramRefusal::DegenerateChallenge => Self::DegenerateChallenge,
            GramRefusal::LaurentIdentity => Self::LaurentIdentityFailed,
        }
    }
}
