//! Creation bytecode without constructor arguments, and the runtime code of deployed contracts.

use ethers::types::Bytes;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The contract that holds one Groth16 verifying key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKeyCode {
    /// Name of the contract, such as `AgreementKey16`.
    pub name: String,
    /// Id of the rule that the name starts with (docs/protocol.md 6.1).
    pub rule: u8,
    /// Number of slots of the circuit, at the end of the name.
    pub size: u8,
    /// Creation bytecode; the constructor takes no arguments.
    pub bytecode: Bytes,
    /// Runtime code.
    pub runtime: Bytes,
}

/// Runtime code of a contract, with the offsets of its immutables.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RuntimeCode {
    code: Bytes,
    /// Offsets of each immutable, in the order of declaration.
    immutables: Vec<Vec<usize>>,
}

impl RuntimeCode {
    /// `Project`. Immutables: from OpenZeppelin's `EIP712` the domain separator, the chain id, the contract's address,
    /// the hashes of name and version, name and version as short strings; then factory, key registry, round verifier,
    /// range verifier, the contract's address.
    pub fn project() -> Self {
        Self::parse(include_str!("../abi/Project.json"))
    }

    /// `ProjectFactory`. Immutables: key registry, round verifier, range verifier, implementation of the projects.
    pub fn project_factory() -> Self {
        Self::parse(include_str!("../abi/ProjectFactory.json"))
    }

    /// `RoundVerifier`. Immutables: those of `RangeVerifier`, the two words of `[x]_1`, the four words of `[x^2]_2`.
    pub fn round_verifier() -> Self {
        Self::parse(include_str!("../abi/RoundVerifier.json"))
    }

    /// `RangeVerifier`. Immutables: key registry, keys hash, the words of `[1]_2` and `[x]_2`.
    pub fn range_verifier() -> Self {
        Self::parse(include_str!("../abi/RangeVerifier.json"))
    }

    /// `KeyRegistry`. Immutables: whether the keys are DEV keys, keys hash.
    pub fn key_registry() -> Self {
        Self::parse(include_str!("../abi/KeyRegistry.json"))
    }

    /// Inserts the immutables into the code; `None` if their number is wrong.
    pub fn with(&self, words: &[[u8; 32]]) -> Option<Vec<u8>> {
        if words.len() != self.immutables.len() {
            return None;
        }
        let mut code = self.code.to_vec();
        for (word, places) in words.iter().zip(&self.immutables) {
            for &place in places {
                code.get_mut(place..place.checked_add(32)?)?.copy_from_slice(word);
            }
        }
        Some(code)
    }

    fn parse(json: &str) -> Self {
        #[derive(Deserialize)]
        struct File {
            runtime: RuntimeCode,
        }
        let file: File = serde_json::from_str(json).expect("abi/*.json are written by script/export-abi");
        file.runtime
    }
}

/// Creation bytecode of `KeyRegistry(bool isDev, uint256[2] x1, uint256[12] g2, address[] keys)`.
pub fn key_registry_bytecode() -> Bytes {
    crate::bindings::KEYREGISTRY_BYTECODE.clone()
}

/// Creation bytecode of `RoundVerifier(address registry)`.
pub fn round_verifier_bytecode() -> Bytes {
    crate::bindings::ROUNDVERIFIER_BYTECODE.clone()
}

/// Creation bytecode of `RangeVerifier(address registry)`.
pub fn range_verifier_bytecode() -> Bytes {
    crate::bindings::RANGEVERIFIER_BYTECODE.clone()
}

/// Creation bytecode of `ProjectFactory(address registry, address verifier, address rangeVerifier)`.
///
/// The factory deploys the implementation of the projects and clones it.
pub fn project_factory_bytecode() -> Bytes {
    crate::bindings::PROJECTFACTORY_BYTECODE.clone()
}

/// The verifying keys by rule, then by size: the order of registration.
pub fn verifying_keys() -> Vec<VerifyingKeyCode> {
    parse_keys(include_str!("../abi/VerifyingKeys.json"))
        .expect("abi/VerifyingKeys.json is written by script/export-abi")
}

#[derive(Deserialize)]
#[serde(transparent)]
struct KeyFile(BTreeMap<String, KeyCode>);

#[derive(Deserialize)]
struct KeyCode {
    bytecode: Bytes,
    runtime: Bytes,
}

/// The part before `Key` of a key contract's name; the index is the rule's id minus one.
const RULES: [&str; 1] = ["Agreement"];

/// `None` if the text is not a map from names to code, or if a name lacks a known rule or a size.
fn parse_keys(json: &str) -> Option<Vec<VerifyingKeyCode>> {
    let KeyFile(entries) = serde_json::from_str(json).ok()?;
    let mut keys = Vec::with_capacity(entries.len());
    for (name, KeyCode { bytecode, runtime }) in entries {
        let (rule, size) = name.split_once("Key")?;
        let rule = u8::try_from(RULES.iter().position(|known| *known == rule)?).ok()? + 1;
        let size = size.parse().ok()?;
        keys.push(VerifyingKeyCode { name, rule, size, bytecode, runtime });
    }
    keys.sort_by_key(|key| (key.rule, key.size));
    Some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_deployed_contract_is_within_the_code_limit_of_eip_3860() {
        for code in [
            key_registry_bytecode(),
            round_verifier_bytecode(),
            range_verifier_bytecode(),
            project_factory_bytecode(),
        ] {
            assert!(code.len() > 1000 && code.len() < 49_152, "{} bytes", code.len());
        }
    }

    #[test]
    fn there_is_a_key_for_the_rule_agreement_and_every_size_in_order() {
        let keys = verifying_keys();
        let circuits: Vec<(u8, u8)> = keys.iter().map(|key| (key.rule, key.size)).collect();
        assert_eq!(circuits, [8, 16, 32, 64, 128].map(|size| (1, size)));
        assert!(keys.iter().all(|key| key.bytecode.len() > 1000));
    }

    #[test]
    fn immutables_are_written_at_their_offsets_only() {
        let runtime = RuntimeCode { code: vec![1; 100].into(), immutables: vec![vec![2, 66], vec![34]] };
        let expected = [vec![1; 2], vec![7; 32], vec![8; 32], vec![7; 32], vec![1; 2]].concat();
        assert_eq!(runtime.with(&[[7; 32], [8; 32]]).unwrap(), expected);
        assert_eq!(runtime.with(&[[7; 32]]), None);
        let beyond = RuntimeCode { code: vec![1; 33].into(), immutables: vec![vec![2]] };
        assert_eq!(beyond.with(&[[7; 32]]), None);
    }

    #[test]
    fn every_contract_has_runtime_code_with_as_many_immutables_as_it_declares() {
        let all = [
            (RuntimeCode::project(), 12),
            (RuntimeCode::project_factory(), 4),
            (RuntimeCode::round_verifier(), 16),
            (RuntimeCode::range_verifier(), 10),
            (RuntimeCode::key_registry(), 2),
        ];
        for (runtime, immutables) in all {
            assert!(runtime.with(&vec![[7; 32]; immutables]).unwrap().len() > 500);
        }
    }

    #[test]
    fn keys_are_sorted_by_size_and_not_by_name() {
        let code = r#"{"bytecode": "0x01", "runtime": "0x"}"#;
        let names = ["AgreementKey128", "AgreementKey16", "AgreementKey8"];
        let json = names.map(|name| format!("\"{name}\": {code}")).join(", ");
        let keys = parse_keys(&format!("{{{json}}}")).unwrap();
        let sorted: Vec<(u8, u8)> = keys.iter().map(|key| (key.rule, key.size)).collect();
        assert_eq!(sorted, [(1, 8), (1, 16), (1, 128)]);
    }

    #[test]
    fn a_name_without_a_size_or_a_known_rule_is_refused() {
        for name in ["AgreementKey", "Agreement8", "MedianKey8", "MultiKrumKey8"] {
            assert_eq!(
                parse_keys(&format!(r#"{{"{name}": {{"bytecode": "0x02", "runtime": "0x"}}}}"#)),
                None
            );
        }
        assert_eq!(parse_keys(r#"{"AgreementKey8": 5}"#), None);
    }
}
