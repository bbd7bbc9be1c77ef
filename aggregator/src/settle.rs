//! From an assessed round to the contract's input: statement, proof, settlement.

use std::sync::Arc;
use std::time::Instant;

use fairshare_circuits::{
    model_step, prove_round, verify_round, AssessmentKeys, G1Affine, PinnedKeys, ReferenceString, RoundProof,
    RoundStatement,
};
use fairshare_client::Settlement;
use fairshare_protocol::{Address, SlotMask, Word};

use crate::assess::AssessedRound;
use crate::error::SettleError;

/// The part of a round's statement that does not come from the assessment.
#[derive(Clone, Debug)]
pub struct RoundContext {
    /// Chain id.
    pub chain_id: u64,
    /// The project's address.
    pub project: Address,
    /// Round id.
    pub round: u64,
    /// The account that gets the fee.
    pub payee: Address,
    /// `d`.
    pub dimension: u32,
    /// `N`.
    pub slots: u8,
    /// The model's commitment before the round.
    pub model: G1Affine,
    /// Trainer and commitment of all committed slots: slot `i` at position `i`.
    pub committed: Vec<(Address, G1Affine)>,
    /// Whether the terms have a penalty for outliers: then the settlement names them.
    pub outlier_penalty: bool,
}

impl RoundContext {
    /// The statement that the proof is made for; `model_cid` is the digest of the new model's file.
    ///
    /// # Errors
    /// [`SettleError::NoCommitment`] when an active slot has none.
    pub fn statement(
        &self,
        assessed: &AssessedRound,
        keys_hash: Word,
        model_cid: [u8; 32],
    ) -> Result<RoundStatement, SettleError> {
        let commitments = assessed
            .active
            .iter()
            .map(|slot| {
                let found = self.committed.get(usize::from(slot));
                found.map(|(_, point)| (slot, *point)).ok_or(SettleError::NoCommitment { slot })
            })
            .collect::<Result<Vec<_>, SettleError>>()?;
        Ok(RoundStatement {
            chain_id: self.chain_id,
            project: self.project.0,
            round: self.round,
            payee: self.payee.0,
            dimension: self.dimension,
            slots: self.slots,
            policy: assessed.policy,
            keys_hash,
            active: assessed.active,
            model_cid,
            model: self.model,
            commitments,
        })
    }

    /// The trainers whose dropping counts towards the outlier penalty.
    fn outliers(&self, proved: &ProvedRound) -> Vec<Address> {
        if !self.outlier_penalty {
            return Vec::new();
        }
        let dropped = proved.statement.active - proved.kept;
        let trainer = |slot: u8| self.committed.get(usize::from(slot)).map(|(trainer, _)| *trainer);
        dropped.iter().filter_map(trainer).collect()
    }

    /// The contract's input.
    pub fn settlement(&self, proved: &ProvedRound) -> Settlement {
        Settlement {
            round: self.round,
            payee: self.payee,
            model_cid: proved.statement.model_cid,
            commitments: self.committed.iter().map(|(_, point)| *point).collect(),
            outliers: self.outliers(proved),
            proof: proved.proof.words(),
        }
    }
}

/// A round with its proof, ready to be sent. [`Prover::prove`] alone makes one, after it has verified the proof.
#[non_exhaustive]
pub struct ProvedRound {
    /// The statement that is proved.
    pub statement: RoundStatement,
    /// The proof.
    pub proof: RoundProof,
    /// Kept slots.
    pub kept: SlotMask,
    /// The new model's commitment.
    pub model: G1Affine,
    /// Duration of proving, milliseconds.
    pub prove_ms: u64,
    /// Duration of verifying as the contract does, and of committing to the new model, milliseconds.
    pub verify_ms: u64,
}

/// Keys and reference string, the same for every round. Cheap to clone.
#[derive(Clone)]
pub struct Prover {
    /// The KZG string.
    pub srs: Arc<ReferenceString>,
    /// Proving key for (rule, `N`).
    pub keys: Arc<AssessmentKeys>,
    /// The keys that the contracts hold.
    pub committed: Arc<PinnedKeys>,
}

impl Prover {
    /// Proves a round, checks the proof with the committed keys as the contract will, and checks that the bytes of the
    /// new model open the commitment that the contract will compute. Takes seconds: run it on a thread of its own.
    ///
    /// `updates` are the active slots' updates, ascending by slot.
    ///
    /// # Errors
    /// [`SettleError`]; nothing that does not verify is returned.
    pub fn prove(
        &self,
        context: &RoundContext,
        assessed: &AssessedRound,
        updates: &[(u8, &[i16])],
        model_cid: [u8; 32],
    ) -> Result<ProvedRound, SettleError> {
        let statement = context.statement(assessed, self.committed.hash(), model_cid)?;
        let started = Instant::now();
        let proof =
            prove_round(&self.srs, &self.keys, &statement, updates, &assessed.gram, &assessed.assessment)?;
        let prove_ms = millis(started);

        let started = Instant::now();
        // The only check of the proof: with the keys that the contracts hold, not with those that it was made with.
        verify_round(&self.committed, &statement, &proof)?;
        let model = model_step(context.model, &statement.commitments, &assessed.assessment.weights);
        if self.srs.commit_model(&assessed.model)? != model {
            return Err(SettleError::ModelMismatch);
        }
        Ok(ProvedRound {
            statement,
            proof,
            kept: assessed.assessment.kept,
            model,
            prove_ms,
            verify_ms: millis(started),
        })
    }
}

/// Milliseconds since `start`.
pub(crate) fn millis(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[path = "settle_tests.rs"]
mod tests;
