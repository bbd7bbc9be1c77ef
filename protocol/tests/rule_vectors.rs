//! `tests/vectors/rules.json`, recomputed from the text of docs/protocol.md (sections 2, 6, 12): plain integers,
//! without the crate's rules, matrix or packing. Whoever changes a rule changes this file too.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::{json, Value};

const ONE: i128 = 1 << 16;

/// A square matrix, zero in rows of slots that are not active.
type Matrix = Vec<Vec<i128>>;

struct Round {
    name: String,
    active: Vec<bool>,
    gram: Matrix,
    json: Value,
}

impl Round {
    fn read(json: &Value) -> Self {
        let slots = json["slots"].as_u64().unwrap() as usize;
        let mask = mask(&json["active"]);
        let mut entries =
            json["gram"].as_array().unwrap().iter().map(|entry| i128::from(entry.as_i64().unwrap()));
        let mut gram = vec![vec![0; slots]; slots];
        for i in 0..slots {
            for j in i..slots {
                gram[i][j] = entries.next().unwrap();
                gram[j][i] = gram[i][j];
            }
        }
        assert_eq!(entries.next(), None, "{}", json["name"]);
        Self {
            name: json["name"].as_str().unwrap().to_owned(),
            active: (0..slots).map(|i| mask >> i & 1 == 1).collect(),
            gram,
            json: json.clone(),
        }
    }

    fn slots(&self) -> usize {
        self.active.len()
    }

    fn on(&self) -> Vec<usize> {
        (0..self.slots()).filter(|i| self.active[*i]).collect()
    }

    fn others(&self, i: usize) -> Vec<usize> {
        self.on().into_iter().filter(|j| *j != i).collect()
    }
}

fn mask(value: &Value) -> u128 {
    u128::from_str_radix(value.as_str().unwrap().strip_prefix("0x").unwrap(), 16).unwrap()
}

fn rounds() -> Vec<Round> {
    let file: Value = serde_json::from_str(include_str!("../../tests/vectors/rules.json")).unwrap();
    file["rounds"].as_array().unwrap().iter().map(Round::read).collect()
}

fn text(values: &[i128]) -> Value {
    json!(values.iter().map(i128::to_string).collect::<Vec<_>>())
}

fn numbers(values: &[i128]) -> Value {
    json!(values.iter().map(|v| i64::try_from(*v).unwrap()).collect::<Vec<_>>())
}

/// 256 bits, element 0 in the low 17, 14 elements to a word.
fn packed(values: &[i128]) -> Value {
    let word = |elements: &[i128]| {
        let bits: Vec<bool> = elements
            .iter()
            .flat_map(|v| (0..17).map(move |bit| v >> bit & 1 == 1))
            .chain([false; 256])
            .collect();
        let nibbles = bits[..256].chunks(4).rev();
        let digit = |nibble: &[bool]| nibble.iter().rev().fold(0, |n, bit| 2 * n + u32::from(*bit));
        let digits: String = nibbles.map(|n| char::from_digit(digit(n), 16).unwrap()).collect();
        format!("0x{digits}")
    };
    json!(values.chunks(14).map(word).collect::<Vec<_>>())
}

/// The largest `r` with `r^2 <= x`, by halving.
fn square_root(x: i128) -> i128 {
    let (mut low, mut high) = (0, 1 << 62);
    while low + 1 < high {
        let middle = (low + high) / 2;
        if middle * middle <= x {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// "The one value with `#{n_j < tau} = L`, `#{n_j <= tau} = E`, `n - 1 - 2L >= 0` and `2E - n >= 0`."
fn lower_median(values: &[i128]) -> i128 {
    let n = values.len() as i128;
    let is_median = |tau: &&i128| {
        let below = values.iter().filter(|v| v < tau).count() as i128;
        let up_to = values.iter().filter(|v| v <= tau).count() as i128;
        n - 1 - 2 * below >= 0 && 2 * up_to - n >= 0
    };
    *values.iter().find(is_median).unwrap()
}

/// `floor(2^16 w'Gw / (sum w * sum_i w_i G_ii))`, 0 where the denominator is 0; `None` outside [0, 2^16].
fn coherence(gram: &Matrix, weights: &[i128]) -> Option<i128> {
    let slots = 0..weights.len();
    let mut step = 0;
    for i in slots.clone() {
        for j in slots.clone() {
            step += weights[i] * weights[j] * gram[i][j];
        }
    }
    let denominator = weights.iter().sum::<i128>() * slots.map(|i| weights[i] * gram[i][i]).sum::<i128>();
    if denominator == 0 {
        return Some(0);
    }
    Some((ONE * step).div_euclid(denominator)).filter(|value| (0..=ONE).contains(value))
}

fn shares(contributions: &[i128], kept: &[bool]) -> Vec<i128> {
    let total: i128 = (0..kept.len()).filter(|i| kept[*i]).map(|i| contributions[i]).sum();
    let share = |i: usize| if kept[i] && total > 0 { ONE * contributions[i] / total } else { 0 };
    (0..kept.len()).map(share).collect()
}

/// The fields that both rules have.
fn outcome(
    contributions: &[i128],
    kept: &[bool],
    shares: &[i128],
    weights: &[i128],
    coherence: i128,
) -> Value {
    let mask = (0..kept.len()).filter(|i| kept[*i]).map(|i| 1u128 << i).sum::<u128>();
    json!({
        "contributions": text(contributions),
        "kept": format!("{mask:#x}"),
        "shares": numbers(shares),
        "weights": numbers(weights),
        "coherence": coherence as i64,
        "packedShares": packed(shares),
        "packedWeights": packed(weights),
    })
}

/// Section 6.2.
fn agreement(round: &Round, theta: i128, trimmed: usize) -> Value {
    let slots = round.slots();
    let norms: Vec<i128> = (0..slots).map(|i| square_root(round.gram[i][i])).collect();
    let on = round.on();
    let tau = lower_median(&on.iter().map(|i| norms[*i]).collect::<Vec<_>>());
    let clip: Vec<i128> = norms.iter().map(|n| if *n <= tau { ONE } else { ONE * tau / n }).collect();
    let mut agreements = vec![0; slots];
    let mut contributions = vec![0; slots];
    for &i in &on {
        let mut row: Vec<i128> = round.others(i).iter().map(|j| clip[*j] * round.gram[i][*j]).collect();
        for _ in 0..trimmed {
            for end in [row.iter().max().copied(), row.iter().min().copied()] {
                let at = row.iter().position(|value| Some(*value) == end).unwrap();
                row.remove(at);
            }
        }
        assert!(!row.is_empty(), "{}", round.name);
        agreements[i] = row.iter().sum();
        contributions[i] = (clip[i] * agreements[i]).div_euclid(1 << 32).max(0);
    }
    let median = lower_median(&on.iter().map(|i| contributions[*i]).collect::<Vec<_>>());
    let is_kept = |i| round.active[i] && 256 * contributions[i] >= (theta * median).max(1);
    let kept: Vec<bool> = (0..slots).map(is_kept).collect();
    let shares = shares(&contributions, &kept);
    let weights: Vec<i128> = shares.iter().zip(&clip).map(|(p, s)| p * s / ONE).collect();
    let Some(coherence) = coherence(&round.gram, &weights) else { return Value::Null };
    let mut outcome = outcome(&contributions, &kept, &shares, &weights, coherence);
    outcome["norms"] = numbers(&norms);
    outcome["tau"] = json!(tau as i64);
    outcome["clipFactors"] = numbers(&clip);
    outcome["agreements"] = text(&agreements);
    outcome["median"] = json!(median.to_string());
    outcome
}

/// The baseline multi-krum of docs/rules.md.
fn multi_krum(round: &Round, neighbours: usize, selected: usize) -> Value {
    let (slots, gram) = (round.slots(), &round.gram);
    let mut scores = vec![0; slots];
    for i in round.on() {
        let mut distances: Vec<i128> =
            round.others(i).iter().map(|j| gram[i][i] + gram[*j][*j] - 2 * gram[i][*j]).collect();
        for _ in 0..neighbours {
            let least = *distances.iter().min().unwrap();
            scores[i] += least;
            let at = distances.iter().position(|distance| *distance == least).unwrap();
            distances.remove(at);
        }
    }
    let before = |i: usize| round.on().iter().filter(|j| (scores[**j], **j) < (scores[i], i)).count();
    let kept: Vec<bool> = (0..slots).map(|i| round.active[i] && before(i) < selected).collect();
    let products = |i: usize| (0..slots).filter(|j| *j != i && kept[*j]).map(|j| gram[i][j]).sum::<i128>();
    let agreements: Vec<i128> = (0..slots).map(|i| if kept[i] { products(i) } else { 0 }).collect();
    let contributions: Vec<i128> = agreements.iter().map(|a| (*a).max(0)).collect();
    let shares = shares(&contributions, &kept);
    let Some(coherence) = coherence(gram, &shares) else { return Value::Null };
    let mut outcome = outcome(&contributions, &kept, &shares, &shares, coherence);
    outcome["scores"] = text(&scores);
    outcome["agreements"] = text(&agreements);
    outcome
}

fn term(judged: &Value, name: &str) -> i128 {
    i128::from(judged["terms"][name].as_u64().unwrap())
}

#[test]
fn gram_matrices_are_the_products_of_the_updates() {
    let mut seen = 0;
    for round in rounds() {
        let slots = round.slots();
        assert!(round.json["updates"].is_null() || round.json["updates"].as_array().unwrap().len() == slots);
        let update = |i: usize| -> Option<Vec<i128>> {
            let update = round.json["updates"][i].as_array()?;
            assert_eq!(update.len() as u64, round.json["dimension"].as_u64().unwrap());
            Some(update.iter().map(|value| i128::from(value.as_i64().unwrap())).collect())
        };
        for i in 0..slots {
            let u = update(i);
            assert!(round.json["updates"].is_null() || u.is_some() == round.active[i], "{}", round.name);
            assert!(u.iter().flatten().all(|value| (-32_768..32_768).contains(value)));
            for j in 0..slots {
                let product =
                    |(u, v): (&Vec<i128>, &Vec<i128>)| u.iter().zip(v).map(|(a, b)| a * b).sum::<i128>();
                let expected = u.as_ref().zip(update(j).as_ref()).map(product);
                if !round.json["updates"].is_null() {
                    assert_eq!(round.gram[i][j], expected.unwrap_or(0), "{}: ({i}, {j})", round.name);
                    seen += 1;
                }
                assert!(round.active[i] && round.active[j] || round.gram[i][j] == 0);
            }
        }
    }
    assert!(seen > 10_000);
}

#[test]
fn policy_words_follow_from_terms_and_active_slots() {
    for round in rounds() {
        let n = round.on().len() as i128;
        let (a, k) = (&round.json["agreement"], &round.json["multiKrum"]);
        let agreement = [term(a, "theta"), n * term(a, "trim") / 256];
        let krum = [n - n * term(k, "byzantine") / 256 - 2, (n * term(k, "selected") / 256).max(2)];
        for (judged, [p0, p1]) in [(a, agreement), (k, krum)] {
            assert_eq!(judged["policyWords"], numbers(&[p0, p1]), "{}", round.name);
            // active mask + 2^128 p_0 + 2^144 p_1
            let packed = format!("0x{:032x}{:032x}", p0 + (p1 << 16), mask(&round.json["active"]));
            assert_eq!(judged["packedInputs"], packed, "{}", round.name);
        }
    }
}

#[test]
fn outcomes_are_what_the_protocol_says() {
    for round in rounds() {
        let (a, k) = (&round.json["agreement"], &round.json["multiKrum"]);
        let word = |judged: &Value, at: usize| judged["policyWords"][at].as_u64().unwrap() as usize;
        assert_eq!(
            a["outcome"],
            agreement(&round, term(a, "theta"), word(a, 1)),
            "{}: agreement",
            round.name
        );
        assert_eq!(k["outcome"], multi_krum(&round, word(k, 0), word(k, 1)), "{}: multi-krum", round.name);
    }
}

/// The file would prove little if its rounds were all alike.
#[test]
fn rounds_cover_every_size_and_the_edges() {
    let rounds = rounds();
    let with = |what: &dyn Fn(&Round) -> bool| rounds.iter().filter(|round| what(round)).count();
    for size in [8, 16, 32, 64, 128] {
        assert!(with(&|r| r.slots() == size) >= 3, "N = {size}");
        assert!(with(&|r| r.slots() == size && r.active.iter().any(|on| !on) && r.active[size - 1]) >= 2);
    }
    let kept = |r: &Round| r.json["agreement"]["outcome"]["kept"].as_str().map(|text| mask(&json!(text)));
    let active = |r: &Round| mask(&r.json["active"]);
    assert!(with(&|r| kept(r) == Some(0)) >= 2, "nothing kept");
    assert!(with(&|r| kept(r) == Some(active(r))) >= 3, "everything kept");
    assert!(with(&|r| kept(r).is_some_and(|kept| kept != 0 && kept != active(r))) >= 5, "outliers");
    assert_eq!(with(&|r| r.json["agreement"]["outcome"].is_null()), 1, "refused");
    let clipped = |r: &Round| {
        r.json["agreement"]["outcome"]["clipFactors"]
            .as_array()
            .is_some_and(|factors| factors.iter().any(|factor| factor.as_i64() != Some(1 << 16)))
    };
    assert!(with(&clipped) >= 5);
    let extremes = |r: &Round| r.gram.iter().flatten().any(|entry| entry.abs() == 1 << 52);
    assert_eq!(with(&extremes), 2);
}
