//! Proving and verifying an assessment: a Groth16 proof whose prover commits to the Gram matrix, and to the limbs and
//! row orders of its assessment, before the challenges are known (docs/protocol.md 6.3).

use super::agreement::AgreementWitness;
use super::error::AssessmentError;
#[cfg(test)]
use super::public::policy_word_out_of_range;
use super::public::{AssessmentPublic, PublicValues};
use super::rule::RuleWitness;
use crate::groth16::{self, Commitment, CommittedProof, ProvingKey};
use crate::r1cs::{Builder, R1cs};
use ark_bn254::{Fr, G1Affine};
use ark_ff::UniformRand;
use ark_std::rand::{CryptoRng, RngCore};
use fairshare_protocol::{Assessment, Detail, GramMatrix, RoundPolicy, RuleName};

/// Width of the limbs: the table costs `2^width` constraints once, a wider limb saves lookups in every range. Each size has
/// the width with the fewest constraints. 7, 10 and 14 divide the 70 bits of the differences in sorted rows, which are most
/// of the ranges, so no limb of them is looked up twice.
fn limb_bits(size: u8) -> usize {
    match size {
        0..=8 => 7,
        9..=64 => 10,
        _ => 14,
    }
}

/// The honest witness of a round whose assessment is `assessment`.
///
/// # Errors
/// A rule that no circuit proves.
pub(crate) fn witness(
    gram: &GramMatrix,
    public: &AssessmentPublic,
    assessment: &Assessment,
) -> Result<Box<dyn RuleWitness>, AssessmentError> {
    match (public.policy, &assessment.detail) {
        (RoundPolicy::Agreement { trim_count, .. }, Detail::Agreement(detail)) => {
            Ok(Box::new(AgreementWitness::new(gram, public.active, trim_count, assessment, detail)))
        }
        // Policy or assessment is of the rule without a circuit.
        _ => Err(AssessmentError::NoCircuit { rule: RuleName::MultiKrum }),
    }
}

/// The assessment circuit of one rule and size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssessmentCircuit {
    /// The rule.
    pub rule: RuleName,
    /// The number `N` of slots.
    pub size: u8,
}

impl AssessmentCircuit {
    /// Its constraints.
    ///
    /// # Errors
    /// A rule that no circuit proves, or the constraint system's own.
    pub(crate) fn system(self) -> Result<R1cs, AssessmentError> {
        if self.rule != RuleName::Agreement {
            return Err(AssessmentError::NoCircuit { rule: self.rule });
        }
        let size = usize::from(self.size);
        let blank = AgreementWitness::blank(size);
        let synthesize = |builder: &mut Builder| blank.synthesize(builder, &PublicValues::blank(size));
        Ok(R1cs::new(limb_bits(self.size), synthesize)?)
    }
}

impl std::fmt::Display for AssessmentCircuit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} with {} slots", self.rule.name(), self.size)
    }
}

/// A prover's key and constraints.
#[derive(Clone, Copy)]
pub(crate) struct ProverKeys<'a> {
    pub(crate) circuit: AssessmentCircuit,
    pub(crate) proving: &'a ProvingKey,
    pub(crate) system: &'a R1cs,
}

/// An assessment that its prover is committed to.
pub(crate) struct AssessmentCommitment {
    witness: Box<dyn RuleWitness>,
    commitment: Commitment,
}

impl std::fmt::Debug for AssessmentCommitment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AssessmentCommitment").field("points", &self.points()).finish_non_exhaustive()
    }
}

impl AssessmentCommitment {
    /// `D` and its proof of knowledge: the transcript absorbs both before the challenges `rho` and `chi`.
    pub(crate) fn points(&self) -> [G1Affine; 2] {
        [self.commitment.point, self.commitment.knowledge]
    }
}

/// Commits to the matrix, and to the limbs and orders of its assessment. `rho`, `chi` and `sigma` of `public` do not
/// matter: they follow from the commitment.
///
/// # Errors
/// A matrix of another size or a policy of another rule than the keys.
pub(crate) fn commit<R: RngCore + CryptoRng>(
    keys: ProverKeys<'_>,
    gram: &GramMatrix,
    public: &AssessmentPublic,
    assessment: &Assessment,
    rng: &mut R,
) -> Result<AssessmentCommitment, AssessmentError> {
    check_sizes(keys, &[gram.slots()])?;
    let (expected, found) = (keys.circuit.rule, public.policy.rule());
    if found != expected {
        return Err(AssessmentError::Rules { expected, found });
    }
    commit_to(keys, public, witness(gram, public, assessment)?, Fr::rand(rng))
}

/// Commits to a witness, whatever it holds.
pub(super) fn commit_to(
    keys: ProverKeys<'_>,
    public: &AssessmentPublic,
    witness: Box<dyn RuleWitness>,
    blinding: Fr,
) -> Result<AssessmentCommitment, AssessmentError> {
    let values = public.values(usize::from(keys.circuit.size));
    let run = |builder: &mut Builder| witness.synthesize(builder, &values);
    let commitment = groth16::commit(keys.proving, keys.system, run, blinding)?;
    Ok(AssessmentCommitment { witness, commitment })
}

/// Proves that `public` is what the rule gives for the matrix of `commitment`. Every constraint is checked first. The
/// caller verifies the proof, with the transcript that it belongs to.
///
/// # Errors
/// Values that the rule does not give, or a prover that failed.
pub(crate) fn prove<R: RngCore + CryptoRng>(
    keys: ProverKeys<'_>,
    commitment: &AssessmentCommitment,
    public: &AssessmentPublic,
    rng: &mut R,
) -> Result<CommittedProof, AssessmentError> {
    check_sizes(keys, &[public.shares.len(), public.weights.len()])?;
    let values = public.values(usize::from(keys.circuit.size));
    let blinding = [Fr::rand(rng), Fr::rand(rng)];
    let AssessmentCommitment { witness, commitment } = commitment;
    let run = |builder: &mut Builder| witness.synthesize(builder, &values);
    Ok(groth16::prove(keys.proving, keys.system, commitment, run, blinding)?)
}

/// Whether a proof holds for these public inputs; a policy word of more than 16 bits has none. A round's verifier
/// checks the same in one pairing with its other equations.
#[cfg(test)]
pub(crate) fn verify(key: &groth16::CircuitKey, public: &AssessmentPublic, proof: &CommittedProof) -> bool {
    let size = public.shares.len();
    policy_word_out_of_range(public.policy).is_none()
        && public.weights.len() == size
        && key.verify(&public.to_field_elements(size), proof)
}

fn check_sizes(keys: ProverKeys<'_>, sizes: &[usize]) -> Result<(), AssessmentError> {
    let expected = usize::from(keys.circuit.size);
    match sizes.iter().find(|size| **size != expected) {
        Some(found) => Err(AssessmentError::Size { expected, found: *found }),
        None => Ok(()),
    }
}
