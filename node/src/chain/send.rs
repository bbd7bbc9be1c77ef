//! Sending transactions: nothing is sent that would be refused or that the wallet cannot pay.

use std::time::Duration;

use ethers::abi::RawLog;
use ethers::providers::Middleware;
use ethers::signers::Signer;
use ethers::types::transaction::eip2718::TypedTransaction;
use ethers::types::{
    Address, BlockId, BlockNumber, Bytes, Eip1559TransactionRequest, TransactionReceipt, H256, U256,
};
use tokio::time::Instant;

use super::client::{explain, u128_from, CallError, Chain, POLLING_INTERVAL};
use super::error::ChainError;
use super::types::Receipt;
use crate::address::Address20;

/// How long a transaction may take to be mined.
const MINING_TIMEOUT: Duration = Duration::from_secs(120);
/// Used when the node has no opinion on the tip, 1 gwei.
const DEFAULT_TIP: u64 = 1_000_000_000;

/// A mined transaction with what the callers need of it.
pub(super) struct Mined {
    pub(super) receipt: Receipt,
    pub(super) contract: Option<Address20>,
    pub(super) logs: Vec<(Address20, RawLog)>,
}

impl Chain {
    /// Sends a transaction of the wallet (`to` is `None` for a deployment) and waits until it is mined.
    ///
    /// `action` completes "the contract refused ..", such as "joining".
    pub(super) async fn send(
        &self,
        action: &str,
        to: Option<Address20>,
        data: Bytes,
        value: u128,
    ) -> Result<Mined, ChainError> {
        let wallet = self.wallet(action)?.clone();
        let _turn = self.inner.sending.lock().await;
        let from = wallet.address();
        let funds = self.balance(from).await?;
        let short = |needs: u128| ChainError::InsufficientFunds {
            action: action.to_owned(),
            wallet: from,
            has: funds,
            needs,
            value,
        };
        if funds < value {
            return Err(short(value));
        }
        let refused = |data: Bytes| ChainError::Refused { action: action.to_owned(), reason: explain(&data) };
        // Without a gas price, so that an empty wallet still learns what the contract says.
        match self.call(Some(from), to, data.clone(), value.into(), BlockNumber::Latest).await {
            Ok(_) => {}
            Err(CallError::Revert(data)) => return Err(refused(data)),
            Err(CallError::Other(error)) => return Err(error),
        }
        let (max_fee, tip) = self.fees().await?;
        let mut request =
            Eip1559TransactionRequest::new().from(Address::from(from)).data(data.clone()).value(value);
        request.to = to.map(|to| Address::from(to).into());
        let estimate = TypedTransaction::Eip1559(request.clone());
        let gas = match self
            .ask_contract("eth_estimateGas", self.inner.provider.estimate_gas(&estimate, None))
            .await
        {
            Ok(gas) => gas,
            Err(CallError::Revert(data)) => return Err(refused(data)),
            // The call above passed: what is left is that gas costs more than there is.
            Err(CallError::Other(ChainError::Rpc { reason, .. }))
                if reason.to_lowercase().contains("insufficient") =>
            {
                return Err(short(
                    value.saturating_add(u128_from(max_fee, "the gas price")?.saturating_mul(100_000)),
                ));
            }
            Err(CallError::Other(error)) => return Err(error),
        };
        // The last one to join, commit or reveal also opens the next phase; who is last is not known yet.
        let gas = gas + gas / 2 + 150_000;
        let needs = u128_from(U256::from(value) + gas * max_fee, "the cost of a transaction")?;
        if funds < needs {
            return Err(short(needs));
        }
        let pending = Some(BlockId::Number(BlockNumber::Pending));
        let nonce = self
            .ask(
                "eth_getTransactionCount",
                self.inner.provider.get_transaction_count(Address::from(from), pending),
            )
            .await?;
        let request = request
            .gas(gas)
            .nonce(nonce)
            .max_fee_per_gas(max_fee)
            .max_priority_fee_per_gas(tip)
            .chain_id(self.inner.chain_id);
        let transaction = TypedTransaction::Eip1559(request);
        let signer = wallet.signer.with_chain_id(self.inner.chain_id);
        let signature = signer
            .sign_transaction(&transaction)
            .await
            .map_err(|e| ChainError::decode("the signature of a transaction", e))?;
        let raw = transaction.rlp_signed(&signature);
        let sent = self.ask(action, self.inner.provider.send_raw_transaction(raw)).await?;
        let hash = sent.tx_hash();
        tracing::debug!(action, transaction = ?hash, "sent");
        let receipt = self.mined(action, hash).await?;
        if receipt.status == Some(0u64.into()) {
            let at = receipt.block_number.map_or(BlockNumber::Latest, BlockNumber::Number);
            let reason = match self.call(Some(from), to, data, value.into(), at).await {
                Err(CallError::Revert(data)) => explain(&data),
                _ => "another transaction came first, or the gas did not suffice".into(),
            };
            return Err(ChainError::Reverted { action: action.to_owned(), transaction: hash.0, reason });
        }
        Ok(Mined {
            receipt: summary(&receipt),
            contract: receipt.contract_address.map(|a| a.0),
            logs: receipt
                .logs
                .into_iter()
                .map(|l| (l.address.0, RawLog { topics: l.topics, data: l.data.to_vec() }))
                .collect(),
        })
    }

    /// The receipt of a transaction, as soon as it is mined.
    async fn mined(&self, action: &str, hash: H256) -> Result<TransactionReceipt, ChainError> {
        let deadline = Instant::now() + MINING_TIMEOUT;
        loop {
            if let Some(receipt) = self.receipt(hash).await? {
                return Ok(receipt);
            }
            if Instant::now() >= deadline {
                let seconds = MINING_TIMEOUT.as_secs();
                return Err(ChainError::NotMined { action: action.to_owned(), transaction: hash.0, seconds });
            }
            tokio::time::sleep(POLLING_INTERVAL).await;
        }
    }

    /// The receipt of a transaction, when it is mined.
    pub(super) async fn receipt(&self, hash: H256) -> Result<Option<TransactionReceipt>, ChainError> {
        self.ask("eth_getTransactionReceipt", self.inner.provider.get_transaction_receipt(hash)).await
    }

    /// The most that a unit of gas may cost (twice the base fee, and the tip), and the tip.
    pub(super) async fn fees(&self) -> Result<(U256, U256), ChainError> {
        let provider = &self.inner.provider;
        let block = self.ask("eth_getBlockByNumber", provider.get_block(BlockNumber::Latest)).await?;
        let base = block.and_then(|b| b.base_fee_per_gas).unwrap_or_default();
        let tip =
            provider.request::<_, U256>("eth_maxPriorityFeePerGas", ()).await.unwrap_or(DEFAULT_TIP.into());
        Ok((base * 2 + tip, tip))
    }
}

pub(super) fn summary(receipt: &TransactionReceipt) -> Receipt {
    Receipt {
        transaction: receipt.transaction_hash.0,
        gas_used: receipt.gas_used.unwrap_or_default().low_u64(),
        block: receipt.block_number.unwrap_or_default().as_u64(),
    }
}
