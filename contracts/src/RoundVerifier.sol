// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {KeyedVerifier} from "./KeyedVerifier.sol";
import {IKeyRegistry, IVerifyingKey, PUBLIC_INPUTS} from "./interfaces/IKeyRegistry.sol";
import {IRoundVerifier, RoundProof, RoundStatement} from "./interfaces/IRoundVerifier.sol";
import {Bn254} from "./libraries/Bn254.sol";
import {CodeStore} from "./libraries/CodeStore.sol";
import {Packed} from "./libraries/Packed.sol";
import {Transcript} from "./libraries/Transcript.sol";

/// @title Verifies a round: the Groth16 proof of the assessment, the Gram argument and the new model's commitment, in one pairing call of
/// six pairs, or seven where the prover commits to witnesses.
/// @notice It holds no state and no funds. Whatever calls it must set the statement itself: the statement is what the prover must not choose.
/// @dev Follows docs/protocol.md sections 5, 6 and 13; names in the code are the names there.
contract RoundVerifier is IRoundVerifier, KeyedVerifier {
    using Transcript for bytes32;

    /// @dev Bytes of a key: `IVerifyingKey`'s eighteen words, and its points.
    uint256 private constant FIXED = 18 * 32;
    uint256 private constant KEY = FIXED + 64 * (PUBLIC_INPUTS + 1);
    /// @dev Rules whose keys there may be, from one, and sizes for each: 8, 16, 32, 64, 128.
    uint256 private constant RULES = 2;
    uint256 private constant SIZES = 5;

    uint256 private immutable X1_X;
    uint256 private immutable X1_Y;
    uint256 private immutable XX_0;
    uint256 private immutable XX_1;
    uint256 private immutable XX_2;
    uint256 private immutable XX_3;

    /// @dev The challenges of one proof, and what one inversion gives for both uses.
    struct Challenges {
        uint256 setting; // active mask and policy words, a public input
        uint256 rho;
        uint256 chi; // of the outcome; where the prover commits also that of the lookups
        uint256 folded; // the outcome under it, the last public input
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
        for (uint256 i; i < RULES * SIZES; ++i) {
            CodeStore.write(i + 1, _copyOf(registry, uint8(1 + i / SIZES), uint8(8 << i % SIZES)));
        }
    }

    /// @dev The words of a key and its points, one behind the other; nothing where the registry has none. As the other points they are copied once: to ask
    /// two contracts for them would cost every proof 10,000 gas.
    function _copyOf(IKeyRegistry registry, uint8 rule, uint8 size) private view returns (bytes memory) {
        try registry.verifyingKey(rule, size) returns (IVerifyingKey key) {
            (uint256[18] memory fixedPoints, bytes memory ic) = key.key();
            bytes memory copy = abi.encodePacked(fixedPoints, ic);
            if (copy.length != KEY) revert WrongLength();
            return copy;
        } catch {
            return "";
        }
    }

    /// @dev The key of a circuit as `_copyOf` wrote it. No key begins with zeros: that is `alpha_1`, which is no infinity.
    function _key(uint8 rule, uint8 size) private view returns (bytes memory key) {
        uint256 step;
        while (step < SIZES && 8 << step != size) ++step;
        if (rule == 0 || step == SIZES) revert IKeyRegistry.UnknownKey(rule, size);
        key = CodeStore.read(SIZES * (rule - 1) + step + 1, 0, KEY);
        if (_word(key, 0) | _word(key, 1) == 0) revert IKeyRegistry.UnknownKey(rule, size);
    }

    function _word(bytes memory key, uint256 i) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(key, 0x20), shl(5, i)))
        }
    }

    /// @inheritdoc IRoundVerifier
    function keyRegistry() external view returns (address) {
        return address(REGISTRY);
    }

    /// @inheritdoc IRoundVerifier
    function verify(RoundStatement calldata statement, RoundProof calldata proof) external view {
        _checkLengths(statement, proof);
        _checkPoints(statement, proof);
        Challenges memory c = _challenges(statement, proof);

        uint256[42] memory pairs;
        Bn254.Sum memory sum;
        _openingPairs(pairs, sum, statement.dimension, proof, c);
        _groth16Pairs(pairs, sum, statement, proof, c);
        _addCommitments(sum, statement, proof, c);
        (pairs[30], pairs[31]) = (sum.x, sum.y);
        (pairs[32], pairs[33], pairs[34], pairs[35]) = _one();

        // Not before the curve's own checks, so that a point that is none is refused as such.
        _checkLaurent(proof, c);
        if (!Bn254.pairing(pairs, proof.committed.length == 0 ? 6 : 7)) revert PairingFailed();
    }

    // --- what must hold before a challenge means anything

    function _checkLengths(RoundStatement calldata statement, RoundProof calldata proof) private pure {
        uint256 words = Packed.wordCount(statement.slots);
        if (proof.shares.length != words || proof.weights.length != words) revert WrongLength();
        // rho_i = rho^(2^i) is sound for slots that the circuit knows, and for no more than 128 of them.
        if (statement.slots > 128 || statement.activeMask >> statement.slots != 0) revert WrongLength();
        if (statement.commitments.length != 64 * Packed.count(statement.activeMask)) revert WrongLength();
        if (statement.dimension == 0) revert WrongLength();
        if (proof.committed.length != 0 && proof.committed.length != 4) revert WrongLength();
    }

    /// @dev All but the commitments, which `_addCommitments` checks where it reads them.
    function _checkPoints(RoundStatement calldata statement, RoundProof calldata proof) private pure {
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
        returns (Challenges memory c)
    {
        c.setting = _setting(statement);
        bytes32 state = _firstState(statement);

        // What fixes the matrix before its challenge: its hash, or the prover's commitment.
        if (proof.committed.length == 0) {
            state = state.absorbWords(Transcript.GRAM, abi.encodePacked(_scalar(proof.h)));
        } else {
            if (proof.h != 0) revert ScalarOutOfRange(proof.h);
            state = state.absorbWords(Transcript.GRAM, abi.encodePacked(proof.committed));
        }
        c.rho = state.challenge();
        (c.chi, c.folded) = _outcome(state, proof);

        state = state.absorbWords(Transcript.LAURENT, abi.encodePacked(proof.sigma, proof.s, proof.r));
        c.z = state.challenge();

        for (uint256 i; i < 4; ++i) {
            _scalar(proof.values[i]);
        }
        state = state.absorbWords(Transcript.VALUES, abi.encodePacked(proof.values));
        c.gamma = state.challenge();

        state = state.absorbWords(
            Transcript.JOIN,
            abi.encodePacked(
                proof.w,
                proof.model,
                proof.groth16,
                // The public inputs, in their order.
                proof.h,
                c.rho,
                c.setting,
                c.chi,
                c.folded
            )
        );
        c.nu = state.challenge();

        if (c.rho == 0 || c.gamma == 0 || c.nu == 0) revert DegenerateChallenge();
        if (c.z < 2 || c.z == Bn254.R - 1) revert DegenerateChallenge();
        uint256 zz = mulmod(c.z, c.z, Bn254.R);
        uint256 less = Bn254.sub(zz, 1);
        uint256 inverse = Bn254.inverse(mulmod(c.z, less, Bn254.R));
        c.zInverse = mulmod(inverse, less, Bn254.R);
        c.run = mulmod(inverse, zz, Bn254.R);
    }

    /// @dev `active + 2^128 p_0 + 2^144 p_1`. A policy word of more than 16 bits would be a part of another's.
    function _setting(RoundStatement calldata statement) private pure returns (uint256) {
        (uint256 first, uint256 second) = (statement.policy[0], statement.policy[1]);
        if (first >> 16 != 0) revert ScalarOutOfRange(first);
        if (second >> 16 != 0) revert ScalarOutOfRange(second);
        return statement.activeMask | first << 128 | second << 144;
    }

    /// @dev The challenge of what the assessment gives, and `sum chi^k outcome_k`: sigma, kept mask, coherence, shares, weights. Every word must
    /// be a scalar below `r`: `x` and `x + r` would fold to the same.
    function _outcome(bytes32 state, RoundProof calldata proof) private pure returns (uint256 chi, uint256 folded) {
        uint256[] calldata shares = proof.shares;
        uint256[] calldata weights = proof.weights;
        // Where the one array ends and the other begins is fixed: both have the length that the slots give (`_checkLengths`).
        // slither-disable-next-line encode-packed-collision
        chi = state.absorbWords(
            Transcript.OUTCOME, abi.encodePacked(proof.sigma, proof.keptMask, proof.coherence, shares, weights)
        ).challenge();
        // No entry of a lookup's table: there the share of an entry would be free.
        if (chi >> 16 == 0) revert DegenerateChallenge();
        folded = _fold(_fold(0, chi, weights), chi, shares);
        folded = _next(folded, chi, proof.coherence);
        folded = _next(folded, chi, proof.keptMask);
        folded = _next(folded, chi, proof.sigma);
    }

    function _next(uint256 folded, uint256 chi, uint256 value) private pure returns (uint256) {
        return addmod(mulmod(folded, chi, Bn254.R), _scalar(value), Bn254.R);
    }

    /// @dev `_next` for all words from the last to the first. Assembly: Solidity's checks cost three times what the sum does.
    function _fold(uint256 folded, uint256 chi, uint256[] calldata words) private pure returns (uint256) {
        uint256 order = Bn254.R;
        uint256 refused;
        assembly ("memory-safe") {
            for { let at := add(words.offset, shl(5, words.length)) } gt(at, words.offset) {} {
                at := sub(at, 0x20)
                let word := calldataload(at)
                if iszero(lt(word, order)) { refused := word }
                folded := addmod(mulmod(folded, chi, order), word, order)
            }
        }
        _scalar(refused);
        return folded;
    }

    function _firstState(RoundStatement calldata statement) private view returns (bytes32) {
        // What `absorbWords` hashes: not by it, since it would copy the commitments once more.
        bytes memory head = abi.encodePacked(
            uint256(0),
            Transcript.ROUND,
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
                KEYS_HASH,
                statement.activeMask,
                statement.modelCid,
                statement.model,
                statement.commitments
            )
        );
    }

    // --- the checks

    /// @dev `P(z) P(1/z) = sigma + z S(z) + S(1/z) / z`: the constant term of `P(X) P(1/X)` is sigma.
    function _checkLaurent(RoundProof calldata proof, Challenges memory c) private pure {
        uint256 left = mulmod(proof.values[0], proof.values[1], Bn254.R);
        uint256 right = addmod(proof.sigma, mulmod(c.z, proof.values[2], Bn254.R), Bn254.R);
        right = addmod(right, mulmod(c.zInverse, proof.values[3], Bn254.R), Bn254.R);
        if (left != right) revert LaurentIdentityFailed();
    }

    /// @dev Pairs 0 to 2: `e(-A, B) e(alpha, beta) e(C, delta)`; adds `vk_x` to what stands beside `[1]_2 = gamma_2`.
    function _groth16Pairs(
        uint256[42] memory pairs,
        Bn254.Sum memory sum,
        RoundStatement calldata statement,
        RoundProof calldata proof,
        Challenges memory c
    ) private view {
        bytes memory key = _key(statement.rule, statement.slots);
        uint256[8] calldata groth16 = proof.groth16;
        (pairs[0], pairs[1]) = (groth16[0], Bn254.negateY(groth16[1]));
        (pairs[2], pairs[3], pairs[4], pairs[5]) = (groth16[2], groth16[3], groth16[4], groth16[5]);
        _copyWords(pairs, 6, key, 0, 6);
        (pairs[12], pairs[13]) = (groth16[6], groth16[7]);
        _copyWords(pairs, 14, key, 10, 4);
        _addInputs(sum, key, proof, c);
        _addCommitted(pairs, sum, key, proof.committed, c.nu);
    }

    /// @dev Words `from` and on of a key to where they stand among the pairs.
    function _copyWords(uint256[42] memory pairs, uint256 to, bytes memory key, uint256 from, uint256 count) private pure {
        assert(to + count <= 42 && 32 * (from + count) <= key.length);
        assembly ("memory-safe") {
            mcopy(add(pairs, shl(5, to)), add(add(key, 0x20), shl(5, from)), shl(5, count))
        }
    }

    /// @dev `vk_x = IC_0 + sum input_i IC_(i+1)`, the inputs in the order of docs/protocol.md 13.2. Every one is a scalar below `r`:
    /// `x` and `x + r` would prove the same. The mask is one by `_checkLengths`, the others where they were read.
    function _addInputs(
        Bn254.Sum memory sum,
        bytes memory key,
        RoundProof calldata proof,
        Challenges memory c
    ) private view {
        Bn254.add(sum, key, FIXED / 64);
        _addInput(sum, key, 1, proof.h);
        _addInput(sum, key, 2, c.rho);
        _addInput(sum, key, 3, c.setting);
        _addInput(sum, key, 4, c.chi);
        _addInput(sum, key, 5, c.folded);
    }

    function _addInput(Bn254.Sum memory sum, bytes memory key, uint256 i, uint256 input) private view {
        if (input != 0) Bn254.addMul(sum, key, FIXED / 64 + i, input);
    }

    /// @dev Where the prover commits: the pair `e(nu^3 D, [sigma]_2)`, and `D - nu^3 PoK` beside `[1]_2`. A key with `[sigma]_2` takes
    /// nothing else, and one without takes no commitment.
    function _addCommitted(
        uint256[42] memory pairs,
        Bn254.Sum memory sum,
        bytes memory key,
        uint256[] calldata committed,
        uint256 nu
    ) private view {
        bool commits = _word(key, 14) | _word(key, 15) | _word(key, 16) | _word(key, 17) != 0;
        if (commits != (committed.length != 0)) revert WrongLength();
        if (!commits) return;
        uint256 cube = mulmod(mulmod(nu, nu, Bn254.R), nu, Bn254.R);
        (pairs[36], pairs[37]) = Bn254.mul(committed[0], committed[1], cube);
        _copyWords(pairs, 38, key, 14, 4);
        Bn254.add(sum, committed[0], committed[1]);
        Bn254.addMul(sum, committed[2], committed[3], Bn254.R - cube);
    }

    /// @dev Pairs 3 and 4: `e(nu W, [x^2]_2) e(-nu (z + 1/z) W, [x]_2)`; the sum beside `[1]_2` begins as
    /// `nu (W - gamma C_S - gamma^2 C_R + [L(x)]_1)`.
    function _openingPairs(
        uint256[42] memory pairs,
        Bn254.Sum memory sum,
        uint256 dimension,
        RoundProof calldata proof,
        Challenges memory c
    ) private view {
        (uint256 wx, uint256 wy) = Bn254.mul(proof.w[0], proof.w[1], c.nu);
        (pairs[18], pairs[19]) = (wx, wy);
        (pairs[20], pairs[21], pairs[22], pairs[23]) = (XX_0, XX_1, XX_2, XX_3);
        (sum.x, sum.y) = (wx, wy);
        (pairs[24], pairs[25]) = Bn254.mul(wx, wy, Bn254.R - addmod(c.z, c.zInverse, Bn254.R));
        (pairs[26], pairs[27], pairs[28], pairs[29]) = _x();

        uint256 factor = mulmod(Bn254.R - c.nu, c.gamma, Bn254.R);
        Bn254.addMul(sum, proof.s[0], proof.s[1], factor);
        Bn254.addMul(sum, proof.r[0], proof.r[1], mulmod(factor, c.gamma, Bn254.R));
        (uint256 constantTerm, uint256 slope) = _line(dimension, proof, c);
        Bn254.addMul(sum, 1, 2, mulmod(c.nu, constantTerm, Bn254.R));
        Bn254.addMul(sum, X1_X, X1_Y, mulmod(c.nu, slope, Bn254.R));
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

    /// @dev Adds `nu^2 (C_T - C_T') + sum (nu^2 w_i - nu rho_i) C_i`: the model's step and `-nu C_P` in one multiplication a commitment.
    /// `rho_i = rho^(2^i)` and `w_i` are those of SLOT `i`, whether or not lower slots are active.
    function _addCommitments(
        Bn254.Sum memory sum,
        RoundStatement calldata statement,
        RoundProof calldata proof,
        Challenges memory c
    ) private view {
        uint256 nuSquared = mulmod(c.nu, c.nu, Bn254.R);
        (uint256 x, uint256 y) = Bn254.add(
            statement.model[0], statement.model[1], proof.model[0], Bn254.negateY(proof.model[1])
        );
        Bn254.addMul(sum, x, y, nuSquared);

        // A commitment's own curve check is that of the precompile: `FormVerifier` has seen it before, so only a caller that is no project
        // can have that burn its gas. Infinity, which the precompile takes, is refused.
        bytes calldata commitments = statement.commitments;
        uint256[] calldata weights = proof.weights;
        uint256 mask = statement.activeMask;
        uint256 rho = c.rho;
        uint256 factor = Bn254.R - c.nu;
        (uint256 order, uint256 bits, uint256 lane) = (Bn254.R, Packed.BITS, Packed.LANE);
        uint256 end = 1 << Packed.BITS * Packed.PER_WORD;
        bool multiplied = true;
        bool infinite;
        // A hundred slots: assembly, since around the two calls of a slot Solidity's checks cost three times what is needed. `_checkLengths` says that
        // there is a point for every bit of the mask and a word for every fourteen slots.
        assembly ("memory-safe") {
            let from := commitments.offset
            for { let at := weights.offset } mask { at := add(at, 0x20) } {
                // The lanes of a word, and behind the last of them a one.
                for { let word := or(end, mod(calldataload(at), end)) } gt(word, 1) { word := shr(bits, word) } {
                    let square := mulmod(rho, rho, order)
                    let inactive := iszero(and(mask, 1))
                    mask := shr(1, mask)
                    if inactive {
                        rho := square
                        continue
                    }
                    calldatacopy(add(sum, 0x40), from, 0x40)
                    from := add(from, 0x40)
                    // No point of the curve has y = 0, so only infinity is taken with it below.
                    infinite := or(infinite, iszero(mload(add(sum, 0x60))))
                    mstore(
                        add(sum, 0x80),
                        addmod(mulmod(nuSquared, and(word, lane), order), mulmod(factor, rho, order), order)
                    )
                    rho := square
                    // First the product, behind it the sum: arguments are evaluated from the last to the first.
                    multiplied :=
                        and(
                            staticcall(gas(), 6, sum, 0x80, sum, 0x40),
                            staticcall(gas(), 7, add(sum, 0x40), 0x60, add(sum, 0x40), 0x40)
                        )
                    // The rest would burn what gas is left for the error.
                    if iszero(multiplied) {
                        mask := 0
                        word := 1
                    }
                }
            }
        }
        if (!multiplied) revert Bn254.PrecompileFailed(7);
        if (infinite) revert InvalidPoint();
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
