//! The honest argument, and every way of cheating it that we know.

use super::*;
use crate::statements::gram_binding::sigma;
use ark_bn254::Bn254;
use ark_ec::pairing::Pairing;
use ark_ff::{One, UniformRand};
use fairshare_protocol::GramMatrix;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

const D: usize = 48;
const ST1: Word = [0x5a; 32];

fn srs() -> ReferenceString {
    ReferenceString::generate_dev(64)
}

fn updates(n: usize, seed: u64) -> Vec<Vec<i16>> {
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    (0..n).map(|_| (0..D).map(|_| rng.gen()).collect()).collect()
}

fn committed(srs: &ReferenceString, slots: &[u8], rows: &[Vec<i16>]) -> Vec<(u8, G1Affine)> {
    slots.iter().zip(rows).map(|(slot, row)| (*slot, srs.commit_update(row).unwrap())).collect()
}

#[derive(Debug, PartialEq)]
enum Refusal {
    DegenerateChallenge,
    LaurentIdentityFailed,
    PairingFailed,
}

impl From<GramRefusal> for Refusal {
    fn from(refusal: GramRefusal) -> Self {
        match refusal {
            GramRefusal::DegenerateChallenge => Self::DegenerateChallenge,
            GramRefusal::LaurentIdentity => Self::LaurentIdentityFailed,
        }
    }
}

/// The whole verifier: what the joined check does with weight one.
fn verify(
    srs: &ReferenceString,
    argument: &GramArgument,
    commitments: &[(u8, G1Affine)],
) -> Result<(), Refusal> {
    let (points, _) = argument.reduce(D as u32, commitments, &srs.g1[1], ST1)?;
    let g1: Vec<G1Affine> = points.iter().map(|p| p.into_affine()).collect();
    if Bn254::multi_pairing(g1, [srs.g2[2], srs.g2[1], srs.g2[0]]).is_zero() {
        Ok(())
    } else {
        Err(Refusal::PairingFailed)
    }
}

fn prove(srs: &ReferenceString, slots: &[u8], rows: &[Vec<i16>]) -> GramArgument {
    let rows: Vec<&[i16]> = rows.iter().map(Vec::as_slice).collect();
    GramArgument::prove(srs, slots, &rows, ST1).unwrap()
}

fn gram_of(slots: &[u8], rows: &[Vec<i16>], size: usize) -> GramMatrix {
    let mut all: Vec<Option<&[i16]>> = vec![None; size];
    slots.iter().zip(rows).for_each(|(slot, row)| all[usize::from(*slot)] = Some(row));
    GramMatrix::compute(&all).unwrap()
}

/// A prover that may lie at every step. `R` and the values are functions of what it knows at that moment.
struct Liar<'a> {
    srs: &'a ReferenceString,
    p: Vec<Fr>,
    sigma: Fr,
    s: Vec<Fr>,
    r: Vec<Fr>,
    bend: &'a dyn Fn([Fr; 4], &PointPair) -> [Fr; 4],
}

impl Liar<'_> {
    fn argue(&self) -> GramArgument {
        let commit = |c: &[Fr]| msm(&self.srs.g1[..c.len()], c).into_affine();
        let (s, r) = (commit(&self.s), commit(&self.r));
        let st2 = laurent_state(ST1, self.sigma, &s, &r);
        let at = second_challenge(&st2).unwrap();
        let honest = [
            evaluate(&self.p, at.z),
            evaluate(&self.p, at.inverse),
            evaluate(&self.s, at.z),
            evaluate(&self.s, at.inverse),
        ];
        let values = (self.bend)(honest, &at);
        let gamma = third_challenge(&values_state(st2, &values)).unwrap();
        let mut q = vec![Fr::zero(); self.p.len().max(self.s.len()).max(self.r.len())];
        for (factor, polynomial) in [(Fr::one(), &self.p), (gamma, &self.s), (gamma.square(), &self.r)] {
            q.iter_mut().zip(polynomial).for_each(|(q, c)| *q += factor * c);
        }
        GramArgument {
            sigma: self.sigma,
            quotient: s,
            reversed: r,
            values,
            opening: commit(&quotient(q, &at)),
        }
    }
}

fn reversed(p: &[Fr]) -> Vec<Fr> {
    p.iter().rev().copied().collect()
}

#[test]
fn honest_arguments_hold_and_give_the_sigma_of_the_matrix() {
    let srs = srs();
    for slots in [vec![0u8, 1, 2], vec![3, 4, 9, 15], vec![0], (0..10).collect()] {
        let rows = updates(slots.len(), 1);
        let argument = prove(&srs, &slots, &rows);
        assert_eq!(verify(&srs, &argument, &committed(&srs, &slots, &rows)), Ok(()));
        assert_eq!(argument.sigma, sigma(&gram_of(&slots, &rows, 16), challenge(&ST1)));
    }
}

#[test]
fn the_highest_slots_of_all_have_their_place() {
    let srs = srs();
    let slots = [0u8, 64, 126, 127];
    let rows = updates(4, 2);
    let argument = prove(&srs, &slots, &rows);
    assert_eq!(verify(&srs, &argument, &committed(&srs, &slots, &rows)), Ok(()));
    assert_eq!(argument.sigma, sigma(&gram_of(&slots, &rows, 128), challenge(&ST1)));
}

#[test]
fn zero_updates_and_one_parameter_are_proved() {
    let srs = srs();
    let rows = vec![vec![0i16; D]; 3];
    let argument = prove(&srs, &[0, 1, 2], &rows);
    assert_eq!(
        (argument.sigma, argument.quotient, argument.opening),
        (Fr::zero(), G1Affine::default(), G1Affine::default())
    );
    let at_infinity = committed(&srs, &[0, 1, 2], &rows);
    assert_eq!(verify(&srs, &argument, &at_infinity), Ok(()));
    let single: Vec<&[i16]> = vec![&[7], &[-9]];
    let argument = GramArgument::prove(&srs, &[0, 1], &single, ST1).unwrap();
    let commitments = [(0u8, srs.commit_update(&[7]).unwrap()), (1, srs.commit_update(&[-9]).unwrap())];
    let (points, _) = argument.reduce(1, &commitments, &srs.g1[1], ST1).unwrap();
    let g1: Vec<G1Affine> = points.iter().map(|p| p.into_affine()).collect();
    assert!(Bn254::multi_pairing(g1, [srs.g2[2], srs.g2[1], srs.g2[0]]).is_zero());
}

#[test]
fn laurent_is_the_sum_of_shifted_products() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    for d in [1usize, 2, 3, 17, 64] {
        let p: Vec<Fr> = (0..d).map(|_| Fr::rand(&mut rng)).collect();
        let (sigma, s) = laurent(&p);
        assert_eq!(sigma, p.iter().map(|c| c.square()).sum());
        assert_eq!(s.len(), d - 1);
        for (k, s) in s.iter().enumerate() {
            assert_eq!(*s, (0..d - k - 1).map(|j| p[j] * p[j + k + 1]).sum());
        }
    }
    assert_eq!(laurent(&[]), (Fr::zero(), vec![]));
}

#[test]
fn every_changed_part_of_the_argument_is_refused() {
    let srs = srs();
    let slots = [0u8, 2, 3];
    let rows = updates(3, 4);
    let commitments = committed(&srs, &slots, &rows);
    let honest = prove(&srs, &slots, &rows);
    let shifted = |p: G1Affine| (p + srs.g1[0]).into_affine();
    let changed = |change: &dyn Fn(&mut GramArgument)| {
        let mut argument = honest.clone();
        change(&mut argument);
        verify(&srs, &argument, &commitments).unwrap_err()
    };
    // What enters before z moves z, so the values no longer fit the identity.
    assert_eq!(changed(&|a| a.sigma += Fr::one()), Refusal::LaurentIdentityFailed);
    assert_eq!(changed(&|a| a.quotient = shifted(a.quotient)), Refusal::LaurentIdentityFailed);
    assert_eq!(changed(&|a| a.reversed = shifted(a.reversed)), Refusal::LaurentIdentityFailed);
    assert_eq!(changed(&|a| a.reversed = G1Affine::identity()), Refusal::LaurentIdentityFailed);
    for k in 0..4 {
        assert_eq!(changed(&|a| a.values[k] += Fr::one()), Refusal::LaurentIdentityFailed);
    }
    assert_eq!(changed(&|a| a.opening = shifted(a.opening)), Refusal::PairingFailed);
    assert_eq!(changed(&|a| a.opening = G1Affine::identity()), Refusal::PairingFailed);
    // A value left out, with its partner moved so that the identity holds all the same.
    let at = second_challenge(&laurent_state(ST1, honest.sigma, &honest.quotient, &honest.reversed)).unwrap();
    assert_eq!(
        changed(&|a| {
            a.values[2] += at.inverse * a.values[3] * at.inverse;
            a.values[3] = Fr::zero();
        }),
        Refusal::PairingFailed
    );
    // Another state before: another round.
    assert_eq!(honest.reduce(D as u32, &commitments, &srs.g1[1], [1; 32]), Err(GramRefusal::LaurentIdentity));
}

#[test]
fn other_commitments_slots_or_dimensions_are_refused() {
    let srs = srs();
    let slots = [0u8, 2, 3];
    let rows = updates(3, 5);
    let honest = prove(&srs, &slots, &rows);
    let good = committed(&srs, &slots, &rows);
    let refused = |commitments: &[(u8, G1Affine)]| {
        assert_eq!(verify(&srs, &honest, commitments), Err(Refusal::PairingFailed));
    };
    refused(&good[..2]);
    refused(&committed(&srs, &[0, 1, 3], &rows));
    let mut swapped = good.clone();
    (swapped[0].1, swapped[1].1) = (good[1].1, good[0].1);
    refused(&swapped);
    for dimension in [D as u32 - 1, D as u32 + 1, 1] {
        let (points, _) = honest.reduce(dimension, &good, &srs.g1[1], ST1).unwrap();
        let g1: Vec<G1Affine> = points.iter().map(|p| p.into_affine()).collect();
        assert!(!Bn254::multi_pairing(g1, [srs.g2[2], srs.g2[1], srs.g2[0]]).is_zero(), "d = {dimension}");
    }
}

/// A matrix with one wrong entry has another sigma, and no bending of values proves that sigma.
#[test]
fn one_wrong_entry_cannot_be_proved() {
    let srs = srs();
    let slots = [0u8, 1, 2, 3];
    let rows = updates(4, 6);
    let commitments = committed(&srs, &slots, &rows);
    let rho = challenge(&ST1);
    let views: Vec<&[i16]> = rows.iter().map(Vec::as_slice).collect();
    let p = weighted_sum(&slot_powers(rho, &slots), &views);
    let (true_sigma, s) = laurent(&p);
    let true_gram = gram_of(&slots, &rows, 4);
    for entry in 0..10 {
        let mut upper = true_gram.upper().to_vec();
        upper[entry] += 1;
        let sigma = sigma(&GramMatrix::from_upper(4, upper).unwrap(), rho);
        assert_ne!(sigma, true_sigma, "entry {entry}");
        let liar = |bend: &dyn Fn([Fr; 4], &PointPair) -> [Fr; 4]| {
            let liar = Liar { srs: &srs, p: p.clone(), sigma, s: s.clone(), r: reversed(&p), bend };
            verify(&srs, &liar.argue(), &commitments)
        };
        assert_eq!(liar(&|v, _| v), Err(Refusal::LaurentIdentityFailed));
        // Each value in turn bent so that the identity holds: the opening no longer does.
        let excess = |v: [Fr; 4], at: &PointPair| sigma + at.z * v[2] + at.inverse * v[3] - v[0] * v[1];
        let bends: [&dyn Fn([Fr; 4], &PointPair) -> [Fr; 4]; 4] = [
            &|mut v, at| {
                v[0] += excess(v, at) / v[1];
                v
            },
            &|mut v, at| {
                v[1] += excess(v, at) / v[0];
                v
            },
            &|mut v, at| {
                v[2] -= excess(v, at) * at.inverse;
                v
            },
            &|mut v, at| {
                v[3] -= excess(v, at) * at.z;
                v
            },
        ];
        for bend in bends {
            assert_eq!(liar(bend), Err(Refusal::PairingFailed));
        }
        // The difference hidden in S: its constant term would have to move sigma, which no power of X does.
        let mut other_s = s.clone();
        other_s[0] += sigma - true_sigma;
        let liar = Liar { srs: &srs, p: p.clone(), sigma, s: other_s, r: reversed(&p), bend: &|v, _| v };
        assert_eq!(verify(&srs, &liar.argue(), &commitments), Err(Refusal::LaurentIdentityFailed));
    }
}

/// Two accomplices hide the same large coordinate beyond the dimension, which raises their product.
#[test]
fn a_hidden_coordinate_beyond_the_dimension_is_refused() {
    let srs = srs();
    let slots = [0u8, 1, 2];
    let rows = updates(3, 7);
    let rho = challenge(&ST1);
    let powers = slot_powers(rho, &slots);
    for beyond in [D, D + 1, D + 9] {
        let hidden = Fr::from(1u64 << 24);
        let hide = (srs.g1[beyond] * hidden).into_affine();
        let mut commitments = committed(&srs, &slots, &rows);
        commitments[1].1 = (commitments[1].1 + hide).into_affine();
        commitments[2].1 = (commitments[2].1 + hide).into_affine();
        let views: Vec<&[i16]> = rows.iter().map(Vec::as_slice).collect();
        let mut p = weighted_sum(&powers, &views);
        p.resize(beyond + 1, Fr::zero());
        p[beyond] = (powers[1] + powers[2]) * hidden;
        let (sigma, s) = laurent(&p);
        let z_line = |p: &[Fr]| {
            // A line through what R would have to be at a guessed z.
            let at = PointPair::new(Fr::from(12_345u64)).unwrap();
            let shift = [D as u64 - 1];
            let at_z = at.z.pow(shift) * evaluate(p, at.inverse);
            let at_inverse = at.inverse.pow(shift) * evaluate(p, at.z);
            let (a, b) = crate::kzg::opening::line(&at, at_z, at_inverse);
            vec![a, b]
        };
        let mut cyclic = vec![Fr::zero(); beyond + 1];
        for (j, c) in p.iter().enumerate() {
            cyclic[(D - 1 + beyond + 1 - j) % (beyond + 1)] += c;
        }
        for r in [reversed(&p), reversed(&p[..D]), cyclic, z_line(&p), vec![Fr::zero()]] {
            let honest_values =
                Liar { srs: &srs, p: p.clone(), sigma, s: s.clone(), r: r.clone(), bend: &|v, _| v };
            assert_eq!(verify(&srs, &honest_values.argue(), &commitments), Err(Refusal::PairingFailed));
            // Values of P bent to fit R, and S to fit the identity.
            let bend = |mut v: [Fr; 4], at: &PointPair| {
                let shift = [D as u64 - 1];
                v[1] = evaluate(&r, at.z) * at.inverse.pow(shift);
                v[0] = evaluate(&r, at.inverse) * at.z.pow(shift);
                v[2] = (v[0] * v[1] - sigma - at.inverse * v[3]) * at.inverse;
                v
            };
            let bent = Liar { srs: &srs, p: p.clone(), sigma, s: s.clone(), r: r.clone(), bend: &bend };
            assert_eq!(verify(&srs, &bent.argue(), &commitments), Err(Refusal::PairingFailed));
        }
    }
}

#[test]
fn zero_challenges_are_degenerate() {
    assert_eq!(non_zero(Fr::zero()), Err(Degenerate));
    assert_eq!(non_zero(-Fr::one()), Ok(-Fr::one()));
    // The order itself is zero as a challenge.
    let order = {
        let mut word = scalar_word(&-Fr::one());
        word[31] += 1;
        word
    };
    assert_eq!(first_challenge(&order), Err(Degenerate));
    assert_eq!(third_challenge(&[0; 32]), Err(Degenerate));
    for x in [Fr::zero(), Fr::one(), -Fr::one()] {
        assert_eq!(second_challenge(&scalar_word(&x)), Err(Degenerate));
    }
    let srs = srs();
    let rows = updates(2, 8);
    let argument = prove(&srs, &[0, 1], &rows);
    let commitments = committed(&srs, &[0, 1], &rows);
    assert_eq!(
        argument.reduce(D as u32, &commitments, &srs.g1[1], [0; 32]),
        Err(GramRefusal::DegenerateChallenge)
    );
}
