//! The verifying keys that are part of the repository.

use super::manifest::{digest, verifying_key_name, Manifest};
use super::words::{decode, verifying_key_words, FIXED_WORDS};
use super::{KeyError, KEY_SIZES};
use crate::encoding::{g2_words, point_words};
use crate::srs::KzgKey;
use ark_bn254::Bn254;
use ark_groth16::VerifyingKey;
use fairshare_protocol::{word_from_label, word_from_u128, Word, AGREEMENT_RULE};
use sha3::{Digest, Keccak256};
use std::sync::OnceLock;

const MANIFEST: &str = include_str!("../../keys/manifest.json");
/// In the order of [`KEY_SIZES`].
const VERIFYING_KEYS: [&[u8]; 4] = [
    include_bytes!("../../keys/DEV-agreement-8.vk"),
    include_bytes!("../../keys/DEV-agreement-16.vk"),
    include_bytes!("../../keys/DEV-agreement-32.vk"),
    include_bytes!("../../keys/DEV-agreement-64.vk"),
];

/// The verifying keys of all sizes and the points for openings, as registered on chain.
#[derive(Debug, Clone, PartialEq)]
pub struct CommittedKeys {
    manifest: Manifest,
    /// In the order of [`KEY_SIZES`].
    keys: Vec<VerifyingKey<Bn254>>,
    kzg: KzgKey,
    hash: Word,
}

impl CommittedKeys {
    /// The keys compiled into this build.
    ///
    /// # Panics
    /// When the files in `circuits/keys/` do not go together. A test of this crate loads them, so no build that passes
    /// its tests does; [`Self::try_load`] gives the reason.
    pub fn load() -> Self {
        Self::try_load().expect("circuits/keys/ goes together: the tests of this crate load it")
    }

    /// The keys compiled into this build, or the reason why they are none.
    ///
    /// # Errors
    /// A verifying key whose digest is not the pinned one, or that is none; a hash that is not the pinned one.
    pub fn try_load() -> Result<Self, KeyError> {
        static KEYS: OnceLock<CommittedKeys> = OnceLock::new();
        if let Some(keys) = KEYS.get() {
            return Ok(keys.clone());
        }
        let keys = Self::from_files(MANIFEST, &VERIFYING_KEYS)?;
        Ok(KEYS.get_or_init(|| keys).clone())
    }

    /// Keys from the contents of their files, checked against the manifest.
    pub(super) fn from_files(manifest: &str, files: &[&[u8]]) -> Result<Self, KeyError> {
        let manifest = Manifest::parse(manifest)?;
        let mut keys = Vec::with_capacity(files.len());
        for (size, bytes) in KEY_SIZES.iter().zip(files) {
            let entry = manifest.key(*size)?;
            if entry.verifying_key != verifying_key_name(*size) {
                let fault = format!("the key of size {size} has the name {:?}", entry.verifying_key);
                return Err(KeyError::Manifest { fault });
            }
            let (found, pinned) = (digest(bytes), entry.verifying_key_sha256.clone());
            if found != pinned {
                return Err(KeyError::Drift { what: "verifying key", size: *size, found, pinned });
            }
            keys.push(decode(*size, bytes)?);
        }
        let kzg = KzgKey::dev();
        let hash = keys_hash(true, &kzg, &keys);
        if hex::encode(hash) != manifest.keys_hash {
            let fault = format!("the keys hash is {}, it says {}", hex::encode(hash), manifest.keys_hash);
            return Err(KeyError::Manifest { fault });
        }
        Ok(Self { manifest, keys, kzg, hash })
    }

    /// The hash of docs/protocol.md 13.4: the first state of every transcript holds it.
    pub fn hash(&self) -> Word {
        self.hash
    }

    /// The verifying key of the rule "agreement" for `size` slots.
    pub fn verifying_key(&self, size: u8) -> Option<&VerifyingKey<Bn254>> {
        let index = KEY_SIZES.iter().position(|known| *known == size)?;
        self.keys.get(index)
    }

    /// `[x]_1, [1]_2, [x]_2, [x^2]_2`.
    pub fn kzg(&self) -> &KzgKey {
        &self.kzg
    }

    /// What is pinned.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }
}

/// `keccak256(abi.encode(bytes32 "fairshare.keys.v1", uint256[] words))`, words as docs/protocol.md 13.4 lists them.
/// `keys` are those of the rule "agreement" in the order of [`KEY_SIZES`].
pub(super) fn keys_hash(dev: bool, kzg: &KzgKey, keys: &[VerifyingKey<Bn254>]) -> Word {
    let mut words = vec![word_from_u128(u128::from(dev))];
    words.extend(point_words(&kzg.x1));
    words.extend(kzg.g2.iter().flat_map(g2_words));
    for (size, key) in KEY_SIZES.iter().zip(keys) {
        words.push(word_from_u128(u128::from(AGREEMENT_RULE)));
        words.push(word_from_u128(u128::from(*size)));
        let points = verifying_key_words(key);
        words.extend_from_slice(&points[..FIXED_WORDS]);
        words.push(word_from_u128(key.gamma_abc_g1.len() as u128));
        words.extend_from_slice(&points[FIXED_WORDS..]);
    }
    let mut hash = Keccak256::new();
    hash.update(word_from_label("fairshare.keys.v1"));
    hash.update(word_from_u128(0x40)); // where the array lies: behind two words
    hash.update(word_from_u128(words.len() as u128));
    words.iter().for_each(|word| hash.update(word));
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statements::agreement::public_inputs;
    use ark_groth16::prepare_verifying_key;

    #[test]
    fn the_committed_keys_go_together() {
        let keys = CommittedKeys::try_load().unwrap();
        assert_eq!(keys, CommittedKeys::load());
        for size in KEY_SIZES {
            let key = keys.verifying_key(size).unwrap();
            assert_eq!(key.gamma_abc_g1.len(), public_inputs(usize::from(size)) + 1);
            assert_eq!(keys.manifest().key(size).unwrap().public_inputs, public_inputs(usize::from(size)));
            assert_eq!(prepare_verifying_key(key).vk, *key);
        }
        assert!(keys.verifying_key(128).is_none() && keys.verifying_key(0).is_none());
    }

    #[test]
    fn the_manifest_counts_the_constraints() {
        for size in [8u8, 16] {
            let system = crate::gadgets::System::new(|builder| {
                crate::statements::agreement::blank_circuit(builder, usize::from(size));
            });
            let keys = CommittedKeys::load();
            assert_eq!(keys.manifest().key(size).unwrap().constraints, system.unwrap().constraints());
        }
    }

    #[test]
    fn another_verifying_key_is_refused() {
        let mut bent = VERIFYING_KEYS[1].to_vec();
        bent[100] ^= 1;
        let files = [VERIFYING_KEYS[0], &bent, VERIFYING_KEYS[2], VERIFYING_KEYS[3]];
        let error = CommittedKeys::from_files(MANIFEST, &files).unwrap_err();
        assert!(matches!(error, KeyError::Drift { what: "verifying key", size: 16, .. }), "{error}");
        // And with its digest in the manifest it is still no key.
        let manifest = MANIFEST.replace(&digest(VERIFYING_KEYS[1]), &digest(&bent));
        let error = CommittedKeys::from_files(&manifest, &files).unwrap_err();
        assert!(matches!(error, KeyError::Malformed { size: 16, .. }), "{error}");
    }

    #[test]
    fn keys_in_each_others_place_are_refused() {
        let files = [VERIFYING_KEYS[1], VERIFYING_KEYS[0], VERIFYING_KEYS[2], VERIFYING_KEYS[3]];
        assert!(matches!(CommittedKeys::from_files(MANIFEST, &files), Err(KeyError::Drift { size: 8, .. })));
    }

    #[test]
    fn every_part_enters_the_hash() {
        let keys = CommittedKeys::load();
        let base = keys_hash(true, &keys.kzg, &keys.keys);
        assert_ne!(base, keys_hash(false, &keys.kzg, &keys.keys));
        let mut swapped = keys.keys.clone();
        swapped.swap(0, 1);
        assert_ne!(base, keys_hash(true, &keys.kzg, &swapped));
        let mut kzg = keys.kzg;
        kzg.g2.swap(0, 1);
        assert_ne!(base, keys_hash(true, &kzg, &keys.keys));
        let mut shorter = keys.keys.clone();
        shorter[0].gamma_abc_g1.pop();
        assert_ne!(base, keys_hash(true, &keys.kzg, &shorter));
    }
}
