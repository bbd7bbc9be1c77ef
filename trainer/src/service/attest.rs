//! What a trainer says of the others' bytes, which decides who is active, and of the last model file, which decides who
//! gets its fee.

use fairshare_client::{collect, format_address, Exclusion, Status};

use super::fault::Fault;
use super::{elapsed, transaction, Service};
use crate::behaviour::Behaviour;
use crate::event::{Event, LeftOut};

const ACTION: &str = "the attestation";
const MODEL_ACTION: &str = "the model's attestation";
/// Files that cannot be had are waited for this part of the phase.
const PATIENCE: u64 = 4;

impl Service {
    /// Says which revealed updates can be had and are what was committed. Can be called again and again until it succeeds.
    pub(super) async fn attest(&mut self, status: &Status) -> Result<(), Fault> {
        if self.options.behaviour == Behaviour::AttestNothing {
            return Err(Fault::OnPurpose(
                "this trainer attests nothing, on purpose (--behaviour attest-nothing)",
            ));
        }
        let round = status.round;
        let Some(slot) = self.progress.slot else { return Ok(()) };
        let own = 1u128 << slot;
        let state = self.project.round_state(round).await?;
        if state.attested & own != 0 {
            self.tell_attested(slot);
            return Ok(());
        }
        let period = u64::from(self.project.terms().attest_period);
        let patience = period / PATIENCE;
        let left_out = self.check_updates(status, patience).await?;
        let waits = elapsed(status, period) < patience;
        if waits && left_out.iter().any(|(_, is_missing)| *is_missing) {
            return Ok(()); // looked at again with the next block
        }
        let open = self.open_model(status).await?;
        let source = match self.model_source(status, &open, period).await {
            Ok(source) => source.filter(|_| self.options.behaviour != Behaviour::AttestFalsely),
            // The round's updates matter more than the last one's file.
            Err(fault) if waits => return Err(fault),
            Err(fault) => {
                tracing::warn!(round, ?fault, "attesting without a source of the last model file");
                None
            }
        };
        let mask = self.options.behaviour.attested_mask(state.revealed_mask, self.progress.good, own);
        let source = source.filter(|_| open.round != 0);
        let receipt = match self.project.attest(round, mask, source).await {
            Ok(receipt) => receipt,
            // A transaction of an earlier attempt may have gone through unseen.
            Err(error) => {
                if self.project.round_state(round).await?.attested & own == 0 {
                    return Err(Fault::of_sending(ACTION, error));
                }
                self.tell_attested(slot);
                return Ok(());
            }
        };
        self.progress.attested = true;
        self.reporter.report(&Event::Attested {
            round,
            slot,
            mask: Some(format!("{mask:#x}")),
            source: source.as_ref().map(format_address),
            left_out: left_out
                .into_iter()
                .map(|(left_out, _)| left_out)
                .filter(|l| mask >> l.slot & 1 == 0)
                .collect(),
            tx: Some(transaction(receipt)),
            gas: Some(receipt.gas_used),
        });
        Ok(())
    }

    /// Fetches what was revealed and checks it in one batch; slots found good stay good. Gives the others, each with
    /// whether another attempt may bring it.
    async fn check_updates(&mut self, status: &Status, patience: u64) -> Result<Vec<(LeftOut, bool)>, Fault> {
        let store = self.quick_store(patience)?;
        let Self { project, specification, reference, .. } = self;
        let collected = collect(project, &store, specification, reference, status.round).await?;
        let mut left_out = vec![];
        for entry in collected {
            let bit = 1u128 << entry.slot;
            match entry.update {
                Ok(_) => self.progress.good |= bit,
                Err(_) if self.progress.good & bit != 0 => {}
                Err(reason) => {
                    let is_missing = matches!(reason, Exclusion::Missing(_));
                    let (slot, trainer) = (entry.slot, format_address(&entry.trainer));
                    left_out.push((LeftOut { slot, trainer, reason: reason.to_string() }, is_missing));
                }
            }
        }
        Ok(left_out)
    }

    /// Tells of an attestation that an earlier process, or attempt, sent.
    fn tell_attested(&mut self, slot: u8) {
        self.progress.attested = true;
        let round = self.progress.round;
        let (mask, source, left_out) = (None, None, vec![]);
        self.reporter.report(&Event::Attested { round, slot, mask, source, left_out, tx: None, gas: None });
    }

    /// After the last round: says from whom the last model file was had. Those may who attested in its round.
    pub(super) async fn attest_model(&mut self, status: &Status) -> Result<(), Fault> {
        if matches!(self.options.behaviour, Behaviour::AttestNothing | Behaviour::AttestFalsely) {
            self.progress.model_attested = true;
            return Ok(());
        }
        let open = self.open_model(status).await?;
        if !self.may_attest_model(open.round).await? {
            self.progress.model_attested = true;
            return Ok(());
        }
        let period = u64::from(self.project.terms().attest_period);
        let Some(source) = self.model_source(status, &open, period).await? else { return Ok(()) };
        match self.project.attest_model(source).await {
            Ok(receipt) => {
                self.progress.model_attested = true;
                self.reporter.report(&Event::ModelAttested {
                    round: open.round,
                    source: format_address(&source),
                    tx: transaction(receipt),
                    gas: receipt.gas_used,
                });
                Ok(())
            }
            Err(error) => match Fault::of_sending(MODEL_ACTION, error) {
                // By an earlier process, or others were enough meanwhile.
                Fault::Refused { reason, .. }
                    if ["NothingToAttest", "WrongPhase"].iter().any(|name| reason.contains(name)) =>
                {
                    self.progress.model_attested = true;
                    Ok(())
                }
                fault => Err(fault),
            },
        }
    }

    async fn may_attest_model(&self, round: u64) -> Result<bool, Fault> {
        if round == 0 {
            return Ok(false);
        }
        let Some(slot) = self.project.slot_of(round, self.me).await? else { return Ok(false) };
        Ok(self.project.round_state(round).await?.attested >> slot & 1 == 1)
    }

    /// After the phase: whether an attestation of an earlier attempt, or process, went through unseen.
    pub(super) async fn look_for_attestation(&mut self, round: u64) -> Result<(), Fault> {
        let Some(slot) = self.progress.slot else { return Ok(()) };
        if self.project.round_state(round).await?.attested >> slot & 1 == 1 {
            self.tell_attested(slot);
        } else {
            self.close_round(
                "the attest phase ended before the attestation was on chain: the round pays nothing",
            );
        }
        Ok(())
    }
}
