//! Shared by the tests of statements: constraints of a size, rounds, and a witness with its public inputs to bend.

use super::agreement::AgreementWitness;
use super::assessment::AssessmentCircuit;
use super::gram_binding::{sigma_entries, triangle};
use super::public::{AssessmentPublic, PublicValues};
use super::rule::RuleWitness;
use crate::r1cs::linear_combination::power_of_two;
use crate::r1cs::R1cs;
use ark_bn254::Fr;
use ark_ff::Field;
use fairshare_protocol::{assess, GramMatrix, RoundPolicy, RuleName, SlotMask};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::OnceLock;

/// The constraints of a circuit, made once for all tests.
pub(crate) fn system(size: usize) -> &'static R1cs {
    static SYSTEMS: [OnceLock<R1cs>; 5] = [const { OnceLock::new() }; 5];
    let circuit = AssessmentCircuit { rule: RuleName::Agreement, size: size as u8 };
    SYSTEMS[size.trailing_zeros() as usize - 3].get_or_init(|| circuit.system().unwrap())
}

pub(crate) fn rho(seed: u64) -> Fr {
    Fr::from(seed + 77).pow([55])
}

/// A round: its matrix and what the contract fixes.
#[derive(Debug, Clone)]
pub(crate) struct Round {
    pub(crate) gram: GramMatrix,
    pub(crate) active: SlotMask,
    pub(crate) policy: RoundPolicy,
}

impl Round {
    /// Updates in the slots of `active`.
    pub(crate) fn of_updates(
        size: usize,
        active: SlotMask,
        updates: &[Vec<i16>],
        policy: RoundPolicy,
    ) -> Self {
        let slots: Vec<Option<&[i16]>> =
            (0..size).map(|i| active.contains(i).then(|| updates[i].as_slice())).collect();
        Self { gram: GramMatrix::compute(&slots).unwrap(), active, policy }
    }

    pub(crate) fn public(&self) -> AssessmentPublic {
        let assessment = assess(&self.gram, self.active, self.policy).unwrap();
        AssessmentPublic::new(&self.gram, [rho(5), rho(6)], self.active, self.policy, &assessment)
    }

    pub(crate) fn witness(&self) -> AgreementWitness {
        let assessment = assess(&self.gram, self.active, self.policy).unwrap();
        AgreementWitness::honest(&self.gram, self.active, self.policy, &assessment)
    }

    /// Native check and circuit accept what the rule says.
    pub(crate) fn accepted(&self) -> Result<(), String> {
        let (public, witness) = (self.public(), self.witness());
        witness.check(&public)?;
        refused_in(&public, &witness).map_or(Ok(()), |section| Err(section.to_owned()))
    }
}

/// The section of the first constraint that does not hold, for the circuit of `size` slots.
fn refusal(size: usize, values: &PublicValues, witness: &dyn RuleWitness) -> Option<&'static str> {
    let system = system(size);
    let mut builder = system.assigning();
    witness.synthesize(&mut builder, values);
    system.first_broken(&builder.assignment().unwrap()).map(|(_, section)| section)
}

fn refused_in(public: &AssessmentPublic, witness: &dyn RuleWitness) -> Option<&'static str> {
    let size = public.shares.len();
    refusal(size, &public.values(size), witness)
}

/// Circuit and native check accept it.
#[track_caller]
pub(crate) fn assert_accepted(public: &AssessmentPublic, witness: &dyn RuleWitness) {
    assert_eq!(refused_in(public, witness), None);
    witness.check(public).unwrap();
}

/// The circuit refuses it in the section that exists for it, and so does the native check.
#[track_caller]
pub(crate) fn assert_refused(public: &AssessmentPublic, witness: &dyn RuleWitness, expected: &str) {
    assert_eq!(refused_in(public, witness), Some(expected));
    assert!(witness.check(public).is_err(), "the native check accepts it");
}

/// The same public inputs, of which the prover claims other policy words: the circuit refuses it in the section that
/// exists for it. There is nothing to check natively, where the words are given.
#[track_caller]
pub(crate) fn assert_claim_refused(
    public: &AssessmentPublic,
    witness: &dyn RuleWitness,
    expected: &str,
    claim: impl Fn([Fr; 2]) -> [Fr; 2],
) {
    let size = public.shares.len();
    let mut values = public.values(size);
    values.policy = claim(values.policy);
    assert_eq!(refusal(size, &values, witness), Some(expected));
}

/// `slot`, which the witness leaves out, and a policy word that is no integer makes up for it.
#[track_caller]
pub(crate) fn assert_slot_is_no_part_of_a_policy_word(
    public: &AssessmentPublic,
    witness: &dyn RuleWitness,
    slot: usize,
) {
    for (word, weight) in [power_of_two(128), power_of_two(144)].into_iter().enumerate() {
        assert_claim_refused(public, witness, "policy words", |mut policy| {
            policy[word] += power_of_two(slot) / weight;
            policy
        });
    }
}

/// A unit less in a policy word is `2^128` more for the mask.
#[track_caller]
pub(crate) fn assert_policy_unit_is_no_bit_of_the_mask(public: &AssessmentPublic, witness: &dyn RuleWitness) {
    assert_claim_refused(public, witness, "active slots", |[first, second]| [first - Fr::from(1u64), second]);
}

/// Binds `sigma` to the witness' own matrix.
pub(crate) fn rebind(public: &mut AssessmentPublic, gram: &[Fr]) {
    public.sigma = sigma_entries(public.shares.len(), gram, public.rho);
}

/// Every two public inputs, and every two parts of the outcome under a digest of their own, change places, and every
/// one is moved by `2^100`: none of it is accepted.
#[track_caller]
pub(crate) fn assert_inputs_have_their_places(public: &AssessmentPublic, witness: &dyn RuleWitness) {
    let size = public.shares.len();
    let PublicValues { inputs, policy, outcome } = public.values(size);
    let accepted = |values| refusal(size, &values, witness).is_none();
    let of_inputs = |inputs: &[Fr]| {
        let inputs = inputs.try_into().expect("as many");
        accepted(PublicValues { inputs, policy, outcome: outcome.clone() })
    };
    let of_outcome = |outcome: &[Fr]| {
        let [rho, packed, chi, _] = inputs;
        accepted(PublicValues::new([rho, packed], policy, chi, outcome.to_vec()))
    };
    let parts: [(&[Fr], &dyn Fn(&[Fr]) -> bool); 2] = [(&inputs, &of_inputs), (&outcome, &of_outcome)];
    for (fields, accepted) in parts {
        for i in 0..fields.len() {
            for j in i + 1..fields.len() {
                let mut swapped = fields.to_vec();
                swapped.swap(i, j);
                assert_eq!(accepted(&swapped), fields[i] == fields[j], "{i} and {j} of {}", fields.len());
            }
            let mut bent = fields.to_vec();
            bent[i] += Fr::from(1u128 << 100);
            assert!(!accepted(&bent), "{i} of {}", fields.len());
        }
    }
}

/// Updates of one direction with noise: slot `i` of length `amplitude * (i + 1)`, every fifth one turned round.
pub(crate) fn updates(size: usize, amplitude: i16, seed: u64) -> Vec<Vec<i16>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let base: Vec<i32> = (0..64).map(|_| rng.gen_range(-100..=100)).collect();
    (0..size)
        .map(|i| {
            let sign = if i % 5 == 4 { -1 } else { 1 };
            let scale = i32::from(amplitude) * (i as i32 % 7 + 1);
            base.iter().map(|b| (sign * (b + rng.gen_range(-60..=60)) * scale / 100) as i16).collect()
        })
        .collect()
}

/// An active mask of at least `least` slots.
pub(crate) fn active_mask(size: usize, least: u32) -> impl Strategy<Value = SlotMask> {
    (any::<u128>(), any::<bool>()).prop_map(move |(mask, all)| {
        let every = SlotMask::lowest(size as u32);
        let mask = if all { every } else { every & SlotMask::from(mask) };
        if mask.count() < least {
            SlotMask::lowest(least)
        } else {
            mask
        }
    })
}

/// Real updates: random, duplicates, zeros, extremes, opposite ones.
pub(crate) fn real_updates(size: usize) -> impl Strategy<Value = Vec<Vec<i16>>> {
    let update = |(kind, seed): (usize, u64)| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut random = |bound: i16| (0..24).map(|_| rng.gen_range(-bound..=bound)).collect();
        match kind {
            0 => vec![0; 24],
            1 => vec![i16::MAX; 24],
            2 => vec![i16::MIN; 24],
            3 => vec![1; 24],
            4 => (0..24).map(|j| if j == seed as usize % 24 { 1 } else { 0 }).collect(),
            5 => vec![-1; 24],
            6 => random(3),
            7 => random(i16::MAX),
            _ => vec![300; 24],
        }
    };
    prop::collection::vec((0usize..9, any::<u64>()).prop_map(update), size)
}

/// Matrices of any entries in range, off the diagonal divided by some power of two. Many belong to no updates, and
/// some of these have no coherence: the rules refuse them.
pub(crate) fn any_matrix(size: usize, active: SlotMask) -> impl Strategy<Value = GramMatrix> {
    let extreme = 1i64 << 52;
    let entry =
        prop_oneof![Just(extreme), Just(-extreme), Just(0), -2i64..3, -extreme..=extreme, 1i64..1 << 30];
    let norm = prop_oneof![4 => Just(extreme), 1 => Just(0), 2 => 0i64..9, 4 => extreme / 64..extreme];
    let entries = prop::collection::vec((entry, norm), triangle(size));
    (entries, 0u32..12).prop_map(move |(entries, shift)| {
        let on = |i: usize| active.contains(i);
        let places = (0..size).flat_map(|i| (i..size).map(move |j| (i, j)));
        let value = |((i, j), (entry, norm)): ((usize, usize), (i64, i64))| match () {
            () if !on(i) || !on(j) => 0,
            () if i == j => norm,
            () => entry >> shift,
        };
        GramMatrix::from_upper(size, places.zip(entries).map(value).collect()).unwrap()
    })
}

/// Every entry at a bound, with the signs of products where every `flipped + 1`th slot is turned round.
pub(crate) fn extreme_matrix(size: usize, flipped: usize) -> GramMatrix {
    let places = (0..size).flat_map(|i| (i..size).map(move |j| (i, j)));
    let sign = |i: usize| if flipped != 0 && i.is_multiple_of(flipped + 1) { -1 } else { 1 };
    GramMatrix::from_upper(size, places.map(|(i, j)| (sign(i) * sign(j)) << 52).collect()).unwrap()
}
