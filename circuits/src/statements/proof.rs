//! Proving and verifying an assessment.

use super::agreement::AgreementWitness;
use super::committed::lookup_system;
use super::gram_binding::hash_entries;
use super::multi_krum::MultiKrumWitness;
use super::public::{policy_word_out_of_range, AssessmentPublic, PublicValues, PUBLIC_INPUTS};
use crate::gadgets::system::Rows;
use crate::gadgets::{Builder, System};
use crate::groth16::{CircuitKey, CommitError};
use crate::keys::{AssessmentKeys, Proving};
use crate::statements::prover::prove_rows;
use ark_bn254::{Bn254, Fr};
use ark_ff::UniformRand;
use ark_groth16::{prepare_verifying_key, Groth16, Proof};
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, SynthesisError};
use ark_std::rand::{CryptoRng, RngCore};
use fairshare_protocol::{GramError, GramMatrix, Policy, RuleError, RuleName};
use thiserror::Error;

/// Why an assessment was not proved, or not accepted.
#[derive(Debug, Error)]
pub enum AssessmentError {
    /// The rule refuses the matrix, the mask or the policy.
    #[error(transparent)]
    Rule(#[from] RuleError),
    /// The matrix has no shape.
    #[error(transparent)]
    Gram(#[from] GramError),
    /// A value is not the one that the rule gives.
    #[error("{value} is not what the rule gives for this gram matrix: assess the matrix anew")]
    Mismatch {
        /// Which value.
        value: &'static str,
    },
    /// The matrix or the vectors are for another number of slots than the keys.
    #[error("{found} slots are given, the keys serve {expected}: open the keys of that size")]
    Size {
        /// Slots of the keys.
        expected: usize,
        /// Slots given.
        found: usize,
    },
    /// The keys are those of another rule.
    #[error("the policy is one of the rule {}, the keys are for {}: open the keys of that rule", found.name(), expected.name())]
    Rules {
        /// Rule of the keys.
        expected: RuleName,
        /// Rule of the policy.
        found: RuleName,
    },
    /// A constraint does not hold.
    #[error("constraint {constraint} of the section \"{section}\" does not hold")]
    Unsatisfied {
        /// Its number.
        constraint: usize,
        /// The part of the circuit.
        section: &'static str,
    },
    /// The keys are of the other mode.
    #[error("the provers of this circuit commit to their witnesses: prove the whole round")]
    Commits,
    /// The committed variables have other values than those that were committed to.
    #[error("the committed variables have moved since the commitment: commit anew")]
    Moved,
    /// The constraint system failed.
    #[error("constraint system: {0}")]
    Synthesis(#[from] SynthesisError),
    /// The proof does not verify.
    #[error("the assessment proof does not verify under this key and these public inputs")]
    Rejected,
}

impl From<CommitError> for AssessmentError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Unsatisfied { constraint, section } => Self::Unsatisfied { constraint, section },
            CommitError::Moved => Self::Moved,
            CommitError::Synthesis(error) => Self::Synthesis(error),
        }
    }
}

/// What the prover knows of a round under one rule. The two functions below list every rule that has a circuit.
pub(crate) trait RuleWitness: Sync {
    /// Writes the rule's circuit.
    fn synthesize(&self, builder: &mut Builder, public: &PublicValues);

    /// The upper triangle of the Gram matrix, row by row.
    fn gram(&self) -> &[Fr];

    /// [`Self::check`] without a look at `public.h`, whose place a commitment takes (docs/protocol.md 13.10).
    ///
    /// # Errors
    /// As [`Self::check`].
    fn check_rule(&self, public: &AssessmentPublic) -> Result<(), AssessmentError>;

    /// The native check: the rule, computed anew from the matrix, gives every value of the witness and of `public`.
    ///
    /// # Errors
    /// The rule refuses the matrix, or the name of the first value that differs.
    fn check(&self, public: &AssessmentPublic) -> Result<(), AssessmentError> {
        self.check_rule(public)?;
        all_the_same(&[("h", public.h == hash_entries(self.gram()))])
    }
}

/// The honest witness of a round under its policy.
///
/// # Errors
/// The rule refuses the matrix, the mask or the policy.
pub(crate) fn witness(
    gram: &GramMatrix,
    active: u128,
    policy: Policy,
) -> Result<Box<dyn RuleWitness>, AssessmentError> {
    Ok(match policy {
        Policy::Agreement { theta, trim_count } => {
            Box::new(AgreementWitness::new(gram, active, theta, trim_count)?)
        }
        Policy::MultiKrum { neighbours, selected } => {
            Box::new(MultiKrumWitness::new(gram, active, neighbours, selected)?)
        }
    })
}

/// A witness to run a rule's synthesis with where the values do not matter.
fn blank(rule: RuleName, size: usize) -> Box<dyn RuleWitness> {
    match rule {
        RuleName::Agreement => Box::new(AgreementWitness::blank(size)),
        RuleName::MultiKrum => Box::new(MultiKrumWitness::blank(size)),
    }
}

/// The assessment circuit of one rule and size, for key generation: its constraints do not depend on values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AssessmentCircuit {
    /// The rule.
    pub rule: RuleName,
    /// The number `N` of slots.
    pub size: u8,
}

impl AssessmentCircuit {
    /// Whether its prover commits to witnesses (docs/protocol.md 13.10): where bits are too many.
    pub fn commits(self) -> bool {
        self.size >= 64
    }

    /// Its constraints, in the mode of its keys.
    ///
    /// # Errors
    /// The constraint system's own.
    pub(crate) fn system(self) -> Result<System, SynthesisError> {
        if self.commits() {
            lookup_system(self)
        } else {
            System::new(|builder| blank_circuit(builder, self))
        }
    }
}

impl std::fmt::Display for AssessmentCircuit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} with {} slots", self.rule.name(), self.size)
    }
}

impl ConstraintSynthesizer<Fr> for AssessmentCircuit {
    fn generate_constraints(self, system: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        let mut builder = Builder::constraining(system);
        blank_circuit(&mut builder, self);
        builder.finish()
    }
}

/// Runs the synthesis with values that do not matter.
pub(crate) fn blank_circuit(builder: &mut Builder, circuit: AssessmentCircuit) {
    let size = usize::from(circuit.size);
    blank(circuit.rule, size).synthesize(builder, &PublicValues::blank(size));
}

/// Checks every constraint under these public inputs and this witness; gives the assignment and its rows.
///
/// # Errors
/// The first constraint that does not hold.
pub(crate) fn check_constraints(
    system: &System,
    public: &PublicValues,
    witness: &dyn RuleWitness,
) -> Result<(Vec<Fr>, Rows), AssessmentError> {
    let mut builder = system.assigning();
    witness.synthesize(&mut builder, public);
    let assignment = builder.assignment()?;
    match system.evaluate(&assignment) {
        Ok(rows) => Ok((assignment, rows)),
        Err((constraint, section)) => Err(AssessmentError::Unsatisfied { constraint, section }),
    }
}

/// Proves that `public` is what the rule gives for `gram`. The native check comes first, then every constraint, then the
/// proof, which is verified before it is returned.
///
/// # Errors
/// A matrix of another size or a policy of another rule than the keys, values that the rule does not give, or a prover that failed.
pub fn prove<R: RngCore + CryptoRng>(
    keys: &AssessmentKeys,
    public: &AssessmentPublic,
    gram: &GramMatrix,
    rng: &mut R,
) -> Result<Proof<Bn254>, AssessmentError> {
    let Proving::Bits(proving) = keys.proving_key() else { return Err(AssessmentError::Commits) };
    let size = keys.size();
    check_sizes(size, &[gram.slots(), public.shares.len(), public.weights.len()])?;
    if public.policy.rule() != keys.rule() {
        return Err(AssessmentError::Rules { expected: keys.rule(), found: public.policy.rule() });
    }
    let witness = witness(gram, public.active, public.policy)?;
    witness.check(public)?;
    let (assignment, rows) = check_constraints(keys.system(), &public.values(size), witness.as_ref())?;
    let blinding = [Fr::rand(rng), Fr::rand(rng)];
    let proof = prove_rows(proving, keys.system(), rows, &assignment, blinding)?;
    verify(keys.verifying_key(), public, &proof)?;
    Ok(proof)
}

/// Accepts a proof under a verifying key.
///
/// # Errors
/// Public inputs of another size than the key, a policy word of more than 16 bits, or a proof that does not verify.
pub fn verify(
    key: &CircuitKey,
    public: &AssessmentPublic,
    proof: &Proof<Bn254>,
) -> Result<(), AssessmentError> {
    let size = public.shares.len();
    check_sizes(size, &[public.weights.len()])?;
    let other_key = key.sigma_g2.is_some() || PUBLIC_INPUTS + 1 != key.groth16.gamma_abc_g1.len();
    // The second: or another policy's proof would be accepted, whose words have the same sum.
    if other_key || policy_word_out_of_range(public.policy).is_some() {
        return Err(AssessmentError::Rejected);
    }
    let fields = public.to_field_elements(size);
    match Groth16::<Bn254>::verify_proof(&prepare_verifying_key(&key.groth16), proof, &fields) {
        Ok(true) => Ok(()),
        _ => Err(AssessmentError::Rejected),
    }
}

pub(super) fn check_sizes(expected: usize, sizes: &[usize]) -> Result<(), AssessmentError> {
    match sizes.iter().find(|size| **size != expected) {
        Some(found) => Err(AssessmentError::Size { expected, found: *found }),
        None => Ok(()),
    }
}

/// The error that names the first of these values that is not the same.
///
/// # Errors
/// Where one is not.
pub(super) fn all_the_same(comparisons: &[(&'static str, bool)]) -> Result<(), AssessmentError> {
    match comparisons.iter().find(|(_, same)| !same) {
        Some((value, _)) => Err(AssessmentError::Mismatch { value }),
        None => Ok(()),
    }
}
