// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Bn254} from "./Bn254.sol";

/// @title The Fiat-Shamir transcript of docs/protocol.md 4.
library Transcript {
    /// @notice `keccak256(abi.encode(state, label, items))`, the next state.
    /// @param label ASCII, left-aligned, zero-padded, as `bytes32("...")`
    function absorb(bytes32 state, bytes32 label, uint256[] memory items) internal pure returns (bytes32) {
        return keccak256(abi.encode(state, label, items));
    }

    /// @notice As `absorb`, for items packed by `abi.encodePacked`, 32 bytes each. Copies every word once.
    function absorbWords(bytes32 state, bytes32 label, bytes memory items) internal pure returns (bytes32) {
        // The encoding of an array: its offset behind the two words before it, its length, its items.
        return keccak256(abi.encodePacked(state, label, uint256(0x60), items.length / 32, items));
    }

    /// @notice The challenge of a state. The state itself goes on unreduced.
    function challenge(bytes32 state) internal pure returns (uint256) {
        return uint256(state) % Bn254.R;
    }
}
