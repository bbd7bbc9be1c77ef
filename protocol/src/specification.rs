//! The specification of a project: what its owner writes (TOML), what everybody reads (canonical JSON on IPFS), and
//! what the contract enforces.
//!
//! The canonical JSON has sorted keys, no spaces and no floating-point numbers, so its SHA-256 is the same wherever it
//! is made; that digest is on chain.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};

use crate::amount::{Amount, Decimal};
use crate::model::{Model, ModelError};
use crate::quantise::MAX_SCALE_LOG2;
use crate::rules::{AgreementPolicy, MultiKrumPolicy, RulePolicy};

/// Sizes of the assessment circuit that have keys, least first.
pub const CIRCUIT_SIZES: [u8; 5] = [8, 16, 32, 64, 128];
/// One, as the contract counts factors.
pub const ONE: u32 = 1 << 16;

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
    /// Who is kept and what it earns.
    #[serde(default)]
    pub rule: Rule,
    /// How many take part, and what they risk.
    pub participation: Participation,
    /// In which currency all amounts are; ether where this is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// What is paid.
    pub reward: Reward,
    /// How long each phase may last.
    #[serde(default)]
    pub periods: Periods,
}

/// How updates become integers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quantisation {
    /// The scale is `2^scale_log2`; an update's entries reach `2^(15 - scale_log2)`. 4 to 24.
    pub scale_log2: u8,
    /// Table of the proofs of form (docs/protocol.md, 13.6): 8 (two limbs of 8 bits) or 16 (16 bits). Either proves any
    /// update; where this is left out it is the cheaper one for the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<u8>,
}

impl Default for Quantisation {
    fn default() -> Self {
        Self { scale_log2: 14, table: None }
    }
}

/// How trainers train. The learning rate and what it follows are kept by the contract (docs/protocol.md, 13.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Training {
    /// Of the first round; millionths on chain.
    pub learning_rate: Decimal,
    /// Never below this.
    pub min_learning_rate: Decimal,
    /// Passes over a trainer's data in a round, 1 to 1000.
    pub local_epochs: u16,
    /// Samples of a step, 1 to 65536.
    pub batch_size: u32,
    /// The learning rate is multiplied by this after each settled round, 0 to 1.
    pub decay: Decimal,
    /// Below this coherence the learning rate is also multiplied by `coherence_decay`, 0 to 1.
    pub coherence_floor: Decimal,
    /// See `coherence_floor`, 0 to 1.
    pub coherence_decay: Decimal,
    /// Seed of the first model.
    pub seed: u64,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            learning_rate: Decimal::from_millionths(300_000),
            min_learning_rate: Decimal::from_millionths(1_000),
            local_epochs: 5,
            batch_size: 8,
            decay: Decimal::from_millionths(950_000),
            coherence_floor: Decimal::from_millionths(150_000),
            coherence_decay: Decimal::from_millionths(500_000),
            seed: 1,
        }
    }
}

/// Who is kept and what it earns (docs/protocol.md, section 6). The fields of the other rule must be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// "agreement" or "multi-krum".
    pub name: RuleName,
    /// Agreement: a contribution below `theta / 256` of the median is an outlier's, 0 to 1023; 32 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theta: Option<u16>,
    /// Agreement: `trim / 256` of a row is dropped at either end, 0 to 85; 52 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trim: Option<u8>,
    /// Multi-krum: `byzantine / 256` of the active slots may lie, 0 to 85; 52 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub byzantine: Option<u8>,
    /// Multi-krum: `selected / 256` of the active slots are kept, 1 to 255; 179 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selected: Option<u8>,
}

impl Rule {
    /// The rule with its numbers.
    pub fn policy(&self) -> RulePolicy {
        match self.name {
            RuleName::Agreement => RulePolicy::Agreement(AgreementPolicy {
                theta: self.theta.unwrap_or(32),
                trim: self.trim.unwrap_or(52),
            }),
            RuleName::MultiKrum => RulePolicy::MultiKrum(MultiKrumPolicy {
                byzantine: self.byzantine.unwrap_or(52),
                selected: self.selected.unwrap_or(179),
            }),
        }
    }

    fn validate(&self) -> Result<(), SpecificationError> {
        let foreign = match self.name {
            RuleName::Agreement => [
                ("rule.byzantine", self.byzantine.map(u16::from)),
                ("rule.selected", self.selected.map(u16::from)),
            ],
            RuleName::MultiKrum => [("rule.theta", self.theta), ("rule.trim", self.trim.map(u16::from))],
        };
        for (field, value) in foreign {
            if let Some(value) = value {
                let expected =
                    format!("nothing: the rule {} has no such number, leave it out", self.name.name());
                return Err(out_of_range(field, value, expected));
            }
        }
        match self.policy() {
            RulePolicy::Agreement(AgreementPolicy { theta, trim }) => {
                let thetas = "0 to 1023 (in 1/256 of the median contribution)";
                check("rule.theta", theta, theta < 1 << 10, thetas)?;
                let trims =
                    "0 to 85 (a third of a row in 1/256): a larger trim leaves nothing of a row to judge by";
                check("rule.trim", trim, trim <= 85, trims)
            }
            RulePolicy::MultiKrum(MultiKrumPolicy { byzantine, selected }) => {
                let shares = "0 to 85 (a third of the active slots in 1/256): with more liars there are no neighbours to judge by";
                check("rule.byzantine", byzantine, byzantine <= 85, shares)?;
                check("rule.selected", selected, selected >= 1, "1 to 255 (in 1/256 of the active slots)")
            }
        }
    }
}

/// The rules that have a circuit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleName {
    /// Trimmed, clipped agreement.
    #[default]
    Agreement,
    /// The slots nearest to their neighbours.
    MultiKrum,
}

impl std::fmt::Display for RuleName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for RuleName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|rule| rule.name() == text).ok_or_else(|| format!("the rules are {}", known()))
    }
}

impl RuleName {
    /// All rules, in the order of their ids.
    pub const ALL: [Self; 2] = [Self::Agreement, Self::MultiKrum];

    /// The rule id of docs/protocol.md, 13.2.
    pub fn id(self) -> u8 {
        match self {
            Self::Agreement => 1,
            Self::MultiKrum => 2,
        }
    }

    /// The name, as a specification and the files of keys write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Agreement => "agreement",
            Self::MultiKrum => "multi-krum",
        }
    }
}

/// How many take part, and what they risk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Participation {
    /// Trainers without whom the project does not start.
    pub min_trainers: u8,
    /// Trainers who find room, at most as many as the largest circuit serves.
    pub max_trainers: u8,
    /// Updates without which a round is void; at least 5 (3 on a test chain).
    #[serde(default = "Participation::default_min_active")]
    pub min_active: u8,
    /// Void rounds after which the project is wound up.
    #[serde(default = "Participation::default_max_voids")]
    pub max_voids: u16,
    /// Stake of a trainer.
    pub stake: Amount,
    /// Bond of the aggregator.
    pub bond: Amount,
    /// Rounds in which a trainer may be dropped as outlier without loss.
    #[serde(default = "Participation::default_outlier_rounds")]
    pub outlier_rounds: u16,
    /// What it loses of its stake, once, when it is dropped in one more; nothing by default.
    #[serde(default)]
    pub outlier_penalty: Amount,
}

impl Participation {
    fn default_min_active() -> u8 {
        5
    }
    fn default_outlier_rounds() -> u16 {
        u16::MAX
    }
    fn default_max_voids() -> u16 {
        3
    }
}

/// The currency of a project's amounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Currency {
    /// Address of an ERC-20: all amounts are in its least unit, and written as `"1000000 units"`.
    pub token: TokenAddress,
}

/// The address of a token's contract. Written in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenAddress(pub [u8; 20]);

impl FromStr for TokenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || {
            format!(
                "{text:?} is not the address of a token; expected 0x and 40 hexadecimal digits, not all 0"
            )
        };
        let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 40 && digits.is_ascii());
        let mut address = [0; 20];
        for (byte, at) in address.iter_mut().zip((0..40).step_by(2)) {
            let pair = digits.ok_or_else(refuse)?.get(at..at + 2).filter(|pair| !pair.starts_with('+'));
            *byte = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or_else(refuse)?;
        }
        if address == [0; 20] {
            return Err(refuse());
        }
        Ok(Self(address))
    }
}

impl fmt::Display for TokenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for TokenAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TokenAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// What is paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reward {
    /// Rounds to settle, 1 to 1000.
    pub rounds: u16,
    /// Shared by the trainers of a round by proved contribution.
    pub per_round: Amount,
    /// Of the aggregator, for a settled round.
    pub aggregator_fee: Amount,
}

/// How long each phase may last, in seconds; a phase ends sooner when everybody has done its part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Periods {
    /// Joining.
    pub registration: u32,
    /// Training and committing.
    pub commit: u32,
    /// Revealing.
    pub reveal: u32,
    /// Attesting: fetching what was revealed and saying which of it is what was committed.
    pub attest: u32,
    /// Proving and settling, first for the named aggregator, then as long again for anybody.
    pub aggregate: u32,
}

impl Default for Periods {
    fn default() -> Self {
        Self { registration: 3600, commit: 3600, reveal: 600, attest: 600, aggregate: 1800 }
    }
}

/// Why a specification cannot be. Every message names the field and says what was expected.
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
    /// The model cannot be.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A field is out of its range.
    #[error("{field} is {value}; expected {expected}")]
    Field {
        /// The field, as `section.name`.
        field: &'static str,
        /// What was given.
        value: String,
        /// What was expected, and what to do.
        expected: String,
    },
}

impl Specification {
    /// Reads and checks what an owner wrote.
    ///
    /// # Errors
    /// [`SpecificationError`] names the field and what was expected.
    pub fn from_toml(text: &str) -> Result<Self, SpecificationError> {
        let read: Self = toml::from_str(text)?;
        read.validate()?;
        Ok(read)
    }

    /// Reads and checks the canonical JSON.
    ///
    /// # Errors
    /// Also [`SpecificationError::NotCanonical`] when the bytes are not the ones that [`Self::canonical_json`] makes.
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
    /// When there is none.
    pub fn slots(&self) -> Result<u8, SpecificationError> {
        let max = self.participation.max_trainers;
        CIRCUIT_SIZES.into_iter().find(|&size| size >= max).ok_or_else(|| {
            let largest = CIRCUIT_SIZES.into_iter().max().unwrap_or_default();
            out_of_range("participation.max_trainers", max, format!("at most {largest}, the largest circuit"))
        })
    }

    /// Table of the proofs of form, 8 or 16: two limbs of 8 bits are cheaper below `2^16` parameters.
    pub fn table(&self) -> u8 {
        let cheaper = if self.model.dimension() < 1 << 16 { 8 } else { 16 };
        self.quantisation.table.unwrap_or(cheaper)
    }

    /// The token of all amounts; `None` for ether.
    pub fn token(&self) -> Option<[u8; 20]> {
        self.currency.as_ref().map(|currency| currency.token.0)
    }

    /// What the owner puts into escrow: all rounds' rewards and fees.
    ///
    /// # Errors
    /// When the sum has more than 96 bits.
    pub fn deposit(&self) -> Result<u128, SpecificationError> {
        let Reward { rounds, per_round, aggregator_fee } = &self.reward;
        per_round
            .least()
            .checked_add(aggregator_fee.least())
            .and_then(|sum| sum.checked_mul(u128::from(*rounds)))
            .filter(|sum| *sum < 1 << 96)
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
        check("name", length, (1..=80).contains(&length), "1 to 80 characters")?;
        self.model.validate()?;
        let scale = self.quantisation.scale_log2;
        check("quantisation.scale_log2", scale, (4..=MAX_SCALE_LOG2).contains(&scale), "4 to 24")?;
        self.validate_training()?;
        if let Some(table) = self.quantisation.table {
            let tables = "8 (two limbs of 8 bits), 16 (16 bits), or nothing for the cheaper";
            check("quantisation.table", table, table == 8 || table == 16, tables)?;
        }
        self.rule.validate()?;
        self.validate_currency()?;
        self.validate_participation()?;
        check("reward.rounds", self.reward.rounds, (1..=1000).contains(&self.reward.rounds), "1 to 1000")?;
        check("reward.per_round", self.reward.per_round, self.reward.per_round.least() > 0, "more than 0")?;
        self.deposit()?;
        let Periods { registration, commit, reveal, attest, aggregate } = self.periods;
        let seconds = "1 to 31536000 seconds (a year)";
        check("periods.registration", registration, (1..=31_536_000).contains(&registration), seconds)?;
        check("periods.commit", commit, (1..=31_536_000).contains(&commit), seconds)?;
        check("periods.reveal", reveal, (1..=31_536_000).contains(&reveal), seconds)?;
        check("periods.attest", attest, (1..=31_536_000).contains(&attest), seconds)?;
        check("periods.aggregate", aggregate, (1..=31_536_000).contains(&aggregate), seconds)
    }

    fn validate_training(&self) -> Result<(), SpecificationError> {
        let t = &self.training;
        let rate = t.learning_rate.millionths();
        check(
            "training.learning_rate",
            t.learning_rate,
            (1..=100_000_000).contains(&rate),
            "0.000001 to 100",
        )?;
        let least = t.min_learning_rate.millionths();
        let lower = "0.000001 to the learning rate";
        check("training.min_learning_rate", t.min_learning_rate, (1..=rate).contains(&least), lower)?;
        check("training.local_epochs", t.local_epochs, (1..=1000).contains(&t.local_epochs), "1 to 1000")?;
        check("training.batch_size", t.batch_size, (1..=65_536).contains(&t.batch_size), "1 to 65536")?;
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
        let least = (3..=p.max_trainers).contains(&p.min_trainers);
        check("participation.min_trainers", p.min_trainers, least, "3 to participation.max_trainers")?;
        let active = (3..=p.min_trainers).contains(&p.min_active);
        let expected = "3 to participation.min_trainers (and at least 5 outside a test chain)";
        check("participation.min_active", p.min_active, active, expected)?;
        check("participation.max_voids", p.max_voids, (1..=250).contains(&p.max_voids), "1 to 250")?;
        for (field, value) in [("participation.stake", p.stake), ("participation.bond", p.bond)] {
            check(field, value, value.least() < 1 << 96, "less than 2^96 of the least unit")?;
        }
        let penalty = "0 to participation.stake";
        let least = p.outlier_penalty.least();
        check("participation.outlier_penalty", p.outlier_penalty, least <= p.stake.least(), penalty)
    }

    /// Amounts in the unit of the project's currency, and in no other.
    fn validate_currency(&self) -> Result<(), SpecificationError> {
        let (p, r) = (&self.participation, &self.reward);
        for (field, amount) in [
            ("participation.stake", p.stake),
            ("participation.bond", p.bond),
            ("participation.outlier_penalty", p.outlier_penalty),
            ("reward.per_round", r.per_round),
            ("reward.aggregator_fee", r.aggregator_fee),
        ] {
            let expected = match (self.token(), amount) {
                (Some(_), Amount::Wei(wei)) if wei > 0 => {
                    "an amount such as \"1000000 units\": the project's currency is a token, counted in its least unit"
                }
                (None, Amount::Units(_)) => {
                    "an amount in ether, gwei or wei: units are for projects with a [currency] token"
                }
                _ => continue,
            };
            return Err(out_of_range(field, amount, expected));
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
mod tests {
    use super::*;

    const DIGITS: &str = r#"
        name = "digits"
        [model]
        kind = "mlp"
        inputs = 64
        hidden = 128
        classes = 10
        [participation]
        min_trainers = 5
        max_trainers = 10
        stake = "0.1 ether"
        bond = "1 ether"
        [reward]
        rounds = 5
        per_round = "1 ether"
        aggregator_fee = "50000000 gwei"
    "#;

    #[test]
    fn defaults_are_the_defaults_and_the_canonical_form_is_stable() {
        let spec = Specification::from_toml(DIGITS).unwrap();
        let agreement = RulePolicy::Agreement(AgreementPolicy { theta: 32, trim: 52 });
        assert_eq!((spec.rule.name, spec.rule.policy()), (RuleName::Agreement, agreement));
        assert_eq!((spec.table(), spec.token()), (8, None));
        let Participation { outlier_rounds, outlier_penalty, .. } = spec.participation;
        assert_eq!((outlier_rounds, outlier_penalty.least()), (u16::MAX, 0));
        assert_eq!(
            spec.periods,
            Periods { registration: 3600, commit: 3600, reveal: 600, attest: 600, aggregate: 1800 }
        );
        assert_eq!(spec.slots().unwrap(), 16);
        assert_eq!(spec.deposit().unwrap(), 5 * 1_050_000_000_000_000_000);
        let json = spec.canonical_json();
        assert_eq!(Specification::from_canonical_json(&json).unwrap(), spec);
        let text = String::from_utf8(json).unwrap();
        assert!(text.starts_with(r#"{"description":"","model":{"classes":10,"#), "{text}");
        assert!(
            text.contains(r#""learning_rate":"0.3""#) && text.contains(r#""stake":"100000000000000000 wei""#),
            "{text}"
        );
        let spaced = text.replacen(':', ": ", 1);
        let refused = Specification::from_canonical_json(spaced.as_bytes());
        assert!(matches!(refused, Err(SpecificationError::NotCanonical)));
    }

    #[test]
    fn a_project_may_pay_in_a_token_and_judge_by_multi_krum() {
        let token = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
        let text = DIGITS
            .replace("0.1 ether", "100 units")
            .replace("1 ether", "1000000 units")
            .replace("50000000 gwei", "50000 units")
            .replace(
                "[reward]",
                &format!("[currency]\ntoken = \"{token}\"\n[rule]\nname = \"multi-krum\"\n[reward]"),
            )
            .replace("bond =", "outlier_rounds = 2\noutlier_penalty = \"100 units\"\nbond =");
        let spec = Specification::from_toml(&text).unwrap();
        assert_eq!(spec.deposit().unwrap(), 5 * 1_050_000);
        assert_eq!(
            (spec.token().unwrap()[..2].to_vec(), spec.participation.stake.least()),
            (vec![0x5a, 0xae], 100)
        );
        let policy = RulePolicy::MultiKrum(MultiKrumPolicy { byzantine: 52, selected: 179 });
        assert_eq!(spec.rule.policy(), policy);
        let json = spec.canonical_json();
        assert_eq!(Specification::from_canonical_json(&json).unwrap(), spec);
        let json = String::from_utf8(json).unwrap();
        assert!(json.contains(token) && json.contains(r#""bond":"1000000 units""#), "{json}");
        let wide = DIGITS.replace("hidden = 128", "hidden = 1024");
        assert_eq!(Specification::from_toml(&wide).unwrap().table(), 16);
    }

    #[test]
    fn every_fault_is_named() {
        let refuse = |from: &str, to: &str| {
            assert!(DIGITS.contains(from), "{from}");
            Specification::from_toml(&DIGITS.replace(from, to)).unwrap_err().to_string()
        };
        for (from, to, names) in [
            ("rounds = 5", "", "rounds"),
            ("rounds = 5", "rounds = 0", "reward.rounds is 0"),
            ("kind = \"mlp\"", "kind = \"transformer\"", "transformer"),
            ("hidden = 128", "hidden = 0", "model.hidden is 0"),
            ("max_trainers = 10", "max_trainers = 129", "participation.max_trainers is 129"),
            ("min_trainers = 5", "min_trainers = 2", "participation.min_trainers is 2"),
            ("min_trainers = 5", "min_trainers = 11", "participation.min_trainers is 11"),
            ("min_trainers = 5", "min_trainers = 4", "participation.min_active is 5"),
            ("\"0.1 ether\"", "\"0.1 doge\"", "doge"),
            ("per_round = \"1 ether\"", "per_round = \"0 wei\"", "reward.per_round"),
            ("per_round = \"1 ether\"", "per_round = \"99999999999999 ether\"", "smaller reward"),
            ("[reward]", "[rule]\nname = \"median\"\n[reward]", "median"),
            (
                "[reward]",
                "[rule]\nselected = 179\n[reward]",
                "rule.selected is 179; expected nothing: the rule agreement",
            ),
            ("[reward]", "[rule]\nbyzantine = 1\n[reward]", "rule.byzantine is 1; expected nothing"),
            (
                "[reward]",
                "[rule]\nname = \"multi-krum\"\ntheta = 3\n[reward]",
                "rule.theta is 3; expected nothing: the rule multi-krum",
            ),
            (
                "[reward]",
                "[rule]\nname = \"multi-krum\"\ntrim = 3\n[reward]",
                "rule.trim is 3; expected nothing",
            ),
            ("[reward]", "[rule]\nname = \"multi-krum\"\nbyzantine = 86\n[reward]", "rule.byzantine is 86"),
            ("[reward]", "[rule]\nname = \"multi-krum\"\nselected = 0\n[reward]", "rule.selected is 0"),
            ("[reward]", "[quantisation]\ntable = 12\n[reward]", "quantisation.table is 12"),
            ("[reward]", "[periods]\nattest = 0\n[reward]", "periods.attest is 0"),
            ("bond =", "max_excluded = 2\nbond =", "unknown field `max_excluded`"),
            (
                "bond =",
                "outlier_penalty = \"0.2 ether\"\nbond =",
                "participation.outlier_penalty is 200000000000000000 wei",
            ),
            ("\"0.1 ether\"", "\"5 units\"", "participation.stake is 5 units; expected an amount in ether"),
            ("[reward]", "[currency]\ntoken = \"0x12\"\n[reward]", "not the address of a token"),
            (
                "[reward]",
                "[currency]\ntoken = \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"\n[reward]",
                "participation.stake is 100000000000000000 wei; expected an amount such as \"1000000 units\"",
            ),
            ("[reward]", "[rule]\ntrim = 86\n[reward]", "rule.trim is 86"),
            ("[reward]", "[rule]\ntheta = 1024\n[reward]", "rule.theta is 1024"),
            ("[reward]", "[rule]\nm = 3\n[reward]", "unknown field `m`"),
            ("[reward]", "[training]\ndecay = 1.5\n[reward]", "training.decay is 1.5"),
            ("[reward]", "[training]\nlearning_rate = -1\n[reward]", "-1"),
            ("[reward]", "[quantisation]\nscale_log2 = 25\n[reward]", "quantisation.scale_log2 is 25"),
            ("[reward]", "[periods]\ncommit = 0\n[reward]", "periods.commit is 0"),
            ("name = \"digits\"", "name = \"\"", "name is 0"),
        ] {
            let message = refuse(from, to);
            assert!(message.contains(names), "{to}: {message}");
        }
    }
}
