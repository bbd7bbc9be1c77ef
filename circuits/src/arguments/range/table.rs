//! The tables that entries are looked up in, and their polynomials in closed form.

use super::error::RangeError;
use ark_bn254::Fr;
use ark_ff::{Field, One};

/// Which table a project's updates are looked up in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeTable {
    /// Entries as two limbs of 8 bits, `u = 256 hi + lo - 2^15`, in a table of 256. The reference string needs
    /// `max(d, 2^8)` points: cheaper for models below `2^16` parameters.
    Limbs8,
    /// Entries as they are in a table of `2^16`. The reference string needs `max(d, 2^16)` points.
    Bits16,
}

impl RangeTable {
    /// The id of the table on chain.
    pub fn id(self) -> u8 {
        match self {
            Self::Limbs8 => 8,
            Self::Bits16 => 16,
        }
    }

    /// The table of an id.
    ///
    /// # Errors
    /// An id that is not 8 or 16.
    pub fn from_id(id: u8) -> Result<Self, RangeError> {
        match id {
            8 => Ok(Self::Limbs8),
            16 => Ok(Self::Bits16),
            other => Err(RangeError::UnknownTable(other)),
        }
    }

    /// The table that is cheaper to prove with for a model of `dimension` parameters.
    pub fn for_dimension(dimension: u32) -> Self {
        if dimension < 1 << 16 {
            Self::Limbs8
        } else {
            Self::Bits16
        }
    }

    /// Points that the reference string must have for a model of `dimension` parameters.
    pub fn points(self, dimension: u32) -> usize {
        (dimension as usize).max(self.size())
    }

    /// Columns that are looked up.
    pub(super) fn columns(self) -> usize {
        match self {
            Self::Limbs8 => 2,
            Self::Bits16 => 1,
        }
    }

    /// Entries of the table.
    pub(super) fn size(self) -> usize {
        1 << self.id()
    }

    /// The table holds `-offset .. size - offset`.
    pub(super) fn offset(self) -> i64 {
        match self {
            Self::Limbs8 => 0,
            Self::Bits16 => 1 << 15,
        }
    }
}

/// `I_n(p) = sum_{j<n} p^j`; `n` where `p` is one.
pub(super) fn geometric(p: Fr, n: usize) -> Fr {
    match (p - Fr::one()).inverse() {
        Some(inverse) => (p.pow([n as u64]) - Fr::one()) * inverse,
        None => Fr::from(n as u64),
    }
}

/// `T(p) = sum_{t<n} (t - offset) p^t`, by `sum t p^t = p I_n'(p) = (p I_n(p) - n p^n) / (1 - p)`; `p` is not one.
pub(super) fn table_polynomial(p: Fr, table: RangeTable) -> Option<Fr> {
    let n = table.size();
    let geometric = geometric(p, n);
    let inverse = (Fr::one() - p).inverse()?;
    let ramp = (p * geometric - Fr::from(n as u64) * p.pow([n as u64])) * inverse;
    Some(ramp - Fr::from(table.offset() as u64) * geometric)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::field::fr_from_i64;
    use ark_ff::Zero;

    #[test]
    fn closed_forms_are_the_sums() {
        let p = Fr::from(12_345_678_901u64).inverse().unwrap();
        for table in [RangeTable::Limbs8, RangeTable::Bits16] {
            let (mut ramp, mut ones, mut power) = (Fr::zero(), Fr::zero(), Fr::one());
            for t in 0..table.size() as i64 {
                ramp += fr_from_i64(t - table.offset()) * power;
                ones += power;
                power *= p;
            }
            assert_eq!(table_polynomial(p, table), Some(ramp));
            assert_eq!(geometric(p, table.size()), ones);
            assert_eq!(RangeTable::from_id(table.id()).unwrap(), table);
        }
        assert_eq!(geometric(Fr::one(), 7), Fr::from(7u64));
        assert_eq!(table_polynomial(Fr::one(), RangeTable::Limbs8), None);
        assert!(matches!(RangeTable::from_id(9), Err(RangeError::UnknownTable(9))));
    }
}
