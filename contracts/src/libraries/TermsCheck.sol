// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IProject, Terms} from "../interfaces/IProject.sol";
import {Bn254} from "./Bn254.sol";
import {Bounds} from "./Bounds.sol";
import {VerifyingKeys} from "./VerifyingKeys.sol";

/// @title The bounds of a project's terms, checked once, when the project is created.
library TermsCheck {
    /// @notice Reverts with `InvalidTerms` and the name of the first field that is out of bounds.
    function check(Terms memory t) internal view {
        _checkParties(t);
        _checkProof(t);
        _checkParticipation(t);
        _checkClock(t);
        _checkLearning(t);
    }

    function _checkParties(Terms memory t) private view {
        _require(t.owner != address(0), "owner");
        _require(t.aggregator != address(0), "aggregator");
        _require(t.token == address(0) || t.token.code.length != 0, "token");
        _require(t.specification != 0, "specification");
    }

    function _checkProof(Terms memory t) private pure {
        _require(t.rule == VerifyingKeys.AGREEMENT, "rule");
        _require(Bounds.isSlotSize(t.slots), "slots");
        _require(Bounds.isTable(t.table), "table");
        _require(t.dimension != 0 && t.dimension < Bounds.DIMENSION_LIMIT, "dimension");
        _require(t.theta <= Bounds.MAX_THETA, "theta");
        _require(t.trim <= Bounds.MAX_TRIM, "trim");
    }

    function _checkParticipation(Terms memory t) private view {
        _require(t.maxTrainers <= t.slots, "maxTrainers");
        _require(t.minTrainers >= Bounds.MIN_ACTIVE && t.minTrainers <= t.maxTrainers, "minTrainers");
        uint256 fewest = Bounds.isTestChain() ? Bounds.MIN_ACTIVE : Bounds.MIN_ACTIVE_IN_PRODUCTION;
        _require(t.minActive >= fewest && t.minActive <= t.minTrainers, "minActive");
        _require(uint256(t.outlierPenalty) * Bounds.PENALTY_PARTS <= t.stake, "outlierPenalty");
        _require(t.bond != 0, "bond");
        _require(t.rounds != 0 && t.rounds <= Bounds.MAX_ROUNDS, "rounds");
        _require(t.maxVoids != 0 && t.maxVoids <= Bounds.MAX_VOIDS, "maxVoids");
    }

    function _checkClock(Terms memory t) private view {
        uint256 shortest = Bounds.isTestChain() ? Bounds.MIN_PERIOD : Bounds.MIN_PERIOD_IN_PRODUCTION;
        _checkPeriod(t.registrationPeriod, shortest, "registrationPeriod");
        _checkPeriod(t.commitPeriod, shortest, "commitPeriod");
        _checkPeriod(t.revealPeriod, shortest, "revealPeriod");
        _checkPeriod(t.attestPeriod, shortest, "attestPeriod");
        _checkPeriod(t.aggregatePeriod, shortest, "aggregatePeriod");
    }

    function _checkPeriod(uint256 period, uint256 shortest, string memory field) private pure {
        _require(period >= shortest && period <= Bounds.MAX_PERIOD, field);
    }

    function _checkLearning(Terms memory t) private pure {
        _require(t.learningRate != 0, "learningRate");
        _require(t.localEpochs != 0, "localEpochs");
        _require(t.decay <= Bounds.ONE, "decay");
        _require(t.coherenceFloor <= Bounds.ONE, "coherenceFloor");
        _require(t.coherenceDecay <= Bounds.ONE, "coherenceDecay");
        _require(t.minLearningRate <= t.learningRate, "minLearningRate");
        _require(Bn254.isOnCurveOrInfinity(t.model[0], t.model[1]), "model");
        _require(t.modelCid != 0, "modelCid");
    }

    function _require(bool holds, string memory field) private pure {
        if (!holds) revert IProject.InvalidTerms(field);
    }
}
