//! The phases of a project, in the order of the contract's `enum Phase`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The phase of a project. Written in kebab case, in text and in JSON: `registration`, `commit`, .., `wound-up`.
///
/// Phases compare in the order in which the contract declares them, which is the order of a project's life; a project
/// returns from [`Phase::Aggregate`] to [`Phase::Commit`] for its next round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Trainers join and the aggregator deposits its bond.
    Registration,
    /// Trainers train and post commitments.
    Commit,
    /// Trainers reveal the CIDs of their updates.
    Reveal,
    /// Trainers attest which updates they fetched and found to match their commitments.
    Attest,
    /// The aggregator proves the round and settles it.
    Aggregate,
    /// Trainers attest the last model file, or somebody else publishes it.
    Closing,
    /// All rounds are settled.
    Completed,
    /// Too few trainers joined or too many rounds were void; the rest of the escrow went back to the owner.
    WoundUp,
}

impl Phase {
    /// All phases, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Registration,
        Self::Commit,
        Self::Reveal,
        Self::Attest,
        Self::Aggregate,
        Self::Closing,
        Self::Completed,
        Self::WoundUp,
    ];

    /// The phase with this number in the contract's `enum Phase`; `None` for a number beyond it.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The number in the contract's `enum Phase`.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The name that [`fmt::Display`], JSON and [`FromStr`] share.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Registration => "registration",
            Self::Commit => "commit",
            Self::Reveal => "reveal",
            Self::Attest => "attest",
            Self::Aggregate => "aggregate",
            Self::Closing => "closing",
            Self::Completed => "completed",
            Self::WoundUp => "wound-up",
        }
    }

    /// True when the project has ended: only withdrawals are left.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::WoundUp)
    }

    /// True in the four phases of a round.
    pub const fn is_round(self) -> bool {
        matches!(self, Self::Commit | Self::Reveal | Self::Attest | Self::Aggregate)
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Text that is not the name of a phase.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a phase; expected one of {names}", names = Phase::ALL.map(Phase::name).join(", "))]
pub struct PhaseError(pub String);

impl FromStr for Phase {
    type Err = PhaseError;

    fn from_str(text: &str) -> Result<Self, PhaseError> {
        let named = Self::ALL.into_iter().find(|phase| phase.name() == text);
        named.ok_or_else(|| PhaseError(text.chars().take(80).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_has_one_name_and_the_contracts_number() {
        for (number, phase) in (0u8..).zip(Phase::ALL) {
            assert_eq!((phase.number(), Phase::from_number(number)), (number, Some(phase)));
            assert_eq!(serde_json::to_value(phase).unwrap(), phase.to_string());
            assert_eq!(phase.to_string().parse(), Ok(phase));
        }
        assert_eq!(Phase::from_number(8), None);
        assert_eq!(Phase::WoundUp.to_string(), "wound-up");
        for other in ["woundup", "wound up", "WoundUp", ""] {
            let error = other.parse::<Phase>().unwrap_err().to_string();
            assert!(
                error.contains("completed, wound-up") && error.contains(&format!("{other:?}")),
                "{error}"
            );
        }
    }

    #[test]
    fn phases_are_those_of_the_contract() {
        let interface = include_str!("../../contracts/src/interfaces/IProject.sol");
        let (_, declared) = interface.split_once("enum Phase {").unwrap();
        let (declared, _) = declared.split_once('}').unwrap();
        let names = declared.lines().filter_map(|line| line.split("//").next()?.trim().split(',').next());
        let names: Vec<&str> = names.filter(|name| !name.is_empty()).collect();
        assert_eq!(names, Phase::ALL.map(|phase| format!("{phase:?}")));
    }

    #[test]
    fn phases_are_ordered_and_the_last_two_end_a_project() {
        assert!(Phase::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        let over: Vec<Phase> = Phase::ALL.into_iter().filter(|phase| phase.is_over()).collect();
        assert_eq!(over, [Phase::Completed, Phase::WoundUp]);
        assert_eq!(Phase::ALL.into_iter().filter(|phase| phase.is_round()).count(), 4);
    }
}
