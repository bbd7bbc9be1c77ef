//! Faults of the money.

use fairshare_protocol::Address;

/// A fault of the money. Amounts are in the least unit of the project's currency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyFault {
    /// The owner deposited another amount than the terms require.
    #[error("the deposit was {found}, the terms require {expected}")]
    Deposit {
        /// The terms.
        expected: u128,
        /// The event.
        found: u128,
    },
    /// A stake or bond of another amount than the terms require.
    #[error("the {what} of {account} was {found}, the terms require {expected}")]
    Security {
        /// `stake` or `bond`.
        what: &'static str,
        /// Who paid it.
        account: Address,
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
        /// The credited amount.
        credited: u128,
        /// The escrow before.
        escrow: u128,
    },
    /// An account withdrew more than it was owed.
    #[error("{account} withdrew {taken}, but was owed {owed}")]
    Overdrawn {
        /// The account.
        account: Address,
        /// The withdrawn amount.
        taken: u128,
        /// The amount owed by the earlier events.
        owed: u128,
    },
    /// The owner received another rest of the escrow.
    #[error("the owner was credited {found} at the end, the events leave {expected} in escrow")]
    Returned {
        /// From the events.
        expected: u128,
        /// The event of the end.
        found: u128,
    },
    /// The escrow differs.
    #[error("the escrow is {found} on chain, the events give {expected}")]
    Escrow {
        /// From the events.
        expected: u128,
        /// On chain.
        found: u128,
    },
    /// The amount owed to an account differs.
    #[error("{account} is owed {found} on chain, the events give {expected}")]
    Owed {
        /// The account.
        account: Address,
        /// From the events.
        expected: u128,
        /// On chain.
        found: u128,
    },
    /// The contract holds less than it owes.
    #[error("the contract holds {found}, by the events it must hold {expected}")]
    Balance {
        /// Escrow, debts, stakes, bond and what is burnt.
        expected: u128,
        /// Its balance.
        found: u128,
    },
    /// What is burnt differs.
    #[error("{found} is burnt on chain, the events give {expected}")]
    Burnt {
        /// From the events.
        expected: u128,
        /// On chain.
        found: u128,
    },
    /// Of lost stakes or a bond another part was credited or burnt than the rules give.
    #[error("round {round}: of what was lost {found} was {what}, the rules give {expected}")]
    Loss {
        /// Round id.
        round: u64,
        /// `credited to each slot` or `burnt`.
        what: &'static str,
        /// By the rules.
        expected: u128,
        /// The event.
        found: u128,
    },
    /// Stakes or a bond were lost and neither divided nor burnt.
    #[error("{amount} was lost and neither divided nor burnt")]
    LossLeft {
        /// The amount.
        amount: u128,
    },
    /// The deposit does not equal the payments and the escrow.
    #[error(
        "deposit {deposit} differs from paid {paid} + fees {fees} + returned {returned} + escrow {escrow}"
    )]
    Sum {
        /// The owner's deposit.
        deposit: u128,
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
