// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {KeyedVerifier} from "./KeyedVerifier.sol";
import {IKeyRegistry, IVerifyingKey} from "./interfaces/IKeyRegistry.sol";
import {IRoundVerifier, RoundProof, RoundStatement} from "./interfaces/IRoundVerifier.sol";
import {Bn254} from "./libraries/Bn254.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {CodeStore} from "./libraries/CodeStore.sol";
import {GramArgument} from "./libraries/GramArgument.sol";
import {Packed} from "./libraries/Packed.sol";
import {RoundChallenges, RoundTranscript} from "./libraries/RoundTranscript.sol";
import {VerifyingKeys} from "./libraries/VerifyingKeys.sol";

/// @title Verifies a round: the Groth16 proof of the assessment, the Gram argument and the new model's commitment, in
/// one pairing call of seven pairs.
/// @notice Holds no state and no funds. The caller sets the statement, which the prover must not choose.
/// @dev Follows docs/protocol.md 4, 5 and 6 and uses the names defined there.
contract RoundVerifier is IRoundVerifier, KeyedVerifier {
    using GramArgument for Bn254.Sum;
    using GramArgument for uint256[4];

    /* PAIRS, six words each: a G1 point, a G2 point */

    uint256 private constant A_B = 0;
    uint256 private constant ALPHA_BETA = 6;
    uint256 private constant C_DELTA = 12;
    uint256 private constant OPENING_XX = 18;
    uint256 private constant OPENING_X = 24;
    uint256 private constant SUM_ONE = 30;
    uint256 private constant COMMITTED_SIGMA = 36;
    uint256 private constant PAIR_WORDS = 42;
    /// @dev Place of the G2 point in a pair.
    uint256 private constant G2 = 2;

    /* IMMUTABLES */

    uint256 private immutable X1_X;
    uint256 private immutable X1_Y;
    uint256 private immutable XX_0;
    uint256 private immutable XX_1;
    uint256 private immutable XX_2;
    uint256 private immutable XX_3;

    constructor(IKeyRegistry registry) KeyedVerifier(registry) {
        (uint256[2] memory x1, uint256[12] memory g2) = registry.kzg();
        (X1_X, X1_Y) = (x1[0], x1[1]);
        (XX_0, XX_1, XX_2, XX_3) = (g2[8], g2[9], g2[10], g2[11]);
        for (uint256 i; i < Bounds.SLOT_SIZES; ++i) {
            CodeStore.write(i + 1, _copyOf(registry, uint8(8 << i)));
        }
    }

    /* KEYS, copied into this contract's own code stores */

    /// @dev A registered key as consecutive words, or nothing. A copy, because asking two contracts for it would cost
    /// every proof 10,000 gas.
    function _copyOf(IKeyRegistry registry, uint8 size) private view returns (bytes memory) {
        try registry.verifyingKey(VerifyingKeys.AGREEMENT, size) returns (IVerifyingKey key) {
            (uint256[18] memory fixedPoints, bytes memory ic) = key.key();
            bytes memory copy = abi.encodePacked(fixedPoints, ic);
            if (copy.length != VerifyingKeys.BYTES) revert WrongLength();
            return copy;
        } catch {
            return "";
        }
    }

    /// @dev Reads the copy of a key. `alpha_1` is never infinity, so leading zeros mean that there is no key.
    function _key(uint8 rule, uint8 size) private view returns (bytes memory key) {
        uint256 step;
        while (step < Bounds.SLOT_SIZES && 8 << step != size) ++step;
        if (rule != VerifyingKeys.AGREEMENT || step == Bounds.SLOT_SIZES) revert IKeyRegistry.UnknownKey(rule, size);
        key = CodeStore.read(step + 1, 0, VerifyingKeys.BYTES);
        uint256 alpha;
        assembly ("memory-safe") {
            alpha := or(mload(add(key, 0x20)), mload(add(key, 0x40)))
        }
        if (alpha == 0) revert IKeyRegistry.UnknownKey(rule, size);
    }

    /// @inheritdoc IRoundVerifier
    function keyRegistry() external view returns (address) {
        return address(REGISTRY);
    }

    /* VERIFICATION */

    /// @inheritdoc IRoundVerifier
    function verify(RoundStatement calldata statement, RoundProof calldata proof) external view {
        _checkLengths(statement, proof);
        _checkPoints(statement, proof);
        RoundChallenges memory c = RoundTranscript.challenges(statement, proof, KEYS_HASH);

        uint256[PAIR_WORDS] memory pairs;
        Bn254.Sum memory sum;
        _setOpening(pairs, sum, statement.dimension, proof, c);
        _setGroth16(pairs, sum, _key(statement.rule, statement.slots), proof, c);
        _addModel(sum, statement, proof, c.nu);
        sum.addCommitments(statement.commitments, proof.weights, statement.activeMask, c);
        (pairs[SUM_ONE], pairs[SUM_ONE + 1]) = (sum.x, sum.y);
        (pairs[SUM_ONE + 2], pairs[SUM_ONE + 3], pairs[SUM_ONE + 4], pairs[SUM_ONE + 5]) = _one();

        // After the precompiles, so that an invalid commitment is reported as such.
        proof.values.checkLaurent(proof.sigma, c);
        if (!Bn254.pairing(pairs)) revert PairingFailed();
    }

    function _checkLengths(RoundStatement calldata statement, RoundProof calldata proof) private pure {
        uint256 words = Packed.wordCount(statement.slots);
        if (proof.shares.length != words || proof.weights.length != words) revert WrongLength();
        // The circuit covers `slots` slots, and the powers rho_i = rho^(2^i) are sound for at most 128.
        if (statement.slots > Bounds.MAX_SLOTS || statement.activeMask >> statement.slots != 0) revert WrongLength();
        if (statement.commitments.length != 64 * Packed.count(statement.activeMask)) revert WrongLength();
        if (statement.dimension == 0) revert WrongLength();
    }

    /// @dev Every G1 point except the commitments, which `addCommitments` checks. The pairing precompile checks B.
    function _checkPoints(RoundStatement calldata statement, RoundProof calldata proof) private pure {
        uint256[8] calldata groth16 = proof.groth16;
        uint256[4] calldata committed = proof.committed;
        if (
            !Bn254.isOnCurve(groth16[0], groth16[1]) || !Bn254.isOnCurve(groth16[6], groth16[7])
                || !Bn254.isOnCurveOrInfinity(committed[0], committed[1])
                || !Bn254.isOnCurveOrInfinity(committed[2], committed[3])
                || !Bn254.isOnCurveOrInfinity(proof.quotient[0], proof.quotient[1])
                || !Bn254.isOnCurveOrInfinity(proof.reversed[0], proof.reversed[1])
                || !Bn254.isOnCurveOrInfinity(proof.opening[0], proof.opening[1])
                || !Bn254.isOnCurveOrInfinity(proof.model[0], proof.model[1])
                || !Bn254.isOnCurveOrInfinity(statement.model[0], statement.model[1])
        ) revert InvalidPoint();
    }

    /* PARTS OF THE PAIRING EQUATION */

    /// @dev `e(nu W, [x^2]_2) e(-nu (z + 1/z) W, [x]_2)`. The sum beside `[1]_2` starts as
    /// `nu (W - gamma C_S - gamma^2 C_R + [L(x)]_1)`.
    function _setOpening(
        uint256[PAIR_WORDS] memory pairs,
        Bn254.Sum memory sum,
        uint256 dimension,
        RoundProof calldata proof,
        RoundChallenges memory c
    ) private view {
        (uint256 wx, uint256 wy) = Bn254.mul(proof.opening[0], proof.opening[1], c.nu);
        (pairs[OPENING_XX], pairs[OPENING_XX + 1]) = (wx, wy);
        (pairs[OPENING_XX + 2], pairs[OPENING_XX + 3], pairs[OPENING_XX + 4], pairs[OPENING_XX + 5]) =
            (XX_0, XX_1, XX_2, XX_3);
        (sum.x, sum.y) = (wx, wy);
        (pairs[OPENING_X], pairs[OPENING_X + 1]) = Bn254.mul(wx, wy, Bn254.R - addmod(c.z, c.zInverse, Bn254.R));
        (pairs[OPENING_X + 2], pairs[OPENING_X + 3], pairs[OPENING_X + 4], pairs[OPENING_X + 5]) = _x();

        uint256 factor = mulmod(Bn254.R - c.nu, c.gamma, Bn254.R);
        Bn254.addMul(sum, proof.quotient[0], proof.quotient[1], factor);
        Bn254.addMul(sum, proof.reversed[0], proof.reversed[1], mulmod(factor, c.gamma, Bn254.R));
        (uint256 constantTerm, uint256 slope) = proof.values.line(dimension, c);
        Bn254.addMul(sum, 1, 2, mulmod(c.nu, constantTerm, Bn254.R));
        Bn254.addMul(sum, X1_X, X1_Y, mulmod(c.nu, slope, Bn254.R));
    }

    /// @dev `e(-A, B) e(alpha, beta) e(C, delta) e(nu^3 D, [sigma]_2)`. Adds `IC_0 + sum input_i IC_i + D - nu^3 PoK`
    /// to the sum beside `[1]_2 = gamma_2`. All inputs are below `r`: `x` and `x + r` would prove the same.
    function _setGroth16(
        uint256[PAIR_WORDS] memory pairs,
        Bn254.Sum memory sum,
        bytes memory key,
        RoundProof calldata proof,
        RoundChallenges memory c
    ) private view {
        uint256[8] calldata groth16 = proof.groth16;
        (pairs[A_B], pairs[A_B + 1]) = (groth16[0], Bn254.negateY(groth16[1]));
        (pairs[A_B + 2], pairs[A_B + 3], pairs[A_B + 4], pairs[A_B + 5]) =
            (groth16[2], groth16[3], groth16[4], groth16[5]);
        // alpha_1 and beta_2 follow each other in the key as in a pair.
        _copyWords(pairs, ALPHA_BETA, key, VerifyingKeys.ALPHA, 6);
        (pairs[C_DELTA], pairs[C_DELTA + 1]) = (groth16[6], groth16[7]);
        _copyWords(pairs, C_DELTA + G2, key, VerifyingKeys.DELTA, 4);

        uint256 ic = VerifyingKeys.IC / 2;
        Bn254.add(sum, key, ic);
        Bn254.addMul(sum, key, ic + 1, c.rho);
        Bn254.addMul(sum, key, ic + 2, c.packedInputs);
        Bn254.addMul(sum, key, ic + 3, c.chi);
        Bn254.addMul(sum, key, ic + 4, c.outcomeDigest);

        uint256[4] calldata committed = proof.committed;
        uint256 cube = mulmod(mulmod(c.nu, c.nu, Bn254.R), c.nu, Bn254.R);
        (pairs[COMMITTED_SIGMA], pairs[COMMITTED_SIGMA + 1]) = Bn254.mul(committed[0], committed[1], cube);
        _copyWords(pairs, COMMITTED_SIGMA + G2, key, VerifyingKeys.SIGMA, 4);
        Bn254.add(sum, committed[0], committed[1]);
        Bn254.addMul(sum, committed[2], committed[3], Bn254.R - cube);
    }

    /// @dev Adds `nu^2 (C_T - C_T')`.
    function _addModel(
        Bn254.Sum memory sum,
        RoundStatement calldata statement,
        RoundProof calldata proof,
        uint256 nu
    ) private view {
        (uint256 x, uint256 y) =
            Bn254.add(statement.model[0], statement.model[1], proof.model[0], Bn254.negateY(proof.model[1]));
        Bn254.addMul(sum, x, y, mulmod(nu, nu, Bn254.R));
    }

    /// @dev Copies `count` words of the key, from word `from` on, to word `to` of the pairs.
    function _copyWords(uint256[PAIR_WORDS] memory pairs, uint256 to, bytes memory key, uint256 from, uint256 count)
        private
        pure
    {
        assert(to + count <= PAIR_WORDS && 32 * (from + count) <= key.length);
        assembly ("memory-safe") {
            mcopy(add(pairs, shl(5, to)), add(add(key, 0x20), shl(5, from)), shl(5, count))
        }
    }
}
