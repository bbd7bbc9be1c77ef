//! A project on the chain: its state.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use ethers::abi::AbiDecode;
use ethers::types::{H160, H256, U256};
use fairshare_contracts::bindings::project as bindings;
use fairshare_protocol::Address;

use super::client::{amount, narrow, slot, u128_from, Chain, LAGGING};
use super::convert::{mask, point};
use super::error::ChainError;
use super::events::phase;
use super::market::Market;
use super::types::{OpenModel, RoundState, Status, Terms, TrainerState};
use crate::retry::while_lagging;

const WHAT: &str = "project";

/// A project's contract. Cheap to clone; clones share their caches.
#[derive(Clone, Debug)]
pub struct Project {
    pub(super) chain: Chain,
    pub(super) address: Address,
    pub(super) terms: Arc<Terms>,
    /// The last status, with the hash of its block: nothing changes within a block.
    last: Arc<Mutex<Option<(H256, Status)>>>,
    /// Gas by block and transaction, which never changes.
    pub(super) gas: Arc<Mutex<HashMap<(H256, H256), u64>>>,
}

impl Project {
    /// Opens the project at `address`, reads its terms and checks that its code is that of this version.
    ///
    /// # Errors
    /// [`ChainError::NoCode`], [`ChainError::OtherContract`] and [`ChainError::NotGenuine`] when the address holds no project;
    /// the node's faults.
    pub async fn open(chain: &Chain, address: Address) -> Result<Self, ChainError> {
        let project = Self::open_any(chain, address).await?;
        project.check_genuine().await?;
        Ok(project)
    }

    /// Opens a project of any version, to read it or to withdraw from it.
    ///
    /// # Errors
    /// [`ChainError::NoCode`] and [`ChainError::OtherContract`]; the node's faults.
    pub async fn open_any(chain: &Chain, address: Address) -> Result<Self, ChainError> {
        chain.require_code(address, WHAT).await?;
        let answer: bindings::TermsReturn = chain.view(address, WHAT, bindings::TermsCall, None).await?;
        let terms = Terms::try_from(answer.terms)?;
        let (chain, terms) = (chain.clone(), Arc::new(terms));
        Ok(Self { chain, address, terms, last: Default::default(), gas: Default::default() })
    }

    /// The contract's address.
    pub fn address(&self) -> Address {
        self.address
    }

    /// Its terms.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Its chain.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Its state at one block. A second call within a block costs one request.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn status(&self) -> Result<Status, ChainError> {
        // One node of a provider may be some blocks behind a project that is new.
        let lags = |status: &Result<Status, ChainError>| matches!(status, Err(ChainError::Rpc { reason, .. }) if reason == LAGGING);
        while_lagging(|| self.status_now(), lags).await
    }

    async fn status_now(&self) -> Result<Status, ChainError> {
        let head = self.chain.head().await?;
        if let Some((at, status)) = &*self.last.lock().expect("nothing panics while it is held") {
            if *at == head.hash {
                return Ok(status.clone());
            }
        }
        // By hash: nodes behind one address may have different blocks of the same number, which must not be mixed.
        let at = Some(head.hash);
        let (phase_index, round, deadline, settled, voids) = futures::try_join!(
            self.view::<_, bindings::PhaseReturn>(bindings::PhaseCall, at),
            self.view::<_, bindings::RoundReturn>(bindings::RoundCall, at),
            self.view::<_, bindings::DeadlineReturn>(bindings::DeadlineCall, at),
            self.view::<_, bindings::SettledRoundsReturn>(bindings::SettledRoundsCall, at),
            self.view::<_, bindings::VoidRoundsReturn>(bindings::VoidRoundsCall, at),
        )?;
        let (trainers, learning_rate, local_epochs, model, bond_placed, escrow) = futures::try_join!(
            self.view::<_, bindings::TrainersReturn>(bindings::TrainersCall, at),
            self.view::<_, bindings::LearningRateReturn>(bindings::LearningRateCall, at),
            self.view::<_, bindings::LocalEpochsReturn>(bindings::LocalEpochsCall, at),
            self.view::<_, bindings::ModelReturn>(bindings::ModelCall, at),
            self.view::<_, bindings::BondPlacedReturn>(bindings::BondPlacedCall, at),
            self.view::<_, bindings::EscrowReturn>(bindings::EscrowCall, at),
        )?;
        let status = Status {
            phase: phase(phase_index.0)?,
            round: narrow(round.0, "the round")?,
            deadline: narrow(deadline.0, "the deadline")?,
            now: head.timestamp,
            block: head.number,
            block_hash: head.hash.0,
            settled: narrow(settled.0, "the number of settled rounds")?,
            voids: narrow(voids.0, "the number of void rounds")?,
            trainers: trainers.0.into_iter().map(|a| Address(a.0)).collect(),
            learning_rate: narrow(learning_rate.0, "the learning rate")?,
            local_epochs: narrow(local_epochs.0, "the number of epochs")?,
            model: point(model.commitment, "the model's commitment")?,
            model_cid: model.cid,
            bond_placed: bond_placed.0,
            escrow: u128_from(escrow.0, "the escrow")?,
        };
        *self.last.lock().expect("nothing panics while it is held") = Some((head.hash, status.clone()));
        Ok(status)
    }

    /// The slots of a round.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn round_state(&self, id: u64) -> Result<RoundState, ChainError> {
        self.round_state_at(id, None).await
    }

    /// The slots of a round at the block of `status`, or at the latest one.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn round_state_at(&self, id: u64, status: Option<&Status>) -> Result<RoundState, ChainError> {
        let call = bindings::RoundStateCall { id: id.into() };
        let state: bindings::RoundStateReturn = self.view(call, block_of(status)).await?;
        Ok(RoundState {
            committed: narrow(state.committed, "the number of commitments")?,
            revealed: mask(state.revealed_mask, "the revealed mask")?,
            attested: mask(state.attested_mask, "the attested mask")?,
            active: mask(state.active_mask, "the active mask")?,
            slots_hash: state.slots_hash,
        })
    }

    /// A trainer's slot in a round; `None` when it has not committed.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn slot_of(&self, id: u64, trainer: Address) -> Result<Option<u8>, ChainError> {
        self.slot_of_at(id, trainer, None).await
    }

    /// A trainer's slot in a round at the block of `status`, or at the latest one.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn slot_of_at(
        &self,
        id: u64,
        trainer: Address,
        status: Option<&Status>,
    ) -> Result<Option<u8>, ChainError> {
        let call = bindings::SlotOfCall { id: id.into(), trainer: H160(trainer.0) };
        let answer: bindings::SlotOfReturn = self.view(call, block_of(status)).await?;
        answer.slot_plus_one.checked_sub(U256::one()).map(slot).transpose()
    }

    /// Whether an account has joined and not left.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn is_trainer(&self, account: Address) -> Result<bool, ChainError> {
        let call = bindings::IsTrainerCall { account: H160(account.0) };
        Ok(self.view::<_, bindings::IsTrainerReturn>(call, None).await?.0)
    }

    /// An account's stake, and how often it was dropped.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn trainer_state(&self, account: Address) -> Result<TrainerState, ChainError> {
        let call = bindings::TrainerStateCall { account: H160(account.0) };
        let state: bindings::TrainerStateReturn = self.view(call, None).await?;
        Ok(TrainerState {
            stake: amount(state.stake, "a stake")?,
            dropped: narrow(state.dropped, "the number of drops")?,
            penalised: state.penalised,
        })
    }

    /// The model file whose fee is open.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn open_model(&self) -> Result<OpenModel, ChainError> {
        let open: bindings::OpenModelReturn = self.view(bindings::OpenModelCall, None).await?;
        Ok(OpenModel {
            round: narrow(open.id, "the open model's round")?,
            payee: Address(open.payee.0),
            fee: amount(open.fee, "the open model's fee")?,
        })
    }

    /// Lost stakes, penalties and bonds that no account owns, in the currency's least unit.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn burnt(&self) -> Result<u128, ChainError> {
        u128_from(self.view::<_, bindings::BurntReturn>(bindings::BurntCall, None).await?.0, "what is burnt")
    }

    /// What a withdrawal would pay an account now, in the currency's least unit.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn owed(&self, who: Address) -> Result<u128, ChainError> {
        let call = bindings::OwedCall { account: H160(who.0) };
        u128_from(self.view::<_, bindings::OwedReturn>(call, None).await?.amount, "an amount owed")
    }

    /// The registry of keys, the verifiers and the factory that the project names.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn market(&self) -> Result<Market, ChainError> {
        let factory: bindings::FactoryReturn = self.view(bindings::FactoryCall, None).await?;
        let key_registry: bindings::KeyRegistryReturn = self.view(bindings::KeyRegistryCall, None).await?;
        let round_verifier: bindings::RoundVerifierReturn =
            self.view(bindings::RoundVerifierCall, None).await?;
        let range_verifier: bindings::RangeVerifierReturn =
            self.view(bindings::RangeVerifierCall, None).await?;
        Ok(Market {
            factory: Address(factory.0 .0),
            key_registry: Address(key_registry.0 .0),
            round_verifier: Address(round_verifier.0 .0),
            range_verifier: Address(range_verifier.0 .0),
        })
    }

    pub(super) async fn view<C: ethers::contract::EthCall, R: AbiDecode>(
        &self,
        call: C,
        at: Option<H256>,
    ) -> Result<R, ChainError> {
        self.chain.view(self.address, WHAT, call, at).await
    }
}

fn block_of(status: Option<&Status>) -> Option<H256> {
    status.map(|status| H256(status.block_hash))
}
