//! The rule of a project, and its numbers.

use serde::{Deserialize, Serialize};

use super::{check, out_of_range, SpecificationError};
use crate::rules::{AgreementPolicy, MultiKrumPolicy, RulePolicy};

/// Who is kept and what it earns (docs/protocol.md, section 6). The fields of the other rule must be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// "agreement" or "multi-krum".
    pub name: RuleName,
    /// Agreement: a contribution below `theta / 256` of the median is an outlier's, 0 to 1023; 32 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theta: Option<u16>,
    /// Agreement: `trim / 256` of a row is dropped at either end, 0 to 85; 52 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trim: Option<u8>,
    /// Multi-krum: `byzantine / 256` of the active slots may lie, 0 to 85; 52 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byzantine: Option<u8>,
    /// Multi-krum: `selected / 256` of the active slots are kept, 1 to 255; 179 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selected: Option<u8>,
}

impl Rule {
    /// The rule with its numbers.
    pub fn policy(&self) -> RulePolicy {
        match self.name {
            RuleName::Agreement => RulePolicy::Agreement(AgreementPolicy {
                theta: self.theta.unwrap_or(32),
                trim: self.trim.unwrap_or(52),
            }),
            RuleName::MultiKrum => RulePolicy::MultiKrum(MultiKrumPolicy {
                byzantine: self.byzantine.unwrap_or(52),
                selected: self.selected.unwrap_or(179),
            }),
        }
    }

    pub(super) fn validate(&self) -> Result<(), SpecificationError> {
        let foreign = match self.name {
            RuleName::Agreement => [
                ("rule.byzantine", self.byzantine.map(u16::from)),
                ("rule.selected", self.selected.map(u16::from)),
            ],
            RuleName::MultiKrum => [("rule.theta", self.theta), ("rule.trim", self.trim.map(u16::from))],
        };
        for (field, value) in foreign {
            if let Some(value) = value {
                let expected =
                    format!("nothing: the rule {} has no such number, leave it out", self.name.name());
                return Err(out_of_range(field, value, expected));
            }
        }
        match self.policy() {
            RulePolicy::Agreement(AgreementPolicy { theta, trim }) => {
                let thetas = "0 to 1023 (in 1/256 of the median contribution)";
                check("rule.theta", theta, theta < 1 << 10, thetas)?;
                let trims =
                    "0 to 85 (a third of a row in 1/256): a larger trim leaves nothing of a row to judge by";
                check("rule.trim", trim, trim <= 85, trims)
            }
            RulePolicy::MultiKrum(MultiKrumPolicy { byzantine, selected }) => {
                let shares = "0 to 85 (a third of the active slots in 1/256): with more liars there are no neighbours to judge by";
                check("rule.byzantine", byzantine, byzantine <= 85, shares)?;
                check("rule.selected", selected, selected >= 1, "1 to 255 (in 1/256 of the active slots)")
            }
        }
    }
}

/// The rules that have a circuit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleName {
    /// Trimmed, clipped agreement.
    #[default]
    Agreement,
    /// The slots nearest to their neighbours.
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

    /// The rule id of docs/protocol.md, 13.2.
    pub fn id(self) -> u8 {
        match self {
            Self::Agreement => 1,
            Self::MultiKrum => 2,
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
