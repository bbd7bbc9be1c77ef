//! The points at which a dishonest trainer would differ from an honest one.
//!
//! The defaults are honest, and this crate, like the program that people install, holds no other conduct. The hostile
//! ones of tests and demo implement the trait in `tests/hostile`, which nothing here depends on.

use std::borrow::Cow;
use std::fmt::Debug;

use fairshare_circuits::{
    prove_range, G1Affine, RangeError, RangeProofWords, RangeStatement, ReferenceString,
};
use fairshare_protocol::{encode_update, Model, SlotMask, TensorError};

use crate::data::Dataset;
use crate::seed::RoundSeed;

/// What the protocol asks of a trainer in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Post a commitment.
    Commit,
    /// Put the update's file on IPFS.
    PostFile,
    /// Open the commitment.
    Reveal,
    /// Attest the others' files.
    Attest,
    /// Name the account that served the last model file.
    NameSource,
}

/// How a trainer behaves.
pub trait Conduct: Debug + Send + Sync {
    /// The data that it trains on.
    fn training_data<'a>(&self, data: &'a Dataset, _model: &Model) -> Cow<'a, Dataset> {
        Cow::Borrowed(data)
    }

    /// The update that it commits to, made from the trained one.
    fn committed_update(&self, trained: Vec<i16>, _seed: &RoundSeed) -> Vec<i16> {
        trained
    }

    /// The file that it puts on IPFS for a committed update.
    ///
    /// # Errors
    /// As [`encode_update`].
    fn posted_file(&self, model: &Model, update: &[i16]) -> Result<Vec<u8>, TensorError> {
        encode_update(model, update)
    }

    /// The commitment to an update with its proof; `None` for an update of zeros, whose commitment no contract takes.
    /// The commitment in `statement` is filled in here. Takes seconds for a large model.
    ///
    /// # Errors
    /// As [`prove_range`].
    fn commitment(
        &self,
        reference: &ReferenceString,
        statement: RangeStatement,
        update: &[i16],
    ) -> Result<Option<(G1Affine, RangeProofWords)>, RangeError> {
        let commitment = reference.commit_update(update)?;
        if commitment == G1Affine::identity() {
            return Ok(None);
        }
        let statement = RangeStatement { commitment, ..statement };
        // It verifies what it made before it returns it.
        let proof = prove_range(reference, &statement, update)?;
        Ok(Some((commitment, proof.words())))
    }

    /// The slots that it attests: of the `revealed` ones those whose files are `good`, and always its `own`.
    fn attested_mask(&self, revealed: SlotMask, good: SlotMask, own: SlotMask) -> SlotMask {
        (good & revealed) | own
    }

    /// Why it leaves a duty undone on purpose; `None` when it does its duty.
    fn refuses(&self, _duty: Duty) -> Option<&'static str> {
        None
    }
}

/// A trainer that does what the protocol asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Honest;

impl Conduct for Honest {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honest_trainer_attests_the_good_files_and_always_its_own() {
        let attested =
            |good: u128| Honest.attested_mask(0b11_1110.into(), good.into(), SlotMask::single(2u8));
        assert_eq!(attested(0b01_1110), 0b01_1110);
        assert_eq!(attested(0b01_1111), 0b01_1110, "what was not revealed is left out");
        assert_eq!(attested(0), 0b00_0100);
    }
}
