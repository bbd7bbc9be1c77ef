//! Proving and verifying an assessment.

use super::circuit::synthesize;
use super::public::{public_inputs, AgreementPublic};
use super::witness::AgreementWitness;
use crate::gadgets::system::Rows;
use crate::gadgets::{Builder, System};
use crate::keys::AssessmentKeys;
use crate::statements::prover::prove_rows;
use ark_bn254::{Bn254, Fr};
use ark_ff::UniformRand;
use ark_groth16::{prepare_verifying_key, Groth16, Proof, VerifyingKey};
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, SynthesisError};
use ark_std::rand::{CryptoRng, RngCore};
use fairshare_protocol::{GramError, GramMatrix, RuleError};
use thiserror::Error;

/// Why an assessment was not proved, or not accepted.
#[derive(Debug, Error)]
pub enum AgreementError {
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
    /// A constraint does not hold.
    #[error("constraint {constraint} of the section \"{section}\" does not hold")]
    Unsatisfied {
        /// Its number.
        constraint: usize,
        /// The part of the circuit.
        section: &'static str,
    },
    /// The constraint system failed.
    #[error("constraint system: {0}")]
    Synthesis(#[from] SynthesisError),
    /// The proof does not verify.
    #[error("the assessment proof does not verify under this key and these public inputs")]
    Rejected,
}

/// The assessment circuit of one size, for key generation: its constraints do not depend on values.
#[derive(Debug, Clone, Copy)]
pub struct AgreementCircuit {
    /// The number `N` of slots.
    pub size: usize,
}

impl ConstraintSynthesizer<Fr> for AgreementCircuit {
    fn generate_constraints(self, system: ConstraintSystemRef<Fr>) -> Result<(), SynthesisError> {
        let mut builder = Builder::constraining(system);
        blank_circuit(&mut builder, self.size);
        builder.finish()
    }
}

/// Runs the synthesis with values that do not matter.
pub(crate) fn blank_circuit(builder: &mut Builder, size: usize) {
    synthesize(builder, &vec![Fr::from(0u64); public_inputs(size)], &AgreementWitness::blank(size));
}

/// The whole assignment of the circuit under these public inputs and this witness.
pub(super) fn assign(public: &[Fr], witness: &AgreementWitness) -> Result<Vec<Fr>, SynthesisError> {
    let mut builder = Builder::assigning();
    synthesize(&mut builder, public, witness);
    builder.assignment()
}

/// Checks every constraint under these public inputs and this witness; gives the assignment and its rows.
///
/// # Errors
/// The first constraint that does not hold.
pub(super) fn check_constraints(
    system: &System,
    public: &[Fr],
    witness: &AgreementWitness,
) -> Result<(Vec<Fr>, Rows), AgreementError> {
    let assignment = assign(public, witness)?;
    match system.evaluate(&assignment) {
        Ok(rows) => Ok((assignment, rows)),
        Err((constraint, section)) => Err(AgreementError::Unsatisfied { constraint, section }),
    }
}

/// Proves that `public` is what the rule gives for `gram`. The native check comes first, then every constraint, then the
/// proof, which is verified before it is returned.
///
/// # Errors
/// A matrix of another size than the keys, values that the rule does not give, or a prover that failed.
pub fn prove<R: RngCore + CryptoRng>(
    keys: &AssessmentKeys,
    public: &AgreementPublic,
    gram: &GramMatrix,
    rng: &mut R,
) -> Result<Proof<Bn254>, AgreementError> {
    let size = keys.size();
    check_sizes(size, &[gram.slots(), public.shares.len(), public.weights.len()])?;
    let witness = AgreementWitness::new(gram, public.active, public.theta, public.trim_count)?;
    witness.check(public)?;
    let fields = public.to_field_elements(size);
    let (assignment, rows) = check_constraints(keys.system(), &fields, &witness)?;
    let blinding = [Fr::rand(rng), Fr::rand(rng)];
    let proof = prove_rows(keys.proving_key(), keys.system(), rows, &assignment, blinding)?;
    verify(keys.verifying_key(), public, &proof)?;
    Ok(proof)
}

/// Accepts a proof under a verifying key, whose number of input points gives the circuit's size.
///
/// # Errors
/// Public inputs of another size than the key, or a proof that does not verify.
pub fn verify(
    key: &VerifyingKey<Bn254>,
    public: &AgreementPublic,
    proof: &Proof<Bn254>,
) -> Result<(), AgreementError> {
    let size = public.shares.len();
    check_sizes(size, &[public.weights.len()])?;
    if public_inputs(size) + 1 != key.gamma_abc_g1.len() {
        return Err(AgreementError::Rejected);
    }
    let fields = public.to_field_elements(size);
    match Groth16::<Bn254>::verify_proof(&prepare_verifying_key(key), proof, &fields) {
        Ok(true) => Ok(()),
        _ => Err(AgreementError::Rejected),
    }
}

fn check_sizes(expected: usize, sizes: &[usize]) -> Result<(), AgreementError> {
    match sizes.iter().find(|size| **size != expected) {
        Some(found) => Err(AgreementError::Size { expected, found: *found }),
        None => Ok(()),
    }
}
