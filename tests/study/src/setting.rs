//! What a market of the study consists of.

use std::fmt;

use fairshare_protocol::{SignalPolicy, Strictness};

/// How updates become pay and a step of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The plain mean of all updates, equal pay: what accuracy is compared with.
    Mean,
    /// The rule of protocol version 3, which projects use today.
    AgreementToday,
    /// Multi-Krum (Blanchard et al. 2017), pay by agreement among the kept.
    MultiKrum,
    /// Agreement beyond the public steps.
    Agreement(Strictness),
    /// References of evaluators.
    Reference,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mean => "mean",
            Self::AgreementToday => "agreement, today",
            Self::MultiKrum => "multi-krum",
            Self::Agreement(Strictness::Strict) => "agreement, strict",
            Self::Agreement(Strictness::Loose) => "agreement, loose",
            Self::Reference => "reference",
        })
    }
}

/// How data lies with the trainers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shards {
    /// Equal shards, drawn evenly.
    Even,
    /// Classes by a Dirichlet distribution; its concentration in tenths.
    Dirichlet(u8),
    /// The first trainer alone holds the classes 7 to 9, and nothing else.
    SoleHolder,
    /// Sizes as 1 : 2 : .. : n.
    Sizes,
    /// None to nine tenths of the labels are random.
    LabelNoise,
    /// None to nine tenths of the features are noise.
    FeatureNoise,
    /// Trainer `i` lacks the last `i` classes.
    MissingClasses,
}

impl fmt::Display for Shards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Even => f.write_str("even"),
            Self::Dirichlet(tenths) => write!(f, "Dirichlet {}", f64::from(*tenths) / 10.0),
            Self::SoleHolder => f.write_str("sole holder"),
            Self::Sizes => f.write_str("sizes"),
            Self::LabelNoise => f.write_str("label noise"),
            Self::FeatureNoise => f.write_str("feature noise"),
            Self::MissingClasses => f.write_str("missing classes"),
        }
    }
}

/// What hostile accounts post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attack {
    /// The last step of the model.
    LastStep,
    /// The step before the last.
    StepBefore,
    /// The step before the last two.
    StepBeforeTwo,
    /// The model less its start.
    Drift,
    /// A sum of old steps with random weights.
    SumOfSteps,
    /// The last step and noise, of equal length.
    LastStepAndNoise,
    /// Another trainer's update of the round before.
    OldUpdate,
    /// The principal component of old updates.
    PrincipalComponent,
    /// Trains in the first round, then posts the last step.
    WorksOnce,
    /// Trains in the first round, then posts noise.
    WorksOnceThenNoise,
    /// Trains on eight samples.
    EightSamples,
    /// Trains one epoch of five.
    OneEpoch,
    /// Trains on noise that the public model labels.
    PseudoLabels,
    /// Trains one shard under several accounts, each with its own order of the samples.
    OneShard,
    /// Trains, and posts its update less its projection on the public steps.
    OffHistory,
    /// One random vector, posted by all.
    NoiseClones,
    /// A random vector each.
    Noise,
    /// The mean of the honest updates, turned round.
    SignFlip,
    /// The same, ten times as long.
    ScaledFlip,
    /// Inner product manipulation (Xie et al. 2019): half the mean, turned round.
    InnerProduct,
    /// A little is enough (Baruch et al. 2019): the mean less 1.5 standard deviations.
    Alie,
    /// Min-max (Shejwalkar and Houmansadr 2021).
    MinMax,
    /// A copy of the first trainer's update.
    Mimic,
    /// Trains with labels `9 - l`.
    LabelFlip,
    /// Trains on images with a bright corner that are labelled 0.
    Backdoor,
    /// Trains, and posts a tenth of its update, so that the clip norm falls.
    Short,
    /// Posts the reference of the round before; only where references are published.
    OldReference,
    /// Posts the reference of the first evaluator, its accomplice.
    KnowsReference,
    /// The first evaluator posts noise, and the account the same noise.
    EvaluatorPostsNoise,
    /// The first evaluator adds a tenth of noise to its reference, and the account posts the noise.
    EvaluatorLeansToNoise,
}

impl Attack {
    /// For the tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::LastStep => "last step",
            Self::StepBefore => "step before",
            Self::StepBeforeTwo => "step before the last two",
            Self::Drift => "model less its start",
            Self::SumOfSteps => "sum of old steps",
            Self::LastStepAndNoise => "last step and noise",
            Self::OldUpdate => "old update of another",
            Self::PrincipalComponent => "principal component of old updates",
            Self::WorksOnce => "works once, then last step",
            Self::WorksOnceThenNoise => "works once, then noise",
            Self::EightSamples => "trains on eight samples",
            Self::OneEpoch => "trains one epoch of five",
            Self::PseudoLabels => "noise labelled by the model",
            Self::OneShard => "one shard, several accounts",
            Self::OffHistory => "trains, posts off history",
            Self::NoiseClones => "noise clones",
            Self::Noise => "noise",
            Self::SignFlip => "sign flip",
            Self::ScaledFlip => "sign flip, tenfold",
            Self::InnerProduct => "inner product manipulation",
            Self::Alie => "ALIE",
            Self::MinMax => "min-max",
            Self::Mimic => "mimic",
            Self::LabelFlip => "label flip",
            Self::Backdoor => "backdoor",
            Self::Short => "tenth of its update",
            Self::OldReference => "old reference, published",
            Self::KnowsReference => "knows one reference",
            Self::EvaluatorPostsNoise => "evaluator and account post noise",
            Self::EvaluatorLeansToNoise => "evaluator leans to noise",
        }
    }

    /// Whether it needs no data of its own.
    pub(crate) fn without_data(self) -> bool {
        matches!(
            self,
            Self::LastStep
                | Self::StepBefore
                | Self::StepBeforeTwo
                | Self::Drift
                | Self::SumOfSteps
                | Self::LastStepAndNoise
                | Self::NoiseClones
                | Self::Noise
        )
    }
}

/// One market.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    /// How pay and step come about.
    pub(crate) rule: Rule,
    /// How data lies.
    pub(crate) shards: Shards,
    /// What hostile accounts do, and how many there are.
    pub(crate) attack: Option<(Attack, usize)>,
    /// Honest trainers.
    pub(crate) trainers: usize,
    /// Evaluators, each with its own validation set.
    pub(crate) evaluators: usize,
    /// Last steps among the history rows, besides the model less its start.
    pub(crate) steps: usize,
    /// The floor of the signals, `2^-16`.
    pub(crate) floor: u32,
    /// Whether the first evaluator's validation set comes from the first trainer's shard.
    pub(crate) resembles_first: bool,
    /// Everything random follows from it.
    pub(crate) seed: u64,
}

impl Setting {
    /// Ten trainers, one evaluator, nobody hostile.
    pub(crate) fn new(rule: Rule, shards: Shards, seed: u64) -> Self {
        Self {
            rule,
            shards,
            attack: None,
            trainers: 10,
            evaluators: 1,
            steps: 8,
            floor: SignalPolicy::default().floor,
            resembles_first: false,
            seed,
        }
    }

    /// With `accounts` hostile accounts.
    pub(crate) fn under(self, attack: Attack, accounts: usize) -> Self {
        Self { attack: Some((attack, accounts)), ..self }
    }
}
