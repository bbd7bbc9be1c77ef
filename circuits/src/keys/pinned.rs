//! The verifying keys that are part of the repository.

use super::circuits::key_circuits;
use super::error::KeyError;
use super::manifest::{digest, verifying_key_name, Manifest};
use super::words::{decode, verifying_key_words, KEY_FIXED_WORDS};
use crate::curve::words::{g2_words, point_words};
use crate::groth16::CircuitKey;
use crate::kzg::KzgKey;
use crate::statements::AssessmentCircuit;
use fairshare_protocol::{word_from_label, word_from_u128, RuleName, Word};
use sha3::{Digest, Keccak256};
use std::sync::OnceLock;

const MANIFEST: &str = include_str!("../../keys/manifest.json");
/// In the order of [`key_circuits`].
const VERIFYING_KEYS: [&[u8]; 5] = [
    include_bytes!("../../keys/DEV-agreement-8.vk"),
    include_bytes!("../../keys/DEV-agreement-16.vk"),
    include_bytes!("../../keys/DEV-agreement-32.vk"),
    include_bytes!("../../keys/DEV-agreement-64.vk"),
    include_bytes!("../../keys/DEV-agreement-128.vk"),
];

/// The verifying keys of all rules and sizes and the points for openings, as registered on chain.
#[derive(Debug, Clone, PartialEq)]
pub struct PinnedKeys {
    manifest: Manifest,
    /// In the order of [`key_circuits`].
    keys: Vec<CircuitKey>,
    kzg: KzgKey,
    hash: Word,
}

impl PinnedKeys {
    /// The keys compiled into this build.
    ///
    /// # Panics
    /// If the files in `circuits/keys/` are inconsistent, which a test of this crate excludes; [`Self::try_load`]
    /// returns the reason.
    pub fn load() -> Self {
        Self::try_load().expect("circuits/keys/ is consistent: a test of this crate loads it")
    }

    /// The keys compiled into this build, or why they are inconsistent.
    ///
    /// # Errors
    /// A verifying key that is malformed or whose digest is not the pinned one, or a hash that is not the pinned one.
    pub fn try_load() -> Result<Self, KeyError> {
        static KEYS: OnceLock<PinnedKeys> = OnceLock::new();
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
        for (circuit, bytes) in key_circuits().zip(files) {
            let entry = manifest.key(circuit)?;
            if entry.verifying_key != verifying_key_name(circuit) {
                let fault = format!("the key of {circuit} has the name {:?}", entry.verifying_key);
                return Err(KeyError::Manifest { fault });
            }
            let (found, pinned) = (digest(bytes), entry.verifying_key_sha256.clone());
            if found != pinned {
                return Err(KeyError::Drift { what: "verifying key", circuit, found, pinned });
            }
            keys.push(decode(circuit, bytes)?);
        }
        let kzg = KzgKey::dev();
        let hash = keys_hash(true, &kzg, &keys);
        if hex::encode(hash) != manifest.keys_hash {
            let fault = format!("the keys hash is {}, it says {}", hex::encode(hash), manifest.keys_hash);
            return Err(KeyError::Manifest { fault });
        }
        Ok(Self { manifest, keys, kzg, hash })
    }

    /// The hash of docs/protocol.md 3.2: the first state of every transcript holds it.
    pub fn hash(&self) -> Word {
        self.hash
    }

    /// The verifying key of a rule for `size` slots.
    pub fn verifying_key(&self, rule: RuleName, size: u8) -> Option<&CircuitKey> {
        let index = key_circuits().position(|known| known == AssessmentCircuit { rule, size })?;
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

/// `keccak256(abi.encode(bytes32 "fairshare.keys.v2", uint256[] words))`, words as docs/protocol.md 3.2 lists them.
/// `keys` are in the order of [`key_circuits`].
pub(super) fn keys_hash(dev: bool, kzg: &KzgKey, keys: &[CircuitKey]) -> Word {
    let mut words = vec![word_from_u128(u128::from(dev))];
    words.extend(point_words(&kzg.x1));
    words.extend(kzg.g2.iter().flat_map(g2_words));
    for (circuit, key) in key_circuits().zip(keys) {
        words.push(word_from_u128(circuit.rule.id().into()));
        words.push(word_from_u128(circuit.size.into()));
        let points = verifying_key_words(key);
        words.extend_from_slice(&points[..KEY_FIXED_WORDS]);
        words.push(word_from_u128(key.groth16.gamma_abc_g1.len() as u128));
        words.extend_from_slice(&points[KEY_FIXED_WORDS..]);
    }
    let mut hash = Keccak256::new();
    hash.update(word_from_label("fairshare.keys.v2"));
    hash.update(word_from_u128(0x40)); // where the array lies: behind two words
    hash.update(word_from_u128(words.len() as u128));
    words.iter().for_each(|word| hash.update(word));
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statements::public::PUBLIC_INPUTS;
    use ark_bn254::G2Affine;
    use ark_ec::AffineRepr;
    use ark_groth16::prepare_verifying_key;

    #[test]
    fn the_committed_keys_go_together() {
        let keys = PinnedKeys::try_load().unwrap();
        assert_eq!(keys, PinnedKeys::load());
        for circuit in key_circuits() {
            let AssessmentCircuit { rule, size } = circuit;
            let key = keys.verifying_key(rule, size).unwrap();
            let key = &key.groth16;
            assert_eq!(key.gamma_abc_g1.len(), PUBLIC_INPUTS + 1);
            assert_eq!(keys.manifest().key(circuit).unwrap().public_inputs, PUBLIC_INPUTS);
            assert_eq!(key.gamma_g2, G2Affine::generator());
            assert_eq!(prepare_verifying_key(key).vk, *key);
        }
        let missing = |rule, size| keys.verifying_key(rule, size).is_none();
        assert!(missing(RuleName::MultiKrum, 8) && missing(RuleName::Agreement, 127));
        assert!(missing(RuleName::Agreement, 0));
    }

    #[test]
    fn the_manifest_counts_the_constraints() {
        for circuit in key_circuits() {
            let system = circuit.system();
            let keys = PinnedKeys::load();
            assert_eq!(keys.manifest().key(circuit).unwrap().constraints, system.unwrap().constraints());
        }
    }

    #[test]
    fn another_verifying_key_is_refused() {
        let mut bent = VERIFYING_KEYS[1].to_vec();
        bent[100] ^= 1;
        let mut files = VERIFYING_KEYS;
        files[1] = &bent;
        let sixteen = AssessmentCircuit { rule: RuleName::Agreement, size: 16 };
        let error = PinnedKeys::from_files(MANIFEST, &files).unwrap_err();
        assert!(
            matches!(error, KeyError::Drift { what: "verifying key", circuit, .. } if circuit == sixteen)
        );
        // And with its digest in the manifest it is still no key.
        let manifest = MANIFEST.replace(&digest(VERIFYING_KEYS[1]), &digest(&bent));
        let error = PinnedKeys::from_files(&manifest, &files).unwrap_err();
        assert!(matches!(error, KeyError::Malformed { circuit, .. } if circuit == sixteen));
    }

    #[test]
    fn keys_in_each_others_place_are_refused() {
        let mut files = VERIFYING_KEYS;
        files.swap(0, 1);
        let error = PinnedKeys::from_files(MANIFEST, &files).unwrap_err();
        assert!(matches!(error, KeyError::Drift { circuit, .. } if circuit.size == 8));
    }

    #[test]
    fn every_part_enters_the_hash() {
        let keys = PinnedKeys::load();
        let base = keys_hash(true, &keys.kzg, &keys.keys);
        assert_ne!(base, keys_hash(false, &keys.kzg, &keys.keys));
        let mut swapped = keys.keys.clone();
        swapped.swap(0, 1);
        assert_ne!(base, keys_hash(true, &keys.kzg, &swapped));
        let mut kzg = keys.kzg;
        kzg.g2.swap(0, 1);
        assert_ne!(base, keys_hash(true, &kzg, &keys.keys));
        let mut shorter = keys.keys.clone();
        shorter[0].groth16.gamma_abc_g1.pop();
        assert_ne!(base, keys_hash(true, &keys.kzg, &shorter));
        let mut other = keys.keys.clone();
        other[3].sigma_g2 = G2Affine::generator();
        assert_ne!(base, keys_hash(true, &keys.kzg, &other));
    }
}
