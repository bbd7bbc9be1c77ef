//! The R1CS matrices of a circuit: built once, they check and prove each of its assignments.

use super::builder::Builder;
use ark_bn254::Fr;
use ark_ff::{Field, One, Zero};
use ark_relations::gr1cs::{
    ConstraintSystem, Matrix, OptimizationGoal, SynthesisError, SynthesisMode, R1CS_PREDICATE_LABEL,
};
use rayon::prelude::*;

/// A circuit's constraints `A z * B z = C z` with `z = (1, public inputs, witnesses)`.
pub(crate) struct R1cs {
    matrices: Vec<Matrix<Fr>>,
    inputs: usize,
    variables: usize,
    committed: Vec<usize>,
    limb_bits: usize,
    sections: Vec<(&'static str, usize)>,
}

impl R1cs {
    /// Runs a synthesis, whose values do not matter, and stores its constraints. The lookup table has `2^limb_bits`
    /// entries.
    ///
    /// # Errors
    /// The constraint system's own.
    pub(crate) fn new(
        limb_bits: usize,
        synthesize: impl FnOnce(&mut Builder),
    ) -> Result<Self, SynthesisError> {
        let system = ConstraintSystem::<Fr>::new_ref();
        system.set_optimization_goal(OptimizationGoal::Constraints);
        system.set_mode(SynthesisMode::Setup);
        let mut builder = Builder::constraining(limb_bits, system.clone());
        synthesize(&mut builder);
        let committed = builder.committed_places();
        let sections = builder.sections().to_vec();
        builder.finish()?;
        system.finalize();
        let matrices =
            system.to_matrices()?.remove(R1CS_PREDICATE_LABEL).ok_or(SynthesisError::PredicateNotFound)?;
        Ok(Self {
            matrices,
            inputs: system.num_instance_variables(),
            variables: system.num_instance_variables() + system.num_witness_variables(),
            committed,
            limb_bits,
            sections,
        })
    }

    pub(crate) fn matrices(&self) -> &[Matrix<Fr>] {
        &self.matrices
    }

    /// Public inputs, with the constant one.
    pub(crate) fn inputs(&self) -> usize {
        self.inputs
    }

    /// A builder for assignments of this system.
    pub(crate) fn assigning(&self) -> Builder {
        Builder::assigning(self.limb_bits)
    }

    /// Variables, with the constant one.
    pub(crate) fn variables(&self) -> usize {
        self.variables
    }

    /// Where the committed variables stand in the assignment, ascending.
    pub(crate) fn committed(&self) -> &[usize] {
        &self.committed
    }

    pub(crate) fn constraints(&self) -> usize {
        self.matrices.first().map_or(0, Vec::len)
    }

    /// How many constraints each section has.
    #[cfg(test)]
    pub(crate) fn section_sizes(&self) -> Vec<(&'static str, usize)> {
        let ends = self.sections.iter().skip(1).map(|(_, from)| *from).chain([self.constraints()]);
        self.sections.iter().zip(ends).map(|((name, from), end)| (*name, end - from)).collect()
    }

    /// Every row under the assignment, or the first constraint that it breaks with the name of its section.
    ///
    /// # Errors
    /// The number of a constraint that does not hold, and its section.
    pub(crate) fn evaluate(&self, assignment: &[Fr]) -> Result<Rows, (usize, &'static str)> {
        if assignment.len() != self.variables || assignment.first() != Some(&Fr::ONE) {
            return Err((0, "the shape of the assignment"));
        }
        let rows = self.rows(assignment);
        let broken = rows.broken().next();
        broken.map_or(Ok(rows), |index| Err((index, self.section_of(index))))
    }

    /// Every row under an assignment of the right shape.
    fn rows(&self, assignment: &[Fr]) -> Rows {
        let products = |matrix: usize| -> Vec<Fr> {
            self.matrices[matrix].par_iter().with_min_len(256).map(|row| dot(row, assignment)).collect()
        };
        Rows { a: products(0), b: products(1), c: products(2) }
    }

    fn section_of(&self, constraint: usize) -> &'static str {
        let section = self.sections.iter().rev().find(|(_, from)| *from <= constraint);
        section.map_or("no section", |(name, _)| name)
    }

    /// Every section of which the assignment breaks a constraint.
    #[cfg(test)]
    pub(crate) fn broken_sections(&self, assignment: &[Fr]) -> Vec<&'static str> {
        assert_eq!(assignment.len(), self.variables);
        let mut sections: Vec<_> =
            self.rows(assignment).broken().map(|index| self.section_of(index)).collect();
        sections.dedup();
        sections
    }

    /// The first constraint that the assignment breaks.
    #[cfg(test)]
    pub(crate) fn first_broken(&self, assignment: &[Fr]) -> Option<(usize, &'static str)> {
        self.evaluate(assignment).err()
    }
}

/// `A z`, `B z` and `C z`, one entry a constraint.
pub(crate) struct Rows {
    pub(crate) a: Vec<Fr>,
    pub(crate) b: Vec<Fr>,
    pub(crate) c: Vec<Fr>,
}

impl Rows {
    /// The constraints that do not hold.
    fn broken(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.c.len()).filter(|index| self.a[*index] * self.b[*index] != self.c[*index])
    }
}

fn dot(row: &[(Fr, usize)], assignment: &[Fr]) -> Fr {
    let mut sum = Fr::zero();
    for (coefficient, index) in row {
        sum += if coefficient.is_one() { assignment[*index] } else { *coefficient * assignment[*index] };
    }
    sum
}

/// Bits of a limb in the tests of gadgets.
#[cfg(test)]
pub(crate) const TEST_LIMB_BITS: usize = 6;

/// The challenge in the tests of gadgets: not an entry of a table.
#[cfg(test)]
pub(crate) fn test_challenge() -> Fr {
    Fr::from(987_654_321u64).pow([23])
}

/// Runs a synthesis both ways and closes its lookups: whether its own values satisfy it, and how many constraints it
/// has beside the lookup table.
#[cfg(test)]
pub(crate) fn check(synthesize: impl Fn(&mut Builder)) -> (bool, usize) {
    check_under(test_challenge(), synthesize)
}

/// [`check`] under a chosen challenge.
#[cfg(test)]
pub(crate) fn check_under(challenge: Fr, synthesize: impl Fn(&mut Builder)) -> (bool, usize) {
    check_closed(|builder| {
        let x = builder.input(challenge);
        synthesize(builder);
        super::lookup::close(builder, &x);
    })
}

/// [`check`] of a synthesis that closes its lookups itself.
#[cfg(test)]
pub(crate) fn check_closed(synthesize: impl Fn(&mut Builder)) -> (bool, usize) {
    let system = R1cs::new(TEST_LIMB_BITS, &synthesize).unwrap();
    let mut builder = system.assigning();
    synthesize(&mut builder);
    assert_eq!(builder.committed_places(), system.committed());
    let table = (1 << TEST_LIMB_BITS) + 1;
    (system.first_broken(&builder.assignment().unwrap()).is_none(), system.constraints() - table)
}

/// Constraints of the lookups that bring a number of `bits` bits into range, in the tests of gadgets.
#[cfg(test)]
pub(crate) fn lookups(bits: usize) -> usize {
    bits.div_ceil(TEST_LIMB_BITS) + usize::from(!bits.is_multiple_of(TEST_LIMB_BITS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::r1cs::LinearCombination;

    #[test]
    fn a_broken_constraint_is_named_by_its_section() {
        let synthesize = |builder: &mut Builder, second: u64| {
            builder.section("first");
            let x = builder.input(3u64.into());
            let y = builder.product(&x, &x);
            builder.section("second");
            builder.equal(&y, &LinearCombination::constant(9u64.into()));
            let z = builder.witness(second.into());
            builder.equal(&z, &x);
        };
        let system = R1cs::new(4, |b| synthesize(b, 0)).unwrap();
        assert_eq!(system.section_sizes(), [("first", 1), ("second", 2)]);
        assert_eq!((system.inputs(), system.constraints()), (2, 3));
        let assign = |second| {
            let mut builder = system.assigning();
            synthesize(&mut builder, second);
            builder.assignment().unwrap()
        };
        assert_eq!(system.first_broken(&assign(3)), None);
        assert_eq!(system.first_broken(&assign(4)), Some((2, "second")));
        assert_eq!(system.broken_sections(&assign(3)), [""; 0]);
        assert_eq!(system.broken_sections(&assign(4)), ["second"]);
        let mut all = assign(4);
        all[2] += Fr::ONE; // y
        assert_eq!(system.broken_sections(&all), ["first", "second"]);
        assert!(system.first_broken(&assign(3)[1..]).is_some());
    }
}
