//! Every known way to cheat with a round's proof, each refused with the contract's name for it.
//!
//! Over 400 lines: the list is read against the table of cheats in the documents, in one piece.

use super::error::{ProveError, StatementError, VerifyError};
use super::testing::{views, Round, D, POLICY};
use super::*;
use crate::arguments::GramArgument;
use crate::curve::field::{slot_powers, weighted_sum};
use crate::curve::words::{g2_words, point_words, scalar_from_word, scalar_word};
use crate::keys::PinnedKeys;
use crate::statements::assessment;
use crate::statements::gram_binding::sigma;
use crate::statements::public::{outcome_digest, AssessmentPublic};
use crate::transcript::challenge;
use ark_bn254::{Fq, Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{BigInteger, Field, PrimeField, Zero};
use fairshare_protocol::{
    absorb, assess, word_from_u128, Assessment, GramMatrix, RoundPolicy, SlotMask, Word,
};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use std::sync::OnceLock;

const SLOTS: usize = 8;

/// A proved round of five trainers in eight slots, with gaps.
fn round() -> &'static Round {
    static ROUND: OnceLock<Round> = OnceLock::new();
    ROUND.get_or_init(|| Round::new(SLOTS as u8, &[0, 1, 3, 4, 6]))
}

fn check(statement: &RoundStatement, words: &RoundProofWords) -> Result<(), VerifyError> {
    verify_words(&PinnedKeys::load(), statement, words)
}

/// The reason for which the honest round with changed words is refused.
fn refused(change: impl FnOnce(&mut RoundProofWords)) -> VerifyError {
    let mut words = round().proof.words();
    change(&mut words);
    check(&round().statement, &words).unwrap_err()
}

fn plus_one(word: &mut Word) {
    for byte in word.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
}

/// `word + modulus`, which names the same residue, where it fits a word.
fn plus(word: &Word, modulus: [u8; 32]) -> Word {
    let (mut sum, mut carry) = ([0u8; 32], 0u16);
    for k in (0..32).rev() {
        carry += u16::from(word[k]) + u16::from(modulus[k]);
        sum[k] = carry as u8;
        carry >>= 8;
    }
    assert_eq!(carry, 0, "2^256 is more than five times either modulus");
    sum
}

fn modulus_word(bytes: Vec<u8>) -> Word {
    bytes.try_into().unwrap()
}

#[test]
fn the_honest_round_is_accepted_and_survives_its_words() {
    let Round { statement, proof, .. } = round();
    assert_eq!(verify_round(&PinnedKeys::load(), statement, proof), Ok(()));
    let words = proof.words();
    let read = RoundProof::from_words(&words, SLOTS as u8).unwrap();
    assert_eq!((&read, read.words()), (proof, words.clone()));
    assert!(proof.shares().iter().sum::<u32>() > 65_000 && proof.kept().count() == 5);
    let states = transcript_states(statement, &words).unwrap();
    assert_eq!(states[0], statement.first_state());
    assert_eq!(states[1], absorb(states[0], "gram", &words.committed));
}

#[test]
fn every_scalar_word_counts_and_must_be_canonical() {
    type Pick = fn(&mut RoundProofWords) -> &mut Word;
    let order = modulus_word(Fr::MODULUS.to_bytes_be());
    let transcript: [(&str, Pick); 5] = [
        ("sigma", |w| &mut w.sigma),
        ("P(z)", |w| &mut w.values[0]),
        ("P(1/z)", |w| &mut w.values[1]),
        ("S(z)", |w| &mut w.values[2]),
        ("S(1/z)", |w| &mut w.values[3]),
    ];
    let inputs: [(&str, Pick); 4] = [
        ("kept mask", |w| &mut w.kept_mask),
        ("coherence", |w| &mut w.coherence),
        ("shares", |w| &mut w.shares[0]),
        ("weights", |w| &mut w.weights[0]),
    ];
    for (index, (name, pick)) in transcript.into_iter().chain(inputs).enumerate() {
        let reason = if index < 5 { VerifyError::LaurentIdentityFailed } else { VerifyError::PairingFailed };
        assert_eq!(refused(|w| plus_one(pick(w))), reason, "{name} + 1");
        assert_eq!(refused(|w| *pick(w) = [0; 32]), reason, "{name} = 0");
        let larger = plus(pick(&mut round().proof.words()), order);
        assert_eq!(refused(|w| *pick(w) = larger), VerifyError::ScalarOutOfRange(larger), "{name} + r");
        assert_eq!(refused(|w| *pick(w) = [0xff; 32]), VerifyError::ScalarOutOfRange([0xff; 32]), "{name}");
    }
}

#[test]
fn every_point_word_counts_and_must_be_canonical_and_on_the_curve() {
    type Pick = fn(&mut RoundProofWords) -> &mut [Word];
    let base = modulus_word(Fq::MODULUS.to_bytes_be());
    let other = (round().srs.g1[5] + round().srs.g1[7]).into_affine();
    // Points that enter before z move it; A, C and W are seen by the pairing alone.
    let points: [(&str, Pick, VerifyError); 6] = [
        ("C_S", |w| &mut w.quotient, VerifyError::LaurentIdentityFailed),
        ("C_R", |w| &mut w.reversed, VerifyError::LaurentIdentityFailed),
        ("W", |w| &mut w.opening, VerifyError::PairingFailed),
        ("C_T'", |w| &mut w.model, VerifyError::PairingFailed),
        ("A", |w| &mut w.groth16[..2], VerifyError::PairingFailed),
        ("C", |w| &mut w.groth16[6..], VerifyError::PairingFailed),
    ];
    for (name, pick, reason) in points {
        for k in 0..2 {
            assert!(
                matches!(refused(|w| plus_one(&mut pick(w)[k])), VerifyError::InvalidPoint(_)),
                "{name}[{k}]"
            );
            let larger = plus(&pick(&mut round().proof.words())[k], base);
            assert!(
                matches!(refused(|w| pick(w)[k] = larger), VerifyError::InvalidPoint(_)),
                "{name}[{k}] + q"
            );
        }
        assert_eq!(refused(|w| pick(w).copy_from_slice(&point_words(&other))), reason, "another {name}");
        let at_infinity = refused(|w| pick(w).fill([0; 32]));
        if name == "A" || name == "C" {
            assert!(matches!(at_infinity, VerifyError::InvalidPoint(_)), "{name} left out");
        } else {
            assert_eq!(at_infinity, reason, "{name} left out");
        }
    }
}

/// B is looked at by the pairing alone, on chain as here.
#[test]
fn every_word_of_b_counts() {
    for k in 2..6 {
        assert_eq!(refused(|w| plus_one(&mut w.groth16[k])), VerifyError::PairingFailed);
        assert_eq!(refused(|w| w.groth16[k] = [0xff; 32]), VerifyError::PairingFailed);
    }
    let other = g2_words(&G2Affine::generator());
    assert_eq!(refused(|w| w.groth16[2..6].copy_from_slice(&other)), VerifyError::PairingFailed);
    assert_eq!(refused(|w| w.groth16[2..6].fill([0; 32])), VerifyError::PairingFailed);
    let swapped = |w: &mut RoundProofWords| {
        w.groth16.swap(2, 3);
        w.groth16.swap(4, 5);
    };
    assert_eq!(refused(swapped), VerifyError::PairingFailed);
}

/// `(-A, -B, C)` is another proof of the same statement: every Groth16 proof can be randomised without its witness. It
/// proves nothing more and pays the same accounts, and a settled round accepts no second proof.
#[test]
fn the_mirrored_groth16_proof_proves_the_same() {
    let mut mirrored = round().proof.clone();
    mirrored.groth16.a = -mirrored.groth16.a;
    mirrored.groth16.b = -mirrored.groth16.b;
    assert_eq!(check(&round().statement, &mirrored.words()), Ok(()));
    mirrored.groth16.c = -mirrored.groth16.c;
    assert_eq!(check(&round().statement, &mirrored.words()), Err(VerifyError::PairingFailed));
}

#[test]
fn wrong_numbers_of_words_are_refused() {
    let length = |what, found| VerifyError::WrongLength { what, expected: 1, found };
    assert_eq!(refused(|w| w.shares.clear()), length("share", 0));
    assert_eq!(refused(|w| w.weights.push([0; 32])), length("weight", 2));
    let mut wider = round().statement.clone();
    wider.slots = 16;
    let found = check(&wider, &round().proof.words());
    assert_eq!(found, Err(VerifyError::WrongLength { what: "share", expected: 2, found: 1 }));
}

/// Words that stand for nothing are named when a settlement is read back.
#[test]
fn words_that_fit_no_place_are_not_read() {
    let read = |change: &dyn Fn(&mut RoundProofWords)| {
        let mut words = round().proof.words();
        change(&mut words);
        RoundProof::from_words(&words, SLOTS as u8).unwrap_err()
    };
    assert!(matches!(read(&|w| w.kept_mask[0] = 1), VerifyError::NumberTooLarge { what: "kept mask", .. }));
    assert!(matches!(read(&|w| w.coherence[28] = 1), VerifyError::NumberTooLarge { what: "coherence", .. }));
    assert!(matches!(read(&|w| w.shares[0][1] = 1), VerifyError::Packing(_)));
    assert!(matches!(read(&|w| w.weights[0] = [0xff; 32]), VerifyError::Packing(_)));
    assert!(matches!(
        read(&|w| {
            w.shares[0] = [0; 32];
            w.shares[0][29] = 1;
            w.shares[0][31] = 1;
        }),
        VerifyError::NumberTooLarge { what: "share", .. }
    ));
    assert!(matches!(read(&|w| w.shares.clear()), VerifyError::Packing(_)));
    assert!(matches!(read(&|w| w.sigma = [0xff; 32]), VerifyError::ScalarOutOfRange(_)));
    assert!(matches!(read(&|w| plus_one(&mut w.committed[3])), VerifyError::InvalidPoint(_)));
    assert!(matches!(read(&|w| plus_one(&mut w.opening[0])), VerifyError::InvalidPoint(_)));
}

#[test]
fn a_proof_serves_no_other_statement() {
    let words = round().proof.words();
    let replays: [(&str, &dyn Fn(&mut RoundStatement)); 11] = [
        ("chain", &|s| s.chain_id = 1),
        ("project", &|s| s.project[0] ^= 1),
        ("round", &|s| s.round += 1),
        ("payee", &|s| s.payee[19] ^= 1),
        ("model file", &|s| s.model_cid[31] ^= 1),
        ("model before", &|s| s.model = G1Affine::identity()),
        ("dimension", &|s| s.dimension += 1),
        ("threshold", &|s| s.policy = RoundPolicy::Agreement { theta: 31, trim_count: 1 }),
        ("trim", &|s| s.policy = RoundPolicy::Agreement { theta: 32, trim_count: 0 }),
        ("active mask", &|s| {
            s.active ^= SlotMask::single(6u8);
            s.commitments.pop();
        }),
        ("commitments", &|s| {
            let (first, second) = (s.commitments[0].1, s.commitments[1].1);
            (s.commitments[0].1, s.commitments[1].1) = (second, first);
        }),
    ];
    for (what, change) in replays {
        let mut statement = round().statement.clone();
        change(&mut statement);
        assert_eq!(check(&statement, &words), Err(VerifyError::LaurentIdentityFailed), "another {what}");
    }
}

/// A policy word too large for `packed_inputs`. The largest word that fits is another statement, as any other word is.
#[test]
fn a_policy_word_of_more_than_sixteen_bits_is_refused() {
    let words = round().proof.words();
    let with = |trim_count: u32| {
        let policy = RoundPolicy::Agreement { theta: 32, trim_count };
        let statement = RoundStatement { policy, ..round().statement.clone() };
        (check(&statement, &words).unwrap_err(), transcript_states(&statement, &words).err())
    };
    for trim_count in [1 << 16, (1 << 16) + 1, u32::MAX] {
        let refused = VerifyError::ScalarOutOfRange(word_from_u128(trim_count.into()));
        assert_eq!(with(trim_count), (refused.clone(), Some(refused)));
    }
    assert_eq!(with((1 << 16) - 1), (VerifyError::LaurentIdentityFailed, None));
}

/// The last state absorbs the four public inputs in their order.
#[test]
fn the_last_state_absorbs_the_public_inputs() {
    let Round { statement, proof, .. } = round();
    let words = proof.words();
    let states = transcript_states(statement, &words).unwrap();
    let chi = challenge(&absorb(states[1], "outcome", &verify::outcome_words(&words)));
    let outcome: Vec<Fr> =
        verify::outcome_words(&words).iter().map(|word| scalar_from_word(word).unwrap()).collect();
    let mut packed = word_from_u128(statement.active.bits());
    (packed[15], packed[13]) = (32, 1); // units of 2^128 and of 2^144
    let inputs = [challenge(&states[1]), chi, outcome_digest(&outcome, chi)].map(|input| scalar_word(&input));
    let inputs = [inputs[0], packed, inputs[1], inputs[2]];
    let items = [&words.opening[..], &words.model, &words.groth16, &inputs];
    assert_eq!(states[4], absorb(states[3], "join", &items.concat()));
}

#[test]
fn other_keys_rules_and_broken_statements_are_named() {
    let words = round().proof.words();
    let fault = |change: &dyn Fn(&mut RoundStatement)| {
        let mut statement = round().statement.clone();
        change(&mut statement);
        check(&statement, &words).unwrap_err()
    };
    assert!(matches!(fault(&|s| s.keys_hash[0] ^= 1), VerifyError::KeysHash { .. }));
    // The other rule with the same words: it has no key.
    let other = RoundPolicy::MultiKrum { neighbours: 32, selected: 1 };
    assert_eq!(fault(&|s| s.policy = other), VerifyError::UnknownKey { rule: 2, slots: 8 });
    assert_eq!(fault(&|s| s.slots = 100), VerifyError::UnknownKey { rule: 1, slots: 100 });
    assert!(matches!(
        fault(&|s| s.active.insert(100u8)),
        VerifyError::Statement(StatementError::MaskBeyondSlots { slots: 8, .. })
    ));
    assert!(matches!(
        fault(&|s| s.commitments[2].1 = G1Affine::identity()),
        VerifyError::Statement(StatementError::InfiniteCommitment { slot: 3 })
    ));
    assert!(matches!(
        fault(&|s| s.commitments[4].0 = 7),
        VerifyError::Statement(StatementError::CommitmentSlots { .. })
    ));
}

/// What a liar needs to make a Groth16 proof for any matrix it likes.
struct Forgery {
    public: AssessmentPublic,
    st1: Word,
    proof: RoundProof,
}

/// A valid assessment proof of `gram`, whatever the commitments say, with the argument that `argue` makes from `st1`.
fn forge(statement: &RoundStatement, gram: &GramMatrix, argue: impl FnOnce(Word) -> GramArgument) -> Forgery {
    let assessment = assess(gram, statement.active, statement.policy).unwrap();
    let (keys, mut rng) = (round().keys.prover(), ChaCha20Rng::seed_from_u64(32));
    let public = AssessmentPublic::unbound(statement.active, statement.policy, &assessment);
    let commitment = assessment::commit(keys, gram, &public, &assessment, &mut rng).unwrap();
    let committed = commitment.points();
    let words = committed.map(|point| point_words(&point));
    let st1 = absorb(statement.first_state(), "gram", words.as_flattened());
    let rho = challenge(&st1);
    let public = AssessmentPublic { rho, sigma: sigma(gram, rho), ..public };
    let public = verify::with_chi(public, st1, SLOTS).unwrap();
    let groth16 = assessment::prove(keys, &commitment, &public, &mut rng).unwrap().groth16;
    let Assessment { kept, coherence, shares, weights, .. } = assessment;
    let model = model_step(statement.model, &statement.commitments, &weights);
    let argument = argue(st1);
    let proof = RoundProof { kept, coherence, shares, weights, groth16, argument, model, committed };
    Forgery { public, st1, proof }
}

fn honest_argument(updates: &[(u8, Vec<i16>)], st1: Word) -> GramArgument {
    let (slots, rows): (Vec<u8>, Vec<&[i16]>) = views(updates).into_iter().unzip();
    GramArgument::prove(&round().srs, &slots, &rows, st1).unwrap()
}

/// A rule's proof over a matrix with one entry raised, so that slot 4 earns more.
#[test]
fn one_wrong_entry_of_the_matrix_is_refused() {
    let Round { srs, keys, statement, updates, gram, .. } = round();
    for (i, j) in [(0usize, 4usize), (4, 4), (3, 4)] {
        let mut upper = gram.upper().to_vec();
        upper[i * SLOTS + j - i * (i + 1) / 2] += 1;
        let wrong = GramMatrix::from_upper(SLOTS, upper).unwrap();
        let assessment = assess(&wrong, statement.active, POLICY).unwrap();
        let refused = prove_round(srs, keys, statement, &views(updates), &wrong, &assessment);
        assert!(matches!(refused, Err(ProveError::GramMismatch)));

        let mut forgery = forge(statement, &wrong, |st1| honest_argument(updates, st1));
        // The true sigma goes with the opened values, but is no public input of this Groth16 proof.
        assert_eq!(check(statement, &forgery.proof.words()), Err(VerifyError::PairingFailed));
        assert_eq!(forgery.public.sigma, sigma(&wrong, challenge(&forgery.st1)));
        assert_ne!(forgery.proof.argument.sigma, forgery.public.sigma);
        forgery.proof.argument.sigma = forgery.public.sigma;
        assert_eq!(check(statement, &forgery.proof.words()), Err(VerifyError::LaurentIdentityFailed));
    }
}

/// An outcome with the honest one's digest under the honest one's challenge: known before, it could be proved. But it
/// gets a challenge of its own.
#[test]
fn an_outcome_bent_to_the_same_digest_is_refused() {
    let Round { statement, proof, .. } = round();
    let mut words = proof.words();
    let st1 = transcript_states(statement, &words).unwrap()[1];
    let chi = challenge(&absorb(st1, "outcome", &verify::outcome_words(&words)));
    let digest = |words: &RoundProofWords| {
        let outcome = verify::outcome_words(words);
        let values: Vec<Fr> = outcome.iter().map(|word| scalar_from_word(word).unwrap()).collect();
        outcome_digest(&values, chi)
    };
    let honest = digest(&words);
    let moved = |word: &Word, by: Fr| scalar_word(&(scalar_from_word(word).unwrap() + by));
    words.kept_mask = moved(&words.kept_mask, chi);
    words.coherence = moved(&words.coherence, -Fr::from(1u64));
    assert_eq!(digest(&words), honest);
    assert_eq!(check(statement, &words), Err(VerifyError::PairingFailed));
}

/// Products with an inactive slot, whose commitment is in no sum.
#[test]
fn an_inactive_slot_cannot_lend_its_products() {
    let Round { statement, gram, .. } = round();
    let mut upper = gram.upper().to_vec();
    upper[2] = 1 << 40; // slots 0 and 2
    let lent = GramMatrix::from_upper(SLOTS, upper).unwrap();
    assert!(assess(&lent, statement.active, POLICY).is_err());
    let rho = Fr::from(5u64);
    assert_ne!(sigma(&lent, rho), sigma(gram, rho));
}

/// Two accomplices commit to the same large number behind the model's last parameter; the matrix is true of what they
/// committed to, and every step but the degree is honest.
#[test]
fn a_hidden_coordinate_is_refused() {
    let Round { srs, statement, updates, gram, .. } = round();
    let (hidden, beyond) = (1i64 << 18, D + 1);
    let hide = srs.g1[beyond] * Fr::from(hidden as u64);
    let mut statement = statement.clone();
    let mut upper = gram.upper().to_vec();
    for (i, j) in [(1usize, 1usize), (1, 4), (4, 4)] {
        upper[i * SLOTS + j - i * (i + 1) / 2] += hidden * hidden;
    }
    for entry in [1usize, 3] {
        statement.commitments[entry].1 = (statement.commitments[entry].1 + hide).into_affine();
    }
    assert_eq!((statement.commitments[1].0, statement.commitments[3].0), (1, 4));
    let raised = GramMatrix::from_upper(SLOTS, upper).unwrap();
    let combined = |st1: Word| {
        let (slots, rows): (Vec<u8>, Vec<&[i16]>) = views(updates).into_iter().unzip();
        let powers = slot_powers(challenge(&st1), &slots);
        let mut p = weighted_sum(&powers, &rows);
        p.resize(beyond + 1, Fr::zero());
        p[beyond] = (powers[1] + powers[3]) * Fr::from(hidden as u64);
        GramArgument::prove_combined(srs, p, st1).unwrap()
    };
    let forgery = forge(&statement, &raised, combined);
    assert_eq!(forgery.proof.argument.sigma, forgery.public.sigma, "all else is true");
    assert_eq!(check(&statement, &forgery.proof.words()), Err(VerifyError::PairingFailed));
    // In a project whose models have two parameters more it would be the truth.
    statement.dimension += 2;
    let forgery = forge(&statement, &raised, combined);
    assert_eq!(check(&statement, &forgery.proof.words()), Ok(()));
}

#[test]
fn the_prover_names_what_does_not_belong_together() {
    let Round { srs, keys, statement, updates, gram, assessment, .. } = round();
    let prove = |statement: &RoundStatement, updates: &[(u8, &[i16])], assessment: &Assessment| {
        prove_round(srs, keys, statement, updates, gram, assessment).unwrap_err()
    };
    let good = views(updates);
    assert!(matches!(prove(statement, &good[..4], assessment), ProveError::UpdateSlots { .. }));
    let mut swapped = good.clone();
    swapped.swap(0, 1);
    assert!(matches!(prove(statement, &swapped, assessment), ProveError::UpdateSlots { .. }));
    let mut short = good.clone();
    short[2].1 = &short[2].1[1..];
    let error = prove(statement, &short, assessment);
    assert!(matches!(error, ProveError::UpdateLength { slot: 3, expected: D, found } if found == D - 1));
    let mut better = assessment.clone();
    better.shares[4] += 1;
    assert!(matches!(prove(statement, &good, &better), ProveError::AssessmentMismatch));
    let mut wider = statement.clone();
    wider.slots = 16;
    assert!(matches!(prove(&wider, &good, assessment), ProveError::KeySize { keys: 8, statement: 16 }));
    let mut foreign = statement.clone();
    foreign.commitments[0].1 = srs.g1[3];
    let proof = prove_round(srs, keys, &foreign, &good, gram, assessment).unwrap();
    assert_eq!(check(&foreign, &proof.words()), Err(VerifyError::PairingFailed), "others' commitments");
    let mut changed = updates.clone();
    changed[1].1[7] += 1;
    assert!(matches!(prove(statement, &views(&changed), assessment), ProveError::GramMismatch));
}

#[test]
fn a_fixed_seed_gives_a_fixed_proof() {
    let Round { srs, keys, statement, updates, gram, assessment, .. } = round();
    let with_seed = |seed| {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        prove_round_with(srs, keys, statement, &views(updates), gram, assessment, &mut rng).unwrap()
    };
    assert_eq!(with_seed(1), with_seed(1));
    assert_ne!(with_seed(1).groth16, with_seed(2).groth16);
}

fn key() -> crate::groth16::CircuitKey {
    round().keys.verifying_key().clone()
}

fn joint(words: &RoundProofWords) -> verify::Joint {
    verify::Joint::new(&key(), PinnedKeys::load().kzg(), &round().statement, words).unwrap()
}

/// The claimed model is the stepped one: not one weight away, nor that of another round, nor no step.
#[test]
fn a_claimed_model_that_is_not_the_stepped_one_is_refused() {
    let Round { srs, statement, proof, .. } = round();
    let claim = |point: G1Affine| refused(|w| w.model = point_words(&point));
    for (slot, commitment) in &statement.commitments {
        let raised = (proof.model() + commitment).into_affine();
        assert_eq!(claim(raised), VerifyError::PairingFailed, "weight of slot {slot} plus one");
        let lowered = (proof.model() - commitment).into_affine();
        assert_eq!(claim(lowered), VerifyError::PairingFailed, "weight of slot {slot} less one");
    }
    let elsewhere = model_step(srs.g1[10], &statement.commitments, proof.weights());
    for point in [statement.model, -proof.model(), G1Affine::identity(), elsewhere] {
        assert_eq!(claim(point), VerifyError::PairingFailed);
    }
}

/// A step that ends at infinity is proved as any other.
#[test]
fn a_model_at_infinity_is_accepted_where_it_is_the_truth() {
    let Round { srs, keys, statement, updates, gram, assessment, proof } = round();
    let mut statement = statement.clone();
    let step = model_step(G1Affine::identity(), &statement.commitments, proof.weights());
    for (before, after) in [(-step, G1Affine::identity()), (G1Affine::identity(), step)] {
        statement.model = before;
        let proof = prove_round(srs, keys, &statement, &views(updates), gram, assessment).unwrap();
        assert_eq!(proof.model(), after);
        assert_eq!(check(&statement, &proof.words()), Ok(()));
    }
}

/// `[(x - z)(x - 1/z)]_1`: what one more generator in `W` adds to the opening, which anybody can compute from the
/// string.
fn opening_error(words: &RoundProofWords) -> G1Affine {
    let states = transcript_states(&round().statement, words).unwrap();
    let z = challenge(&states[2]);
    let sum = z + z.inverse().unwrap();
    let g1 = &round().srs.g1;
    (g1[2] - g1[1] * sum + g1[0]).into_affine()
}

/// `nu` weighs only what is fixed before it. Each lie here is two errors that cancel at a `nu` known in advance:
/// accepted by a verifier that forgets to absorb one of them, refused by the true one.
#[test]
fn who_knows_nu_in_advance_cancels_one_error_with_another() {
    let honest = round().proof.words();
    let base = round().proof.clone();
    let nu_of = |words: &RoundProofWords| challenge(&joint(words).st4);
    let verdicts = |lie: &RoundProof, known: Fr| {
        let words = lie.words();
        (joint(&words).holds(known), check(&round().statement, &words))
    };
    let caught = (true, Err(VerifyError::PairingFailed));

    // C_T' forgotten: a false W first, then the claim that makes up for it.
    let mut lie = base.clone();
    lie.argument.opening = (lie.argument.opening + round().srs.g1[0]).into_affine();
    let known = nu_of(&lie.words());
    let error = opening_error(&honest);
    lie.model = (base.model + error * known.inverse().unwrap()).into_affine();
    assert_eq!(verdicts(&lie, known), caught, "a claim chosen after nu");

    // W forgotten: a false claim first, then the opening that makes up for it.
    let mut lie = base.clone();
    lie.model = (base.model + error).into_affine();
    let known = nu_of(&lie.words());
    lie.argument.opening = (base.argument.opening + round().srs.g1[0] * known).into_affine();
    assert_eq!(verdicts(&lie, known), caught, "an opening chosen after nu");

    // C forgotten: the claim is off by [delta]_1, which the proving key contains.
    let mut lie = base.clone();
    let delta = round().keys.prover().proving.delta_g1;
    lie.model = (base.model + delta).into_affine();
    let known = nu_of(&lie.words());
    lie.groth16.c = (base.groth16.c + round().srs.g1[0] * known.square()).into_affine();
    assert_eq!(verdicts(&lie, known), caught, "an assessment chosen after nu");

    // The same against a nu that never changes.
    let mut lie = base.clone();
    lie.argument.opening = (base.argument.opening + round().srs.g1[0]).into_affine();
    lie.model = (base.model + error).into_affine();
    assert_eq!(verdicts(&lie, Fr::from(1u64)), caught, "nu = 1");
    assert!(joint(&honest).holds(Fr::from(1u64)) && joint(&honest).holds(nu_of(&honest)));
}
