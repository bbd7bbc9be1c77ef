//! The specification of a project: TOML that its owner writes, canonical JSON on IPFS that everybody reads, and terms
//! that the contract enforces.
//!
//! The canonical JSON has sorted keys, no spaces and no floating-point numbers, so every implementation computes the
//! same SHA-256. That digest is on chain.

mod currency;
mod rule;
mod sections;

pub use currency::CurrencyConfig;
pub use rule::RuleConfig;
pub use sections::{Participation, Periods, Quantisation, Reward, Training};

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::bounds;
use crate::model::{Model, ModelError};
use crate::money::{Currency, Money};

/// A project, as its owner specifies it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Specification {
    /// A name for people, 1 to 80 characters.
    pub name: String,
    /// What the model is for.
    #[serde(default)]
    pub description: String,
    /// The model that is trained.
    pub model: Model,
    /// How updates become integers.
    #[serde(default)]
    pub quantisation: Quantisation,
    /// How trainers train.
    #[serde(default)]
    pub training: Training,
    /// Which updates are kept and what they earn.
    #[serde(default)]
    pub rule: RuleConfig,
    /// Numbers of trainers, stakes and bond.
    pub participation: Participation,
    /// The currency of all amounts; ether by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<CurrencyConfig>,
    /// Rewards and fees.
    pub reward: Reward,
    /// Longest duration of each phase.
    #[serde(default)]
    pub periods: Periods,
}

/// Why a specification is invalid. Every message names the field and the expected value.
#[derive(Debug, thiserror::Error)]
pub enum SpecificationError {
    /// Not TOML, a missing or an unknown field, a value of the wrong kind.
    #[error("the specification cannot be read: {0}")]
    Toml(#[from] toml::de::Error),
    /// Not the JSON of a specification.
    #[error("the specification's JSON cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// The JSON is not in its canonical form, so that its digest would not be unique.
    #[error("the specification's JSON is not canonical (sorted keys, no spaces)")]
    NotCanonical,
    /// The model is invalid.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A field is out of its range.
    #[error("{field} is {value}; expected {expected}")]
    Field {
        /// The field, as `section.name`.
        field: &'static str,
        /// The value given.
        value: String,
        /// What was expected, and what to do.
        expected: String,
    },
}

impl Specification {
    /// Parses and validates an owner's TOML.
    ///
    /// # Errors
    /// [`SpecificationError`] names the field and what was expected.
    pub fn from_toml(text: &str) -> Result<Self, SpecificationError> {
        let read: Self = toml::from_str(text)?;
        read.validate()?;
        Ok(read)
    }

    /// Parses and validates the canonical JSON.
    ///
    /// # Errors
    /// Also [`SpecificationError::NotCanonical`] when the bytes differ from [`Self::canonical_json`].
    pub fn from_canonical_json(bytes: &[u8]) -> Result<Self, SpecificationError> {
        let read: Self = serde_json::from_slice(bytes)?;
        read.validate()?;
        if read.canonical_json() == bytes {
            Ok(read)
        } else {
            Err(SpecificationError::NotCanonical)
        }
    }

    /// The bytes that go on IPFS and whose SHA-256 is on chain.
    pub fn canonical_json(&self) -> Vec<u8> {
        // `serde_json::Value` keeps its keys sorted.
        let value = serde_json::to_value(self).expect("a specification has no key that is not a string");
        serde_json::to_vec(&value).expect("a value is always written")
    }

    /// The smallest circuit that serves `max_trainers`.
    ///
    /// # Errors
    /// When `max_trainers` exceeds the largest circuit.
    pub fn slots(&self) -> Result<u8, SpecificationError> {
        let max = self.participation.max_trainers;
        bounds::SLOT_SIZES.into_iter().find(|&size| size >= max).ok_or_else(|| {
            let expected = format!("at most {}, the largest circuit", bounds::MAX_SLOTS);
            out_of_range("participation.max_trainers", max, expected)
        })
    }

    /// Table of the range proofs, 8 or 16: two limbs of 8 bits are cheaper below `2^16` parameters.
    pub fn table(&self) -> u8 {
        let cheaper = if self.model.dimension() < 1 << 16 { 8 } else { 16 };
        self.quantisation.table.unwrap_or(cheaper)
    }

    /// The token of all amounts; `None` for ether.
    pub fn token(&self) -> Option<Address> {
        self.currency.as_ref().map(|currency| currency.token)
    }

    /// The owner's deposit into escrow: rewards and fees of all rounds.
    ///
    /// # Errors
    /// When the sum exceeds 96 bits.
    pub fn deposit(&self) -> Result<u128, SpecificationError> {
        let Reward { rounds, per_round, aggregator_fee } = &self.reward;
        per_round
            .least()
            .checked_add(aggregator_fee.least())
            .and_then(|sum| sum.checked_mul(u128::from(*rounds)))
            .filter(|sum| *sum < 1 << bounds::AMOUNT_BITS)
            .ok_or_else(|| {
                out_of_range("reward", "2^96 of the least unit or more in all", "a smaller reward")
            })
    }

    /// Checks every field against the others. The contract checks the same when the project is created.
    ///
    /// # Errors
    /// [`SpecificationError`] names the field and what was expected.
    pub fn validate(&self) -> Result<(), SpecificationError> {
        let length = self.name.chars().count();
        check("name", length, (1..=bounds::MAX_NAME).contains(&length), "1 to 80 characters")?;
        self.model.validate()?;
        let scale = self.quantisation.scale_log2;
        check("quantisation.scale_log2", scale, bounds::SCALE_LOG2.contains(&scale), "4 to 24")?;
        self.validate_training()?;
        if let Some(table) = self.quantisation.table {
            let tables = "8 (two limbs of 8 bits), 16 (16 bits), or nothing for the cheaper";
            check("quantisation.table", table, bounds::TABLES.contains(&table), tables)?;
        }
        self.rule.validate()?;
        self.validate_currency()?;
        self.validate_participation()?;
        let rounds = self.reward.rounds;
        check("reward.rounds", rounds, (1..=bounds::MAX_ROUNDS).contains(&rounds), "1 to 1000")?;
        check("reward.per_round", self.reward.per_round, self.reward.per_round.least() > 0, "more than 0")?;
        self.deposit()?;
        let Periods { registration, commit, reveal, attest, aggregate } = self.periods;
        for (field, period) in [
            ("periods.registration", registration),
            ("periods.commit", commit),
            ("periods.reveal", reveal),
            ("periods.attest", attest),
            ("periods.aggregate", aggregate),
        ] {
            let in_range = (bounds::MIN_PERIOD..=bounds::MAX_PERIOD).contains(&period);
            let periods = "1 (3600 outside a test chain) to 2592000 seconds (thirty days)";
            check(field, period, in_range, periods)?;
        }
        Ok(())
    }

    fn validate_training(&self) -> Result<(), SpecificationError> {
        let t = &self.training;
        let rate = t.learning_rate.millionths();
        check(
            "training.learning_rate",
            t.learning_rate,
            (1..=bounds::MAX_LEARNING_RATE).contains(&rate),
            "0.000001 to 100",
        )?;
        let least = t.min_learning_rate.millionths();
        let lower = "0.000001 to the learning rate";
        check("training.min_learning_rate", t.min_learning_rate, (1..=rate).contains(&least), lower)?;
        let epochs = (1..=bounds::MAX_LOCAL_EPOCHS).contains(&t.local_epochs);
        check("training.local_epochs", t.local_epochs, epochs, "1 to 1000")?;
        let batch = (1..=bounds::MAX_BATCH_SIZE).contains(&t.batch_size);
        check("training.batch_size", t.batch_size, batch, "1 to 65536")?;
        for (field, value) in [
            ("training.decay", t.decay),
            ("training.coherence_floor", t.coherence_floor),
            ("training.coherence_decay", t.coherence_decay),
        ] {
            check(field, value, value.millionths() <= 1_000_000, "0 to 1")?;
        }
        Ok(())
    }

    fn validate_participation(&self) -> Result<(), SpecificationError> {
        let p = &self.participation;
        self.slots()?;
        let fewest = bounds::MIN_ACTIVE as u8;
        let trainers = (fewest..=p.max_trainers).contains(&p.min_trainers);
        check("participation.min_trainers", p.min_trainers, trainers, "3 to participation.max_trainers")?;
        let active = (fewest..=p.min_trainers).contains(&p.min_active);
        let expected = "3 to participation.min_trainers (and at least 5 outside a test chain)";
        check("participation.min_active", p.min_active, active, expected)?;
        let voids = (1..=bounds::MAX_VOIDS).contains(&p.max_voids);
        check("participation.max_voids", p.max_voids, voids, "1 to 250")?;
        for (field, value) in [("participation.stake", p.stake), ("participation.bond", p.bond)] {
            check(
                field,
                value,
                value.least() < 1 << bounds::AMOUNT_BITS,
                "less than 2^96 of the least unit",
            )?;
        }
        check(
            "participation.bond",
            p.bond,
            p.bond.least() > 0,
            "more than 0: it answers for the aggregator",
        )?;
        // Below 2^96, as the stake.
        let penalty = p.outlier_penalty.least();
        let most = p.stake.least() / u128::from(bounds::PENALTY_PARTS);
        let expected = "at most a tenth of participation.stake";
        check("participation.outlier_penalty", p.outlier_penalty, penalty <= most, expected)
    }

    /// Checks that every amount is written in the unit of the project's currency.
    fn validate_currency(&self) -> Result<(), SpecificationError> {
        // Decimals do not matter here.
        let currency =
            self.token().map_or(Currency::Ether, |address| Currency::Token { address, decimals: 0 });
        let (p, r) = (&self.participation, &self.reward);
        for (field, amount) in [
            ("participation.stake", p.stake),
            ("participation.bond", p.bond),
            ("participation.outlier_penalty", p.outlier_penalty),
            ("reward.per_round", r.per_round),
            ("reward.aggregator_fee", r.aggregator_fee),
        ] {
            Money::from_amount(amount, currency)
                .map_err(|_| out_of_range(field, amount, currency.written_as()))?;
        }
        Ok(())
    }
}

fn out_of_range(
    field: &'static str,
    value: impl ToString,
    expected: impl Into<String>,
) -> SpecificationError {
    SpecificationError::Field { field, value: value.to_string(), expected: expected.into() }
}

fn check(
    field: &'static str,
    value: impl ToString,
    holds: bool,
    expected: &str,
) -> Result<(), SpecificationError> {
    if holds {
        Ok(())
    } else {
        Err(out_of_range(field, value, expected))
    }
}

#[cfg(test)]
mod tests;
