//! The rule "agreement" over a bound Gram matrix: witness and circuit.

mod circuit;
mod widths;
mod witness;

#[cfg(test)]
mod equivalence;
#[cfg(test)]
mod soundness_tests;

pub(crate) use witness::AgreementWitness;

#[cfg(test)]
use super::public::AssessmentPublic;
use super::public::PublicValues;
use super::rule::RuleWitness;
use crate::r1cs::Builder;

impl RuleWitness for AgreementWitness {
    fn synthesize(&self, builder: &mut Builder, public: &PublicValues) {
        circuit::synthesize(builder, public, self);
    }

    #[cfg(test)]
    fn check(&self, public: &AssessmentPublic) -> Result<(), String> {
        AgreementWitness::check(self, public)
    }
}
