// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Counts, for 128 slots at once, how many masks contain each slot.
/// @dev Bit-sliced: plane `p` holds bit `p` of every slot's count, and a word holds two planes of 128 bits (the even
/// one low). Adding a mask is a ripple carry over the planes. After `c` masks no count exceeds `c`, so only the planes
/// of `c`'s bits are in use; the others are neither read nor cleared, and one array serves all rounds.
library Tally {
    uint256 private constant PLANE = (1 << 128) - 1;

    /// @notice Adds one to the count of every slot in `mask`.
    /// @param added number of masks added so far; 0 starts a new count
    function add(uint256[4] storage words, uint256 added, uint256 mask) internal {
        uint256 carry = mask;
        for (uint256 i; _inUse(i, added + 1); ++i) {
            uint256 word = _inUse(i, added) ? words[i] : 0;
            uint256 low = word & PLANE;
            uint256 high = word >> 128;
            uint256 next = carry & low;
            words[i] = ((high ^ next) << 128) | (low ^ carry);
            carry = next & high;
        }
    }

    /// @notice The slots that more than `limit` of the `added` masks contain.
    function above(uint256[4] storage words, uint256 added, uint256 limit) internal view returns (uint256 more) {
        if (limit >= added) return 0;
        uint256 equal = PLANE;
        for (uint256 i = 4; i > 0; --i) {
            uint256 word = _inUse(i - 1, added) ? words[i - 1] : 0;
            (more, equal) = _compare(more, equal, word >> 128, (limit >> (2 * i - 1)) & 1);
            (more, equal) = _compare(more, equal, word & PLANE, (limit >> (2 * i - 2)) & 1);
        }
    }

    /// @dev Compares one bit of all counts with a limit, from the highest bit down.
    function _compare(uint256 more, uint256 equal, uint256 plane, uint256 bit) private pure returns (uint256, uint256) {
        return bit == 1 ? (more, equal & plane) : (more | (equal & plane), equal & ~plane);
    }

    /// @dev Word `i` holds the bits of value `4^i` and `2 * 4^i`.
    function _inUse(uint256 i, uint256 added) private pure returns (bool) {
        return added >> (2 * i) != 0;
    }
}
