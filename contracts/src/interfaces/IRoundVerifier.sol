// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @notice What the contract knows of a round and the prover must not choose (docs/protocol.md 13.1, state st0).
struct RoundStatement {
    address project;
    uint256 round;
    address payee;
    uint256 dimension; // d
    uint8 slots; // N, the size of the circuit
    uint8 rule;
    uint256[2] policy; // theta, trim count f; neighbours k, kept m: each below 2^16
    uint256 activeMask;
    bytes32 modelCid; // digest of the new model's CID
    uint256[2] model; // C_T before the round, (0, 0) for infinity
    bytes commitments; // x, y of every active slot, in slot order: 64 bytes a point
}

/// @notice What the aggregator computed and proves.
struct RoundProof {
    uint256 h; // Poseidon of the Gram matrix; 0 where the prover commits
    uint256 sigma; // <p, p>
    uint256 keptMask;
    uint256 coherence; // 0 ..= 2^16
    uint256[] shares; // pay shares, 17 bits each, 14 to a word
    uint256[] weights; // model weights, likewise
    uint256[8] groth16; // A, B (imaginary part first), C
    uint256[2] s; // C_S
    uint256[2] r; // C_R
    uint256[4] values; // P(z), P(1/z), S(z), S(1/z)
    uint256[2] w; // the opening W
    uint256[2] model; // C_T' = C_T + sum w_i C_i, claimed here and checked in the pairing call
    uint256[] committed; // D and its proof of knowledge where the circuit's prover commits (13.10), else empty
}

/// @title Checks a round's Groth16 proof and Gram argument in one pairing call.
interface IRoundVerifier {
    /// @notice A word that must be a scalar is not smaller than the order `r`, or a policy word not smaller than 2^16.
    error ScalarOutOfRange(uint256 value);
    /// @notice A coordinate is not smaller than `q`, or a point is not on the curve.
    error InvalidPoint();
    /// @notice A challenge came out as 0, 1 or -1, which nobody can bring about on purpose.
    error DegenerateChallenge();
    /// @notice `P(z) P(1/z) = sigma + z S(z) + S(1/z)/z` does not hold.
    error LaurentIdentityFailed();
    /// @notice The pairing equation of docs/protocol.md 13.1 does not hold.
    error PairingFailed();
    /// @notice The number of packed words does not fit the circuit's size.
    error WrongLength();

    /// @notice Returns when the proof holds; reverts with the reason otherwise.
    function verify(RoundStatement calldata statement, RoundProof calldata proof) external view;

    /// @notice The registry whose keys this verifier uses.
    function keyRegistry() external view returns (address);
}
