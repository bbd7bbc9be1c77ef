//! A rule with its numbers: those of a project, and those of one round.

use super::agreement::AgreementPolicy;
use super::error::RuleError;
use super::multi_krum::MultiKrumPolicy;
use super::name::{RuleName, AGREEMENT_RULE};

/// A rule with the two policy words of one round (docs/protocol.md 6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundPolicy {
    /// Trimmed, clipped agreement.
    Agreement {
        /// Contributions below `theta / 256` of the median are outliers.
        theta: u16,
        /// Entries dropped at each end of a row.
        trim_count: u32,
    },
    /// Multi-Krum, a baseline for studies: no circuit proves it and no specification may name it.
    MultiKrum {
        /// `k`: nearest others whose distances make a score.
        neighbours: u32,
        /// `m`: slots that are kept.
        selected: u32,
    },
}

impl RoundPolicy {
    /// The rule.
    pub fn rule(self) -> RuleName {
        match self {
            Self::Agreement { .. } => RuleName::Agreement,
            Self::MultiKrum { .. } => RuleName::MultiKrum,
        }
    }

    /// The two policy words of a round (docs/protocol.md 6.1), each below `2^16`.
    pub fn words(self) -> [u32; 2] {
        match self {
            Self::Agreement { theta, trim_count } => [u32::from(theta), trim_count],
            Self::MultiKrum { neighbours, selected } => [neighbours, selected],
        }
    }
}

/// A rule with a project's numbers, the same for all its rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProjectPolicy {
    /// Trimmed, clipped agreement.
    Agreement(AgreementPolicy),
    /// Multi-Krum, a baseline for studies: no circuit proves it and no specification may name it.
    MultiKrum(MultiKrumPolicy),
}

impl ProjectPolicy {
    /// The policy in a project's terms on chain.
    ///
    /// # Errors
    /// A rule without a circuit, or numbers out of range.
    pub fn from_terms(rule: u8, theta: u16, trim: u8) -> Result<Self, RuleError> {
        if rule != AGREEMENT_RULE {
            return Err(RuleError::UnknownRule { rule });
        }
        let policy = AgreementPolicy { theta, trim };
        policy.validate().map(|()| Self::Agreement(policy))
    }

    /// The policy of a round with `active` active slots. The contract computes the same.
    pub fn for_round(self, active: u32) -> RoundPolicy {
        match self {
            Self::Agreement(policy) => {
                RoundPolicy::Agreement { theta: policy.theta, trim_count: policy.trim_count(active) }
            }
            Self::MultiKrum(policy) => RoundPolicy::MultiKrum {
                neighbours: policy.neighbours(active),
                selected: policy.kept(active),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_give_the_words_of_a_round() {
        let agreement = ProjectPolicy::from_terms(1, 32, 52).unwrap();
        assert_eq!(agreement.for_round(10), RoundPolicy::Agreement { theta: 32, trim_count: 2 });
        assert_eq!((agreement.for_round(10).rule().id(), agreement.for_round(10).words()), (1, [32, 2]));
        let krum = ProjectPolicy::MultiKrum(MultiKrumPolicy { byzantine: 52, selected: 179 });
        assert_eq!(krum.for_round(10), RoundPolicy::MultiKrum { neighbours: 6, selected: 6 });
        assert_eq!((krum.for_round(10).rule().id(), krum.for_round(10).words()), (2, [6, 6]));
    }

    #[test]
    fn other_terms_are_refused_by_name() {
        let refused = |rule, theta, trim| ProjectPolicy::from_terms(rule, theta, trim).unwrap_err();
        for rule in [0, 2, 3] {
            assert_eq!(refused(rule, 32, 52), RuleError::UnknownRule { rule });
        }
        assert_eq!(refused(1, 1024, 52), RuleError::ThetaTooLarge { theta: 1024 });
        assert_eq!(refused(1, 32, 86), RuleError::TrimShareTooLarge { trim: 86 });
    }
}
