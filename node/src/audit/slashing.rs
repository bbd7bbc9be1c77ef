//! Who lost a stake, against who should have: whoever committed to an update in a round and did not reveal it, all of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::Address20;
use crate::chain::{EventKind, Phase, Terms};

use super::failure::{Failure, RoundFault};

/// What a round shows of its reveals.
#[derive(Default)]
struct Reveals {
    committed: BTreeSet<Address20>,
    revealed: BTreeSet<Address20>,
    slashed: BTreeSet<Address20>,
    /// The phase Reveal began.
    opened: bool,
}

/// Replays the slashing of every round whose phase Reveal is over, and of those whose never began.
pub fn check_slashing<'e>(terms: &Terms, events: impl IntoIterator<Item = &'e EventKind>) -> Vec<Failure> {
    let mut rounds: BTreeMap<u64, Reveals> = BTreeMap::new();
    let mut failures = Vec::new();
    for event in events {
        match event {
            EventKind::Committed { round, update } => {
                rounds.entry(*round).or_default().committed.insert(update.trainer);
            }
            EventKind::Revealed { round, update } => {
                rounds.entry(*round).or_default().revealed.insert(update.trainer);
            }
            EventKind::PhaseOpened { round, phase: Phase::Reveal, .. } => {
                rounds.entry(*round).or_default().opened = true;
            }
            EventKind::StakeSlashed { round, trainer, amount } => {
                rounds.entry(*round).or_default().slashed.insert(*trainer);
                if *amount != terms.stake {
                    let fault = RoundFault::SlashedAmount {
                        trainer: *trainer,
                        expected: terms.stake,
                        found: *amount,
                    };
                    failures.push(Failure::Round { round: *round, fault });
                }
            }
            EventKind::PhaseOpened { round, phase: Phase::Aggregate, .. }
            | EventKind::Voided { round, .. } => {
                // A round that is void for want of a result closed its reveals before: nothing is left of them here.
                let reveals = rounds.remove(round).unwrap_or_default();
                let faults = close(&reveals).into_iter();
                failures.extend(faults.map(|fault| Failure::Round { round: *round, fault }));
            }
            _ => {}
        }
    }
    // Slashed in a round that never came so far, or after it was over.
    for (round, reveals) in rounds {
        let early = reveals.slashed.into_iter().map(|trainer| RoundFault::WronglySlashed { trainer });
        failures.extend(early.map(|fault| Failure::Round { round, fault }));
    }
    failures
}

fn close(reveals: &Reveals) -> Vec<RoundFault> {
    let hidden: BTreeSet<Address20> = match reveals.opened {
        true => reveals.committed.difference(&reveals.revealed).copied().collect(),
        false => BTreeSet::new(),
    };
    let wrongly = reveals.slashed.difference(&hidden);
    let spared = hidden.difference(&reveals.slashed);
    wrongly
        .map(|trainer| RoundFault::WronglySlashed { trainer: *trainer })
        .chain(spared.map(|trainer| RoundFault::NotSlashed { trainer: *trainer }))
        .collect()
}

#[cfg(test)]
mod tests {
    use fairshare_circuits::G1Affine;

    use super::*;
    use crate::audit::tests::terms;
    use crate::chain::{CommittedUpdate, RevealedUpdate};

    fn opens(phase: Phase) -> EventKind {
        EventKind::PhaseOpened { round: 1, phase, deadline: 1 }
    }

    fn commits(slot: u8) -> EventKind {
        let update =
            CommittedUpdate { slot, trainer: [slot; 20], commitment: G1Affine::identity(), seal: [0; 32] };
        EventKind::Committed { round: 1, update }
    }

    fn reveals(slot: u8) -> EventKind {
        EventKind::Revealed { round: 1, update: RevealedUpdate { slot, trainer: [slot; 20], cid: [0; 32] } }
    }

    fn slashes(trainer: u8, amount: u128) -> EventKind {
        EventKind::StakeSlashed { round: 1, trainer: [trainer; 20], amount }
    }

    fn found(events: &[EventKind]) -> Vec<String> {
        check_slashing(&terms(), events).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn whoever_committed_and_did_not_reveal_loses_the_stake_and_nobody_else() {
        let stake = terms().stake;
        let until = [commits(0), commits(1), commits(2), opens(Phase::Reveal), reveals(0), reveals(2)];
        let with = |more: &[EventKind]| [&until[..], more].concat();
        let void = EventKind::Voided { round: 1, reason: "no result".into() };
        let aggregate = opens(Phase::Aggregate);
        let silence: [String; 0] = [];
        assert_eq!(found(&until), silence, "the phase is not over");
        let holds = with(&[slashes(1, stake), aggregate.clone(), void.clone()]);
        assert_eq!(found(&holds), silence);
        assert_eq!(found(&with(&[slashes(1, stake), void.clone()])), silence);
        assert_eq!(found(&[commits(0), void.clone()]), silence, "too few commitments: nothing to reveal");

        let [one, two] = [[1; 20], [2; 20]].map(|who| crate::format_address(&who));
        let spared = format!("round 1: trainer {one} committed and did not reveal, and kept its stake");
        assert_eq!(found(&with(std::slice::from_ref(&aggregate))), std::slice::from_ref(&spared));
        let wrongly =
            |who| format!("round 1: trainer {who} lost its stake without having kept back an update");
        assert_eq!(found(&with(&[slashes(2, stake), void.clone()])), [wrongly(&two), spared]);
        let amount =
            format!("round 1: the stake that trainer {one} lost was 7 wei, the terms say {stake} wei");
        assert_eq!(found(&with(&[slashes(1, 7), aggregate])), [amount]);
        assert_eq!(found(&[commits(1), slashes(1, stake), void]), [wrongly(&one)]);
        assert_eq!(found(&[&holds[..], &[slashes(2, stake)]].concat()), [wrongly(&two)]);
    }
}
