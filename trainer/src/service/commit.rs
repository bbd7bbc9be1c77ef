//! From the model on chain to a commitment with its proof of form on chain.

use std::sync::Arc;

use fairshare_circuits::{prove_form, FormError, FormProofWords, FormStatement, FormTable, G1Affine};
use fairshare_client::{
    ether, format_address, seal, watched, Address20, CommittedUpdate, ContentId, Phase, Status,
};
use rand::RngCore;

use super::fault::Fault;
use super::field_elements::field_elements;
use super::{transaction, Service};
use crate::behaviour::Behaviour;
use crate::error::TrainerError;
use crate::event::Event;
use crate::round::{local_update, HyperParameters, LocalUpdate};
use crate::seed::RoundSeed;
use crate::state::RoundRecord;

const ACTION: &str = "the commitment";
/// Gas that the wallet must be able to pay before a commitment: twice what one with its proof of form is sent with at
/// most, since a reveal and an attestation, which need less, have to follow.
const GAS_OF_ROUND: u128 = 2 * 450_000;
/// Why a round is left out whose training changed nothing.
const ZERO_UPDATE: &str = "training moved no parameter by as much as one unit of the quantisation: an update of zeros has the \
     point at infinity for its commitment, which no contract takes, and would earn nothing; the next round may be different";

impl Service {
    /// Brings this round's commitment onto the chain; nothing else of the update leaves the machine before the reveal. Can
    /// be called again and again until it succeeds.
    pub(super) async fn commit(&mut self, status: &Status) -> Result<(), Fault> {
        if self.options.behaviour == Behaviour::Silent {
            return Err(Fault::OnPurpose("this trainer is silent on purpose (--behaviour silent)"));
        }
        if self.find_commitment(status.round).await? {
            return Ok(());
        }
        let record = match self.stored(status)? {
            Some(found) => found,
            None => self.prepare(status).await?,
        };
        self.progress.record = Some(record.clone());
        self.progress.may_be_committed = true;
        self.check_funds().await?;
        let commitment =
            record.commitment().ok_or_else(|| Fault::Lasting("the stored commitment is no point".into()))?;
        let form =
            record.form().ok_or_else(|| Fault::Lasting("the stored proof of form is cut off".into()))?;
        let sealed = seal(record.cid, self.me, record.salt);
        match self.project.commit_update(status.round, &commitment, sealed, &form).await {
            Ok(receipt) => self.progress.sent = Some(receipt),
            // A transaction of an earlier attempt may have gone through unseen: then it is on chain.
            Err(error) => {
                return if self.find_commitment(status.round).await? {
                    Ok(())
                } else {
                    Err(Fault::of_sending(ACTION, error))
                };
            }
        }
        self.find_commitment(status.round).await.map(drop)
    }

    /// Whether the wallet's commitment of the round is on chain; if so, it is matched with the stored record and told.
    pub(super) async fn find_commitment(&mut self, round: u64) -> Result<bool, Fault> {
        let slot = self.project.slot_of(round, self.me).await?;
        self.progress.may_be_committed = true;
        let record = match &self.progress.record {
            Some(record) => Some(record.clone()),
            None => self.state.record(round)?,
        };
        let Some(slot) = slot else {
            // A prepared one may be on its way.
            self.progress.may_be_committed = record.is_some();
            return Ok(false);
        };
        let posted = match self.project.committed(round).await {
            Ok(all) => all.into_iter().find(|c| c.slot == slot),
            Err(error) => {
                tracing::debug!(round, %error, "the round's commitments cannot be read");
                None
            }
        };
        let record = own_record(record, posted.as_ref(), self.me, slot, self.progress.phase)?;
        let cid = self.content_id(&record).to_string();
        let sent = self.progress.sent;
        self.progress.record = Some(record);
        self.progress.slot = Some(slot);
        self.progress.asked_at = Some(self.last_block);
        self.reporter.report(&Event::Committed {
            round,
            slot,
            cid,
            tx: sent.map(transaction),
            gas: sent.map(|r| r.gas_used),
        });
        Ok(true)
    }

    /// The CID of an update's file.
    pub(super) fn content_id(&self, record: &RoundRecord) -> ContentId {
        let length = self.state.update_file(record).map_or(0, |file| file.len());
        ContentId::from_digest(record.cid, length)
    }

    /// What an earlier attempt, or process, prepared from the same model.
    fn stored(&self, status: &Status) -> Result<Option<RoundRecord>, TrainerError> {
        let record = self.state.record(status.round)?.filter(|record| record.model_cid == status.model_cid);
        Ok(record.filter(|record| self.state.update_file(record).is_some()))
    }

    /// Nobody should commit who cannot pay for the reveal.
    async fn check_funds(&self) -> Result<(), Fault> {
        let chain = self.project.chain();
        let (has, price) = (chain.balance(self.me).await?, chain.gas_price().await?);
        lacking(has, price).map_or(Ok(()), |needs| {
            Err(Fault::MayPass(format!(
                "the wallet {} has {}, and commit, reveal and attestation may take {} of gas: fund it before the commit phase ends; \
                 nothing was sent, since a commitment that cannot be revealed costs the stake",
                format_address(&self.me),
                ether(has),
                ether(needs)
            )))
        })
    }

    /// Trains, commits, proves and stores: nothing of it has left the machine when this returns.
    async fn prepare(&mut self, status: &Status) -> Result<RoundRecord, Fault> {
        let global = self.current_model(status).await?;
        let local = self.train(status, global).await?;
        self.reporter.report(&Event::Training {
            round: status.round,
            loss_before: local.loss_before,
            loss_after: local.loss_after,
            clamped_share: local.clamped_share,
            seconds: local.seconds,
        });
        let behaviour = self.options.behaviour;
        let file =
            behaviour.posted_file(&self.specification.model, &local.update).map_err(TrainerError::from)?;
        let statement = self.form_statement(status.round)?;
        let reference = self.reference.clone();
        let proved = watched("committing to the update and proving its form", move || {
            let commitment = reference.commit_update(&local.update)?;
            if commitment == G1Affine::identity() {
                return Ok(None);
            }
            if behaviour == Behaviour::FieldElements {
                return field_elements(&reference, statement, &local.update).map(Some);
            }
            let statement = FormStatement { commitment, ..statement };
            // It verifies what it made before it returns it.
            let proof = prove_form(&reference, &statement, &local.update)?;
            Ok::<_, FormError>(Some((commitment, proof.words())))
        })
        .await
        .map_err(|_| TrainerError::Broken("the proof of form"))??;
        let Some((commitment, form)): Option<(G1Affine, FormProofWords)> = proved else {
            return Err(Fault::Lasting(ZERO_UPDATE.into()));
        };
        let mut salt = [0; 32];
        rand::rngs::OsRng.fill_bytes(&mut salt);
        let cid = ContentId::of(&file).digest();
        let record = RoundRecord::new(status.round, status.model_cid, &commitment, cid, salt, &form);
        self.state.keep(&record, &file)?;
        Ok(record)
    }

    /// What a proof of form of this round is made for; the commitment is filled in later.
    fn form_statement(&self, round: u64) -> Result<FormStatement, TrainerError> {
        let terms = self.project.terms();
        Ok(FormStatement {
            chain_id: self.project.chain().chain_id(),
            project: self.project.address(),
            round,
            trainer: self.me,
            dimension: terms.dimension,
            table: FormTable::from_id(terms.table)?,
            keys_hash: self.keys_hash,
            commitment: G1Affine::identity(),
        })
    }

    async fn train(&self, status: &Status, global: Arc<Vec<i64>>) -> Result<LocalUpdate, TrainerError> {
        let (specification, data, behaviour) =
            (self.specification.clone(), self.data.clone(), self.options.behaviour);
        let hyper =
            HyperParameters { learning_rate: status.learning_rate, local_epochs: status.local_epochs };
        let seed =
            RoundSeed { seed: self.options.seed, project: self.project.address(), round: status.round };
        watched("training", move || local_update(&specification, &global, &data, hyper, behaviour, &seed))
            .await
            .map_err(|_| TrainerError::Broken("the training"))?
    }
}

/// What commit and reveal may cost, wei, when `has` is less.
fn lacking(has: u128, gas_price: u128) -> Option<u128> {
    let needs = gas_price.saturating_mul(GAS_OF_ROUND);
    (has < needs).then_some(needs)
}

/// The record behind the commitment of `me` in `slot`. A node that does not show `posted` yet may do so later; after the
/// commit phase there is no time for that, and the contract itself compares a reveal with the seal, at no cost.
fn own_record(
    record: Option<RoundRecord>,
    posted: Option<&CommittedUpdate>,
    me: Address20,
    slot: u8,
    phase: Phase,
) -> Result<RoundRecord, Fault> {
    let is_posted = |record: &RoundRecord| match posted {
        Some(posted) => {
            posted.seal == seal(record.cid, me, record.salt) && Some(posted.commitment) == record.commitment()
        }
        None => true,
    };
    match record.filter(is_posted) {
        Some(_) if posted.is_none() && phase == Phase::Commit => Err(Fault::MayPass(format!(
            "the commitment is in slot {slot}, and the node does not show its event yet"
        ))),
        Some(record) => Ok(record),
        None => Err(Fault::Lasting(format!(
            "slot {slot} holds a commitment of this wallet that this state folder knows nothing of: it cannot be \
             revealed from here, and the stake is lost unless the process that made it reveals it (check --state)"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Address20 = [3; 20];

    fn record() -> RoundRecord {
        let point = fairshare_circuits::ReferenceString::generate_dev(1).commit_update(&[3]).unwrap();
        let form = FormProofWords { points: vec![], values: vec![] };
        RoundRecord::new(4, [9; 32], &point, [5; 32], [7; 32], &form)
    }

    fn posted(salt: [u8; 32]) -> CommittedUpdate {
        let record = record();
        let commitment = record.commitment().unwrap();
        CommittedUpdate { slot: 1, trainer: ME, commitment, seal: seal(record.cid, ME, salt) }
    }

    #[test]
    fn commitment_is_matched_with_its_record() {
        for phase in [Phase::Commit, Phase::Reveal] {
            assert_eq!(own_record(Some(record()), Some(&posted([7; 32])), ME, 1, phase), Ok(record()));
            for (record, posted) in
                [(Some(record()), Some(&posted([8; 32]))), (None, Some(&posted([7; 32]))), (None, None)]
            {
                let fault = own_record(record, posted, ME, 1, phase).unwrap_err();
                assert!(matches!(&fault, Fault::Lasting(reason) if reason.contains("--state")), "{fault:?}");
                assert!(fault.at_risk().may_pass(), "it is looked at again while the phase is open");
            }
        }
    }

    #[test]
    fn missing_event_is_waited_for_while_there_is_time_and_keeps_nobody_from_revealing() {
        assert!(own_record(Some(record()), None, ME, 1, Phase::Commit).unwrap_err().may_pass());
        assert_eq!(own_record(Some(record()), None, ME, 1, Phase::Reveal), Ok(record()));
    }

    #[test]
    fn wallet_that_can_pay_the_commitment_alone_is_told_what_a_round_needs() {
        let price = 2_000_000_000;
        assert_eq!(lacking(450_000 * price, price), Some(900_000 * price));
        assert_eq!(lacking(900_000 * price, price), None);
        assert_eq!(lacking(u128::MAX - 1, u128::MAX), Some(u128::MAX));
        assert_eq!(lacking(0, 0), None);
    }
}
