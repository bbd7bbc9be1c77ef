// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @notice What the contract knows of a submission and the trainer must not choose (docs/protocol.md 13.6, first state).
struct FormStatement {
    address project;
    uint256 round;
    address trainer;
    uint256 dimension; // d
    uint8 table; // 8: two limbs of 8 bits; 16: 16 bits
    uint256[2] commitment; // C(u), not infinity
}

/// @notice What the trainer sends.
struct FormProof {
    uint256[] points; // x, y of [C_HI], C_M, C_F.., C_K, C_S, W, W': 16 words with table 8, 12 with table 16
    uint256[] values; // U, [HI], S at z, 1/z, then F.., K, M at yz, y/z: 14 words with table 8, 10 with table 16
}

/// @title Checks that every entry of a committed update lies in [-2^15, 2^15).
/// @notice The entries below `d`: that there are none beyond, the Gram argument of the round says.
interface IFormVerifier {
    /// @notice A word that must be a scalar is not smaller than the order `r`.
    error ScalarOutOfRange(uint256 value);
    /// @notice A coordinate is not smaller than `q`, a point is not on the curve, or the commitment is infinity.
    error InvalidPoint();
    /// @notice A challenge came out at a pole of the argument, which nobody can bring about on purpose.
    error DegenerateChallenge();
    /// @notice The opened values do not fit the lookup: an entry is not in the table.
    error FormIdentityFailed();
    /// @notice The opening of the committed polynomials does not hold.
    error PairingFailed();
    /// @notice The number of words does not fit the table.
    error WrongLength();
    /// @notice There is no table of this id.
    error UnknownTable(uint8 table);
    /// @notice `d` is 0 or not smaller than 2^22.
    error InvalidDimension(uint256 dimension);

    /// @notice Returns when the proof holds; reverts with the reason otherwise.
    function verify(FormStatement calldata statement, FormProof calldata proof) external view;

    /// @notice The registry whose keys this verifier uses.
    function keyRegistry() external view returns (address);
}
