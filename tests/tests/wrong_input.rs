//! Wrong input: one message that names the input and the remedy, an exit code that is not 0, nothing spent.
#![allow(clippy::unwrap_used)]

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;
use std::process::Command;

use fairshare_client::Chain;
use fairshare_tests::{binary, run_raw, Market, Options};
use serde_json::Value;

/// Runs a command that must fail; its only message must hold every one of `expected`.
fn refuse(command: &mut Command, expected: &[&str]) {
    let output = run_raw(command).unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(!message.contains("panicked") && !message.contains("backtrace"), "{message}");
    for part in expected {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
    let result = String::from_utf8_lossy(&output.stdout);
    assert!(result.lines().all(|line| !line.contains("\"transaction\"")), "{result}");
}

/// `project create` with a changed specification; the owner's balance must stay.
fn refuse_specification(market: &Market, from: &str, to: &str, expected: &[&str]) {
    let toml = std::fs::read_to_string(market.folder.join("project.toml")).unwrap();
    assert!(toml.contains(from), "{from}");
    let path = market.folder.join("wrong.toml");
    std::fs::write(&path, toml.replace(from, to)).unwrap();
    let before = balance(market, "owner");
    let mut command = market.as_owner(&["project", "create"]).unwrap();
    command.arg("--spec").arg(&path).args(["--aggregator", market.trainers[0].address()]);
    refuse(&mut command, expected);
    assert_eq!(balance(market, "owner"), before);
}

fn balance(market: &Market, wallet: &str) -> u128 {
    let described = std::fs::read(market.folder.join("devnet/devnet.json")).unwrap();
    let described: Value = serde_json::from_slice(&described).unwrap();
    let found = described["wallets"].as_array().unwrap().iter().find(|w| w["name"] == wallet).unwrap();
    let address = found["address"].as_str().unwrap().parse().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        Chain::connect(&market.rpc, None, None).await.unwrap().balance(address).await.unwrap()
    })
}

fn specification_without_a_field_is_refused(market: &Market) {
    refuse_specification(market, "per_round = \"1 ether\"", "", &["per_round"]);
}

fn specification_with_an_impossible_trim_is_refused(market: &Market) {
    refuse_specification(
        market,
        "[reward]",
        "[rule]\ntrim = 200\n[reward]",
        &["rule.trim is 200", "0 to 85"],
    );
}

fn specification_of_an_unknown_model_is_refused(market: &Market) {
    refuse_specification(market, "\"logistic\"", "\"transformer\"", &["transformer", "logistic"]);
}

fn specification_of_an_unknown_rule_is_refused(market: &Market) {
    refuse_specification(
        market,
        "[reward]",
        "[rule]\nname = \"median\"\n[reward]",
        &["median", "expected \"agreement\""],
    );
    refuse_specification(
        market,
        "[reward]",
        "[rule]\nname = \"multi-krum\"\n[reward]",
        &["multi-krum", "is not a rule any more", "use \"agreement\""],
    );
}

fn specification_with_too_few_trainers_is_refused(market: &Market) {
    refuse_specification(
        market,
        "min_trainers = 5",
        "min_trainers = 2",
        &["participation.min_trainers is 2", "3 to"],
    );
}

fn escrow_beyond_the_owners_means_is_refused_before_anything_is_spent(market: &Market) {
    refuse_specification(market, "per_round = \"1 ether\"", "per_round = \"5000 ether\"", &["ether", "5000"]);
}

fn run_trainer(market: &Market, data: &Path) -> Command {
    let mut command = market.command("fairshare-trainer", &["run", "--join"]).unwrap();
    command.arg("--data").arg(data);
    command.arg("--wallet").arg(market.folder.join("devnet/wallets/trainer-1.json"));
    command.arg("--password-file").arg(market.folder.join("devnet/password"));
    command.arg("--state").arg(market.folder.join("state/wrong"));
    command
}

fn shard_file(path: &Path, samples: usize, features: usize) {
    let header = format!(
        r#"{{"features":{{"dtype":"F32","shape":[{samples},{features}],"data_offsets":[0,{f}]}},"labels":{{"dtype":"I64","shape":[{samples}],"data_offsets":[{f},{l}]}}}}"#,
        f = 4 * samples * features,
        l = 4 * samples * features + 8 * samples,
    );
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(vec![0; 4 * samples * features + 8 * samples]);
    std::fs::write(path, bytes).unwrap();
}

fn shard_of_another_shape_is_refused(market: &Market) {
    let path = market.folder.join("wide.safetensors");
    shard_file(&path, 40, 65);
    refuse(&mut run_trainer(market, &path), &["wide.safetensors", "65", "64"]);
}

fn empty_shard_is_refused(market: &Market) {
    let path = market.folder.join("empty.safetensors");
    shard_file(&path, 0, 64);
    refuse(&mut run_trainer(market, &path), &["empty.safetensors", "empty"]);
}

fn missing_shard_is_refused(market: &Market) {
    refuse(&mut run_trainer(market, Path::new("nowhere.safetensors")), &["nowhere.safetensors"]);
}

fn wallet_without_funds_is_refused(market: &Market) {
    let wallet = market.folder.join("poor.json");
    let _ = std::fs::remove_file(&wallet);
    let password = market.folder.join("devnet/password");
    let mut new = market.command("fairshare", &["wallet", "new"]).unwrap();
    assert!(run_raw(new.arg("--out").arg(&wallet).arg("--password-file").arg(&password))
        .unwrap()
        .status
        .success());
    let mut join = market.command("fairshare", &["join"]).unwrap();
    refuse(join.arg("--wallet").arg(&wallet).arg("--password-file").arg(&password), &["0x", "0.1", "ether"]);
}

fn wrong_password_is_refused(market: &Market) {
    let password = market.folder.join("wrong-password");
    std::fs::write(&password, "not it").unwrap();
    let mut join = market.command("fairshare", &["join"]).unwrap();
    join.arg("--wallet").arg(market.folder.join("devnet/wallets/trainer-1.json"));
    refuse(join.arg("--password-file").arg(&password), &["password", "trainer-1.json"]);
}

fn wrong_chain_id_is_refused(market: &Market) {
    refuse(
        &mut market.command("fairshare", &["project", "show", "--chain-id", "1"]).unwrap(),
        &["31337", "1"],
    );
}

fn address_where_no_chain_listens_is_refused(market: &Market) {
    let mut command =
        market.command("fairshare", &["project", "show", "--rpc", "http://127.0.0.1:9"]).unwrap();
    refuse(&mut command, &["http://127.0.0.1:9", "devnet"]);
}

fn address_where_no_ipfs_listens_is_refused(market: &Market) {
    let out = market.folder.join("never.safetensors");
    let mut command =
        market.command("fairshare", &["model", "fetch", "--ipfs", "http://127.0.0.1:9"]).unwrap();
    refuse(command.arg("--out").arg(&out), &["http://127.0.0.1:9"]);
    assert!(!out.exists());
}

fn address_without_a_project_is_refused(market: &Market) {
    let nobody = "0x000000000000000000000000000000000000dEaD";
    let mut command = market.command("fairshare", &["project", "show", "--project", nobody]).unwrap();
    refuse(&mut command, &[nobody, "no "]);
}

fn aggregator_that_the_project_does_not_name_is_refused(market: &Market) {
    let mut command = market.command("fairshare-aggregator", &["run"]).unwrap();
    command.arg("--wallet").arg(market.folder.join("devnet/wallets/trainer-2.json"));
    command.arg("--password-file").arg(market.folder.join("devnet/password"));
    refuse(&mut command, &["--open"]);
}

const CASES: &[(&str, fn(&Market))] = &[
    ("specification_without_a_field_is_refused", specification_without_a_field_is_refused),
    ("specification_with_an_impossible_trim_is_refused", specification_with_an_impossible_trim_is_refused),
    ("specification_of_an_unknown_model_is_refused", specification_of_an_unknown_model_is_refused),
    ("specification_of_an_unknown_rule_is_refused", specification_of_an_unknown_rule_is_refused),
    ("specification_with_too_few_trainers_is_refused", specification_with_too_few_trainers_is_refused),
    (
        "escrow_beyond_the_owners_means_is_refused_before_anything_is_spent",
        escrow_beyond_the_owners_means_is_refused_before_anything_is_spent,
    ),
    ("shard_of_another_shape_is_refused", shard_of_another_shape_is_refused),
    ("empty_shard_is_refused", empty_shard_is_refused),
    ("missing_shard_is_refused", missing_shard_is_refused),
    ("wallet_without_funds_is_refused", wallet_without_funds_is_refused),
    ("wrong_password_is_refused", wrong_password_is_refused),
    ("wrong_chain_id_is_refused", wrong_chain_id_is_refused),
    ("address_where_no_chain_listens_is_refused", address_where_no_chain_listens_is_refused),
    ("address_where_no_ipfs_listens_is_refused", address_where_no_ipfs_listens_is_refused),
    ("address_without_a_project_is_refused", address_without_a_project_is_refused),
    (
        "aggregator_that_the_project_does_not_name_is_refused",
        aggregator_that_the_project_does_not_name_is_refused,
    ),
];

/// One market serves all cases, so that they take seconds and not minutes; every case that fails is named.
#[test]
fn every_wrong_input_is_refused_with_one_message_and_nothing_spent() {
    let folder = tempfile::tempdir().unwrap();
    let market = Market::open(&Options::small(&[]), folder.path(), |toml| toml, &mut |_| {}).unwrap();
    let fails = |case: &fn(&Market)| catch_unwind(AssertUnwindSafe(|| case(&market))).is_err();
    let failed: Vec<_> = CASES.iter().filter(|(_, case)| fails(case)).map(|(name, _)| name).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn help_is_there_for_every_command() {
    for (program, verbs) in [
        (
            "fairshare",
            vec!["devnet", "project create", "project show", "join", "audit", "withdraw", "model fetch"],
        ),
        ("fairshare-trainer", vec!["run", "evaluate", "data split"]),
        ("fairshare-aggregator", vec!["run"]),
        ("fairshare-demo", vec![""]),
    ] {
        for verb in verbs {
            let mut command = Command::new(binary(program).unwrap());
            let output = run_raw(command.args(verb.split_whitespace()).arg("--help")).unwrap();
            let help = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && help.contains("Example"), "{program} {verb}: {help}");
        }
    }
}
