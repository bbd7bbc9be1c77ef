// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @notice What the project contract fixes about a submission; the trainer cannot choose any of it (docs/protocol.md
/// 7, first state).
struct RangeStatement {
    address project;
    uint256 round;
    address trainer;
    uint256 dimension; // d
    uint8 table; // 8: two limbs of 8 bits; 16: 16 bits
    uint256[2] commitment; // C(u), not infinity
}

/// @notice The trainer's range proof.
struct RangeProof {
    uint256[] points; // x, y of [C_HI], C_M, C_F.., C_K, C_S, W, W': 16 words with table 8, 12 with table 16
    uint256[] values; // U, [HI], S at z, 1/z, then F.., K, M at yz, y/z: 14 words with table 8, 10 with table 16
}

/// @title Checks that every entry of a committed update lies in [-2^15, 2^15).
/// @notice Covers the entries below `d`; the Gram argument of the round excludes entries beyond.
interface IRangeVerifier {
    /// @notice A scalar is not below the group order `r`.
    error ScalarOutOfRange(uint256 value);
    /// @notice A coordinate is not below `q`, a point is not on the curve, or the commitment is infinity.
    error InvalidPoint();
    /// @notice A challenge is a pole of the argument. Happens with negligible probability.
    error DegenerateChallenge();
    /// @notice The opened values violate the lookup identity: some entry is not in the table.
    error RangeIdentityFailed();
    /// @notice The opening of the committed polynomials is wrong.
    error PairingFailed();
    /// @notice The number of points or values does not match the table.
    error WrongLength();
    /// @notice The table is neither 8 nor 16.
    error UnknownTable(uint8 table);
    /// @notice `d` is 0, or 2^22 or more.
    error InvalidDimension(uint256 dimension);

    /// @notice Returns if the proof is valid; otherwise reverts with the reason.
    function verify(RangeStatement calldata statement, RangeProof calldata proof) external view;

    /// @notice The registry that holds this verifier's keys.
    function keyRegistry() external view returns (address);
}
