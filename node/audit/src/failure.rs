//! Failures of an audit, as sentences.

use super::files::FileFault;
use super::money_fault::MoneyFault;
use super::round_fault::RoundFault;

/// A failure. Its text names the round, the trainer and the field, where they apply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The contracts check against other keys.
    #[error("keys: the project's registry has keys hash {found}, the committed keys of this version have {expected}")]
    Keys {
        /// Of the keys committed with this version.
        expected: String,
        /// On chain.
        found: String,
    },
    /// The contracts are not those of this version.
    #[error("contract: {0}")]
    Contract(String),
    /// The specification is not available, not canonical, or differs from the contract.
    #[error("specification: {0}")]
    Specification(String),
    /// The commitment of the first model is not that of the specification's seed.
    #[error("first model: its commitment is {found} on chain, the specification's seed gives {expected}")]
    FirstModelCommitment {
        /// From the seed.
        expected: String,
        /// On chain.
        found: String,
    },
    /// The file of the first model.
    #[error("first model: {0}")]
    FirstModelFile(FileFault),
    /// The contract's state differs from its last settlement.
    #[error("contract: its {field} is {found}, the events give {expected}")]
    Current {
        /// The field.
        field: &'static str,
        /// From the events.
        expected: String,
        /// On chain.
        found: String,
    },
    /// A fault of a round.
    #[error("round {round}: {fault}")]
    Round {
        /// Round id.
        round: u64,
        /// The fault.
        fault: RoundFault,
    },
    /// A fault of the money.
    #[error("money (in the currency's least unit): {0}")]
    Money(MoneyFault),
}
