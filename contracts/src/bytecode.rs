//! Creation bytecode, without constructor arguments.

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
struct KeyFile(BTreeMap<String, Bytes>);

/// `None` when the text is not an object of name to hex, or a name ends in no size.
fn parse_keys(json: &str) -> Option<Vec<VerifyingKeyCode>> {
    let KeyFile(entries) = serde_json::from_str(json).ok()?;
    let mut keys = Vec::with_capacity(entries.len());
    for (name, bytecode) in entries {
        let size = name.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().ok()?;
        keys.push(VerifyingKeyCode { name, size, bytecode });
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
    fn keys_are_sorted_by_number_and_not_by_name() {
        let keys = parse_keys(r#"{"AgreementKey16": "0x02", "AgreementKey8": "0x01"}"#).unwrap();
        assert_eq!(keys.iter().map(|key| key.size).collect::<Vec<_>>(), [8, 16]);
    }

    #[test]
    fn a_name_without_a_size_is_refused() {
        assert_eq!(parse_keys(r#"{"AgreementKey": "0x02"}"#), None);
        assert_eq!(parse_keys(r#"{"AgreementKey8": 5}"#), None);
    }
}
