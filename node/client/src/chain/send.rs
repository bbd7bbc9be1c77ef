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
/// How long a node is left alone after a fault.
const PAUSE_AFTER_FAULT: Duration = Duration::from_millis(500);
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
        let with_margin = gas.checked_add(gas / 2).and_then(|gas| gas.checked_add(150_000.into()));
        let gas =
            with_margin.ok_or_else(|| ChainError::decode("the gas of a transaction", "it overflows"))?;
        let cost = gas.checked_mul(max_fee).and_then(|cost| cost.checked_add(value.into()));
        let cost = cost.ok_or_else(|| ChainError::decode("the cost of a transaction", "it overflows"))?;
        let needs = u128_from(cost, "the cost of a transaction")?;
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
        let hash = H256(ethers::utils::keccak256(&raw));
        let sending = format!("{action} (transaction {hash:?})");
        match self.ask(&sending, self.inner.provider.send_raw_transaction(raw)).await {
            Ok(_) => tracing::debug!(action, transaction = ?hash, "sent"),
            // No answer: it may have arrived all the same, and its receipt says so.
            Err(error @ ChainError::Unreachable { .. }) => {
                tracing::warn!(action, transaction = ?hash, %error, "sent without an answer");
            }
            Err(error) => return Err(error),
        }
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

    /// The receipt of a transaction, as soon as it is mined. A node that falters meanwhile is borne with.
    async fn mined(&self, action: &str, hash: H256) -> Result<TransactionReceipt, ChainError> {
        let deadline = Instant::now() + MINING_TIMEOUT;
        loop {
            let (fault, pause) = match self.receipt(hash).await {
                Ok(Some(receipt)) => return Ok(receipt),
                Ok(None) => (None, POLLING_INTERVAL),
                Err(error) => (Some(error.to_string()), PAUSE_AFTER_FAULT),
            };
            if Instant::now() >= deadline {
                let (action, transaction) = (action.to_owned(), hash.0);
                let seconds = MINING_TIMEOUT.as_secs();
                return Err(ChainError::NotMined { action, transaction, seconds, fault });
            }
            tokio::time::sleep(pause).await;
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
        let most =
            most_for_gas(base, tip).ok_or_else(|| ChainError::decode("the gas price", "it overflows"))?;
        Ok((most, tip))
    }
}

fn most_for_gas(base: U256, tip: U256) -> Option<U256> {
    base.checked_mul(2.into())?.checked_add(tip)
}

pub(super) fn summary(receipt: &TransactionReceipt) -> Receipt {
    Receipt {
        transaction: receipt.transaction_hash.0,
        gas_used: receipt.gas_used.unwrap_or_default().low_u64(),
        block: receipt.block_number.unwrap_or_default().as_u64(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{json, Value};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[test]
    fn a_gas_price_that_overflows_is_no_price() {
        assert_eq!(most_for_gas(7.into(), 2.into()), Some(16.into()));
        assert_eq!(most_for_gas(U256::MAX, 0.into()), None);
        assert_eq!(most_for_gas(U256::MAX / 2, 2.into()), None);
    }

    /// A node that gives these results one after the other, and an error of its proxy for each that is null.
    async fn node(results: Vec<Value>) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            for result in results {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut text = Vec::new();
                let request: Value = loop {
                    let mut part = [0; 4096];
                    let read = stream.read(&mut part).await.unwrap();
                    text.extend_from_slice(&part[..read]);
                    let body = text.windows(4).position(|w| w == b"\r\n\r\n").map_or(text.len(), |at| at + 4);
                    if let Ok(request) = serde_json::from_slice(&text[body..]) {
                        break request;
                    }
                };
                let (status, body) = match result {
                    Value::Null => ("502 Bad Gateway", "<html>".to_owned()),
                    result => (
                        "200 OK",
                        json!({"jsonrpc": "2.0", "id": request["id"], "result": result}).to_string(),
                    ),
                };
                let head = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn a_node_that_falters_while_a_transaction_is_mined_is_borne_with() {
        let hash = H256::repeat_byte(7);
        let receipt =
            TransactionReceipt { transaction_hash: hash, block_number: Some(3.into()), ..Default::default() };
        let results = vec![json!("0x7a69"), Value::Null, json!("nonsense"), json!(receipt)];
        let chain = Chain::connect(&node(results).await, None, None).await.unwrap();
        assert_eq!(chain.mined("joining", hash).await.unwrap().transaction_hash, hash);
    }
}
