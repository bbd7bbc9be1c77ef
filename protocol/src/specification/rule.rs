//! The `[rule]` section: the rule of a project, and its numbers.

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};

use super::{check, SpecificationError};
use crate::bounds::{MAX_THETA, MAX_TRIM};
use crate::rules::{AgreementPolicy, ProjectPolicy, RuleName};

/// Which updates are kept and what they earn (docs/protocol.md 6.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RuleConfig {
    /// "agreement".
    #[serde(deserialize_with = "rule_with_a_circuit")]
    pub name: RuleName,
    /// Contributions below `theta / 256` of the median are outliers, 0 to 1023; 32 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theta: Option<u16>,
    /// `trim / 256` of a row is dropped at either end, 0 to 85; 52 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trim: Option<u8>,
}

impl RuleConfig {
    /// The rule with its numbers.
    pub fn policy(&self) -> ProjectPolicy {
        ProjectPolicy::Agreement(AgreementPolicy {
            theta: self.theta.unwrap_or(32),
            trim: self.trim.unwrap_or(52),
        })
    }

    pub(super) fn validate(&self) -> Result<(), SpecificationError> {
        if let Some(theta) = self.theta {
            let thetas = "0 to 128 (in 1/256 of the median contribution)";
            check("rule.theta", theta, theta <= MAX_THETA, thetas)?;
        }
        if let Some(trim) = self.trim {
            let trims = "0 to 85 (in 1/256 of a row): a larger trim leaves no entry in some rows";
            check("rule.trim", trim, trim <= MAX_TRIM, trims)?;
        }
        Ok(())
    }
}

fn rule_with_a_circuit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<RuleName, D::Error> {
    let name = String::deserialize(deserializer)?;
    name.parse().map_err(|error| de::Error::custom(format!("rule.name: {error}")))
}
