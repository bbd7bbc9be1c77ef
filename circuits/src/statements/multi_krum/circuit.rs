//! The constraints of the rule "multi-krum" (docs/protocol.md sections 6 and 13.9). Each heading is one of the ways to
//! cheat that the tests try.

use super::widths::{Widths, DISTANCE, DISTANCE_LIFT_LOG};
use super::witness::MultiKrumWitness;
use crate::gadgets::builder::{power_of_two, signed, Builder, Wire};
use crate::gadgets::comparison::not_negative_bit;
use crate::gadgets::lookup;
use crate::gadgets::packing::pack_wires;
use crate::gadgets::range::range;
use crate::gadgets::smallest::{choose_smallest, smallest_sum};
use crate::statements::gram_binding::{bind_entries, bind_sigma, position, Diagonal};
use crate::statements::outcome;
use crate::statements::public::PublicValues;
use ark_bn254::Fr;

/// Writes the circuit of `witness.slots()` slots.
pub(super) fn synthesize(builder: &mut Builder, public: &PublicValues, witness: &MultiKrumWitness) {
    let public = public.allocate(builder);
    let [neighbours, selected] = &public.policy;
    let gram: Vec<Wire> = witness.gram.iter().map(|value| builder.committed(*value)).collect();
    let slots = witness.slots();
    let mut circuit = Circuit { slots, widths: Widths::new(slots), builder, witness, gram };

    // The Gram matrix is the one that the transcript holds.
    bind_entries(circuit.builder, slots, &circuit.gram, Diagonal::Ranged, &public.h);
    circuit.builder.section("sigma");
    bind_sigma(circuit.builder, slots, &circuit.gram, &public.rho, &public.sigma);

    // The rule.
    circuit.builder.section("active slots");
    let (active, count) = outcome::active_slots(circuit.builder, &witness.active, &public.active);
    circuit.policy(&count, neighbours, selected);
    let scores = circuit.scores(&active, neighbours);
    let kept = circuit.kept(&scores, &active, selected, &public.kept);
    let contributions = circuit.contributions(&kept);
    circuit.builder.section("shares");
    let bits = circuit.widths.contribution() + circuit.widths.log;
    let shares = outcome::shares(circuit.builder, &contributions, &witness.shares, &public.shares, bits);
    // Model weights: `w_i = p_i`, since every clip factor is one.
    circuit.builder.section("weights");
    outcome::equal_packed(circuit.builder, &shares, &public.weights);
    circuit.builder.section("coherence");
    outcome::coherence(circuit.builder, &circuit.gram, &shares, witness.coherence, &public.coherence);
    lookup::close(circuit.builder, &public.chi);
}

struct Circuit<'a> {
    slots: usize,
    widths: Widths,
    builder: &'a mut Builder,
    witness: &'a MultiKrumWitness,
    gram: Vec<Wire>,
}

impl Circuit<'_> {
    fn entry(&self, i: usize, j: usize) -> &Wire {
        &self.gram[position(self.slots, i, j)]
    }

    /// Policy: `1 <= k < n_active` and `2 <= m`. That `m <= n_active` follows from who is kept.
    fn policy(&mut self, count: &Wire, neighbours: &Wire, selected: &Wire) {
        self.builder.section("policy");
        let bits = self.widths.spare();
        let one = Wire::one();
        range(self.builder, &neighbours.minus(&one), bits);
        range(self.builder, &count.minus(neighbours).minus(&one), bits);
        range(self.builder, &selected.minus(&one).minus(&one), bits);
    }

    /// Scores: the sum of the `k` smallest distances `G_ii + G_jj - 2 G_ij`, `j != i`. Slots that are not active are
    /// further away than all others, and there are more than `k` others.
    fn scores(&mut self, active: &[Wire], neighbours: &Wire) -> Vec<Wire> {
        self.builder.section("scores");
        let mut scores = Vec::with_capacity(self.slots);
        for i in 0..self.slots {
            let mut row = Vec::with_capacity(self.slots - 1);
            for j in (0..self.slots).filter(|j| *j != i) {
                let mut distance = self.entry(i, i).plus(self.entry(j, j));
                distance.add_scaled(self.entry(i, j), -Fr::from(2u64));
                lift(&mut distance, &active[j], DISTANCE_LIFT_LOG);
                row.push(distance);
            }
            let threshold = self.builder.witness(signed(self.witness.thresholds[i]));
            let (nearest, score) = (&self.witness.nearest[i], signed(self.witness.scores[i]));
            scores.push(smallest_sum(self.builder, &row, neighbours, &threshold, nearest, score, DISTANCE));
        }
        scores
    }

    /// Outliers: the `m` smallest ranks `N score + slot` are kept, and nobody that is not active. Ranks differ from one
    /// another, so the choice is one.
    fn kept(&mut self, scores: &[Wire], active: &[Wire], selected: &Wire, kept_mask: &Wire) -> Vec<Wire> {
        self.builder.section("kept slots");
        let mut ranks = Vec::with_capacity(self.slots);
        for (i, (score, active)) in scores.iter().zip(active).enumerate() {
            let mut lifted = score.clone();
            lift(&mut lifted, active, self.widths.score_lift_log());
            let slot = Wire::constant(Fr::from(i as u64));
            ranks.push(lifted.times(power_of_two(self.widths.log)).plus(&slot));
        }
        let cut = self.builder.witness(signed(self.witness.cut));
        let (claims, bits) = (&self.witness.kept, self.widths.rank());
        let kept = choose_smallest(self.builder, &ranks, selected, &cut, claims, bits).bits;
        for (kept, active) in kept.iter().zip(active) {
            self.builder.enforce(kept, &Wire::one().minus(active), &Wire::zero());
        }
        self.builder.equal(&pack_wires(&kept, 1), kept_mask);
        kept
    }

    /// Contributions: `c_i = max(0, sum of G_ij over kept j != i)` where `i` is kept, else 0.
    fn contributions(&mut self, kept: &[Wire]) -> Vec<Wire> {
        self.builder.section("contributions");
        let mut sums = vec![Wire::zero(); self.slots];
        for i in 0..self.slots {
            for j in i + 1..self.slots {
                let both = self.builder.product(&kept[i], &kept[j]);
                let entry = self.entry(i, j).clone();
                let product = self.builder.product(&both, &entry);
                sums[i].add(&product);
                sums[j].add(&product);
            }
        }
        let bits = self.widths.contribution();
        let mut contributions = Vec::with_capacity(self.slots);
        for (sum, claim) in sums.iter().zip(&self.witness.positive) {
            let positive = not_negative_bit(self.builder, sum, bits, *claim);
            contributions.push(self.builder.product(&positive, sum));
        }
        contributions
    }
}

/// `value += 2^log` where the slot is not active.
fn lift(value: &mut Wire, active: &Wire, log: usize) {
    value.add_scaled(&Wire::one(), power_of_two(log));
    value.add_scaled(active, -power_of_two(log));
}
