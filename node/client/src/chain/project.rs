//! A project on the chain.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use ethers::abi::{AbiDecode, AbiEncode, RawLog};
use ethers::contract::EthEvent;
use ethers::providers::Middleware;
use ethers::types::{Address, Filter, Log, H256, U256};
use fairshare_circuits::{FormProofWords, G1Affine};
use fairshare_contracts::bindings::project as bindings;
use futures::{stream, StreamExt, TryStreamExt};

use super::client::{action, amount, narrow, slot, u128_from, Chain};
use super::convert::{form_proof, point, to_words};
use super::error::ChainError;
use super::events::{decode, phase};
use super::send::summary;
use super::types::{
    CommittedUpdate, EventKind, OpenModel, ProjectEvent, PublishedModel, Receipt, RevealedUpdate, RoundState,
    SettledRound, Settlement, Status, Terms, TrainerState,
};
use crate::address::Address20;

const WHAT: &str = "project";
/// Receipts that are asked for at the same time.
const CONCURRENT: usize = 16;

/// How long the contract takes a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// At any time.
    Mined,
    /// Until the phase is over.
    PhaseEnds,
    /// Until the phase is over, and then for the period in which anybody may settle.
    NobodyMaySettle,
}

/// A project's contract. Cheap to clone; clones share what they have read.
#[derive(Clone, Debug)]
pub struct Project {
    chain: Chain,
    address: Address20,
    terms: Arc<Terms>,
    /// The last status with the hash of its block: nothing changes within a block.
    last: Arc<Mutex<Option<(H256, Status)>>>,
    /// Gas by block and transaction, as far as it was asked for: it never changes.
    gas: Arc<Mutex<HashMap<(H256, H256), u64>>>,
}

impl Project {
    /// Opens the project at `address`, reads its terms and checks that its code is that of this version.
    ///
    /// # Errors
    /// [`ChainError::NoCode`], [`ChainError::OtherContract`] and [`ChainError::NotGenuine`] where there is no project;
    /// the node's faults.
    pub async fn open(chain: &Chain, address: Address20) -> Result<Self, ChainError> {
        let project = Self::open_any(chain, address).await?;
        project.check_genuine().await?;
        Ok(project)
    }

    /// Opens whatever answers like a project, to look at it or to take money out.
    ///
    /// # Errors
    /// [`ChainError::NoCode`] and [`ChainError::OtherContract`]; the node's faults.
    pub async fn open_any(chain: &Chain, address: Address20) -> Result<Self, ChainError> {
        chain.require_code(address, WHAT).await?;
        let answer: bindings::TermsReturn = chain.view(address, WHAT, bindings::TermsCall, None).await?;
        let terms = Terms::try_from(answer.terms)?;
        let (chain, terms) = (chain.clone(), Arc::new(terms));
        Ok(Self { chain, address, terms, last: Default::default(), gas: Default::default() })
    }

    /// Its address.
    pub fn address(&self) -> Address20 {
        self.address
    }

    /// Its rules.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The chain that it is on.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Where it stands, all of it at one block. Asking again within a block costs the node one question.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn status(&self) -> Result<Status, ChainError> {
        let head = self.chain.head().await?;
        if let Some((at, status)) = &*self.last.lock().expect("nothing panics while it is held") {
            if *at == head.hash {
                return Ok(status.clone());
            }
        }
        // By hash: two nodes behind one address may have different blocks of one number, and none is mixed with another.
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
            trainers: trainers.0.into_iter().map(|a| a.0).collect(),
            learning_rate: narrow(learning_rate.0, "the learning rate")?,
            local_epochs: narrow(local_epochs.0, "the number of epochs")?,
            model: point(model.commitment, "the model's commitment")?,
            model_cid: model.cid,
            bond_placed: bond_placed.0,
            escrow: amount(escrow.0, "the escrow")?,
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
            revealed_mask: u128_from(state.revealed_mask, "the revealed mask")?,
            attested: u128_from(state.attested_mask, "the attested mask")?,
            active: u128_from(state.active_mask, "the active mask")?,
            slots_hash: state.slots_hash,
        })
    }

    /// A trainer's slot in a round; `None` when it has not committed.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn slot_of(&self, id: u64, trainer: Address20) -> Result<Option<u8>, ChainError> {
        self.slot_of_at(id, trainer, None).await
    }

    /// A trainer's slot in a round at the block of `status`, or at the latest one.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn slot_of_at(
        &self,
        id: u64,
        trainer: Address20,
        status: Option<&Status>,
    ) -> Result<Option<u8>, ChainError> {
        let call = bindings::SlotOfCall { id: id.into(), trainer: Address::from(trainer) };
        let answer: bindings::SlotOfReturn = self.view(call, block_of(status)).await?;
        answer.slot_plus_one.checked_sub(U256::one()).map(slot).transpose()
    }

    /// Whether an account has joined and not left.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn is_trainer(&self, account: Address20) -> Result<bool, ChainError> {
        let call = bindings::IsTrainerCall { account: Address::from(account) };
        Ok(self.view::<_, bindings::IsTrainerReturn>(call, None).await?.0)
    }

    /// What is held of an account's stake, and how often it was dropped.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn trainer_state(&self, account: Address20) -> Result<TrainerState, ChainError> {
        let call = bindings::TrainerStateCall { account: Address::from(account) };
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
            payee: open.payee.0,
            fee: amount(open.fee, "the open model's fee")?,
        })
    }

    /// What a withdrawal would pay an account now, in the currency's least unit.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn owed(&self, who: Address20) -> Result<u128, ChainError> {
        let call = bindings::OwedCall { account: Address::from(who) };
        amount(self.view::<_, bindings::OwedReturn>(call, None).await?.amount, "what is owed")
    }

    /// The registry of keys, the verifiers and the factory that the project names.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn market(&self) -> Result<super::Market, ChainError> {
        let factory: bindings::FactoryReturn = self.view(bindings::FactoryCall, None).await?;
        let key_registry: bindings::KeyRegistryReturn = self.view(bindings::KeyRegistryCall, None).await?;
        let round_verifier: bindings::RoundVerifierReturn =
            self.view(bindings::RoundVerifierCall, None).await?;
        let form_verifier: bindings::FormVerifierReturn = self.view(bindings::FormVerifierCall, None).await?;
        Ok(super::Market {
            factory: factory.0 .0,
            key_registry: key_registry.0 .0,
            round_verifier: round_verifier.0 .0,
            form_verifier: form_verifier.0 .0,
        })
    }

    /// Joins with the stake of the terms.
    ///
    /// # Errors
    /// The contract's reason, [`ChainError::InsufficientFunds`], [`ChainError::InsufficientTokens`], the node's faults.
    pub async fn join(&self) -> Result<Receipt, ChainError> {
        self.pay("joining project", bindings::JoinCall, Until::PhaseEnds, self.terms.stake).await
    }

    /// Gives up the seat; at any time but in a round in which the wallet has committed.
    ///
    /// # Errors
    /// See [`Self::join`].
    pub async fn leave(&self) -> Result<Receipt, ChainError> {
        self.send("leaving project", bindings::LeaveCall, Until::Mined).await
    }

    /// Places the aggregator's bond of the terms.
    ///
    /// # Errors
    /// See [`Self::join`].
    pub async fn place_bond(&self) -> Result<Receipt, ChainError> {
        self.pay("placing the bond in project", bindings::PlaceBondCall, Until::PhaseEnds, self.terms.bond)
            .await
    }

    /// Posts a commitment, its [`super::seal`] and its proof of form.
    ///
    /// # Errors
    /// See [`Self::join`].
    pub async fn commit_update(
        &self,
        round: u64,
        commitment: &G1Affine,
        seal: [u8; 32],
        form: &FormProofWords,
    ) -> Result<Receipt, ChainError> {
        let (round, commitment, proof) = (round.into(), to_words(commitment), form_proof(form));
        let call = bindings::CommitUpdateCall { round, commitment, seal, proof };
        self.send("the commitment in project", call, Until::PhaseEnds).await
    }

    /// Opens the seal.
    ///
    /// # Errors
    /// See [`Self::join`].
    pub async fn reveal_update(
        &self,
        round: u64,
        cid: [u8; 32],
        salt: [u8; 32],
    ) -> Result<Receipt, ChainError> {
        let call = bindings::RevealUpdateCall { round: round.into(), cid, salt };
        self.send("the reveal in project", call, Until::PhaseEnds).await
    }

    /// Says which revealed slots' bytes the wallet had (its own among them), and from whom it had the last model file.
    ///
    /// # Errors
    /// See [`Self::join`].
    pub async fn attest(
        &self,
        round: u64,
        mask: u128,
        source: Option<Address20>,
    ) -> Result<Receipt, ChainError> {
        let source = Address::from(source.unwrap_or_default());
        let call = bindings::AttestCall { round: round.into(), mask: mask.into(), source };
        self.send("the attestation in project", call, Until::PhaseEnds).await
    }

    /// In Closing: says from whom the wallet had the last model file.
    ///
    /// # Errors
    /// See [`Self::join`].
    pub async fn attest_model(&self, source: Address20) -> Result<Receipt, ChainError> {
        let call = bindings::AttestModelCall { source: Address::from(source) };
        self.send("the model's attestation in project", call, Until::PhaseEnds).await
    }

    /// Says that the last model file was withheld and that the wallet serves it.
    ///
    /// # Errors
    /// See [`Self::join`].
    pub async fn publish_model(&self, cid: [u8; 32]) -> Result<Receipt, ChainError> {
        let call = bindings::PublishModelCall { cid };
        self.send("publishing the model of project", call, Until::PhaseEnds).await
    }

    /// Settles a round by proof.
    ///
    /// # Errors
    /// See [`Self::join`].
    pub async fn settle(&self, settlement: &Settlement) -> Result<Receipt, ChainError> {
        let call = bindings::SettleCall::from(settlement);
        self.send("the settlement of project", call, Until::NobodyMaySettle).await
    }

    /// Moves the project on when a deadline has passed.
    ///
    /// # Errors
    /// See [`Self::join`].
    pub async fn advance(&self) -> Result<Receipt, ChainError> {
        self.send("advancing project", bindings::AdvanceCall, Until::Mined).await
    }

    /// Pays all that the wallet is owed to `to`.
    ///
    /// # Errors
    /// See [`Self::join`].
    pub async fn withdraw(&self, to: Address20) -> Result<Receipt, ChainError> {
        let call = bindings::WithdrawCall { to: Address::from(to) };
        self.send("the withdrawal from project", call, Until::Mined).await
    }

    /// What a withdrawal paid, in the currency's least unit; 0 when the transaction is none of this project.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn withdrawn_by(&self, transaction: [u8; 32]) -> Result<u128, ChainError> {
        let receipt = self.chain.receipt(H256(transaction)).await?;
        let logs = receipt.map(|r| r.logs).unwrap_or_default();
        let ours = logs.into_iter().filter(|log| log.address.0 == self.address).collect();
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
                "the node left some logs out",
            ));
        }
        Ok(found)
    }

    /// The CIDs that were revealed in a round, in slot order.
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

    /// Who says that it serves the model file of a round that was withheld, in the order of the log.
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

    /// Asks for the receipts of all transactions behind `logs` that were not asked for before.
    async fn read_gas(&self, logs: &[Log]) -> Result<(), ChainError> {
        let missing: BTreeSet<(H256, H256)> = {
            let known = self.gas.lock().expect("nothing panics while it is held");
            logs.iter().filter_map(place).filter(|place| !known.contains_key(place)).collect()
        };
        let mut receipts = stream::iter(missing.into_iter().map(|(block, hash)| async move {
            let receipt = self.chain.receipt(hash).await?;
            let receipt =
                receipt.ok_or_else(|| ChainError::decode("a receipt", format!("{hash:?} has none")))?;
            Ok::<_, ChainError>(((block, hash), summary(&receipt).gas_used))
        }))
        .buffer_unordered(CONCURRENT);
        while let Some((place, gas)) = receipts.try_next().await? {
            self.gas.lock().expect("nothing panics while it is held").insert(place, gas);
        }
        Ok(())
    }

    pub(super) async fn view<C: ethers::contract::EthCall, R: AbiDecode>(
        &self,
        call: C,
        at: Option<H256>,
    ) -> Result<R, ChainError> {
        self.chain.view(self.address, WHAT, call, at).await
    }

    /// Sends with an amount of the project's currency.
    pub(super) async fn pay<C: AbiEncode>(
        &self,
        what: &str,
        call: C,
        until: Until,
        amount: u128,
    ) -> Result<Receipt, ChainError> {
        let (action, deadline) = (action(what, self.address), self.deadline(until).await?);
        let value = match self.terms.token {
            None => amount,
            Some(token) => {
                self.chain.allow(&action, token, self.address, amount, deadline).await?;
                0
            }
        };
        let data = call.encode().into();
        Ok(self.chain.send(&action, Some(self.address), data, value, deadline).await?.receipt)
    }

    async fn send<C: AbiEncode>(&self, what: &str, call: C, until: Until) -> Result<Receipt, ChainError> {
        let (action, deadline) = (action(what, self.address), self.deadline(until).await?);
        let data = call.encode().into();
        Ok(self.chain.send(&action, Some(self.address), data, 0, deadline).await?.receipt)
    }

    /// From when on the contract refuses a call, chain time in Unix seconds.
    async fn deadline(&self, until: Until) -> Result<Option<u64>, ChainError> {
        if until == Until::Mined {
            return Ok(None);
        }
        let head = self.chain.head().await?;
        let answer: bindings::DeadlineReturn = self.view(bindings::DeadlineCall, None).await?;
        let deadline: u64 = narrow(answer.0, "the deadline")?;
        Ok(match until {
            // After it the named aggregator has lost its bond, and may still settle for the fee.
            Until::NobodyMaySettle if head.timestamp >= deadline => {
                Some(deadline.saturating_add(u64::from(self.terms.aggregate_period)))
            }
            _ => Some(deadline),
        })
    }

    /// The project's logs in order; of one event, and of one round, where these are given.
    async fn logs(&self, of: Option<(H256, Option<u64>)>) -> Result<Vec<Log>, ChainError> {
        let mut filter = Filter::new().address(Address::from(self.address)).from_block(0);
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

/// Block and transaction of a log; `None` while it is in no block.
fn place(log: &Log) -> Option<(H256, H256)> {
    Some((log.block_hash?, log.transaction_hash?))
}

fn block_of(status: Option<&Status>) -> Option<H256> {
    status.map(|status| H256(status.block_hash))
}
