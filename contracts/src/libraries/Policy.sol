// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Terms} from "../interfaces/IProject.sol";

/// @title What follows from a project's terms and a round's proved numbers, and nobody chooses.
library Policy {
    uint8 internal constant AGREEMENT = 1;
    uint8 internal constant MULTI_KRUM = 2;

    /// @notice The policy words of docs/protocol.md 13.2 for a round of `active` slots.
    function words(Terms memory t, uint256 active) internal pure returns (uint256[2] memory) {
        if (t.rule == AGREEMENT) return [uint256(t.theta), active * t.trim / 256];
        uint256 kept = active * t.selected / 256;
        // With three active slots or more and `byzantine <= 85` at least one neighbour is left.
        return [active - active * t.byzantine / 256 - 2, kept < 2 ? 2 : kept];
    }

    /// @notice The next round's learning rate, docs/protocol.md 13.5.
    function nextLearningRate(Terms memory t, uint256 rate, uint256 coherence) internal pure returns (uint256) {
        rate = rate * t.decay >> 16;
        if (coherence < t.coherenceFloor) rate = rate * t.coherenceDecay >> 16;
        return rate < t.minLearningRate ? t.minLearningRate : rate;
    }

    /// @notice The reward and the fees of all rounds.
    function deposit(Terms memory t) internal pure returns (uint256) {
        return uint256(t.rounds) * (uint256(t.roundReward) + t.roundFee);
    }
}
