//! A prover that may lie at every step, against a verifier that may forget a part of the transcript.

use super::prover::{commit, commit_high, divided, Lookup, Opening, RangeWitness};
use super::tests::{small_srs, statement};
use super::transcript::{Part, Transcript};
use super::verifier::{identity_excess, verify_with, Challenges};
use super::{RangeProof, RangeStatement, RangeTable};
use crate::kzg::opening::evaluate;
use crate::kzg::ReferenceString;
use ark_bn254::{Fr, G1Affine};
use ark_ff::{Field, One, Zero};

/// Changes to what is sent, each made with knowledge of the challenges that stand at that moment.
type Hook<'a, T> = &'a dyn Fn(&mut T, &Challenges, &Known);

/// What a hook may look at.
pub(super) struct Known {
    pub(super) table: RangeTable,
    pub(super) dimension: usize,
    /// The constant term that the verifier expects, less the one that the committed polynomials have.
    pub(super) missing: Fr,
}

pub(super) struct Liar<'a> {
    pub(super) table: RangeTable,
    pub(super) dimension: usize,
    pub(super) witness: RangeWitness,
    /// The part that the verifier's transcript leaves out: the hook for it knows the next challenge.
    pub(super) forgets: Option<Part>,
    pub(super) on_witness: Hook<'a, RangeWitness>,
    pub(super) on_lookup: Hook<'a, Lookup>,
    pub(super) on_s: Hook<'a, Vec<Fr>>,
    pub(super) on_values: Hook<'a, Vec<[Fr; 2]>>,
    /// Whether `W` and `W'` are made from `v`, which is known beforehand.
    pub(super) forges_opening: bool,
}

fn nothing<T>(_: &mut T, _: &Challenges, _: &Known) {}

impl Liar<'_> {
    pub(super) fn new(table: RangeTable, dimension: usize, witness: RangeWitness) -> Self {
        Self {
            table,
            dimension,
            witness,
            forgets: None,
            on_witness: &nothing,
            on_lookup: &nothing,
            on_s: &nothing,
            on_values: &nothing,
            forges_opening: false,
        }
    }

    /// What the true verifier says, and what a verifier says that forgets the part.
    pub(super) fn verdicts(&self) -> (&'static str, &'static str) {
        self.verdicts_with(small_srs())
    }

    pub(super) fn verdicts_with(&self, srs: &ReferenceString) -> (&'static str, &'static str) {
        let (statement, proof) = self.argue(srs);
        let verdict = |part| {
            let transcript = Transcript::forgetting(&statement, part);
            super::tests::name(verify_with(&srs.kzg_key(), &statement, &proof, transcript))
        };
        (verdict(None), verdict(self.forgets))
    }

    /// Makes the statement and the proof for the verifier that forgets.
    fn argue(&self, srs: &ReferenceString) -> (RangeStatement, RangeProof) {
        let zero = Fr::zero();
        let mut c = Challenges { beta: zero, y: zero, g: zero, z: zero, gamma: zero, v: zero };
        let mut known = Known { table: self.table, dimension: self.dimension, missing: zero };
        let mut witness = self.witness.clone();
        let begin = |witness: &RangeWitness| {
            let u = update_of(self.table, self.dimension, witness);
            let statement = statement(self.table, self.dimension, commit(srs, &u).unwrap());
            let mut transcript = Transcript::forgetting(&statement, self.forgets);
            let high = commit_high(srs, self.table, witness).unwrap();
            let counts = commit(srs, &witness.counts).unwrap();
            let beta = transcript.counts(high.as_ref(), &counts).unwrap();
            (statement, transcript, high, counts, beta)
        };
        if matches!(self.forgets, Some(Part::Commitment | Part::High | Part::Counts)) {
            c.beta = begin(&witness).4;
            (self.on_witness)(&mut witness, &c, &known);
        }
        let (statement, transcript, high, counts, beta) = begin(&witness);
        assert!(c.beta.is_zero() || c.beta == beta, "the forgotten part does not move beta");
        c.beta = beta;

        let mut lookup = Lookup::new(&statement, witness, c.beta);
        let next = |lookup: &Lookup| {
            let f: Vec<G1Affine> = lookup.fractions.iter().map(|f| commit(srs, f).unwrap()).collect();
            let k = commit(srs, &lookup.table_fractions).unwrap();
            let mut transcript = transcript.clone();
            let (y, g) = transcript.fractions(&f, &k).unwrap();
            (f, k, transcript, y, g)
        };
        let missing = |lookup: &Lookup, y: Fr, g: Fr| {
            let weights: Fr = (0..self.witness.columns.len() as u64).map(|i| g.pow([i])).sum();
            weights * geometric_sum(y, self.dimension) - lookup.laurent(y, g).0
        };
        if matches!(self.forgets, Some(Part::Fractions | Part::TableFractions)) {
            (_, _, _, c.y, c.g) = next(&lookup);
            known.missing = missing(&lookup, c.y, c.g);
        }
        (self.on_lookup)(&mut lookup, &c, &known);
        let (fractions, table_fractions, mut transcript, y, g) = next(&lookup);
        assert!(c.y.is_zero() || c.y == y, "the forgotten part does not move y");
        (c.y, c.g) = (y, g);
        known.missing = missing(&lookup, y, g);

        let (_, mut s) = lookup.laurent(y, g);
        if self.forgets == Some(Part::S) {
            c.z = transcript.clone().laurent(&commit(srs, &s).unwrap(), y).unwrap();
        }
        (self.on_s)(&mut s, &c, &known);
        let s_point = commit(srs, &s).unwrap();
        let z = transcript.laurent(&s_point, y).unwrap();
        assert!(c.z.is_zero() || c.z == z, "the forgotten part does not move z");
        c.z = z;

        let opening = Opening::new(lookup, s, y, z);
        let mut values = opening.values();
        if self.forgets == Some(Part::Values) {
            c.gamma = transcript.clone().values(&values).unwrap();
        }
        (self.on_values)(&mut values, &c, &known);
        let gamma = transcript.values(&values).unwrap();
        let folded = opening.fold(gamma, &values);
        let mut h = folded.quotients();
        let mut w = commit(srs, &h).unwrap();
        if self.forges_opening {
            // v is known: the constant of h is moved until L is 0 there.
            let v = transcript.clone().quotient(&w, y, z).unwrap();
            let short = evaluate(&folded.last_polynomial(&h, v), v);
            h[0] += short / ((v - z) * (v - z.inverse().unwrap()));
            w = commit(srs, &h).unwrap();
        }
        let v = transcript.quotient(&w, y, z).unwrap();
        let w_prime = commit(srs, &divided(folded.last_polynomial(&h, v), v)).unwrap();
        (statement, RangeProof { high, counts, fractions, table_fractions, s: s_point, values, w, w_prime })
    }
}

/// `sum_{j<n} y^j`, added up.
fn geometric_sum(y: Fr, n: usize) -> Fr {
    (0..n as u64).map(|j| y.pow([j])).sum()
}

/// The committed polynomial that the columns stand for.
pub(super) fn update_of(table: RangeTable, dimension: usize, witness: &RangeWitness) -> Vec<Fr> {
    match table {
        RangeTable::Bits16 => witness.columns[0].clone(),
        RangeTable::Limbs8 => (0..witness.columns[0].len())
            .map(|j| {
                let offset = if j < dimension { Fr::from(1u64 << 15) } else { Fr::zero() };
                Fr::from(256u64) * witness.columns[0][j] + witness.columns[1][j] - offset
            })
            .collect(),
    }
}

/// Moves one value so that the identity holds.
pub(super) fn bend_value(values: &mut [[Fr; 2]], index: usize, c: &Challenges, known: &Known) {
    let (row, side) = (index / 2, index % 2);
    let excess = |values: &[[Fr; 2]]| identity_excess(known.table, known.dimension, values, c);
    let before = excess(values);
    values[row][side] += Fr::one();
    let slope = excess(values) - before; // the identity is linear in each value
    values[row][side] -= Fr::one() + before / slope;
    assert!(excess(values).is_zero());
}
