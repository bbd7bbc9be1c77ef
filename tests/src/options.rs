//! What a marketplace run can be told.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Parser, ValueEnum};

/// The models of the demo, all for the handwritten digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModelChoice {
    /// Logistic regression, 650 parameters.
    Logistic,
    /// 64-128-10, 9,610 parameters.
    Mlp,
    /// One convolution of 16 channels, 2,730 parameters.
    Cnn,
}

impl ModelChoice {
    /// The `[model]` section of the specification.
    pub fn section(self) -> &'static str {
        match self {
            Self::Logistic => "kind = \"logistic\"\ninputs = 64\nclasses = 10",
            Self::Mlp => "kind = \"mlp\"\ninputs = 64\nhidden = 128\nclasses = 10",
            Self::Cnn => "kind = \"cnn\"\ninputs = 64\nchannels = 16\nclasses = 10",
        }
    }
}

/// Hostile trainers by kind, such as `sign-flip:1,noise:1`, or `none`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attackers(pub Vec<(String, usize)>);

impl Attackers {
    /// Hostile trainers in all.
    pub fn count(&self) -> usize {
        self.0.iter().map(|(_, count)| count).sum()
    }

    /// One name a hostile trainer.
    pub fn behaviours(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flat_map(|(kind, count)| std::iter::repeat_n(kind.as_str(), *count))
    }
}

impl FromStr for Attackers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::default());
        }
        let one = |part: &str| {
            let (kind, count) = part.split_once(':').unwrap_or((part, "1"));
            let count = count.parse().map_err(|_| format!("{part:?}: expected KIND or KIND:COUNT"))?;
            Ok((kind.to_owned(), count))
        };
        text.split(',').map(one).collect::<Result<_, String>>().map(Self)
    }
}

/// A whole marketplace on this machine: a chain, an IPFS node, an owner who puts the reward in escrow, trainers with
/// shards of real handwritten digits, an aggregator that proves every round, withdrawals, and an audit from chain and
/// IPFS alone.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "scripts/demo",
    version,
    after_help = "Examples:\n  scripts/demo\n  scripts/demo --trainers 12 --attackers sign-flip:2,noise:1 --rounds 3\n  scripts/demo --attackers none --model logistic --keep"
)]
pub struct Options {
    /// Trainers in all, hostile ones included, 5 to 64.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u8).range(5..=64))]
    pub trainers: u8,
    /// Rounds to settle.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub rounds: u16,
    /// Hostile trainers by kind, or `none`; `fairshare-hostile-trainer run --help` lists the kinds.
    #[arg(long, default_value = "sign-flip:1,noise:1")]
    pub attackers: Attackers,
    /// The model that is trained.
    #[arg(long, value_enum, default_value_t = ModelChoice::Mlp)]
    pub model: ModelChoice,
    /// How uneven the shards are: the Dirichlet concentration; smaller is more uneven.
    #[arg(long, default_value_t = 0.5)]
    pub alpha: f64,
    /// Seed of shards, first model and training.
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// Where everything goes: chain, content, shards, logs, model, report.json.
    #[arg(long, default_value = "demo-output")]
    pub out: PathBuf,
    /// Leave chain and IPFS up at the end, for exploring; Ctrl-C ends them.
    #[arg(long)]
    pub keep: bool,
    /// Print report.json on standard output instead of tables.
    #[arg(long)]
    pub json: bool,
}

impl Options {
    /// A small market for a test: five honest trainers and the hostile ones named, one round of logistic regression on
    /// even shards.
    pub fn small(hostile: &[&str]) -> Self {
        let attackers = Attackers(hostile.iter().map(|kind| ((*kind).to_owned(), 1)).collect());
        Self {
            trainers: 5 + hostile.len() as u8,
            rounds: 1,
            attackers,
            model: ModelChoice::Logistic,
            alpha: 10.0,
            ..Self::parse_from(["demo"])
        }
    }

    /// The specification of the run (TOML), with short phases: everybody is here and they end as soon as all have done
    /// their part.
    pub(crate) fn specification(&self) -> String {
        let Self { trainers, rounds, model, seed, .. } = self;
        format!(
            r#"name = "handwritten digits"
description = "UCI handwritten digits, 8x8, trained on shards that never leave their trainers"

[model]
{model}

[training]
seed = {seed}

[participation]
min_trainers = {min_active}
max_trainers = {trainers}
min_active = {min_active}
stake = "0.1 ether"
bond = "1 ether"

[reward]
rounds = {rounds}
per_round = "1 ether"
aggregator_fee = "0.05 ether"

[periods]
registration = 120
commit = 60
reveal = 30
attest = 30
aggregate = 60
"#,
            model = model.section(),
            min_active = 5.min(*trainers),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_the_defaults() {
        let options = Options::parse_from(["demo"]);
        assert_eq!((options.trainers, options.rounds, options.seed), (10, 5, 7));
        assert_eq!(options.attackers.behaviours().collect::<Vec<_>>(), ["sign-flip", "noise"]);
        assert_eq!((options.model, options.keep, options.json), (ModelChoice::Mlp, false, false));
    }

    #[test]
    fn attackers_are_read_by_kind() {
        assert_eq!("none".parse(), Ok(Attackers::default()));
        assert_eq!("noise:2,copycat".parse::<Attackers>().unwrap().count(), 3);
        assert!("noise:x".parse::<Attackers>().is_err());
    }
}
