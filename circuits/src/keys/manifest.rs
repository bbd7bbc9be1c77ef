//! The manifest beside the committed verifying keys.

use super::circuits::key_circuits;
use super::error::KeyError;
use crate::statements::AssessmentCircuit;
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
    /// One entry a rule and size, in the registry's order.
    pub keys: Vec<ManifestKey>,
    /// The hash of docs/protocol.md 3.2 over all of them, hexadecimal.
    pub keys_hash: String,
}

/// One circuit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestKey {
    /// The rule's name.
    pub rule: String,
    /// The rule's id on chain.
    pub rule_id: u8,
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
        Self { kind: KIND.to_owned(), keys, keys_hash }
    }

    /// Reads a manifest and checks that it lists each circuit once, in order.
    ///
    /// # Errors
    /// No such manifest.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let fault = |fault: String| KeyError::Manifest { fault };
        let manifest: Self = serde_json::from_str(text).map_err(|error| fault(error.to_string()))?;
        if manifest.kind != KIND {
            return Err(fault(format!("kind is {:?}, expected {KIND:?}", manifest.kind)));
        }
        let listed = manifest.keys.iter().map(|key| (key.rule.as_str(), key.rule_id, key.size));
        let expected = key_circuits().map(|circuit| (circuit.rule.name(), circuit.rule.id(), circuit.size));
        if !listed.clone().eq(expected.clone()) {
            let (listed, expected): (Vec<_>, Vec<_>) = (listed.collect(), expected.collect());
            return Err(fault(format!("it lists {listed:?}, expected {expected:?}")));
        }
        Ok(manifest)
    }

    /// The entry of a circuit.
    ///
    /// # Errors
    /// The manifest has no such entry.
    pub fn key(&self, circuit: AssessmentCircuit) -> Result<&ManifestKey, KeyError> {
        let is_it = |key: &&ManifestKey| (key.rule_id, key.size) == (circuit.rule.id(), circuit.size);
        self.keys.iter().find(is_it).ok_or(KeyError::UnknownCircuit { circuit })
    }
}

/// File name of a verifying key.
pub(super) fn verifying_key_name(circuit: AssessmentCircuit) -> String {
    format!("DEV-{}-{}.vk", circuit.rule.name(), circuit.size)
}

/// File name of a proving key.
pub(super) fn proving_key_name(circuit: AssessmentCircuit) -> String {
    format!("DEV-{}-{}.pk", circuit.rule.name(), circuit.size)
}

/// Digest as the manifest writes it.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairshare_protocol::RuleName;

    fn example() -> Manifest {
        let key = |circuit: AssessmentCircuit| ManifestKey {
            rule: circuit.rule.name().to_owned(),
            rule_id: circuit.rule.id(),
            size: circuit.size,
            constraints: 1,
            public_inputs: 2,
            verifying_key: verifying_key_name(circuit),
            verifying_key_sha256: digest(&[circuit.size]),
            proving_key_sha256: digest(&[circuit.size, 0]),
        };
        Manifest::new(key_circuits().map(key).collect(), digest(&[]))
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
        let key = |rule, size| manifest.key(AssessmentCircuit { rule, size });
        assert_eq!(key(RuleName::Agreement, 32).unwrap().verifying_key, "DEV-agreement-32.vk");
        for (rule, size) in [(RuleName::Agreement, 100), (RuleName::MultiKrum, 8)] {
            assert!(matches!(key(rule, size), Err(KeyError::UnknownCircuit { .. })));
        }
    }

    #[test]
    fn other_manifests_are_refused_with_the_reason() {
        assert!(fault(|m| m.kind = "ceremony".into()).contains("kind is"));
        assert!(fault(|m| m.keys[0].rule_id = 2).contains(r#"lists [("agreement", 2, 8)"#));
        assert!(fault(|m| m.keys[4].rule = "multi-krum".into()).contains(r#"("multi-krum", 1, 128)"#));
        assert!(fault(|m| m.keys.swap(0, 1)).contains(r#"lists [("agreement", 1, 16), ("agreement", 1, 8)"#));
        assert!(fault(|m| m.keys.truncate(4)).contains("it lists"));
        assert!(fault(|m| m.keys.push(m.keys[4].clone())).contains("it lists"));
        assert!(Manifest::parse("{}").unwrap_err().to_string().contains("missing field"));
    }
}
