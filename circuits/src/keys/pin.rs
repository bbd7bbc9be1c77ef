//! Makes the files that pin the keys: verifying keys, manifest, and the contracts that hold them.

use super::committed::keys_hash;
use super::manifest::{digest, verifying_key_name, Manifest, ManifestKey};
use super::{file, generate, words, CommittedKeys, KeyError, KEY_SIZES};
use crate::export::solidity::{verifying_key_contract, verifying_key_contract_name};
use crate::gadgets::System;
use crate::srs::KzgKey;
use crate::statements::agreement::{blank_circuit, public_inputs};

/// A generated file: where it lies below the repository's root, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedFile {
    /// Path below the repository's root.
    pub path: String,
    /// Its contents.
    pub contents: Vec<u8>,
}

/// Makes the keys of all sizes and gives every file that pins them. `progress` hears of each size before its work.
///
/// # Errors
/// Key generation fails.
pub fn pin(mut progress: impl FnMut(u8)) -> Result<Vec<PinnedFile>, KeyError> {
    let mut entries = Vec::new();
    let mut keys = Vec::new();
    for size in KEY_SIZES {
        progress(size);
        let system = System::new(|builder| blank_circuit(builder, usize::from(size)))?;
        let proving = generate::generate_dev(size)?;
        entries.push(ManifestKey {
            size,
            constraints: system.constraints(),
            public_inputs: public_inputs(usize::from(size)),
            verifying_key: verifying_key_name(size),
            verifying_key_sha256: digest(&words::encode(&proving.vk)),
            proving_key_sha256: digest(&file::encode(size, &proving)?),
        });
        keys.push(proving.vk);
    }
    let hash = keys_hash(true, &KzgKey::dev(), &keys);
    let manifest = Manifest::new(entries, hex::encode(hash));
    files(&manifest, &keys)
}

/// Every file that the committed keys give: the same as [`pin`], without making the keys again.
///
/// # Errors
/// The committed keys do not go together.
pub fn pinned_files() -> Result<Vec<PinnedFile>, KeyError> {
    let committed = CommittedKeys::try_load()?;
    let keys: Vec<_> = KEY_SIZES.iter().filter_map(|size| committed.verifying_key(*size).cloned()).collect();
    files(committed.manifest(), &keys)
}

fn files(
    manifest: &Manifest,
    keys: &[ark_groth16::VerifyingKey<ark_bn254::Bn254>],
) -> Result<Vec<PinnedFile>, KeyError> {
    let mut text = serde_json::to_string_pretty(manifest)
        .map_err(|error| KeyError::Manifest { fault: error.to_string() })?;
    text.push('\n');
    let mut files =
        vec![PinnedFile { path: "circuits/keys/manifest.json".to_owned(), contents: text.into() }];
    for (size, key) in KEY_SIZES.iter().zip(keys) {
        let name = verifying_key_name(*size);
        files.push(PinnedFile { path: format!("circuits/keys/{name}"), contents: words::encode(key) });
        let name = verifying_key_contract_name(*size);
        let contract = verifying_key_contract(*size, key);
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

    /// The smallest key made anew is the pinned one: the circuit has not drifted.
    #[test]
    fn the_smallest_key_made_anew_is_the_pinned_one() {
        let key = generate::generate_dev(KEY_SIZES[0]).unwrap();
        let pinned = CommittedKeys::load().manifest().key(KEY_SIZES[0]).unwrap().clone();
        assert_eq!(digest(&words::encode(&key.vk)), pinned.verifying_key_sha256);
        assert_eq!(digest(&file::encode(KEY_SIZES[0], &key).unwrap()), pinned.proving_key_sha256);
    }
}
