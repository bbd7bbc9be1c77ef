//! Sending transactions: nothing is sent that would be refused or that the wallet cannot pay, and what is sent is brought
//! onto the chain before its phase ends.

use std::time::Duration;

use ethers::providers::Middleware;
use ethers::types::transaction::eip2718::TypedTransaction;
use ethers::types::{BlockId, BlockNumber, Bytes, Eip1559TransactionRequest, TransactionReceipt, H160, U256};
use fairshare_protocol::Address;
use tokio::time::Instant;

use super::client::{explain, u128_from, CallError, Chain};
use super::error::ChainError;
use super::fees::{Abandoned, Fees};
use super::head::Head;
use super::pending::{Pending, Unmined, Wait};
use super::receipts::Mined;

/// Longest wait for transactions of the wallet that another process sent.
const OTHERS_TURN: Duration = Duration::from_secs(10);
/// Nonces that others may take before we give up.
const MOST_NONCES: u32 = 6;
/// Used when the node has no opinion on the tip, 1 gwei.
const DEFAULT_TIP: u64 = 1_000_000_000;

/// A call of a contract, or a deployment where `to` is `None`.
struct Call<'a> {
    /// Completes "the contract refused ..", such as "joining".
    action: &'a str,
    from: Address,
    to: Option<Address>,
    data: Bytes,
    value: u128,
}

impl Chain {
    /// Sends a transaction of the wallet (`to` is `None` for a deployment) and waits until it is mined: until `deadline`,
    /// the chain time in Unix seconds from which on the contract refuses it, or two minutes where there is none.
    ///
    /// `action` completes "the contract refused ..", such as "joining".
    pub(super) async fn send(
        &self,
        action: &str,
        to: Option<Address>,
        data: Bytes,
        value: u128,
        deadline: Option<u64>,
    ) -> Result<Mined, ChainError> {
        let from = self.wallet(action)?.address();
        let call = Call { action, from, to, data, value };
        let mut abandoned = self.inner.sending.lock().await;
        let wait = Wait::new(&self.head().await?, deadline);
        let mut least = U256::zero();
        for _ in 0..MOST_NONCES {
            let nonce = self.next_nonce(&call, least, *abandoned, &wait).await?;
            // After the wallet's other transactions: one of them may have done the same.
            let gas = self.checked_gas(&call).await?;
            let (request, fees) = self.priced(&call, gas, nonce, *abandoned).await?;
            let mut pending = Pending::new(self, action, request, fees).await?;
            match pending.mined(&wait).await {
                Ok(receipt) => {
                    *abandoned = None;
                    return self.outcome(&call, receipt).await;
                }
                Err(Unmined::NonceTaken) => least = nonce + 1,
                Err(Unmined::Failed(error)) => {
                    *abandoned = Some(Abandoned { nonce, fees: pending.fees() });
                    return Err(error);
                }
            }
        }
        let reason = format!(
            "{MOST_NONCES} other transactions of the wallet came first: end the other program that uses this wallet"
        );
        Err(self.refusal(action, reason))
    }

    /// The nonce for the next transaction: that of the abandoned one, if it was never mined, or the first free one.
    async fn next_nonce(
        &self,
        call: &Call<'_>,
        least: U256,
        abandoned: Option<Abandoned>,
        wait: &Wait,
    ) -> Result<U256, ChainError> {
        let account = H160(call.from.0);
        let give_up = Instant::now() + OTHERS_TURN.min(wait.whole() / 4);
        loop {
            let used = self.nonces_used(account).await?;
            if abandoned.is_some_and(|abandoned| abandoned.nonce == used) {
                return Ok(used.max(least));
            }
            let block = Some(BlockId::Number(BlockNumber::Pending));
            let question = self.inner.provider.get_transaction_count(account, block);
            let queued = match self.ask("eth_getTransactionCount", question).await {
                Ok(queued) => queued,
                // Some providers know no pending block.
                Err(ChainError::Rpc { .. }) => used,
                Err(error) => return Err(error),
            };
            // A transaction from before a restart, or of another process, is given some time, then replaced.
            if queued <= used || Instant::now() >= give_up {
                return Ok(used.max(least));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// How many nonces the account has used on the chain: the next one's number.
    pub(super) async fn nonces_used(&self, account: H160) -> Result<U256, ChainError> {
        self.ask("eth_getTransactionCount", self.inner.provider.get_transaction_count(account, None)).await
    }

    /// The gas to send a call with, after a try that costs nothing.
    async fn checked_gas(&self, call: &Call<'_>) -> Result<U256, ChainError> {
        let funds = self.balance(call.from).await?;
        if funds < call.value {
            return Err(call.short(funds, call.value));
        }
        let refused =
            |data: Bytes| ChainError::Refused { action: call.action.to_owned(), reason: explain(&data) };
        // Without a gas price, so that an empty wallet still learns what the contract says.
        let (from, value) = (Some(call.from), call.value.into());
        match self.call(from, call.to, call.data.clone(), value, BlockNumber::Latest.into()).await {
            Ok(_) => {}
            Err(CallError::Revert(data)) => return Err(refused(data)),
            Err(CallError::Other(error)) => return Err(error),
        }
        let estimate = TypedTransaction::Eip1559(call.request());
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
                let price = self.gas_price().await?;
                return Err(call.short(funds, call.value.saturating_add(price.saturating_mul(100_000))));
            }
            Err(CallError::Other(error)) => return Err(error),
        };
        // The last one to join, commit or reveal also opens the next phase; who is last is not known yet.
        let with_margin = gas.checked_add(gas / 2).and_then(|gas| gas.checked_add(150_000.into()));
        with_margin.ok_or_else(|| ChainError::decode("the gas of a transaction", "it overflows"))
    }

    /// The request with its fees, which the wallet must be able to pay.
    async fn priced(
        &self,
        call: &Call<'_>,
        gas: U256,
        nonce: U256,
        abandoned: Option<Abandoned>,
    ) -> Result<(Eip1559TransactionRequest, Fees), ChainError> {
        let mut fees = self.fees(&self.head().await?).await?;
        let funds = self.balance(call.from).await?;
        let cost = gas.checked_mul(fees.max_fee).and_then(|cost| cost.checked_add(call.value.into()));
        let cost = cost.ok_or_else(|| ChainError::decode("the cost of a transaction", "it overflows"))?;
        let needs = u128_from(cost, "the cost of a transaction")?;
        if funds < needs {
            return Err(call.short(funds, needs));
        }
        let request = call.request().gas(gas).nonce(nonce).chain_id(self.inner.chain_id);
        if let Some(abandoned) = abandoned.filter(|abandoned| abandoned.nonce == nonce) {
            fees = abandoned.fees.raised(fees).within(abandoned.fees, funds, &request).unwrap_or(fees);
        }
        Ok((request, fees))
    }

    /// What came of a mined transaction.
    async fn outcome(&self, call: &Call<'_>, receipt: TransactionReceipt) -> Result<Mined, ChainError> {
        if receipt.status != Some(0u64.into()) {
            return Ok(receipt.into());
        }
        let at = receipt.block_number.map_or(BlockNumber::Latest, BlockNumber::Number);
        let (from, value) = (Some(call.from), call.value.into());
        let reason = match self.call(from, call.to, call.data.clone(), value, at.into()).await {
            Err(CallError::Revert(data)) => explain(&data),
            _ => "another transaction came first, or the gas did not suffice".into(),
        };
        let (action, transaction) = (call.action.to_owned(), receipt.transaction_hash.0);
        Err(ChainError::Reverted { action, transaction, reason })
    }

    /// What a transaction offers after `head`.
    pub(super) async fn fees(&self, head: &Head) -> Result<Fees, ChainError> {
        let provider = &self.inner.provider;
        let tip =
            provider.request::<_, U256>("eth_maxPriorityFeePerGas", ()).await.unwrap_or(DEFAULT_TIP.into());
        Fees::at(head, tip)
    }

    pub(super) fn refusal(&self, action: &str, reason: String) -> ChainError {
        ChainError::Rpc { what: action.to_owned(), rpc: self.inner.rpc.clone(), reason }
    }
}

impl Call<'_> {
    fn request(&self) -> Eip1559TransactionRequest {
        let mut request = Eip1559TransactionRequest::new()
            .from(H160(self.from.0))
            .data(self.data.clone())
            .value(self.value);
        request.to = self.to.map(|to| H160(to.0).into());
        request
    }

    fn short(&self, has: u128, needs: u128) -> ChainError {
        let (action, wallet, value) = (self.action.to_owned(), self.from, self.value);
        ChainError::InsufficientFunds { action, wallet, has, needs, value }
    }
}

#[cfg(test)]
#[path = "send_tests.rs"]
mod tests;
