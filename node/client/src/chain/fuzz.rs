//! A settling transaction's data, changed at random, as an auditor reads it from a stranger's node: no panic, bounded memory,
//! and what is accepted has one spelling.

use ethers::abi::{AbiDecode, AbiEncode, ParamType, Token};
use ethers::types::{H160, U256};
use fairshare_contracts::bindings::{self, project::SettleCall};
use proptest::prelude::*;

use super::types::Settlement;
use crate::fuzzing::{assert_memory_bounded, changes, mutate};

/// A value of a type; in lists 1 and 2 alternate, and a slot has 1 and 2 behind its trainer: as coordinates they are the generator.
fn token(kind: &ParamType, value: u64) -> Token {
    let list = |kind: &ParamType, length: usize| (0..length as u64).map(|k| token(kind, 1 + k % 2)).collect();
    match kind {
        ParamType::Address => Token::Address(H160::from_low_u64_be(value)),
        ParamType::Bytes => Token::Bytes(vec![1; 3]),
        ParamType::Int(_) => Token::Int(U256::from(value)),
        ParamType::Uint(_) => Token::Uint(U256::from(value)),
        ParamType::Bool => Token::Bool(true),
        ParamType::String => Token::String("a".to_owned()),
        ParamType::FixedBytes(length) => Token::FixedBytes(vec![value as u8; *length]),
        ParamType::Array(kind) => Token::Array(list(kind, 4)),
        ParamType::FixedArray(kind, length) => Token::FixedArray(list(kind, *length)),
        ParamType::Tuple(kinds) if kinds.len() == 3 => {
            Token::Tuple((0..).zip(kinds).map(|(k, kind)| token(kind, k)).collect())
        }
        ParamType::Tuple(kinds) => Token::Tuple(kinds.iter().map(|kind| token(kind, value)).collect()),
    }
}

fn settlement(data: &[u8]) -> Option<Settlement> {
    SettleCall::decode(data).ok()?.try_into().ok()
}

proptest! {
    #[test]
    fn fuzz_settlements(value in 0u64..200, changes in changes()) {
        let function = bindings::project::PROJECT_ABI.function("settle").unwrap();
        let tokens: Vec<_> = function.inputs.iter().map(|input| token(&input.kind, value)).collect();
        let mut data = function.encode_input(&tokens).unwrap();
        prop_assert!(settlement(&data).is_some());
        mutate(&mut data, &changes);
        if let Some(read) = assert_memory_bounded(|| settlement(&data)) {
            let again = SettleCall::from(&read).encode();
            prop_assert_eq!(settlement(&again), Some(read));
        }
    }
}
