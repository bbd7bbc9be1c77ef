//! Training on a small shard of the digits.

use super::*;
use crate::data::digits;
use crate::seed::stream;
use fairshare_protocol::model_to_f32;

const PLAN: TrainingPlan = TrainingPlan { learning_rate: 0.1, local_epochs: 30, batch_size: 16 };

fn shard() -> Dataset {
    digits().select(&(0..120).collect::<Vec<_>>())
}

fn train_once(
    model: &Model,
    data: &Dataset,
    plan: &TrainingPlan,
    seed: u64,
) -> Result<Trained, TrainerError> {
    let start = model_to_f32(&model.initial(1, 14), 14);
    train(model, &start, data, plan, &mut stream("order", &[&seed.to_be_bytes()]))
}

#[test]
fn the_loss_falls_under_a_bound_for_every_model() {
    for (model, bound) in [
        (Model::Logistic { inputs: 64, classes: 10 }, 0.5),
        (Model::Mlp { inputs: 64, hidden: 32, classes: 10 }, 0.3),
        (Model::Cnn { inputs: 64, channels: 8, classes: 10 }, 0.3),
    ] {
        let data = shard();
        let trained = train_once(&model, &data, &PLAN, 1).unwrap();
        assert!(
            trained.loss_before > 2.0 && trained.loss_after < bound,
            "{model:?}: {trained:.3?}",
            trained = (trained.loss_before, trained.loss_after)
        );
        let measured = evaluate(&model, &trained.parameters, &data).unwrap();
        assert!(measured.accuracy > 0.9, "{model:?}: {measured:?}");
        assert!((measured.loss - trained.loss_after).abs() < 1e-9);
    }
}

#[test]
fn one_seed_gives_the_same_parameters_and_another_seed_others() {
    for model in [
        Model::Mlp { inputs: 64, hidden: 16, classes: 10 },
        Model::Cnn { inputs: 64, channels: 4, classes: 10 },
    ] {
        let first = train_once(&model, &shard(), &PLAN, 1).unwrap();
        assert_eq!(first, train_once(&model, &shard(), &PLAN, 1).unwrap());
        assert_ne!(first.parameters, train_once(&model, &shard(), &PLAN, 2).unwrap().parameters);
    }
}

#[test]
fn one_step_is_the_gradient_by_hand() {
    // One sample, weights 0: softmax is uniform, so the gradient of class c is (1/3 - [c = label]) * x.
    let model = Model::Logistic { inputs: 2, classes: 3 };
    let data = Dataset::new(vec![1.0, -2.0], vec![1], 2).unwrap();
    let plan = TrainingPlan { learning_rate: 0.3, local_epochs: 1, batch_size: 1 };
    let trained = train(&model, &[0.0; 9], &data, &plan, &mut stream("order", &[])).unwrap();
    let expected = [-0.1, 0.2, -0.1, -0.1, 0.2, 0.2, -0.4, -0.1, 0.2];
    for (got, expected) in trained.parameters.iter().zip(expected) {
        assert!((got - expected).abs() < 1e-6, "{:?}", trained.parameters);
    }
    assert!((trained.loss_before - 3f64.ln()).abs() < 1e-6);
}

#[test]
fn a_run_away_learning_rate_is_an_error_and_not_an_update() {
    let model = Model::Mlp { inputs: 64, hidden: 16, classes: 10 };
    let plan = TrainingPlan { learning_rate: 1e30, ..PLAN };
    let error = train_once(&model, &shard(), &plan, 1).unwrap_err();
    assert!(matches!(error, TrainerError::Diverged { .. }), "{error}");
    assert!(error.to_string().contains("nothing is posted"), "{error}");
    let from_nan =
        train(&model, &vec![f32::NAN; model.dimension()], &shard(), &PLAN, &mut stream("order", &[]));
    assert!(matches!(from_nan, Err(TrainerError::Diverged { epoch: 0, .. })));
}

#[test]
fn data_of_another_shape_is_refused() {
    let model = Model::Logistic { inputs: 63, classes: 10 };
    let error = train_once(&model, &shard(), &PLAN, 1).unwrap_err();
    assert!(matches!(error, TrainerError::WrongInputs { expected: 63, got: 64 }), "{error}");
}
