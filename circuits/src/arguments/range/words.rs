//! A range proof as typed values, and as the words of the contract's struct.

use super::error::RangeError;
use super::table::RangeTable;
use crate::curve::words::{point_from_words, point_words, scalar_from_word, scalar_word};
use ark_bn254::{Fr, G1Affine};
use fairshare_protocol::Word;

/// What the trainer sends. Any point may be infinity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeProof {
    /// `C_HI`, with limbs only.
    pub high: Option<G1Affine>,
    /// `C_M`, multiplicities of the table's entries.
    pub counts: G1Affine,
    /// `C_F` for each column that is looked up, coefficients `1 / (beta + v_j)`.
    pub fractions: Vec<G1Affine>,
    /// `C_K`, coefficients `m_t / (beta + t)`.
    pub table_fractions: G1Affine,
    /// `C_S` of the Laurent identity.
    pub s: G1Affine,
    /// Pairs of values: `U, [HI], S` at `z, 1/z`, then `F.., K, M` at `yz, y/z`.
    pub values: Vec<[Fr; 2]>,
    /// `W`: the quotients of both sets of points.
    pub w: G1Affine,
    /// `W'`: what is left of them at `v`.
    pub w_prime: G1Affine,
}

/// The contract's struct of a range proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeProofWords {
    /// `x, y` of `[C_HI], C_M, C_F.., C_K, C_S, W, W'`: 12 words with table 16, 16 with table 8.
    pub points: Vec<Word>,
    /// `U, [HI], S` at `z, 1/z`, then `F.., K, M` at `yz, y/z`: 10 words with table 16, 14 with table 8.
    pub values: Vec<Word>,
}

/// Points of a proof.
pub(super) fn point_count(table: RangeTable) -> usize {
    match table {
        RangeTable::Limbs8 => 8,
        RangeTable::Bits16 => 6,
    }
}

/// Polynomials that are opened: `(at z and 1/z, at yz and y/z)`.
pub(super) fn opened(table: RangeTable) -> (usize, usize) {
    match table {
        RangeTable::Limbs8 => (3, 4),
        RangeTable::Bits16 => (2, 3),
    }
}

impl RangeProof {
    /// The words in the contract's order.
    pub fn words(&self) -> RangeProofWords {
        let points = self.high.iter().chain([&self.counts]).chain(&self.fractions).chain([
            &self.table_fractions,
            &self.s,
            &self.w,
            &self.w_prime,
        ]);
        RangeProofWords {
            points: points.flat_map(point_words).collect(),
            values: self.values.iter().flatten().map(scalar_word).collect(),
        }
    }

    /// Reads the words of a proof for a table.
    ///
    /// # Errors
    /// Too many or too few words, a point off the curve, a scalar or coordinate that is not reduced.
    pub fn from_words(table: RangeTable, words: &RangeProofWords) -> Result<Self, RangeError> {
        let (at_z, at_yz) = opened(table);
        check_length("points' words", 2 * point_count(table), words.points.len())?;
        check_length("values", 2 * (at_z + at_yz), words.values.len())?;
        let points: Vec<G1Affine> =
            words.points.as_chunks::<2>().0.iter().map(point_from_words).collect::<Result<_, _>>()?;
        let values: Vec<Fr> = words.values.iter().map(scalar_from_word).collect::<Result<_, _>>()?;
        let columns = table.columns();
        let (high, rest) = points.split_at(columns - 1);
        Ok(Self {
            high: high.first().copied(),
            counts: rest[0],
            fractions: rest[1..=columns].to_vec(),
            table_fractions: rest[columns + 1],
            s: rest[columns + 2],
            values: values.as_chunks::<2>().0.to_vec(),
            w: rest[columns + 3],
            w_prime: rest[columns + 4],
        })
    }

    /// That the proof has the shape of its table.
    pub(super) fn check_shape(&self, table: RangeTable) -> Result<(), RangeError> {
        let (at_z, at_yz) = opened(table);
        check_length("commitments to limbs", table.columns() - 1, usize::from(self.high.is_some()))?;
        check_length("commitments to fractions", table.columns(), self.fractions.len())?;
        check_length("pairs of values", at_z + at_yz, self.values.len())
    }
}

fn check_length(what: &'static str, expected: usize, found: usize) -> Result<(), RangeError> {
    if expected == found {
        return Ok(());
    }
    Err(RangeError::WrongLength { what, expected, found })
}
