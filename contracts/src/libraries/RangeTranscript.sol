// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RangeProof, RangeStatement, IRangeVerifier} from "../interfaces/IRangeVerifier.sol";
import {Bn254} from "./Bn254.sol";
import {Transcript} from "./Transcript.sol";

/// @notice The challenges of one range proof.
struct RangeChallenges {
    uint256 beta; // shifts the entries of the lookup
    uint256 y; // weighs the entries of a sum
    uint256 g; // folds the identities
    uint256 z; // the identity is opened at z and 1/z
    uint256 gamma; // folds the opened polynomials
    uint256 v; // the point of the last opening
}

/// @title The transcript of a range proof (docs/protocol.md 7).
library RangeTranscript {
    using Transcript for bytes32;

    bytes32 private constant RANGE = "fairshare.range.v1";
    bytes32 private constant COUNTS = "counts";
    bytes32 private constant FRACTIONS = "fractions";
    bytes32 private constant FOLD = "fold";
    bytes32 private constant LAURENT = "laurent";
    bytes32 private constant VALUES = "values";
    bytes32 private constant QUOTIENT = "quotient";

    /// @notice Derives all challenges; refuses values for which the argument proves nothing.
    function challenges(RangeStatement calldata statement, RangeProof calldata proof, bytes32 keysHash)
        internal
        view
        returns (RangeChallenges memory c)
    {
        bytes32 state = _firstState(statement, keysHash);
        uint256[] calldata points = proof.points;
        // Number of words of C_HI and C_M, and of C_F.. without C_K.
        uint256 step = statement.table == 8 ? 4 : 2;
        uint256 at = step;
        state = state.absorbWords(COUNTS, abi.encodePacked(points[:at]));
        c.beta = state.challenge();

        state = state.absorbWords(FRACTIONS, abi.encodePacked(points[at:at + step + 2]));
        c.y = state.challenge();
        state = state.absorbWords(FOLD, "");
        c.g = state.challenge();

        at += step + 2;
        state = state.absorbWords(LAURENT, abi.encodePacked(points[at], points[at + 1]));
        c.z = state.challenge();

        state = state.absorbWords(VALUES, abi.encodePacked(proof.values));
        c.gamma = state.challenge();

        state = state.absorbWords(QUOTIENT, abi.encodePacked(points[at + 2], points[at + 3]));
        c.v = state.challenge();

        // beta + t must not be 0 for any t of the table.
        uint256 size = 1 << statement.table;
        uint256 highest = statement.table == 8 ? size - 1 : size / 2 - 1;
        if (addmod(c.beta, highest, Bn254.R) < size || c.g == 0 || c.gamma == 0) {
            revert IRangeVerifier.DegenerateChallenge();
        }
    }

    function _firstState(RangeStatement calldata statement, bytes32 keysHash) private view returns (bytes32) {
        return Transcript.absorbWords(
            0,
            RANGE,
            abi.encodePacked(
                block.chainid,
                uint256(uint160(statement.project)),
                statement.round,
                uint256(uint160(statement.trainer)),
                statement.dimension,
                uint256(statement.table),
                keysHash,
                statement.commitment
            )
        );
    }
}
