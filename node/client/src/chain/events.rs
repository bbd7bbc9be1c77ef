//! A project's logs as typed events.

use ethers::abi::RawLog;
use ethers::contract::EthLogDecode;
use ethers::types::U256;
use fairshare_contracts::bindings::project::ProjectEvents as Event;
use fairshare_protocol::{unpack17, Address, Phase};

use super::client::{amount, narrow, slot, u128_from};
use super::convert::{mask, point, some_address};
use super::error::ChainError;
use super::types::{CommittedUpdate, EventKind, PublishedModel, RevealedUpdate, SettledRound};

/// Decodes a log of a project; `None` for an unknown event. `slots` is the circuit's size `N`; `transaction` and `gas_used` are those of the log.
pub(super) fn decode(
    log: &RawLog,
    slots: u8,
    transaction: [u8; 32],
    gas_used: u64,
) -> Result<Option<EventKind>, ChainError> {
    let Ok(event) = Event::decode_log(log) else { return Ok(None) };
    let number = |value, what| narrow::<u64>(value, what);
    let amount = |value: U256| amount(value, "an amount in an event");
    // Of a token of many units, sums may pass the 96 bits of a single amount.
    let sum = |value: U256| u128_from(value, "a sum in an event");
    let mask = |value: U256| mask(value, "a mask in an event");
    Ok(Some(match event {
        Event::ProjectOpenedFilter(e) => EventKind::Opened {
            owner: Address(e.owner.0),
            specification: e.specification,
            deposit: amount(e.deposit)?,
        },
        Event::JoinedFilter(e) => {
            EventKind::Joined { trainer: Address(e.trainer.0), stake: amount(e.stake)? }
        }
        Event::LeftFilter(e) => EventKind::Left { trainer: Address(e.trainer.0), stake: amount(e.stake)? },
        Event::BondPlacedFilter(e) => {
            EventKind::BondPlaced { aggregator: Address(e.aggregator.0), amount: amount(e.amount)? }
        }
        Event::PhaseOpenedFilter(e) => EventKind::PhaseOpened {
            round: number(e.round, "a round")?,
            phase: phase(e.phase)?,
            deadline: number(e.deadline, "a deadline")?,
        },
        Event::UpdateCommittedFilter(e) => EventKind::Committed {
            round: number(e.round, "a round")?,
            update: CommittedUpdate {
                slot: slot(e.slot)?,
                trainer: Address(e.trainer.0),
                commitment: point([e.x, e.y], "a commitment")?,
                seal: e.seal,
            },
        },
        Event::UpdateRevealedFilter(e) => EventKind::Revealed {
            round: number(e.round, "a round")?,
            update: RevealedUpdate { slot: slot(e.slot)?, trainer: Address(e.trainer.0), cid: e.cid },
        },
        Event::StakeSlashedFilter(e) => EventKind::StakeSlashed {
            round: number(e.round, "a round")?,
            trainer: Address(e.trainer.0),
            amount: amount(e.amount)?,
        },
        Event::BondSlashedFilter(e) => EventKind::BondSlashed {
            round: number(e.round, "a round")?,
            amount: amount(e.amount)?,
            active: mask(e.active_mask)?,
        },
        Event::LossDividedFilter(e) => EventKind::LossDivided {
            round: number(e.round, "a round")?,
            slots: mask(e.mask)?,
            part: sum(e.part)?,
        },
        Event::BurntFilter(e) => {
            EventKind::Burnt { round: number(e.round, "a round")?, amount: sum(e.amount)? }
        }
        Event::AttestedFilter(e) => EventKind::Attested {
            round: number(e.round, "a round")?,
            slot: slot(e.slot)?,
            trainer: Address(e.trainer.0),
            mask: mask(e.mask)?,
            source: some_address(e.source),
        },
        Event::SlotsActiveFilter(e) => EventKind::SlotsActive {
            round: number(e.round, "a round")?,
            active: mask(e.active_mask)?,
            attested: mask(e.attested_mask)?,
        },
        Event::OutlierPenalisedFilter(e) => EventKind::OutlierPenalised {
            round: number(e.round, "a round")?,
            trainer: Address(e.trainer.0),
            amount: amount(e.amount)?,
        },
        Event::ModelPublishedFilter(e) => EventKind::ModelPublished {
            round: number(e.round, "a round")?,
            model: PublishedModel { publisher: Address(e.publisher.0), cid: e.cid },
        },
        Event::ModelSourceNamedFilter(e) => EventKind::ModelSourceNamed {
            round: number(e.round, "a round")?,
            trainer: Address(e.trainer.0),
            source: Address(e.source.0),
        },
        Event::ModelAttestedFilter(e) => EventKind::ModelAttested {
            round: number(e.round, "a round")?,
            source: Address(e.source.0),
            cid: e.cid,
            fee: amount(e.fee)?,
        },
        Event::ModelUnattestedFilter(e) => {
            EventKind::ModelUnattested { round: number(e.round, "a round")?, fee: amount(e.fee)? }
        }
        Event::RoundSettledFilter(e) => EventKind::Settled(SettledRound {
            round: number(e.round, "a round")?,
            payee: Address(e.payee.0),
            active: mask(e.active_mask)?,
            kept: mask(e.kept_mask)?,
            coherence: narrow(e.coherence, "a coherence")?,
            shares: unpack(&e.shares, slots)?,
            weights: unpack(&e.weights, slots)?,
            model: point(e.model, "a model's commitment")?,
            model_cid: e.model_cid,
            transaction,
            gas_used,
        }),
        Event::HyperParametersFilter(e) => EventKind::HyperParameters {
            round: number(e.round, "a round")?,
            learning_rate: narrow(e.learning_rate, "a learning rate")?,
            local_epochs: narrow(e.local_epochs, "a number of epochs")?,
        },
        Event::RoundVoidedFilter(e) => {
            EventKind::Voided { round: number(e.round, "a round")?, reason: e.reason }
        }
        Event::ProjectEndedFilter(e) => {
            EventKind::Ended { phase: phase(e.phase)?, to_owner: sum(e.to_owner)? }
        }
        Event::WithdrawnFilter(e) => EventKind::Withdrawn {
            account: Address(e.account.0),
            to: Address(e.to.0),
            amount: sum(e.amount)?,
        },
        // Says who sent a join, which `Joined` tells the rest of; or of the signatures' domain, which never changes.
        _ => return Ok(None),
    }))
}

pub(super) fn phase(index: u8) -> Result<Phase, ChainError> {
    Phase::from_number(index)
        .ok_or_else(|| ChainError::decode("a phase", format!("no phase has the number {index}")))
}

fn unpack(words: &[U256], slots: u8) -> Result<Vec<u32>, ChainError> {
    let words: Vec<[u8; 32]> = words.iter().map(|&w| w.into()).collect();
    unpack17(&words, usize::from(slots)).map_err(|e| ChainError::decode("packed shares", e))
}
