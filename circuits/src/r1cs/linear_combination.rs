//! Linear combinations of variables, and small constants of the field.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field, Zero};
#[cfg(test)]
use ark_ff::{BigInteger, PrimeField};
use ark_relations::gr1cs::{self, Variable};

/// A linear combination of variables, with its value under the prover's assignment.
#[derive(Clone, Debug)]
pub(crate) struct LinearCombination {
    terms: Vec<(Fr, Variable)>,
    value: Fr,
}

impl LinearCombination {
    pub(super) fn new(terms: Vec<(Fr, Variable)>, value: Fr) -> Self {
        Self { terms, value }
    }

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

    /// The sum of `combinations`.
    pub(crate) fn sum<'a>(combinations: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut sum = Self::zero();
        combinations.into_iter().for_each(|combination| sum.add(combination));
        sum
    }

    pub(super) fn combination(&self) -> gr1cs::LinearCombination<Fr> {
        let mut combination = gr1cs::LinearCombination(self.terms.clone());
        combination.compactify();
        combination
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

    #[test]
    fn integers_there_and_back() {
        for v in [0, 1, -1, i128::from(u64::MAX) + 5, -(1 << 100)] {
            assert_eq!(as_integer(signed(v)), Some(v));
        }
        assert_eq!(as_integer(power_of_two(200)), None);
    }
}
