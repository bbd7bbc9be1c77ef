//! What the prover knows: every value that the circuit does not compute from others by addition and multiplication.
//!
//! The synthesis reads these values and computes none of them again. So a test bends one of them, and shows which
//! constraint refuses it.

#[cfg(test)]
use crate::gadgets::packing::bits_mask;
use crate::gadgets::trimmed_sum::descending;
use crate::statements::gram_binding::{entries, triangle};
#[cfg(test)]
use crate::statements::gram_binding::{matrix_of, sigma_entries};
#[cfg(test)]
use crate::statements::public::AssessmentPublic;
use ark_bn254::Fr;
#[cfg(test)]
use fairshare_protocol::{assess, Detail, RoundPolicy};
use fairshare_protocol::{AgreementDetail, Assessment, GramMatrix, SlotMask};

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
    /// The honest witness of a matrix with this assessment.
    pub(crate) fn new(
        gram: &GramMatrix,
        active: SlotMask,
        trim_count: u32,
        assessment: &Assessment,
        detail: &AgreementDetail,
    ) -> Self {
        let slots = gram.slots();
        let is_active: Vec<bool> = (0..slots).map(|i| active.contains(i)).collect();
        let others = |i: usize| (0..slots).filter(move |j| *j != i);
        let row = |i: usize| -> Vec<(i128, bool)> {
            others(i)
                .map(|j| (i128::from(detail.clip_factors[j]) * i128::from(gram.get(i, j)), is_active[j]))
                .collect()
        };
        let scaled: Vec<i128> =
            (0..slots).map(|i| i128::from(detail.clip_factors[i]) * detail.agreements[i]).collect();
        let trim = trim_count as usize;
        Self {
            gram: entries(gram),
            unclipped: detail.norms.iter().map(|norm| *norm <= detail.tau).collect(),
            // `assess` has checked that the trim leaves at least one of the others.
            window: [trim, active.count() as usize - 1 - trim],
            orders: (0..slots).map(|i| descending(&row(i))).collect(),
            positive: scaled.iter().map(|product| *product >= 0).collect(),
            magnitudes: scaled.iter().map(|product| product.unsigned_abs() >> 32).collect(),
            at_most_median: assessment.contributions.iter().map(|c| *c <= detail.median).collect(),
            kept: (0..slots).map(|i| assessment.kept.contains(i)).collect(),
            active: is_active,
            norms: detail.norms.clone(),
            tau: detail.tau,
            clip_factors: detail.clip_factors.clone(),
            median: detail.median,
            shares: assessment.shares.clone(),
            weights: assessment.weights.clone(),
            coherence: assessment.coherence,
        }
    }

    /// A witness to run the synthesis with where the values do not matter.
    pub(crate) fn blank(slots: usize) -> Self {
        let rows = vec![(0..slots - 1).collect(); slots];
        Self {
            gram: vec![Fr::from(0u64); triangle(slots)],
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

    /// [`Self::new`] of an assessment under this policy.
    #[cfg(test)]
    pub(crate) fn honest(
        gram: &GramMatrix,
        active: SlotMask,
        policy: RoundPolicy,
        assessment: &Assessment,
    ) -> Self {
        match (policy, &assessment.detail) {
            (RoundPolicy::Agreement { trim_count, .. }, Detail::Agreement(detail)) => {
                Self::new(gram, active, trim_count, assessment, detail)
            }
            _ => panic!("{policy:?} is of another rule"),
        }
    }

    pub(crate) fn slots(&self) -> usize {
        self.active.len()
    }

    /// Whether the rows stand in an order with the honest one's values: ties may be in any order.
    #[cfg(test)]
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

    /// See [`RuleWitness::check`](super::super::rule::RuleWitness::check).
    #[cfg(test)]
    pub(super) fn check(&self, public: &AssessmentPublic) -> Result<(), String> {
        let slots = self.slots();
        let gram = matrix_of(slots, &self.gram).ok_or("gram entry")?;
        let assessment = assess(&gram, public.active, public.policy).map_err(|error| error.to_string())?;
        let honest = Self::honest(&gram, public.active, public.policy, &assessment);
        let comparisons = [
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
        ];
        match comparisons.iter().find(|(_, same)| !same) {
            Some((value, _)) => Err((*value).to_owned()),
            None => Ok(()),
        }
    }
}
