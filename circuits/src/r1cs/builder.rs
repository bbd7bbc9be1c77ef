//! Builds R1CS constraints and assigns witnesses.
//!
//! The same synthesis runs in two ways. Constraining, it fills an arkworks constraint system (key generation, and the
//! matrices that a prover keeps). Assigning, it only computes values and skips every linear combination, which is
//! several times faster; the stored matrices then check the assignment before it is proved.
//!
//! Ranges and orders wait in the builder until [`super::lookup::close`] proves all of them under one challenge.

use super::linear_combination::LinearCombination;
use ark_bn254::Fr;
use ark_ff::Field;
use ark_relations::gr1cs::{ConstraintSystemRef, SynthesisError, Variable};

/// What a synthesis has claimed and not yet proved.
#[derive(Default)]
pub(super) struct Pending {
    /// Each must be an entry of the lookup table.
    pub(super) limbs: Vec<LinearCombination>,
    /// Rows, and their committed copies in another order.
    pub(super) orders: Vec<(Vec<LinearCombination>, Vec<LinearCombination>)>,
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.limbs.is_empty() && self.orders.is_empty()
    }
}

/// Collects variables and constraints.
pub(crate) struct Builder {
    system: Option<ConstraintSystemRef<Fr>>,
    inputs: Vec<Fr>,
    witnesses: Vec<Fr>,
    /// Which witnesses a commitment fixes before the challenges, ascending.
    committed: Vec<usize>,
    limb_bits: usize,
    pending: Pending,
    sections: Vec<(&'static str, usize)>,
    failure: Option<SynthesisError>,
}

impl Builder {
    /// Writes variables and constraints into `system`. Limbs have `limb_bits` bits: the lookup table has `2^limb_bits`
    /// entries.
    pub(crate) fn constraining(limb_bits: usize, system: ConstraintSystemRef<Fr>) -> Self {
        Self { system: Some(system), ..Self::assigning(limb_bits) }
    }

    /// Computes only the assignment.
    pub(crate) fn assigning(limb_bits: usize) -> Self {
        Self {
            system: None,
            inputs: vec![Fr::ONE],
            witnesses: Vec::new(),
            committed: Vec::new(),
            limb_bits,
            pending: Pending::default(),
            sections: Vec::new(),
            failure: None,
        }
    }

    /// Bits of a limb.
    pub(crate) fn limb_bits(&self) -> usize {
        self.limb_bits
    }

    /// Claims that `limb`, a combination of committed variables, is an entry of the lookup table.
    pub(crate) fn look_up(&mut self, limb: LinearCombination) {
        self.pending.limbs.push(limb);
    }

    /// Committed copies of `row` in the order `order`, each element exactly once. `2 n - 2` constraints when the
    /// lookups are closed.
    ///
    /// Committed variables and the statement must determine the row before the challenge.
    pub(crate) fn reorder(&mut self, row: &[LinearCombination], order: &[usize]) -> Vec<LinearCombination> {
        let copies: Vec<LinearCombination> =
            order.iter().map(|input| self.committed(row[*input].value())).collect();
        self.pending.orders.push((row.to_vec(), copies.clone()));
        copies
    }

    pub(super) fn take_pending(&mut self) -> Pending {
        std::mem::take(&mut self.pending)
    }

    /// A public input.
    pub(crate) fn input(&mut self, value: Fr) -> LinearCombination {
        self.inputs.push(value);
        let variable = self.system.as_ref().map(|system| system.new_input_variable(|| Ok(value)));
        self.variable(variable, value)
    }

    /// A private variable.
    pub(crate) fn witness(&mut self, value: Fr) -> LinearCombination {
        self.witnesses.push(value);
        let variable = self.system.as_ref().map(|system| system.new_witness_variable(|| Ok(value)));
        self.variable(variable, value)
    }

    /// A private variable that a proof commits to before its challenges are known.
    pub(crate) fn committed(&mut self, value: Fr) -> LinearCombination {
        self.committed.push(self.witnesses.len());
        self.witness(value)
    }

    /// Where the committed variables stand in the assignment.
    pub(crate) fn committed_places(&self) -> Vec<usize> {
        self.committed.iter().map(|witness| self.inputs.len() + witness).collect()
    }

    fn variable(
        &mut self,
        variable: Option<Result<Variable, SynthesisError>>,
        value: Fr,
    ) -> LinearCombination {
        let terms = match variable {
            Some(Ok(variable)) => vec![(Fr::ONE, variable)],
            Some(Err(error)) => {
                self.failure.get_or_insert(error);
                Vec::new()
            }
            None => Vec::new(),
        };
        LinearCombination::new(terms, value)
    }

    /// `a * b = c`.
    pub(crate) fn enforce(&mut self, a: &LinearCombination, b: &LinearCombination, c: &LinearCombination) {
        if let Some(system) = &self.system {
            let enforced =
                system.enforce_r1cs_constraint(|| a.combination(), || b.combination(), || c.combination());
            if let Err(error) = enforced {
                self.failure.get_or_insert(error);
            }
        }
    }

    /// `a = b`.
    pub(crate) fn equal(&mut self, a: &LinearCombination, b: &LinearCombination) {
        if self.system.is_some() {
            self.enforce(&a.minus(b), &LinearCombination::one(), &LinearCombination::zero());
        }
    }

    /// A new variable `a * b`. One constraint.
    pub(crate) fn product(&mut self, a: &LinearCombination, b: &LinearCombination) -> LinearCombination {
        let product = self.witness(a.value() * b.value());
        self.enforce(a, b, &product);
        product
    }

    /// A new variable that is 0 or 1. One constraint.
    pub(crate) fn bit(&mut self, value: bool) -> LinearCombination {
        let bit = self.witness(Fr::from(u64::from(value)));
        if self.system.is_some() {
            self.enforce(&bit, &bit.minus(&LinearCombination::one()), &LinearCombination::zero());
        }
        bit
    }

    /// Names the constraints that follow, up to the next section.
    pub(crate) fn section(&mut self, name: &'static str) {
        let from = self.system.as_ref().map_or(0, ConstraintSystemRef::num_constraints);
        self.sections.push((name, from));
    }

    /// The first constraint of every section, when constraining.
    pub(crate) fn sections(&self) -> &[(&'static str, usize)] {
        &self.sections
    }

    /// The whole assignment: one, public inputs, witnesses.
    ///
    /// # Errors
    /// The first failure of the constraint system underneath.
    pub(crate) fn assignment(self) -> Result<Vec<Fr>, SynthesisError> {
        self.assert_closed();
        self.failure.map_or_else(|| Ok([self.inputs, self.witnesses].concat()), Err)
    }

    /// A synthesis that leaves ranges or orders unproved would be unsound.
    fn assert_closed(&self) {
        assert!(
            self.pending.is_empty(),
            "the synthesis ends without `lookup::close`: its ranges are not proved"
        );
    }

    /// Whether the constraint system underneath took everything.
    ///
    /// # Errors
    /// Its first failure.
    pub(crate) fn finish(self) -> Result<(), SynthesisError> {
        self.assert_closed();
        self.failure.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::r1cs::system::check;

    #[test]
    fn products_and_equalities_bind() {
        let run = |a: u64, b: u64, claimed: u64| {
            check(|builder| {
                let (a, b) = (builder.witness(a.into()), builder.witness(b.into()));
                let product = builder.product(&a, &b);
                builder.equal(&product, &LinearCombination::constant(claimed.into()));
            })
        };
        assert_eq!(run(6, 7, 42), (true, 2));
        assert_eq!(run(6, 7, 43), (false, 2));
    }

    #[test]
    #[should_panic(expected = "its ranges are not proved")]
    fn a_lookup_that_nobody_closes_is_a_fault_of_the_synthesis() {
        let mut builder = Builder::assigning(4);
        let limb = builder.committed(3u64.into());
        builder.look_up(limb);
        drop(builder.assignment());
    }

    #[test]
    fn wires_are_linear() {
        let mut builder = Builder::assigning(4);
        let (a, b) = (builder.witness(5u64.into()), builder.input(9u64.into()));
        assert_eq!(a.plus(&b).minus(&LinearCombination::one()).times(2u64.into()).value(), Fr::from(26u64));
        assert_eq!(LinearCombination::sum([&a, &b, &a]).value(), Fr::from(19u64));
        assert_eq!(builder.assignment().unwrap(), [1u64, 9, 5].map(Fr::from));
    }
}
