//! A nonce of the wallet, from the first transaction signed for it until one is mined.
//!
//! ```text
//! sign ──> broadcast ──> receipt?  ── yes ──> mined
//!             ^             │ no
//!             ├─ the same bytes again, every few seconds
//!             └─ a higher fee at the same nonce: when the base fee passes ours, and well before the deadline
//! ```
//!
//! At most one transaction of a nonce is ever mined, so nothing here can happen twice.

use std::cmp::Ordering;
use std::time::Duration;

use ethers::providers::Middleware;
use ethers::signers::Signer;
use ethers::types::transaction::eip2718::TypedTransaction;
use ethers::types::{Bytes, Eip1559TransactionRequest, TransactionReceipt, H160, H256, U256};
use fairshare_protocol::Address;
use tokio::time::Instant;

use super::client::{Chain, POLLING_INTERVAL};
use super::error::ChainError;
use super::fees::Fees;
use super::head::Head;

/// How long a transaction without a deadline may take to be mined.
const PATIENCE: Duration = Duration::from_secs(120);
/// How much longer than until its deadline we wait for a transaction by our own clock: the chain's may stand still.
const GRACE: Duration = Duration::from_secs(60);
/// Time between two looks at the latest block.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Longest pause between two questions for a receipt.
const LONGEST_POLL: Duration = Duration::from_secs(1);
/// Time between two broadcasts of the same bytes: a twentieth of the wait, within these bounds.
const RESEND: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));
/// Time between two fees: a sixth of the wait, within these bounds.
const REPLACE: (Duration, Duration) = (Duration::from_secs(3), Duration::from_secs(45));
/// Looks that show our nonce as used by a transaction that is not ours, or as too early, before we believe it.
const FOREIGN_LOOKS: u32 = 4;
/// Broadcasts in a row that the node may refuse, when it never took one.
const REFUSALS: u32 = 5;
/// Higher fees that are tried at once when the node calls ours too low.
const RAISES: u32 = 16;

/// How long a transaction is worth waiting for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    started: Instant,
    longest: Duration,
    /// Chain time from which on the contract would refuse it, Unix seconds.
    deadline: Option<u64>,
}

impl Wait {
    /// From `head` until `deadline`, or for a fixed time where there is none.
    pub(super) fn new(head: &Head, deadline: Option<u64>) -> Self {
        let left = deadline.map(|deadline| Duration::from_secs(deadline.saturating_sub(head.timestamp)));
        let longest = left.map_or(PATIENCE, |left| left.saturating_add(GRACE));
        Self { started: Instant::now(), longest, deadline }
    }

    /// Time from the beginning to the deadline.
    pub(super) fn whole(&self) -> Duration {
        match self.deadline {
            Some(_) => self.longest - GRACE,
            None => self.longest,
        }
    }

    fn part(&self, of: u32, (least, most): (Duration, Duration)) -> Duration {
        (self.whole() / of).clamp(least, most)
    }

    /// Whether a block after `head` comes too late.
    fn is_over(&self, head: Option<&Head>) -> bool {
        let passed = |deadline| head.is_some_and(|head| head.timestamp >= deadline);
        self.started.elapsed() >= self.longest || self.deadline.is_some_and(passed)
    }

    pub(super) fn seconds(&self) -> u64 {
        self.started.elapsed().as_secs()
    }
}

/// Why no transaction of a nonce was mined.
#[derive(Debug)]
pub(super) enum Unmined {
    /// A transaction from elsewhere has the nonce.
    NonceTaken,
    /// The wait is over, or the node will not take it.
    Failed(ChainError),
}

impl From<ChainError> for Unmined {
    fn from(error: ChainError) -> Self {
        Self::Failed(error)
    }
}

/// What a node says to a broadcast.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// It has the transaction.
    Taken,
    /// Nothing: the transaction may have arrived.
    Silent,
    /// The nonce is used.
    NonceUsed,
    /// It has another transaction of this nonce with a fee that ours does not beat, or wants a higher fee.
    FeeTooLow,
    /// Anything else, in its own words.
    Refused(String),
}

/// A nonce and all transactions that were signed for it.
pub(super) struct Pending<'a> {
    chain: &'a Chain,
    action: &'a str,
    /// With nonce, gas and value; without fees.
    request: Eip1559TransactionRequest,
    fees: Fees,
    /// Hash and bytes, the newest last.
    signed: Vec<(H256, Bytes)>,
    was_taken: bool,
}

impl<'a> Pending<'a> {
    /// Signs the first transaction. `request` has nonce, gas and value.
    pub(super) async fn new(
        chain: &'a Chain,
        action: &'a str,
        request: Eip1559TransactionRequest,
        fees: Fees,
    ) -> Result<Self, ChainError> {
        let mut pending = Self { chain, action, request, fees, signed: Vec::new(), was_taken: false };
        pending.sign().await?;
        Ok(pending)
    }

    /// The fees of the newest transaction.
    pub(super) fn fees(&self) -> Fees {
        self.fees
    }

    /// Broadcasts until one transaction is mined, and gives its receipt. A fault of the node does not end the wait: what
    /// is signed may be on its way.
    pub(super) async fn mined(&mut self, wait: &Wait) -> Result<TransactionReceipt, Unmined> {
        let mut refusals = 0;
        let mut fault = None;
        let (mut foreign, mut early) = (0, 0);
        let mut head: Option<Head> = None;
        let (resend, replace) = (wait.part(20, RESEND), wait.part(6, REPLACE));
        let (mut next_broadcast, mut next_look) = (Instant::now(), Instant::now() + LOOK_INTERVAL);
        let mut next_fee = Instant::now() + replace;
        loop {
            if Instant::now() >= next_broadcast {
                match self.broadcast().await {
                    Ok(Answer::Taken | Answer::Silent) => refusals = 0,
                    Ok(Answer::NonceUsed) if self.signed.len() == 1 && !self.was_taken => {
                        // Unless it is our own transaction, seen through a node that answered too late.
                        if let Ok(Some(receipt)) = self.receipt().await {
                            return Ok(receipt);
                        }
                        return Err(Unmined::NonceTaken);
                    }
                    Ok(Answer::NonceUsed | Answer::FeeTooLow) => {}
                    Ok(Answer::Refused(reason)) => {
                        refusals += 1;
                        if refusals >= REFUSALS && !self.was_taken {
                            return Err(self.chain.refusal(self.action, reason).into());
                        }
                        fault = Some(reason);
                    }
                    Err(error) => fault = Some(error.to_string()),
                }
                next_broadcast = Instant::now() + resend;
            }
            match self.receipt().await {
                Ok(Some(receipt)) => return Ok(receipt),
                Ok(None) => {}
                Err(error) => fault = Some(error.to_string()),
            }
            if wait.is_over(head.as_ref()) {
                break;
            }
            if Instant::now() >= next_look {
                match self.look().await {
                    Ok((found, place)) => {
                        let is_used = place == Ordering::Less;
                        foreign = if is_used { foreign + 1 } else { 0 };
                        if foreign >= FOREIGN_LOOKS {
                            return Err(Unmined::NonceTaken);
                        }
                        early = if place == Ordering::Greater { early + 1 } else { 0 };
                        if early >= FOREIGN_LOOKS {
                            // Nobody mines this before the earlier one, which our caller has to send again first.
                            fault = Some("a fork took back an earlier transaction of the wallet".to_owned());
                            break;
                        }
                        if !is_used && (found.base_fee > self.fees.max_fee || Instant::now() >= next_fee) {
                            match self.raise(&found).await {
                                Ok(true) => next_broadcast = Instant::now(),
                                Ok(false) => {}
                                Err(error) => fault = Some(error.to_string()),
                            }
                            next_fee = Instant::now() + replace;
                        }
                        head = Some(found);
                    }
                    Err(error) => fault = Some(error.to_string()),
                }
                next_look = Instant::now() + LOOK_INTERVAL;
            }
            tokio::time::sleep((wait.started.elapsed() / 8).clamp(POLLING_INTERVAL, LONGEST_POLL)).await;
        }
        let (action, transaction) = (self.action.to_owned(), self.newest().0);
        Err(ChainError::NotMined { action, transaction, seconds: wait.seconds(), fault }.into())
    }

    /// Broadcasts the newest transaction; raises its fee at once where the node asks for more.
    async fn broadcast(&mut self) -> Result<Answer, ChainError> {
        for _ in 0..RAISES {
            let (hash, raw) = self.signed.last().cloned().expect("there is one from the beginning");
            let sending = format!("{} (transaction {hash:?})", self.action);
            let answer =
                match self.chain.ask(&sending, self.chain.inner.provider.send_raw_transaction(raw)).await {
                    Ok(_) => Answer::Taken,
                    Err(error) => answer(&error),
                };
            tracing::debug!(action = self.action, transaction = ?hash, ?answer, "broadcast");
            match answer {
                Answer::Taken => self.was_taken = true,
                Answer::FeeTooLow => {
                    let head = self.chain.head().await?;
                    if self.raise(&head).await? {
                        continue;
                    }
                }
                _ => {}
            }
            return Ok(answer);
        }
        Ok(Answer::FeeTooLow)
    }

    /// The latest block, and our nonce beside the first free one of the account: less where it is used, greater where
    /// an earlier one is missing.
    async fn look(&self) -> Result<(Head, Ordering), ChainError> {
        let head = self.chain.head().await?;
        let free = self.chain.nonces_used(self.from()).await?;
        Ok((head, self.nonce().cmp(&free)))
    }

    /// Signs the call anew with a higher fee. False when the wallet cannot pay one.
    async fn raise(&mut self, head: &Head) -> Result<bool, ChainError> {
        let asked = self.fees.raised(self.chain.fees(head).await?);
        let funds = self.chain.balance(Address(self.from().0)).await?;
        let Some(fees) = asked.within(self.fees, funds, &self.request) else {
            tracing::warn!(
                action = self.action,
                funds,
                "the transaction is not mined, and the wallet cannot pay a higher fee: fund it"
            );
            return Ok(false);
        };
        tracing::info!(
            action = self.action,
            nonce = self.nonce().as_u64(),
            max_fee = %fees.max_fee,
            base_fee = %head.base_fee,
            "not mined yet: replaced with a higher fee"
        );
        self.fees = fees;
        self.sign().await?;
        Ok(true)
    }

    async fn sign(&mut self) -> Result<(), ChainError> {
        let request =
            self.request.clone().max_fee_per_gas(self.fees.max_fee).max_priority_fee_per_gas(self.fees.tip);
        let transaction = TypedTransaction::Eip1559(request);
        let signer = self.chain.wallet(self.action)?.signer.clone().with_chain_id(self.chain.inner.chain_id);
        let signature = signer
            .sign_transaction(&transaction)
            .await
            .map_err(|e| ChainError::decode("the signature of a transaction", e))?;
        let raw = transaction.rlp_signed(&signature);
        self.signed.push((H256(ethers::utils::keccak256(&raw)), raw));
        Ok(())
    }

    /// The receipt of whichever transaction of the nonce is mined.
    async fn receipt(&self) -> Result<Option<TransactionReceipt>, ChainError> {
        for (hash, _) in self.signed.iter().rev() {
            if let Some(receipt) = self.chain.receipt(*hash).await? {
                return Ok(Some(receipt));
            }
        }
        Ok(None)
    }

    fn newest(&self) -> H256 {
        self.signed.last().expect("there is one from the beginning").0
    }

    fn from(&self) -> H160 {
        self.request.from.unwrap_or_default()
    }

    fn nonce(&self) -> U256 {
        self.request.nonce.unwrap_or_default()
    }
}

/// Sorts a node's refusal of a broadcast. Clients word it differently: geth, reth, nethermind, besu, erigon and anvil.
fn answer(error: &ChainError) -> Answer {
    let reason = match error {
        ChainError::Unreachable { .. } => return Answer::Silent,
        ChainError::Rpc { reason, .. } => reason,
        other => return Answer::Refused(other.to_string()),
    };
    let lower = reason.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if says(&["already known", "already imported", "known transaction", "alreadyknown", "already exists"]) {
        Answer::Taken
    } else if says(&["nonce too low", "nonce is too low", "nonce has already", "oldnonce", "nonce_too_low"]) {
        Answer::NonceUsed
    } else if says(&[
        "underpriced",
        "fee too low",
        "less than block base fee",
        "max fee per gas less",
        "feetoolow",
    ]) {
        Answer::FeeTooLow
    } else {
        Answer::Refused(reason.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_every_client_are_understood() {
        let of = |reason: &str| {
            answer(&ChainError::Rpc { what: "x".into(), rpc: "r".into(), reason: reason.into() })
        };
        for known in ["already known", "Known transaction", "AlreadyKnown", "transaction already imported"] {
            assert_eq!(of(known), Answer::Taken, "{known}");
        }
        for used in
            ["nonce too low: next nonce 7, tx nonce 6", "Nonce too low", "OldNonce", "nonce is too low"]
        {
            assert_eq!(of(used), Answer::NonceUsed, "{used}");
        }
        for low in [
            "replacement transaction underpriced",
            "transaction underpriced: tip needed 1, tip permitted 0",
            "max fee per gas less than block base fee",
            "FeeTooLow, MaxFeePerGas too low to compete",
        ] {
            assert_eq!(of(low), Answer::FeeTooLow, "{low}");
        }
        assert_eq!(of("exceeds block gas limit"), Answer::Refused("exceeds block gas limit".into()));
        let silent = ChainError::Unreachable { rpc: "r".into(), reason: "reset".into() };
        assert_eq!(answer(&silent), Answer::Silent);
    }

    #[test]
    fn a_wait_ends_with_the_block_at_its_deadline() {
        let head = |timestamp| Head { timestamp, ..Head::default() };
        let wait = Wait::new(&head(100), Some(160));
        assert_eq!(wait.whole(), Duration::from_secs(60));
        assert_eq!(wait.part(6, REPLACE), Duration::from_secs(10));
        assert_eq!(wait.part(20, RESEND), Duration::from_secs(3));
        assert!(!wait.is_over(None) && !wait.is_over(Some(&head(159))) && wait.is_over(Some(&head(160))));
        let open = Wait::new(&head(100), None);
        assert_eq!(open.whole(), PATIENCE);
        assert!(!open.is_over(Some(&head(u64::MAX))));
    }
}
