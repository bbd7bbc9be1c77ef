//! What auditors read: the registered keys and the arguments of past transactions.

use ethers::abi::AbiDecode;
use ethers::providers::Middleware;
use ethers::types::{Bytes, H160, H256};
use fairshare_contracts::bindings::{key_registry, project as bindings};

use super::client::Chain;
use super::error::ChainError;
use super::{CommitCall, Market, Project, Settlement};

const REGISTRY: &str = "key registry";

/// The keys that a market checks proofs against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisteredKeys {
    /// Their hash (docs/protocol.md 3.2).
    pub hash: [u8; 32],
    /// Development keys: anyone can forge proofs under them.
    pub dev: bool,
}

impl Market {
    /// The registered keys, which need not be those of this version.
    ///
    /// # Errors
    /// [`ChainError::OtherContract`], the node's faults.
    pub async fn registered_keys(&self, chain: &Chain) -> Result<RegisteredKeys, ChainError> {
        let hash: key_registry::KeysHashReturn =
            chain.view(self.key_registry, REGISTRY, key_registry::KeysHashCall, None).await?;
        let dev: key_registry::IsDevReturn =
            chain.view(self.key_registry, REGISTRY, key_registry::IsDevCall, None).await?;
        Ok(RegisteredKeys { hash: hash.0, dev: dev.0 })
    }
}

impl Project {
    /// The arguments of a settling transaction; `None` when it went through another contract.
    ///
    /// # Errors
    /// [`ChainError::Decode`] when the node does not have the transaction, or it calls another function of the project;
    /// the node's faults.
    pub async fn settlement_of(&self, transaction: [u8; 32]) -> Result<Option<Settlement>, ChainError> {
        let Some(data) = self.calldata(transaction).await? else { return Ok(None) };
        let call = bindings::SettleCall::decode(&data);
        call.map_err(|e| ChainError::decode(name(transaction), e)).and_then(Settlement::try_from).map(Some)
    }

    /// The arguments of a committing transaction, its range proof among them; `None` when it went through another contract.
    ///
    /// # Errors
    /// See [`Self::settlement_of`].
    pub async fn commit_call(&self, transaction: [u8; 32]) -> Result<Option<CommitCall>, ChainError> {
        let Some(data) = self.calldata(transaction).await? else { return Ok(None) };
        let call = bindings::CommitUpdateCall::decode(&data);
        call.map_err(|e| ChainError::decode(name(transaction), e)).and_then(CommitCall::try_from).map(Some)
    }

    /// The salt in a revealing transaction; `None` when it went through another contract.
    ///
    /// # Errors
    /// [`ChainError::Decode`] when the node does not have the transaction; the node's faults.
    pub async fn revealed_salt(&self, transaction: [u8; 32]) -> Result<Option<[u8; 32]>, ChainError> {
        let data = self.calldata(transaction).await?;
        Ok(data.and_then(|data| bindings::RevealUpdateCall::decode(&data).ok()).map(|call| call.salt))
    }

    /// The calldata of a transaction to this project; `None` when it went through another contract.
    async fn calldata(&self, transaction: [u8; 32]) -> Result<Option<Bytes>, ChainError> {
        let question = self.chain().inner.provider.get_transaction(H256(transaction));
        let found = self.chain().ask("eth_getTransactionByHash", question).await?;
        let found =
            found.ok_or_else(|| ChainError::decode(name(transaction), "the node does not have it"))?;
        Ok((found.to == Some(H160(self.address().0))).then_some(found.input))
    }
}

fn name(transaction: [u8; 32]) -> String {
    format!("transaction 0x{}", hex::encode(transaction))
}
