// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Bn254} from "../../src/libraries/Bn254.sol";

/// @dev A committed slot of a round.
struct Slot {
    address trainer;
    uint256 x;
    uint256 y;
}

/// @title Consecutive points of 64 bytes, the form of the commitments in a round's statement.
library Points {
    /// @dev `(ax, ay) + s (x, y)`.
    function addMul(uint256 ax, uint256 ay, uint256 x, uint256 y, uint256 s) internal view returns (uint256, uint256) {
        (x, y) = Bn254.mul(x, y, s);
        return Bn254.add(ax, ay, x, y);
    }

    function at(bytes memory points, uint256 i) internal pure returns (uint256 x, uint256 y) {
        require(64 * i < points.length, "no such point");
        assembly ("memory-safe") {
            x := mload(add(points, add(0x20, shl(6, i))))
            y := mload(add(points, add(0x40, shl(6, i))))
        }
    }

    function put(bytes memory points, uint256 i, uint256 x, uint256 y) internal pure {
        require(64 * i < points.length, "no such point");
        assembly ("memory-safe") {
            mstore(add(points, add(0x20, shl(6, i))), x)
            mstore(add(points, add(0x40, shl(6, i))), y)
        }
    }
}
