//! `fairshare` as people and programs run it: help, errors in words, exit codes, and a devnet that survives.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use support::{failure, fairshare, success, DevnetProcess};

const NOWHERE: &str = "http://127.0.0.1:1";
const SOMEBODY: &str = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
const SPECIFICATION: &str = r#"
name = "digits"
[model]
kind = "mlp"
inputs = 8
hidden = 4
classes = 3
[participation]
min_trainers = 3
max_trainers = 5
min_active = 3
stake = "0.1 ether"
bond = "1 ether"
[reward]
rounds = 2
per_round = "1 ether"
aggregator_fee = "0.05 ether"
"#;

#[test]
fn every_command_has_help_with_an_example() {
    for command in [
        "",
        "devnet",
        "ipfs serve",
        "wallet new",
        "wallet show",
        "project create",
        "project show",
        "project advance",
        "join",
        "leave",
        "withdraw",
        "model fetch",
        "audit",
    ] {
        let arguments: Vec<_> = command.split_whitespace().chain(["--help"]).collect();
        let output = fairshare(&arguments).output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{command}");
        assert!(help.contains("Usage: fairshare") && help.contains("  fairshare "), "{command}: {help}");
    }
}

#[test]
fn wrong_arguments_end_with_code_2_and_say_what_was_expected() {
    for (arguments, words) in [
        (vec!["nonsense"], "unrecognized subcommand"),
        (vec!["join"], "--project"),
        (vec!["project", "show", "--project", "0x12"], "40 hexadecimal digits"),
        (vec!["devnet", "--wallets", "1"], "2..=200"),
    ] {
        let stderr = failure(&mut fairshare(&arguments), 2);
        assert!(stderr.contains(words), "{stderr}");
    }
}

#[test]
fn an_address_where_nothing_listens_is_named_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let wallet = new_wallet(folder.path());
    for arguments in [
        vec!["project", "show", "--project", SOMEBODY],
        vec!["join", "--project", SOMEBODY, "--wallet", &wallet],
        vec!["withdraw", "--project", SOMEBODY, "--wallet", &wallet],
        vec!["model", "fetch", "--project", SOMEBODY, "--out", "x"],
    ] {
        let stderr =
            failure(fairshare(&arguments).args(["--rpc", NOWHERE]).env("FAIRSHARE_PASSWORD", "secret"), 1);
        assert!(stderr.contains("no Ethereum node answers at http://127.0.0.1:1 "), "{stderr}");
        assert!(stderr.contains("fairshare devnet") && !stderr.contains("secret"), "{stderr}");
    }
}

#[test]
fn wallets_are_made_and_shown_and_their_faults_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("me.json");
    let password = folder.path().join("password");
    fs::write(&password, "secret\n").unwrap();
    let file = password.to_str().unwrap();
    let out = path.to_str().unwrap();
    let made = success(&mut fairshare(&["wallet", "new", "--json", "--out", out, "--password-file", file]));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let shown =
        success(&mut fairshare(&["wallet", "show", "--json", "--wallet", out, "--password-file", file]));
    assert_eq!(made, shown);
    assert!(made["address"].as_str().unwrap().starts_with("0x"));

    let again = failure(&mut fairshare(&["wallet", "new", "--out", out, "--password-file", file]), 1);
    assert!(again.contains("exists and may hold money"), "{again}");
    let without = failure(&mut fairshare(&["wallet", "show", "--wallet", out]), 1);
    assert!(without.contains("--password-file") && without.contains("FAIRSHARE_PASSWORD"), "{without}");
    let wrong =
        failure(fairshare(&["wallet", "show", "--wallet", out]).env("FAIRSHARE_PASSWORD", "guess"), 1);
    assert!(wrong.contains("does not open") && !wrong.contains("guess"), "{wrong}");
    let missing = failure(
        &mut fairshare(&["wallet", "show", "--wallet", "/nowhere/w.json", "--password-file", file]),
        1,
    );
    assert!(missing.contains("/nowhere/w.json"), "{missing}");
}

#[test]
fn a_faulty_specification_is_refused_before_anything_is_asked_or_spent() {
    let folder = tempfile::tempdir().unwrap();
    let spec = folder.path().join("project.toml");
    let wallet = new_wallet(folder.path());
    let create = || {
        let mut command = fairshare(&[
            "project",
            "create",
            "--aggregator",
            SOMEBODY,
            "--wallet",
            &wallet,
            "--rpc",
            NOWHERE,
        ]);
        command.arg("--spec").arg(&spec).env("FAIRSHARE_PASSWORD", "secret");
        command
    };
    let missing = failure(&mut create(), 1);
    assert!(missing.contains("project.toml cannot be read"), "{missing}");
    for (from, to, words) in [
        ("rounds = 2", "", "missing field `rounds`"),
        ("\"mlp\"", "\"transformer\"", "transformer"),
        ("min_trainers = 3", "min_trainers = 9", "participation.min_trainers is 9"),
        ("\"1 ether\"\naggregator_fee", "\"0 wei\"\naggregator_fee", "reward.per_round"),
        ("stake", "steak", "steak"),
    ] {
        assert!(SPECIFICATION.contains(from), "{from}");
        fs::write(&spec, SPECIFICATION.replace(from, to)).unwrap();
        let stderr = failure(&mut create(), 1);
        assert!(stderr.contains(words) && stderr.contains("project.toml"), "{stderr}");
    }
    fs::write(&spec, SPECIFICATION).unwrap();
    assert!(failure(&mut create(), 1).contains("no Ethereum node answers"));
}

#[test]
fn a_devnet_comes_back_with_chain_and_files_after_kill_and_stops_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let devnet = DevnetProcess::start(folder.path(), 0, 0);
    let (rpc, ipfs) = (devnet.port("rpc"), devnet.port("ipfs"));
    assert_eq!(devnet.ready["chain_id"], 31337);
    let names: Vec<_> =
        devnet.ready["wallets"].as_array().unwrap().iter().map(|w| w["name"].clone()).collect();
    assert_eq!(names, ["owner", "aggregator", "trainer-1"]);
    for secret in [devnet.keystore("owner"), devnet.text("password_file").into()] {
        assert_eq!(fs::metadata(secret).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let written = fs::read_to_string(folder.path().join("devnet.json")).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&written).unwrap(), devnet.ready);

    let created = create_project(&devnet, folder.path());
    let project = created["project"].as_str().unwrap().to_owned();
    let before = show(&devnet, &project);
    let address = devnet.address("owner");
    devnet.kill(); // what is left of it writes the chain's state

    let devnet = DevnetProcess::start(folder.path(), rpc, ipfs);
    assert_eq!((devnet.port("rpc"), devnet.port("ipfs")), (rpc, ipfs));
    assert_eq!(devnet.address("owner"), address);
    let after = show(&devnet, &project);
    assert_eq!(after["terms"], before["terms"]);
    assert_eq!(after["name"], "digits", "the specification is still on IPFS: {after}");
    assert!(after["block"].as_u64() >= before["block"].as_u64());

    let second = failure(
        fairshare(&["devnet", "--rpc-port", "0", "--ipfs-port", "0"]).arg("--folder").arg(folder.path()),
        1,
    );
    assert!(second.contains("another devnet runs in"), "{second}");
    let other = tempfile::tempdir().unwrap();
    for (ports, option) in [([rpc, 0], "--rpc-port"), ([0, ipfs], "--ipfs-port")] {
        let mut command = fairshare(&["devnet", "--folder"]);
        command
            .arg(other.path())
            .args([format!("--rpc-port={}", ports[0]), format!("--ipfs-port={}", ports[1])]);
        let stderr = failure(&mut command, 1);
        assert!(stderr.contains("is in use") && stderr.contains(option), "{stderr}");
    }
    assert_eq!(devnet.terminate(), Some(0));
    assert!(std::net::TcpListener::bind(("127.0.0.1", rpc)).is_ok(), "anvil is gone with it");
    let state = fs::read_to_string(folder.path().join("chain.json")).unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&state).is_ok(), "the chain's file is whole");
}

#[test]
fn a_missing_anvil_is_named_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = fairshare(&["devnet", "--rpc-port", "0", "--ipfs-port", "0"]);
    command.arg("--folder").arg(folder.path()).env("FAIRSHARE_ANVIL", "/nowhere/anvil");
    let stderr = failure(&mut command, 1);
    assert!(stderr.contains("/nowhere/anvil") && stderr.contains("scripts/setup"), "{stderr}");
    let not_anvil = folder.path().join("anvil");
    fs::write(&not_anvil, "#!/bin/sh\necho no such thing >&2\nexit 3\n").unwrap();
    fs::set_permissions(&not_anvil, fs::Permissions::from_mode(0o755)).unwrap();
    let stderr = failure(command.env("FAIRSHARE_ANVIL", &not_anvil), 1);
    assert!(stderr.contains("ended at once") && stderr.contains("no such thing"), "{stderr}");
}

#[test]
fn a_project_is_created_shown_joined_and_its_model_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let devnet = DevnetProcess::start(&folder.path().join("devnet"), 0, 0);
    let created = create_project(&devnet, folder.path());
    let project = created["project"].as_str().unwrap();
    assert_eq!(created["deposit_wei"], "2100000000000000000");
    let kinds: Vec<_> =
        created["transactions"].as_array().unwrap().iter().map(|t| t["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds.last(), Some(&"create_project"));
    assert!(kinds.len() > 3 && created["transactions"][0]["gas"].as_u64().unwrap() > 100_000, "{kinds:?}");

    let join = success(&mut devnet.command("trainer-1", &["join", "--json", "--project", project]));
    assert_eq!(join["amount_wei"], "100000000000000000");
    let again = failure(&mut devnet.command("trainer-1", &["join", "--project", project]), 1);
    assert!(again.contains("AlreadyJoined") && again.contains("joining project"), "{again}");
    let shown = show(&devnet, project);
    assert_eq!(shown["phase"], "registration");
    assert_eq!(shown["trainers"][0]["address"], devnet.address("trainer-1"));
    let people = devnet.command("owner", &["project", "show", "--project", project]).output().unwrap();
    let people = String::from_utf8(people.stdout).unwrap();
    assert!(
        people.contains("registration: 1 trainers so far; ends in") && people.contains("0.1 ether"),
        "{people}"
    );
    let early = failure(&mut devnet.command("owner", &["project", "advance", "--project", project]), 1);
    assert!(
        early.contains("the contract refused advancing project") && early.contains("DeadlineNotReached"),
        "{early}"
    );

    let leave = success(&mut devnet.command("trainer-1", &["leave", "--json", "--project", project]));
    assert!(leave["gas"].as_u64().unwrap() > 0);
    let withdrawn = success(&mut devnet.command("trainer-1", &["withdraw", "--json", "--project", project]));
    assert_eq!(withdrawn["amount_wei"], "100000000000000000");
    let nothing = success(&mut devnet.command("trainer-1", &["withdraw", "--json", "--project", project]));
    assert_eq!((nothing["amount_wei"].as_str(), nothing["transaction"].is_null()), (Some("0"), true));

    let out = folder.path().join("model.safetensors");
    let mut fetch = devnet.command("owner", &["model", "fetch", "--json", "--project", project, "--out"]);
    let fetched = success(fetch.arg(&out));
    assert_eq!((&fetched["cid"], &fetched["round"]), (&created["model_cid"], &0.into()));
    let model = fs::read(&out).unwrap();
    assert!(model.len() > (8 * 4 + 4 + 4 * 3 + 3) * 4);
    let mut unknown =
        devnet.command("owner", &["model", "fetch", "--project", project, "--round", "7", "--out"]);
    assert!(failure(unknown.arg(&out), 1).contains("round 7 has no model"));
    assert_eq!(fs::read(&out).unwrap(), model, "a failure leaves the file as it was");

    let second = create_with(&devnet, folder.path(), &["--factory", created["factory"].as_str().unwrap()]);
    let second = success(&mut { second });
    assert_eq!(second["transactions"].as_array().unwrap().len(), 1, "the market is used again");
    assert_ne!(second["project"], created["project"]);
    wrong_input_spends_nothing(&devnet, folder.path(), project);
}

fn wrong_input_spends_nothing(devnet: &DevnetProcess, folder: &Path, project: &str) {
    let balance = |name: &str| {
        let address = devnet.address(name);
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let chain = fairshare_client::Chain::connect(&devnet.text("rpc"), None, None).await.unwrap();
            chain.balance(address.parse().unwrap()).await.unwrap()
        })
    };
    let before = balance("owner");
    let poor = new_wallet(folder);
    let mut create = create_with(devnet, folder, &[]);
    let stderr = failure(
        create
            .env("FAIRSHARE_WALLET", &poor)
            .env_remove("FAIRSHARE_PASSWORD_FILE")
            .env("FAIRSHARE_PASSWORD", "secret"),
        1,
    );
    assert!(
        stderr.contains("2.1 ether for the escrow")
            && stderr.contains("has 0 ether")
            && stderr.contains("nothing was sent"),
        "{stderr}"
    );
    let mut join = devnet.command("owner", &["join", "--project", project]);
    let stderr = failure(
        join.env("FAIRSHARE_WALLET", &poor)
            .env_remove("FAIRSHARE_PASSWORD_FILE")
            .env("FAIRSHARE_PASSWORD", "secret"),
        1,
    );
    assert!(stderr.contains("has 0 ether") && stderr.contains("nothing was sent"), "{stderr}");
    for (arguments, words) in [
        (vec!["--chain-id", "1"], "has id 31337, not 1"),
        (vec!["--ipfs", NOWHERE], "no IPFS node answers at http://127.0.0.1:1 "),
        (vec!["--factory", SOMEBODY], "no project factory at"),
        (vec!["--factory", project], "is not a Fairshare project factory"),
    ] {
        let stderr = failure(&mut create_with(devnet, folder, &arguments), 1);
        assert!(stderr.contains(words), "{stderr}");
    }
    for (address, words) in
        [(SOMEBODY, "has no code on the chain with id 31337"), (&*devnet.address("owner"), "has no code")]
    {
        let stderr = failure(&mut devnet.command("owner", &["join", "--project", address]), 1);
        assert!(stderr.contains(words) && stderr.contains(address), "{stderr}");
    }
    assert_eq!(balance("owner"), before);
}

fn create_project(devnet: &DevnetProcess, folder: &Path) -> serde_json::Value {
    success(&mut create_with(devnet, folder, &[]))
}

fn create_with(devnet: &DevnetProcess, folder: &Path, more: &[&str]) -> std::process::Command {
    let spec = folder.join("project.toml");
    fs::write(&spec, SPECIFICATION).unwrap();
    let aggregator = devnet.address("aggregator");
    let mut command = devnet.command("owner", &["project", "create", "--json", "--aggregator", &aggregator]);
    command.arg("--spec").arg(spec).args(more);
    command
}

fn show(devnet: &DevnetProcess, project: &str) -> serde_json::Value {
    success(&mut devnet.command("owner", &["project", "show", "--json", "--project", project]))
}

/// A wallet with the password "secret" and no money.
fn new_wallet(folder: &Path) -> String {
    let path = folder.join("poor.json");
    if !path.exists() {
        let path = path.to_str().unwrap();
        success(fairshare(&["wallet", "new", "--json", "--out", path]).env("FAIRSHARE_PASSWORD", "secret"));
    }
    path.to_str().unwrap().to_owned()
}
