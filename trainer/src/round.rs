//! A trainer's own part of a round: from the global model and local data to the integers that it commits to.

use std::time::Instant;

use fairshare_protocol::{model_to_f32, quantise_update, Specification};

use crate::conduct::Conduct;
use crate::data::{Dataset, FeatureRange};
use crate::error::TrainerError;
use crate::seed::RoundSeed;
use crate::training::{train, TrainingPlan};

/// Above this share of clamped entries the update is distorted, which is worth a warning.
pub const CLAMPED_WARNING: f64 = 0.001;
/// Root mean square of features above which they count as not normalised: normalised ones have at most about 1.
const NORMAL_RMS: f32 = 3.0;
/// Largest feature of data that counts as normalised.
const NORMAL_PEAK: f32 = 30.0;

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
    /// `d` entries.
    pub update: Vec<i16>,
    /// Share of entries that did not fit 16 bits, in `[0, 1]`.
    pub clamped_share: f64,
    /// Mean loss over the trainer's data before training.
    pub loss_before: f64,
    /// Mean loss over the trainer's data after training.
    pub loss_after: f64,
    /// Duration of the training.
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
    conduct: &dyn Conduct,
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
    let own = conduct.training_data(data, &specification.model);
    let trained = train(&specification.model, &start, &own, &plan, &mut seed.stream("sample order"))?;
    let quantised = quantise_update(&trained.parameters, &start, scale_log2);
    let clamped_share = quantised.clamped_share();
    if clamped_share > CLAMPED_WARNING {
        tracing::warn!("{}", clamped_warning(clamped_share, scale_log2, own.feature_range()));
    }
    Ok(LocalUpdate {
        update: conduct.committed_update(quantised.update, seed),
        clamped_share,
        loss_before: trained.loss_before,
        loss_after: trained.loss_after,
        seconds: begin.elapsed().as_secs_f64(),
    })
}

/// Names the likelier cause of clamped entries, and its remedy: gradients grow with the features, so features far
/// from the normal range come before the project's scale, which its owner chose for normalised data.
fn clamped_warning(share: f64, scale_log2: u8, range: FeatureRange) -> String {
    let FeatureRange { least, greatest, rms } = range;
    let peak = least.abs().max(greatest.abs());
    let clamped = format!("{:.2} % of the update did not fit 16 bits and was clamped", 100.0 * share);
    let features = format!("its features reach from {least} to {greatest}, root mean square {rms:.2}");
    if rms > NORMAL_RMS || peak > NORMAL_PEAK {
        format!(
            "{clamped}: the data is the likelier cause, {features}; normalise every feature to about -1 to 1 and start \
             again with the new shard"
        )
    } else {
        format!(
            "{clamped}: the project's scale 2^{scale_log2} is the likelier cause, since the data looks normalised \
             ({features}); ask the owner for a smaller quantisation.scale_log2 or learning rate in the next project"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conduct::Honest;
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

    fn update(scale_log2: u8, round: u64) -> (Specification, Vec<i64>, LocalUpdate) {
        let mut specification = Specification::from_toml(SPECIFICATION).unwrap();
        specification.quantisation.scale_log2 = scale_log2;
        let global = specification.model.initial(1, scale_log2);
        let data = digits().select(&(0..100).collect::<Vec<_>>());
        let hyper = HyperParameters { learning_rate: 100_000, local_epochs: 5 };
        let seed = RoundSeed { seed: 5, project: [7; 20], round };
        let local = local_update(&specification, &global, &data, hyper, &Honest, &seed).unwrap();
        (specification, global, local)
    }

    #[test]
    fn the_update_brings_the_global_model_within_half_a_unit_of_the_local_one() {
        let (specification, global, local) = update(14, 1);
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
        assert!(update(20, 1).2.clamped_share > CLAMPED_WARNING);
    }

    #[test]
    fn rounds_differ_and_one_round_is_the_same_every_time() {
        let update = |round| update(14, round).2.update;
        assert_eq!(update(1), update(1));
        assert_ne!(update(1), update(2));
    }

    #[test]
    fn warning_of_clamped_entries_names_the_likelier_cause_and_its_remedy() {
        let data = digits().select(&(0..100).collect::<Vec<_>>());
        let text = clamped_warning(0.02, 20, data.feature_range());
        assert!(text.contains("2.00 %") && text.contains("scale 2^20 is the likelier cause"), "{text}");
        assert!(text.contains("from 0 to 1"), "{text}");
        // The same pixels as grey levels of a byte, as in issue 12.
        let bytes = data.features().iter().map(|f| f * 255.0).collect();
        let raw = Dataset::new(bytes, data.labels().to_vec(), data.inputs()).unwrap();
        let text = clamped_warning(0.02, 14, raw.feature_range());
        assert!(text.contains("the data is the likelier cause") && text.contains("from 0 to 255"), "{text}");
        assert!(text.contains("normalise") && !text.contains("scale"), "{text}");
        // One wild value among normal ones.
        let mut features = data.features().to_vec();
        features[7] = -500.0;
        let wild = Dataset::new(features, data.labels().to_vec(), data.inputs()).unwrap();
        assert!(clamped_warning(0.02, 14, wild.feature_range()).contains("from -500 to 1"));
    }
}
