//! Generates `tests/vectors/rules.json`: rounds of small updates, their Gram matrices, and the outcomes of the rules.
//!
//! Numbers that may pass 2^53 are text. Inactive slots have the update `null`. A round without `updates` is a matrix at
//! the bounds, which no short updates have. An outcome of `null` is a matrix that the rule refuses.

use fairshare_protocol::{
    assess, pack17, word_from_u128, AgreementPolicy, Assessment, Detail, GramMatrix, MultiKrumPolicy,
    ProjectPolicy, RuleError, SlotMask, Word, MAX_ENTRY, SLOT_SIZES,
};
use serde_json::{json, Map, Value};

const ABOUT: &str = "Updates, Gram matrices (upper triangle, row by row) and outcomes of the rule agreement \
    (docs/protocol.md 6.2) and of the baseline multi-krum (docs/rules.md). Made by scripts/regenerate, recomputed from \
    the documents by tests/vectors/check_rules.py and protocol/tests/rule_vectors.rs.";

/// The file's text.
pub(crate) fn rules_json() -> String {
    let mut rounds = Vec::new();
    for size in SLOT_SIZES.map(usize::from) {
        rounds.extend(rounds_of_size(size));
    }
    rounds.extend(odd_rounds());
    let file = json!({"about": ABOUT, "rounds": rounds});
    let mut text = String::new();
    write(&file, 0, &mut text);
    text + "\n"
}

/// For every `N`: all slots active, gaps between the active slots, and the fewest active slots of any round.
fn rounds_of_size(size: usize) -> Vec<Value> {
    let dimension = if size > 32 { 5 } else { 9 };
    let mut numbers = Numbers(size as u64);
    let every = SlotMask::lowest(size as u32);
    // The lowest slot, the highest one, and two of three between.
    let gaps: SlotMask = (0..size).filter(|slot| *slot == size - 1 || slot % 3 != 1).collect();
    let three = SlotMask::from_slots([1, size / 2, size - 1]);
    [("full", every), ("gaps", gaps), ("three active", three)]
        .into_iter()
        .map(|(name, active)| {
            let updates = around_one_direction(active, dimension, &mut numbers);
            round(&format!("{name}, N = {size}"), size, Source::Updates(active, updates), Policies::default())
        })
        .collect()
}

fn odd_rounds() -> Vec<Value> {
    let all = |n: usize| SlotMask::lowest(n as u32);
    let of = |name: &str, rows: Vec<Vec<i16>>, policies| {
        let active = all(rows.len());
        round(name, 8, Source::Updates(active, rows), policies)
    };
    let usual = Policies::default();
    let mut numbers = Numbers(7);
    let ten = around_one_direction(all(10), 6, &mut numbers);
    let mut rounds = vec![
        of("equal updates: every order is a tie", vec![vec![7, -3]; 5], usual),
        of("two groups of equal updates", [vec![vec![5, 1]; 3], vec![vec![1, 5]; 3]].concat(), usual),
        of(
            "zero updates beside others",
            vec![vec![0; 3], vec![9, 8, 7], vec![9, 7, 8], vec![0; 3], vec![8, 9, 9]],
            usual,
        ),
        of("nothing but zero updates", vec![vec![0; 4]; 6], usual),
        of("nobody agrees with anybody", vec![vec![5, 0, 0], vec![0, 5, 0], vec![0, 0, 5]], usual),
        of("opposite updates", vec![vec![100, 1], vec![-100, -1], vec![100, 2], vec![-100, -2]], usual),
        of("updates of one parameter", vec![vec![1], vec![2], vec![-3], vec![4], vec![1000]], usual),
        of(
            "largest and smallest entries",
            vec![
                vec![i16::MIN; 4],
                vec![i16::MAX; 4],
                vec![i16::MIN, i16::MAX, i16::MIN, i16::MAX],
                vec![i16::MIN; 4],
                vec![-1, 1, -1, 1],
                vec![i16::MIN, i16::MIN, i16::MAX, i16::MIN],
            ],
            usual,
        ),
        of("one long update, clipped", vec![vec![3, 4], vec![6, 8], vec![0, 5], vec![3000, 4000]], usual),
        of("theta 0: whoever contributes anything is kept", ten_of(&ten, 8), usual.theta(0)),
        of("theta 1023: almost four medians", ten_of(&ten, 8), usual.theta(1023)),
        of("trim 0", ten_of(&ten, 7), usual.trim(0)),
        of("trim 85", ten_of(&ten, 7), usual.trim(85)),
        of("multi-krum keeps the fewest", ten_of(&ten, 8), usual.krum(85, 1)),
        of("multi-krum keeps almost all", ten_of(&ten, 8), usual.krum(0, 255)),
    ];
    for (name, off_diagonal) in [("largest", MAX_ENTRY), ("most negative", -MAX_ENTRY)] {
        let upper: Vec<i64> =
            (0..8).flat_map(|i| (i..8).map(move |j| if i == j { MAX_ENTRY } else { off_diagonal })).collect();
        let gram = GramMatrix::from_upper(8, upper).unwrap();
        rounds.push(round(&format!("the {name} entries"), 8, Source::Matrix(all(8), gram), usual));
    }
    // Products twice as large as the norms allow: the coherence would exceed one.
    let upper = (0..3).flat_map(|i| {
        (i..8).map(move |j| {
            if j > 2 {
                0
            } else if i == j {
                100
            } else {
                200
            }
        })
    });
    let upper: Vec<i64> = upper.chain([0; 15]).collect();
    let gram = GramMatrix::from_upper(8, upper).unwrap();
    rounds.push(round("no vectors have this matrix", 8, Source::Matrix(all(3), gram), usual));
    rounds
}

fn ten_of(rows: &[Vec<i16>], count: usize) -> Vec<Vec<i16>> {
    rows[..count].to_vec()
}

/// One direction, each trainer with its own size and noise. Of more than three active slots the third points the other
/// way, the fourth is ten times as long, the fifth is noise alone.
fn around_one_direction(active: SlotMask, dimension: usize, numbers: &mut Numbers) -> Vec<Vec<i16>> {
    let direction: Vec<i64> = (0..dimension).map(|_| numbers.around(400)).collect();
    (0..active.count() as usize)
        .map(|k| {
            let (sign, times) = match k {
                2 if active.count() > 3 => (-1, 1),
                3 => (1, 10),
                4 => (0, 2),
                _ => (1, 1 + k as i64 % 3),
            };
            let entry = |along: &i64| times * (sign * along + numbers.around(150));
            direction.iter().map(entry).map(|value| i16::try_from(value).unwrap()).collect()
        })
        .collect()
}

/// Knuth's 64-bit linear congruential generator: the file must be the same on every machine.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    fn around(&mut self, most: i64) -> i64 {
        self.next(2 * most as u64 + 1) as i64 - most
    }
}

#[derive(Clone, Copy)]
struct Policies {
    agreement: AgreementPolicy,
    krum: MultiKrumPolicy,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            agreement: AgreementPolicy { theta: 32, trim: 52 },
            krum: MultiKrumPolicy { byzantine: 52, selected: 179 },
        }
    }
}

impl Policies {
    fn theta(mut self, theta: u16) -> Self {
        self.agreement.theta = theta;
        self
    }

    fn trim(mut self, trim: u8) -> Self {
        self.agreement.trim = trim;
        self
    }

    fn krum(mut self, byzantine: u8, selected: u8) -> Self {
        self.krum = MultiKrumPolicy { byzantine, selected };
        self
    }
}

enum Source {
    /// One update for each active slot.
    Updates(SlotMask, Vec<Vec<i16>>),
    Matrix(SlotMask, GramMatrix),
}

fn round(name: &str, size: usize, source: Source, policies: Policies) -> Value {
    let mut fields = Map::new();
    fields.insert("name".into(), name.into());
    fields.insert("slots".into(), size.into());
    let (active, gram) = match source {
        Source::Matrix(active, gram) => (active, gram),
        Source::Updates(active, updates) => {
            let mut slots: Vec<Option<&[i16]>> = vec![None; size];
            for (slot, update) in active.iter().zip(&updates) {
                slots[usize::from(slot)] = Some(update);
            }
            fields.insert("dimension".into(), updates[0].len().into());
            fields.insert("updates".into(), json!(slots));
            (active, GramMatrix::compute(&slots).unwrap())
        }
    };
    fields.insert("active".into(), json!(active));
    fields.insert("gram".into(), json!(gram.upper()));
    let Policies { agreement: a, krum: k } = policies;
    let policy = json!({"theta": a.theta, "trim": a.trim});
    fields.insert("agreement".into(), judged(&gram, active, ProjectPolicy::Agreement(a), policy));
    let policy = json!({"byzantine": k.byzantine, "selected": k.selected});
    fields.insert("multiKrum".into(), judged(&gram, active, ProjectPolicy::MultiKrum(k), policy));
    Value::Object(fields)
}

/// Terms, policy words of the round, the public input of mask and policy words, and the outcome.
fn judged(gram: &GramMatrix, active: SlotMask, policy: ProjectPolicy, terms: Value) -> Value {
    let policy = policy.for_round(active.count());
    let [p0, p1] = policy.words();
    let high = word_from_u128(u128::from(p0) + (u128::from(p1) << 16));
    let low = word_from_u128(active.bits());
    let packed: Word = std::array::from_fn(|i| if i < 16 { high[16 + i] } else { low[i] });
    let outcome = match assess(gram, active, policy) {
        Ok(assessment) => outcome(&assessment),
        Err(RuleError::NotAGramMatrix { .. }) => Value::Null,
        Err(error) => panic!("a vector that no rule answers: {error}"),
    };
    json!({"terms": terms, "policyWords": [p0, p1], "packedInputs": hex_word(&packed), "outcome": outcome})
}

fn outcome(assessment: &Assessment) -> Value {
    let text = |values: &[i128]| values.iter().map(i128::to_string).collect::<Vec<_>>();
    let contributions: Vec<String> = assessment.contributions.iter().map(u64::to_string).collect();
    let mut outcome = match &assessment.detail {
        Detail::Agreement(detail) => json!({
            "norms": detail.norms,
            "tau": detail.tau,
            "clipFactors": detail.clip_factors,
            "agreements": text(&detail.agreements),
            "median": detail.median.to_string(),
        }),
        Detail::MultiKrum(detail) => {
            json!({"scores": text(&detail.scores), "agreements": text(&detail.agreements)})
        }
    };
    for (key, value) in [
        ("contributions", json!(contributions)),
        ("kept", json!(assessment.kept)),
        ("shares", json!(assessment.shares)),
        ("weights", json!(assessment.weights)),
        ("coherence", json!(assessment.coherence)),
        ("packedShares", packed(&assessment.shares)),
        ("packedWeights", packed(&assessment.weights)),
    ] {
        outcome[key] = value;
    }
    outcome
}

fn packed(elements: &[u32]) -> Value {
    pack17(elements).unwrap().iter().map(hex_word).collect::<Vec<_>>().into()
}

fn hex_word(word: &Word) -> String {
    format!("0x{}", hex::encode(word))
}

/// Objects over several lines, lists of numbers and texts on one, a list of lists with one inner list a line.
fn write(value: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth + 1);
    let (open, close, parts): (char, char, Vec<(String, &Value)>) = match value {
        Value::Object(fields) => ('{', '}', fields.iter().map(|(k, v)| (format!("{k:?}: "), v)).collect()),
        Value::Array(items) if items.iter().any(|item| item.is_array() || item.is_object()) => {
            ('[', ']', items.iter().map(|item| (String::new(), item)).collect())
        }
        other => return text.push_str(&other.to_string()),
    };
    text.push(open);
    for (at, (key, part)) in parts.into_iter().enumerate() {
        text.push_str(if at == 0 { "\n" } else { ",\n" });
        text.push_str(&indent);
        text.push_str(&key);
        write(part, depth + 1, text);
    }
    text.push('\n');
    text.push_str(&indent[2..]);
    text.push(close);
}
