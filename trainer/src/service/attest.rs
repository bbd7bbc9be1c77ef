//! The attestation of the others' files, which decides who is active, and of the last model file, which decides who
//! gets its fee.

use fairshare_client::{collect, Exclusion, Status};
use fairshare_protocol::SlotMask;

use super::fault::Fault;
use super::run::{transaction, Service};
use super::stage::{Shown, Stage};
use crate::conduct::Duty;
use crate::event::{Event, LeftOut};

const ACTION: &str = "the attestation";
const MODEL_ACTION: &str = "the model's attestation";
/// We wait for files that cannot be fetched this part of the phase.
const PATIENCE: u64 = 4;

impl Service {
    /// Attests the revealed updates whose files can be fetched and match their commitments. Can be called again and
    /// again until it succeeds.
    pub(super) async fn attest(&mut self, status: &Status) -> Result<(), Fault> {
        let conduct = self.options.conduct.clone();
        if let Some(reason) = conduct.refuses(Duty::Attest) {
            return Err(Fault::OnPurpose(reason));
        }
        let round = status.round;
        let Some(slot) = self.round.submission().map(|own| own.slot) else { return Ok(()) };
        let own = SlotMask::single(slot);
        // At the block of the status, where the phase is Attest and all reveals are in.
        let revealed = self.project.round_state_at(round, Some(status)).await?.revealed;
        let period = u64::from(self.project.terms().attest_period);
        let patience = period / PATIENCE;
        let (good, left_out) = self.check_updates(status, patience).await?;
        let waits = self.elapsed(status, period) < patience;
        // A node that is some blocks behind leaves reveals out; who attests without them makes honest slots inactive.
        let seen = good | left_out.iter().map(|(left_out, _)| left_out.slot).collect::<SlotMask>();
        if waits && (!revealed.is_subset_of(seen) || left_out.iter().any(|(_, is_missing)| *is_missing)) {
            return Ok(()); // looked at again with the next block
        }
        let open = self.open_model(status).await?;
        let source = match self.model_source(status, &open, period).await {
            Ok(source) => source.filter(|_| conduct.refuses(Duty::NameSource).is_none()),
            // The round's updates matter more than the last one's file.
            Err(fault) if waits => return Err(fault),
            Err(fault) => {
                tracing::warn!(round, ?fault, "attesting without a source of the last model file");
                None
            }
        };
        let mask = conduct.attested_mask(revealed, good, own);
        let source = source.filter(|_| open.round != 0);
        let receipt = match self.project.attest(round, mask, source).await {
            Ok(receipt) => receipt,
            // A transaction of an earlier attempt may have been mined without an answer.
            Err(error) => {
                self.look_at_round(status).await?;
                return match self.round.stage() {
                    Stage::Attested(_) => Ok(()),
                    _ => Err(Fault::of_sending(ACTION, error)),
                };
            }
        };
        self.confirm(Shown { block: receipt.block, revealed: true, attested: true }, Some(receipt));
        let is_out = |left_out: &LeftOut| !mask.contains(left_out.slot);
        self.reporter.report(&Event::Attested {
            round,
            slot,
            mask: Some(mask.to_string()),
            source: source.as_ref().map(ToString::to_string),
            left_out: left_out.into_iter().map(|(left_out, _)| left_out).filter(is_out).collect(),
            transaction: Some(transaction(receipt)),
            gas: Some(receipt.gas_used),
        });
        Ok(())
    }

    /// Fetches what was revealed and checks it in one batch; slots found good stay good. Returns the good slots, and
    /// the others, each with whether another attempt may bring it.
    async fn check_updates(
        &mut self,
        status: &Status,
        patience: u64,
    ) -> Result<(SlotMask, Vec<(LeftOut, bool)>), Fault> {
        let store = self.quick_store(patience)?;
        let Self { project, specification, reference, .. } = self;
        let collected = collect(project, &store, specification, reference, status.round).await?;
        let found = collected.iter().filter(|c| c.update.is_ok()).map(|c| c.slot).collect();
        let good = self.round.check(found);
        let mut left_out = vec![];
        for entry in collected {
            if let Err(reason) = entry.update {
                if !good.contains(entry.slot) {
                    let is_missing = matches!(reason, Exclusion::Missing(_));
                    let (slot, trainer) = (entry.slot, entry.trainer.to_string());
                    left_out.push((LeftOut { slot, trainer, reason: reason.to_string() }, is_missing));
                }
            }
        }
        Ok((good, left_out))
    }

    /// After the last round: attests who served the last model file. Those may who attested in its round.
    pub(super) async fn attest_model(&mut self, status: &Status) -> Result<(), Fault> {
        let open = self.open_model(status).await?;
        let is_willing =
            [Duty::Attest, Duty::NameSource].iter().all(|duty| self.options.conduct.refuses(*duty).is_none());
        if !is_willing || !self.may_attest_model(open.round).await? {
            self.round.model_voted = true;
            return Ok(());
        }
        let period = u64::from(self.project.terms().attest_period);
        let Some(source) = self.model_source(status, &open, period).await? else { return Ok(()) };
        match self.project.attest_model(source).await {
            Ok(receipt) => {
                self.reporter.report(&Event::ModelAttested {
                    round: open.round,
                    source: source.to_string(),
                    transaction: transaction(receipt),
                    gas: receipt.gas_used,
                });
            }
            Err(error) => match Fault::of_sending(MODEL_ACTION, error) {
                // By an earlier process, or others were enough meanwhile.
                Fault::Refused { reason, .. }
                    if ["NothingToAttest", "WrongPhase"].iter().any(|name| reason.contains(name)) => {}
                fault => return Err(fault),
            },
        }
        self.round.model_voted = true;
        Ok(())
    }

    async fn may_attest_model(&self, round: u64) -> Result<bool, Fault> {
        if round == 0 {
            return Ok(false);
        }
        let Some(slot) = self.project.slot_of(round, self.me).await? else { return Ok(false) };
        Ok(self.project.round_state(round).await?.attested.contains(slot))
    }
}
