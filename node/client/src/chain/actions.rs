//! The transactions of a project.

use ethers::abi::AbiEncode;
use ethers::types::H160;
use fairshare_circuits::{G1Affine, RangeProofWords};
use fairshare_contracts::bindings::project as bindings;
use fairshare_protocol::{Address, SlotMask};

use super::client::{action, narrow};
use super::convert::{range_proof_words, to_words};
use super::error::ChainError;
use super::project::Project;
use super::types::{Receipt, Settlement};

/// Until when the contract accepts a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// Always.
    Mined,
    /// Until the end of the phase.
    PhaseEnds,
    /// Until the end of the phase and of the period after it in which anyone may settle.
    SettlementCloses,
}

impl Project {
    /// Joins with the stake of the terms.
    ///
    /// # Errors
    /// The contract's refusal, [`ChainError::InsufficientFunds`], [`ChainError::InsufficientTokens`], the node's faults.
    pub async fn join(&self) -> Result<Receipt, ChainError> {
        self.pay("joining project", bindings::JoinCall, Until::PhaseEnds, self.terms.stake).await
    }

    /// Gives up the seat, except in a round in which the wallet has committed.
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

    /// Posts a commitment with its [`super::seal`] and its range proof.
    ///
    /// # Errors
    /// See [`Self::join`].
    pub async fn commit_update(
        &self,
        round: u64,
        commitment: &G1Affine,
        seal: [u8; 32],
        range_proof: &RangeProofWords,
    ) -> Result<Receipt, ChainError> {
        let (round, commitment, proof) = (round.into(), to_words(commitment), range_proof_words(range_proof));
        let call = bindings::CommitUpdateCall { round, commitment, seal, proof };
        self.send("the commitment in project", call, Until::PhaseEnds).await
    }

    /// Reveals the CID and opens the seal.
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

    /// Attests the revealed slots whose updates the wallet fetched (its own included), and the source of the last model file.
    ///
    /// # Errors
    /// See [`Self::join`].
    pub async fn attest(
        &self,
        round: u64,
        mask: SlotMask,
        source: Option<Address>,
    ) -> Result<Receipt, ChainError> {
        let source = H160(source.unwrap_or_default().0);
        let call = bindings::AttestCall { round: round.into(), mask: mask.bits().into(), source };
        self.send("the attestation in project", call, Until::PhaseEnds).await
    }

    /// In Closing: attests the source of the last model file.
    ///
    /// # Errors
    /// See [`Self::join`].
    pub async fn attest_model(&self, source: Address) -> Result<Receipt, ChainError> {
        let call = bindings::AttestModelCall { source: H160(source.0) };
        self.send("the model's attestation in project", call, Until::PhaseEnds).await
    }

    /// Publishes the last model file, which was withheld, and announces the wallet as its source.
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
        self.send("the settlement of project", call, Until::SettlementCloses).await
    }

    /// Starts the next phase after a deadline has passed.
    ///
    /// # Errors
    /// See [`Self::join`].
    pub async fn advance(&self) -> Result<Receipt, ChainError> {
        self.send("advancing project", bindings::AdvanceCall, Until::Mined).await
    }

    /// Pays everything that the wallet is owed to `to`.
    ///
    /// # Errors
    /// See [`Self::join`].
    pub async fn withdraw(&self, to: Address) -> Result<Receipt, ChainError> {
        let call = bindings::WithdrawCall { to: H160(to.0) };
        self.send("the withdrawal from project", call, Until::Mined).await
    }

    /// Sends a call that pays an amount of the project's currency.
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

    /// The chain time in Unix seconds from which the contract refuses a call.
    async fn deadline(&self, until: Until) -> Result<Option<u64>, ChainError> {
        if until == Until::Mined {
            return Ok(None);
        }
        let head = self.chain.head().await?;
        let answer: bindings::DeadlineReturn = self.view(bindings::DeadlineCall, None).await?;
        let deadline: u64 = narrow(answer.0, "the deadline")?;
        Ok(match until {
            // After the deadline the named aggregator has lost its bond, and may still settle for the fee.
            Until::SettlementCloses if head.timestamp >= deadline => {
                Some(deadline.saturating_add(u64::from(self.terms.aggregate_period)))
            }
            _ => Some(deadline),
        })
    }
}
