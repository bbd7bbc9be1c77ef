//! Checks who received the fee of each model file: by the attestations the payee, a publisher named by more than half, or
//! no one.

use std::collections::BTreeMap;

use fairshare_client::{EventKind, Terms};
use fairshare_protocol::{Address, SlotMask};

use super::failure::Failure;
use super::round_fault::RoundFault;

/// The model file whose fee is open.
struct Claim {
    round: u64,
    payee: Address,
    /// The CID under which each source serves it.
    sources: BTreeMap<Address, [u8; 32]>,
}

/// The sources named in one phase, and the number of trainers who could name one.
#[derive(Default)]
struct Votes {
    of: BTreeMap<Address, usize>,
    voters: usize,
}

impl Votes {
    fn majority(&self) -> Option<Address> {
        self.of.iter().find(|(_, votes)| 2 * **votes > self.voters).map(|(source, _)| *source)
    }
}

/// Replays the fees of model files. Returns the failures, and a note for each file that its payee withheld.
pub fn check_claims<'e>(
    terms: &Terms,
    events: impl IntoIterator<Item = &'e EventKind>,
) -> (Vec<Failure>, Vec<String>) {
    let mut claim: Option<Claim> = None;
    let (mut votes, mut opened) = (Votes::default(), None);
    let mut revealed: BTreeMap<u64, usize> = BTreeMap::new();
    let mut attesters: BTreeMap<u64, usize> = BTreeMap::new();
    let (mut failures, mut notes) = (Vec::new(), Vec::new());
    let mut fail = |round: u64, reason: String| {
        failures.push(Failure::Round { round, fault: RoundFault::ModelFee(reason) });
    };
    for event in events {
        match event {
            EventKind::Revealed { round, .. } => *revealed.entry(*round).or_default() += 1,
            // Each Attest, and Closing, counts again; not a phase that has its period again after a halt of the chain.
            EventKind::PhaseOpened { round, phase, .. } => {
                let again = opened.replace((*round, *phase)) == Some((*round, *phase));
                if !again {
                    votes = Votes::default();
                }
            }
            EventKind::SlotsActive { round, attested, .. } => {
                attesters.insert(*round, attested.count() as usize);
            }
            EventKind::Settled(settled) => {
                if let Some(open) = &claim {
                    fail(open.round, "it was neither paid nor returned before the next settlement".into());
                }
                let sources = BTreeMap::from([(settled.payee, settled.model_cid)]);
                claim = Some(Claim { round: settled.round, payee: settled.payee, sources });
            }
            EventKind::ModelPublished { round, model } => match &mut claim {
                Some(open) if open.round == *round => {
                    open.sources.entry(model.publisher).or_insert(model.cid);
                }
                _ => fail(*round, format!("{} published it while no fee was open", model.publisher)),
            },
            EventKind::Attested { round, source: Some(source), .. } => {
                votes.voters = revealed.get(round).copied().unwrap_or_default();
                *votes.of.entry(*source).or_default() += 1;
            }
            EventKind::ModelSourceNamed { round, source, .. } => {
                votes.voters = attesters.get(round).copied().unwrap_or_default();
                *votes.of.entry(*source).or_default() += 1;
            }
            EventKind::BondSlashed { round, active: SlotMask::EMPTY, .. } => {
                let withheld = claim.as_ref().is_some_and(|open| {
                    open.payee == terms.aggregator
                        && votes.majority().is_some_and(|source| source != open.payee)
                });
                if !withheld {
                    fail(
                        *round,
                        "the aggregator lost its bond, although no one else served a file that it withheld"
                            .into(),
                    );
                }
            }
            EventKind::ModelAttested { round, source, cid, fee } => {
                let open = claim.take();
                let served = open
                    .as_ref()
                    .filter(|open| open.round == *round)
                    .and_then(|open| open.sources.get(source));
                if votes.majority() != Some(*source) || served != Some(cid) || *fee != terms.round_fee {
                    let given = votes.majority().map_or_else(|| "no one".into(), |who| who.to_string());
                    let source = source.to_string();
                    fail(
                        *round,
                        format!(
                            "{fee} went to {source}, but the attestations and the terms give {} to {given}",
                            terms.round_fee
                        ),
                    );
                }
                if open.is_some_and(|open| open.payee != *source) {
                    notes.push(format!(
                        "round {round}: its model file was withheld; {source} published it and earned the fee"));
                }
                votes = Votes::default();
            }
            EventKind::ModelUnattested { round, fee } => {
                let is_open = claim.take().is_some_and(|open| open.round == *round);
                if !is_open || *fee != terms.round_fee {
                    fail(
                        *round,
                        format!(
                            "{fee} went back to the escrow, but {} was open",
                            if is_open { terms.round_fee } else { 0 }
                        ),
                    );
                } else if let Some(source) = votes.majority() {
                    fail(*round, format!("it went back to the escrow, but more than half name {source}"));
                } else {
                    notes.push(format!("round {round}: no model file was attested by more than half; the fee went back to the escrow"));
                }
            }
            _ => {}
        }
    }
    (failures, notes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{settled_by, terms};
    use fairshare_client::{Phase, PublishedModel, RevealedUpdate};

    const AGGREGATOR: Address = Address([0xbb; 20]);

    fn settles(round: u64) -> EventKind {
        EventKind::Settled(settled_by(round, AGGREGATOR))
    }

    fn reveals(round: u64) -> Vec<EventKind> {
        let reveal = |slot| EventKind::Revealed {
            round,
            update: RevealedUpdate { slot, trainer: Address([slot; 20]), cid: [0; 32] },
        };
        (0..4)
            .map(reveal)
            .chain([EventKind::PhaseOpened { round, phase: Phase::Attest, deadline: 1 }])
            .collect()
    }

    fn names(round: u64, slot: u8, source: Address) -> EventKind {
        EventKind::Attested {
            round,
            slot,
            trainer: Address([slot; 20]),
            mask: SlotMask::single(slot),
            source: Some(source),
        }
    }

    fn given(source: Address, cid: [u8; 32]) -> EventKind {
        EventKind::ModelAttested { round: 1, source, cid, fee: terms().round_fee }
    }

    fn found(parts: &[&[EventKind]]) -> Vec<String> {
        check_claims(&terms(), &parts.concat()).0.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_fee_goes_to_whom_more_than_half_name_and_to_nobody_else() {
        let silence: [String; 0] = [];
        let open = [&[settles(1)][..], &reveals(2)].concat();
        let three = |who| [names(2, 0, who), names(2, 1, who), names(2, 2, who)];
        let cid = settled_by(1, AGGREGATOR).model_cid;
        assert_eq!(found(&[&open, &three(AGGREGATOR), &[given(AGGREGATOR, cid)]]), silence);
        let half = [names(2, 0, AGGREGATOR), names(2, 1, AGGREGATOR)];
        let text = found(&[&open, &half, &[given(AGGREGATOR, cid)]]);
        assert!(text[0].contains("to no one"), "{text:?}");
        // Attest has its period again after a halt of the chain: the votes before it count.
        let again = EventKind::PhaseOpened { round: 2, phase: Phase::Attest, deadline: 2 };
        let votes = [half.to_vec(), vec![again, names(2, 2, AGGREGATOR)]].concat();
        assert_eq!(found(&[&open, &votes, &[given(AGGREGATOR, cid)]]), silence);
        let back = EventKind::ModelUnattested { round: 1, fee: terms().round_fee };
        assert_eq!(found(&[&open, &half, std::slice::from_ref(&back)]), silence);
        let text = found(&[&open, &three(AGGREGATOR), std::slice::from_ref(&back)]);
        assert!(text[0].contains("more than half name"), "{text:?}");
        let text = found(&[&[back]]);
        assert!(text[0].contains("but 0 was open"), "{text:?}");
        let text = found(&[&open, &[settles(2)]]);
        assert!(text[0].starts_with("round 1: the fee of its model file: it was neither"), "{text:?}");
    }

    #[test]
    fn a_publisher_has_the_fee_for_its_own_file_alone() {
        let silence: [String; 0] = [];
        let publisher = Address([2; 20]);
        let model = PublishedModel { publisher, cid: [8; 32] };
        let published = EventKind::ModelPublished { round: 1, model };
        let bond = EventKind::BondSlashed { round: 1, amount: terms().bond, active: SlotMask::EMPTY };
        let votes = [names(2, 0, publisher), names(2, 1, publisher), names(2, 2, publisher)];
        let open = [&[settles(1), published.clone()][..], &reveals(2)].concat();
        let events = [&open[..], &votes, &[bond.clone(), given(publisher, [8; 32])]].concat();
        assert_eq!(found(&[&events]), silence);
        let notes = check_claims(&terms(), &events).1;
        assert!(notes[0].contains("published it and earned the fee"), "{notes:?}");
        let text = found(&[&open, &votes, &[given(publisher, [7; 32])]]);
        assert_eq!(text.len(), 1, "another file: {text:?}");
        let text = found(&[&[settles(1)], &reveals(2), &[bond]]);
        assert!(text[0].contains("the aggregator lost its bond"), "{text:?}");
        let text = found(&[&[published]]);
        assert!(text[0].contains("while no fee was open"), "{text:?}");
    }
}
