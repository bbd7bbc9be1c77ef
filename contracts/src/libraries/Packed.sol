// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Vectors of values 0 ..= 2^16, packed 14 to a field element with 17 bits each, and masks of slots.
/// @dev Element 0 is in the low bits. Bit `i` of a mask is slot `i` (docs/protocol.md 12.2).
library Packed {
    uint256 internal constant BITS = 17;
    uint256 internal constant PER_WORD = 14;
    uint256 internal constant BYTES_PER_WORD = 30; // 238 bits
    /// @notice The share or weight one.
    uint256 internal constant ONE = 1 << 16;
    uint256 internal constant LANE = (1 << BITS) - 1;

    uint256 private constant ODD = type(uint256).max / 3; // 0x55..
    uint256 private constant PAIRS = type(uint256).max / 5; // 0x33..
    uint256 private constant FOURS = type(uint256).max / 17; // 0x0f..
    uint256 private constant BYTES = type(uint256).max / 255; // 0x01..
    uint256 private constant LOW_HALF = type(uint128).max;

    /// @notice Number of words for `n` values.
    function wordCount(uint256 n) internal pure returns (uint256) {
        return (n + PER_WORD - 1) / PER_WORD;
    }

    /// @notice Value `i` of a vector.
    /// @param word word `i / 14` of the vector
    function lane(uint256 word, uint256 i) internal pure returns (uint256) {
        return (word >> (BITS * (i % PER_WORD))) & LANE;
    }

    /// @notice Concatenates the 30 bytes of each word that its lanes use, without the trailing zero words.
    function toBytes(uint256[] calldata words) internal pure returns (bytes memory data) {
        uint256 n = words.length;
        while (n != 0 && words[n - 1] == 0) --n;
        data = new bytes(BYTES_PER_WORD * n);
        assembly ("memory-safe") {
            // From the last word to the first: the two leading bytes of a word are overwritten by the word before it,
            // those of the first by the length.
            for { let i := n } i {} {
                i := sub(i, 1)
                mstore(add(add(data, 0x1e), mul(i, BYTES_PER_WORD)), calldataload(add(words.offset, shl(5, i))))
            }
            mstore(data, mul(n, BYTES_PER_WORD))
        }
    }

    /// @notice Number of slots in a mask.
    /// @dev Sums pairs of bits, groups of four, then bytes; a product adds all bytes into the highest one.
    function count(uint256 mask) internal pure returns (uint256) {
        // No sum outgrows its field: 2 in two bits, 4 in four, 8 in eight. In a pair, `mask >> 1` is at most the pair.
        // The halves are added separately, because 256 does not fit into a byte.
        unchecked {
            mask -= (mask >> 1) & ODD;
            mask = (mask & PAIRS) + ((mask >> 2) & PAIRS);
            mask = (mask + (mask >> 4)) & FOURS;
            return (((mask & LOW_HALF) * BYTES) >> 248) + (((mask >> 128) * BYTES) >> 248);
        }
    }

    /// @notice Whether slot `i` is in a mask.
    function has(uint256 mask, uint256 i) internal pure returns (bool) {
        return (mask >> i) & 1 == 1;
    }
}
