//! What the prover knows: every value that the circuit does not compute from others by addition and multiplication.
//!
//! The synthesis reads these values and computes none of them again. So a test bends one of them, and shows which
//! constraint refuses it.

use super::circuit::synthesize;
use crate::gadgets::packing::bits_mask;
use crate::gadgets::trimmed_sum::descending;
use crate::gadgets::Builder;
use crate::statements::gram_binding::{entries, matrix_of, sigma_entries};
use crate::statements::proof::{all_the_same, AssessmentError, RuleWitness};
use crate::statements::public::{AssessmentPublic, PublicValues};
use ark_bn254::Fr;
use fairshare_protocol::{assess, Detail, GramMatrix, Policy};

/// The private side of an assessment. Vectors have one entry a slot where nothing else is said.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AgreementWitness {
    /// The upper triangle, row by row.
    pub(crate) gram: Vec<Fr>,
    pub(crate) active: Vec<bool>,
    pub(crate) norms: Vec<u64>,
    /// The lower median of the active norms.
    pub(crate) tau: u64,
    /// `n_i <= tau`.
    pub(crate) unclipped: Vec<bool>,
    pub(crate) clip_factors: Vec<u32>,
    /// The window of ranks that count in a row: from, to.
    pub(crate) window: [usize; 2],
    /// Each row's descending order of the other slots, counted without the row's own.
    pub(crate) orders: Vec<Vec<usize>>,
    /// `s_i a_i >= 0`.
    pub(crate) positive: Vec<bool>,
    /// `floor(|s_i a_i| / 2^32)`.
    pub(crate) magnitudes: Vec<u128>,
    /// The lower median of the active contributions.
    pub(crate) median: u64,
    /// `c_i <= M`.
    pub(crate) at_most_median: Vec<bool>,
    pub(crate) kept: Vec<bool>,
    pub(crate) shares: Vec<u32>,
    pub(crate) weights: Vec<u32>,
    pub(crate) coherence: u32,
}

impl AgreementWitness {
    /// The honest witness.
    ///
    /// # Errors
    /// The rule refuses the matrix, the mask or the policy.
    pub(crate) fn new(
        gram: &GramMatrix,
        active: u128,
        theta: u16,
        trim_count: u32,
    ) -> Result<Self, AssessmentError> {
        let assessment = assess(gram, active, Policy::Agreement { theta, trim_count })?;
        let Detail::Agreement(detail) = assessment.detail else {
            return Err(AssessmentError::Mismatch { value: "rule" });
        };
        let slots = gram.slots();
        let is_active: Vec<bool> = (0..slots).map(|i| active >> i & 1 == 1).collect();
        let others = |i: usize| (0..slots).filter(move |j| *j != i);
        let row = |i: usize| -> Vec<(i128, bool)> {
            others(i)
                .map(|j| (i128::from(detail.clip_factors[j]) * i128::from(gram.get(i, j)), is_active[j]))
                .collect()
        };
        let scaled: Vec<i128> =
            (0..slots).map(|i| i128::from(detail.clip_factors[i]) * detail.agreements[i]).collect();
        let trim = trim_count as usize;
        Ok(Self {
            gram: entries(gram),
            unclipped: detail.norms.iter().map(|norm| *norm <= detail.tau).collect(),
            // `assess` has seen that the trim leaves at least one of the others.
            window: [trim, active.count_ones() as usize - 1 - trim],
            orders: (0..slots).map(|i| descending(&row(i))).collect(),
            positive: scaled.iter().map(|product| *product >= 0).collect(),
            magnitudes: scaled.iter().map(|product| product.unsigned_abs() >> 32).collect(),
            at_most_median: assessment.contributions.iter().map(|c| *c <= detail.median).collect(),
            kept: (0..slots).map(|i| assessment.kept.contains(i)).collect(),
            active: is_active,
            norms: detail.norms,
            tau: detail.tau,
            clip_factors: detail.clip_factors,
            median: detail.median,
            shares: assessment.shares,
            weights: assessment.weights,
            coherence: assessment.coherence,
        })
    }

    /// A witness to run the synthesis with where the values do not matter.
    pub(crate) fn blank(slots: usize) -> Self {
        let rows = vec![(0..slots - 1).collect(); slots];
        Self {
            gram: vec![Fr::from(0u64); crate::statements::gram_binding::triangle(slots)],
            active: vec![true; slots],
            norms: vec![0; slots],
            tau: 0,
            unclipped: vec![true; slots],
            clip_factors: vec![1 << 16; slots],
            window: [0, slots - 1],
            orders: rows,
            positive: vec![true; slots],
            magnitudes: vec![0; slots],
            median: 0,
            at_most_median: vec![true; slots],
            kept: vec![false; slots],
            shares: vec![0; slots],
            weights: vec![0; slots],
            coherence: 0,
        }
    }

    pub(crate) fn slots(&self) -> usize {
        self.active.len()
    }

    /// Whether the rows stand in an order with the honest one's values: ties may be in any order.
    fn same_rows(&self, honest: &Self, gram: &GramMatrix) -> bool {
        let slots = self.slots();
        let value = |i: usize, k: usize| {
            let j = k + usize::from(k >= i);
            self.active[j].then(|| i128::from(honest.clip_factors[j]) * i128::from(gram.get(i, j)))
        };
        self.orders.len() == slots
            && (0..slots).all(|i| {
                let (own, theirs) = (&self.orders[i], &honest.orders[i]);
                own.len() == theirs.len() && own.iter().zip(theirs).all(|(a, b)| value(i, *a) == value(i, *b))
            })
    }
}

impl RuleWitness for AgreementWitness {
    fn synthesize(&self, builder: &mut Builder, public: &PublicValues) {
        synthesize(builder, public, self);
    }

    fn gram(&self) -> &[Fr] {
        &self.gram
    }

    fn check_rule(&self, public: &AssessmentPublic) -> Result<(), AssessmentError> {
        let slots = self.slots();
        let gram = matrix_of(slots, &self.gram)?;
        let Policy::Agreement { theta, trim_count } = public.policy else {
            return Err(AssessmentError::Mismatch { value: "rule" });
        };
        let honest = Self::new(&gram, public.active, theta, trim_count)?;
        all_the_same(&[
            ("sigma", public.sigma == sigma_entries(slots, &self.gram, public.rho)),
            ("active mask", self.active == honest.active),
            ("norm", self.norms == honest.norms),
            ("tau", self.tau == honest.tau && self.unclipped == honest.unclipped),
            ("clip factor", self.clip_factors == honest.clip_factors),
            ("trim window", self.window == honest.window),
            ("row order", self.same_rows(&honest, &gram)),
            ("contribution", self.positive == honest.positive && self.magnitudes == honest.magnitudes),
            ("median", self.median == honest.median && self.at_most_median == honest.at_most_median),
            ("kept mask", self.kept == honest.kept && public.kept == bits_mask(&honest.kept)),
            ("share", self.shares == honest.shares && public.shares == honest.shares),
            ("weight", self.weights == honest.weights && public.weights == honest.weights),
            ("coherence", self.coherence == honest.coherence && public.coherence == honest.coherence),
        ])
    }
}
