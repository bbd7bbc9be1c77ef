//! A project's rounds without chain and without proofs: the same training, quantisation, rule and step.
//!
//! It answers an owner's question before money is in escrow: do these hyper-parameters, this scale and this rule give a
//! good model with so many trainers and such attackers? Nothing here takes part in a real project.

use fairshare_protocol::{
    apply_step, assess, decode_update, model_to_f32, GramMatrix, HyperPolicy, Model, SlotMask, Specification,
};
use serde::Serialize;

use crate::conduct::{Conduct, Duty};
use crate::data::Dataset;
use crate::error::TrainerError;
use crate::round::{local_update, HyperParameters};
use crate::seed::RoundSeed;
use crate::training::evaluate;

/// The simulated project's address.
const PROJECT: [u8; 20] = [0; 20];

/// Who takes part.
#[derive(Clone, Debug)]
pub struct Participant<'a> {
    /// Its data.
    pub data: &'a Dataset,
    /// How it behaves. A trainer whose file the others would not attest counts as absent.
    pub conduct: &'a dyn Conduct,
    /// Its `--seed`.
    pub seed: u64,
}

/// What a round gave.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SimulatedRound {
    /// From 1.
    pub round: u32,
    /// Accuracy on the held-out data after the round.
    pub accuracy: f64,
    /// Loss on the held-out data after the round.
    pub loss: f64,
    /// Whether each participant was kept.
    pub kept: Vec<bool>,
    /// Pay shares in `2^-16`.
    pub shares: Vec<u32>,
    /// In `2^-16`.
    pub coherence: u32,
    /// Of this round, millionths.
    pub learning_rate: u32,
    /// The greatest share of clamped entries of all participants.
    pub clamped_share: f64,
}

/// Runs `specification.reward.rounds` rounds.
///
/// # Errors
/// Data that does not fit the model, training that diverges, fewer than three participants.
pub fn simulate(
    specification: &Specification,
    participants: &[Participant<'_>],
    held_out: &Dataset,
) -> Result<Vec<SimulatedRound>, TrainerError> {
    let scale_log2 = specification.quantisation.scale_log2;
    let policy = specification.rule.policy();
    let hyper_policy = hyper_policy(specification);
    let mut learning_rate = hyper_policy.learning_rate;
    let mut global = specification.model.initial(specification.training.seed, scale_log2);
    let mut rounds = Vec::new();
    for round in 1..=u32::from(specification.reward.rounds) {
        let hyper = HyperParameters { learning_rate, local_epochs: hyper_policy.local_epochs };
        let mut updates = Vec::new();
        let mut clamped_share = 0.0f64;
        for one in participants {
            let seed = RoundSeed { seed: one.seed, project: PROJECT, round: round.into() };
            let local = local_update(specification, &global, one.data, hyper, one.conduct, &seed)?;
            clamped_share = clamped_share.max(local.clamped_share);
            updates.push(local.update);
        }
        let slots: Vec<Option<&[i16]>> = updates
            .iter()
            .zip(participants)
            .map(|(u, p)| takes_part(p.conduct, &specification.model, u).then_some(u.as_slice()))
            .collect();
        let active: SlotMask = (0..slots.len()).filter(|slot| slots[*slot].is_some()).collect();
        let gram = GramMatrix::compute(&slots)?;
        let assessment = assess(&gram, active, policy.for_round(active.count()))?;
        let weighted: Vec<(&[i16], u32)> =
            updates.iter().map(Vec::as_slice).zip(assessment.weights.iter().copied()).collect();
        global = apply_step(&global, &weighted).ok_or(TrainerError::ModelOverflow { round })?;
        let measured = evaluate(&specification.model, &model_to_f32(&global, scale_log2), held_out)?;
        rounds.push(SimulatedRound {
            round,
            accuracy: measured.accuracy,
            loss: measured.loss,
            kept: (0..participants.len()).map(|slot| assessment.kept.contains(slot)).collect(),
            shares: assessment.shares,
            coherence: assessment.coherence,
            learning_rate,
            clamped_share,
        });
        learning_rate = hyper_policy.next(learning_rate, assessment.coherence);
    }
    Ok(rounds)
}

/// Whether the others would attest this update.
fn takes_part(conduct: &dyn Conduct, model: &Model, update: &[i16]) -> bool {
    let is_posted = || {
        let file = conduct.posted_file(model, update).ok()?;
        decode_update(model, &file).ok()
    };
    [Duty::Commit, Duty::Reveal, Duty::PostFile].iter().all(|duty| conduct.refuses(*duty).is_none())
        && is_posted().as_deref() == Some(update)
}

/// The hyper-parameters of the contract's terms.
fn hyper_policy(specification: &Specification) -> HyperPolicy {
    let training = &specification.training;
    HyperPolicy {
        learning_rate: training.learning_rate.millionths(),
        local_epochs: training.local_epochs,
        decay: training.decay.in_65536ths(),
        coherence_floor: training.coherence_floor.in_65536ths(),
        coherence_decay: training.coherence_decay.in_65536ths(),
        min_learning_rate: training.min_learning_rate.millionths(),
    }
}
