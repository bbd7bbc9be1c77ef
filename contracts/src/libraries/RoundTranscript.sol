// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IRoundVerifier, RoundProof, RoundStatement} from "../interfaces/IRoundVerifier.sol";
import {Bn254} from "./Bn254.sol";
import {Transcript} from "./Transcript.sol";

/// @notice The challenges of one proof, and what follows from them. The first four are the public inputs in their
/// order.
struct RoundChallenges {
    uint256 rho; // combines the entries of the Gram matrix
    uint256 packedInputs; // active mask and policy words in one field element
    uint256 chi; // folds the outcome; also the challenge of the circuit's lookups
    uint256 outcomeDigest; // the outcome folded with chi
    uint256 z; // the Gram argument is opened at z and 1/z
    uint256 gamma; // folds the opened polynomials
    uint256 nu; // joins the equations of the pairing call
    uint256 zInverse; // 1 / z
    uint256 inverseSpan; // 1 / (z - 1/z)
}

/// @title The transcript of a round's proof (docs/protocol.md 4).
library RoundTranscript {
    using Transcript for bytes32;

    bytes32 internal constant ROUND = "fairshare.round.v3";
    bytes32 internal constant GRAM = "gram";
    bytes32 internal constant OUTCOME = "outcome";
    bytes32 internal constant LAURENT = "laurent";
    bytes32 internal constant VALUES = "values";
    bytes32 internal constant JOIN = "join";

    /// @notice Derives all challenges; refuses scalars that are not canonical and challenges that prove nothing.
    function challenges(RoundStatement calldata statement, RoundProof calldata proof, bytes32 keysHash)
        internal
        view
        returns (RoundChallenges memory c)
    {
        c.packedInputs = _packedInputs(statement);
        // The commitment D fixes the matrix before its challenge.
        bytes32 state =
            _firstState(statement, keysHash).absorbWords(GRAM, abi.encodePacked(proof.committed));
        c.rho = state.challenge();
        (c.chi, c.outcomeDigest) = _outcome(state, proof);

        state = state.absorbWords(LAURENT, abi.encodePacked(proof.sigma, proof.quotient, proof.reversed));
        c.z = state.challenge();

        for (uint256 i; i < 4; ++i) {
            _scalar(proof.values[i]);
        }
        state = state.absorbWords(VALUES, abi.encodePacked(proof.values));
        c.gamma = state.challenge();

        state = state.absorbWords(
            JOIN,
            abi.encodePacked(
                proof.opening, proof.model, proof.groth16, c.rho, c.packedInputs, c.chi, c.outcomeDigest
            )
        );
        c.nu = state.challenge();

        if (c.rho == 0 || c.gamma == 0 || c.nu == 0) revert IRoundVerifier.DegenerateChallenge();
        if (c.z < 2 || c.z == Bn254.R - 1) revert IRoundVerifier.DegenerateChallenge();
        // One inversion gives both: 1 / (z (z^2 - 1)).
        uint256 zz = mulmod(c.z, c.z, Bn254.R);
        uint256 zzLessOne = Bn254.sub(zz, 1);
        uint256 inverse = Bn254.inverse(mulmod(c.z, zzLessOne, Bn254.R));
        c.zInverse = mulmod(inverse, zzLessOne, Bn254.R);
        c.inverseSpan = mulmod(inverse, zz, Bn254.R);
    }

    /// @dev Everything that the project contract fixes.
    function _firstState(RoundStatement calldata statement, bytes32 keysHash) private view returns (bytes32) {
        // Hashes what `absorbWords` would hash; calling it would copy the commitments once more.
        bytes memory head = abi.encodePacked(
            uint256(0),
            ROUND,
            uint256(0x60),
            14 + statement.commitments.length / 32,
            block.chainid,
            uint256(uint160(statement.project)),
            statement.round,
            uint256(uint160(statement.payee))
        );
        return keccak256(
            abi.encodePacked(
                head,
                statement.dimension,
                uint256(statement.slots),
                uint256(statement.rule),
                statement.policy,
                keysHash,
                statement.activeMask,
                statement.modelCid,
                statement.model,
                statement.commitments
            )
        );
    }

    /// @dev `active mask + 2^128 policy_0 + 2^144 policy_1`. A policy word of more than 16 bits would change the other
    /// one.
    function _packedInputs(RoundStatement calldata statement) private pure returns (uint256) {
        (uint256 first, uint256 second) = (statement.policy[0], statement.policy[1]);
        if (first >> 16 != 0) revert IRoundVerifier.ScalarOutOfRange(first);
        if (second >> 16 != 0) revert IRoundVerifier.ScalarOutOfRange(second);
        return statement.activeMask | first << 128 | second << 144;
    }

    /// @dev `chi`, and `sum chi^k outcome_k` over sigma, kept mask, coherence, shares and weights. Every word must be
    /// below `r`: `x` and `x + r` give the same digest.
    function _outcome(bytes32 state, RoundProof calldata proof) private pure returns (uint256 chi, uint256 digest) {
        uint256[] calldata shares = proof.shares;
        uint256[] calldata weights = proof.weights;
        // Unambiguous: the verifier has checked that both arrays have the length that the number of slots gives.
        // slither-disable-next-line encode-packed-collision
        chi = state.absorbWords(
            OUTCOME, abi.encodePacked(proof.sigma, proof.keptMask, proof.coherence, shares, weights)
        ).challenge();
        // An entry of a lookup table would be a pole of the lookup argument.
        if (chi >> 16 == 0) revert IRoundVerifier.DegenerateChallenge();
        digest = _fold(_fold(0, chi, weights), chi, shares);
        digest = _next(digest, chi, proof.coherence);
        digest = _next(digest, chi, proof.keptMask);
        digest = _next(digest, chi, proof.sigma);
    }

    function _next(uint256 digest, uint256 chi, uint256 value) private pure returns (uint256) {
        return addmod(mulmod(digest, chi, Bn254.R), _scalar(value), Bn254.R);
    }

    /// @dev `_next` for all words from the last to the first. Assembly, because Solidity's checks cost three times as
    /// much as the sum.
    function _fold(uint256 digest, uint256 chi, uint256[] calldata words) private pure returns (uint256) {
        uint256 order = Bn254.R;
        uint256 refused;
        assembly ("memory-safe") {
            for { let at := add(words.offset, shl(5, words.length)) } gt(at, words.offset) {} {
                at := sub(at, 0x20)
                let word := calldataload(at)
                if iszero(lt(word, order)) { refused := word }
                digest := addmod(mulmod(digest, chi, order), word, order)
            }
        }
        _scalar(refused);
        return digest;
    }

    function _scalar(uint256 value) private pure returns (uint256) {
        if (value >= Bn254.R) revert IRoundVerifier.ScalarOutOfRange(value);
        return value;
    }
}
