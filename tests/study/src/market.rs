//! A market without chain and proofs: the trainers' own training, the protocol's own rules.

use fairshare_protocol::{
    apply_step, assess, model_to_f32, quantise_update, signals_by_agreement, signals_by_reference,
    AgreementPolicy, GramMatrix, Model, MultiKrumPolicy, ProjectPolicy, RoundProducts, SignalPolicy,
    SlotMask, ONE,
};
use fairshare_trainer::{evaluate, forward, to_tensors, train, Dataset, TrainingPlan};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use tch::Tensor;

use crate::attack::{hostile_reference, hostile_updates, View};
use crate::data::{deal, normal, Source, RARE};
use crate::setting::{Rule, Setting};
use crate::shapley::{coalition_values, shapley};

/// Scale of the quantisation, as specifications have it by default.
const SCALE_LOG2: u8 = 14;
const EPOCHS: u32 = 5;
const BATCH: usize = 20;
const LEARNING_RATE: f64 = 0.1;
const DECAY: f64 = 0.97;

/// What became of a market.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    /// The signals (or, under rules that divide each round, the shares) by round and account: honest ones first.
    pub(crate) signals: Vec<Vec<u32>>,
    /// Accuracy on held-out data after every round.
    pub(crate) accuracy: Vec<f64>,
    /// Recall of the rare classes at the end.
    pub(crate) recall: f64,
    /// Exact Shapley values of the honest trainers, summed over rounds; empty unless asked for.
    pub(crate) shapley: Vec<f64>,
}

/// Runs a market. With `value` the exact Shapley value of every honest trainer is computed, which takes `2^n` evaluations a
/// round.
///
/// # Errors
/// Data that is too small, training that diverges.
pub(crate) fn run_market(source: &Source, setting: &Setting, value: bool) -> eyre::Result<Run> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed_of(setting.seed, 0, 0));
    let n = setting.trainers;
    let mut dealt = deal(source, setting.shards, n, setting.evaluators, &mut rng)?;
    if setting.resembles_first {
        let first = &dealt.shards[0];
        let own: Vec<usize> = (0..first.len().min(source.validation)).collect();
        dealt.validation[0] = first.select(&own);
    }
    let model = &source.model;
    let constant_noise: Vec<f64> = (0..model.dimension()).map(|_| normal(&mut rng)).collect();
    let start = model.initial(setting.seed, SCALE_LOG2);
    let mut global = start.clone();
    let mut history: Vec<Vec<i64>> = Vec::new(); // steps, oldest first
    let (mut old, mut old_references): (Vec<Vec<Vec<i16>>>, Vec<Vec<i16>>) = (Vec::new(), Vec::new());
    let mut run = Run { signals: Vec::new(), accuracy: Vec::new(), recall: 0.0, shapley: Vec::new() };

    for round in 0..source.rounds {
        let at = model_to_f32(&global, SCALE_LOG2);
        let rate = LEARNING_RATE * DECAY.powi(round as i32);
        let local = |data: &Dataset, epochs: u32, who: u64| -> eyre::Result<Vec<i16>> {
            let plan = TrainingPlan { learning_rate: rate, local_epochs: epochs, batch_size: BATCH };
            let mut order = ChaCha20Rng::seed_from_u64(seed_of(setting.seed, round as u64 + 1, who));
            let trained = train(model, &at, data, &plan, &mut order)?;
            Ok(quantise_update(&trained.parameters, &at, SCALE_LOG2).update)
        };
        let mut updates: Vec<Vec<i16>> =
            (0..n).map(|i| local(&dealt.shards[i], EPOCHS, i as u64)).collect::<eyre::Result<_>>()?;
        let mut references: Vec<Vec<i16>> = (0..setting.evaluators)
            .map(|e| local(&dealt.validation[e], EPOCHS, 1_000 + e as u64))
            .collect::<eyre::Result<_>>()?;

        if let Some((attack, count)) = setting.attack {
            let steps: Vec<Vec<f64>> = history.iter().map(|step| in_update_units(step)).collect();
            let drift = in_update_units(&difference(&global, &start));
            let view = View {
                round,
                honest: &updates,
                old: &old,
                steps: &steps,
                drift: &drift,
                references: &references,
                old_references: &old_references,
                constant_noise: &constant_noise,
                own: &dealt.attackers,
                train: &|data, epochs, who| local(data, epochs, 2_000 + who),
                label: &|data| labelled(model, &at, data),
            };
            let hostile = hostile_updates(attack, count, &view, &mut rng)?;
            old.push(updates.clone());
            updates.extend(hostile);
            old_references = references.clone();
            if let Some(posted) =
                references.first().and_then(|r| hostile_reference(attack, r, &constant_noise))
            {
                references[0] = posted;
            }
        }

        if value {
            let values = coalition_values(model, &at, &updates[..n], &dealt.held_out)?;
            let of_round = shapley(&values, n);
            run.shapley.resize(n, 0.0);
            run.shapley.iter_mut().zip(of_round).for_each(|(sum, v)| *sum += v);
        }

        let (signals, weights) = assess_round(setting, &updates, &references, &history, &global, &start)?;
        let weighted: Vec<(&[i16], u32)> =
            updates.iter().map(Vec::as_slice).zip(weights.iter().copied()).collect();
        let next = apply_step(&global, &weighted).ok_or_else(|| eyre::eyre!("the model overflows"))?;
        history.push(difference(&next, &global));
        global = next;
        run.accuracy.push(evaluate(model, &model_to_f32(&global, SCALE_LOG2), &dealt.held_out)?.accuracy);
        run.signals.push(signals);
    }
    let rare: Vec<usize> =
        (0..dealt.held_out.len()).filter(|i| RARE.contains(&dealt.held_out.labels()[*i])).collect();
    let at = model_to_f32(&global, SCALE_LOG2);
    run.recall = evaluate(model, &at, &dealt.held_out.select(&rare))?.accuracy;
    Ok(run)
}

/// The samples under the classes that the model gives them.
fn labelled(model: &Model, parameters: &[f32], data: &Dataset) -> eyre::Result<Dataset> {
    let shape = [data.len() as i64, data.inputs() as i64];
    let features = Tensor::f_from_slice(data.features())?.f_view(shape)?;
    let classes = forward(model, &to_tensors(model, parameters)?, &features)?.f_argmax(1, false)?;
    let labels = Vec::<i64>::try_from(classes)?;
    Dataset::new(data.features().to_vec(), labels, data.inputs()).ok_or_else(|| eyre::eyre!("no samples"))
}

/// One seed for one purpose: no two of a study are the same.
fn seed_of(seed: u64, round: u64, who: u64) -> u64 {
    seed * 1_000_000_000 + round * 100_000 + who
}

/// Signals (or shares) and weights by the setting's rule.
fn assess_round(
    setting: &Setting,
    updates: &[Vec<i16>],
    references: &[Vec<i16>],
    history: &[Vec<i64>],
    global: &[i64],
    start: &[i64],
) -> eyre::Result<(Vec<u32>, Vec<u32>)> {
    let slots: Vec<Option<&[i16]>> = updates.iter().map(|u| Some(u.as_slice())).collect();
    let active = SlotMask::lowest(slots.len() as u32);
    let today = |policy: ProjectPolicy| -> eyre::Result<(Vec<u32>, Vec<u32>)> {
        let assessment = assess(&GramMatrix::compute(&slots)?, active, policy.for_round(slots.len() as u32))?;
        Ok((assessment.shares, assessment.weights))
    };
    let drift = difference(global, start);
    let policy = SignalPolicy { floor: setting.floor, ..SignalPolicy::default() };
    let products = |references: &[Vec<i16>]| -> eyre::Result<RoundProducts> {
        let references: Vec<Option<&[i16]>> = references.iter().map(|r| Some(r.as_slice())).collect();
        let mut rows: Vec<&[i64]> = history.iter().rev().take(setting.steps).map(Vec::as_slice).collect();
        // The sum of the steps is one row more as soon as it is not a sum of the rows above.
        if history.len() > setting.steps {
            rows.push(&drift);
        }
        Ok(RoundProducts::compute(&slots, &references, &rows)?)
    };
    match setting.rule {
        Rule::Mean => {
            let share = ONE / slots.len() as u32;
            Ok((vec![share; slots.len()], vec![share; slots.len()]))
        }
        Rule::AgreementToday => today(ProjectPolicy::Agreement(AgreementPolicy { theta: 32, trim: 52 })),
        Rule::MultiKrum => today(ProjectPolicy::MultiKrum(MultiKrumPolicy { byzantine: 77, selected: 128 })),
        Rule::Agreement(strictness) => {
            let round = signals_by_agreement(&products(&[])?, active, &policy, strictness)?;
            Ok((round.signals, round.weights))
        }
        Rule::Reference => {
            let round = signals_by_reference(&products(references)?, active, &policy)?;
            Ok((round.signals, round.weights))
        }
    }
}

fn difference(a: &[i64], b: &[i64]) -> Vec<i64> {
    a.iter().zip(b).map(|(x, y)| x - y).collect()
}

fn in_update_units(step: &[i64]) -> Vec<f64> {
    step.iter().map(|e| *e as f64 / f64::from(ONE)).collect()
}
