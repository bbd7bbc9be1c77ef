//! Rules over the Gram matrix: they determine the kept slots, pay shares, model weights and coherence.
//!
//! Plain integers throughout, written from docs/protocol.md 6 and independent of the circuits that prove them.

mod agreement;
mod assessment;
mod coherence;
mod error;
mod multi_krum;
mod name;
mod policy;

pub use agreement::AgreementPolicy;
pub(crate) use assessment::checked_active_slots;
pub use assessment::{AgreementDetail, Assessment, Detail, MultiKrumDetail};
pub use coherence::coherence;
pub use error::RuleError;
pub use multi_krum::MultiKrumPolicy;
pub use name::{RuleName, RuleNameError, AGREEMENT_RULE, MULTI_KRUM_RULE};
pub use policy::{ProjectPolicy, RoundPolicy};

use crate::gram::GramMatrix;
use crate::slot_mask::SlotMask;

/// Assesses a round from the Gram matrix of its active slots by the rule that `policy` names.
///
/// # Errors
/// A mask beyond the matrix, too few active slots for the rule, a policy out of range, entries beyond `2^52`, negative
/// norms, entries of inactive slots, or a matrix that belongs to no vectors.
pub fn assess(
    gram: &GramMatrix,
    active: impl Into<SlotMask>,
    policy: RoundPolicy,
) -> Result<Assessment, RuleError> {
    let active = active.into();
    match policy {
        RoundPolicy::Agreement { theta, trim_count } => agreement::assess(gram, active, theta, trim_count),
        RoundPolicy::MultiKrum { neighbours, selected } => {
            multi_krum::assess(gram, active, neighbours, selected)
        }
    }
}
