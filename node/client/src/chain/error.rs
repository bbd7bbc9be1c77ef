//! Why the chain did not do what was asked.

use fairshare_protocol::Wei;

use crate::address::{format_address, Address20};

/// Every message names the address or the account and says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The address of the RPC is none.
    #[error("{rpc:?} is not the address of an Ethereum RPC ({reason}); expected one such as http://127.0.0.1:8545")]
    BadAddress {
        /// What was given.
        rpc: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody answers.
    #[error("no Ethereum node answers at {rpc} ({reason}): start one (`fairshare devnet`) or name another with --rpc")]
    Unreachable {
        /// The RPC's address.
        rpc: String,
        /// What the connection failed with.
        reason: String,
    },
    /// Another chain than expected.
    #[error("the chain at {rpc} has id {found}, not {expected}: check --rpc and --chain-id")]
    WrongChain {
        /// The RPC's address.
        rpc: String,
        /// What was expected.
        expected: u64,
        /// What the node says.
        found: u64,
    },
    /// There is no contract.
    #[error("no {what} at {}: that address has no code on the chain with id {chain_id} at {rpc}; check the address and --rpc", format_address(address))]
    NoCode {
        /// What should be there.
        what: &'static str,
        /// Where it should be.
        address: Address20,
        /// The chain's id.
        chain_id: u64,
        /// The RPC's address.
        rpc: String,
    },
    /// There is a contract of another kind.
    #[error(
        "the contract at {} is not a Fairshare {what} ({reason}); check the address",
        format_address(address)
    )]
    OtherContract {
        /// What should be there.
        what: &'static str,
        /// Its address.
        address: Address20,
        /// How it answered.
        reason: String,
    },
    /// A contract that answers like one of Fairshare and is none of this version.
    #[error(
        "{} is not a Fairshare {what} of this version: {reason}; do not send anything there",
        format_address(address)
    )]
    NotGenuine {
        /// What it should be.
        what: &'static str,
        /// Its address.
        address: Address20,
        /// Which part is another.
        reason: String,
    },
    /// Something is to be sent and there is no wallet.
    #[error("{action} needs a wallet: name its keystore with --wallet")]
    NoWallet {
        /// What was to be done.
        action: String,
    },
    /// The wallet cannot pay. Nothing was sent.
    #[error("{action} needs {} ({value} with it, the rest for gas) and the wallet {} has {}: fund it; nothing was sent", ether(*needs), format_address(wallet), ether(*has), value = ether(*value))]
    InsufficientFunds {
        /// What was to be done.
        action: String,
        /// The wallet.
        wallet: Address20,
        /// Wei that it has.
        has: u128,
        /// Wei that it needs.
        needs: u128,
        /// The part of that which goes with the transaction.
        value: u128,
    },
    /// The wallet has too little of a token. Nothing was sent.
    #[error(
        "{action} needs {needs} units of the token {} and the wallet {} has {has}: fund it; nothing was sent",
        format_address(token),
        format_address(wallet)
    )]
    InsufficientTokens {
        /// What was to be done.
        action: String,
        /// The wallet.
        wallet: Address20,
        /// The token.
        token: Address20,
        /// Least units that it has.
        has: u128,
        /// Least units that it needs.
        needs: u128,
    },
    /// The contract would refuse. Nothing was sent.
    #[error("the contract refused {action}: {reason}")]
    Refused {
        /// What was to be done.
        action: String,
        /// The contract's reason, in words.
        reason: String,
    },
    /// The contract refused when the transaction was mined; its gas is spent.
    #[error("the contract refused {action} in transaction 0x{}: {reason}", hex::encode(transaction))]
    Reverted {
        /// What was to be done.
        action: String,
        /// The transaction.
        transaction: [u8; 32],
        /// The contract's reason, in words.
        reason: String,
    },
    /// Sent, and not mined in time. It may still be.
    #[error(
        "{action}: transaction 0x{} was not mined within {seconds} s, though it was sent again and its fee raised; it may still be{}",
        hex::encode(transaction),
        fault.as_ref().map_or_else(String::new, |fault| format!(" ({fault})"))
    )]
    NotMined {
        /// What was to be done.
        action: String,
        /// The transaction.
        transaction: [u8; 32],
        /// How long was waited.
        seconds: u64,
        /// What the node answered last, when that was no answer.
        fault: Option<String>,
    },
    /// The node answered with an error.
    #[error("{what}: the Ethereum node at {rpc} answered: {reason}")]
    Rpc {
        /// What was asked.
        what: String,
        /// The RPC's address.
        rpc: String,
        /// The node's words.
        reason: String,
    },
    /// What came from the chain is not what a Fairshare contract writes.
    #[error("{what} cannot be read: {reason}")]
    Decode {
        /// What was read.
        what: String,
        /// What is wrong with it.
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

/// An amount for people: ether with its decimals, without trailing zeros.
pub fn ether(wei: u128) -> String {
    const ONE: u128 = 1_000_000_000_000_000_000;
    if wei != 0 && wei < ONE / 1_000_000_000 {
        return Wei(wei).to_string();
    }
    let text = format!("{}.{:018}", wei / ONE, wei % ONE);
    format!("{} ether", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_short_and_exact() {
        for (wei, text) in [
            (0, "0 ether"),
            (1, "1 wei"),
            (1_000_000_000, "0.000000001 ether"),
            (1_500_000_000_000_000_000, "1.5 ether"),
            (1_000_000_000_000_000_000_000, "1000 ether"),
            (1_000_000_000_000_000_001, "1.000000000000000001 ether"),
        ] {
            assert_eq!(ether(wei), text);
        }
    }
}
