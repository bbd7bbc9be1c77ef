//! What the tables show of runs.

use fairshare_protocol::{RunningSignals, SlotMask};

use crate::market::Run;
use crate::setting::Rule;

/// The reward of a round, in units.
const REWARD: u128 = 1_000_000_000_000;
/// Accuracy is the mean over so many last rounds.
const LAST_ROUNDS: usize = 3;

/// How a project pays over time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// In 256ths.
    pub(crate) memory: u8,
    /// An account shares in a round only with a signal in one of the last so many rounds; 0 for always.
    pub(crate) window: usize,
}

impl Terms {
    /// Of a rule by default: rules that divide each round have no memory.
    pub(crate) fn of(rule: Rule) -> Self {
        match rule {
            Rule::Mean | Rule::AgreementToday | Rule::MultiKrum => Self { memory: 0, window: 0 },
            Rule::Agreement(_) | Rule::Reference => Self { memory: 205, window: 6 },
        }
    }
}

/// What every account was paid over the whole project, as a share of all rewards.
pub(crate) fn pay(run: &Run, terms: Terms) -> Vec<f64> {
    let accounts = run.signals[0].len();
    let mut running = RunningSignals::new(accounts, terms.memory);
    let mut paid = vec![0u128; accounts];
    for (round, signals) in run.signals.iter().enumerate() {
        running.add(signals);
        let since = if terms.window == 0 { 0 } else { (round + 1).saturating_sub(terms.window) };
        let shares = |i: usize| run.signals[since..=round].iter().any(|of| of[i] > 0);
        let sharing: SlotMask = (0..accounts).filter(|i| shares(*i)).collect();
        paid.iter_mut().zip(running.pay(REWARD, sharing)).for_each(|(sum, part)| *sum += part);
    }
    paid.iter().map(|p| *p as f64 / (REWARD * run.signals.len() as u128) as f64).collect()
}

/// The mean over several runs of a figure of each.
pub(crate) fn over(runs: &[Run], figure: impl Fn(&Run) -> f64) -> f64 {
    runs.iter().map(figure).sum::<f64>() / runs.len() as f64
}

/// Mean accuracy of the last rounds.
pub(crate) fn accuracy(run: &Run) -> f64 {
    let from = run.accuracy.len().saturating_sub(LAST_ROUNDS);
    let last = &run.accuracy[from..];
    last.iter().sum::<f64>() / last.len() as f64
}

/// The mean pay of a hostile account over the mean pay of an honest one; all accounts after the first `honest` are hostile.
pub(crate) fn hostile_over_honest(run: &Run, terms: Terms, honest: usize) -> f64 {
    let paid = pay(run, terms);
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len().max(1) as f64;
    mean(&paid[honest..]) / mean(&paid[..honest]).max(1e-12)
}

/// The least honest pay over the mean of the honest.
pub(crate) fn least_over_mean(run: &Run, terms: Terms, honest: usize) -> f64 {
    let paid = &pay(run, terms)[..honest];
    let mean = paid.iter().sum::<f64>() / honest as f64;
    paid.iter().copied().fold(f64::INFINITY, f64::min) / mean.max(1e-12)
}

/// The standard deviation of the honest pay over its mean.
pub(crate) fn variation(run: &Run, terms: Terms, honest: usize) -> f64 {
    let paid = &pay(run, terms)[..honest];
    let mean = paid.iter().sum::<f64>() / honest as f64;
    let variance = paid.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / honest as f64;
    variance.sqrt() / mean.max(1e-12)
}

/// Honest trainers who were paid nothing at all.
pub(crate) fn unpaid(run: &Run, terms: Terms, honest: usize) -> f64 {
    pay(run, terms)[..honest].iter().filter(|p| **p == 0.0).count() as f64
}
