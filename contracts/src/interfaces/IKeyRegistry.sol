// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @dev Number of public inputs of every assessment circuit (docs/protocol.md 6.1).
uint256 constant PUBLIC_INPUTS = 4;

/// @title A Groth16 verifying key, stored as constants of a contract that `scripts/regenerate` writes.
interface IVerifyingKey {
    /// @return rule id of the aggregation rule (docs/protocol.md 6.1)
    /// @return size number `N` of slots of the circuit
    function circuit() external pure returns (uint8 rule, uint8 size);

    /// @return fixedPoints `alpha_1` (2 words), then `beta_2`, `gamma_2`, `delta_2` and `[sigma]_2` (4 words each,
    /// imaginary parts first); `VerifyingKeys` names the offsets
    /// @return ic the points of the constant one and of the public inputs, 64 bytes each. Bytes, because every
    /// verification copies them, and the compiler copies an array word by word
    function key() external pure returns (uint256[18] memory fixedPoints, bytes memory ic);
}

/// @title Groth16 and KZG keys that nobody can change after deployment.
interface IKeyRegistry {
    /// @notice DEV keys, whose secrets anyone may know, are refused on a chain that is not a test chain: by their flag,
    /// and those of this project also by value.
    error DevKeysOutsideTestChain(uint256 chainId);
    /// @notice No key is registered for this rule and size.
    error UnknownKey(uint8 rule, uint8 size);
    /// @notice The list of keys contains two for the same rule and size.
    error DuplicateKey(uint8 rule, uint8 size);
    /// @notice A point of a key is infinity, off its curve or outside its subgroup.
    error InvalidKeyPoint();
    /// @notice There is no circuit for this rule id; 1 (agreement) is the only one.
    error UnsupportedRule(uint8 rule);
    /// @notice There is no circuit of this size; the sizes are 8, 16, 32, 64 and 128.
    error UnsupportedSize(uint8 rule, uint8 size);
    /// @notice `ic` has `words` words instead of two for the constant one and two for each public input.
    error WrongInputCount(uint8 rule, uint8 size, uint256 words);
    /// @notice `gamma_2` is not the registry's `[1]_2`, with which the verifier pairs all public inputs and openings.
    error GammaIsNotOne(uint8 rule, uint8 size);
    /// @notice `delta_2` is `gamma_2` or its opposite: anyone could forge proofs under this key.
    error DeltaIsGamma(uint8 rule, uint8 size);
    /// @notice `[sigma]_2` is `[1]_2`, `delta_2` or the opposite of one: anyone could forge proofs of knowledge under
    /// this key.
    error SigmaIsKnown(uint8 rule, uint8 size);
    /// @notice The key contract returned different constants when called a second time.
    error ImpureKey(address key);

    /// @notice The hash of all keys (docs/protocol.md 3.2); it enters the first state of every transcript.
    function keysHash() external view returns (bytes32);
    /// @notice True for DEV keys, whose secrets anyone may know: test chains only.
    function isDev() external view returns (bool);
    /// @notice The contract that holds the key; reverts with `UnknownKey` if there is none.
    function verifyingKey(uint8 rule, uint8 size) external view returns (IVerifyingKey);
    /// @return x1 `[x]_1`
    /// @return g2 `[1]_2, [x]_2, [x^2]_2` (imaginary parts first)
    function kzg() external view returns (uint256[2] memory x1, uint256[12] memory g2);
}
