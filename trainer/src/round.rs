//! A trainer's own part of a round: from the global model and local data to the integers that it commits to.

use std::time::Instant;

use fairshare_protocol::{model_to_f32, quantise_update, Specification};

use crate::behaviour::Behaviour;
use crate::data::Dataset;
use crate::error::TrainerError;
use crate::seed::RoundSeed;
use crate::training::{train, TrainingPlan};

/// Above this share of clamped entries the project's scale is too large for the training.
pub const CLAMPED_WARNING: f64 = 0.001;

/// What the contract says of the training in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HyperParameters {
    /// Millionths.
    pub learning_rate: u32,
    /// Passes over the data.
    pub local_epochs: u16,
}

/// A trainer's update, before anything of it leaves the machine.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalUpdate {
    /// `u`, `d` entries.
    pub update: Vec<i16>,
    /// Share of entries that did not fit 16 bits, in `[0, 1]`.
    pub clamped_share: f64,
    /// Mean loss over the trainer's data before training.
    pub loss_before: f64,
    /// Mean loss over the trainer's data after training.
    pub loss_after: f64,
    /// Time that it took.
    pub seconds: f64,
}

/// Trains from the fixed-point model `global` and quantises the difference. Everything but `seconds` depends on the
/// arguments alone.
///
/// # Errors
/// Data or model of another shape; [`TrainerError::Diverged`]: then nothing may be posted.
pub fn local_update(
    specification: &Specification,
    global: &[i64],
    data: &Dataset,
    hyper: HyperParameters,
    behaviour: Behaviour,
    seed: &RoundSeed,
) -> Result<LocalUpdate, TrainerError> {
    let begin = Instant::now();
    let scale_log2 = specification.quantisation.scale_log2;
    let start = model_to_f32(global, scale_log2);
    let plan = TrainingPlan {
        learning_rate: f64::from(hyper.learning_rate) / 1e6,
        local_epochs: u32::from(hyper.local_epochs),
        batch_size: specification.training.batch_size as usize,
    };
    let own = behaviour.training_data(data, &specification.model);
    let trained = train(&specification.model, &start, &own, &plan, &mut seed.stream("sample order"))?;
    let quantised = quantise_update(&trained.parameters, &start, scale_log2);
    let clamped_share = quantised.clamped_share();
    if clamped_share > CLAMPED_WARNING {
        let percent = 100.0 * clamped_share;
        tracing::warn!(
            percent,
            scale_log2,
            "more than 0.1 % of the update was clamped: the project's scale is too large"
        );
    }
    Ok(LocalUpdate {
        update: behaviour.committed_update(quantised.update, seed),
        clamped_share,
        loss_before: trained.loss_before,
        loss_after: trained.loss_after,
        seconds: begin.elapsed().as_secs_f64(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::digits;

    const SPECIFICATION: &str = r#"
        name = "digits"
        [model]
        kind = "mlp"
        inputs = 64
        hidden = 16
        classes = 10
        [participation]
        min_trainers = 5
        max_trainers = 10
        stake = "0.1 ether"
        bond = "1 ether"
        [reward]
        rounds = 5
        per_round = "1 ether"
        aggregator_fee = "0.05 ether"
    "#;

    fn update(scale_log2: u8, behaviour: Behaviour, round: u64) -> (Specification, Vec<i64>, LocalUpdate) {
        let mut specification = Specification::from_toml(SPECIFICATION).unwrap();
        specification.quantisation.scale_log2 = scale_log2;
        let global = specification.model.initial(1, scale_log2);
        let data = digits().select(&(0..100).collect::<Vec<_>>());
        let hyper = HyperParameters { learning_rate: 100_000, local_epochs: 5 };
        let seed = RoundSeed { seed: 5, project: [7; 20], round };
        let local = local_update(&specification, &global, &data, hyper, behaviour, &seed).unwrap();
        (specification, global, local)
    }

    #[test]
    fn the_update_brings_the_global_model_within_half_a_unit_of_the_local_one() {
        let (specification, global, local) = update(14, Behaviour::Honest, 1);
        let start = model_to_f32(&global, 14);
        let batch_size = specification.training.batch_size as usize;
        let plan = TrainingPlan { learning_rate: 0.1, local_epochs: 5, batch_size };
        let data = digits().select(&(0..100).collect::<Vec<_>>());
        let mut order = RoundSeed { seed: 5, project: [7; 20], round: 1 }.stream("sample order");
        let trained = train(&specification.model, &start, &data, &plan, &mut order).unwrap();
        assert_eq!((local.clamped_share, local.loss_after), (0.0, trained.loss_after));
        let unit = 1.0 / f64::from(1 << 14);
        for ((t, s), u) in trained.parameters.iter().zip(&start).zip(&local.update) {
            let back = f64::from(*s) + f64::from(*u) * unit;
            assert!((back - f64::from(*t)).abs() <= unit / 2.0 + 1e-9);
        }
        assert!(local.update.iter().any(|u| u.abs() > 100));
    }

    #[test]
    fn a_scale_that_is_too_large_clamps_and_says_so() {
        assert!(update(20, Behaviour::Honest, 1).2.clamped_share > CLAMPED_WARNING);
    }

    #[test]
    fn rounds_differ_and_a_flipped_update_is_the_honest_one_negated() {
        let honest = update(14, Behaviour::Honest, 1).2.update;
        assert_eq!(honest, update(14, Behaviour::Honest, 1).2.update);
        assert_ne!(honest, update(14, Behaviour::Honest, 2).2.update);
        let flipped = update(14, Behaviour::SignFlip, 1).2.update;
        assert!(honest.iter().zip(&flipped).all(|(a, b)| *a == -*b));
        assert_ne!(honest, update(14, Behaviour::LabelFlip, 1).2.update);
    }
}
