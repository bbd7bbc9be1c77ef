// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IProject, Terms} from "../interfaces/IProject.sol";
import {Bn254} from "./Bn254.sol";
import {VerifyingKeys} from "./VerifyingKeys.sol";

/// @title The bounds of a project's terms, checked once, when the project is created.
library TermsCheck {
    /// @dev One, for factors in units of 2^-16.
    uint256 private constant ONE = 1 << 16;
    /// @notice Most rounds and most void rounds of a project. A trainer that collects the pay of all rounds at once
    /// must still fit into one transaction.
    uint256 internal constant MAX_ROUNDS = 1000;
    uint256 internal constant MAX_VOIDS = 250;

    /// @notice Reverts with `InvalidTerms` and the name of the first field that is out of bounds.
    function check(Terms memory t) internal view {
        _checkParties(t);
        _checkProof(t);
        _checkParticipation(t);
        _checkClock(t);
        _checkLearning(t);
    }

    /// @notice Whether this chain accepts DEV keys and rounds of three.
    function isTestChain() internal view returns (bool) {
        return block.chainid == 31337 || block.chainid == 1337;
    }

    function _checkParties(Terms memory t) private view {
        _require(t.owner != address(0), "owner");
        _require(t.aggregator != address(0), "aggregator");
        _require(t.token == address(0) || t.token.code.length != 0, "token");
        _require(t.specification != 0, "specification");
    }

    function _checkProof(Terms memory t) private pure {
        _require(t.rule == VerifyingKeys.AGREEMENT, "rule");
        _require(VerifyingKeys.isSize(t.slots), "slots");
        _require(t.table == 8 || t.table == 16, "table");
        // |G_ij| <= 2^30 d < 2^52 must hold for every product of two updates.
        _require(t.dimension != 0 && t.dimension < 1 << 22, "dimension");
        _require(t.theta < 1 << 10, "theta");
        // For n >= 3 active slots, n - 1 - 2 floor(n trim / 256) >= 1.
        _require(t.trim <= 85, "trim");
    }

    function _checkParticipation(Terms memory t) private view {
        _require(t.maxTrainers <= t.slots, "maxTrainers");
        _require(t.minTrainers >= 3 && t.minTrainers <= t.maxTrainers, "minTrainers");
        uint256 fewest = isTestChain() ? 3 : 5;
        _require(t.minActive >= fewest && t.minActive <= t.minTrainers, "minActive");
        _require(t.outlierPenalty <= t.stake, "outlierPenalty");
        _require(t.rounds != 0 && t.rounds <= MAX_ROUNDS, "rounds");
        _require(t.maxVoids != 0 && t.maxVoids <= MAX_VOIDS, "maxVoids");
    }

    function _checkClock(Terms memory t) private pure {
        _require(t.registrationPeriod != 0, "registrationPeriod");
        _require(t.commitPeriod != 0, "commitPeriod");
        _require(t.revealPeriod != 0, "revealPeriod");
        _require(t.attestPeriod != 0, "attestPeriod");
        _require(t.aggregatePeriod != 0, "aggregatePeriod");
    }

    function _checkLearning(Terms memory t) private pure {
        _require(t.learningRate != 0, "learningRate");
        _require(t.localEpochs != 0, "localEpochs");
        _require(t.decay <= ONE, "decay");
        _require(t.coherenceFloor <= ONE, "coherenceFloor");
        _require(t.coherenceDecay <= ONE, "coherenceDecay");
        _require(t.minLearningRate <= t.learningRate, "minLearningRate");
        _require(Bn254.isOnCurveOrInfinity(t.model[0], t.model[1]), "model");
        _require(t.modelCid != 0, "modelCid");
    }

    function _require(bool holds, string memory field) private pure {
        if (!holds) revert IProject.InvalidTerms(field);
    }
}
