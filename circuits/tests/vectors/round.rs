//! Rounds, proof and transcript word for word. `round_n10.json` has ten active slots of sixteen, a sign flip and noise
//! among them; the others have five or six honest trainers with gaps between: `round_gaps.json` in eight slots,
//! `round_32.json`, `round_64.json` and `round_128.json` in as many as the name says.

use super::{hex_words, path, HexWord};
use fairshare_circuits::{
    default_data_folder, g2_words, key_circuits, model_step, point_from_words, point_words, prove_round_with,
    transcript_states, verify_words_with, verifying_key_words, AssessmentCircuit, AssessmentKeys, G1Affine,
    KzgKey, PinnedKeys, ReferenceString, RoundProof, RoundProofWords, RoundStatement, VerifyError,
    KEY_FIXED_WORDS,
};
use fairshare_protocol::{
    assess, u128_from_word, word_from_address, word_from_label, word_from_u128, AgreementPolicy, GramMatrix,
    ProjectPolicy, RoundPolicy, RuleName, SlotMask, Word,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use serde::{Deserialize, Serialize};
use sha3::{Digest, Keccak256};

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Vector {
    chain_id: u64,
    keys: Keys,
    statement: Statement,
    proof: Proof,
    /// `st0 ..= st4`.
    states: Vec<HexWord>,
}

/// The key of one circuit; `keys_hash` is that of a registry with this key alone, `all_keys_hash` of one with every
/// committed key.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Keys {
    kzg: Vec<HexWord>,
    fixed_points: Vec<HexWord>,
    ic: Vec<HexWord>,
    rule: u8,
    size: u8,
    keys_hash: HexWord,
    all_keys_hash: HexWord,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Statement {
    project: HexWord,
    round: HexWord,
    payee: HexWord,
    dimension: u32,
    slots: u8,
    rule: u8,
    policy: [HexWord; 2],
    active_mask: HexWord,
    model_cid: HexWord,
    model: Vec<HexWord>,
    commitments: Vec<HexWord>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Proof {
    sigma: HexWord,
    kept_mask: HexWord,
    coherence: HexWord,
    shares: Vec<HexWord>,
    weights: Vec<HexWord>,
    groth16: Vec<HexWord>,
    quotient: Vec<HexWord>,
    reversed: Vec<HexWord>,
    values: Vec<HexWord>,
    opening: Vec<HexWord>,
    model: Vec<HexWord>,
    committed: Vec<HexWord>,
}

/// What a vector is made of.
struct Recipe {
    name: &'static str,
    seed: u64,
    size: u8,
    dimension: usize,
    /// Slots of honest trainers.
    honest: &'static [u8],
    /// The slot that flips its signs and the one that posts noise.
    hostile: Option<(u8, u8)>,
}

impl Recipe {
    fn circuit(&self) -> AssessmentCircuit {
        AssessmentCircuit { rule: RuleName::Agreement, size: self.size }
    }
}

const RECIPES: [Recipe; 5] = [
    Recipe {
        name: "round_n10.json",
        seed: 10,
        size: 16,
        dimension: 1000,
        honest: &[0, 1, 2, 3, 4, 5, 6, 7],
        hostile: Some((8, 9)),
    },
    Recipe {
        name: "round_gaps.json",
        seed: 5,
        size: 8,
        dimension: 77,
        honest: &[0, 2, 3, 5, 7],
        hostile: None,
    },
    Recipe {
        name: "round_32.json",
        seed: 32,
        size: 32,
        dimension: 80,
        honest: &[0, 1, 15, 16, 31],
        hostile: None,
    },
    Recipe {
        name: "round_64.json",
        seed: 64,
        size: 64,
        dimension: 90,
        honest: &[0, 1, 9, 30, 62, 63],
        hostile: None,
    },
    Recipe {
        name: "round_128.json",
        seed: 128,
        size: 128,
        dimension: 100,
        honest: &[0, 2, 63, 64, 126, 127],
        hostile: None,
    },
];

/// Every file with its contents.
pub(super) fn files() -> Vec<(&'static str, String)> {
    let text = |vector: &Vector| serde_json::to_string_pretty(vector).unwrap() + "\n";
    RECIPES.iter().map(|recipe| (recipe.name, text(&make(recipe)))).collect()
}

fn make(recipe: &Recipe) -> Vector {
    let data = default_data_folder();
    let srs = ReferenceString::open_dev(&data, recipe.dimension).unwrap();
    let circuit = recipe.circuit();
    let keys = AssessmentKeys::open_dev(&data, circuit.rule, circuit.size).unwrap();
    let mut rng = ChaCha20Rng::seed_from_u64(recipe.seed);
    let updates = updates(recipe, &mut rng);
    let mut slots: Vec<Option<&[i16]>> = vec![None; recipe.size.into()];
    updates.iter().for_each(|(slot, update)| slots[usize::from(*slot)] = Some(update));
    let gram = GramMatrix::compute(&slots).unwrap();
    let policy = AgreementPolicy { theta: 32, trim: 52 };
    let active: SlotMask = updates.iter().map(|(slot, _)| *slot).collect();
    let policy = ProjectPolicy::Agreement(policy).for_round(active.count());
    let assessment = assess(&gram, active, policy).unwrap();
    let honest: SlotMask = recipe.honest.iter().copied().collect();
    assert_eq!(assessment.kept, honest, "{}", recipe.name);

    let kzg = srs.kzg_key();
    let keys_hash = hash_of_keys(&kzg, &[(circuit, verifying_key_words(keys.verifying_key()))]);
    let before: Vec<i64> = (0..recipe.dimension).map(|_| rng.gen_range(-(1i64 << 40)..1 << 40)).collect();
    let statement = RoundStatement {
        chain_id: 31_337,
        project: [0xa1; 20],
        round: 3,
        payee: [0xb2; 20],
        dimension: u32::try_from(recipe.dimension).unwrap(),
        slots: recipe.size,
        policy,
        keys_hash,
        active,
        model_cid: Keccak256::digest(recipe.name).into(),
        model: srs.commit_model(&before).unwrap(),
        commitments: updates
            .iter()
            .map(|(slot, update)| (*slot, srs.commit_update(update).unwrap()))
            .collect(),
    };
    let views: Vec<(u8, &[i16])> = updates.iter().map(|(slot, update)| (*slot, update.as_slice())).collect();
    let proof = prove_round_with(&srs, &keys, &statement, &views, &gram, &assessment, &mut rng).unwrap();
    let words = proof.words();

    let mut after = before.clone();
    for (slot, update) in &updates {
        let weight = i64::from(assessment.weights[usize::from(*slot)]);
        after.iter_mut().zip(update).for_each(|(model, step)| *model += weight * i64::from(*step));
    }
    assert_eq!(proof.model(), srs.commit_model(&after).unwrap(), "{}", recipe.name);
    Vector {
        chain_id: statement.chain_id,
        keys: keys_of(&kzg, circuit, &verifying_key_words(keys.verifying_key()), keys_hash),
        states: hex_words(&transcript_states(&statement, &words).unwrap()),
        statement: statement_of(&statement),
        proof: proof_of(&words),
    }
}

/// One direction with each trainer's own noise and size; the flip turns it round, the noise knows nothing of it.
fn updates(recipe: &Recipe, rng: &mut ChaCha20Rng) -> Vec<(u8, Vec<i16>)> {
    let d = recipe.dimension;
    let direction: Vec<f64> = (0..d).map(|_| rng.gen_range(-1.0..1.0)).collect();
    let mut around = |sign: f64, noise: f64, size: f64| -> Vec<i16> {
        direction
            .iter()
            .map(|c| (size * (sign * c + noise * rng.gen_range(-1.0..1.0))).round() as i16)
            .collect()
    };
    let mut all: Vec<(u8, Vec<i16>)> = recipe
        .honest
        .iter()
        .enumerate()
        .map(|(k, slot)| (*slot, around(1.0, 0.6 + 0.15 * k as f64, 1500.0 + 250.0 * k as f64)))
        .collect();
    if let Some((flip, noise)) = recipe.hostile {
        all.push((flip, around(-1.0, 0.5, 2500.0)));
        all.push((noise, around(0.0, 1.5, 2500.0)));
    }
    all.sort_by_key(|(slot, _)| *slot);
    all
}

/// The hash of docs/protocol.md 3.2 for a DEV registry with these keys, written out a second time on purpose.
fn hash_of_keys(kzg: &KzgKey, keys: &[(AssessmentCircuit, Vec<Word>)]) -> Word {
    let mut words = vec![word_from_u128(1)];
    words.extend(kzg_words(kzg));
    for (circuit, key) in keys {
        words.push(word_from_u128(circuit.rule.id().into()));
        words.push(word_from_u128(circuit.size.into()));
        words.extend(&key[..18]);
        words.push(word_from_u128((key.len() as u128 - 18) / 2));
        words.extend(&key[18..]);
    }
    let head =
        [word_from_label("fairshare.keys.v2"), word_from_u128(64), word_from_u128(words.len() as u128)];
    Keccak256::new_with_prefix(head.as_flattened()).chain_update(words.as_flattened()).finalize().into()
}

fn kzg_words(kzg: &KzgKey) -> Vec<Word> {
    let mut words = point_words(&kzg.x1).to_vec();
    words.extend(kzg.g2.iter().flat_map(g2_words));
    words
}

fn keys_of(kzg: &KzgKey, circuit: AssessmentCircuit, key: &[Word], keys_hash: Word) -> Keys {
    let committed = PinnedKeys::load();
    let words = |circuit: AssessmentCircuit| {
        committed.verifying_key(circuit.rule, circuit.size).map(verifying_key_words)
    };
    let all: Vec<(AssessmentCircuit, Vec<Word>)> =
        key_circuits().filter_map(|circuit| Some((circuit, words(circuit)?))).collect();
    Keys {
        kzg: hex_words(&kzg_words(kzg)),
        fixed_points: hex_words(&key[..KEY_FIXED_WORDS]),
        ic: hex_words(&key[KEY_FIXED_WORDS..]),
        rule: circuit.rule.id(),
        size: circuit.size,
        keys_hash: HexWord(keys_hash),
        all_keys_hash: HexWord(hash_of_keys(kzg, &all)),
    }
}

fn statement_of(s: &RoundStatement) -> Statement {
    let points: Vec<&G1Affine> = s.commitments.iter().map(|(_, point)| point).collect();
    Statement {
        project: HexWord(word_from_address(&s.project)),
        round: HexWord(word_from_u128(s.round.into())),
        payee: HexWord(word_from_address(&s.payee)),
        dimension: s.dimension,
        slots: s.slots,
        rule: s.policy.rule().id(),
        policy: s.policy.words().map(|word| HexWord(word_from_u128(word.into()))),
        active_mask: HexWord(word_from_u128(s.active.bits())),
        model_cid: HexWord(s.model_cid),
        model: hex_words(&point_words(&s.model)),
        commitments: points.into_iter().flat_map(point_words).map(HexWord).collect(),
    }
}

fn proof_of(w: &RoundProofWords) -> Proof {
    Proof {
        sigma: HexWord(w.sigma),
        kept_mask: HexWord(w.kept_mask),
        coherence: HexWord(w.coherence),
        shares: hex_words(&w.shares),
        weights: hex_words(&w.weights),
        groth16: hex_words(&w.groth16),
        quotient: hex_words(&w.quotient),
        reversed: hex_words(&w.reversed),
        values: hex_words(&w.values),
        opening: hex_words(&w.opening),
        model: hex_words(&w.model),
        committed: hex_words(&w.committed),
    }
}

fn words<const K: usize>(hex: &[HexWord]) -> [Word; K] {
    hex.iter().map(|w| w.0).collect::<Vec<_>>().try_into().unwrap()
}

fn number(hex: &HexWord) -> u128 {
    u128_from_word(&hex.0).unwrap()
}

fn read(recipe: &Recipe) -> (Vector, RoundStatement, RoundProofWords) {
    let text = std::fs::read_to_string(path(recipe.name)).unwrap();
    let vector: Vector = serde_json::from_str(&text).unwrap();
    let s = &vector.statement;
    let active = SlotMask::from(number(&s.active_mask));
    let statement = RoundStatement {
        chain_id: vector.chain_id,
        project: s.project.0[12..].try_into().unwrap(),
        round: number(&s.round) as u64,
        payee: s.payee.0[12..].try_into().unwrap(),
        dimension: s.dimension,
        slots: s.slots,
        policy: RoundPolicy::Agreement {
            theta: number(&s.policy[0]) as u16,
            trim_count: number(&s.policy[1]) as u32,
        },
        keys_hash: vector.keys.keys_hash.0,
        active,
        model_cid: s.model_cid.0,
        model: point_from_words(&words(&s.model)).unwrap(),
        commitments: active
            .iter()
            .zip(s.commitments.chunks(2))
            .map(|(slot, pair)| (slot, point_from_words(&words(pair)).unwrap()))
            .collect(),
    };
    let p = &vector.proof;
    let all = |hex: &[HexWord]| hex.iter().map(|w| w.0).collect::<Vec<Word>>();
    let proof = RoundProofWords {
        sigma: p.sigma.0,
        kept_mask: p.kept_mask.0,
        coherence: p.coherence.0,
        shares: all(&p.shares),
        weights: all(&p.weights),
        groth16: words(&p.groth16),
        quotient: words(&p.quotient),
        reversed: words(&p.reversed),
        values: words(&p.values),
        opening: words(&p.opening),
        model: words(&p.model),
        committed: words(&p.committed),
    };
    (vector, statement, proof)
}

#[test]
fn the_written_rounds_verify_under_the_pinned_keys() {
    let committed = PinnedKeys::load();
    for recipe in &RECIPES {
        let (vector, statement, proof) = read(recipe);
        let key = committed.verifying_key(recipe.circuit().rule, recipe.size).unwrap();
        let key_words = verifying_key_words(key);
        assert_eq!(hex_words(&key_words[..KEY_FIXED_WORDS]), vector.keys.fixed_points);
        assert_eq!(hex_words(&key_words[KEY_FIXED_WORDS..]), vector.keys.ic);
        assert_eq!(hex_words(&kzg_words(committed.kzg())), vector.keys.kzg);
        assert_eq!(committed.hash(), vector.keys.all_keys_hash.0);
        let alone = hash_of_keys(committed.kzg(), &[(recipe.circuit(), key_words)]);
        assert_eq!(alone, vector.keys.keys_hash.0);
        assert_eq!((vector.keys.rule, vector.keys.size), (vector.statement.rule, statement.slots));
        assert_eq!(vector.statement.rule, statement.policy.rule().id());

        assert_eq!(verify_words_with(key, committed.kzg(), &statement, &proof), Ok(()));
        assert_eq!(hex_words(&transcript_states(&statement, &proof).unwrap()), vector.states);
        let typed = RoundProof::from_words(&proof, recipe.size).unwrap();
        let after = model_step(statement.model, &statement.commitments, typed.weights());
        assert_eq!(after, typed.model());

        let mut other = statement.clone();
        other.round += 1;
        let refused = verify_words_with(key, committed.kzg(), &other, &proof);
        assert_eq!(refused, Err(VerifyError::LaurentIdentityFailed));
    }
}

#[test]
fn attackers_of_the_written_round_are_paid_nothing() {
    let (_, statement, proof) = read(&RECIPES[0]);
    let typed = RoundProof::from_words(&proof, 16).unwrap();
    assert_eq!((statement.active, typed.kept()), (SlotMask::lowest(10), SlotMask::lowest(8)));
    assert_eq!(typed.shares()[8..], [0; 8]);
    assert!(typed.shares()[..8].iter().all(|p| *p > 4000) && typed.coherence() > 20_000);
}
