//! Receipts of mined transactions.

use std::time::Duration;

use ethers::abi::RawLog;
use ethers::providers::Middleware;
use ethers::types::{TransactionReceipt, H256};
use fairshare_protocol::Address;
use tokio::time::Instant;

use super::client::Chain;
use super::error::ChainError;
use super::types::Receipt;

/// How long a node may be behind another one of the same provider.
const LAG: Duration = Duration::from_secs(20);

/// A mined transaction with what the callers need of it.
pub(super) struct Mined {
    pub(super) receipt: Receipt,
    pub(super) contract: Option<Address>,
    pub(super) logs: Vec<(Address, RawLog)>,
}

impl From<TransactionReceipt> for Mined {
    fn from(receipt: TransactionReceipt) -> Self {
        Self {
            receipt: summary(&receipt),
            contract: receipt.contract_address.map(|a| Address(a.0)),
            logs: receipt
                .logs
                .into_iter()
                .map(|l| (Address(l.address.0), RawLog { topics: l.topics, data: l.data.to_vec() }))
                .collect(),
        }
    }
}

impl Chain {
    /// The receipt of a transaction, when it is mined.
    pub(super) async fn receipt(&self, hash: H256) -> Result<Option<TransactionReceipt>, ChainError> {
        let receipt =
            self.ask("eth_getTransactionReceipt", self.inner.provider.get_transaction_receipt(hash)).await?;
        // Some nodes answer for a transaction that still waits.
        Ok(receipt.filter(|receipt| receipt.block_number.is_some()))
    }

    /// The receipt of a transaction that another node of the provider has shown as mined: this one may be some blocks
    /// behind, so we wait for it.
    pub(super) async fn mined_receipt(&self, hash: H256) -> Result<TransactionReceipt, ChainError> {
        let give_up = Instant::now() + LAG;
        loop {
            if let Some(receipt) = self.receipt(hash).await? {
                return Ok(receipt);
            }
            if Instant::now() >= give_up {
                return Err(ChainError::decode(
                    format!("the receipt of transaction {hash:?}"),
                    format!("the node has none after {} s; try another node with --rpc", LAG.as_secs()),
                ));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

pub(super) fn summary(receipt: &TransactionReceipt) -> Receipt {
    Receipt {
        transaction: receipt.transaction_hash.0,
        gas_used: receipt.gas_used.unwrap_or_default().low_u64(),
        block: receipt.block_number.unwrap_or_default().as_u64(),
    }
}
