//! The same circuits with a commitment: for sizes at which bits are too many (docs/protocol.md 13.10).

use super::proof::{blank_circuit, check_sizes, witness, AssessmentCircuit, AssessmentError, RuleWitness};
use super::public::{AssessmentPublic, PublicValues};
use crate::gadgets::{Builder, System};
use crate::groth16::{self, CommitProof, CommitProvingKey, Commitment};
use ark_bn254::{Fr, G1Affine};
use ark_ff::UniformRand;
use ark_relations::gr1cs::SynthesisError;
use ark_std::rand::{CryptoRng, RngCore};
use fairshare_protocol::GramMatrix;

/// Width of the limbs: the table is paid for once, a limb less by each range. Both divide the 70 bits of the differences in
/// a sorted row, which are most of the ranges of the rule agreement.
fn limb_bits(size: u8) -> usize {
    if size <= 64 {
        10
    } else {
        14
    }
}

/// The constraints of a circuit with lookups.
///
/// # Errors
/// The constraint system's own.
pub(crate) fn lookup_system(circuit: AssessmentCircuit) -> Result<System, SynthesisError> {
    System::with_lookups(limb_bits(circuit.size), |builder| blank_circuit(builder, circuit))
}

/// A prover's key and constraints.
#[derive(Clone, Copy)]
pub(crate) struct CommitKeys<'a> {
    pub(crate) circuit: AssessmentCircuit,
    pub(crate) proving: &'a CommitProvingKey,
    pub(crate) system: &'a System,
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
    /// `D` and its proof of knowledge: what the transcript holds before the challenges `rho` and `chi`.
    pub(crate) fn points(&self) -> [G1Affine; 2] {
        [self.commitment.point, self.commitment.knowledge]
    }
}

/// Commits to the matrix, and to the limbs and orders of its assessment. `rho`, `chi` and `sigma` of `public` do not
/// matter: they follow from the commitment.
///
/// # Errors
/// A matrix of another size or a policy of another rule than the keys, or a matrix that the rule refuses.
pub(crate) fn commit<R: RngCore + CryptoRng>(
    keys: CommitKeys<'_>,
    gram: &GramMatrix,
    public: &AssessmentPublic,
    rng: &mut R,
) -> Result<AssessmentCommitment, AssessmentError> {
    check_sizes(usize::from(keys.circuit.size), &[gram.slots()])?;
    let (expected, found) = (keys.circuit.rule, public.policy.rule());
    if found != expected {
        return Err(AssessmentError::Rules { expected, found });
    }
    commit_to(keys, public, witness(gram, public.active, public.policy)?, Fr::rand(rng))
}

/// Commits to a witness, whatever it holds.
pub(super) fn commit_to(
    keys: CommitKeys<'_>,
    public: &AssessmentPublic,
    witness: Box<dyn RuleWitness>,
    blinding: Fr,
) -> Result<AssessmentCommitment, AssessmentError> {
    let values = public.values(usize::from(keys.circuit.size));
    let run = |builder: &mut Builder| witness.synthesize(builder, &values);
    let commitment = groth16::commit(keys.proving, keys.system, run, blinding)?;
    Ok(AssessmentCommitment { witness, commitment })
}

/// Proves that `public` is what the rule gives for the matrix of `commitment`; `public.h` is 0. The native check comes first, then every constraint, then the proof, which is verified before it is returned.
///
/// # Errors
/// Values that the rule does not give, or a prover that failed.
pub(crate) fn prove_committed<R: RngCore + CryptoRng>(
    keys: CommitKeys<'_>,
    commitment: &AssessmentCommitment,
    public: &AssessmentPublic,
    rng: &mut R,
) -> Result<CommitProof, AssessmentError> {
    let size = usize::from(keys.circuit.size);
    check_sizes(size, &[public.shares.len(), public.weights.len()])?;
    commitment.witness.check_rule(public)?;
    let values = public.values(size);
    let proof = prove_unchecked(keys, commitment, &values, [Fr::rand(rng), Fr::rand(rng)])?;
    if !keys.proving.vk.verify(&values.inputs, &proof) {
        return Err(AssessmentError::Rejected);
    }
    Ok(proof)
}

/// The proof of a commitment under these public inputs, if the constraints hold.
pub(super) fn prove_unchecked(
    keys: CommitKeys<'_>,
    AssessmentCommitment { witness, commitment }: &AssessmentCommitment,
    public: &PublicValues,
    blinding: [Fr; 2],
) -> Result<CommitProof, AssessmentError> {
    let run = |builder: &mut Builder| witness.synthesize(builder, public);
    Ok(groth16::prove(keys.proving, keys.system, commitment, run, blinding)?)
}
