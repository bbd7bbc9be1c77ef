//! Range proofs, word for word. `range_limbs.json`: 1,000 entries in two limbs of 8 bits; `range_bits.json`: 4,096
//! entries of 16 bits; `range_cheats.json`: false ones, each with the contract's reason.

use super::path;
use fairshare_circuits::{
    fr_from_i64, g2_words, msm, point_words, prove_range, prove_range_unchecked, range_transcript_states,
    verify_range, Fr, RangeProof, RangeStatement, RangeTable, RangeWitness, ReferenceString,
};
use fairshare_protocol::{word_from_address, word_from_label, word_from_u128, Word};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;
use serde_json::{json, Map, Value};
use sha3::{Digest, Keccak256};

/// Every file with its contents.
pub(super) fn files() -> Vec<(&'static str, String)> {
    let srs = ReferenceString::generate_dev(1 << 16);
    let values = [
        ("range_limbs.json", honest(&srs, RangeTable::Limbs8, 1000)),
        ("range_bits.json", honest(&srs, RangeTable::Bits16, 4096)),
        ("range_cheats.json", cheats(&srs)),
    ];
    values.map(|(name, value)| (name, format!("{value:#}\n"))).into()
}

fn update(d: usize) -> Vec<i16> {
    let mut rng = ChaCha20Rng::seed_from_u64(d as u64);
    let mut update: Vec<i16> = (0..d).map(|_| rng.gen()).collect();
    (update[0], update[d - 1]) = (i16::MIN, i16::MAX);
    update
}

fn statement(srs: &ReferenceString, table: RangeTable, dimension: usize, u: &[Fr]) -> RangeStatement {
    RangeStatement {
        chain_id: 31_337,
        project: [0x11; 20],
        round: 3,
        trainer: [0x22; 20],
        dimension: dimension as u32,
        table,
        keys_hash: keys_hash(srs),
        commitment: msm(srs.powers(u.len()).unwrap(), u).into(),
    }
}

/// The hash of docs/protocol.md 3.2 for a DEV registry without Groth16 keys.
fn keys_hash(srs: &ReferenceString) -> Word {
    let words = [vec![word_from_u128(1)], kzg_words(srs)].concat();
    let head =
        [word_from_label("fairshare.keys.v2"), word_from_u128(64), word_from_u128(words.len() as u128)];
    Keccak256::new_with_prefix(head.as_flattened()).chain_update(words.as_flattened()).finalize().into()
}

fn kzg_words(srs: &ReferenceString) -> Vec<Word> {
    let key = srs.kzg_key();
    let mut words = point_words(&key.x1).to_vec();
    words.extend(key.g2.iter().flat_map(g2_words));
    words
}

fn honest(srs: &ReferenceString, table: RangeTable, d: usize) -> Value {
    let update = update(d);
    let scalars: Vec<Fr> = update.iter().map(|v| fr_from_i64((*v).into())).collect();
    let statement = statement(srs, table, d, &scalars);
    let proof = prove_range(srs, &statement, &update).unwrap();
    let mut value = case(&statement, &proof);
    value.insert("states".into(), hex_words(&range_transcript_states(&statement, &proof).unwrap()));
    value.insert("kzg".into(), hex_words(&kzg_words(srs)));
    value.insert("keysHash".into(), hex_word(&statement.keys_hash));
    Value::Object(value)
}

fn case(statement: &RangeStatement, proof: &RangeProof) -> Map<String, Value> {
    let words = proof.words();
    let value = json!({
        "chainId": statement.chain_id,
        "statement": {
            "project": hex_word(&word_from_address(&statement.project)),
            "round": statement.round,
            "trainer": hex_word(&word_from_address(&statement.trainer)),
            "dimension": statement.dimension,
            "table": statement.table.id(),
            "commitment": hex_words(&point_words(&statement.commitment)),
        },
        "proof": { "points": hex_words(&words.points), "values": hex_words(&words.values) },
    });
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Commitments to what is no vector of 16-bit integers, with the best argument that can be made for them.
fn cheats(srs: &ReferenceString) -> Value {
    const D: usize = 16;
    let i = ark_ff::Field::sqrt(&-Fr::from(1u64)).unwrap();
    let x = Fr::from(u64::MAX);
    let offset = Fr::from(1u64 << 15);
    let number = fr_from_i64;
    let entries: [(&str, &[(usize, Fr)]); 4] = [
        ("one entry of 2^15", &[(5, number(1 << 15))]),
        ("one entry of -2^15 - 1", &[(0, number(-(1 << 15) - 1))]),
        ("a field element that is not small", &[(7, x * x * x * x)]),
        ("the isotropic pair (x, i x)", &[(3, x), (4, i * x)]),
    ];
    let mut all = Map::new();
    let mut add = |name: &str, table: RangeTable, witness: RangeWitness| {
        let u: Vec<Fr> = match table {
            RangeTable::Bits16 => witness.columns[0].clone(),
            RangeTable::Limbs8 => {
                let limbs = witness.columns[0].iter().zip(&witness.columns[1]);
                limbs.map(|(high, low)| Fr::from(256u64) * high + low - offset).collect()
            }
        };
        let statement = statement(srs, table, D, &u);
        let proof = prove_range_unchecked(srs, &statement, witness).unwrap();
        let refusal =
            verify_range(&srs.kzg_key(), &statement, &proof).err().and_then(|error| error.contract_name());
        assert!(refusal.is_some(), "{name} was not refused");
        let mut value = case(&statement, &proof);
        value.insert("name".into(), json!(name));
        value.insert("reason".into(), json!(refusal));
        all.insert(format!("case{}", all.len()), Value::Object(value));
    };
    let honest = |table| RangeWitness::of_update(table, &update(D));
    for (name, changes) in entries {
        let mut limbs = honest(RangeTable::Limbs8);
        let mut bits = honest(RangeTable::Bits16);
        for (j, value) in changes {
            // The whole value in the low limb: there is no better split.
            (limbs.columns[0][*j], limbs.columns[1][*j]) = (Fr::from(0u64), *value + offset);
            bits.columns[0][*j] = *value;
        }
        add(name, RangeTable::Limbs8, limbs);
        add(name, RangeTable::Bits16, bits);
    }
    for table in [RangeTable::Limbs8, RangeTable::Bits16] {
        let mut witness = honest(table);
        witness.counts[9] += Fr::from(1u64);
        add("a multiplicity off by one", table, witness);
    }
    let count = all.len();
    all.insert("count".into(), json!(count));
    Value::Object(all)
}

fn hex_word(word: &Word) -> Value {
    json!(format!("0x{}", hex::encode(word)))
}

fn hex_words(words: &[Word]) -> Value {
    Value::Array(words.iter().map(hex_word).collect())
}

/// The committed file is what this code writes.
#[test]
fn the_vector_with_limbs_is_up_to_date() {
    let committed = std::fs::read_to_string(path("range_limbs.json")).unwrap();
    let srs = ReferenceString::generate_dev(1024);
    let made = honest(&srs, RangeTable::Limbs8, 1000);
    assert_eq!(committed, format!("{made:#}\n"), "run scripts/regenerate and commit what it writes");
}
