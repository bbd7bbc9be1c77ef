//! Checks who lost a stake or a part of it. The stake is lost by trainers who committed to an update and did not reveal it, or
//! revealed one that more than half of the revealing trainers attested without; a part by trainers who were dropped too often.

use std::collections::{BTreeMap, BTreeSet};

use fairshare_client::{EventKind, Phase, SettledRound, Terms};
use fairshare_protocol::{Address, SlotMask};

use super::failure::Failure;
use super::round_fault::RoundFault;

/// The slots of a round.
#[derive(Default)]
struct Seats {
    committed: BTreeMap<u8, Address>,
    revealed: SlotMask,
    active: Option<SlotMask>,
    /// What each attester attested.
    votes: BTreeMap<u8, SlotMask>,
    /// Slashed since the last check.
    slashed: BTreeSet<Address>,
    /// Reveal has begun.
    revealing: bool,
    /// Attest has begun.
    attesting: bool,
}

impl Seats {
    /// The slots that more than half of the revealing trainers attested without; none in a void round in which that
    /// would be half of the revealed slots or more.
    fn voted_out(&self, active: SlotMask, least: u32) -> SlotMask {
        let revealed = self.revealed.count();
        let against = |slot: &u8| self.votes.values().filter(|mask| !mask.contains(*slot)).count() as u32;
        let out: SlotMask = self.revealed.iter().filter(|slot| against(slot) > revealed / 2).collect();
        if active.count() < least && 2 * out.count() >= revealed {
            return SlotMask::EMPTY;
        }
        out
    }
}

/// A trainer's record.
struct Held {
    stake: u128,
    dropped: u32,
    penalised: bool,
}

/// Replays the slashing of every round whose phases Reveal and Attest are over, and the outliers' penalties.
pub fn check_slashing<'e>(terms: &Terms, events: impl IntoIterator<Item = &'e EventKind>) -> Vec<Failure> {
    let mut replay = Replay {
        terms,
        rounds: BTreeMap::new(),
        held: BTreeMap::new(),
        penalties: BTreeMap::new(),
        failures: vec![],
    };
    for event in events {
        replay.take(event);
    }
    replay.finish()
}

struct Replay<'t> {
    terms: &'t Terms,
    rounds: BTreeMap<u64, Seats>,
    held: BTreeMap<Address, Held>,
    /// Of the settlement whose event follows.
    penalties: BTreeMap<(u64, Address), u128>,
    failures: Vec<Failure>,
}

impl Replay<'_> {
    fn take(&mut self, event: &EventKind) {
        match event {
            EventKind::Joined { trainer, stake } => {
                self.held.insert(*trainer, Held { stake: *stake, dropped: 0, penalised: false });
            }
            EventKind::Committed { round, update } => {
                self.rounds.entry(*round).or_default().committed.insert(update.slot, update.trainer);
            }
            EventKind::Revealed { round, update } => {
                self.rounds.entry(*round).or_default().revealed.insert(update.slot);
            }
            EventKind::Attested { round, slot, mask, .. } => {
                self.rounds.entry(*round).or_default().votes.insert(*slot, *mask);
            }
            EventKind::SlotsActive { round, active, .. } => {
                self.rounds.entry(*round).or_default().active = Some(*active);
            }
            EventKind::PhaseOpened { round, phase: Phase::Reveal, .. } => {
                self.rounds.entry(*round).or_default().revealing = true;
            }
            EventKind::StakeSlashed { round, trainer, amount } => {
                self.rounds.entry(*round).or_default().slashed.insert(*trainer);
                let expected = self.held.get(trainer).map_or(0, |held| held.stake);
                if *amount != expected {
                    let fault = RoundFault::SlashedAmount { trainer: *trainer, expected, found: *amount };
                    self.fail(*round, fault);
                }
                if let Some(held) = self.held.get_mut(trainer) {
                    held.stake = 0;
                }
            }
            EventKind::PhaseOpened { round, phase: Phase::Attest, .. } => {
                self.close(*round);
                self.rounds.entry(*round).or_default().attesting = true;
            }
            // A round that is void because no one settled it ended its phases before.
            EventKind::PhaseOpened { round, phase: Phase::Aggregate, .. } => {
                self.close(*round);
                // Its settlement needs its slots again.
                let seats = self.rounds.entry(*round).or_default();
                (seats.attesting, seats.active) = (true, None);
            }
            EventKind::Voided { round, .. } => {
                self.close(*round);
                self.rounds.remove(round);
            }
            EventKind::OutlierPenalised { round, trainer, amount } => {
                self.penalties.insert((*round, *trainer), *amount);
            }
            EventKind::Settled(settled) => self.settled(settled),
            _ => {}
        }
    }

    fn fail(&mut self, round: u64, fault: RoundFault) {
        self.failures.push(Failure::Round { round, fault });
    }

    /// Compares who should lose the stake at the end of a phase with who did.
    fn close(&mut self, round: u64) {
        let seats = self.rounds.entry(round).or_default();
        let lost = match (seats.attesting, seats.active) {
            (false, _) if seats.revealing => {
                seats.committed.keys().copied().collect::<SlotMask>() - seats.revealed
            }
            (true, Some(active)) => seats.voted_out(active, u32::from(self.terms.min_active)),
            _ => SlotMask::EMPTY,
        };
        let due: BTreeSet<Address> = seats
            .committed
            .iter()
            .filter(|(slot, _)| lost.contains(**slot))
            .map(|(_, trainer)| *trainer)
            .collect();
        let slashed = std::mem::take(&mut seats.slashed);
        for &trainer in slashed.difference(&due) {
            self.fail(round, RoundFault::WronglySlashed { trainer });
        }
        for &trainer in due.difference(&slashed) {
            self.fail(round, RoundFault::NotSlashed { trainer });
        }
    }

    /// Counts drops. The contract's penalties precede the event of the settlement.
    fn settled(&mut self, settled: &SettledRound) {
        let round = settled.round;
        let slots = self.rounds.get(&round).map(|seats| seats.committed.clone()).unwrap_or_default();
        let dropped = settled.active - settled.kept;
        for (slot, trainer) in slots {
            if self.terms.outlier_penalty == 0 || !dropped.contains(slot) {
                continue;
            }
            let Some(held) = self.held.get_mut(&trainer) else { continue };
            held.dropped += 1;
            let mut expected = 0;
            if !held.penalised && held.dropped > u32::from(self.terms.outlier_rounds) {
                held.penalised = true;
                expected = self.terms.outlier_penalty.min(held.stake);
                held.stake -= expected;
            }
            let found = self.penalties.remove(&(round, trainer)).unwrap_or_default();
            if found != expected {
                self.fail(round, RoundFault::OutlierPenalty { trainer, expected, found });
            }
        }
    }

    fn finish(mut self) -> Vec<Failure> {
        // Slashed in a round that never reached this phase, or after its end.
        for (round, seats) in std::mem::take(&mut self.rounds) {
            for trainer in seats.slashed {
                self.fail(round, RoundFault::WronglySlashed { trainer });
            }
        }
        for ((round, trainer), found) in std::mem::take(&mut self.penalties) {
            self.fail(round, RoundFault::OutlierPenalty { trainer, expected: 0, found });
        }
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use fairshare_circuits::G1Affine;

    use super::*;
    use crate::fixture::{settled_by, terms};
    use fairshare_client::{CommittedUpdate, RevealedUpdate};

    fn joins() -> Vec<EventKind> {
        (0..5).map(|n| EventKind::Joined { trainer: Address([n; 20]), stake: terms().stake }).collect()
    }

    fn opens(phase: Phase) -> EventKind {
        EventKind::PhaseOpened { round: 1, phase, deadline: 1 }
    }

    fn commits(slot: u8) -> EventKind {
        let update = CommittedUpdate {
            slot,
            trainer: Address([slot; 20]),
            commitment: G1Affine::identity(),
            seal: [0; 32],
        };
        EventKind::Committed { round: 1, update }
    }

    fn reveals(slot: u8) -> EventKind {
        EventKind::Revealed {
            round: 1,
            update: RevealedUpdate { slot, trainer: Address([slot; 20]), cid: [0; 32] },
        }
    }

    fn slashes(trainer: u8, amount: u128) -> EventKind {
        EventKind::StakeSlashed { round: 1, trainer: Address([trainer; 20]), amount }
    }

    fn found(events: &[EventKind]) -> Vec<String> {
        let events = [&joins(), events].concat();
        check_slashing(&terms(), &events).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn whoever_committed_and_did_not_reveal_loses_the_stake_and_nobody_else() {
        let stake = terms().stake;
        let until = [commits(0), commits(1), commits(2), opens(Phase::Reveal), reveals(0), reveals(2)];
        let with = |more: &[EventKind]| [&until[..], more].concat();
        let void = EventKind::Voided { round: 1, reason: "no result".into() };
        let aggregate = opens(Phase::Attest);
        let silence: [String; 0] = [];
        assert_eq!(found(&until), silence, "the phase is not over");
        let holds = with(&[slashes(1, stake), aggregate.clone(), void.clone()]);
        assert_eq!(found(&holds), silence);
        assert_eq!(found(&with(&[slashes(1, stake), void.clone()])), silence);
        assert_eq!(found(&[commits(0), void.clone()]), silence, "too few commitments: nothing to reveal");

        let [one, two] = [Address([1; 20]), Address([2; 20])].map(|who| who.to_string());
        let spared = format!("round 1: trainer {one} kept its stake, although it did not reveal its commitment or more than half attested without it");
        assert_eq!(found(&with(std::slice::from_ref(&aggregate))), std::slice::from_ref(&spared));
        let wrongly = |who| {
            format!("round 1: trainer {who} lost its stake, although it revealed an update that at most half attested without")
        };
        assert_eq!(found(&with(&[slashes(2, stake), void.clone()])), [wrongly(&two), spared]);
        let amount = format!("round 1: trainer {one} lost 7, its stake was {stake}");
        assert_eq!(found(&with(&[slashes(1, 7), aggregate])), [amount]);
        assert_eq!(found(&[commits(1), slashes(1, stake), void]), [wrongly(&one)]);
        assert_eq!(found(&[&holds[..], &[slashes(2, stake)]].concat()), [wrongly(&two)]);
    }

    #[test]
    fn whoever_more_than_half_attest_without_loses_the_stake() {
        let stake = terms().stake;
        let slots: Vec<EventKind> = (0..5).map(commits).chain([opens(Phase::Reveal)]).collect();
        let until = [slots, (0..5).map(reveals).collect(), vec![opens(Phase::Attest)]].concat();
        let votes = |masks: &[u128]| -> Vec<EventKind> {
            let vote = |(slot, mask): (usize, &u128)| EventKind::Attested {
                round: 1,
                slot: slot as u8,
                trainer: Address([slot as u8; 20]),
                mask: (*mask).into(),
                source: None,
            };
            masks.iter().enumerate().map(vote).collect()
        };
        let active = |active: u128| EventKind::SlotsActive {
            round: 1,
            active: active.into(),
            attested: SlotMask::lowest(5),
        };
        let aggregate = opens(Phase::Aggregate);
        let with = |masks: &[u128], more: &[EventKind]| found(&[&until[..], &votes(masks), more].concat());
        let silence: [String; 0] = [];
        // Three of five attest without slot 4, of which one is not needed.
        let three = [0b0_1111, 0b0_1111, 0b0_1111];
        assert_eq!(with(&three, &[active(0b0_1111), slashes(4, stake), aggregate.clone()]), silence);
        assert!(with(&three, &[active(0b0_1111), aggregate.clone()])[0].contains("kept its stake"));
        // Two are no majority: absence is no vote against a slot.
        assert_eq!(with(&three[..2], &[active(0), opens(Phase::Commit)]), silence);
        let both = [0b0_1111, 0b1_1111, 0b1_1111, 0b0_1111, 0b1_1111];
        assert_eq!(with(&both, &[active(0b1_1111), aggregate.clone()]), silence);
        assert!(with(&both, &[active(0b1_1111), slashes(4, stake), aggregate])[0].contains("lost its stake"));
        // Void: a minority that withholds loses its stakes, and with half of the slots or more gone no one does.
        let void = EventKind::Voided { round: 1, reason: "too few active".into() };
        let two_out = [0b0_0111, 0b0_0111, 0b0_0111];
        let both_slashed = [active(0b111), slashes(3, stake), slashes(4, stake), opens(Phase::Aggregate)];
        assert_eq!(with(&two_out, &both_slashed), silence);
        let three_out = [0b0_0011, 0b0_0011, 0b0_0011];
        assert_eq!(with(&three_out, &[active(0b11), void.clone()]), silence, "the attesters may have failed");
        assert!(with(&three_out, &[active(0b11), slashes(4, stake), void])[0].contains("lost its stake"));
    }

    #[test]
    fn whoever_is_dropped_once_too_often_pays_once() {
        let terms = Terms { stake: 100, outlier_rounds: 1, outlier_penalty: 40, ..terms() };
        let joined = EventKind::Joined { trainer: Address::ZERO, stake: 100 };
        let round = |round: u64, kept: u32, penalty: Option<u128>| {
            let update = CommittedUpdate {
                slot: 0,
                trainer: Address::ZERO,
                commitment: G1Affine::identity(),
                seal: [0; 32],
            };
            let mut events = vec![EventKind::Committed { round, update }];
            events.extend(penalty.map(|amount| EventKind::OutlierPenalised {
                round,
                trainer: Address::ZERO,
                amount,
            }));
            events.push(EventKind::Settled(SettledRound {
                active: SlotMask::lowest(1),
                kept: SlotMask::lowest(kept),
                ..settled_by(round, Address([1; 20]))
            }));
            events
        };
        let check = |rounds: &[Vec<EventKind>]| -> Vec<String> {
            let events = [vec![joined.clone()], rounds.concat()].concat();
            check_slashing(&terms, &events).iter().map(ToString::to_string).collect()
        };
        let silence: [String; 0] = [];
        assert_eq!(
            check(&[round(1, 0, None), round(2, 1, None), round(3, 0, Some(40)), round(4, 0, None)]),
            silence
        );
        assert!(check(&[round(1, 0, None), round(2, 0, None)])[0]
            .contains("lost 0 of its stake as an outlier, the earlier rounds give 40"));
        assert!(check(&[round(1, 0, Some(40))])[0]
            .contains("lost 40 of its stake as an outlier, the earlier rounds give 0"));
        assert!(check(&[round(1, 0, None), round(2, 0, Some(41))])[0].contains("lost 41"));
        assert!(check(&[round(1, 1, Some(40))])[0].contains("lost 40"), "it was kept");
    }
}
