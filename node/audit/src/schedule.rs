//! Checks the hyper-parameters of every round against the earlier rounds (docs/protocol.md 10).

use std::collections::BTreeSet;

use fairshare_client::{EventKind, Phase, Terms};
use fairshare_protocol::HyperPolicy;

use super::failure::Failure;
use super::round_fault::RoundFault;

/// Replays the schedule: each opened round must announce the learning rate that follows from coherence and terms.
pub fn check_schedule<'e>(terms: &Terms, events: impl IntoIterator<Item = &'e EventKind>) -> Vec<Failure> {
    let policy = HyperPolicy {
        learning_rate: terms.learning_rate,
        local_epochs: terms.local_epochs,
        decay: terms.decay,
        coherence_floor: terms.coherence_floor,
        coherence_decay: terms.coherence_decay,
        min_learning_rate: terms.min_learning_rate,
    };
    let mut expected = policy.learning_rate;
    let mut failures = Vec::new();
    let mut announced = BTreeSet::new();
    for event in events {
        let opened = match event {
            EventKind::PhaseOpened { round, phase: Phase::Commit, .. } | EventKind::Voided { round, .. } => {
                Some(*round)
            }
            EventKind::Settled(settled) => Some(settled.round),
            _ => None,
        };
        if let Some(round) = opened.filter(|round| announced.insert(*round)) {
            failures.push(Failure::Round { round, fault: RoundFault::NoHyperParameters });
        }
        match event {
            EventKind::Settled(settled) => expected = policy.next(expected, settled.coherence),
            EventKind::HyperParameters { round, learning_rate, local_epochs } => {
                announced.insert(*round);
                let mut same = |field: &'static str, expected: u32, found: u32| {
                    if expected != found {
                        let fault = RoundFault::HyperParameters { field, expected, found };
                        failures.push(Failure::Round { round: *round, fault });
                    }
                };
                same("learning rate (millionths)", expected, *learning_rate);
                same("local epochs", u32::from(policy.local_epochs), u32::from(*local_epochs));
                expected = *learning_rate; // report a difference once
            }
            _ => {}
        }
    }
    failures
}
