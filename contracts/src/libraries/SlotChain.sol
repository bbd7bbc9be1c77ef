// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title The running hash of a round's slots, which binds every commitment in its order in one word.
/// @dev `H_0 = 0`, `H_(i+1) = keccak256(abi.encode(x_i, y_i, H_i))` with `i + 1` in the place of its low byte: the low byte counts the slots, and the
/// other 248 bits bind well enough. Who committed is not in it: that is what the project keeps of each trainer.
library SlotChain {
    uint256 private constant COUNT = 0xff;

    /// @notice How many slots a running hash has.
    function count(bytes32 hash) internal pure returns (uint256) {
        return uint256(hash) & COUNT;
    }

    /// @notice The running hash with one slot more.
    function next(bytes32 hash, uint256 x, uint256 y) internal pure returns (bytes32) {
        return bytes32((uint256(keccak256(abi.encode(x, y, hash))) & ~COUNT) | (count(hash) + 1));
    }

    /// @notice The running hash of all `points`, and those of `mask` in a row, 64 bytes a point.
    /// @dev A hundred points: assembly, since Solidity's checks and copies cost four times what the hashes do. What stands in the places of
    /// bits beyond the points is nothing to rely on: the hash tells that slots are missing.
    function select(uint256[2][] calldata points, uint256 mask, uint256 chosenCount)
        internal
        pure
        returns (bytes32 hash, bytes memory chosen)
    {
        chosen = new bytes(64 * chosenCount);
        assembly ("memory-safe") {
            // Where the next chosen point goes, and behind it the hash: a point that is not chosen is overwritten. The last lie beyond `chosen`, in free memory.
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
