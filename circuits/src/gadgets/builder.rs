//! The hand that writes constraints: wires with values, and one place where rank-one constraints are enforced.
//!
//! The same synthesis runs in two ways. Constraining, it fills an arkworks constraint system (key generation, and the
//! matrices that a prover keeps). Assigning, it computes values alone and skips every linear combination, which is
//! several times faster; the matrices kept then check the assignment before it is proved.
//!
//! And in two modes: ranges and orders are proved by bits and switches, or, with [`Builder::with_lookups`], by lookups of
//! committed limbs and by products, under a challenge that follows from the commitment ([`super::lookup`]).

use super::lookup::Lookups;
use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField, Zero};
use ark_relations::gr1cs::{ConstraintSystemRef, LinearCombination, SynthesisError, Variable};

/// A linear combination of variables, with its value under the prover's assignment.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    terms: Vec<(Fr, Variable)>,
    value: Fr,
}

impl Wire {
    pub(crate) fn constant(value: Fr) -> Self {
        Self { terms: if value.is_zero() { Vec::new() } else { vec![(value, Variable::One)] }, value }
    }

    pub(crate) fn zero() -> Self {
        Self::constant(Fr::ZERO)
    }

    pub(crate) fn one() -> Self {
        Self::constant(Fr::ONE)
    }

    pub(crate) fn value(&self) -> Fr {
        self.value
    }

    /// `self += factor * other`.
    pub(crate) fn add_scaled(&mut self, other: &Self, factor: Fr) {
        self.terms.extend(other.terms.iter().map(|(c, v)| (*c * factor, *v)));
        self.value += other.value * factor;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.terms.extend_from_slice(&other.terms);
        self.value += other.value;
    }

    pub(crate) fn plus(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        sum.add(other);
        sum
    }

    pub(crate) fn minus(&self, other: &Self) -> Self {
        let mut difference = self.clone();
        difference.add_scaled(other, -Fr::ONE);
        difference
    }

    pub(crate) fn times(&self, factor: Fr) -> Self {
        let mut scaled = Self::zero();
        scaled.add_scaled(self, factor);
        scaled
    }

    /// The sum of `wires`.
    pub(crate) fn sum<'a>(wires: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut sum = Self::zero();
        wires.into_iter().for_each(|wire| sum.add(wire));
        sum
    }

    fn combination(&self) -> LinearCombination<Fr> {
        let mut combination = LinearCombination(self.terms.clone());
        combination.compactify();
        combination
    }
}

/// Collects variables and constraints.
pub(crate) struct Builder {
    system: Option<ConstraintSystemRef<Fr>>,
    inputs: Vec<Fr>,
    witnesses: Vec<Fr>,
    /// Which witnesses a commitment fixes before the challenges, ascending.
    committed: Vec<usize>,
    lookups: Option<Lookups>,
    sections: Vec<(&'static str, usize)>,
    failure: Option<SynthesisError>,
}

impl Builder {
    /// Writes variables and constraints into `system`.
    pub(crate) fn constraining(system: ConstraintSystemRef<Fr>) -> Self {
        Self { system: Some(system), ..Self::assigning() }
    }

    /// Computes the assignment alone.
    pub(crate) fn assigning() -> Self {
        Self {
            system: None,
            inputs: vec![Fr::ONE],
            witnesses: Vec::new(),
            committed: Vec::new(),
            lookups: None,
            sections: Vec::new(),
            failure: None,
        }
    }

    /// Proves ranges and orders by lookups in a table of `2^width` entries, which [`super::lookup::close`] must end.
    pub(crate) fn with_lookups(self, width: usize) -> Self {
        Self { lookups: Some(Lookups::new(width)), ..self }
    }

    /// The lookups so far, in the mode that has them.
    pub(crate) fn lookups(&mut self) -> Option<&mut Lookups> {
        self.lookups.as_mut()
    }

    /// The lookups, which no gadget may add to any more.
    pub(crate) fn take_lookups(&mut self) -> Option<Lookups> {
        self.lookups.take()
    }

    /// A public input.
    pub(crate) fn input(&mut self, value: Fr) -> Wire {
        self.inputs.push(value);
        let variable = self.system.as_ref().map(|system| system.new_input_variable(|| Ok(value)));
        self.wire(variable, value)
    }

    /// A private variable.
    pub(crate) fn witness(&mut self, value: Fr) -> Wire {
        self.witnesses.push(value);
        let variable = self.system.as_ref().map(|system| system.new_witness_variable(|| Ok(value)));
        self.wire(variable, value)
    }

    /// A private variable that a proof commits to before its challenges are known. By bits it is a witness like others.
    pub(crate) fn committed(&mut self, value: Fr) -> Wire {
        self.committed.push(self.witnesses.len());
        self.witness(value)
    }

    /// Where the committed variables stand in the assignment.
    pub(crate) fn committed_places(&self) -> Vec<usize> {
        self.committed.iter().map(|witness| self.inputs.len() + witness).collect()
    }

    fn wire(&mut self, variable: Option<Result<Variable, SynthesisError>>, value: Fr) -> Wire {
        let terms = match variable {
            Some(Ok(variable)) => vec![(Fr::ONE, variable)],
            Some(Err(error)) => {
                self.failure.get_or_insert(error);
                Vec::new()
            }
            None => Vec::new(),
        };
        Wire { terms, value }
    }

    /// `a * b = c`.
    pub(crate) fn enforce(&mut self, a: &Wire, b: &Wire, c: &Wire) {
        if let Some(system) = &self.system {
            let enforced =
                system.enforce_r1cs_constraint(|| a.combination(), || b.combination(), || c.combination());
            if let Err(error) = enforced {
                self.failure.get_or_insert(error);
            }
        }
    }

    /// `a = b`.
    pub(crate) fn equal(&mut self, a: &Wire, b: &Wire) {
        if self.system.is_some() {
            self.enforce(&a.minus(b), &Wire::one(), &Wire::zero());
        }
    }

    /// A new variable `a * b`. One constraint.
    pub(crate) fn product(&mut self, a: &Wire, b: &Wire) -> Wire {
        let product = self.witness(a.value * b.value);
        self.enforce(a, b, &product);
        product
    }

    /// A new variable that is 0 or 1. One constraint.
    pub(crate) fn bit(&mut self, value: bool) -> Wire {
        let bit = self.witness(Fr::from(u64::from(value)));
        if self.system.is_some() {
            self.enforce(&bit, &bit.minus(&Wire::one()), &Wire::zero());
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
        self.failure.map_or_else(|| Ok([self.inputs, self.witnesses].concat()), Err)
    }

    /// Whether the constraint system underneath took everything.
    ///
    /// # Errors
    /// Its first failure.
    pub(crate) fn finish(self) -> Result<(), SynthesisError> {
        self.failure.map_or(Ok(()), Err)
    }
}

/// `2^k` in the field.
pub(crate) fn power_of_two(k: usize) -> Fr {
    Fr::from(2u64).pow([k as u64])
}

/// A signed integer in the field.
pub(crate) fn signed(value: i128) -> Fr {
    let magnitude = Fr::from(value.unsigned_abs());
    if value < 0 {
        -magnitude
    } else {
        magnitude
    }
}

/// The field element as an integer in `-2^126 ..= 2^126`, if it is one. For claims alone, never for constraints.
pub(crate) fn as_integer(value: Fr) -> Option<i128> {
    let small = |v: Fr| {
        let big = v.into_bigint();
        (big.num_bits() <= 126).then(|| i128::from(big.0[0]) | i128::from(big.0[1]) << 64)
    };
    small(value).or_else(|| small(-value).map(|v| -v))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gadgets::system::check;

    #[test]
    fn integers_there_and_back() {
        for v in [0, 1, -1, i128::from(u64::MAX) + 5, -(1 << 100)] {
            assert_eq!(as_integer(signed(v)), Some(v));
        }
        assert_eq!(as_integer(power_of_two(200)), None);
    }

    #[test]
    fn products_and_equalities_bind() {
        let run = |a: u64, b: u64, claimed: u64| {
            check(|builder| {
                let (a, b) = (builder.witness(a.into()), builder.witness(b.into()));
                let product = builder.product(&a, &b);
                builder.equal(&product, &Wire::constant(claimed.into()));
            })
        };
        assert_eq!(run(6, 7, 42), (true, 2));
        assert_eq!(run(6, 7, 43), (false, 2));
    }

    #[test]
    fn wires_are_linear() {
        let mut builder = Builder::assigning();
        let (a, b) = (builder.witness(5u64.into()), builder.input(9u64.into()));
        assert_eq!(a.plus(&b).minus(&Wire::one()).times(2u64.into()).value(), Fr::from(26u64));
        assert_eq!(Wire::sum([&a, &b, &a]).value(), Fr::from(19u64));
        assert_eq!(builder.assignment().unwrap(), [1u64, 9, 5].map(Fr::from));
    }
}
