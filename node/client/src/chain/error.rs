//! Errors of the chain.

use fairshare_protocol::{Address, Money};

/// Why a request to the chain failed. Every message names the address or the account, and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The address cannot be that of an Ethereum RPC.
    #[error("{rpc:?} is not the address of an Ethereum RPC ({reason}); expected one such as http://127.0.0.1:8545")]
    BadAddress {
        /// The given text.
        rpc: String,
        /// Why it is refused.
        reason: String,
    },
    /// Nothing listens at the address.
    #[error("no Ethereum node answers at {rpc} ({reason}): start one (`fairshare devnet`) or name another with --rpc")]
    Unreachable {
        /// The RPC's address.
        rpc: String,
        /// The error of the connection.
        reason: String,
    },
    /// The node serves another chain.
    #[error("the chain at {rpc} has id {found}, not {expected}: check --rpc and --chain-id")]
    WrongChain {
        /// The RPC's address.
        rpc: String,
        /// The expected id.
        expected: u64,
        /// The node's id.
        found: u64,
    },
    /// The address has no code.
    #[error("no {what} at {address}: that address has no code on the chain with id {chain_id} at {rpc}; check the address and --rpc")]
    NoCode {
        /// The expected contract.
        what: &'static str,
        /// Its address.
        address: Address,
        /// The chain's id.
        chain_id: u64,
        /// The RPC's address.
        rpc: String,
    },
    /// The contract is of another kind.
    #[error("the contract at {address} is not a Fairshare {what} ({reason}); check the address")]
    OtherContract {
        /// The expected contract.
        what: &'static str,
        /// Its address.
        address: Address,
        /// How its answer differs.
        reason: String,
    },
    /// Not a Fairshare contract of this version, although it answers like one.
    #[error("{address} is not a Fairshare {what} of this version: {reason}; do not send anything there")]
    NotGenuine {
        /// The expected contract.
        what: &'static str,
        /// Its address.
        address: Address,
        /// The part that differs.
        reason: String,
    },
    /// A transaction needs a wallet, and none is given.
    #[error("{action} needs a wallet: name its keystore with --wallet")]
    NoWallet {
        /// The action.
        action: String,
    },
    /// The wallet cannot pay. Nothing was sent.
    #[error("{action} needs {} ({value} with it, the rest for gas) and the wallet {} has {}: fund it; nothing was sent", ether(*needs), wallet, ether(*has), value = ether(*value))]
    InsufficientFunds {
        /// The action.
        action: String,
        /// The wallet.
        wallet: Address,
        /// Its balance in wei.
        has: u128,
        /// The wei that it needs.
        needs: u128,
        /// The part that the transaction transfers.
        value: u128,
    },
    /// The wallet does not have enough of a token. Nothing was sent.
    #[error(
        "{action} needs {needs} units of the token {} and the wallet {} has {has}: fund it; nothing was sent",
        token,
        wallet
    )]
    InsufficientTokens {
        /// The action.
        action: String,
        /// The wallet.
        wallet: Address,
        /// The token.
        token: Address,
        /// Its balance in least units.
        has: u128,
        /// The least units that it needs.
        needs: u128,
    },
    /// The contract would refuse the call. Nothing was sent.
    #[error("the contract refused {action}: {reason}")]
    Refused {
        /// The action.
        action: String,
        /// The contract's reason.
        reason: String,
    },
    /// The mined transaction reverted; its gas is spent.
    #[error("the contract refused {action} in transaction 0x{}: {reason}", hex::encode(transaction))]
    Reverted {
        /// The action.
        action: String,
        /// The transaction.
        transaction: [u8; 32],
        /// The contract's reason.
        reason: String,
    },
    /// Sent, but not mined in time. It may still be mined.
    #[error(
        "{action}: transaction 0x{} was not mined within {seconds} s, although it was sent again with a higher fee; it may still be mined{}",
        hex::encode(transaction),
        fault.as_ref().map_or_else(String::new, |fault| format!(" ({fault})"))
    )]
    NotMined {
        /// The action.
        action: String,
        /// The transaction.
        transaction: [u8; 32],
        /// Duration of the wait.
        seconds: u64,
        /// The last error of the node, if it failed to answer.
        fault: Option<String>,
    },
    /// The node answered with an error.
    #[error("{what}: the Ethereum node at {rpc} answered: {reason}")]
    Rpc {
        /// The request.
        what: String,
        /// The RPC's address.
        rpc: String,
        /// The node's message.
        reason: String,
    },
    /// Data from the chain that no Fairshare contract writes.
    #[error("{what} cannot be read: {reason}")]
    Decode {
        /// What the data should be.
        what: String,
        /// Why it is refused.
        reason: String,
    },
}

impl ChainError {
    /// True when the node or the network, not the request, is at fault, so that the same request may pass later.
    pub fn is_node_fault(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Rpc { .. } | Self::NotMined { .. })
    }

    pub(crate) fn decode(what: impl Into<String>, reason: impl ToString) -> Self {
        Self::Decode { what: what.into(), reason: reason.to_string() }
    }
}

/// An amount of ether as text.
pub fn ether(wei: u128) -> String {
    Money::wei(wei).to_string()
}
