//! The circuits that have keys.

use crate::statements::AssessmentCircuit;
use fairshare_protocol::{RuleName, SLOT_SIZES};

/// The sizes that have keys.
pub const KEY_SIZES: [u8; 5] = SLOT_SIZES;

/// The circuits that have keys, in the registry's order: ascending by size. Only the rule "agreement" has circuits.
pub fn key_circuits() -> impl Iterator<Item = AssessmentCircuit> + Clone {
    KEY_SIZES.into_iter().map(|size| AssessmentCircuit { rule: RuleName::Agreement, size })
}
