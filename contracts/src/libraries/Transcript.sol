// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Bn254} from "./Bn254.sol";

/// @title The Fiat-Shamir transcript of docs/protocol.md 13.1.
library Transcript {
    /// @dev Labels are ASCII, left-aligned, zero-padded: what `bytes32("...")` gives.
    bytes32 internal constant ROUND = "fairshare.round.v2";
    bytes32 internal constant GRAM = "gram";
    bytes32 internal constant LAURENT = "laurent";
    bytes32 internal constant VALUES = "values";
    bytes32 internal constant JOIN = "join";
    bytes32 internal constant OUTCOME = "outcome";

    /// @notice `keccak256(abi.encode(state, label, items))`, the next state.
    function absorb(bytes32 state, bytes32 label, uint256[] memory items) internal pure returns (bytes32) {
        return keccak256(abi.encode(state, label, items));
    }

    /// @notice The same of items that lie packed, 32 bytes each, as `abi.encodePacked` puts them: every word is copied once.
    function absorbWords(bytes32 state, bytes32 label, bytes memory items) internal pure returns (bytes32) {
        // `abi.encode` of an array: where it lies behind two words and its own place, how many, and the items.
        return keccak256(abi.encodePacked(state, label, uint256(0x60), items.length / 32, items));
    }

    /// @notice The challenge of a state: the state itself is carried on unreduced.
    function challenge(bytes32 state) internal pure returns (uint256) {
        return uint256(state) % Bn254.R;
    }
}
