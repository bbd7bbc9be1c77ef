//! Generates the files that pin the keys: verifying keys, manifest, and the contracts that contain them.

use super::circuits::key_circuits;
use super::error::KeyError;
use super::manifest::{digest, verifying_key_name, Manifest, ManifestKey};
use super::pinned::keys_hash;
use super::pinned::PinnedKeys;
use super::solidity::{verifying_key_contract, verifying_key_contract_name};
use super::{file, generate, words};
use crate::groth16::CircuitKey;
use crate::kzg::KzgKey;
use crate::statements::public::PUBLIC_INPUTS;
use crate::statements::AssessmentCircuit;

/// A generated file: where it lies below the repository's root, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedFile {
    /// Path below the repository's root.
    pub path: String,
    /// Its contents.
    pub contents: Vec<u8>,
}

/// Generates the keys of all circuits and returns every file that pins them. Calls `progress` before each key.
///
/// # Errors
/// Key generation fails.
pub fn pin(mut progress: impl FnMut(AssessmentCircuit)) -> Result<Vec<PinnedFile>, KeyError> {
    let mut entries = Vec::new();
    let mut keys = Vec::new();
    for circuit in key_circuits() {
        progress(circuit);
        let AssessmentCircuit { rule, size } = circuit;
        let system = circuit.system()?;
        let proving = generate::generate_dev(circuit)?;
        entries.push(ManifestKey {
            rule: rule.name().to_owned(),
            rule_id: rule.id(),
            size,
            constraints: system.constraints(),
            public_inputs: PUBLIC_INPUTS,
            verifying_key: verifying_key_name(circuit),
            verifying_key_sha256: digest(&words::encode(&proving.vk)),
            proving_key_sha256: digest(&file::encode(circuit, &proving)?),
        });
        keys.push(proving.vk);
    }
    let hash = keys_hash(true, &KzgKey::dev(), &keys);
    let manifest = Manifest::new(entries, hex::encode(hash));
    files(&manifest, &keys)
}

/// The files of [`pin`], computed from the pinned keys without generating any.
///
/// # Errors
/// The pinned keys are inconsistent.
pub fn pinned_files() -> Result<Vec<PinnedFile>, KeyError> {
    let committed = PinnedKeys::try_load()?;
    let keys: Vec<_> = key_circuits()
        .filter_map(|circuit| committed.verifying_key(circuit.rule, circuit.size).cloned())
        .collect();
    files(committed.manifest(), &keys)
}

fn files(manifest: &Manifest, keys: &[CircuitKey]) -> Result<Vec<PinnedFile>, KeyError> {
    let mut text = serde_json::to_string_pretty(manifest)
        .map_err(|error| KeyError::Manifest { fault: error.to_string() })?;
    text.push('\n');
    let mut files =
        vec![PinnedFile { path: "circuits/keys/manifest.json".to_owned(), contents: text.into() }];
    for (circuit, key) in key_circuits().zip(keys) {
        let name = verifying_key_name(circuit);
        files.push(PinnedFile { path: format!("circuits/keys/{name}"), contents: words::encode(key) });
        let name = verifying_key_contract_name(circuit);
        let contract = verifying_key_contract(circuit, key);
        files.push(PinnedFile {
            path: format!("contracts/src/verifiers/{name}.sol"),
            contents: contract.into(),
        });
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The files in the working tree are those that the committed keys give: contracts cannot drift from them.
    #[test]
    fn generated_files_are_in_step() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for file in pinned_files().unwrap() {
            let found = std::fs::read(root.join(&file.path)).unwrap();
            assert!(found == file.contents, "{} is out of step: run `fairshare-setup pin`", file.path);
        }
    }

    /// The smallest keys made anew are the pinned ones: the circuits have not drifted.
    #[test]
    fn the_smallest_keys_made_anew_are_the_pinned_ones() {
        for circuit in key_circuits().filter(|circuit| circuit.size == 8) {
            let key = generate::generate_dev(circuit).unwrap();
            let pinned = PinnedKeys::load().manifest().key(circuit).unwrap().clone();
            assert_eq!(digest(&words::encode(&key.vk)), pinned.verifying_key_sha256);
            assert_eq!(digest(&file::encode(circuit, &key).unwrap()), pinned.proving_key_sha256);
        }
    }
}
