//! Builds R1CS constraints and assigns witnesses.
//!
//! The same synthesis runs in two ways. Constraining, it fills an arkworks constraint system (key generation, and the
//! matrices that a prover keeps). Assigning, it only computes values and skips every linear combination, which is
//! several times faster; the stored matrices then check the assignment before it is proved.
//!
//! Ranges and orders wait in the builder until [`super::lookup::close`] proves all of them under one challenge.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field, Zero};
#[cfg(test)]
use ark_ff::{BigInteger, PrimeField};
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

/// What a synthesis has claimed and not yet proved.
#[derive(Default)]
pub(super) struct Pending {
    /// Each must be an entry of the lookup table.
    pub(super) limbs: Vec<Wire>,
    /// Rows, and their committed copies in another order.
    pub(super) orders: Vec<(Vec<Wire>, Vec<Wire>)>,
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
    pub(crate) fn look_up(&mut self, limb: Wire) {
        self.pending.limbs.push(limb);
    }

    /// Committed copies of `row` in the order `order`, each element exactly once. `2 n - 2` constraints when the
    /// lookups are closed.
    ///
    /// Committed variables and the statement must determine the row before the challenge.
    pub(crate) fn reorder(&mut self, row: &[Wire], order: &[usize]) -> Vec<Wire> {
        let copies: Vec<Wire> = order.iter().map(|input| self.committed(row[*input].value())).collect();
        self.pending.orders.push((row.to_vec(), copies.clone()));
        copies
    }

    pub(super) fn take_pending(&mut self) -> Pending {
        std::mem::take(&mut self.pending)
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

    /// A private variable that a proof commits to before its challenges are known.
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

/// The field element as an integer in `-2^126 ..= 2^126`, if it is one. For claims only, never for constraints.
#[cfg(test)]
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
        assert_eq!(a.plus(&b).minus(&Wire::one()).times(2u64.into()).value(), Fr::from(26u64));
        assert_eq!(Wire::sum([&a, &b, &a]).value(), Fr::from(19u64));
        assert_eq!(builder.assignment().unwrap(), [1u64, 9, 5].map(Fr::from));
    }
}
