//! Faults of the money.

use fairshare_client::{format_address, Address20};

/// What does not add up. Amounts are in the least unit of the project's currency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyFault {
    /// The owner put down another amount than the terms ask for.
    #[error("the deposit was {found}, the terms ask for {expected}")]
    Deposit {
        /// The terms.
        expected: u128,
        /// The event.
        found: u128,
    },
    /// A stake or bond of another amount than the terms ask for.
    #[error("the {what} of {} was {found}, the terms ask for {expected}", format_address(.account))]
    Security {
        /// `stake` or `bond`.
        what: &'static str,
        /// Who put it down.
        account: Address20,
        /// The terms.
        expected: u128,
        /// The event.
        found: u128,
    },
    /// A settlement paid out more than the escrow held.
    #[error("round {round} credited {credited}, with {escrow} in escrow")]
    EscrowOverdrawn {
        /// Round id.
        round: u64,
        /// What was credited.
        credited: u128,
        /// What was there.
        escrow: u128,
    },
    /// Somebody took out more than it was owed.
    #[error("{} took out {taken}, with {owed} owed", format_address(.account))]
    Overdrawn {
        /// Who.
        account: Address20,
        /// How much.
        taken: u128,
        /// What was owed by the events before.
        owed: u128,
    },
    /// The owner got another rest.
    #[error("the owner was credited {found} at the end, the events leave {expected} in escrow")]
    Returned {
        /// From the events.
        expected: u128,
        /// The event of the end.
        found: u128,
    },
    /// The escrow is another.
    #[error("the escrow is {found} on chain, the events give {expected}")]
    Escrow {
        /// From the events.
        expected: u128,
        /// On chain.
        found: u128,
    },
    /// Somebody is owed another amount.
    #[error("{} is owed {found} on chain, the events give {expected}", format_address(.account))]
    Owed {
        /// Who.
        account: Address20,
        /// From the events.
        expected: u128,
        /// On chain.
        found: u128,
    },
    /// The contract holds less than it owes.
    #[error("the contract holds {found}, the events say that it must hold {expected}")]
    Balance {
        /// Escrow, what is owed, stakes and bond.
        expected: u128,
        /// Its balance.
        found: u128,
    },
    /// The deposit did not stay whole.
    #[error("deposit {deposit} + slashed {slashed} are not paid {paid} + fees {fees} + returned {returned} + escrow {escrow}")]
    Sum {
        /// The owner's deposit.
        deposit: u128,
        /// Stakes and parts of the bond that fell into escrow.
        slashed: u128,
        /// Trainers' shares.
        paid: u128,
        /// Aggregators' fees.
        fees: u128,
        /// Back to the owner.
        returned: u128,
        /// On chain.
        escrow: u128,
    },
}
