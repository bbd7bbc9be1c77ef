//! Every way of cheating that we know, by its name; and for each part of the transcript the attack that it is there
//! against.

use super::liar::{bend_value, Known, Liar};
use super::prover::{Lookup, RangeWitness};
use super::tests::{large_srs, random_update};
use super::transcript::Part;
use super::verifier::Challenges;
use super::RangeTable;
use crate::curve::field::fr_from_i64;
use ark_bn254::Fr;
use ark_ff::{Field, One, UniformRand, Zero};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

const D: usize = 24;
const LIMBS: RangeTable = RangeTable::Limbs8;
const REFUSED: &str = "RangeIdentityFailed";

fn honest() -> RangeWitness {
    RangeWitness::of_update(LIMBS, &random_update(D, 11))
}

/// The honest witness with other limbs for some entries; counts stay those of the honest one.
fn with_limbs(changes: &[(usize, Fr, Fr)]) -> RangeWitness {
    let mut witness = honest();
    for (j, high, low) in changes {
        witness.columns[0][*j] = *high;
        witness.columns[1][*j] = *low;
    }
    witness
}

fn random(seed: u64) -> Fr {
    Fr::rand(&mut ChaCha20Rng::seed_from_u64(seed))
}

/// Refused as it is; and when a value is bent so that the identity holds, by the opening.
fn refused(witness: RangeWitness) {
    let liar = Liar::new(LIMBS, D, witness);
    assert_eq!(liar.verdicts(), (REFUSED, REFUSED));
    for index in 0..14 {
        let bend =
            |values: &mut Vec<[Fr; 2]>, c: &Challenges, known: &Known| bend_value(values, index, c, known);
        let bent = Liar { on_values: &bend, ..Liar::new(LIMBS, D, liar.witness.clone()) };
        assert_eq!(bent.verdicts().0, "PairingFailed", "value {index} bent");
    }
}

#[test]
fn the_liar_without_a_lie_is_accepted() {
    assert_eq!(Liar::new(LIMBS, D, honest()).verdicts(), ("accepted", "accepted"));
}

#[test]
fn one_entry_of_two_to_the_fifteen_is_refused() {
    let of = |value: i64| fr_from_i64(value);
    // 2^16 shifted: a high limb of 256, a low limb of 256 under 255, and a high limb that is no integer.
    refused(with_limbs(&[(5, of(256), of(0))]));
    refused(with_limbs(&[(5, of(255), of(256))]));
    refused(with_limbs(&[(5, Fr::from(256u64).inverse().unwrap() * of(65_536 - 7), of(7))]));
}

#[test]
fn one_entry_below_the_least_is_refused() {
    refused(with_limbs(&[(0, fr_from_i64(0), fr_from_i64(-1))]));
    refused(with_limbs(&[(D - 1, fr_from_i64(-1), fr_from_i64(255))]));
}

/// `(x, i x)` with `i^2 = -1`: it leaves every inner product as it was, and is no pair of small integers.
#[test]
fn the_isotropic_pair_is_refused() {
    let i = (-Fr::one()).sqrt().unwrap();
    let (x, offset) = (random(1), Fr::from(1u64 << 15));
    refused(with_limbs(&[(3, Fr::zero(), x + offset), (4, Fr::zero(), i * x + offset)]));
    // Small in the high limb.
    let base = Fr::from(256u64);
    let low = |value: Fr, high: u64| value + offset - base * Fr::from(high);
    refused(with_limbs(&[(3, Fr::from(9u64), low(x, 9)), (4, Fr::from(200u64), low(i * x, 200))]));
}

#[test]
fn multiplicities_off_by_one_are_refused() {
    let mut more = honest();
    more.counts[17] += Fr::one();
    refused(more);
    let mut moved = honest();
    moved.counts[17] += Fr::one();
    moved.counts[18] -= Fr::one();
    refused(moved);
    let mut none = honest();
    none.counts.fill(Fr::zero());
    refused(none);
}

/// Fractions that are no inverses, of a true and of a false witness.
#[test]
fn fractions_that_are_no_inverses_are_refused() {
    let lies: [&dyn Fn(&mut Lookup); 5] = [
        &|l| l.fractions[0][2] += Fr::one(),
        &|l| l.fractions[1][2] = Fr::zero(),
        &|l| l.table_fractions[9] += Fr::one(),
        // Sums that agree while single fractions do not.
        &|l| {
            l.fractions[0][2] += Fr::one();
            l.fractions[1][2] -= Fr::one();
        },
        &|l| {
            let sum: Fr = l.fractions.iter().flatten().sum();
            let own: Fr = l.table_fractions.iter().sum();
            l.table_fractions[0] += sum - own;
        },
    ];
    for (index, lie) in lies.into_iter().enumerate() {
        let on_lookup = |lookup: &mut Lookup, _: &Challenges, _: &Known| lie(lookup);
        // With a true witness the last lie is the truth.
        for witness in [honest(), with_limbs(&[(5, random(2), random(3))])].into_iter().skip(index / 4) {
            let liar = Liar { on_lookup: &on_lookup, ..Liar::new(LIMBS, D, witness) };
            assert_eq!(liar.verdicts().0, REFUSED, "lie {index}");
        }
    }
}

/// What the constant term lacks cannot hide in `S`: no power of `X` moves it.
#[test]
fn nothing_hides_in_the_laurent_rest() {
    let on_s = |s: &mut Vec<Fr>, _: &Challenges, known: &Known| {
        s[0] -= known.missing;
    };
    let liar = Liar { on_s: &on_s, ..Liar::new(LIMBS, D, with_limbs(&[(5, random(2), random(3))])) };
    assert_eq!(liar.verdicts().0, REFUSED);
}

/// The argument is about the entries below `d`. What lies beyond it accepts, and leaves to the Gram argument.
#[test]
fn entries_beyond_the_dimension_are_the_gram_arguments_business() {
    let mut witness = honest();
    witness.columns[0].extend([Fr::zero(), Fr::zero()]);
    witness.columns[1].extend([Fr::zero(), random(4)]);
    assert_eq!(Liar::new(LIMBS, D, witness).verdicts().0, "accepted");
}

#[test]
fn bad_entries_are_refused_by_the_table_of_sixteen_bits() {
    for entry in [fr_from_i64(1 << 15), fr_from_i64(-(1 << 15) - 1), random(5)] {
        let mut witness = RangeWitness::of_update(RangeTable::Bits16, &random_update(4, 12));
        witness.columns[0][2] = entry;
        let liar = Liar::new(RangeTable::Bits16, 4, witness.clone());
        assert_eq!(liar.verdicts_with(large_srs()).0, REFUSED);
        let bend = |values: &mut Vec<[Fr; 2]>, c: &Challenges, known: &Known| bend_value(values, 6, c, known);
        let bent = Liar { on_values: &bend, ..Liar::new(RangeTable::Bits16, 4, witness) };
        assert_eq!(bent.verdicts_with(large_srs()).0, "PairingFailed");
    }
}

// --- what every part of the transcript is there for: who forgets it accepts a lie

/// `sum_t m_t / (beta + t)` less `sum 1 / (beta + v)` over all entries of all columns.
fn imbalance(witness: &RangeWitness, beta: Fr) -> Fr {
    let of_table: Fr = witness.counts.iter().enumerate().map(|(t, m)| *m / (beta + Fr::from(t as u64))).sum();
    let of_entries: Fr =
        witness.columns.iter().flat_map(|c| &c[..D]).map(|v| (beta + v).inverse().unwrap()).sum();
    of_table - of_entries
}

fn bad() -> RangeWitness {
    with_limbs(&[(0, Fr::zero(), random(6))])
}

fn accepted_where_forgotten(liar: &Liar<'_>) {
    assert_eq!(liar.verdicts().1, "accepted", "the attack works where {:?} is forgotten", liar.forgets);
    assert_ne!(liar.verdicts().0, "accepted", "and not otherwise");
}

#[test]
fn who_forgets_the_commitment_accepts_an_entry_chosen_after_beta() {
    let mut witness = honest();
    witness.counts[0] += Fr::one();
    // The low limb of one entry is solved for; the high limbs are committed to.
    let on_witness = |w: &mut RangeWitness, c: &Challenges, _: &Known| {
        let needed = imbalance(w, c.beta) + (c.beta + w.columns[1][0]).inverse().unwrap();
        w.columns[1][0] = needed.inverse().unwrap() - c.beta;
    };
    let forgets = Some(Part::Commitment);
    accepted_where_forgotten(&Liar { forgets, on_witness: &on_witness, ..Liar::new(LIMBS, D, witness) });
}

#[test]
fn who_forgets_the_multiplicities_accepts_any_entry() {
    let on_witness = |w: &mut RangeWitness, c: &Challenges, _: &Known| {
        let excess = imbalance(w, c.beta);
        w.counts[0] -= excess * c.beta;
    };
    let forgets = Some(Part::Counts);
    accepted_where_forgotten(&Liar { forgets, on_witness: &on_witness, ..Liar::new(LIMBS, D, bad()) });
}

#[test]
fn who_forgets_the_high_limbs_accepts_a_false_split() {
    // With a = beta + hi, b = beta + lo = e - 256 a, e = 257 beta + u + 2^15: 1/a + 1/b = tau is a quadratic equation
    // in a.
    let on_witness = |w: &mut RangeWitness, c: &Challenges, _: &Known| {
        let (high, low) = (w.columns[0][0], w.columns[1][0]);
        let own = (c.beta + high).inverse().unwrap() + (c.beta + low).inverse().unwrap();
        let tau = imbalance(w, c.beta) + own;
        let base = Fr::from(256u64);
        let shifted = base * high + low;
        let e = Fr::from(257u64) * c.beta + shifted;
        let (two_a, b) = (Fr::from(512u64) * tau, Fr::from(255u64) + tau * e);
        if let Some(root) = (b.square() - (two_a + two_a) * e).sqrt() {
            w.columns[0][0] = (b + root) / two_a - c.beta;
            w.columns[1][0] = shifted - base * w.columns[0][0];
        }
    };
    // Half of all entries have a root.
    let found = (0..24).find(|seed| {
        let witness = with_limbs(&[(0, Fr::zero(), random(100 + seed))]);
        let liar =
            Liar { forgets: Some(Part::High), on_witness: &on_witness, ..Liar::new(LIMBS, D, witness) };
        let (truth, forgetful) = liar.verdicts();
        assert_ne!(truth, "accepted");
        forgetful == "accepted"
    });
    assert!(found.is_some());
}

#[test]
fn who_forgets_the_fractions_accepts_any_entry() {
    let on_lookup = |l: &mut Lookup, c: &Challenges, known: &Known| {
        let slope = l.columns[0][0] + c.beta + c.g.pow([3]);
        l.fractions[0][0] += known.missing / slope;
    };
    let forgets = Some(Part::Fractions);
    accepted_where_forgotten(&Liar { forgets, on_lookup: &on_lookup, ..Liar::new(LIMBS, D, bad()) });
}

#[test]
fn who_forgets_the_tables_fractions_accepts_any_entry() {
    let on_lookup = |l: &mut Lookup, c: &Challenges, known: &Known| {
        let slope = c.g.square() * c.beta - c.g.pow([3]);
        l.table_fractions[0] += known.missing / slope;
    };
    let forgets = Some(Part::TableFractions);
    accepted_where_forgotten(&Liar { forgets, on_lookup: &on_lookup, ..Liar::new(LIMBS, D, bad()) });
}

#[test]
fn who_forgets_the_laurent_rest_accepts_any_entry() {
    let on_s = |s: &mut Vec<Fr>, c: &Challenges, known: &Known| {
        if !c.z.is_zero() {
            s[0] -= (known.missing + known.missing) / (c.z + c.z.inverse().unwrap());
        }
    };
    accepted_where_forgotten(&Liar { forgets: Some(Part::S), on_s: &on_s, ..Liar::new(LIMBS, D, bad()) });
}

#[test]
fn who_forgets_the_values_accepts_values_that_fit_gamma() {
    // S(z) moves, and U(z) against it, so that what is opened stays as it is.
    let on_values = |values: &mut Vec<[Fr; 2]>, c: &Challenges, known: &Known| {
        let excess =
            |values: &[[Fr; 2]]| super::verifier::identity_excess(known.table, known.dimension, values, c);
        let shift = |values: &mut Vec<[Fr; 2]>, by: Fr| {
            values[2][0] += by;
            values[0][0] -= by * c.gamma.square();
        };
        let before = excess(values);
        shift(values, Fr::one());
        let slope = excess(values) - before;
        shift(values, -Fr::one() - before / slope);
    };
    let forgets = Some(Part::Values);
    accepted_where_forgotten(&Liar { forgets, on_values: &on_values, ..Liar::new(LIMBS, D, bad()) });
}

#[test]
fn who_forgets_the_quotient_accepts_any_values() {
    let on_values =
        |values: &mut Vec<[Fr; 2]>, c: &Challenges, known: &Known| bend_value(values, 0, c, known);
    let liar = Liar {
        forgets: Some(Part::W),
        on_values: &on_values,
        forges_opening: true,
        ..Liar::new(LIMBS, D, bad())
    };
    accepted_where_forgotten(&liar);
}
