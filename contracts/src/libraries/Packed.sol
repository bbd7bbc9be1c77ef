// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Vectors of values 0 ..= 2^16, 17 bits each, 14 to a field element, and masks of slots.
/// @dev Element 0 lies in the low bits; bit `i` of a mask is slot `i` (docs/protocol.md 12 and 13.2).
library Packed {
    uint256 internal constant BITS = 17;
    uint256 internal constant PER_WORD = 14;
    /// @notice One, as a share or weight.
    uint256 internal constant ONE = 1 << 16;
    uint256 private constant LANE = (1 << BITS) - 1;

    /// @notice How many words hold `n` values.
    function wordCount(uint256 n) internal pure returns (uint256) {
        return (n + PER_WORD - 1) / PER_WORD;
    }

    /// @notice The value in lane `i % 14` of `word`, which is the word `i / 14` of a vector.
    function lane(uint256 word, uint256 i) internal pure returns (uint256) {
        return (word >> (BITS * (i % PER_WORD))) & LANE;
    }

    /// @notice How many slots a mask names.
    function count(uint256 mask) internal pure returns (uint256 n) {
        while (mask != 0) {
            mask &= mask - 1;
            ++n;
        }
    }

    /// @notice Whether a mask names slot `i`.
    function has(uint256 mask, uint256 i) internal pure returns (bool) {
        return (mask >> i) & 1 == 1;
    }
}
