//! The program as people type it, as far as it goes without a chain.

use std::path::Path;
use std::process::{Command, Output};

use fairshare_protocol::{encode_export, encode_model, Specification};
use serde_json::Value;

fn trainer(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fairshare-trainer"))
        .args(arguments)
        .output()
        .expect("the program starts")
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("one JSON object")
}

fn refusal(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain path")
}

const SPECIFICATION: &str = r#"
    name = "digits"
    model = { kind = "logistic", inputs = 64, classes = 10 }
    participation = { min_trainers = 5, max_trainers = 10, stake = "0 wei", bond = "1 wei" }
    reward = { rounds = 1, per_round = "1 wei", aggregator_fee = "0 wei" }
"#;

#[test]
fn digits_are_split_and_a_model_is_measured_on_the_held_out_share() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name);
    let data = path("data");
    let split = [
        "data",
        "split",
        "--dataset",
        "digits",
        "--trainers",
        "4",
        "--alpha",
        "0.5",
        "--seed",
        "3",
        "--json",
        "--out",
    ];
    let out = json(&trainer(&[&split[..], &[text(&data)]].concat()));
    let shards = out["shards"].as_array().expect("shards");
    assert_eq!(shards.len(), 4);
    let samples = |part: &Value| part["samples"].as_u64().expect("a number");
    assert_eq!(shards.iter().map(samples).sum::<u64>() + samples(&out["held_out"]), 1797);
    let classes = out["held_out"]["classes"].as_array().expect("counts");
    assert_eq!(classes.iter().filter_map(Value::as_u64).sum::<u64>(), samples(&out["held_out"]));
    // The same again is the same again; another split does not mix with it.
    let before = std::fs::read(data.join("shard-1.safetensors")).expect("a shard");
    json(&trainer(&[&split[..], &[text(&data)]].concat()));
    assert_eq!(std::fs::read(data.join("shard-1.safetensors")).expect("a shard"), before);
    let fewer = trainer(&["data", "split", "--trainers", "3", "--out", text(&data)]);
    assert!(refusal(&fewer).contains("shard-4.safetensors"));

    // All parameters zero: every class has the same score, and the loss is ln 10.
    let specification = Specification::from_toml(SPECIFICATION).expect("sound");
    std::fs::write(path("spec.toml"), SPECIFICATION).expect("written");
    std::fs::write(path("spec.json"), specification.canonical_json()).expect("written");
    let zeros = encode_export(&specification.model, &[0.0; 650]).expect("encoded");
    std::fs::write(path("f32.safetensors"), zeros).expect("written");
    let zeros = encode_model(&specification.model, &[0; 650]).expect("encoded");
    std::fs::write(path("i64.safetensors"), zeros).expect("written");
    for (model, spec) in [("f32.safetensors", "spec.toml"), ("i64.safetensors", "spec.json")] {
        let (model, spec, held_out) = (path(model), path(spec), data.join("held-out.safetensors"));
        let arguments =
            ["evaluate", "--json", "--model", text(&model), "--spec", text(&spec), "--data", text(&held_out)];
        let measured = json(&trainer(&arguments));
        assert_eq!(measured["samples"], out["held_out"]["samples"]);
        let loss = measured["loss"].as_f64().expect("a number");
        assert!((loss - 10f64.ln()).abs() < 1e-5, "{measured}");
        assert!(measured["accuracy"].as_f64().expect("a number") < 0.2);
    }
    let missing = path("none");
    let model = path("f32.safetensors");
    let spec = path("spec.toml");
    let output =
        trainer(&["evaluate", "--model", text(&model), "--spec", text(&spec), "--data", text(&missing)]);
    assert!(refusal(&output).contains("none: cannot be read"));
}

#[test]
fn wrong_options_are_named_with_what_is_expected() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = text(folder.path()).to_owned();
    let split =
        |option: &str, value: &str| refusal(&trainer(&["data", "split", "--out", &out, option, value]));
    assert!(split("--alpha", "0").contains("alpha is 0; expected a finite number above 0"));
    assert!(split("--trainers", "500").contains("at most 71"));
    assert!(split("--held-out", "1.5").contains("held-out is 1.5"));
    assert_eq!(trainer(&["data", "split", "--dataset", "cats", "--out", &out]).status.code(), Some(2));
}

#[test]
fn a_wallet_or_a_network_that_is_not_there_is_named_and_nothing_is_printed_on_stdout() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let wallet = folder.path().join("wallet.json");
    let project = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
    let run = |rpc: &str| {
        Command::new(env!("CARGO_BIN_EXE_fairshare-trainer"))
            .args(["run", "--project", project, "--data", "none", "--wallet", text(&wallet), "--rpc", rpc])
            .env("FAIRSHARE_PASSWORD", "secret")
            .output()
            .expect("the program starts")
    };
    assert!(refusal(&run("http://127.0.0.1:1")).contains("wallet.json"));
    fairshare_client::Wallet::create(&wallet, "secret").expect("a wallet");
    assert!(refusal(&run("http://127.0.0.1:1")).contains("no Ethereum node answers at http://127.0.0.1:1"));
}
