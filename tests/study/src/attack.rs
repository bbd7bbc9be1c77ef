//! What hostile accounts post in a round. They know everything: all updates, steps and references.

use fairshare_trainer::Dataset;
use rand::Rng;
use rand_chacha::ChaCha20Rng;

use crate::data::normal;
use crate::setting::Attack;
use crate::vector::{add, deviation, floats, mean, norm, project_off, scaled, unit};

/// What an attacker sees of a round. Steps are in units of an update.
pub(crate) struct View<'a> {
    /// This round, from 0.
    pub(crate) round: usize,
    /// The honest updates of this round.
    pub(crate) honest: &'a [Vec<i16>],
    /// The honest updates of earlier rounds.
    pub(crate) old: &'a [Vec<Vec<i16>>],
    /// The steps of the model in earlier rounds.
    pub(crate) steps: &'a [Vec<f64>],
    /// The model less its start.
    pub(crate) drift: &'a [f64],
    /// The references of this round, as honest evaluators would post them.
    pub(crate) references: &'a [Vec<i16>],
    /// The references of the round before.
    pub(crate) old_references: &'a [Vec<i16>],
    /// The noise that stays the same in all rounds.
    pub(crate) constant_noise: &'a [f64],
    /// A shard that attackers who train hold.
    pub(crate) own: &'a Dataset,
    /// Trains on a shard for so many epochs from the round's model, for an account, and quantises.
    pub(crate) train: &'a dyn Fn(&Dataset, u32, u64) -> eyre::Result<Vec<i16>>,
    /// Gives samples the public model's classes.
    pub(crate) label: &'a dyn Fn(&Dataset) -> eyre::Result<Dataset>,
}

/// The updates of `count` hostile accounts.
pub(crate) fn hostile_updates(
    attack: Attack,
    count: usize,
    view: &View<'_>,
    rng: &mut ChaCha20Rng,
) -> eyre::Result<Vec<Vec<i16>>> {
    let honest: Vec<Vec<f64>> = view.honest.iter().map(|u| floats(u)).collect();
    let mut norms: Vec<f64> = honest.iter().map(|u| norm(u)).collect();
    norms.sort_by(f64::total_cmp);
    let median = norms[(norms.len() - 1) / 2];
    (0..count).map(|account| one(attack, account, view, &honest, median, rng)).collect()
}

/// The update of one account; `median` is the median length of the `honest` updates.
fn one(
    attack: Attack,
    account: usize,
    view: &View<'_>,
    honest: &[Vec<f64>],
    median: f64,
    rng: &mut ChaCha20Rng,
) -> eyre::Result<Vec<i16>> {
    let dimension = honest[0].len();
    let train = |data: &Dataset, epochs: u32| (view.train)(data, epochs, account as u64);
    let own = view.own;
    let noise = |rng: &mut ChaCha20Rng| (0..dimension).map(|_| normal(rng)).collect::<Vec<f64>>();
    let step_back = |k: usize| view.steps.len().checked_sub(k).map(|at| view.steps[at].clone());
    let quietly = |direction: Option<Vec<f64>>, rng: &mut ChaCha20Rng| {
        let direction = direction.filter(|v| norm(v) > 0.0).unwrap_or_else(|| noise(rng));
        post(&scaled(&unit(&direction), median), rng)
    };
    let posted = match attack {
        Attack::LastStep => quietly(step_back(1), rng),
        Attack::StepBefore => quietly(step_back(2), rng),
        Attack::StepBeforeTwo => quietly(step_back(3), rng),
        Attack::Drift => quietly(Some(view.drift.to_vec()), rng),
        Attack::SumOfSteps => {
            let mut sum = vec![0.0; dimension];
            for step in view.steps {
                let part = rng.gen::<f64>();
                add(&mut sum, &scaled(&unit(step), part));
            }
            quietly(Some(sum), rng)
        }
        Attack::LastStepAndNoise => {
            let mut mixed = unit(&noise(rng));
            if let Some(step) = step_back(1) {
                add(&mut mixed, &unit(&step));
            }
            quietly(Some(mixed), rng)
        }
        Attack::OldUpdate => quietly(view.old.last().map(|of| floats(&of[account % of.len()])), rng),
        Attack::PrincipalComponent => quietly(principal_component(view.old), rng),
        Attack::WorksOnce if view.round > 0 => quietly(step_back(1), rng),
        Attack::WorksOnceThenNoise if view.round > 0 => quietly(None, rng),
        Attack::EightSamples => train(&own.select(&(0..8).collect::<Vec<_>>()), 5)?,
        Attack::OneEpoch => train(own, 1)?,
        Attack::PseudoLabels => {
            let rms = own.feature_range().rms;
            let features = (0..own.features().len()).map(|_| rms * normal(rng) as f32).collect();
            let made =
                Dataset::new(features, vec![0; own.len()], own.inputs()).expect("the shape of a shard");
            train(&(view.label)(&made)?, 5)?
        }
        Attack::WorksOnce | Attack::WorksOnceThenNoise | Attack::OneShard => train(own, 5)?,
        Attack::OffHistory => {
            let trained = floats(&train(own, 5)?);
            let mut rows: Vec<Vec<f64>> = view.steps.iter().rev().take(2).cloned().collect();
            if view.steps.len() > 2 {
                rows.push(view.drift.to_vec());
            }
            let rest = project_off(&trained, &rows);
            post(&scaled(&unit(&rest), norm(&trained)), rng)
        }
        Attack::Noise => quietly(None, rng),
        Attack::SignFlip => quietly(Some(scaled(&mean(honest), -1.0)), rng),
        Attack::ScaledFlip => post(&scaled(&unit(&mean(honest)), -10.0 * median), rng),
        Attack::InnerProduct => post(&scaled(&mean(honest), -0.5), rng),
        Attack::Alie => {
            let average = mean(honest);
            let deviation = deviation(honest, &average);
            post(&average.iter().zip(deviation).map(|(m, s)| m - 1.5 * s).collect::<Vec<_>>(), rng)
        }
        Attack::MinMax => post(&min_max(honest), rng),
        Attack::Mimic => view.honest[0].clone(),
        Attack::LabelFlip => train(&own.relabelled(|l| 9 - l), 5)?,
        Attack::Backdoor => train(&with_trigger(own), 5)?,
        Attack::Short => {
            let trained = floats(&train(own, 5)?);
            post(&trained.iter().map(|e| e / 10.0).collect::<Vec<_>>(), rng)
        }
        Attack::OldReference => quietly(view.old_references.first().map(|r| floats(r)), rng),
        Attack::KnowsReference => quietly(view.references.first().map(|r| floats(r)), rng),
        Attack::NoiseClones | Attack::EvaluatorPostsNoise | Attack::EvaluatorLeansToNoise => {
            post(&scaled(&unit(view.constant_noise), median), rng)
        }
    };
    Ok(posted)
}

/// The reference that the first evaluator posts in place of `honest` where it is hostile.
pub(crate) fn hostile_reference(attack: Attack, honest: &[i16], constant_noise: &[f64]) -> Option<Vec<i16>> {
    let honest = floats(honest);
    let length = norm(&honest);
    let posted: Vec<f64> = match attack {
        Attack::EvaluatorPostsNoise => scaled(&unit(constant_noise), length),
        Attack::EvaluatorLeansToNoise => {
            let mut posted = honest;
            add(&mut posted, &scaled(&unit(constant_noise), 0.1 * length));
            posted
        }
        _ => return None,
    };
    Some(posted.iter().map(|e| e.round() as i16).collect())
}

/// Rounds, and moves every entry by -1, 0 or 1, so that no two updates are the same.
fn post(v: &[f64], rng: &mut ChaCha20Rng) -> Vec<i16> {
    v.iter().map(|e| (e.round() + f64::from(rng.gen_range(-1i8..=1))) as i16).collect()
}

/// The first principal component of all old updates, by the power method.
fn principal_component(old: &[Vec<Vec<i16>>]) -> Option<Vec<f64>> {
    let rows: Vec<&Vec<i16>> = old.iter().rev().take(3).flatten().collect();
    let mut component = floats(rows.first()?);
    for _ in 0..6 {
        let direction = unit(&component);
        component = vec![0.0; direction.len()];
        for row in &rows {
            let along: f64 = row.iter().zip(&direction).map(|(a, b)| f64::from(*a) * b).sum();
            component.iter_mut().zip(row.iter()).for_each(|(c, e)| *c += along * f64::from(*e));
        }
    }
    Some(component)
}

/// `mean - gamma std` with the greatest `gamma` that leaves no honest update farther away than two of them are.
fn min_max(updates: &[Vec<f64>]) -> Vec<f64> {
    let average = mean(updates);
    let deviation = deviation(updates, &average);
    let distance = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt();
    let widest = updates
        .iter()
        .enumerate()
        .flat_map(|(i, a)| updates[..i].iter().map(move |b| distance(a, b)))
        .fold(0.0, f64::max);
    let at =
        |gamma: f64| -> Vec<f64> { average.iter().zip(&deviation).map(|(m, s)| m - gamma * s).collect() };
    let (mut low, mut high) = (0.0, 50.0);
    for _ in 0..12 {
        let middle = 0.5 * (low + high);
        let vector = at(middle);
        if updates.iter().all(|u| distance(u, &vector) <= widest) {
            low = middle;
        } else {
            high = middle;
        }
    }
    at(low)
}

/// Half of the samples with their first features at the greatest value, labelled 0.
fn with_trigger(own: &Dataset) -> Dataset {
    let (inputs, greatest) = (own.inputs(), own.feature_range().greatest);
    let mut features = own.features().to_vec();
    let mut labels = own.labels().to_vec();
    for sample in (0..own.len()).step_by(2) {
        features[sample * inputs..sample * inputs + inputs / 16].fill(greatest);
        labels[sample] = 0;
    }
    Dataset::new(features, labels, inputs).expect("the shape is the same")
}
