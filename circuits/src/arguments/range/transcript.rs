//! The challenges of the range proof, in the order and encoding of docs/protocol.md 7.

use super::error::RangeError;
use super::statement::RangeStatement;
use super::table::RangeTable;
use crate::curve::words::{point_words, scalar_word};
use crate::transcript::challenge;
use ark_bn254::{Fr, G1Affine};
use ark_ff::{BigInteger, One, PrimeField, Zero};
use fairshare_protocol::{absorb, word_from_address, word_from_u128, Word};

/// What is absorbed, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Commitment,
    High,
    Counts,
    Fractions,
    TableFractions,
    S,
    Values,
    W,
}

/// The chain of states.
#[derive(Debug, Clone)]
pub(super) struct Transcript {
    /// All states so far; the last one stands.
    states: Vec<Word>,
    table: RangeTable,
    /// A transcript that leaves a part out, to show what that part is there for.
    #[cfg(test)]
    forgotten: Option<Part>,
}

impl Transcript {
    /// The first state.
    pub(super) fn new(statement: &RangeStatement) -> Self {
        let mut transcript = Self {
            states: vec![],
            table: statement.table,
            #[cfg(test)]
            forgotten: None,
        };
        transcript.start(statement);
        transcript
    }

    /// The transcript of a verifier that forgets a part.
    #[cfg(test)]
    pub(super) fn forgetting(statement: &RangeStatement, part: Option<Part>) -> Self {
        let mut transcript = Self { states: vec![], table: statement.table, forgotten: part };
        transcript.start(statement);
        transcript
    }

    fn start(&mut self, statement: &RangeStatement) {
        let mut items = vec![
            word_from_u128(u128::from(statement.chain_id)),
            word_from_address(&statement.project),
            word_from_u128(u128::from(statement.round)),
            word_from_address(&statement.trainer),
            word_from_u128(u128::from(statement.dimension)),
            word_from_u128(u128::from(statement.table.id())),
            statement.keys_hash,
        ];
        if self.keeps(Part::Commitment) {
            items.extend(point_words(&statement.commitment));
        }
        self.absorb("fairshare.range.v1", &items);
    }

    /// `f1` gives `beta`, at which no entry of the table is a pole.
    pub(super) fn counts(&mut self, high: Option<&G1Affine>, counts: &G1Affine) -> Result<Fr, RangeError> {
        let mut points: Vec<(Part, &G1Affine)> = high.into_iter().map(|p| (Part::High, p)).collect();
        points.push((Part::Counts, counts));
        check_beta(self.absorb_points("counts", &points), self.table)
    }

    /// `f2` gives `y`, `f3` gives `g`.
    pub(super) fn fractions(&mut self, f: &[G1Affine], k: &G1Affine) -> Result<(Fr, Fr), RangeError> {
        let mut points: Vec<(Part, &G1Affine)> = f.iter().map(|p| (Part::Fractions, p)).collect();
        points.push((Part::TableFractions, k));
        let y = check_y(self.absorb_points("fractions", &points))?;
        let g = check_weight(self.absorb_points("fold", &[]))?;
        Ok((y, g))
    }

    /// `f4` gives `z`.
    pub(super) fn laurent(&mut self, s: &G1Affine, y: Fr) -> Result<Fr, RangeError> {
        check_z(self.absorb_points("laurent", &[(Part::S, s)]), y)
    }

    /// `f5` gives `gamma`.
    pub(super) fn values(&mut self, values: &[[Fr; 2]]) -> Result<Fr, RangeError> {
        let kept = if self.keeps(Part::Values) { values } else { &[] };
        let items: Vec<Word> = kept.iter().flatten().map(scalar_word).collect();
        check_weight(self.absorb("values", &items))
    }

    /// `f6` gives `v`.
    pub(super) fn quotient(&mut self, w: &G1Affine, y: Fr, z: Fr) -> Result<Fr, RangeError> {
        check_v(self.absorb_points("quotient", &[(Part::W, w)]), y, z)
    }

    fn absorb_points(&mut self, label: &str, points: &[(Part, &G1Affine)]) -> Fr {
        let items: Vec<Word> = points
            .iter()
            .filter(|(part, _)| self.keeps(*part))
            .flat_map(|(_, point)| point_words(point))
            .collect();
        self.absorb(label, &items)
    }

    fn absorb(&mut self, label: &str, items: &[Word]) -> Fr {
        let state = absorb(self.states.last().copied().unwrap_or_default(), label, items);
        self.states.push(state);
        challenge(&state)
    }

    #[cfg(test)]
    fn keeps(&self, part: Part) -> bool {
        self.forgotten != Some(part)
    }

    #[cfg(not(test))]
    fn keeps(&self, _part: Part) -> bool {
        true
    }

    /// `f0` and what followed.
    pub(super) fn into_states(self) -> Vec<Word> {
        self.states
    }
}

fn unless(degenerate: bool, challenge: Fr) -> Result<Fr, RangeError> {
    if degenerate {
        return Err(RangeError::DegenerateChallenge);
    }
    Ok(challenge)
}

/// `beta + t` must not be 0 for a `t` of the table.
pub(super) fn check_beta(beta: Fr, table: RangeTable) -> Result<Fr, RangeError> {
    let highest = Fr::from(table.size() as u64 - 1) - Fr::from(table.offset() as u64);
    let distance = (beta + highest).into_bigint(); // beta = -t gives highest - t, from 0 to size - 1
    unless(distance.num_bits() <= u32::from(table.id()), beta)
}

/// `y` is not 0 or 1: `I_d(y)` by its closed form, powers of `1/y`.
pub(super) fn check_y(y: Fr) -> Result<Fr, RangeError> {
    unless(y.is_zero() || y.is_one(), y)
}

/// `g` and `gamma` are not 0.
pub(super) fn check_weight(weight: Fr) -> Result<Fr, RangeError> {
    unless(weight.is_zero(), weight)
}

/// `z` is not 0, 1, -1, `y` or `1/y`.
pub(super) fn check_z(z: Fr, y: Fr) -> Result<Fr, RangeError> {
    unless(z.is_zero() || z.is_one() || z == -Fr::one() || z == y || (y * z).is_one(), z)
}

/// `v` differs from the four points.
pub(super) fn check_v(v: Fr, y: Fr, z: Fr) -> Result<Fr, RangeError> {
    unless(v == z || (v * z).is_one() || v == y * z || v * z == y, v)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::field::fr_from_i64;
    use ark_ff::Field;

    fn degenerate<T>(result: Result<T, RangeError>) -> bool {
        matches!(result, Err(RangeError::DegenerateChallenge))
    }

    #[test]
    fn beta_is_degenerate_exactly_at_the_tables_poles() {
        for (table, poles) in [(RangeTable::Limbs8, -255i64..=0), (RangeTable::Bits16, -32_767..=32_768)] {
            for beta in [*poles.start(), *poles.start() + 1, 0, *poles.end()] {
                assert!(degenerate(check_beta(fr_from_i64(beta), table)), "{beta}");
            }
            for beta in [poles.start() - 1, poles.end() + 1, 1 << 40, -(1 << 40)] {
                assert!(!degenerate(check_beta(fr_from_i64(beta), table)), "{beta}");
            }
        }
    }

    #[test]
    fn other_challenges_are_degenerate_exactly_at_theirs() {
        let (zero, one, y) = (Fr::zero(), Fr::one(), Fr::from(5u64));
        assert!([zero, one].into_iter().all(|y| degenerate(check_y(y))));
        assert!(!degenerate(check_y(-one)));
        assert!(degenerate(check_weight(zero)) && !degenerate(check_weight(one)));
        let inverse = y.inverse().unwrap();
        assert!([zero, one, -one, y, inverse].into_iter().all(|z| degenerate(check_z(z, y))));
        assert!(!degenerate(check_z(-y, y)));
        let z = Fr::from(7u64);
        let z_inverse = z.inverse().unwrap();
        assert!([z, z_inverse, y * z, y * z_inverse].into_iter().all(|v| degenerate(check_v(v, y, z))));
        assert!([zero, one, -one, y].into_iter().all(|v| !degenerate(check_v(v, y, z))));
    }
}
