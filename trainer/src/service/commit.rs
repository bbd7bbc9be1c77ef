//! From the model on chain to a commitment with its range proof on chain.

use std::sync::Arc;

use fairshare_circuits::{G1Affine, RangeStatement, RangeTable};
use fairshare_client::{ether, seal, watched, ContentId, Status};
use rand::RngCore;

use super::fault::Fault;
use super::run::Service;
use super::stage::Update;
use crate::conduct::Duty;
use crate::error::TrainerError;
use crate::event::Event;
use crate::round::{local_update, HyperParameters, LocalUpdate};
use crate::seed::RoundSeed;
use crate::state::RoundRecord;

const ACTION: &str = "the commitment";
/// Gas that the wallet must be able to pay before a commitment: twice the most that one with its range proof is sent
/// with, since a reveal and an attestation, which need less, have to follow.
const GAS_OF_ROUND: u128 = 2 * 450_000;
/// Why a round is left out whose training changed nothing.
const ZERO_UPDATE: &str = "training moved no parameter by as much as one unit of the quantisation: an update of \
     zeros has the point at infinity for its commitment, which no contract takes, and would earn nothing; the next \
     round may be different";

impl Service {
    /// Brings this round's commitment onto the chain; nothing else of the update leaves the machine before the
    /// reveal. Can be called again and again until it succeeds.
    pub(super) async fn commit(&mut self, status: &Status) -> Result<(), Fault> {
        if let Some(reason) = self.options.conduct.refuses(Duty::Commit) {
            return Err(Fault::OnPurpose(reason));
        }
        // What an earlier attempt, or process, prepared from another model is of no use.
        let fits = |update: &&Update| update.record.model_cid == status.model_cid && update.file.is_some();
        let update = match self.round.update().filter(fits) {
            Some(update) => update.clone(),
            None => {
                let update = self.prepare(status).await?;
                self.round.prepare(update.clone());
                update
            }
        };
        self.check_funds().await?;
        let record = &update.record;
        let commitment = record
            .commitment()
            .ok_or_else(|| Fault::Lasting("the stored commitment is not a point of the curve".into()))?;
        let proof =
            record.range_proof().ok_or_else(|| Fault::Lasting("the stored range proof is cut off".into()))?;
        let sealed = seal(record.cid, self.me, record.salt);
        match self.project.commit_update(status.round, &commitment, sealed, &proof).await {
            Ok(receipt) => {
                self.round.sent(receipt);
                self.look_at_round(status).await
            }
            // A transaction of an earlier attempt may have been mined without an answer: then it is on chain.
            Err(error) => {
                self.look_at_round(status).await?;
                self.round.submission().map(drop).ok_or_else(|| Fault::of_sending(ACTION, error))
            }
        }
    }

    /// Nobody should commit who cannot pay for the reveal.
    async fn check_funds(&self) -> Result<(), Fault> {
        let chain = self.project.chain();
        let (has, price) = (chain.balance(self.me).await?, chain.gas_price().await?);
        lacking(has, price).map_or(Ok(()), |needs| {
            Err(Fault::MayPass(format!(
                "the wallet {} has {}, and commit, reveal and attestation may take {} of gas: fund it before the \
                 commit phase ends; nothing was sent, since a commitment that cannot be revealed costs the stake",
                self.me,
                ether(has),
                ether(needs)
            )))
        })
    }

    /// Trains, commits, proves and stores: nothing of it has left the machine when this returns.
    async fn prepare(&mut self, status: &Status) -> Result<Update, Fault> {
        let global = self.current_model(status).await?;
        let local = self.train(status, global).await?;
        self.reporter.report(&Event::Training {
            round: status.round,
            loss_before: local.loss_before,
            loss_after: local.loss_after,
            clamped_share: local.clamped_share,
            seconds: local.seconds,
        });
        let conduct = self.options.conduct.clone();
        let file =
            conduct.posted_file(&self.specification.model, &local.update).map_err(TrainerError::from)?;
        let statement = self.range_statement(status.round)?;
        let reference = self.reference.clone();
        let proved = watched("committing to the update and proving its range", move || {
            conduct.commitment(&reference, statement, &local.update)
        })
        .await
        .map_err(|_| TrainerError::Broken("the range proof"))??;
        let Some((commitment, proof)) = proved else {
            return Err(Fault::Lasting(ZERO_UPDATE.into()));
        };
        let mut salt = [0; 32];
        rand::rngs::OsRng.fill_bytes(&mut salt);
        let cid = ContentId::of(&file).digest();
        let record = RoundRecord::new(status.round, status.model_cid, &commitment, cid, salt, &proof);
        self.state.keep(&record, &file)?;
        Ok(Update { record, file: Some(file.into()) })
    }

    /// The statement of this round's range proof, without the commitment.
    fn range_statement(&self, round: u64) -> Result<RangeStatement, TrainerError> {
        let terms = self.project.terms();
        Ok(RangeStatement {
            chain_id: self.project.chain().chain_id(),
            project: self.project.address().0,
            round,
            trainer: self.me.0,
            dimension: terms.dimension,
            table: RangeTable::from_id(terms.table)?,
            keys_hash: self.keys_hash,
            commitment: G1Affine::identity(),
        })
    }

    async fn train(&self, status: &Status, global: Arc<Vec<i64>>) -> Result<LocalUpdate, TrainerError> {
        let (specification, data, conduct) =
            (self.specification.clone(), self.data.clone(), self.options.conduct.clone());
        let hyper =
            HyperParameters { learning_rate: status.learning_rate, local_epochs: status.local_epochs };
        let seed =
            RoundSeed { seed: self.options.seed, project: self.project.address().0, round: status.round };
        watched("training", move || local_update(&specification, &global, &data, hyper, &*conduct, &seed))
            .await
            .map_err(|_| TrainerError::Broken("the training"))?
    }
}

/// What commit and reveal may cost, wei, when `has` is less.
fn lacking(has: u128, gas_price: u128) -> Option<u128> {
    let needs = gas_price.saturating_mul(GAS_OF_ROUND);
    (has < needs).then_some(needs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wallet_that_can_pay_the_commitment_alone_is_told_what_a_round_needs() {
        let price = 2_000_000_000;
        assert_eq!(lacking(450_000 * price, price), Some(900_000 * price));
        assert_eq!(lacking(900_000 * price, price), None);
        assert_eq!(lacking(u128::MAX - 1, u128::MAX), Some(u128::MAX));
        assert_eq!(lacking(0, 0), None);
    }
}
