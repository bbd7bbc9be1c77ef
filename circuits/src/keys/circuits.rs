//! The circuits that have keys.

use crate::statements::AssessmentCircuit;
use fairshare_protocol::RuleName;

/// The sizes that have keys.
pub const KEY_SIZES: [u8; 5] = [8, 16, 32, 64, 128];

/// The circuits that have keys, in the registry's order: ascending by size. Only the rule "agreement" has circuits.
pub fn key_circuits() -> impl Iterator<Item = AssessmentCircuit> + Clone {
    KEY_SIZES.into_iter().map(|size| AssessmentCircuit { rule: RuleName::Agreement, size })
}
