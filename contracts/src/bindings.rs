//! Bindings that `ethers` generates from `contracts/abi` at compile time, so they always match the committed ABI.
#![allow(missing_docs, unreachable_pub, clippy::all, reason = "code of the `abigen!` macro")]

ethers::contract::abigen!(
    Project, "./abi/Project.json", derives(serde::Serialize, serde::Deserialize);
    ProjectFactory, "./abi/ProjectFactory.json", derives(serde::Serialize, serde::Deserialize);
    RoundVerifier, "./abi/RoundVerifier.json", derives(serde::Serialize, serde::Deserialize);
    RangeVerifier, "./abi/RangeVerifier.json", derives(serde::Serialize, serde::Deserialize);
    KeyRegistry, "./abi/KeyRegistry.json", derives(serde::Serialize, serde::Deserialize);
    VerifyingKey, "./abi/IVerifyingKey.json", derives(serde::Serialize, serde::Deserialize);
    Token, "./abi/IERC20Metadata.json", derives(serde::Serialize, serde::Deserialize);
);
