//! Randomly changed calls, answers, errors and events of all contracts through every decoder that the ABI generates:
//! no panic, bounded memory, and a decoded value survives another round of encoding and decoding.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../protocol/tests/support/fuzzing.rs"]
mod fuzzing;

use ethers::abi::{decode, encode, Abi, AbiDecode, AbiEncode, ErrorExt, ParamType, RawLog, Token};
use ethers::types::{Address, H256, U256};
use fairshare_contracts::bindings::{self, project};
use fairshare_contracts::explain_revert;
use fuzzing::{assert_memory_bounded, changes, mutate};
use proptest::prelude::*;
use proptest::sample::Index;

fn contracts() -> [&'static Abi; 5] {
    [
        &bindings::PROJECT_ABI,
        &bindings::PROJECTFACTORY_ABI,
        &bindings::ROUNDVERIFIER_ABI,
        &bindings::KEYREGISTRY_ABI,
        &bindings::VERIFYINGKEY_ABI,
    ]
}

/// A value of a type, small enough for every number; lists have three elements.
fn token(kind: &ParamType, value: u64) -> Token {
    match kind {
        ParamType::Address => Token::Address(Address::from_low_u64_be(value)),
        ParamType::Bytes => Token::Bytes(value.to_be_bytes().to_vec()),
        ParamType::Int(_) => Token::Int(U256::from(value % 128)),
        ParamType::Uint(_) => Token::Uint(U256::from(value % 256)),
        ParamType::Bool => Token::Bool(value % 2 == 1),
        ParamType::String => Token::String(value.to_string()),
        ParamType::Array(kind) => Token::Array((0..3).map(|k| token(kind, value + k)).collect()),
        ParamType::FixedBytes(length) => Token::FixedBytes(vec![value as u8; *length]),
        ParamType::FixedArray(kind, length) => {
            Token::FixedArray((0..*length as u64).map(|k| token(kind, value + k)).collect())
        }
        ParamType::Tuple(kinds) => Token::Tuple(kinds.iter().map(|kind| token(kind, value)).collect()),
    }
}

fn tokens(kinds: &[ParamType], value: u64) -> Vec<Token> {
    kinds.iter().map(|kind| token(kind, value)).collect()
}

/// Decodes changed data without the bindings; a decoded value must encode and decode to itself.
fn stable(kinds: &[ParamType], data: &[u8]) {
    if let Ok(read) = assert_memory_bounded(|| decode(kinds, data)) {
        assert_eq!(decode(kinds, &encode(&read)).unwrap(), read);
    }
}

proptest! {
    #[test]
    fn fuzz_calls_and_answers(which in any::<Index>(), value in any::<u32>(), changes in changes()) {
        for abi in contracts() {
            let functions: Vec<_> = abi.functions().collect();
            if functions.is_empty() {
                continue;
            }
            let function = functions[which.index(functions.len())];
            let inputs: Vec<_> = function.inputs.iter().map(|input| input.kind.clone()).collect();
            let outputs: Vec<_> = function.outputs.iter().map(|output| output.kind.clone()).collect();
            for kinds in [inputs, outputs] {
                let mut data = encode(&tokens(&kinds, value.into()));
                assert_eq!(decode(&kinds, &data).unwrap(), tokens(&kinds, value.into()), "{}", function.name);
                mutate(&mut data, &changes);
                stable(&kinds, &data);
            }
        }
    }

    #[test]
    fn fuzz_settling_calls(value in any::<u32>(), changes in changes()) {
        let function = bindings::PROJECT_ABI.function("settle").unwrap();
        let kinds: Vec<_> = function.inputs.iter().map(|input| input.kind.clone()).collect();
        let mut data = function.encode_input(&tokens(&kinds, value.into())).unwrap();
        prop_assert!(project::SettleCall::decode(&data).is_ok());
        mutate(&mut data, &changes);
        if let Ok(call) = assert_memory_bounded(|| project::SettleCall::decode(&data)) {
            // The proof has more fields than tuples may have for `PartialEq`: its bytes are compared.
            let bytes = call.encode();
            prop_assert_eq!(project::SettleCall::decode(&bytes).unwrap().encode(), bytes);
        }
        let _ = assert_memory_bounded(|| project::ProjectCalls::decode(&data));
    }

    #[test]
    fn fuzz_reverts(
        which in any::<Index>(),
        value in any::<u32>(),
        changes in changes(),
        junk in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        for abi in contracts() {
            let errors: Vec<_> = abi.errors().collect();
            if errors.is_empty() {
                continue;
            }
            let error = errors[which.index(errors.len())];
            let kinds: Vec<_> = error.inputs.iter().map(|input| input.kind.clone()).collect();
            let mut data = error.selector().to_vec();
            data.extend(encode(&tokens(&kinds, value.into())));
            let said = explain_revert(&data).unwrap();
            prop_assert!(said.starts_with(&error.name), "{}", said);
            mutate(&mut data, &changes);
            let _ = assert_memory_bounded(|| explain_revert(&data));
        }
        for selector in [[0x08, 0xc3, 0x79, 0xa0], [0x4e, 0x48, 0x7b, 0x71]] {
            let data = [&selector[..], &junk].concat();
            let _ = assert_memory_bounded(|| explain_revert(&data));
        }
        let _ = assert_memory_bounded(|| explain_revert(&junk));
    }

    #[test]
    fn fuzz_events(
        which in any::<Index>(),
        topics in prop::collection::vec(any::<[u8; 32]>(), 0..4),
        value in any::<u32>(),
        changes in changes(),
    ) {
        for abi in contracts() {
            let events: Vec<_> = abi.events().collect();
            if events.is_empty() {
                continue;
            }
            let event = events[which.index(events.len())];
            let kinds: Vec<_> = event.inputs.iter().filter(|i| !i.indexed).map(|i| i.kind.clone()).collect();
            let mut data = encode(&tokens(&kinds, value.into()));
            mutate(&mut data, &changes);
            let topics: Vec<H256> = std::iter::once(event.signature()).chain(topics.iter().map(H256::from)).collect();
            let log = RawLog { topics, data };
            let _ = assert_memory_bounded(|| event.parse_log(log.clone()));
            let _ = assert_memory_bounded(|| <project::ProjectEvents as ethers::contract::EthLogDecode>::decode_log(&log));
        }
    }
}
