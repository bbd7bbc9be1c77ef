// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Terms} from "../interfaces/IProject.sol";

/// @title Values that follow from a project's terms and from a round's proved numbers.
library Policy {
    /// @notice The policy words of docs/protocol.md 6.1 for a round of `active` slots: theta and the trim count.
    function words(Terms memory t, uint256 active) internal pure returns (uint256[2] memory) {
        return [uint256(t.theta), active * t.trim / 256];
    }

    /// @notice The next round's learning rate (docs/protocol.md 10).
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
