//! What an audit found.

use fairshare_client::{format_address, Address20, ContentId, Phase, SettledRound};
use serde_json::{json, Value};

use super::failure::Failure;
use super::ledger::Ledger;
use super::submissions::{slots, word};

/// A settled round, audited.
#[derive(Clone, Debug)]
pub struct AuditedRound {
    /// What the chain says.
    pub settled: SettledRound,
    /// Trainers by slot.
    pub trainers: Vec<Address20>,
    /// Learning rate of the round, millionths, as its event says.
    pub learning_rate: Option<u32>,
    /// Whether Groth16 proof and Gram argument verify.
    pub proof: bool,
    /// Active slots whose update was fetched and gives its commitment.
    pub updates: usize,
    /// Whether the published model is the recomputed one, byte for byte.
    pub model: bool,
    /// The new model's file.
    pub model_cid: Option<ContentId>,
    /// Failures in this round.
    pub failures: usize,
}

/// An audited project.
#[derive(Clone, Debug)]
pub struct AuditReport {
    /// The project's address.
    pub project: Address20,
    /// Chain id.
    pub chain_id: u64,
    /// The block up to which events were read.
    pub block: u64,
    /// Where the project stands.
    pub phase: Phase,
    /// Hash of the registered keys.
    pub keys_hash: [u8; 32],
    /// The keys are development keys: whoever made them can forge.
    pub dev: bool,
    /// The token of all amounts; `None` for ether.
    pub token: Option<Address20>,
    /// Settled rounds, oldest first.
    pub rounds: Vec<AuditedRound>,
    /// Void rounds with their reasons.
    pub voids: Vec<(u64, String)>,
    /// The money by the events.
    pub ledger: Ledger,
    /// What the contract holds, in the currency's least unit.
    pub balance: u128,
    /// What does not hold. Empty when the audit passes.
    pub failures: Vec<Failure>,
    /// What is worth knowing and no failure.
    pub notes: Vec<String>,
}

impl AuditReport {
    /// Whether everything holds.
    pub fn passes(&self) -> bool {
        self.failures.is_empty()
    }

    /// One object: `audit` is `"pass"` or the list of failures, amounts are in the least unit of `currency`
    /// (wei, where that is `"ether"`), as text.
    pub fn to_json(&self) -> Value {
        let audit = if self.passes() {
            json!("pass")
        } else {
            self.failures.iter().map(ToString::to_string).collect::<Vec<_>>().into()
        };
        let wei = |amount: u128| amount.to_string();
        let ledger = &self.ledger;
        json!({
            "audit": audit,
            "project": format_address(&self.project),
            "chain_id": self.chain_id,
            "block": self.block,
            "phase": self.phase,
            "keys_hash": word(&self.keys_hash),
            "dev_keys": self.dev,
            "currency": self.token.as_ref().map_or_else(|| "ether".to_owned(), format_address),
            "rounds": self.rounds.iter().map(AuditedRound::to_json).collect::<Vec<_>>(),
            "voids": self.voids.iter().map(|(round, reason)| json!({"round": round, "reason": reason})).collect::<Vec<_>>(),
            "deposit_wei": wei(ledger.deposit),
            "slashed_wei": wei(ledger.slashed),
            "paid_wei": wei(ledger.paid),
            "fees_wei": wei(ledger.fees),
            "held_fee_wei": wei(ledger.held_fee),
            "returned_wei": wei(ledger.returned),
            "escrow_wei": wei(ledger.escrow),
            "withdrawn_wei": wei(ledger.withdrawn),
            "owed_wei": wei(ledger.owed.values().sum()),
            "balance_wei": wei(self.balance),
            "trainers": ledger.earned.iter().map(|(who, amount)| json!({
                "address": format_address(who), "earned_wei": wei(*amount),
            })).collect::<Vec<_>>(),
            "notes": self.notes,
        })
    }
}

impl AuditedRound {
    fn to_json(&self) -> Value {
        let s = &self.settled;
        let share = |slot: u8| s.shares.get(usize::from(slot)).copied().unwrap_or_default();
        let trainer = |slot: u8| self.trainers.get(usize::from(slot)).map(format_address);
        json!({
            "round": s.round,
            "payee": format_address(&s.payee),
            "active": slots(s.active).collect::<Vec<_>>(),
            "kept": slots(s.kept).collect::<Vec<_>>(),
            "coherence": s.coherence,
            "learning_rate_millionths": self.learning_rate,
            "shares": slots(s.active).map(|slot| json!({"slot": slot, "trainer": trainer(slot), "share": share(slot)})).collect::<Vec<_>>(),
            "proof_verified": self.proof,
            "updates_checked": self.updates,
            "model_checked": self.model,
            "model_cid": self.model_cid.map(|cid| cid.to_string()),
            "transaction": word(&s.transaction),
            "gas": s.gas_used,
            "failures": self.failures,
        })
    }
}
