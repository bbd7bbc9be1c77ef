//! How a trainer's part in a project can end early: a lost seat, or a stop with something left to do.

use std::fmt;

use serde::Serialize;

/// Why a trainer lost its seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SeatLoss {
    /// It committed in a round and did not reveal before the deadline.
    MissedReveal,
    /// More than half of those who revealed did not attest its file.
    NotAttested,
    /// It left the project.
    Left,
    /// The chain's log could not be read.
    Unknown,
}

impl fmt::Display for SeatLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MissedReveal => "it committed to an update and did not reveal it before the deadline",
            Self::NotAttested => {
                "more than half of the trainers did not attest its update: they could not fetch the file, or it did \
                 not match its commitment"
            }
            Self::Left => "it left the project",
            Self::Unknown => "the reason cannot be read from the chain now",
        })
    }
}

/// What a trainer that stops leaves undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Due {
    /// A commitment is on chain, or may be: without its reveal the stake is lost.
    Reveal,
    /// The reveal is on chain without the file on IPFS: when nobody can fetch it, the stake is lost.
    File,
    /// The round pays only those who attest.
    Attestation,
}

impl Due {
    /// True when the stake depends on it.
    pub fn risks_stake(self) -> bool {
        matches!(self, Self::Reveal | Self::File)
    }

    /// Completes "stopped while ..".
    pub(crate) fn danger(self) -> &'static str {
        match self {
            Self::Reveal => "a commitment may wait for its reveal",
            Self::File => "the revealed file is not on IPFS yet",
            Self::Attestation => "the round's pay needs an attestation",
        }
    }
}
