// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IKeyRegistry} from "./interfaces/IKeyRegistry.sol";
import {IRoundVerifier, RoundProof, RoundStatement} from "./interfaces/IRoundVerifier.sol";
import {Bn254} from "./libraries/Bn254.sol";
import {Packed} from "./libraries/Packed.sol";
import {Transcript} from "./libraries/Transcript.sol";

/// @title Verifies a round: the Groth16 proof of the assessment and the Gram argument, in one pairing call of seven pairs.
/// @notice It holds no state and no funds. Whatever calls it must set the statement itself: the statement is what the prover must not choose.
/// @dev Follows docs/protocol.md sections 5, 6 and 13; names in the code are the names there.
contract RoundVerifier is IRoundVerifier {
    using Transcript for bytes32;

    /// @dev Public inputs before the packed words (docs/protocol.md 13.2).
    uint256 private constant HEAD = 8;

    IKeyRegistry private immutable REGISTRY;
    bytes32 private immutable KEYS_HASH;
    // The KZG points, copied from the registry, which cannot change: reading them from there would cost a settlement 30,000 gas.
    uint256 private immutable X1_X;
    uint256 private immutable X1_Y;
    uint256 private immutable ONE_0;
    uint256 private immutable ONE_1;
    uint256 private immutable ONE_2;
    uint256 private immutable ONE_3;
    uint256 private immutable X_0;
    uint256 private immutable X_1;
    uint256 private immutable X_2;
    uint256 private immutable X_3;
    uint256 private immutable XX_0;
    uint256 private immutable XX_1;
    uint256 private immutable XX_2;
    uint256 private immutable XX_3;

    /// @dev The challenges of one proof.
    struct Challenges {
        uint256 rho;
        uint256 z;
        uint256 gamma;
        uint256 nu;
    }

    constructor(IKeyRegistry registry) {
        REGISTRY = registry;
        KEYS_HASH = registry.keysHash();
        (uint256[2] memory x1, uint256[12] memory g2) = registry.kzg();
        (X1_X, X1_Y) = (x1[0], x1[1]);
        (ONE_0, ONE_1, ONE_2, ONE_3) = (g2[0], g2[1], g2[2], g2[3]);
        (X_0, X_1, X_2, X_3) = (g2[4], g2[5], g2[6], g2[7]);
        (XX_0, XX_1, XX_2, XX_3) = (g2[8], g2[9], g2[10], g2[11]);
    }

    /// @inheritdoc IRoundVerifier
    function keyRegistry() external view returns (address) {
        return address(REGISTRY);
    }

    /// @inheritdoc IRoundVerifier
    function verify(RoundStatement calldata statement, RoundProof calldata proof) external view {
        _checkLengths(statement, proof);
        _checkPoints(statement, proof);
        (Challenges memory c, uint256[] memory inputs) = _challenges(statement, proof);

        uint256 zInverse = Bn254.inverse(c.z);
        _checkLaurent(proof, c.z, zInverse);

        uint256[] memory pairs = new uint256[](42);
        _groth16Pairs(pairs, statement, proof, inputs);
        _openingPairs(pairs, statement, proof, c, zInverse);
        (, bool isOne) = Bn254.pairing(pairs);
        if (!isOne) revert PairingFailed();
    }

    /// @inheritdoc IRoundVerifier
    function modelStep(
        uint256[2] calldata model,
        uint256 activeMask,
        uint256[] calldata commitments,
        uint256[] calldata weights
    ) external view returns (uint256[2] memory next) {
        next = model;
        uint256 cursor;
        for (uint256 slot; activeMask >> slot != 0; ++slot) {
            if (!Packed.has(activeMask, slot)) continue;
            uint256 weight = Packed.lane(weights[slot / Packed.PER_WORD], slot);
            if (weight != 0) {
                (next[0], next[1]) = Bn254.addMul(next[0], next[1], commitments[cursor], commitments[cursor + 1], weight);
            }
            cursor += 2;
        }
    }

    // --- what must hold before a challenge means anything

    function _checkLengths(RoundStatement calldata statement, RoundProof calldata proof) private pure {
        uint256 words = Packed.wordCount(statement.slots);
        if (proof.shares.length != words || proof.weights.length != words) revert WrongLength();
        // rho_i = rho^(2^i) is sound for slots that the circuit knows, and for no more than 128 of them.
        if (statement.slots > 128 || statement.activeMask >> statement.slots != 0) revert WrongLength();
        if (statement.commitments.length != 2 * Packed.count(statement.activeMask)) revert WrongLength();
        if (statement.dimension == 0) revert WrongLength();
    }

    function _checkPoints(RoundStatement calldata statement, RoundProof calldata proof) private pure {
        uint256[] calldata commitments = statement.commitments;
        for (uint256 i; i < commitments.length; i += 2) {
            if (!Bn254.isOnCurve(commitments[i], commitments[i + 1])) revert InvalidPoint();
        }
        // B is a G2 point: the pairing precompile itself checks it.
        if (
            !Bn254.isOnCurve(proof.groth16[0], proof.groth16[1]) || !Bn254.isOnCurve(proof.groth16[6], proof.groth16[7])
                || !Bn254.isOnCurveOrInfinity(proof.s[0], proof.s[1])
                || !Bn254.isOnCurveOrInfinity(proof.r[0], proof.r[1])
                || !Bn254.isOnCurveOrInfinity(proof.w[0], proof.w[1])
        ) revert InvalidPoint();
    }

    // --- transcript, docs/protocol.md 13.1

    function _challenges(RoundStatement calldata statement, RoundProof calldata proof)
        private
        view
        returns (Challenges memory c, uint256[] memory inputs)
    {
        bytes32 state = _firstState(statement);

        uint256[] memory items = new uint256[](1);
        items[0] = proof.h;
        state = state.absorb(Transcript.GRAM, items);
        c.rho = state.challenge();

        items = new uint256[](5);
        items[0] = proof.sigma;
        (items[1], items[2]) = (proof.s[0], proof.s[1]);
        (items[3], items[4]) = (proof.r[0], proof.r[1]);
        state = state.absorb(Transcript.LAURENT, items);
        c.z = state.challenge();

        items = new uint256[](4);
        for (uint256 i; i < 4; ++i) {
            items[i] = _scalar(proof.values[i]);
        }
        state = state.absorb(Transcript.VALUES, items);
        c.gamma = state.challenge();

        inputs = _publicInputs(statement, proof, c.rho);
        items = new uint256[](10 + inputs.length);
        (items[0], items[1]) = (proof.w[0], proof.w[1]);
        for (uint256 i; i < 8; ++i) {
            items[2 + i] = proof.groth16[i];
        }
        for (uint256 i; i < inputs.length; ++i) {
            items[10 + i] = inputs[i];
        }
        state = state.absorb(Transcript.JOIN, items);
        c.nu = state.challenge();

        if (c.rho == 0 || c.gamma == 0 || c.nu == 0) revert DegenerateChallenge();
        if (c.z < 2 || c.z == Bn254.R - 1) revert DegenerateChallenge();
    }

    function _firstState(RoundStatement calldata statement) private view returns (bytes32) {
        uint256[] calldata commitments = statement.commitments;
        uint256[] memory items = new uint256[](12 + commitments.length);
        items[0] = block.chainid;
        items[1] = uint160(statement.project);
        items[2] = statement.round;
        items[3] = uint160(statement.payee);
        items[4] = statement.dimension;
        items[5] = statement.slots;
        items[6] = statement.rule;
        items[7] = statement.policy[0];
        items[8] = statement.policy[1];
        items[9] = uint256(KEYS_HASH);
        items[10] = statement.activeMask;
        items[11] = uint256(statement.modelCid);
        for (uint256 i; i < commitments.length; ++i) {
            items[12 + i] = commitments[i];
        }
        return Transcript.absorb(0, Transcript.ROUND, items);
    }

    /// @dev In the order of docs/protocol.md 13.2. Every word must be a scalar below `r`: `x` and `x + r` would prove the same.
    function _publicInputs(RoundStatement calldata statement, RoundProof calldata proof, uint256 rho)
        private
        pure
        returns (uint256[] memory inputs)
    {
        uint256 words = proof.shares.length;
        inputs = new uint256[](HEAD + 2 * words);
        inputs[0] = _scalar(proof.h);
        inputs[1] = rho;
        inputs[2] = _scalar(proof.sigma);
        inputs[3] = _scalar(statement.activeMask);
        inputs[4] = _scalar(statement.policy[0]);
        inputs[5] = _scalar(statement.policy[1]);
        inputs[6] = _scalar(proof.keptMask);
        inputs[7] = _scalar(proof.coherence);
        for (uint256 i; i < words; ++i) {
            inputs[HEAD + i] = _scalar(proof.shares[i]);
            inputs[HEAD + words + i] = _scalar(proof.weights[i]);
        }
    }

    // --- the checks

    /// @dev `P(z) P(1/z) = sigma + z S(z) + S(1/z) / z`: the constant term of `P(X) P(1/X)` is sigma.
    function _checkLaurent(RoundProof calldata proof, uint256 z, uint256 zInverse) private pure {
        uint256 left = mulmod(proof.values[0], proof.values[1], Bn254.R);
        uint256 right = addmod(proof.sigma, mulmod(z, proof.values[2], Bn254.R), Bn254.R);
        right = addmod(right, mulmod(zInverse, proof.values[3], Bn254.R), Bn254.R);
        if (left != right) revert LaurentIdentityFailed();
    }

    /// @dev Pairs 0 to 3: `e(-A, B) e(alpha, beta) e(vk_x, gamma) e(C, delta)`.
    function _groth16Pairs(
        uint256[] memory pairs,
        RoundStatement calldata statement,
        RoundProof calldata proof,
        uint256[] memory inputs
    ) private view {
        (uint256[14] memory vk, uint256[] memory ic) = REGISTRY.verifyingKey(statement.rule, statement.slots).key();
        if (ic.length != 2 * (inputs.length + 1)) revert WrongLength();

        pairs[0] = proof.groth16[0];
        pairs[1] = Bn254.negateY(proof.groth16[1]);
        for (uint256 i; i < 4; ++i) {
            pairs[2 + i] = proof.groth16[2 + i];
        }
        for (uint256 i; i < 6; ++i) {
            pairs[6 + i] = vk[i];
        }
        (pairs[12], pairs[13]) = _linear(ic, inputs);
        for (uint256 i; i < 4; ++i) {
            pairs[14 + i] = vk[6 + i];
            pairs[20 + i] = vk[10 + i];
        }
        (pairs[18], pairs[19]) = (proof.groth16[6], proof.groth16[7]);
    }

    /// @dev `vk_x = IC_0 + sum input_i IC_(i+1)`.
    function _linear(uint256[] memory ic, uint256[] memory inputs) private view returns (uint256 x, uint256 y) {
        (x, y) = (ic[0], ic[1]);
        for (uint256 i; i < inputs.length; ++i) {
            if (inputs[i] != 0) {
                (x, y) = Bn254.addMul(x, y, ic[2 * i + 2], ic[2 * i + 3], inputs[i]);
            }
        }
    }

    /// @dev Pairs 4 to 6: `e(nu W, [x^2]_2) e(-nu (z + 1/z) W, [x]_2) e(nu (W - C_Q + [L(x)]_1), [1]_2)`.
    function _openingPairs(
        uint256[] memory pairs,
        RoundStatement calldata statement,
        RoundProof calldata proof,
        Challenges memory c,
        uint256 zInverse
    ) private view {
        (uint256 wx, uint256 wy) = Bn254.mul(proof.w[0], proof.w[1], c.nu);
        (pairs[24], pairs[25]) = (wx, wy);
        (pairs[26], pairs[27], pairs[28], pairs[29]) = (XX_0, XX_1, XX_2, XX_3);

        (uint256 vx, uint256 vy) = Bn254.mul(wx, wy, addmod(c.z, zInverse, Bn254.R));
        (pairs[30], pairs[31]) = (vx, Bn254.negateY(vy));
        (pairs[32], pairs[33], pairs[34], pairs[35]) = (X_0, X_1, X_2, X_3);

        (wx, wy) = _addLine(wx, wy, statement.dimension, proof, c, zInverse);
        // -nu C_Q = -nu (C_P + gamma C_S + gamma^2 C_R), the weight folded into the scalars.
        uint256 factor = Bn254.R - c.nu;
        (wx, wy) = _addCombination(wx, wy, statement.activeMask, statement.commitments, factor, c.rho);
        factor = mulmod(factor, c.gamma, Bn254.R);
        (wx, wy) = Bn254.addMul(wx, wy, proof.s[0], proof.s[1], factor);
        factor = mulmod(factor, c.gamma, Bn254.R);
        (wx, wy) = Bn254.addMul(wx, wy, proof.r[0], proof.r[1], factor);
        (pairs[36], pairs[37]) = (wx, wy);
        (pairs[38], pairs[39], pairs[40], pairs[41]) = (ONE_0, ONE_1, ONE_2, ONE_3);
    }

    /// @dev Adds `factor * C_P = factor * sum rho_i C_i`, `rho_i = rho^(2^i)` for SLOT `i`, whether or not lower slots are active.
    function _addCombination(
        uint256 x,
        uint256 y,
        uint256 mask,
        uint256[] calldata commitments,
        uint256 factor,
        uint256 rho
    ) private view returns (uint256, uint256) {
        uint256 cursor;
        for (; mask != 0; mask >>= 1) {
            if (mask & 1 == 1) {
                uint256 scalar = mulmod(factor, rho, Bn254.R);
                (x, y) = Bn254.addMul(x, y, commitments[cursor], commitments[cursor + 1], scalar);
                cursor += 2;
            }
            rho = mulmod(rho, rho, Bn254.R);
        }
        return (x, y);
    }

    /// @dev Adds `nu [L(x)]_1`, `L` the line through `(z, Q(z))` and `(1/z, Q(1/z))`, `Q = P + gamma S + gamma^2 R`.
    function _addLine(
        uint256 x,
        uint256 y,
        uint256 dimension,
        RoundProof calldata proof,
        Challenges memory c,
        uint256 zInverse
    ) private view returns (uint256, uint256) {
        uint256 atZ;
        uint256 atInverse;
        {
            // R(z) = z^(d-1) P(1/z) and R(1/z) = z^-(d-1) P(z): this says deg P < d.
            uint256 rAtZ = mulmod(Bn254.power(c.z, dimension - 1), proof.values[1], Bn254.R);
            uint256 rAtInverse = mulmod(Bn254.power(zInverse, dimension - 1), proof.values[0], Bn254.R);
            atZ = _valueOfQ(proof.values[0], proof.values[2], rAtZ, c.gamma);
            atInverse = _valueOfQ(proof.values[1], proof.values[3], rAtInverse, c.gamma);
        }
        // z - 1/z is not 0, since z is not 1 or -1.
        uint256 slope = mulmod(
            _subtract(atZ, atInverse), Bn254.inverse(_subtract(c.z, zInverse)), Bn254.R
        );
        uint256 constantTerm = _subtract(atZ, mulmod(slope, c.z, Bn254.R));
        (x, y) = Bn254.addMul(x, y, 1, 2, mulmod(c.nu, constantTerm, Bn254.R));
        return Bn254.addMul(x, y, X1_X, X1_Y, mulmod(c.nu, slope, Bn254.R));
    }

    /// @dev `p + gamma (s + gamma r)`, the value of `Q` at a point.
    function _valueOfQ(uint256 p, uint256 s, uint256 r, uint256 gamma) private pure returns (uint256) {
        uint256 inner = addmod(s, mulmod(gamma, r, Bn254.R), Bn254.R);
        return addmod(p, mulmod(gamma, inner, Bn254.R), Bn254.R);
    }

    function _subtract(uint256 a, uint256 b) private pure returns (uint256) {
        return addmod(a, Bn254.R - b, Bn254.R);
    }

    function _scalar(uint256 value) private pure returns (uint256) {
        if (value >= Bn254.R) revert ScalarOutOfRange(value);
        return value;
    }
}
