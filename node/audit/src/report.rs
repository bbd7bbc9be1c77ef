//! The result of an audit.

use fairshare_client::service::add_amounts;
use fairshare_client::{ContentId, SettledRound};
use fairshare_protocol::{Address, Currency, Money, Phase};
use serde_json::{json, Value};

use super::failure::Failure;
use super::ledger::Ledger;
use super::text::word;

/// A settled round, audited.
#[derive(Clone, Debug)]
pub struct AuditedRound {
    /// The settlement on the chain.
    pub settled: SettledRound,
    /// Trainers by slot.
    pub trainers: Vec<Address>,
    /// Learning rate of the round, millionths, from its event.
    pub learning_rate: Option<u32>,
    /// Whether Groth16 proof and Gram argument verify.
    pub proof: bool,
    /// Active slots whose update was fetched and matches its commitment.
    pub updates: usize,
    /// Whether the published model equals the recomputed one, byte for byte.
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
    pub project: Address,
    /// Chain id.
    pub chain_id: u64,
    /// The block up to which events were read.
    pub block: u64,
    /// The phase of the project.
    pub phase: Phase,
    /// Hash of the registered keys.
    pub keys_hash: [u8; 32],
    /// The keys are development keys: anyone can forge proofs under them.
    pub dev: bool,
    /// The token of all amounts; `None` for ether.
    pub token: Option<Address>,
    /// Settled rounds, oldest first.
    pub rounds: Vec<AuditedRound>,
    /// Void rounds with their reasons.
    pub voids: Vec<(u64, String)>,
    /// The money by the events.
    pub ledger: Ledger,
    /// The contract's balance, in the currency's least unit.
    pub balance: u128,
    /// The failures; none when the audit passes.
    pub failures: Vec<Failure>,
    /// Observations that are not failures.
    pub notes: Vec<String>,
}

impl AuditReport {
    /// True without failures.
    pub fn passes(&self) -> bool {
        self.failures.is_empty()
    }

    /// An amount of the project's currency, in its least unit.
    pub fn amount(&self, least: u128) -> Money {
        let currency = match self.token {
            None => Currency::Ether,
            Some(token) => Currency::Token { address: token, decimals: 0 },
        };
        Money::new(least, currency)
    }

    /// One object. `audit` is `"pass"` or the list of failures. Amounts are text, and their
    /// fields end in `_wei` or `_units`.
    pub fn to_json(&self) -> Value {
        let audit = if self.passes() {
            json!("pass")
        } else {
            self.failures.iter().map(ToString::to_string).collect::<Vec<_>>().into()
        };
        let ledger = &self.ledger;
        let trainers = ledger.earned.iter().map(|(who, earned)| {
            let mut trainer = json!({"address": who.to_string()});
            add_amounts(&mut trainer, [("earned", self.amount(*earned))]);
            trainer
        });
        let mut report = json!({
            "audit": audit,
            "project": self.project.to_string(),
            "chain_id": self.chain_id,
            "block": self.block,
            "phase": self.phase,
            "keys_hash": word(&self.keys_hash),
            "dev_keys": self.dev,
            "currency": self.token.as_ref().map_or_else(|| "ether".to_owned(), ToString::to_string),
            "rounds": self.rounds.iter().map(AuditedRound::to_json).collect::<Vec<_>>(),
            "voids": self.voids.iter().map(|(round, reason)| json!({"round": round, "reason": reason})).collect::<Vec<_>>(),
            "trainers": trainers.collect::<Vec<_>>(),
            "notes": self.notes,
        });
        let amounts = [
            ("deposit", ledger.deposit),
            ("divided", ledger.divided),
            ("burnt", ledger.burnt),
            ("paid", ledger.paid),
            ("fees", ledger.fees),
            ("held_fee", ledger.held_fee),
            ("returned", ledger.returned),
            ("escrow", ledger.escrow),
            ("withdrawn", ledger.withdrawn),
            ("owed", ledger.owed.values().sum()),
            ("balance", self.balance),
        ];
        add_amounts(&mut report, amounts.map(|(name, amount)| (name, self.amount(amount))));
        report
    }
}

impl AuditedRound {
    fn to_json(&self) -> Value {
        let s = &self.settled;
        let share = |slot: u8| s.shares.get(usize::from(slot)).copied().unwrap_or_default();
        let trainer = |slot: u8| self.trainers.get(usize::from(slot)).map(ToString::to_string);
        json!({
            "round": s.round,
            "payee": s.payee.to_string(),
            "active": s.active.iter().collect::<Vec<_>>(),
            "kept": s.kept.iter().collect::<Vec<_>>(),
            "coherence": s.coherence,
            "learning_rate_millionths": self.learning_rate,
            "shares": s.active.iter().map(|slot| json!({"slot": slot, "trainer": trainer(slot), "share": share(slot)})).collect::<Vec<_>>(),
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
