//! The trainer of Fairshare: data, models, local training, quantisation, and the service that takes part in a project.
//!
//! ```text
//! data -> training -> round (quantised update) -> service: commitment with range proof, reveal, attestation
//!           ^ models, parameters, conduct            ^ state, event
//! ```
//!
//! ```
//! use fairshare_protocol::Model;
//! use fairshare_trainer::{digits, evaluate, split, SplitPlan};
//!
//! let parts = split(&digits(), &SplitPlan { shards: 10, alpha: 0.5, held_out: 0.2, seed: 7 })?;
//! let model = Model::Logistic { inputs: 64, classes: 10 };
//! let measured = evaluate(&model, &vec![0.0; model.dimension()], &parts.held_out)?;
//! assert!((measured.loss - 10f64.ln()).abs() < 1e-5); // nothing learnt yet
//! # Ok::<(), fairshare_trainer::TrainerError>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod cli;
mod conduct;
mod data;
mod error;
mod event;
mod models;
mod outcome;
mod parameters;
mod round;
mod seed;
mod service;
mod simulation;
mod state;
mod training;

pub use conduct::{Conduct, Duty, Honest};
pub use data::{
    decode_shard, digits, encode_shard, read_shard, split, write_shard, Dataset, FeatureRange, Split,
    SplitPlan, DIGITS_CLASSES, MIN_SHARD,
};
pub use error::TrainerError;
pub use event::{Event, LeftOut};
pub use models::forward;
pub use outcome::{Due, SeatLoss};
pub use parameters::{to_flat, to_tensors};
pub use round::{local_update, HyperParameters, LocalUpdate, CLAMPED_WARNING};
pub use seed::RoundSeed;
pub use service::{Service, ServiceOptions};
pub use simulation::{simulate, Participant, SimulatedRound};
pub use state::{ModelRecord, RoundRecord, StateFolder};
pub use training::{evaluate, train, Evaluation, Trained, TrainingPlan};
