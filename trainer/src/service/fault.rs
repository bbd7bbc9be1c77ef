//! Failures of a step, sorted by what to do about them.

use fairshare_client::{ChainError, CollectError, ContentError, FileError};

use crate::error::TrainerError;

/// A failed step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Chain or IPFS are at fault, or the wallet is empty: the same step may succeed later.
    MayPass(String),
    /// The contract refused a transaction.
    Refused {
        /// The refused action.
        action: &'static str,
        /// The contract's reason.
        reason: String,
    },
    /// Trying again would fail in the same way.
    Lasting(String),
    /// Nothing went wrong: this trainer's conduct refuses the step.
    OnPurpose(&'static str),
}

impl Fault {
    /// True when trying again may help.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::MayPass(_))
    }

    /// The fault while giving up can cost the stake: then only the end of the phase is final. A node that lags may
    /// answer better later, and so may a contract once a fork is over.
    pub(super) fn at_risk(self) -> Self {
        match self {
            Self::Refused { action, reason } => {
                Self::MayPass(format!("the contract refused {action}: {reason}"))
            }
            Self::Lasting(reason) => Self::MayPass(reason),
            fault => fault,
        }
    }

    /// Sorts an error.
    pub(super) fn of(error: &TrainerError) -> Self {
        let passing = match error {
            TrainerError::Chain(error) | TrainerError::Collect(CollectError::Chain(error)) => {
                chain_may_pass(error)
            }
            TrainerError::Content(error) | TrainerError::Collect(CollectError::Content(error)) => {
                content_may_pass(error)
            }
            TrainerError::ProjectFile(error) => match &**error {
                FileError::Chain(error) => chain_may_pass(error),
                FileError::Content(error) => content_may_pass(error),
                _ => false,
            },
            _ => false,
        };
        if passing {
            Self::MayPass(error.to_string())
        } else {
            Self::Lasting(error.to_string())
        }
    }

    /// Sorts an error of sending `action`.
    pub(super) fn of_sending(action: &'static str, error: ChainError) -> Self {
        match error {
            ChainError::Refused { reason, .. } | ChainError::Reverted { reason, .. } => {
                Self::Refused { action, reason }
            }
            // Somebody may fund the wallet while the phase is open.
            ChainError::InsufficientFunds { .. } => Self::MayPass(error.to_string()),
            error => Self::of(&error.into()),
        }
    }
}

impl<E: Into<TrainerError>> From<E> for Fault {
    fn from(error: E) -> Self {
        Self::of(&error.into())
    }
}

fn chain_may_pass(error: &ChainError) -> bool {
    error.is_node_fault() || matches!(error, ChainError::NotMined { .. })
}

fn content_may_pass(error: &ContentError) -> bool {
    match error {
        ContentError::Unreachable { .. } | ContentError::Timeout { .. } | ContentError::Refused { .. } => {
            true
        }
        ContentError::BadAddress { .. }
        | ContentError::TooLarge { .. }
        | ContentError::WrongBytes { .. }
        | ContentError::WrongName { .. }
        | ContentError::BadCid { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreachable() -> ChainError {
        ChainError::Unreachable { rpc: "http://127.0.0.1:1".into(), reason: "connection refused".into() }
    }

    #[test]
    fn what_may_pass_is_told_from_what_lasts() {
        assert!(Fault::from(unreachable()).may_pass());
        let timeout = ContentError::Timeout { what: "fetching x".into(), api: "a".into(), seconds: 1 };
        assert!(Fault::from(FileError::Content(timeout)).may_pass());
        let diverged = TrainerError::Diverged { epoch: 1, what: "the loss", learning_rate: 1.0 };
        assert!(
            matches!(Fault::from(diverged), Fault::Lasting(reason) if reason.contains("nothing is posted"))
        );
        let large = ContentError::TooLarge { cid: "x".into(), limit: 1 };
        assert!(!Fault::from(large).may_pass());
    }

    #[test]
    fn nothing_but_intent_ends_a_round_while_the_stake_is_at_risk() {
        let odd = ChainError::Decode { what: "a slot".into(), reason: "300 is out of range".into() };
        let damaged = TrainerError::Broken("the commitment");
        let refused = ChainError::Refused { action: "a".into(), reason: "RevealMismatch()".into() };
        for fault in [Fault::from(odd), Fault::from(damaged), Fault::of_sending("the reveal", refused)] {
            assert!(!fault.may_pass());
            assert!(fault.at_risk().may_pass());
        }
        assert_eq!(Fault::OnPurpose("silent").at_risk(), Fault::OnPurpose("silent"));
    }

    #[test]
    fn a_refusal_keeps_the_contracts_reason() {
        let refused = ChainError::Refused { action: "a".into(), reason: "CommitmentReused(1, 2)".into() };
        let fault = Fault::of_sending("the commitment", refused);
        assert_eq!(
            fault,
            Fault::Refused { action: "the commitment", reason: "CommitmentReused(1, 2)".into() }
        );
        assert!(Fault::of_sending("the commitment", unreachable()).may_pass());
    }
}
