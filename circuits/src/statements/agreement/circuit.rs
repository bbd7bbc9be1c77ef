//! The constraints of the rule "agreement" (docs/protocol.md section 6). Each heading is one of the ways to cheat that
//! the tests try.

use super::widths::{Widths, CLIP, CONTRIBUTION_SHIFT, NORM, THETA, WEIGHT_SHIFT};
use super::witness::AgreementWitness;
use crate::gadgets::comparison::{not_negative_bit, zero_bit};
use crate::gadgets::division::{floor_division, shifted_product};
use crate::gadgets::order_statistic::{lower_median, Active};
use crate::gadgets::packing::pack_combinations;
use crate::gadgets::range::range;
use crate::gadgets::square_root::square_root;
use crate::gadgets::trimmed_sum::{window, window_sum};
use crate::r1cs::linear_combination::power_of_two;
use crate::r1cs::lookup;
use crate::r1cs::{Builder, LinearCombination};
use crate::statements::gram_binding::{bind_sigma, position};
use crate::statements::outcome::{self, FRACTION};
use crate::statements::public::PublicValues;
use ark_bn254::Fr;

/// Writes the circuit of `witness.slots()` slots.
pub(crate) fn synthesize(builder: &mut Builder, public: &PublicValues, witness: &AgreementWitness) {
    let public = public.allocate(builder);
    let [theta, trim_count] = &public.policy;
    let gram: Vec<LinearCombination> = witness.gram.iter().map(|value| builder.committed(*value)).collect();
    let mut circuit =
        Circuit { slots: witness.slots(), widths: Widths::new(witness.slots()), builder, witness, gram };

    // The Gram matrix is that of the committed updates.
    circuit.builder.section("sigma");
    bind_sigma(circuit.builder, circuit.slots, &circuit.gram, &public.rho, &public.sigma);

    // The rule.
    let (active, count) = circuit.active_slots(&public.active);
    let norms = circuit.norms();
    let clip = circuit.clip_factors(&norms, &active, &count);
    let window = circuit.trim_window(&count, trim_count);
    let agreements = circuit.agreements(&clip, &active, &window);
    let contributions = circuit.contributions(&clip, &agreements);
    let kept = circuit.kept(&contributions, &active, &count, theta, &public.kept);
    let shares = circuit.shares(&contributions, &kept, &public.shares);
    let weights = circuit.weights(&shares, &clip, &public.weights);
    circuit.builder.section("coherence");
    outcome::coherence(
        circuit.builder,
        &circuit.gram,
        &weights,
        circuit.witness.coherence,
        &public.coherence,
    );
    lookup::close(circuit.builder, &public.chi);
}

struct Circuit<'a> {
    slots: usize,
    widths: Widths,
    builder: &'a mut Builder,
    witness: &'a AgreementWitness,
    gram: Vec<LinearCombination>,
}

impl Circuit<'_> {
    fn entry(&self, i: usize, j: usize) -> &LinearCombination {
        &self.gram[position(self.slots, i, j)]
    }

    /// Active mask: one bit per slot; together they are what the policy words leave of `packed_inputs`.
    fn active_slots(&mut self, mask: &LinearCombination) -> (Vec<LinearCombination>, LinearCombination) {
        self.builder.section("active slots");
        outcome::active_slots(self.builder, &self.witness.active, mask)
    }

    /// Norms: `n_i = isqrt(G_ii)`, which also gives the diagonal its range.
    fn norms(&mut self) -> Vec<LinearCombination> {
        self.builder.section("norms");
        (0..self.slots)
            .map(|i| {
                let diagonal = self.entry(i, i).clone();
                square_root(self.builder, &diagonal, Fr::from(self.witness.norms[i]))
            })
            .collect()
    }

    /// Clip factors: `2^16` where `n_i <= tau`, else `floor(2^16 tau / n_i)`, with `tau` the lower median norm.
    ///
    /// With `u` the bit `n_i <= tau`: `s_i n_i + remainder = 2^16 min(n_i, tau)`, `remainder < n_i + u`, and
    /// `u (s_i - 2^16) = 0`. `n_i = 0` has `u = 1`, since `tau >= 0`.
    fn clip_factors(
        &mut self,
        norms: &[LinearCombination],
        active: &[LinearCombination],
        count: &LinearCombination,
    ) -> Vec<LinearCombination> {
        self.builder.section("median norm");
        let tau = self.builder.witness(Fr::from(self.witness.tau));
        let over = Active { bits: active, count, count_log: self.widths.log };
        let unclipped = lower_median(self.builder, norms, &tau, &over, NORM, &self.witness.unclipped);

        self.builder.section("clip factors");
        let one = LinearCombination::constant(power_of_two(16));
        let mut factors = Vec::with_capacity(self.slots);
        for (i, (norm, unclipped)) in norms.iter().zip(&unclipped).enumerate() {
            let length = self.builder.product(unclipped, &norm.minus(&tau)).plus(&tau);
            let numerator = length.times(power_of_two(16));
            let claim = Fr::from(self.witness.clip_factors[i]);
            let factor = floor_division(self.builder, &numerator, norm, unclipped, claim, CLIP);
            self.builder.enforce(unclipped, &factor.minus(&one), &LinearCombination::zero());
            factors.push(factor);
        }
        factors
    }

    /// Trim window: ranks `f .. n_active - 1 - f` count in every row, and there is at least one.
    fn trim_window(
        &mut self,
        count: &LinearCombination,
        trim_count: &LinearCombination,
    ) -> Vec<LinearCombination> {
        self.builder.section("trim window");
        let to = count.minus(&LinearCombination::one()).minus(trim_count);
        let spare = to.minus(trim_count).minus(&LinearCombination::one());
        range(self.builder, &spare, self.widths.spare());
        window(self.builder, self.slots - 1, trim_count, &to, self.witness.window)
    }

    /// Agreements: `a_i` is the sum of the row `s_j G_ij`, `j != i`, over the window of its descending order.
    fn agreements(
        &mut self,
        clip: &[LinearCombination],
        active: &[LinearCombination],
        window: &[LinearCombination],
    ) -> Vec<LinearCombination> {
        self.builder.section("agreements");
        let mut sums = Vec::with_capacity(self.slots);
        for i in 0..self.slots {
            let others: Vec<usize> = (0..self.slots).filter(|j| *j != i).collect();
            let mut row = Vec::with_capacity(others.len());
            for j in &others {
                let entry = self.entry(i, *j).clone();
                row.push(self.builder.product(&clip[*j], &entry));
            }
            let active: Vec<LinearCombination> = others.iter().map(|j| active[*j].clone()).collect();
            sums.push(window_sum(self.builder, &row, &active, window, &self.witness.orders[i]));
        }
        sums
    }

    /// Contributions: `c_i = max(0, floor(s_i a_i / 2^32))`.
    ///
    /// With `b` the sign bit, `(2 b - 1) s_i a_i = 2^32 t + remainder` and `c_i = b t`. A product below zero has no
    /// decomposition with `b = 1`, one above zero none with `b = 0`; at zero both give 0.
    fn contributions(
        &mut self,
        clip: &[LinearCombination],
        agreements: &[LinearCombination],
    ) -> Vec<LinearCombination> {
        self.builder.section("contributions");
        let bits = self.widths.contribution();
        let mut contributions = Vec::with_capacity(self.slots);
        for (i, (clip, agreement)) in clip.iter().zip(agreements).enumerate() {
            let product = self.builder.product(clip, agreement);
            let positive = self.builder.bit(self.witness.positive[i]);
            let sign = positive.times(Fr::from(2u64)).minus(&LinearCombination::one());
            let claim = Fr::from(self.witness.magnitudes[i]);
            let magnitude = shifted_product(self.builder, &sign, &product, CONTRIBUTION_SHIFT, claim, bits);
            contributions.push(self.builder.product(&positive, &magnitude));
        }
        contributions
    }

    /// Outliers: kept exactly where `256 c_i >= max(1, theta M)`, `M` the lower median contribution. A slot that is not
    /// active contributes 0 and is never kept.
    fn kept(
        &mut self,
        contributions: &[LinearCombination],
        active: &[LinearCombination],
        count: &LinearCombination,
        theta: &LinearCombination,
        kept_mask: &LinearCombination,
    ) -> Vec<LinearCombination> {
        self.builder.section("median contribution");
        let median = self.builder.witness(Fr::from(self.witness.median));
        let over = Active { bits: active, count, count_log: self.widths.log };
        let bits = self.widths.contribution();
        lower_median(self.builder, contributions, &median, &over, bits, &self.witness.at_most_median);

        self.builder.section("kept slots");
        range(self.builder, theta, THETA);
        let scaled = self.builder.product(theta, &median);
        let none = zero_bit(self.builder, &scaled);
        let threshold = scaled.plus(&none);
        let mut kept = Vec::with_capacity(self.slots);
        for (contribution, claim) in contributions.iter().zip(&self.witness.kept) {
            let over = contribution.times(Fr::from(256u64)).minus(&threshold);
            kept.push(not_negative_bit(self.builder, &over, self.widths.threshold(), *claim));
        }
        self.builder.equal(&pack_combinations(&kept, 1), kept_mask);
        kept
    }

    /// Pay shares: `p_i = floor(2^16 c_i / sum of the kept c)`, 0 for a slot not kept; divided by 1 when none is kept.
    fn shares(
        &mut self,
        contributions: &[LinearCombination],
        kept: &[LinearCombination],
        packed: &[LinearCombination],
    ) -> Vec<LinearCombination> {
        self.builder.section("shares");
        let counted: Vec<LinearCombination> =
            contributions.iter().zip(kept).map(|(c, kept)| self.builder.product(kept, c)).collect();
        let bits = self.widths.contribution() + self.widths.log;
        outcome::shares(self.builder, &counted, &self.witness.shares, packed, bits)
    }

    /// Model weights: `w_i = floor(p_i s_i / 2^16)`.
    fn weights(
        &mut self,
        shares: &[LinearCombination],
        clip: &[LinearCombination],
        packed: &[LinearCombination],
    ) -> Vec<LinearCombination> {
        self.builder.section("weights");
        let mut weights = Vec::with_capacity(self.slots);
        for (i, (share, clip)) in shares.iter().zip(clip).enumerate() {
            let claim = Fr::from(self.witness.weights[i]);
            weights.push(shifted_product(self.builder, share, clip, WEIGHT_SHIFT, claim, FRACTION));
        }
        outcome::equal_packed(self.builder, &weights, packed);
        weights
    }
}
