//! What a specification must be, field by field.

use super::*;
use crate::rules::{AgreementPolicy, ProjectPolicy, RuleName};

const DIGITS: &str = r#"
    name = "digits"
    [model]
    kind = "mlp"
    inputs = 64
    hidden = 128
    classes = 10
    [participation]
    min_trainers = 5
    max_trainers = 10
    stake = "0.1 ether"
    bond = "1 ether"
    [reward]
    rounds = 5
    per_round = "1 ether"
    aggregator_fee = "50000000 gwei"
"#;

#[test]
fn defaults_are_the_defaults_and_the_canonical_form_is_stable() {
    let spec = Specification::from_toml(DIGITS).unwrap();
    let agreement = ProjectPolicy::Agreement(AgreementPolicy { theta: 32, trim: 52 });
    assert_eq!((spec.rule.name, spec.rule.policy()), (RuleName::Agreement, agreement));
    assert_eq!((spec.table(), spec.token()), (8, None));
    let Participation { outlier_rounds, outlier_penalty, .. } = spec.participation;
    assert_eq!((outlier_rounds, outlier_penalty.least()), (u16::MAX, 0));
    assert_eq!(
        spec.periods,
        Periods { registration: 3600, commit: 3600, reveal: 3600, attest: 3600, aggregate: 3600 }
    );
    assert_eq!(spec.slots().unwrap(), 16);
    assert_eq!(spec.deposit().unwrap(), 5 * 1_050_000_000_000_000_000);
    let json = spec.canonical_json();
    assert_eq!(Specification::from_canonical_json(&json).unwrap(), spec);
    let text = String::from_utf8(json).unwrap();
    assert!(text.starts_with(r#"{"description":"","model":{"classes":10,"#), "{text}");
    assert!(
        text.contains(r#""learning_rate":"0.3""#) && text.contains(r#""stake":"100000000000000000 wei""#),
        "{text}"
    );
    let spaced = text.replacen(':', ": ", 1);
    let refused = Specification::from_canonical_json(spaced.as_bytes());
    assert!(matches!(refused, Err(SpecificationError::NotCanonical)));
}

#[test]
fn a_project_may_pay_in_a_token() {
    let token = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
    let text = DIGITS
        .replace("0.1 ether", "100 units")
        .replace("1 ether", "1000000 units")
        .replace("50000000 gwei", "50000 units")
        .replace("[reward]", &format!("[currency]\ntoken = \"{token}\"\n[reward]"))
        .replace("bond =", "outlier_rounds = 2\noutlier_penalty = \"10 units\"\nbond =");
    let spec = Specification::from_toml(&text).unwrap();
    assert_eq!(spec.deposit().unwrap(), 5 * 1_050_000);
    assert_eq!(
        (spec.token().unwrap().to_string().to_lowercase(), spec.participation.stake.least()),
        (token.to_owned(), 100)
    );
    let json = spec.canonical_json();
    assert_eq!(Specification::from_canonical_json(&json).unwrap(), spec);
    let json = String::from_utf8(json).unwrap();
    assert!(json.contains(token) && json.contains(r#""bond":"1000000 units""#), "{json}");
    let wide = DIGITS.replace("hidden = 128", "hidden = 1024");
    assert_eq!(Specification::from_toml(&wide).unwrap().table(), 16);
}

#[test]
fn every_fault_is_named() {
    let refuse = |from: &str, to: &str| {
        assert!(DIGITS.contains(from), "{from}");
        Specification::from_toml(&DIGITS.replace(from, to)).unwrap_err().to_string()
    };
    for (from, to, names) in [
        ("rounds = 5", "", "rounds"),
        ("rounds = 5", "rounds = 0", "reward.rounds is 0"),
        ("kind = \"mlp\"", "kind = \"transformer\"", "transformer"),
        ("hidden = 128", "hidden = 0", "model.hidden is 0"),
        ("max_trainers = 10", "max_trainers = 129", "participation.max_trainers is 129"),
        ("min_trainers = 5", "min_trainers = 2", "participation.min_trainers is 2"),
        ("min_trainers = 5", "min_trainers = 11", "participation.min_trainers is 11"),
        ("min_trainers = 5", "min_trainers = 4", "participation.min_active is 5"),
        ("\"0.1 ether\"", "\"0.1 doge\"", "doge"),
        ("per_round = \"1 ether\"", "per_round = \"0 wei\"", "reward.per_round"),
        ("per_round = \"1 ether\"", "per_round = \"99999999999999 ether\"", "smaller reward"),
        ("[reward]", "[rule]\nname = \"median\"\n[reward]", "median"),
        (
            "[reward]",
            "[rule]\nname = \"multi-krum\"\n[reward]",
            "is not a rule any more: it left honest trainers unpaid",
        ),
        ("[reward]", "[rule]\nname = \"multi-krum\"\n[reward]", "use \"agreement\""),
        ("[reward]", "[rule]\nname = \"median\"\n[reward]", "expected \"agreement\""),
        ("[reward]", "[rule]\nbyzantine = 1\n[reward]", "unknown field `byzantine`"),
        ("[reward]", "[quantisation]\ntable = 12\n[reward]", "quantisation.table is 12"),
        ("[reward]", "[periods]\nattest = 0\n[reward]", "periods.attest is 0"),
        ("bond =", "max_excluded = 2\nbond =", "unknown field `max_excluded`"),
        (
            "bond =",
            "outlier_penalty = \"0.011 ether\"\nbond =",
            "participation.outlier_penalty is 11000000000000000 wei",
        ),
        ("bond = \"1 ether\"", "bond = \"0 ether\"", "participation.bond is 0 wei; expected more than 0"),
        ("[reward]", "[rule]\ntheta = 129\n[reward]", "rule.theta is 129; expected 0 to 128"),
        ("[reward]", "[periods]\nattest = 2592001\n[reward]", "periods.attest is 2592001; expected 1 (3600"),
        ("\"0.1 ether\"", "\"5 units\"", "participation.stake is 5 units; expected an amount in ether"),
        ("[reward]", "[currency]\ntoken = \"0x12\"\n[reward]", "it has 2 digits, not 40"),
        (
            "[reward]",
            "[currency]\ntoken = \"0x0000000000000000000000000000000000000000\"\n[reward]",
            "the address of the token is zero",
        ),
        (
            "[reward]",
            "[currency]\ntoken = \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAee\"\n[reward]",
            "a digit may be wrong",
        ),
        (
            "[reward]",
            "[currency]\ntoken = \"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"\n[reward]",
            "participation.stake is 100000000000000000 wei; expected an amount such as \"1000000 units\"",
        ),
        ("[reward]", "[rule]\ntrim = 86\n[reward]", "rule.trim is 86"),
        ("[reward]", "[rule]\ntheta = 1024\n[reward]", "rule.theta is 1024"),
        ("[reward]", "[rule]\nm = 3\n[reward]", "unknown field `m`"),
        ("[reward]", "[training]\ndecay = 1.5\n[reward]", "training.decay is 1.5"),
        ("[reward]", "[training]\nlearning_rate = -1\n[reward]", "-1"),
        ("[reward]", "[quantisation]\nscale_log2 = 25\n[reward]", "quantisation.scale_log2 is 25"),
        ("[reward]", "[periods]\ncommit = 0\n[reward]", "periods.commit is 0"),
        ("name = \"digits\"", "name = \"\"", "name is 0"),
    ] {
        let message = refuse(from, to);
        assert!(message.contains(names), "{to}: {message}");
    }
}
