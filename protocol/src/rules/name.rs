//! The names and ids of the rules.

use serde::{Deserialize, Serialize};

/// The id of the rule "agreement" on chain.
pub const AGREEMENT_RULE: u8 = 1;
/// The id of the rule "multi-krum".
pub const MULTI_KRUM_RULE: u8 = 2;

/// The rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleName {
    /// Trimmed, clipped agreement.
    #[default]
    Agreement,
    /// Multi-Krum, a baseline for studies: no circuit proves it and no specification may name it.
    MultiKrum,
}

impl std::fmt::Display for RuleName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is not that of a rule with a circuit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleNameError {
    /// The former rule.
    #[error(
        "\"multi-krum\" is not a rule any more: it left honest trainers unpaid in every round and cost accuracy; \
         use \"agreement\""
    )]
    Removed,
    /// No rule has this name.
    #[error("{0:?} is not a rule; expected \"agreement\"")]
    Unknown(String),
}

impl std::str::FromStr for RuleName {
    type Err = RuleNameError;

    fn from_str(text: &str) -> Result<Self, RuleNameError> {
        match text {
            "agreement" => Ok(Self::Agreement),
            "multi-krum" => Err(RuleNameError::Removed),
            other => Err(RuleNameError::Unknown(other.chars().take(80).collect())),
        }
    }
}

impl RuleName {
    /// The rule id of docs/protocol.md 6.
    pub fn id(self) -> u8 {
        match self {
            Self::Agreement => AGREEMENT_RULE,
            Self::MultiKrum => MULTI_KRUM_RULE,
        }
    }

    /// The name, as a specification and the files of keys write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Agreement => "agreement",
            Self::MultiKrum => "multi-krum",
        }
    }
}
