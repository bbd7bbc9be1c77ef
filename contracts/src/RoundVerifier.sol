// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {KeyedVerifier} from "./KeyedVerifier.sol";
import {IKeyRegistry} from "./interfaces/IKeyRegistry.sol";
import {IRoundVerifier, RoundProof, RoundStatement} from "./interfaces/IRoundVerifier.sol";
import {Bn254} from "./libraries/Bn254.sol";
import {Packed} from "./libraries/Packed.sol";
import {Transcript} from "./libraries/Transcript.sol";

/// @title Verifies a round: the Groth16 proof of the assessment, the Gram argument and the new model's commitment, in one pairing call of
/// six pairs, or seven where the prover commits to witnesses.
/// @notice It holds no state and no funds. Whatever calls it must set the statement itself: the statement is what the prover must not choose.
/// @dev Follows docs/protocol.md sections 5, 6 and 13; names in the code are the names there.
contract RoundVerifier is IRoundVerifier, KeyedVerifier {
    using Transcript for bytes32;

    /// @dev Public inputs before the packed words (docs/protocol.md 13.2).
    uint256 private constant HEAD = 8;
    /// @dev Where the last pair of every proof lies: the sum of all that goes beside `[1]_2`. Behind it that of a commitment.
    uint256 private constant SUM = 30;

    uint256 private immutable X1_X;
    uint256 private immutable X1_Y;
    uint256 private immutable XX_0;
    uint256 private immutable XX_1;
    uint256 private immutable XX_2;
    uint256 private immutable XX_3;

    /// @dev The challenges of one proof, and what one inversion gives for both uses.
    struct Challenges {
        uint256 rho;
        uint256 x; // of the lookups, where the prover commits
        uint256 z;
        uint256 gamma;
        uint256 nu;
        uint256 zInverse; // 1 / z
        uint256 run; // 1 / (z - 1/z)
    }

    constructor(IKeyRegistry registry) KeyedVerifier(registry) {
        (uint256[2] memory x1, uint256[12] memory g2) = registry.kzg();
        (X1_X, X1_Y) = (x1[0], x1[1]);
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

        _checkLaurent(proof, c);

        uint256[] memory pairs = new uint256[](36 + proof.committed.length / 4 * 6);
        _groth16Pairs(pairs, statement, proof, inputs, c.nu);
        _openingPairs(pairs, statement.dimension, proof, c);
        _addCommitments(pairs, statement, proof, c);
        (, bool isOne) = Bn254.pairing(pairs);
        if (!isOne) revert PairingFailed();
    }

    // --- what must hold before a challenge means anything

    function _checkLengths(RoundStatement calldata statement, RoundProof calldata proof) private pure {
        uint256 words = Packed.wordCount(statement.slots);
        if (proof.shares.length != words || proof.weights.length != words) revert WrongLength();
        // rho_i = rho^(2^i) is sound for slots that the circuit knows, and for no more than 128 of them.
        if (statement.slots > 128 || statement.activeMask >> statement.slots != 0) revert WrongLength();
        if (statement.commitments.length != 2 * Packed.count(statement.activeMask)) revert WrongLength();
        if (statement.dimension == 0) revert WrongLength();
        if (proof.committed.length != 0 && proof.committed.length != 4) revert WrongLength();
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
                || !Bn254.isOnCurveOrInfinity(proof.model[0], proof.model[1])
                || !Bn254.isOnCurveOrInfinity(statement.model[0], statement.model[1])
        ) revert InvalidPoint();
        uint256[] calldata committed = proof.committed;
        for (uint256 i; i < committed.length; i += 2) {
            if (!Bn254.isOnCurveOrInfinity(committed[i], committed[i + 1])) revert InvalidPoint();
        }
    }

    // --- transcript, docs/protocol.md 13.1

    function _challenges(RoundStatement calldata statement, RoundProof calldata proof)
        private
        view
        returns (Challenges memory c, uint256[] memory inputs)
    {
        bytes32 state = _firstState(statement);

        // What fixes the matrix before its challenge: its hash, or the prover's commitment.
        uint256[] memory items = proof.committed;
        if (items.length == 0) {
            items = new uint256[](1);
            items[0] = proof.h;
        }
        state = state.absorb(Transcript.GRAM, items);
        c.rho = state.challenge();
        if (proof.committed.length != 0) {
            if (proof.h != 0) revert ScalarOutOfRange(proof.h);
            c.x = state.absorb(Transcript.LOOKUP, new uint256[](0)).challenge();
            // No entry of a table: there the share of an entry would be free.
            if (c.x >> 16 == 0) revert DegenerateChallenge();
        }

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

        inputs = _publicInputs(statement, proof, c);
        items = new uint256[](12 + inputs.length);
        (items[0], items[1]) = (proof.w[0], proof.w[1]);
        (items[2], items[3]) = (proof.model[0], proof.model[1]);
        for (uint256 i; i < 8; ++i) {
            items[4 + i] = proof.groth16[i];
        }
        for (uint256 i; i < inputs.length; ++i) {
            items[12 + i] = inputs[i];
        }
        state = state.absorb(Transcript.JOIN, items);
        c.nu = state.challenge();

        if (c.rho == 0 || c.gamma == 0 || c.nu == 0) revert DegenerateChallenge();
        if (c.z < 2 || c.z == Bn254.R - 1) revert DegenerateChallenge();
        uint256 zz = mulmod(c.z, c.z, Bn254.R);
        uint256 less = Bn254.sub(zz, 1);
        uint256 inverse = Bn254.inverse(mulmod(c.z, less, Bn254.R));
        c.zInverse = mulmod(inverse, less, Bn254.R);
        c.run = mulmod(inverse, zz, Bn254.R);
    }

    function _firstState(RoundStatement calldata statement) private view returns (bytes32) {
        uint256[] calldata commitments = statement.commitments;
        uint256[] memory items = new uint256[](14 + commitments.length);
        items[0] = block.chainid;
        items[1] = uint160(statement.project);
        items[2] = statement.round;
        items[3] = uint160(statement.payee);
        items[4] = statement.dimension;
        items[5] = statement.slots;
        items[6] = statement.rule;
        (items[7], items[8]) = (statement.policy[0], statement.policy[1]);
        items[9] = uint256(KEYS_HASH);
        items[10] = statement.activeMask;
        items[11] = uint256(statement.modelCid);
        (items[12], items[13]) = (statement.model[0], statement.model[1]);
        for (uint256 i; i < commitments.length; ++i) {
            items[14 + i] = commitments[i];
        }
        return Transcript.absorb(0, Transcript.ROUND, items);
    }

    /// @dev In the order of docs/protocol.md 13.2. Every word must be a scalar below `r`: `x` and `x + r` would prove the same.
    function _publicInputs(RoundStatement calldata statement, RoundProof calldata proof, Challenges memory c)
        private
        pure
        returns (uint256[] memory inputs)
    {
        uint256 words = proof.shares.length;
        inputs = new uint256[](HEAD + 2 * words);
        inputs[0] = proof.committed.length == 0 ? _scalar(proof.h) : c.x;
        inputs[1] = c.rho;
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
    function _checkLaurent(RoundProof calldata proof, Challenges memory c) private pure {
        uint256 left = mulmod(proof.values[0], proof.values[1], Bn254.R);
        uint256 right = addmod(proof.sigma, mulmod(c.z, proof.values[2], Bn254.R), Bn254.R);
        right = addmod(right, mulmod(c.zInverse, proof.values[3], Bn254.R), Bn254.R);
        if (left != right) revert LaurentIdentityFailed();
    }

    /// @dev Pairs 0 to 2: `e(-A, B) e(alpha, beta) e(C, delta)`; the last pair, `SUM` on, begins as `vk_x` beside `[1]_2 = gamma_2`.
    function _groth16Pairs(
        uint256[] memory pairs,
        RoundStatement calldata statement,
        RoundProof calldata proof,
        uint256[] memory inputs,
        uint256 nu
    ) private view {
        (uint256[18] memory vk, uint256[] memory ic) = REGISTRY.verifyingKey(statement.rule, statement.slots).key();
        if (ic.length != 2 * (inputs.length + 1)) revert WrongLength();
        uint256[8] calldata groth16 = proof.groth16;
        (pairs[0], pairs[1]) = (groth16[0], Bn254.negateY(groth16[1]));
        for (uint256 i; i < 4; ++i) {
            pairs[2 + i] = groth16[2 + i];
        }
        for (uint256 i; i < 6; ++i) {
            pairs[6 + i] = vk[i];
        }
        (pairs[12], pairs[13]) = (groth16[6], groth16[7]);
        for (uint256 i; i < 4; ++i) {
            pairs[14 + i] = vk[10 + i];
        }

        // vk_x = IC_0 + sum input_i IC_(i+1).
        (uint256 x, uint256 y) = (ic[0], ic[1]);
        for (uint256 i; i < inputs.length; ++i) {
            uint256 input = inputs[i];
            if (input != 0) (x, y) = Bn254.addMul(x, y, ic[2 * i + 2], ic[2 * i + 3], input);
        }
        _besideOne(pairs, SUM, x, y);
        _addCommitted(pairs, vk, proof.committed, nu);
    }

    /// @dev Where the prover commits: the pair `e(nu^3 D, [sigma]_2)`, and `D - nu^3 PoK` beside `[1]_2`. A key with `[sigma]_2` takes
    /// nothing else, and one without takes no commitment.
    function _addCommitted(uint256[] memory pairs, uint256[18] memory vk, uint256[] calldata committed, uint256 nu)
        private
        view
    {
        bool commits = vk[14] | vk[15] | vk[16] | vk[17] != 0;
        if (commits != (committed.length != 0)) revert WrongLength();
        if (!commits) return;
        uint256 cube = mulmod(mulmod(nu, nu, Bn254.R), nu, Bn254.R);
        (pairs[36], pairs[37]) = Bn254.mul(committed[0], committed[1], cube);
        for (uint256 i; i < 4; ++i) {
            pairs[38 + i] = vk[14 + i];
        }
        (uint256 x, uint256 y) = Bn254.add(pairs[SUM], pairs[SUM + 1], committed[0], committed[1]);
        (pairs[SUM], pairs[SUM + 1]) = Bn254.addMul(x, y, committed[2], committed[3], Bn254.R - cube);
    }

    /// @dev Pairs 3 and 4: `e(nu W, [x^2]_2) e(-nu (z + 1/z) W, [x]_2)`; adds `nu (W - gamma C_S - gamma^2 C_R + [L(x)]_1)` to the last.
    function _openingPairs(
        uint256[] memory pairs,
        uint256 dimension,
        RoundProof calldata proof,
        Challenges memory c
    ) private view {
        (uint256 wx, uint256 wy) = Bn254.mul(proof.w[0], proof.w[1], c.nu);
        (pairs[18], pairs[19]) = (wx, wy);
        (pairs[20], pairs[21], pairs[22], pairs[23]) = (XX_0, XX_1, XX_2, XX_3);
        (uint256 x, uint256 y) = Bn254.add(pairs[SUM], pairs[SUM + 1], wx, wy);
        (wx, wy) = Bn254.mul(wx, wy, Bn254.R - addmod(c.z, c.zInverse, Bn254.R));
        _besideX(pairs, 24, wx, wy);

        uint256 factor = mulmod(Bn254.R - c.nu, c.gamma, Bn254.R);
        (x, y) = Bn254.addMul(x, y, proof.s[0], proof.s[1], factor);
        factor = mulmod(factor, c.gamma, Bn254.R);
        (x, y) = Bn254.addMul(x, y, proof.r[0], proof.r[1], factor);
        (uint256 constantTerm, uint256 slope) = _line(dimension, proof, c);
        (x, y) = Bn254.addMul(x, y, 1, 2, mulmod(c.nu, constantTerm, Bn254.R));
        (pairs[SUM], pairs[SUM + 1]) = Bn254.addMul(x, y, X1_X, X1_Y, mulmod(c.nu, slope, Bn254.R));
    }

    /// @dev `L(X)`, the line through `(z, Q(z))` and `(1/z, Q(1/z))`, `Q = P + gamma S + gamma^2 R`.
    function _line(uint256 dimension, RoundProof calldata proof, Challenges memory c)
        private
        view
        returns (uint256 constantTerm, uint256 slope)
    {
        (uint256 p, uint256 pInverse) = (proof.values[0], proof.values[1]);
        // R(z) = z^(d-1) P(1/z) and R(1/z) = z^-(d-1) P(z): this says deg P < d.
        uint256 rAtZ = mulmod(Bn254.power(c.z, dimension - 1), pInverse, Bn254.R);
        uint256 rAtInverse = mulmod(Bn254.power(c.zInverse, dimension - 1), p, Bn254.R);
        uint256 atZ = _valueOfQ(p, proof.values[2], rAtZ, c.gamma);
        uint256 atInverse = _valueOfQ(pInverse, proof.values[3], rAtInverse, c.gamma);
        slope = mulmod(Bn254.sub(atZ, atInverse), c.run, Bn254.R);
        constantTerm = Bn254.sub(atZ, mulmod(slope, c.z, Bn254.R));
    }

    /// @dev Adds to the last pair `nu^2 (C_T - C_T') + sum (nu^2 w_i - nu rho_i) C_i`: the model's step and `-nu C_P` in one multiplication a commitment.
    /// `rho_i = rho^(2^i)` and `w_i` are those of SLOT `i`, whether or not lower slots are active.
    function _addCommitments(
        uint256[] memory pairs,
        RoundStatement calldata statement,
        RoundProof calldata proof,
        Challenges memory c
    ) private view {
        uint256 nuSquared = mulmod(c.nu, c.nu, Bn254.R);
        (uint256 x, uint256 y) = Bn254.add(
            statement.model[0], statement.model[1], proof.model[0], Bn254.negateY(proof.model[1])
        );
        (x, y) = Bn254.addMul(pairs[SUM], pairs[SUM + 1], x, y, nuSquared);
        uint256[] memory scalars = _scalars(statement.activeMask, proof.weights, c, nuSquared);
        uint256[] calldata commitments = statement.commitments;
        for (uint256 i; i < commitments.length; i += 2) {
            (x, y) = Bn254.addMul(x, y, commitments[i], commitments[i + 1], scalars[i / 2]);
        }
        (pairs[SUM], pairs[SUM + 1]) = (x, y);
    }

    /// @dev `nu^2 w_i - nu rho_i` of every active slot, ascending.
    function _scalars(uint256 mask, uint256[] calldata weights, Challenges memory c, uint256 nuSquared)
        private
        pure
        returns (uint256[] memory scalars)
    {
        scalars = new uint256[](Packed.count(mask));
        uint256 factor = Bn254.R - c.nu;
        uint256 power = c.rho;
        uint256 cursor;
        for (uint256 slot; mask >> slot != 0; ++slot) {
            if (Packed.has(mask, slot)) {
                uint256 weight = Packed.lane(weights[slot / Packed.PER_WORD], slot);
                scalars[cursor++] =
                    addmod(mulmod(nuSquared, weight, Bn254.R), mulmod(factor, power, Bn254.R), Bn254.R);
            }
            power = mulmod(power, power, Bn254.R);
        }
    }

    /// @dev `p + gamma (s + gamma r)`, the value of `Q` at a point.
    function _valueOfQ(uint256 p, uint256 s, uint256 r, uint256 gamma) private pure returns (uint256) {
        uint256 inner = addmod(s, mulmod(gamma, r, Bn254.R), Bn254.R);
        return addmod(p, mulmod(gamma, inner, Bn254.R), Bn254.R);
    }

    function _scalar(uint256 value) private pure returns (uint256) {
        if (value >= Bn254.R) revert ScalarOutOfRange(value);
        return value;
    }
}
