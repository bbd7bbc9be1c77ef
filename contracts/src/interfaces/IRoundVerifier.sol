// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @notice What the project contract fixes about a round; the prover cannot choose any of it (docs/protocol.md 4,
/// state st0).
struct RoundStatement {
    address project;
    uint256 round;
    address payee;
    uint256 dimension; // d, number of model parameters
    uint8 slots; // N, size of the assessment circuit
    uint8 rule; // 1 = agreement, the only rule with circuits
    uint256[2] policy; // theta, trim count f; each below 2^16
    uint256 activeMask;
    bytes32 modelCid; // digest of the new model's CID
    uint256[2] model; // C_T before the round; (0, 0) is infinity
    bytes commitments; // x, y of every active slot in slot order, 64 bytes a point
}

/// @notice What the aggregator computed, and the proof of it.
struct RoundProof {
    uint256 sigma; // <p, p>, the random combination of the Gram matrix's entries
    uint256 keptMask;
    uint256 coherence; // 0 ..= 2^16
    uint256[] shares; // pay shares, 17 bits each, 14 to a word
    uint256[] weights; // model weights, packed in the same way
    uint256[8] groth16; // A, B (imaginary parts first), C
    uint256[2] quotient; // C_S
    uint256[2] reversed; // C_R
    uint256[4] values; // P(z), P(1/z), S(z), S(1/z)
    uint256[2] opening; // W
    uint256[2] model; // C_T' = C_T + sum w_i C_i: claimed by the prover, checked in the pairing call
    uint256[4] committed; // D, which commits to the circuit's witnesses, and its proof of knowledge
}

/// @title Checks a round's Groth16 proof, Gram argument and new model commitment in one pairing call.
interface IRoundVerifier {
    /// @notice A scalar is not below the group order `r`, or a policy word is not below 2^16.
    error ScalarOutOfRange(uint256 value);
    /// @notice A coordinate is not below `q`, a point is not on the curve, or a point that must be finite is infinity.
    error InvalidPoint();
    /// @notice A challenge is one of the few values for which the argument proves nothing. Happens with negligible
    /// probability.
    error DegenerateChallenge();
    /// @notice `P(z) P(1/z) = sigma + z S(z) + S(1/z) / z` does not hold.
    error LaurentIdentityFailed();
    /// @notice The pairing equation of docs/protocol.md 6.4 does not hold.
    error PairingFailed();
    /// @notice A list has another length than the circuit's size and the active mask require, or the dimension is zero.
    error WrongLength();

    /// @notice Returns if the proof is valid; otherwise reverts with the reason.
    function verify(RoundStatement calldata statement, RoundProof calldata proof) external view;

    /// @notice The registry that holds this verifier's keys.
    function keyRegistry() external view returns (address);
}
