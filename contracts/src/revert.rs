//! Explains the return data of a reverted call.

use crate::bindings;
use ethers::abi::{ethabi::AbiError, ErrorExt, Token};
use ethers::types::U256;

/// Selectors of the two errors that Solidity itself raises: `Error(string)` and `Panic(uint256)`.
const ERROR_SELECTOR: [u8; 4] = [0x08, 0xc3, 0x79, 0xa0];
const PANIC_SELECTOR: [u8; 4] = [0x4e, 0x48, 0x7b, 0x71];

/// Returns the error in a reverted call's return data with its arguments, such as `WrongRound(expected: 2, actual: 1)`.
///
/// Knows every custom error of every contract in `contracts/abi`, `Error(string)` and `Panic(uint256)`. `None` when the
/// data is none of these: empty, cut short, or of another contract.
pub fn explain_revert(data: &[u8]) -> Option<String> {
    let (selector, arguments) = data.split_at_checked(4)?;
    if selector == ERROR_SELECTOR {
        let tokens = ethers::abi::decode(&[ethers::abi::ParamType::String], arguments).ok()?;
        return tokens.into_iter().next()?.into_string();
    }
    if selector == PANIC_SELECTOR {
        let tokens = ethers::abi::decode(&[ethers::abi::ParamType::Uint(256)], arguments).ok()?;
        return Some(explain_panic(tokens.into_iter().next()?.into_uint()?));
    }
    let error = all_errors().find(|error| error.selector() == selector)?;
    explain(error, arguments)
}

fn all_errors() -> impl Iterator<Item = &'static AbiError> {
    [
        &*bindings::PROJECT_ABI,
        &*bindings::PROJECTFACTORY_ABI,
        &*bindings::ROUNDVERIFIER_ABI,
        &*bindings::RANGEVERIFIER_ABI,
        &*bindings::KEYREGISTRY_ABI,
        &*bindings::VERIFYINGKEY_ABI,
    ]
    .into_iter()
    .flat_map(|abi| abi.errors())
}

/// `Name(first: value, second: value)`; a phase is shown by its name.
fn explain(error: &AbiError, arguments: &[u8]) -> Option<String> {
    let kinds: Vec<_> = error.inputs.iter().map(|input| input.kind.clone()).collect();
    let tokens = ethers::abi::decode(&kinds, arguments).ok()?;
    let values: Vec<String> = error
        .inputs
        .iter()
        .zip(&tokens)
        .map(|(input, token)| {
            let value = match input.internal_type.as_deref() {
                Some("enum Phase") => phase_name(token),
                _ => show(token),
            };
            if input.name.is_empty() {
                value
            } else {
                format!("{}: {value}", input.name)
            }
        })
        .collect();
    Some(if values.is_empty() {
        error.name.clone()
    } else {
        format!("{}({})", error.name, values.join(", "))
    })
}

fn show(token: &Token) -> String {
    match token {
        Token::Address(address) => ethers::utils::to_checksum(address, None),
        Token::Uint(value) | Token::Int(value) => value.to_string(),
        Token::String(text) => format!("\"{text}\""),
        other => other.to_string(),
    }
}

/// The names of `enum Phase` in `interfaces/IProject.sol`.
fn phase_name(token: &Token) -> String {
    const NAMES: [&str; 8] =
        ["Registration", "Commit", "Reveal", "Attest", "Aggregate", "Closing", "Completed", "WoundUp"];
    match token {
        Token::Uint(value) if *value < U256::from(NAMES.len()) => NAMES[value.as_usize()].to_owned(),
        other => show(other),
    }
}

fn explain_panic(code: U256) -> String {
    let meaning = match code.low_u64() {
        0x01 => "an assertion failed",
        0x11 => "arithmetic overflow",
        0x12 => "division by zero",
        0x21 => "not a value of the enum",
        0x32 => "index out of bounds",
        _ => "internal error",
    };
    format!("Panic({code:#x}): {meaning}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ethers::abi::AbiEncode;
    use ethers::types::Address;

    #[test]
    fn every_custom_error_of_every_contract_is_explained() {
        let mut seen = 0;
        for error in all_errors() {
            let tokens: Vec<Token> = error
                .inputs
                .iter()
                .map(|input| match &input.kind {
                    ethers::abi::ParamType::String => Token::String("theta".to_owned()),
                    ethers::abi::ParamType::Address => Token::Address(Address::repeat_byte(7)),
                    ethers::abi::ParamType::FixedBytes(n) => Token::FixedBytes(vec![7; *n]),
                    _ => Token::Uint(1.into()),
                })
                .collect();
            let mut data = error.selector().to_vec();
            data.extend(ethers::abi::encode(&tokens));
            let text = explain_revert(&data).unwrap();
            assert!(text.starts_with(&error.name), "{text}");
            seen += 1;
        }
        assert!(seen > 30, "only {seen} errors in the ABI");
    }

    #[test]
    fn a_wrong_phase_is_named_by_its_phases() {
        let text =
            |expected, actual| explain_revert(&bindings::WrongPhase { expected, actual }.encode()).unwrap();
        assert_eq!(text(1, 4), "WrongPhase(expected: Commit, actual: Aggregate)");
        assert_eq!(text(3, 5), "WrongPhase(expected: Attest, actual: Closing)");
    }

    #[test]
    fn solidity_s_own_errors_are_explained() {
        let mut data = ERROR_SELECTOR.to_vec();
        data.extend(ethers::abi::encode(&[Token::String("out of paper".to_owned())]));
        assert_eq!(explain_revert(&data).unwrap(), "out of paper");

        let mut data = PANIC_SELECTOR.to_vec();
        data.extend(ethers::abi::encode(&[Token::Uint(0x11.into())]));
        assert_eq!(explain_revert(&data).unwrap(), "Panic(0x11): arithmetic overflow");
    }

    #[test]
    fn foreign_or_truncated_data_is_not_explained() {
        let whole = ethers::utils::id("WrongRound(uint256,uint256)");
        for data in [&[][..], &[1, 2, 3], &[0xde, 0xad, 0xbe, 0xef], &whole, &PANIC_SELECTOR] {
            assert_eq!(explain_revert(data), None, "{data:?}");
        }
    }
}
