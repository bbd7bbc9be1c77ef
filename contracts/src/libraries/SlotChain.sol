// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title The running hash of a round's slots: binds all commitments and their order in one word.
/// @dev `H_0 = 0`, `H_(i+1) = keccak256(abi.encode(x_i, y_i, H_i))` with its low byte replaced by `i + 1`: the low byte
/// counts the slots, and the other 248 bits still bind. The trainers are not included; the project stores the slot of
/// each trainer.
library SlotChain {
    uint256 private constant COUNT = 0xff;

    /// @notice Number of slots in a running hash.
    function count(bytes32 hash) internal pure returns (uint256) {
        return uint256(hash) & COUNT;
    }

    /// @notice Appends a slot.
    function next(bytes32 hash, uint256 x, uint256 y) internal pure returns (bytes32) {
        return bytes32((uint256(keccak256(abi.encode(x, y, hash))) & ~COUNT) | (count(hash) + 1));
    }

    /// @notice The running hash of all `points`, and the points of the slots in `mask`, 64 bytes each.
    /// @dev Assembly, because Solidity's checks and copies cost four times as much as the hashes, for up to 128 points.
    /// If `mask` exceeds the points, the end of `chosen` is arbitrary; the hash shows that slots are missing.
    /// @param chosenCount number of slots in `mask`
    function select(uint256[2][] calldata points, uint256 mask, uint256 chosenCount)
        internal
        pure
        returns (bytes32 hash, bytes memory chosen)
    {
        chosen = new bytes(64 * chosenCount);
        assembly ("memory-safe") {
            // `to` is the place of the next chosen point, with the hash behind it. The next point overwrites one that
            // is not chosen. The last of these words lie beyond `chosen`, in free memory.
            let to := add(chosen, 0x20)
            let from := points.offset
            let end := add(from, shl(6, points.length))
            for { let i := 1 } lt(from, end) { i := add(i, 1) } {
                calldatacopy(to, from, 0x40)
                mstore(add(to, 0x40), hash)
                hash := or(and(keccak256(to, 0x60), not(COUNT)), i)
                to := add(to, shl(6, and(mask, 1)))
                mask := shr(1, mask)
                from := add(from, 0x40)
            }
        }
        return (hash, chosen);
    }
}
