//! Local training: plain stochastic gradient descent on cross-entropy, one thread, every choice from a named seed.

use std::sync::Once;

use fairshare_protocol::Model;
use rand::seq::SliceRandom;
use rand::Rng;
use tch::{Kind, Tensor};

use crate::data::Dataset;
use crate::error::TrainerError;
use crate::models::forward;
use crate::parameters::{to_flat, to_tensors};

/// Samples that one evaluation step takes at a time.
const EVALUATION_BATCH: usize = 1024;

/// How a trainer trains in a round.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainingPlan {
    /// Step size; on chain in millionths.
    pub learning_rate: f64,
    /// Passes over the data.
    pub local_epochs: u32,
    /// Samples of a step, at least 1.
    pub batch_size: usize,
}

/// What training gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// The local model, flat, all finite.
    pub parameters: Vec<f32>,
    /// Mean loss over the data before the first step.
    pub loss_before: f64,
    /// Mean loss over the data after the last step.
    pub loss_after: f64,
}

/// How well a model does on data.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Evaluation {
    /// Share of samples whose class has the highest score, in `[0, 1]`.
    pub accuracy: f64,
    /// Mean cross-entropy, in nats.
    pub loss: f64,
    /// Samples measured on.
    pub samples: usize,
}

/// One thread for libtorch: sums in a fixed order, so that one seed gives the same bytes in every process.
pub(crate) fn use_one_thread() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tch::set_num_threads(1));
}

/// Trains from `start` on `data`. `rng` alone decides the order of the samples.
///
/// # Errors
/// Parameters or data of another shape, and [`TrainerError::Diverged`] when the loss or a parameter is not finite.
pub fn train(
    model: &Model,
    start: &[f32],
    data: &Dataset,
    plan: &TrainingPlan,
    rng: &mut impl Rng,
) -> Result<Trained, TrainerError> {
    use_one_thread();
    let diverged = |epoch, what| TrainerError::Diverged { epoch, what, learning_rate: plan.learning_rate };
    let (features, labels) = tensors_of(model, data)?;
    let mut parameters = to_tensors(model, start)?;
    let loss_before = evaluate_on(model, &parameters, &features, &labels)?.loss;
    if !loss_before.is_finite() {
        return Err(diverged(0, "the loss"));
    }

    let mut order: Vec<i64> = (0..data.len() as i64).collect();
    for epoch in 1..=plan.local_epochs {
        order.shuffle(rng);
        for batch in order.chunks(plan.batch_size.max(1)) {
            let rows = Tensor::f_from_slice(batch)?;
            let (x, y) = (features.f_index_select(0, &rows)?, labels.f_index_select(0, &rows)?);
            step(model, &mut parameters, &x, &y, plan.learning_rate)?;
        }
        // Once an epoch: a parameter that is not finite never becomes finite again.
        if !to_flat(&parameters)?.iter().all(|v| v.is_finite()) {
            return Err(diverged(epoch, "a parameter"));
        }
    }
    let loss_after = evaluate_on(model, &parameters, &features, &labels)?.loss;
    if !loss_after.is_finite() {
        return Err(diverged(plan.local_epochs, "the loss"));
    }
    Ok(Trained { parameters: to_flat(&parameters)?, loss_before, loss_after })
}

/// `p -= learning_rate * gradient` for every parameter.
fn step(
    model: &Model,
    parameters: &mut [Tensor],
    x: &Tensor,
    y: &Tensor,
    rate: f64,
) -> Result<(), TrainerError> {
    let leaves: Vec<Tensor> =
        parameters.iter().map(|p| p.f_detach()?.f_set_requires_grad(true)).collect::<Result<_, _>>()?;
    let loss = mean_loss(&forward(model, &leaves, x)?, y)?;
    let gradients = Tensor::f_run_backward(&[loss], &leaves, false, false)?;
    for ((parameter, leaf), gradient) in parameters.iter_mut().zip(&leaves).zip(&gradients) {
        *parameter = leaf.f_detach()?.f_sub(&gradient.f_mul_scalar(rate)?)?;
    }
    Ok(())
}

fn mean_loss(scores: &Tensor, labels: &Tensor) -> Result<Tensor, tch::TchError> {
    scores.f_cross_entropy_loss::<Tensor>(labels, None, tch::Reduction::Mean, -100, 0.0)
}

/// Measures a model on data. NaN losses come back as they are.
///
/// # Errors
/// Parameters or data of another shape.
pub fn evaluate(model: &Model, parameters: &[f32], data: &Dataset) -> Result<Evaluation, TrainerError> {
    use_one_thread();
    let (features, labels) = tensors_of(model, data)?;
    evaluate_on(model, &to_tensors(model, parameters)?, &features, &labels)
}

fn evaluate_on(
    model: &Model,
    parameters: &[Tensor],
    x: &Tensor,
    y: &Tensor,
) -> Result<Evaluation, TrainerError> {
    tch::no_grad(|| {
        let samples = y.size1()? as usize;
        let (mut loss, mut right) = (0.0, 0.0);
        for from in (0..samples).step_by(EVALUATION_BATCH) {
            let count = EVALUATION_BATCH.min(samples - from);
            let (x, y) =
                (x.f_narrow(0, from as i64, count as i64)?, y.f_narrow(0, from as i64, count as i64)?);
            let scores = forward(model, parameters, &x)?;
            loss += f64::try_from(mean_loss(&scores, &y)?)? * count as f64;
            right += f64::try_from(scores.f_argmax(1, false)?.f_eq_tensor(&y)?.f_sum(Kind::Double)?)?;
        }
        let of = samples.max(1) as f64;
        Ok(Evaluation { accuracy: right / of, loss: loss / of, samples })
    })
}

/// `[m, inputs]` features and `[m]` labels.
fn tensors_of(model: &Model, data: &Dataset) -> Result<(Tensor, Tensor), TrainerError> {
    let expected = model.inputs() as usize;
    if data.inputs() != expected {
        return Err(TrainerError::WrongInputs { expected, got: data.inputs() });
    }
    let features = Tensor::f_from_slice(data.features())?.f_view([data.len() as i64, expected as i64])?;
    Ok((features, Tensor::f_from_slice(data.labels())?))
}

#[cfg(test)]
#[path = "training_tests.rs"]
mod tests;
