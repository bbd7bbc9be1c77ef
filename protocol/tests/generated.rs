//! Files that this crate generates: each test compares the committed file with what the generator makes, and writes it
//! instead when `FAIRSHARE_REGENERATE` is set, as `scripts/regenerate` does.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "support/rule_vectors.rs"]
mod rule_vectors;

use std::fs;
use std::path::Path;

fn assert_current(path: &str, generated: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    if std::env::var_os("FAIRSHARE_REGENERATE").is_some() {
        fs::write(&path, generated).unwrap();
        return;
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "{} is not what its generator makes: run scripts/regenerate and commit the result",
        path.display()
    );
}

#[test]
fn solidity_bounds_are_current() {
    assert_current("contracts/src/libraries/Bounds.sol", &fairshare_protocol::bounds::solidity());
}

#[test]
fn rule_vectors_are_current() {
    assert_current("tests/vectors/rules.json", &rule_vectors::rules_json());
}
