//! What became of a seat: a trainer that is on the list of a project no longer has lost it, or has left.

use fairshare_client::service::Backoff;
use fairshare_client::{EventKind, Status};
use fairshare_protocol::Address;

use super::run::{Interruption, Service};
use crate::error::TrainerError;
use crate::event::Event;
use crate::outcome::SeatLoss;

/// Attempts at reading the log before the trainer ends without the reason.
const ATTEMPTS: usize = 5;

/// What the chain's log holds of a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Loss {
    reason: SeatLoss,
    round: Option<u64>,
    stake: u128,
}

impl Service {
    /// Reports that the seat is lost, and why; the error with which the service ends.
    pub(super) async fn seat_lost(&mut self, status: &Status) -> Result<TrainerError, Interruption> {
        let unknown =
            Loss { reason: SeatLoss::Unknown, round: Some(status.round), stake: self.project.terms().stake };
        let loss = self.find_loss().await?.flatten().unwrap_or(unknown);
        self.round.close();
        Ok(self.tell_seat_lost(loss))
    }

    /// For a wallet that is not a trainer of a project whose registration is over.
    pub(super) async fn never_joined_or_lost(
        &mut self,
        status: &Status,
    ) -> Result<TrainerError, Interruption> {
        let unknown = Loss { reason: SeatLoss::Unknown, round: None, stake: 0 };
        let loss = match self.find_loss().await? {
            Some(Some(loss)) => loss,
            None if status.round > 0 => unknown,
            _ => {
                let (trainer, project) = (self.me.to_string(), self.project.address().to_string());
                return Ok(TrainerError::NotATrainer { trainer, project });
            }
        };
        Ok(self.tell_seat_lost(loss))
    }

    fn tell_seat_lost(&self, loss: Loss) -> TrainerError {
        let Loss { reason, round, stake } = loss;
        self.reporter.report(&Event::SeatLost {
            reason,
            round,
            stake_lost: self.project.terms().amount(stake),
        });
        TrainerError::SeatLost {
            trainer: self.me.to_string(),
            project: self.project.address().to_string(),
            round,
            reason,
            stake_lost: self.project.terms().money(stake),
        }
    }

    /// The log's last word on the seat; the outer `None` when the log cannot be read.
    async fn find_loss(&mut self) -> Result<Option<Option<Loss>>, Interruption> {
        let mut wait = Backoff::default();
        for _ in 0..ATTEMPTS {
            match self.loss_on_chain().await {
                Ok(loss) => return Ok(Some(loss)),
                Err(error) => {
                    tracing::warn!(%error, "the reason of the lost seat cannot be read yet");
                    self.pause(wait.failed(Backoff::LONGEST)).await?;
                }
            }
        }
        Ok(None)
    }

    async fn loss_on_chain(&self) -> Result<Option<Loss>, fairshare_client::ChainError> {
        let history = self.project.history().await?;
        let Some(loss) = last_loss(history.iter().map(|event| &event.kind), self.me) else { return Ok(None) };
        let Some(round) = loss.round else { return Ok(Some(loss)) };
        let slot = self.project.slot_of(round, self.me).await?;
        let revealed = self.project.round_state(round).await?.revealed;
        let is_revealed = slot.is_some_and(|slot| revealed.contains(slot));
        let reason = if is_revealed { SeatLoss::NotAttested } else { SeatLoss::MissedReveal };
        Ok(Some(Loss { reason, ..loss }))
    }
}

/// The last event that took the seat of `trainer`; whether a slashed round was revealed is for the round's state to
/// say.
fn last_loss<'a>(history: impl Iterator<Item = &'a EventKind>, trainer: Address) -> Option<Loss> {
    history.fold(None, |loss, event| match event {
        EventKind::Joined { trainer: who, .. } if *who == trainer => None,
        EventKind::Left { trainer: who, .. } if *who == trainer => {
            Some(Loss { reason: SeatLoss::Left, round: None, stake: 0 })
        }
        EventKind::StakeSlashed { round, trainer: who, amount } if *who == trainer => {
            Some(Loss { reason: SeatLoss::MissedReveal, round: Some(*round), stake: *amount })
        }
        _ => loss,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Address = Address([1; 20]);

    fn joined(trainer: Address) -> EventKind {
        EventKind::Joined { trainer, stake: 5 }
    }

    #[test]
    fn last_event_of_a_trainer_decides_what_became_of_its_seat() {
        let slashed = |trainer, round| EventKind::StakeSlashed { round, trainer, amount: 5 };
        let left = EventKind::Left { trainer: ME, stake: 5 };
        let last = |history: &[EventKind]| last_loss(history.iter(), ME);
        assert_eq!(last(&[joined(ME), slashed(Address([2; 20]), 1)]), None);
        let loss = last(&[joined(ME), slashed(ME, 3), slashed(Address([2; 20]), 4)]).unwrap();
        assert_eq!((loss.round, loss.stake), (Some(3), 5));
        let loss = last(&[joined(ME), left.clone()]).unwrap();
        assert_eq!((loss.reason, loss.round, loss.stake), (SeatLoss::Left, None, 0));
        assert_eq!(last(&[joined(ME), left, joined(ME)]), None, "it joined again");
        assert_eq!(last(&[]), None, "it never joined");
    }
}
