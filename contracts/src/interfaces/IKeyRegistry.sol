// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @dev Public inputs of every assessment circuit (docs/protocol.md 13.2).
uint256 constant PUBLIC_INPUTS = 5;

/// @title A Groth16 verifying key, as constants of a contract that `scripts/regenerate` writes.
interface IVerifyingKey {
    /// @return rule the rule id of docs/protocol.md 13.2
    /// @return size the number `N` of slots that the circuit serves
    function circuit() external pure returns (uint8 rule, uint8 size);

    /// @return fixedPoints `alpha_1` (2 words), `beta_2`, `gamma_2`, `delta_2` (4 words each, imaginary part first), and
    /// `[sigma]_2` where the circuit's prover commits to witnesses (docs/protocol.md 13.10), else four zeros
    /// @return ic the points of the public inputs, `x, y` of 32 bytes each, one behind the other; the first is the constant one. Bytes, because
    /// every verification copies them, and an array is copied word by word
    function key() external pure returns (uint256[18] memory fixedPoints, bytes memory ic);
}

/// @title Groth16 and KZG keys that nobody can change after deployment.
interface IKeyRegistry {
    /// @notice DEV keys (anybody may know their secret) were offered on a chain that is not a test chain.
    error DevKeysOutsideTestChain(uint256 chainId);
    /// @notice No key is registered for this rule and size.
    error UnknownKey(uint8 rule, uint8 size);
    /// @notice Two keys for one rule and size.
    error DuplicateKey(uint8 rule, uint8 size);
    /// @notice A point of a key is off its curve or infinity.
    error InvalidKeyPoint();
    /// @notice A key for a number of slots that is not 8, 16, 32, 64 or 128.
    error UnusualSize(uint8 rule, uint8 size);
    /// @notice A key whose points are not one for the constant one and one for each public input.
    error WrongInputCount(uint8 rule, uint8 size, uint256 words);
    /// @notice A key whose `gamma_2` is not the registry's `[1]_2`, beside which all public inputs and openings are paired.
    error GammaIsNotOne(uint8 rule, uint8 size);
    /// @notice A key whose `delta_2` is its `gamma_2`: proofs under it could be made by anybody.
    error DeltaIsGamma(uint8 rule, uint8 size);
    /// @notice `[sigma]_2` is `[1]_2` or `delta_2`: anybody could prove that a commitment is one.
    error SigmaIsKnown(uint8 rule, uint8 size);
    /// @notice A key contract that did not say the same when it was asked again.
    error ImpureKey(address key);

    /// @notice The hash of docs/protocol.md 13.4 over all keys; it enters the first state of every transcript.
    function keysHash() external view returns (bytes32);
    /// @notice True when whoever runs the project's software knows the secrets: test chains only.
    function isDev() external view returns (bool);
    /// @notice The contract that holds the key; reverts with `UnknownKey` when there is none.
    function verifyingKey(uint8 rule, uint8 size) external view returns (IVerifyingKey);
    /// @return x1 `[x]_1`, `g2` `[1]_2, [x]_2, [x^2]_2` (imaginary part first)
    function kzg() external view returns (uint256[2] memory x1, uint256[12] memory g2);
}
