//! The interface of a rule's circuit.

#[cfg(test)]
use super::public::AssessmentPublic;
use super::public::PublicValues;
use crate::r1cs::Builder;

/// What the prover knows of a round under one rule. The functions `witness` and `system` of
/// [`super::assessment`] list every rule that has a circuit.
pub(crate) trait RuleWitness: Send + Sync {
    /// Writes the rule's circuit.
    fn synthesize(&self, builder: &mut Builder, public: &PublicValues);

    /// The native check: the rule, computed again from the matrix, gives every value of the witness and of `public`.
    ///
    /// # Errors
    /// Why the rule refuses the matrix, or the name of the first value that differs.
    #[cfg(test)]
    fn check(&self, public: &AssessmentPublic) -> Result<(), String>;
}
