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

impl std::str::FromStr for RuleName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::name).join(", ");
        Self::ALL
            .into_iter()
            .find(|rule| rule.name() == text)
            .ok_or_else(|| format!("the rules are {}", known()))
    }
}

impl RuleName {
    /// All rules, in the order of their ids.
    pub const ALL: [Self; 2] = [Self::Agreement, Self::MultiKrum];

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
