//! Creation bytecode, without constructor arguments, and the runtime code that it leaves on a chain.

use ethers::types::Bytes;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The contract that holds one Groth16 verifying key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKeyCode {
    /// Name of the contract: rule and size, as in `AgreementKey16`.
    pub name: String,
    /// The rule's id (docs/protocol.md 13.2), by what stands before `Key` in the name.
    pub rule: u8,
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
    /// `Project`; immutables: of OpenZeppelin's `EIP712` the domain separator, the chain id, its own address, the hashes of name and
    /// version, name and version as short strings; then factory, key registry, round verifier, form verifier, its own address.
    pub fn project() -> Self {
        Self::parse(include_str!("../abi/Project.json"))
    }

    /// `ProjectFactory`; immutables: key registry, round verifier, form verifier, the code that projects share.
    pub fn project_factory() -> Self {
        Self::parse(include_str!("../abi/ProjectFactory.json"))
    }

    /// `RoundVerifier`; immutables: those of `FormVerifier`, the two words of `[x]_1`, the four of `[x^2]_2`.
    pub fn round_verifier() -> Self {
        Self::parse(include_str!("../abi/RoundVerifier.json"))
    }

    /// `FormVerifier`; immutables: key registry, the keys' hash, `[1]_2` and `[x]_2` of the `g2` words.
    pub fn form_verifier() -> Self {
        Self::parse(include_str!("../abi/FormVerifier.json"))
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

/// Creation bytecode of `FormVerifier(address registry)`.
pub fn form_verifier_bytecode() -> Bytes {
    crate::bindings::FORMVERIFIER_BYTECODE.clone()
}

/// Creation bytecode of `ProjectFactory(address registry, address verifier, address form)`.
///
/// Projects have none of their own: the factory deploys the code that they share, and clones it.
pub fn project_factory_bytecode() -> Bytes {
    crate::bindings::PROJECTFACTORY_BYTECODE.clone()
}

/// The verifying keys by rule, then smallest circuit first: the order in which a registry takes them.
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

/// What stands before `Key` in the name of a verifying key's contract, by the rule's id less one.
const RULES: [&str; 2] = ["Agreement", "MultiKrum"];

/// `None` when the text is not an object of name to code, or a name has no known rule or no size.
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
    fn every_contract_that_is_deployed_has_code_within_the_limit_of_eip_3860() {
        for code in [
            key_registry_bytecode(),
            round_verifier_bytecode(),
            form_verifier_bytecode(),
            project_factory_bytecode(),
        ] {
            assert!(code.len() > 1000 && code.len() < 49_152, "{} bytes", code.len());
        }
    }

    #[test]
    fn committed_keys_are_ordered_by_rule_and_size_and_not_empty() {
        let keys = verifying_keys();
        assert!(keys.windows(2).all(|pair| (pair[0].rule, pair[0].size) < (pair[1].rule, pair[1].size)));
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
            (RuntimeCode::project(), 12),
            (RuntimeCode::project_factory(), 4),
            (RuntimeCode::round_verifier(), 16),
            (RuntimeCode::form_verifier(), 10),
            (RuntimeCode::key_registry(), 2),
        ];
        for (runtime, immutables) in all {
            assert!(runtime.with(&vec![[7; 32]; immutables]).unwrap().len() > 500);
        }
    }

    #[test]
    fn keys_are_sorted_by_rule_and_number_and_not_by_name() {
        let code = r#"{"bytecode": "0x01", "runtime": "0x"}"#;
        let names = ["MultiKrumKey8", "AgreementKey16", "AgreementKey8"];
        let json = names.map(|name| format!("\"{name}\": {code}")).join(", ");
        let keys = parse_keys(&format!("{{{json}}}")).unwrap();
        let sorted: Vec<(u8, u8)> = keys.iter().map(|key| (key.rule, key.size)).collect();
        assert_eq!(sorted, [(1, 8), (1, 16), (2, 8)]);
    }

    #[test]
    fn a_name_without_a_size_or_a_known_rule_is_refused() {
        for name in ["AgreementKey", "Agreement8", "MedianKey8"] {
            assert_eq!(
                parse_keys(&format!(r#"{{"{name}": {{"bytecode": "0x02", "runtime": "0x"}}}}"#)),
                None
            );
        }
        assert_eq!(parse_keys(r#"{"AgreementKey8": 5}"#), None);
    }
}
