// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Points of the DEV keys, whose secrets anybody knows (docs/protocol.md 3).
/// @dev First coordinates, which a point shares with its opposite. They follow from sentences in the source, not from
/// the circuits; `GeneratedKeys.t.sol` compares them with the keys.
library DevKeys {
    uint256 private constant X1 = 0x05775adb804125418eac0385a490c33c0363b2b9624dbb44e59ff3fe9facc4e9;
    uint256 private constant ALPHA_8 = 0x15df438ec9a8ec2547417c47d7ea977352ebd93a059a0828c5857178e27adaf6;
    uint256 private constant ALPHA_16 = 0x11830dd5cd11d831254a5d14c5c70ee1bfc4a5804ed2b1efe992903e75706ab3;
    uint256 private constant ALPHA_32 = 0x0f5b8df2171efed40461074f135b43c57b4d9bdc352d05fe535d9b7b715317e7;
    uint256 private constant ALPHA_64 = 0x0bbcc0ea70968f30a8213cb95cec45212ebc1df13affef155a83ba0582d7928b;
    uint256 private constant ALPHA_128 = 0x2d3485fe063c7ad6b47ef1a6dd3a794a970aadd485ac4e419fff5a3e041145ee;

    /// @notice Whether a reference string with this `[x]_1` is the DEV string, or has its secret negated.
    function isString(uint256[2] memory x1) internal pure returns (bool) {
        return x1[0] == X1;
    }

    /// @notice Whether a Groth16 key with this first coordinate of `alpha_1` is a DEV key of the rule "agreement".
    function isKey(uint256 alpha) internal pure returns (bool) {
        return alpha == ALPHA_8 || alpha == ALPHA_16 || alpha == ALPHA_32 || alpha == ALPHA_64 || alpha == ALPHA_128;
    }
}
