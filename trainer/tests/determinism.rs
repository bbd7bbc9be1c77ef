//! One seed gives the same update, byte for byte, in every process.

use std::path::Path;
use std::process::Command;

use fairshare_protocol::{encode_update, Specification};
use fairshare_trainer::{digits, local_update, Honest, HyperParameters, RoundSeed};

/// Names the file that a child process writes its updates to.
const CHILD: &str = "FAIRSHARE_TEST_DETERMINISM_OUT";

const MODELS: [&str; 3] = [
    r#"{ kind = "logistic", inputs = 64, classes = 10 }"#,
    r#"{ kind = "mlp", inputs = 64, hidden = 128, classes = 10 }"#,
    r#"{ kind = "cnn", inputs = 64, channels = 8, classes = 10 }"#,
];

fn updates(seed: u64) -> Vec<u8> {
    let data = digits().select(&(0..150).collect::<Vec<_>>());
    let mut all = Vec::new();
    for model in MODELS {
        let specification = Specification::from_toml(&format!(
            r#"
            name = "digits"
            model = {model}
            participation = {{ min_trainers = 5, max_trainers = 10, stake = "0 wei", bond = "1 wei" }}
            reward = {{ rounds = 1, per_round = "1 wei", aggregator_fee = "0 wei" }}
            "#
        ))
        .expect("the specification is sound");
        let global = specification.model.initial(1, 14);
        let hyper = HyperParameters { learning_rate: 300_000, local_epochs: 5 };
        let seed = RoundSeed { seed, project: [3; 20], round: 2 };
        let local = local_update(&specification, &global, &data, hyper, &Honest, &seed).expect("it trains");
        all.extend(encode_update(&specification.model, &local.update).expect("it is encoded"));
    }
    all
}

#[test]
fn the_same_seed_gives_the_same_bytes_in_two_processes() {
    if let Some(path) = std::env::var_os(CHILD) {
        std::fs::write(Path::new(&path), updates(1)).expect("the file is written");
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let in_a_process_of_its_own = |name: &str| {
        let path = folder.path().join(name);
        let mut child = Command::new(std::env::current_exe().expect("this test"));
        child.args(["--exact", "the_same_seed_gives_the_same_bytes_in_two_processes"]).env(CHILD, &path);
        assert!(child.output().expect("it starts").status.success());
        std::fs::read(path).expect("the child wrote its updates")
    };
    let first = in_a_process_of_its_own("first");
    assert!(first == in_a_process_of_its_own("second"));
    assert!(first == updates(1));
    assert!(first != updates(2));
}
