//! Creation bytecode, without constructor arguments, and the runtime code that it leaves on a chain.

use ethers::types::Bytes;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The contract that holds one Groth16 verifying key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKeyCode {
    /// Name of the contract: rule and size, as in `AgreementKey16`.
    pub name: String,
    /// How many slots its circuit serves: the number at the end of the name.
    pub size: u8,
    /// Creation bytecode; the constructor takes no arguments.
    pub bytecode: Bytes,
    /// Code of the deployed contract.
    pub runtime: Bytes,
}

/// Code of a deployed contract, with the places of its immutables.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct RuntimeCode {
    code: Bytes,
    /// Where the words of each immutable begin, in the order of their declaration.
    immutables: Vec<Vec<usize>>,
}

impl RuntimeCode {
    /// `Project`; immutables: factory, key registry, round verifier, its own address.
    pub fn project() -> Self {
        Self::parse(include_str!("../abi/Project.json"))
    }

    /// `ProjectFactory`; immutables: key registry, round verifier, the code that projects share.
    pub fn project_factory() -> Self {
        Self::parse(include_str!("../abi/ProjectFactory.json"))
    }

    /// `RoundVerifier`; immutables: key registry, the keys' hash, and the 14 words of `x1` and `g2`.
    pub fn round_verifier() -> Self {
        Self::parse(include_str!("../abi/RoundVerifier.json"))
    }

    /// `KeyRegistry`; immutables: whether its keys are development keys, the keys' hash.
    pub fn key_registry() -> Self {
        Self::parse(include_str!("../abi/KeyRegistry.json"))
    }

    /// The code with these immutables, one word for each; `None` when there are more or fewer.
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

/// Creation bytecode of `ProjectFactory(address registry, address verifier)`.
///
/// Projects have none of their own: the factory deploys the code that they share, and clones it.
pub fn project_factory_bytecode() -> Bytes {
    crate::bindings::PROJECTFACTORY_BYTECODE.clone()
}

/// The verifying keys of the rule "agreement", smallest circuit first: the order in which a registry takes them.
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

/// `None` when the text is not an object of name to code, or a name ends in no size.
fn parse_keys(json: &str) -> Option<Vec<VerifyingKeyCode>> {
    let KeyFile(entries) = serde_json::from_str(json).ok()?;
    let mut keys = Vec::with_capacity(entries.len());
    for (name, KeyCode { bytecode, runtime }) in entries {
        let size = name.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().ok()?;
        keys.push(VerifyingKeyCode { name, size, bytecode, runtime });
    }
    keys.sort_by_key(|key| key.size);
    Some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_contract_that_is_deployed_has_code_within_the_limit_of_eip_3860() {
        for code in [key_registry_bytecode(), round_verifier_bytecode(), project_factory_bytecode()] {
            assert!(code.len() > 1000 && code.len() < 49_152, "{} bytes", code.len());
        }
    }

    #[test]
    fn committed_keys_are_ordered_by_size_and_not_empty() {
        let keys = verifying_keys();
        assert!(keys.windows(2).all(|pair| pair[0].size < pair[1].size));
        assert!(keys.iter().all(|key| key.bytecode.len() > 1000));
    }

    #[test]
    fn immutables_go_into_their_places_and_nowhere_else() {
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
            (RuntimeCode::project(), 4),
            (RuntimeCode::project_factory(), 3),
            (RuntimeCode::round_verifier(), 16),
            (RuntimeCode::key_registry(), 2),
        ];
        for (runtime, immutables) in all {
            assert!(runtime.with(&vec![[7; 32]; immutables]).unwrap().len() > 500);
        }
    }

    #[test]
    fn keys_are_sorted_by_number_and_not_by_name() {
        let keys = parse_keys(
            r#"{"AgreementKey16": {"bytecode": "0x02", "runtime": "0x"}, "AgreementKey8": {"bytecode": "0x01", "runtime": "0x"}}"#,
        )
        .unwrap();
        assert_eq!(keys.iter().map(|key| key.size).collect::<Vec<_>>(), [8, 16]);
    }

    #[test]
    fn a_name_without_a_size_is_refused() {
        assert_eq!(parse_keys(r#"{"AgreementKey": {"bytecode": "0x02", "runtime": "0x"}}"#), None);
        assert_eq!(parse_keys(r#"{"AgreementKey8": 5}"#), None);
    }
}
