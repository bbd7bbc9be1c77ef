//! Sending transactions: nothing is sent that would be refused or that the wallet cannot pay, and what is sent is brought
//! onto the chain before its phase ends.

use std::time::Duration;

use ethers::abi::RawLog;
use ethers::providers::Middleware;
use ethers::types::transaction::eip2718::TypedTransaction;
use ethers::types::{
    Address, BlockId, BlockNumber, Bytes, Eip1559TransactionRequest, TransactionReceipt, H256, U256,
};
use tokio::time::Instant;

use super::client::{explain, u128_from, CallError, Chain};
use super::error::ChainError;
use super::fees::{Abandoned, Fees};
use super::head::Head;
use super::pending::{Pending, Unmined, Wait};
use super::types::Receipt;
use crate::address::Address20;

/// Longest wait for transactions of the wallet that another process sent.
const OTHERS_TURN: Duration = Duration::from_secs(10);
/// How long a node may be behind another one of the same provider.
const LAG: Duration = Duration::from_secs(20);
/// Nonces that others may take before we give up.
const MOST_NONCES: u32 = 6;
/// Used when the node has no opinion on the tip, 1 gwei.
const DEFAULT_TIP: u64 = 1_000_000_000;

/// A mined transaction with what the callers need of it.
pub(super) struct Mined {
    pub(super) receipt: Receipt,
    pub(super) contract: Option<Address20>,
    pub(super) logs: Vec<(Address20, RawLog)>,
}

/// A call of a contract, or a deployment where `to` is `None`.
struct Call<'a> {
    /// Completes "the contract refused ..", such as "joining".
    action: &'a str,
    from: Address20,
    to: Option<Address20>,
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
        to: Option<Address20>,
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
        let account = Address::from(call.from);
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
    pub(super) async fn nonces_used(&self, account: Address) -> Result<U256, ChainError> {
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
        if receipt.status == Some(0u64.into()) {
            let at = receipt.block_number.map_or(BlockNumber::Latest, BlockNumber::Number);
            let (from, value) = (Some(call.from), call.value.into());
            let reason = match self.call(from, call.to, call.data.clone(), value, at.into()).await {
                Err(CallError::Revert(data)) => explain(&data),
                _ => "another transaction came first, or the gas did not suffice".into(),
            };
            let (action, transaction) = (call.action.to_owned(), receipt.transaction_hash.0);
            return Err(ChainError::Reverted { action, transaction, reason });
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
            .from(Address::from(self.from))
            .data(self.data.clone())
            .value(self.value);
        request.to = self.to.map(|to| Address::from(to).into());
        request
    }

    fn short(&self, has: u128, needs: u128) -> ChainError {
        let (action, wallet, value) = (self.action.to_owned(), self.from, self.value);
        ChainError::InsufficientFunds { action, wallet, has, needs, value }
    }
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
    use ethers::signers::LocalWallet;

    use super::*;
    use crate::chain::fake::{FakeChain, Sent};
    use crate::chain::Wallet;

    async fn chain() -> (FakeChain, Chain) {
        let fake = FakeChain::start().await;
        let signer: LocalWallet = format!("{:064x}", 7).parse().unwrap();
        let chain = Chain::connect(&fake.address, Some(Wallet { signer }), None).await.unwrap();
        (fake, chain)
    }

    /// Sends a call, and does `act` with the chain every 50 ms meanwhile.
    async fn send(
        fake: &FakeChain,
        chain: &Chain,
        deadline: Option<u64>,
        mut act: impl FnMut(&FakeChain),
    ) -> Result<Mined, ChainError> {
        let mut sending =
            std::pin::pin!(chain.send("the reveal", Some([1; 20]), Bytes::default(), 0, deadline));
        loop {
            tokio::select! {
                result = &mut sending => return result,
                () = tokio::time::sleep(Duration::from_millis(50)) => act(fake),
            }
        }
    }

    fn mine(fake: &FakeChain) {
        fake.with(|state| state.mine());
    }

    #[tokio::test]
    async fn a_transaction_is_sent_once_where_nothing_is_lost() {
        let (fake, chain) = chain().await;
        send(&fake, &chain, Some(1_060), mine).await.unwrap();
        let sent = fake.with(|state| state.sent.clone());
        assert_eq!(sent.iter().map(|sent| (sent.nonce, sent.max_fee)).collect::<Vec<_>>(), [(0, 208)]);
    }

    #[tokio::test]
    async fn a_broadcast_that_is_cut_off_is_made_again() {
        let (fake, chain) = chain().await;
        fake.with(|state| state.resets = 3);
        send(&fake, &chain, Some(1_060), mine).await.unwrap();
        assert_eq!(fake.with(|state| state.sent.len()), 1);
    }

    #[tokio::test]
    async fn a_transaction_that_the_node_forgot_is_sent_again_as_it_was() {
        let (fake, chain) = chain().await;
        fake.with(|state| state.swallow = 2);
        let mined = send(&fake, &chain, Some(1_020), |fake| {
            if fake.with(|state| state.sent.len() == 3) {
                mine(fake);
            }
        });
        mined.await.unwrap();
        let sent = fake.with(|state| state.sent.clone());
        assert_eq!(sent, [sent[0]; 3]);
    }

    #[tokio::test]
    async fn a_fee_that_the_base_fee_passed_is_raised_at_the_same_nonce() {
        let (fake, chain) = chain().await;
        let mut risen = false;
        let mined = send(&fake, &chain, Some(1_600), |fake| {
            fake.with(|state| {
                if !risen && !state.pool.is_empty() {
                    (state.base_fee, risen) = (5_000, true);
                }
                if risen {
                    state.mine();
                }
            });
        });
        mined.await.unwrap();
        let sent: Vec<Sent> = fake.with(|state| state.sent.clone());
        let newest = sent.last().unwrap();
        assert!(sent.iter().all(|sent| sent.nonce == 0), "{sent:?}");
        assert!(newest.max_fee > 10_000 && sent[0].max_fee == 208, "{sent:?}");
        assert_eq!(fake.with(|state| state.used), 1, "one of them was mined");
    }

    #[tokio::test]
    async fn a_transaction_that_nobody_mines_is_given_up_at_its_deadline_and_its_nonce_used_again() {
        let (fake, chain) = chain().await;
        let lost = send(&fake, &chain, Some(1_004), |fake| {
            fake.with(|state| {
                if !state.pool.is_empty() {
                    state.timestamp = 1_004;
                }
            });
        });
        let error = lost.await.err().unwrap();
        assert!(matches!(&error, ChainError::NotMined { .. }), "{error}");
        assert!(error.is_node_fault(), "the same may succeed later");
        send(&fake, &chain, None, mine).await.unwrap();
        let sent = fake.with(|state| state.sent.clone());
        let (first, last) = (sent.first().unwrap(), sent.last().unwrap());
        assert_eq!((first.nonce, last.nonce), (0, 0));
        assert!(last.max_fee > first.max_fee, "{sent:?}");
        assert_eq!(fake.with(|state| state.used), 1);
    }

    #[tokio::test]
    async fn a_nonce_that_another_process_takes_is_given_up_for_the_next_one() {
        let (fake, chain) = chain().await;
        let mut taken = false;
        let mined = send(&fake, &chain, Some(1_600), |fake| {
            fake.with(|state| match taken {
                false if !state.pool.is_empty() => {
                    state.pool.clear();
                    (state.used, taken) = (1, true);
                }
                false => {}
                true => state.mine(),
            });
        });
        mined.await.unwrap();
        let nonces: Vec<u64> = fake.with(|state| state.sent.iter().map(|sent| sent.nonce).collect());
        assert_eq!((nonces.first(), nonces.last()), (Some(&0), Some(&1)), "{nonces:?}");
        assert_eq!(fake.with(|state| state.used), 2);
    }

    #[tokio::test]
    async fn a_transaction_behind_one_that_a_fork_took_back_is_given_up_for_it() {
        let (fake, chain) = chain().await;
        fake.with(|state| state.used = 1);
        let mut forked = false;
        let lost = send(&fake, &chain, Some(1_600), |fake| {
            fake.with(|state| {
                if !forked && !state.pool.is_empty() {
                    (state.used, forked) = (0, true);
                }
                state.mine();
            });
        });
        let error = lost.await.err().unwrap();
        assert!(
            matches!(&error, ChainError::NotMined { .. }) && error.to_string().contains("fork"),
            "{error}"
        );
        send(&fake, &chain, None, mine).await.unwrap();
        let nonces: Vec<u64> = fake.with(|state| state.sent.iter().map(|sent| sent.nonce).collect());
        assert_eq!((nonces.first(), nonces.last()), (Some(&1), Some(&0)), "{nonces:?}");
        assert_eq!(fake.with(|state| state.used), 2, "and the one that waited behind it is mined as well");
    }

    #[tokio::test]
    async fn what_another_process_did_meanwhile_is_not_done_twice() {
        let (fake, chain) = chain().await;
        let mut taken = false;
        let refused = send(&fake, &chain, Some(1_600), |fake| {
            fake.with(|state| {
                if !taken && !state.pool.is_empty() {
                    state.pool.clear();
                    (state.used, state.refuses, taken) = (1, true, true);
                }
            });
        });
        let error = refused.await.err().unwrap();
        assert!(matches!(error, ChainError::Refused { .. }), "{error}");
        assert!(fake.with(|state| state.pool.is_empty() && state.used == 1));
    }

    #[tokio::test]
    async fn a_node_that_falters_is_asked_again() {
        let (fake, chain) = chain().await;
        fake.with(|state| state.pages = 4);
        assert_eq!(chain.now().await.unwrap(), 1_000);
        assert_eq!(fake.with(|state| state.pages), 0);
    }
}
