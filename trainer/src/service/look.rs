//! What the chain shows of this trainer in the open round, and the update that belongs to it.

use fairshare_client::{seal, CommittedUpdate, ContentId, Phase, Receipt, Status};
use fairshare_protocol::{encoded_len, Address, FileKind};

use super::fault::Fault;
use super::files::content_id;
use super::run::{transaction, Service};
use super::stage::{Shown, Update};
use crate::error::TrainerError;
use crate::event::Event;
use crate::state::RoundRecord;

impl Service {
    /// Takes over what the chain shows of commitment, reveal and attestation, whoever sent them, and reports what is
    /// new.
    pub(super) async fn look_at_round(&mut self, status: &Status) -> Result<(), Fault> {
        let round = status.round;
        let Some(slot) = self.project.slot_of(round, self.me).await? else {
            let stored = if self.round.update().is_some() { None } else { self.stored_update(round)? };
            if self.round.no_commitment(stored) {
                tracing::warn!(
                    round,
                    "our commitment is no longer on chain; it is sent again while the phase is open"
                );
            }
            return Ok(());
        };
        let state = self.project.round_state(round).await?;
        let (revealed, attested) = (state.revealed.contains(slot), state.attested.contains(slot));
        if self.round.submission().is_none_or(|own| own.slot != slot) {
            let (cid, update) = match self.own_update(round, slot).await {
                Ok(update) => (content_id(&update), Some(update)),
                Err(Fault::Lasting(reason)) if revealed => {
                    tracing::warn!(round, reason, "going on without the update, which was revealed before");
                    (self.revealed_cid(round, slot).await?, None)
                }
                Err(fault) => {
                    self.round.unmatched();
                    return Err(fault);
                }
            };
            let cid = cid.to_string();
            let sent = self.round.commit(slot, cid.clone(), update, status.block);
            let (transaction, gas) = (sent.map(transaction), sent.map(|r| r.gas_used));
            self.reporter.report(&Event::Committed { round, slot, cid, transaction, gas });
        }
        self.confirm(Shown { block: status.block, revealed, attested }, None);
        Ok(())
    }

    /// Goes on to what is shown, and reports it; `receipt` is that of the reveal when this process has just sent it.
    pub(super) fn confirm(&mut self, shown: Shown, receipt: Option<Receipt>) {
        let found = self.round.confirm(shown);
        let round = self.round.id;
        let Some(own) = self.round.submission() else { return };
        let slot = own.slot;
        if let Some(what) = found.lost {
            tracing::warn!(round, "{what} is no longer on chain; it is sent again");
        }
        if found.reveal {
            let cid = own.cid.clone();
            let (transaction, gas) = (receipt.map(transaction), receipt.map(|r| r.gas_used));
            self.reporter.report(&Event::Revealed { round, slot, cid, transaction, gas });
        }
        if found.attestation && receipt.is_none() {
            let (mask, source, left_out) = (None, None, vec![]);
            let (transaction, gas) = (None, None);
            self.reporter.report(&Event::Attested { round, slot, mask, source, left_out, transaction, gas });
        }
    }

    async fn revealed_cid(&self, round: u64, slot: u8) -> Result<ContentId, Fault> {
        let revealed = self.project.revealed(round).await?;
        let length = encoded_len(&self.specification.model, FileKind::Update).map_err(TrainerError::from)?;
        let cid = revealed.iter().find(|r| r.slot == slot).map(|r| ContentId::from_digest(r.cid, length));
        cid.ok_or_else(|| Fault::MayPass(format!("the node does not show the reveal of slot {slot} yet")))
    }

    /// The update behind the commitment in `slot`: from memory, or from the state folder.
    async fn own_update(&self, round: u64, slot: u8) -> Result<Update, Fault> {
        let known = match self.round.update() {
            Some(update) => Some(update.clone()),
            None => self.stored_update(round)?,
        };
        let posted = match self.project.committed(round).await {
            Ok(all) => all.into_iter().find(|c| c.slot == slot),
            Err(error) => {
                tracing::debug!(round, %error, "the round's commitments cannot be read");
                None
            }
        };
        let record = known.as_ref().map(|update| &update.record);
        check_record(record, posted.as_ref(), self.me, slot, self.round.phase())?;
        known.ok_or_else(|| Fault::Lasting("the update of the commitment is not known here".into()))
    }
}

/// Checks that `record` is behind the commitment of `me` in `slot`. A node that does not show `posted` yet may do so
/// later; after the commit phase there is no time for that, and the contract itself compares a reveal with the seal,
/// at no cost.
fn check_record(
    record: Option<&RoundRecord>,
    posted: Option<&CommittedUpdate>,
    me: Address,
    slot: u8,
    phase: Phase,
) -> Result<(), Fault> {
    let is_posted = |record: &&RoundRecord| match posted {
        Some(posted) => {
            posted.seal == seal(record.cid, me, record.salt) && Some(posted.commitment) == record.commitment()
        }
        None => true,
    };
    match record.filter(is_posted) {
        Some(_) if posted.is_none() && phase == Phase::Commit => Err(Fault::MayPass(format!(
            "the commitment is in slot {slot}, and the node does not show its event yet"
        ))),
        Some(_) => Ok(()),
        None => Err(Fault::Lasting(format!(
            "slot {slot} holds a commitment of this wallet that is not in this state folder: it cannot be revealed \
             from here, and the stake is lost unless the process that made it reveals it (check --state)"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairshare_circuits::{RangeProofWords, ReferenceString};

    const ME: Address = Address([3; 20]);

    fn record() -> RoundRecord {
        let point = ReferenceString::generate_dev(1).commit_update(&[3]).unwrap();
        let proof = RangeProofWords { points: vec![], values: vec![] };
        RoundRecord::new(4, [9; 32], &point, [5; 32], [7; 32], &proof)
    }

    fn posted(salt: [u8; 32]) -> CommittedUpdate {
        let record = record();
        let commitment = record.commitment().unwrap();
        CommittedUpdate { slot: 1, trainer: ME, commitment, seal: seal(record.cid, ME, salt) }
    }

    #[test]
    fn commitment_is_matched_with_its_record() {
        for phase in [Phase::Commit, Phase::Reveal] {
            assert_eq!(check_record(Some(&record()), Some(&posted([7; 32])), ME, 1, phase), Ok(()));
            for (record, posted) in
                [(Some(&record()), Some(&posted([8; 32]))), (None, Some(&posted([7; 32]))), (None, None)]
            {
                let fault = check_record(record, posted, ME, 1, phase).unwrap_err();
                assert!(matches!(&fault, Fault::Lasting(reason) if reason.contains("--state")), "{fault:?}");
                assert!(fault.at_risk().may_pass(), "it is looked at again while the phase is open");
            }
        }
    }

    #[test]
    fn missing_event_is_waited_for_while_there_is_time_and_keeps_nobody_from_revealing() {
        assert!(check_record(Some(&record()), None, ME, 1, Phase::Commit).unwrap_err().may_pass());
        assert_eq!(check_record(Some(&record()), None, ME, 1, Phase::Reveal), Ok(()));
    }
}
