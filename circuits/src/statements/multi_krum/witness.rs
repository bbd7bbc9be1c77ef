//! What the prover knows: every value that the circuit does not compute from others by addition and multiplication.
//!
//! The synthesis reads these values and computes none of them again. So a test bends one of them, and shows which
//! constraint refuses it.

use super::circuit::synthesize;
use super::widths::{Widths, DISTANCE_LIFT_LOG};
use crate::gadgets::packing::bits_mask;
use crate::gadgets::smallest::{is_smallest, smallest};
use crate::gadgets::Builder;
use crate::statements::gram_binding::{entries, matrix_of, sigma_entries, triangle};
use crate::statements::proof::{all_the_same, AssessmentError, RuleWitness};
use crate::statements::public::{AssessmentPublic, PublicValues};
use ark_bn254::Fr;
use fairshare_protocol::{assess, Detail, GramMatrix, Policy};

/// The private side of an assessment. Vectors have one entry a slot where nothing else is said.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MultiKrumWitness {
    /// The upper triangle, row by row.
    pub(crate) gram: Vec<Fr>,
    pub(crate) active: Vec<bool>,
    /// The largest distance of a score.
    pub(crate) thresholds: Vec<i128>,
    /// The neighbours of each slot, counted without the slot itself.
    pub(crate) nearest: Vec<Vec<bool>>,
    /// The sum of the distances to them; also for slots that are not active, where nothing comes of it.
    pub(crate) scores: Vec<i128>,
    /// The largest rank of a kept slot.
    pub(crate) cut: i128,
    pub(crate) kept: Vec<bool>,
    /// The products of a kept slot with the other kept ones sum to 0 or more.
    pub(crate) positive: Vec<bool>,
    pub(crate) shares: Vec<u32>,
    pub(crate) coherence: u32,
}

impl MultiKrumWitness {
    /// The honest witness.
    ///
    /// # Errors
    /// The rule refuses the matrix, the mask or the policy.
    pub(crate) fn new(
        gram: &GramMatrix,
        active: u128,
        neighbours: u32,
        selected: u32,
    ) -> Result<Self, AssessmentError> {
        let assessment = assess(gram, active, Policy::MultiKrum { neighbours, selected })?;
        let Detail::MultiKrum(detail) = assessment.detail else {
            return Err(AssessmentError::Mismatch { value: "rule" });
        };
        let slots = gram.slots();
        let is_active: Vec<bool> = (0..slots).map(|i| active >> i & 1 == 1).collect();
        let mut thresholds = Vec::with_capacity(slots);
        let mut nearest = Vec::with_capacity(slots);
        let mut scores = Vec::with_capacity(slots);
        for i in 0..slots {
            let row = row(gram, &is_active, i);
            // `assess` has seen that there are as many others.
            let (chosen, threshold) = smallest(&row, neighbours as usize)
                .ok_or(AssessmentError::Mismatch { value: "neighbours" })?;
            scores
                .push(row.iter().zip(&chosen).map(|(distance, chosen)| distance * i128::from(*chosen)).sum());
            thresholds.push(threshold);
            nearest.push(chosen);
        }
        let (kept, cut) = smallest(&ranks(&scores, &is_active), selected as usize)
            .ok_or(AssessmentError::Mismatch { value: "kept slots" })?;
        Ok(Self {
            gram: entries(gram),
            thresholds,
            nearest,
            scores,
            cut,
            kept,
            positive: detail.agreements.iter().map(|sum| *sum >= 0).collect(),
            active: is_active,
            shares: assessment.shares,
            coherence: assessment.coherence,
        })
    }

    /// A witness to run the synthesis with where the values do not matter.
    pub(crate) fn blank(slots: usize) -> Self {
        Self {
            gram: vec![Fr::from(0u64); triangle(slots)],
            active: vec![true; slots],
            thresholds: vec![0; slots],
            nearest: vec![vec![true; slots - 1]; slots],
            scores: vec![0; slots],
            cut: 0,
            kept: vec![true; slots],
            positive: vec![true; slots],
            shares: vec![0; slots],
            coherence: 0,
        }
    }

    pub(crate) fn slots(&self) -> usize {
        self.active.len()
    }

    /// Whether thresholds and neighbours are such as the matrix has: ties leave several.
    fn has_nearest(&self, gram: &GramMatrix, count: usize) -> bool {
        let slots = self.slots();
        [self.thresholds.len(), self.nearest.len()] == [slots; 2]
            && (0..slots).all(|i| {
                is_smallest(&row(gram, &self.active, i), &self.nearest[i], self.thresholds[i], count)
            })
    }
}

/// The distances of a slot to the others, lifted where those are not active.
fn row(gram: &GramMatrix, active: &[bool], i: usize) -> Vec<i128> {
    let entry = |a: usize, b: usize| i128::from(gram.get(a, b));
    let distance = |j: usize| {
        let lift = i128::from(!active[j]) << DISTANCE_LIFT_LOG;
        entry(i, i) + entry(j, j) - 2 * entry(i, j) + lift
    };
    (0..gram.slots()).filter(|j| *j != i).map(distance).collect()
}

/// `N score + slot`, the score lifted where the slot is not active: no two are equal.
fn ranks(scores: &[i128], active: &[bool]) -> Vec<i128> {
    let widths = Widths::new(scores.len());
    let rank = |i: usize| {
        let lift = i128::from(!active[i]) << widths.score_lift_log();
        ((scores[i] + lift) << widths.log) + i as i128
    };
    (0..scores.len()).map(rank).collect()
}

impl RuleWitness for MultiKrumWitness {
    fn synthesize(&self, builder: &mut Builder, public: &PublicValues) {
        synthesize(builder, public, self);
    }

    fn gram(&self) -> &[Fr] {
        &self.gram
    }

    fn check_rule(&self, public: &AssessmentPublic) -> Result<(), AssessmentError> {
        let slots = self.slots();
        let gram = matrix_of(slots, &self.gram)?;
        let Policy::MultiKrum { neighbours, selected } = public.policy else {
            return Err(AssessmentError::Mismatch { value: "rule" });
        };
        let honest = Self::new(&gram, public.active, neighbours, selected)?;
        let ranks = ranks(&honest.scores, &honest.active);
        let cut = self.kept.len() == slots && is_smallest(&ranks, &self.kept, self.cut, selected as usize);
        all_the_same(&[
            ("sigma", public.sigma == sigma_entries(slots, &self.gram, public.rho)),
            ("active mask", self.active == honest.active),
            ("nearest neighbours", self.has_nearest(&gram, neighbours as usize)),
            ("score", self.scores == honest.scores),
            ("kept mask", cut && self.kept == honest.kept && public.kept == bits_mask(&honest.kept)),
            ("contribution", self.positive == honest.positive),
            ("share", self.shares == honest.shares && public.shares == honest.shares),
            ("weight", public.weights == honest.shares),
            ("coherence", self.coherence == honest.coherence && public.coherence == honest.coherence),
        ])
    }
}
