//! The manifest beside the committed verifying keys.

use super::{KeyError, KEY_SIZES};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What every key here is; a manifest that says anything else is refused.
const KIND: &str = "DEV: made from a secret that anybody knows, for test chains only";

/// `manifest.json`: which keys there are, and the digest of each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Says that these are development keys.
    pub kind: String,
    /// The rule's name.
    pub rule: String,
    /// The rule's id on chain.
    pub rule_id: u8,
    /// One entry a size, in the registry's order.
    pub keys: Vec<ManifestKey>,
    /// The hash of docs/protocol.md 13.4 over all of them, hexadecimal.
    pub keys_hash: String,
}

/// One size.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestKey {
    /// Slots of the circuit.
    pub size: u8,
    /// Its constraints.
    pub constraints: usize,
    /// Its public inputs.
    pub public_inputs: usize,
    /// File name of the verifying key.
    pub verifying_key: String,
    /// Digest of that file, hexadecimal.
    pub verifying_key_sha256: String,
    /// Digest of the proving key's file, hexadecimal.
    pub proving_key_sha256: String,
}

impl Manifest {
    pub(super) fn new(keys: Vec<ManifestKey>, keys_hash: String) -> Self {
        Self {
            kind: KIND.to_owned(),
            rule: "agreement".to_owned(),
            rule_id: fairshare_protocol::AGREEMENT_RULE,
            keys,
            keys_hash,
        }
    }

    /// Reads a manifest and checks that it lists each size once, in order, under its own name.
    ///
    /// # Errors
    /// No such manifest.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let fault = |fault: String| KeyError::Manifest { fault };
        let manifest: Self = serde_json::from_str(text).map_err(|error| fault(error.to_string()))?;
        let sizes: Vec<u8> = manifest.keys.iter().map(|key| key.size).collect();
        if manifest.kind != KIND {
            return Err(fault(format!("kind is {:?}, expected {KIND:?}", manifest.kind)));
        }
        if manifest.rule_id != fairshare_protocol::AGREEMENT_RULE {
            return Err(fault(format!("rule id is {}", manifest.rule_id)));
        }
        if sizes != KEY_SIZES {
            return Err(fault(format!("it lists the sizes {sizes:?}, expected {KEY_SIZES:?}")));
        }
        Ok(manifest)
    }

    /// The entry of a size.
    ///
    /// # Errors
    /// There is none.
    pub fn key(&self, size: u8) -> Result<&ManifestKey, KeyError> {
        self.keys.iter().find(|key| key.size == size).ok_or(KeyError::UnknownSize { size })
    }
}

/// File name of a verifying key.
pub(super) fn verifying_key_name(size: u8) -> String {
    format!("DEV-agreement-{size}.vk")
}

/// File name of a proving key.
pub(super) fn proving_key_name(size: u8) -> String {
    format!("DEV-agreement-{size}.pk")
}

/// Digest as the manifest writes it.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Manifest {
        let key = |size: &u8| ManifestKey {
            size: *size,
            constraints: 1,
            public_inputs: 2,
            verifying_key: verifying_key_name(*size),
            verifying_key_sha256: digest(&[*size]),
            proving_key_sha256: digest(&[*size, 0]),
        };
        Manifest::new(KEY_SIZES.iter().map(key).collect(), digest(&[]))
    }

    fn fault(bend: impl FnOnce(&mut Manifest)) -> String {
        let mut manifest = example();
        bend(&mut manifest);
        Manifest::parse(&serde_json::to_string(&manifest).unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn a_manifest_is_read_back() {
        let text = serde_json::to_string_pretty(&example()).unwrap();
        let manifest = Manifest::parse(&text).unwrap();
        assert_eq!(manifest, example());
        assert_eq!(manifest.key(32).unwrap().verifying_key, "DEV-agreement-32.vk");
        assert!(matches!(manifest.key(128), Err(KeyError::UnknownSize { size: 128 })));
    }

    #[test]
    fn other_manifests_are_refused_with_the_reason() {
        assert!(fault(|m| m.kind = "ceremony".into()).contains("kind is"));
        assert!(fault(|m| m.rule_id = 2).contains("rule id is 2"));
        assert!(fault(|m| m.keys.swap(0, 1)).contains("[16, 8, 32, 64]"));
        assert!(fault(|m| m.keys.truncate(3)).contains("[8, 16, 32]"));
        assert!(Manifest::parse("{}").unwrap_err().to_string().contains("missing field"));
    }
}
