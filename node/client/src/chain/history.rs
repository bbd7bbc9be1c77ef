//! The past of a project, from its logs.

use std::collections::BTreeSet;

use ethers::abi::RawLog;
use ethers::contract::EthEvent;
use ethers::providers::Middleware;
use ethers::types::{Filter, Log, H160, H256, U256};
use fairshare_contracts::bindings::project as bindings;
use futures::{stream, StreamExt, TryStreamExt};

use super::error::ChainError;
use super::events::decode;
use super::project::Project;
use super::receipts::summary;
use super::types::{
    CommittedUpdate, EventKind, ProjectEvent, PublishedModel, RevealedUpdate, SettledRound, Settlement,
};

/// How many receipts are requested at the same time.
const CONCURRENT: usize = 16;

impl Project {
    /// The amount of a withdrawal, in the currency's least unit; 0 when the transaction is not a withdrawal from this project.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn withdrawn_by(&self, transaction: [u8; 32]) -> Result<u128, ChainError> {
        let logs = self.chain.mined_receipt(H256(transaction)).await?.logs;
        let ours = logs.into_iter().filter(|log| log.address.0 == self.address.0).collect();
        let amounts = self.kinds(ours)?.into_iter().map(|kind| match kind {
            EventKind::Withdrawn { amount, .. } => amount,
            _ => 0,
        });
        Ok(amounts.sum())
    }

    /// The commitments of a round, in slot order.
    ///
    /// # Errors
    /// The node's faults; [`ChainError::Decode`] when logs are missing.
    pub async fn committed(&self, round: u64) -> Result<Vec<CommittedUpdate>, ChainError> {
        let logs = self.logs(Some((bindings::UpdateCommittedFilter::signature(), Some(round)))).await?;
        let mut found: Vec<_> = self
            .kinds(logs)?
            .into_iter()
            .filter_map(|kind| match kind {
                EventKind::Committed { update, .. } => Some(update),
                _ => None,
            })
            .collect();
        found.sort_by_key(|update| update.slot);
        if found.iter().enumerate().any(|(i, update)| usize::from(update.slot) != i) {
            return Err(ChainError::decode(
                format!("the commitments of round {round}"),
                "the node withheld some logs",
            ));
        }
        Ok(found)
    }

    /// The revealed CIDs of a round, in slot order.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn revealed(&self, round: u64) -> Result<Vec<RevealedUpdate>, ChainError> {
        let logs = self.logs(Some((bindings::UpdateRevealedFilter::signature(), Some(round)))).await?;
        let mut found: Vec<_> = self
            .kinds(logs)?
            .into_iter()
            .filter_map(|kind| match kind {
                EventKind::Revealed { update, .. } => Some(update),
                _ => None,
            })
            .collect();
        found.sort_by_key(|update| update.slot);
        Ok(found)
    }

    /// The accounts that published the withheld model file of a round, in the order of the log.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn published(&self, round: u64) -> Result<Vec<PublishedModel>, ChainError> {
        let logs = self.logs(Some((bindings::ModelPublishedFilter::signature(), Some(round)))).await?;
        let models = self.kinds(logs)?.into_iter().filter_map(|kind| match kind {
            EventKind::ModelPublished { model, .. } => Some(model),
            _ => None,
        });
        Ok(models.collect())
    }

    /// The settled rounds, oldest first.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn settlements(&self) -> Result<Vec<SettledRound>, ChainError> {
        let logs = self.logs(Some((bindings::RoundSettledFilter::signature(), None))).await?;
        let settled = self.events(logs).await?.into_iter().filter_map(|event| match event.kind {
            EventKind::Settled(round) => Some(round),
            _ => None,
        });
        Ok(settled.collect())
    }

    /// The arguments of a settling transaction.
    ///
    /// # Errors
    /// [`ChainError::Decode`] when the transaction is not a call of this project's `settle`; the node's faults.
    pub async fn settlement_call(&self, transaction: [u8; 32]) -> Result<Settlement, ChainError> {
        let what = || format!("transaction 0x{}", hex::encode(transaction));
        let found = self.settlement_of(transaction).await?;
        found.ok_or_else(|| ChainError::decode(what(), "it does not call this project"))
    }

    /// Every event of the project, oldest first.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn history(&self) -> Result<Vec<ProjectEvent>, ChainError> {
        let logs = self.logs(None).await?;
        self.events(logs).await
    }

    async fn events(&self, logs: Vec<Log>) -> Result<Vec<ProjectEvent>, ChainError> {
        self.read_gas(&logs).await?;
        let known = self.gas.lock().expect("nothing panics while it is held");
        let mut events = Vec::with_capacity(logs.len());
        for log in logs {
            let (Some(place), Some(block)) = (place(&log), log.block_number) else { continue };
            let (transaction, gas_used) = (place.1 .0, known.get(&place).copied().unwrap_or_default());
            let raw = RawLog { topics: log.topics, data: log.data.to_vec() };
            if let Some(kind) = decode(&raw, self.terms.slots, transaction, gas_used)? {
                events.push(ProjectEvent { kind, block: block.as_u64(), transaction, gas_used });
            }
        }
        Ok(events)
    }

    /// Requests the receipts of all transactions in `logs` that are not in the cache.
    async fn read_gas(&self, logs: &[Log]) -> Result<(), ChainError> {
        let missing: BTreeSet<(H256, H256)> = {
            let known = self.gas.lock().expect("nothing panics while it is held");
            logs.iter().filter_map(place).filter(|place| !known.contains_key(place)).collect()
        };
        let mut receipts = stream::iter(missing.into_iter().map(|(block, hash)| async move {
            let receipt = self.chain.mined_receipt(hash).await?;
            Ok::<_, ChainError>(((block, hash), summary(&receipt).gas_used))
        }))
        .buffer_unordered(CONCURRENT);
        while let Some((place, gas)) = receipts.try_next().await? {
            self.gas.lock().expect("nothing panics while it is held").insert(place, gas);
        }
        Ok(())
    }

    /// The project's logs in order, optionally of one event and of one round.
    async fn logs(&self, of: Option<(H256, Option<u64>)>) -> Result<Vec<Log>, ChainError> {
        let mut filter = Filter::new().address(H160(self.address.0)).from_block(0);
        if let Some((signature, round)) = of {
            filter = filter.topic0(signature);
            if let Some(round) = round {
                let mut topic = [0; 32];
                U256::from(round).to_big_endian(&mut topic);
                filter = filter.topic1(H256(topic));
            }
        }
        let mut logs = self.chain.ask("eth_getLogs", self.chain.inner.provider.get_logs(&filter)).await?;
        logs.retain(|log| log.removed != Some(true));
        logs.sort_by_key(|log| (log.block_number, log.log_index));
        Ok(logs)
    }

    fn kinds(&self, logs: Vec<Log>) -> Result<Vec<EventKind>, ChainError> {
        let mut kinds = Vec::with_capacity(logs.len());
        for log in logs {
            let raw = RawLog { topics: log.topics, data: log.data.to_vec() };
            kinds.extend(decode(&raw, self.terms.slots, [0; 32], 0)?);
        }
        Ok(kinds)
    }
}

/// Block and transaction of a log; `None` while it is pending.
fn place(log: &Log) -> Option<(H256, H256)> {
    Some((log.block_hash?, log.transaction_hash?))
}
