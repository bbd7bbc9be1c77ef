//! A connection to a chain: reads with deadlines and typed errors.

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use ethers::abi::AbiDecode;
use ethers::contract::EthCall;
use ethers::providers::{Http, JsonRpcError, Middleware, Provider, ProviderError, RpcError};
use ethers::types::transaction::eip2718::TypedTransaction;
use ethers::types::{Block, BlockId, BlockNumber, Bytes, Eip1559TransactionRequest, H160, H256, U256};
use fairshare_protocol::Address;

use super::error::ChainError;
use super::fees::Abandoned;
use super::head::Head;
use super::transport::Retrying;
use super::wallet::Wallet;
use crate::retry::while_lagging;

/// What we say of a node whose latest block is from before the contract.
pub(super) const LAGGING: &str = "its latest block is older than the contract: it is behind";
/// Interval between requests for a receipt.
pub(super) const POLLING_INTERVAL: Duration = Duration::from_millis(50);
/// Time limit of one attempt at a request.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);
/// Time limit of a request with all attempts.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(30);

/// A chain, optionally with a wallet. Cheap to clone; clones share the queue in which the wallet's transactions are sent one
/// after the other.
#[derive(Clone)]
pub struct Chain {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) rpc: String,
    pub(super) chain_id: u64,
    pub(super) provider: Provider<Retrying>,
    pub(super) wallet: Option<Wallet>,
    /// Locked while a transaction is pending, so that each one gets its own nonce. Holds the last one if we gave up waiting
    /// for it.
    pub(super) sending: tokio::sync::Mutex<Option<Abandoned>>,
}

impl Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain").field("rpc", &self.inner.rpc).field("chain_id", &self.inner.chain_id).finish()
    }
}

/// A failed call: the error of the node, or of the contract.
pub(super) enum CallError {
    /// The contract reverted with this data.
    Revert(Bytes),
    /// Any other error.
    Other(ChainError),
}

impl Chain {
    /// Connects to the node at `rpc`, such as `http://127.0.0.1:8545`.
    ///
    /// # Errors
    /// [`ChainError::BadAddress`], [`ChainError::Unreachable`], and [`ChainError::WrongChain`] when the chain's id is
    /// not the expected one.
    pub async fn connect(
        rpc: &str,
        wallet: Option<Wallet>,
        expected_chain_id: Option<u64>,
    ) -> Result<Self, ChainError> {
        let bad = |reason: String| ChainError::BadAddress { rpc: rpc.to_owned(), reason };
        if !rpc.starts_with("http://") {
            return Err(bad("it does not start with http://".into()));
        }
        let url: reqwest::Url = rpc.parse().map_err(|e| bad(format!("{e}")))?;
        // No proxy: one that is set for the web cannot reach a node on this machine.
        let client = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(Duration::from_secs(10))
            .timeout(ATTEMPT_TIMEOUT)
            .build()
            .map_err(|e| bad(e.to_string()))?;
        let provider =
            Provider::new(Retrying::new(Http::new_with_client(url, client))).interval(POLLING_INTERVAL);
        let found = ask(rpc, "eth_chainId", provider.get_chainid()).await?.low_u64();
        if let Some(expected) = expected_chain_id.filter(|e| *e != found) {
            return Err(ChainError::WrongChain { rpc: rpc.to_owned(), expected, found });
        }
        let inner =
            Inner { rpc: rpc.to_owned(), chain_id: found, provider, wallet, sending: Default::default() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The chain's id.
    pub fn chain_id(&self) -> u64 {
        self.inner.chain_id
    }

    /// The RPC's address.
    pub fn rpc(&self) -> &str {
        &self.inner.rpc
    }

    /// The wallet's account.
    ///
    /// # Errors
    /// [`ChainError::NoWallet`].
    pub fn account(&self) -> Result<Address, ChainError> {
        self.wallet("this").map(Wallet::address)
    }

    /// The balance of an account in wei.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn balance(&self, who: Address) -> Result<u128, ChainError> {
        let balance = self.ask("eth_getBalance", self.inner.provider.get_balance(H160(who.0), None)).await?;
        u128_from(balance, "a balance")
    }

    /// The latest block's timestamp, Unix seconds.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn now(&self) -> Result<u64, ChainError> {
        Ok(self.head().await?.timestamp)
    }

    /// Checks that `address` has code.
    ///
    /// # Errors
    /// [`ChainError::NoCode`], the node's faults.
    pub async fn require_code(&self, address: Address, what: &'static str) -> Result<(), ChainError> {
        if self.code(address, None).await?.is_empty() {
            let (chain_id, rpc) = (self.chain_id(), self.inner.rpc.clone());
            return Err(ChainError::NoCode { what, address, chain_id, rpc });
        }
        Ok(())
    }

    /// The highest price of a unit of gas at present, wei.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn gas_price(&self) -> Result<u128, ChainError> {
        u128_from(self.fees(&self.head().await?).await?.max_fee, "the gas price")
    }

    /// Sets an account's balance on a development chain.
    ///
    /// # Errors
    /// [`ChainError::Rpc`] on any other chain.
    pub async fn set_test_balance(&self, who: Address, wei: u128) -> Result<(), ChainError> {
        let parameters = (H160(who.0), U256::from(wei));
        self.ask("anvil_setBalance", self.inner.provider.request("anvil_setBalance", parameters)).await
    }

    pub(super) fn wallet(&self, action: &str) -> Result<&Wallet, ChainError> {
        self.inner.wallet.as_ref().ok_or_else(|| ChainError::NoWallet { action: action.to_owned() })
    }

    /// The latest block.
    pub(super) async fn head(&self) -> Result<Head, ChainError> {
        let block: Block<H256> = self
            .ask("eth_getBlockByNumber", self.inner.provider.get_block(BlockNumber::Latest))
            .await?
            .ok_or_else(|| ChainError::decode("the latest block", "the node has none"))?;
        Ok(Head {
            number: block.number.unwrap_or_default().as_u64(),
            timestamp: block.timestamp.low_u64(),
            hash: block.hash.unwrap_or_default(),
            base_fee: block.base_fee_per_gas.unwrap_or_default(),
        })
    }

    /// Reads from a contract at the block with this hash, the latest by default.
    pub(super) async fn view<C: EthCall, R: AbiDecode>(
        &self,
        contract: Address,
        what: &'static str,
        call: C,
        block: Option<H256>,
    ) -> Result<R, ChainError> {
        let name = C::function_name();
        let at = block.map_or(BlockNumber::Latest.into(), BlockId::Hash);
        let other = |reason: String| ChainError::OtherContract { what, address: contract, reason };
        let data: Bytes = call.encode().into();
        // Empty as if there were no code: the contract is new, and this node of the provider some blocks behind.
        let lags = |answer: &Result<Bytes, CallError>| answer.as_ref().is_ok_and(|answer| answer.is_empty());
        let read = || self.call(None, Some(contract), data.clone(), U256::zero(), at);
        // A block that is given stays as it is: our caller takes a later one.
        match while_lagging(read, |answer| block.is_none() && lags(answer)).await {
            answer if block.is_some() && lags(&answer) => {
                let (what, rpc) = (format!("{name}()"), self.inner.rpc.clone());
                Err(ChainError::Rpc { what, rpc, reason: LAGGING.to_owned() })
            }
            Ok(answer) => {
                R::decode(&answer).map_err(|e| other(format!("{name}() returns another type: {e}")))
            }
            Err(CallError::Revert(data)) => Err(other(format!("{name}() fails: {}", explain(&data)))),
            Err(CallError::Other(error)) => Err(error),
        }
    }

    /// `eth_call`.
    pub(super) async fn call(
        &self,
        from: Option<Address>,
        to: Option<Address>,
        data: Bytes,
        value: U256,
        block: BlockId,
    ) -> Result<Bytes, CallError> {
        let mut request = Eip1559TransactionRequest::new().data(data).value(value);
        request.from = from.map(|from| H160(from.0));
        request.to = to.map(|to| H160(to.0).into());
        let request = TypedTransaction::Eip1559(request);
        self.ask_contract("eth_call", self.inner.provider.call(&request, Some(block))).await
    }

    pub(super) async fn ask<T>(
        &self,
        what: &str,
        question: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<T, ChainError> {
        ask(&self.inner.rpc, what, question).await
    }

    /// As [`Self::ask`], but distinguishes a revert from the node's own errors.
    pub(super) async fn ask_contract<T>(
        &self,
        what: &str,
        question: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<T, CallError> {
        let answer = timed(&self.inner.rpc, question).await.map_err(CallError::Other)?;
        answer.map_err(|error| match error.as_error_response().and_then(JsonRpcError::as_revert_data) {
            Some(data) => CallError::Revert(data),
            None => CallError::Other(fault(&self.inner.rpc, what, &error)),
        })
    }
}

async fn ask<T>(
    rpc: &str,
    what: &str,
    question: impl Future<Output = Result<T, ProviderError>>,
) -> Result<T, ChainError> {
    timed(rpc, question).await?.map_err(|e| fault(rpc, what, &e))
}

async fn timed<T>(rpc: &str, question: impl Future<Output = T>) -> Result<T, ChainError> {
    tokio::time::timeout(QUESTION_TIMEOUT, question).await.map_err(|_| {
        let reason = format!("no answer within {} s", QUESTION_TIMEOUT.as_secs());
        ChainError::Unreachable { rpc: rpc.to_owned(), reason }
    })
}

fn fault(rpc: &str, what: &str, error: &ProviderError) -> ChainError {
    let rpc = rpc.to_owned();
    if let Some(answer) = error.as_error_response() {
        return ChainError::Rpc { what: what.to_owned(), rpc, reason: answer.message.clone() };
    }
    match error {
        ProviderError::HTTPError(error) => {
            let mut reason = error.to_string();
            let mut cause = std::error::Error::source(error);
            while let Some(inner) = cause {
                reason = inner.to_string();
                cause = inner.source();
            }
            ChainError::Unreachable { rpc, reason }
        }
        error => {
            // An answer that is not JSON-RPC comes with its whole text, which may be a web page.
            let reason = error.to_string().chars().take(200).collect();
            ChainError::Rpc { what: what.to_owned(), rpc, reason }
        }
    }
}

/// The contract's reason as text.
pub(super) fn explain(data: &[u8]) -> String {
    fairshare_contracts::explain_revert(data).unwrap_or_else(|| match data.len() {
        0 => "it gives no reason".into(),
        _ => format!("its reason is unknown here (0x{})", hex::encode(&data[..data.len().min(100)])),
    })
}

/// A number from the chain in 128 bits.
pub(super) fn u128_from(value: U256, what: &str) -> Result<u128, ChainError> {
    u128::try_from(value).map_err(|_| ChainError::decode(what, "it has more than 128 bits"))
}

/// A single amount: those of the contracts are below 2^96, so that their sums, which [`u128_from`] reads, stay within 128
/// bits.
pub(super) fn amount(value: U256, what: &str) -> Result<u128, ChainError> {
    let amount = u128_from(value, what)?;
    if amount >> 96 != 0 {
        return Err(ChainError::decode(what, format!("{amount} is more than 96 bits hold")));
    }
    Ok(amount)
}

/// A slot of a round, below 128.
pub(super) fn slot(value: U256) -> Result<u8, ChainError> {
    let slot: u8 = narrow(value, "a slot")?;
    if slot >= 128 {
        return Err(ChainError::decode("a slot", format!("{slot} is out of range")));
    }
    Ok(slot)
}

/// A number from the chain in a narrower type.
pub(super) fn narrow<T: TryFrom<u128>>(value: U256, what: &str) -> Result<T, ChainError> {
    let out = || ChainError::decode(what, format!("{value} is out of range"));
    T::try_from(u128::try_from(value).map_err(|_| out())?).map_err(|_| out())
}

/// The action of a call in messages: `joining project 0x..`.
pub(super) fn action(what: &str, contract: Address) -> String {
    format!("{what} {contract}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_slots_that_no_contract_writes_are_refused() {
        let most = (U256::one() << 96) - 1;
        assert_eq!(amount(most, "an amount").unwrap(), most.as_u128());
        for more in [most + 1, U256::one() << 128, U256::MAX] {
            let error = amount(more, "an amount").unwrap_err().to_string();
            assert!(error.starts_with("an amount cannot be read: "), "{error}");
        }
        assert_eq!(slot(127.into()).unwrap(), 127);
        for more in [U256::from(128), 256.into(), U256::MAX] {
            assert!(slot(more).unwrap_err().to_string().contains("out of range"));
        }
    }
}
