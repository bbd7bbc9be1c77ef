// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {KeyedVerifier} from "./KeyedVerifier.sol";
import {FormProof, FormStatement, IFormVerifier} from "./interfaces/IFormVerifier.sol";
import {IKeyRegistry} from "./interfaces/IKeyRegistry.sol";
import {Bn254} from "./libraries/Bn254.sol";
import {Transcript} from "./libraries/Transcript.sol";

/// @title Verifies a proof of form: one pairing call of two pairs, whatever the dimension.
/// @notice It holds no state and no funds. Whatever calls it must set the statement itself: the statement is what the prover must not choose.
/// @dev Follows docs/protocol.md sections 7 and 13.6; names in the code are the names there.
contract FormVerifier is IFormVerifier, KeyedVerifier {
    using Transcript for bytes32;

    bytes32 private constant FORM = "fairshare.form.v1";
    bytes32 private constant COUNTS = "counts";
    bytes32 private constant FRACTIONS = "fractions";
    bytes32 private constant FOLD = "fold";
    bytes32 private constant LAURENT = "laurent";
    bytes32 private constant VALUES = "values";
    bytes32 private constant QUOTIENT = "quotient";

    uint256 private constant R = Bn254.R;

    /// @dev The challenges of one proof.
    struct Challenges {
        uint256 beta;
        uint256 y;
        uint256 g;
        uint256 z;
        uint256 gamma;
        uint256 v;
    }

    /// @dev What one inversion for all gives.
    struct Inverses {
        uint256 z; // 1 / z
        uint256 y; // 1 / y
        uint256 zLess; // 1 / (z - 1)
        uint256 run; // 1 / (z - 1/z)
        uint256 yLess; // 1 / (y - 1)
        uint256 yzLess; // 1 / (yz - 1)
        uint256 zLessY; // 1 / (z - y)
        uint256 second; // 1 / Z_2(v)
    }

    /// @dev `A` at one of the two points; `p` is the inverse of that point, `q = p / y`.
    struct Side {
        uint256 sumD; // I_d(p)
        uint256 sumT; // I_T(p)
        uint256 table; // T(p)
        uint256 sumDq; // I_d(q)
        uint256 sumTq; // I_T(q)
    }

    constructor(IKeyRegistry registry) KeyedVerifier(registry) {}

    /// @inheritdoc IFormVerifier
    function keyRegistry() external view returns (address) {
        return address(REGISTRY);
    }

    /// @inheritdoc IFormVerifier
    function verify(FormStatement calldata statement, FormProof calldata proof) external view {
        _check(statement, proof);
        Challenges memory c = _challenges(statement, proof);
        Inverses memory inverse = _inverses(c);
        _checkIdentity(statement, proof.values, c, inverse);

        uint256[12] memory pairs;
        (pairs[0], pairs[1]) = _opening(statement, proof, c, inverse);
        (pairs[2], pairs[3], pairs[4], pairs[5]) = _one();
        uint256 at = proof.points.length - 2;
        (pairs[6], pairs[7]) = (proof.points[at], Bn254.negateY(proof.points[at + 1]));
        (pairs[8], pairs[9], pairs[10], pairs[11]) = _x();
        if (!Bn254.pairing(pairs)) revert PairingFailed();
    }

    // --- what must hold before a challenge means anything

    function _check(FormStatement calldata statement, FormProof calldata proof) private pure {
        uint256 table = statement.table;
        if (table != 8 && table != 16) revert UnknownTable(statement.table);
        if (statement.dimension == 0 || statement.dimension >= 1 << 22) revert InvalidDimension(statement.dimension);
        if (!Bn254.isOnCurve(statement.commitment[0], statement.commitment[1])) revert InvalidPoint();
        uint256[] calldata points = proof.points;
        uint256[] calldata values = proof.values;
        if (points.length != (table == 8 ? 16 : 12) || values.length != (table == 8 ? 14 : 10)) revert WrongLength();
        for (uint256 i; i < points.length; i += 2) {
            if (!Bn254.isOnCurveOrInfinity(points[i], points[i + 1])) revert InvalidPoint();
        }
        for (uint256 i; i < values.length; ++i) {
            if (values[i] >= R) revert ScalarOutOfRange(values[i]);
        }
    }

    // --- transcript, docs/protocol.md 13.6

    function _challenges(FormStatement calldata statement, FormProof calldata proof)
        private
        view
        returns (Challenges memory c)
    {
        bytes32 state = _firstState(statement);
        uint256[] calldata points = proof.points;
        // Words of C_HI and C_M, of C_F.. and C_K.
        uint256 step = statement.table == 8 ? 4 : 2;
        uint256 at = step;
        state = state.absorb(COUNTS, points[:at]);
        c.beta = state.challenge();

        state = state.absorb(FRACTIONS, points[at:at + step + 2]);
        c.y = state.challenge();
        state = state.absorb(FOLD, points[:0]);
        c.g = state.challenge();

        at += step + 2;
        state = state.absorb(LAURENT, points[at:at + 2]);
        c.z = state.challenge();

        state = state.absorb(VALUES, proof.values);
        c.gamma = state.challenge();

        state = state.absorb(QUOTIENT, points[at + 2:at + 4]);
        c.v = state.challenge();

        // beta + t must not be 0 for any t of the table.
        uint256 size = 1 << statement.table;
        uint256 highest = statement.table == 8 ? size - 1 : size / 2 - 1;
        if (addmod(c.beta, highest, R) < size || c.g == 0 || c.gamma == 0) revert DegenerateChallenge();
    }

    function _firstState(FormStatement calldata statement) private view returns (bytes32) {
        uint256[] memory items = new uint256[](9);
        items[0] = block.chainid;
        items[1] = uint160(statement.project);
        items[2] = statement.round;
        items[3] = uint160(statement.trainer);
        items[4] = statement.dimension;
        items[5] = statement.table;
        items[6] = uint256(KEYS_HASH);
        (items[7], items[8]) = (statement.commitment[0], statement.commitment[1]);
        return Transcript.absorb(0, FORM, items);
    }

    // --- the checks

    /// @dev One inversion for all: running products forward, single inverses on the way back. Where one has no inverse, or `v` is one of
    /// the opened points, the argument would say nothing.
    function _inverses(Challenges memory c) internal view returns (Inverses memory inverse) {
        uint256 yz = mulmod(c.y, c.z, R);
        uint256[9] memory factors;
        factors[0] = c.z;
        factors[1] = c.y;
        factors[2] = Bn254.sub(c.z, 1);
        factors[3] = addmod(c.z, 1, R);
        factors[4] = Bn254.sub(c.y, 1);
        factors[5] = Bn254.sub(yz, 1);
        factors[6] = Bn254.sub(c.z, c.y);
        // z Z_2(v) = (v - yz)(vz - y), and z Z_1(v) = (v - z)(vz - 1).
        uint256 vz = mulmod(c.v, c.z, R);
        factors[7] = mulmod(Bn254.sub(c.v, yz), Bn254.sub(vz, c.y), R);
        factors[8] = mulmod(Bn254.sub(c.v, c.z), Bn254.sub(vz, 1), R);

        uint256[9] memory before;
        uint256 product = 1;
        for (uint256 i; i < 9; ++i) {
            before[i] = product;
            product = mulmod(product, factors[i], R);
        }
        if (product == 0) revert DegenerateChallenge();
        product = Bn254.inverse(product);
        for (uint256 i = 9; i > 0;) {
            --i;
            before[i] = mulmod(before[i], product, R);
            product = mulmod(product, factors[i], R);
        }
        inverse.z = before[0];
        inverse.y = before[1];
        inverse.zLess = before[2];
        inverse.run = mulmod(c.z, mulmod(before[2], before[3], R), R);
        inverse.yLess = before[4];
        inverse.yzLess = before[5];
        inverse.zLessY = before[6];
        inverse.second = mulmod(c.z, before[7], R);
    }

    /// @dev `A(z) + A(1/z) = 2 (1 + g ..) I_d(y) + z S(z) + S(1/z) / z`.
    function _checkIdentity(
        FormStatement calldata statement,
        uint256[] calldata values,
        Challenges memory c,
        Inverses memory inverse
    ) private view {
        (Side memory atZ, Side memory atInverse, uint256 constantTerm) =
            _sides(statement.dimension, statement.table, c, inverse);
        uint256 left = addmod(
            _laurent(values, statement.table, c, atZ, 0), _laurent(values, statement.table, c, atInverse, 1), R
        );
        if (statement.table == 8) constantTerm = mulmod(constantTerm, addmod(c.g, 1, R), R);
        uint256 s = statement.table == 8 ? 4 : 2;
        uint256 right = addmod(constantTerm, constantTerm, R);
        right = addmod(right, mulmod(c.z, values[s], R), R);
        right = addmod(right, mulmod(inverse.z, values[s + 1], R), R);
        if (left != right) revert FormIdentityFailed();
    }

    /// @dev The sums of powers at `1/z, 1/(yz)` (the side of `z`) and at `z, z/y` (the side of `1/z`), and `I_d(y)`.
    /// Both reciprocals follow from the inverses at hand: `1 / (1 - 1/z) = z / (z - 1)`, and so on.
    function _sides(uint256 dimension, uint256 table, Challenges memory c, Inverses memory inverse)
        private
        view
        returns (Side memory atZ, Side memory atInverse, uint256 sumY)
    {
        // 1 / (1 - p) and 1 / (1 - q) on either side.
        uint256 p0 = mulmod(c.z, inverse.zLess, R);
        uint256 p1 = Bn254.sub(0, inverse.zLess);
        uint256 q0 = mulmod(mulmod(c.y, c.z, R), inverse.yzLess, R);
        uint256 q1 = Bn254.sub(0, mulmod(c.y, inverse.zLessY, R));
        {
            uint256 zPower = Bn254.power(c.z, dimension);
            uint256 zInverse = Bn254.power(inverse.z, dimension);
            uint256 yInverse = Bn254.power(inverse.y, dimension);
            atZ.sumD = _sum(zInverse, p0);
            atZ.sumDq = _sum(mulmod(zInverse, yInverse, R), q0);
            atInverse.sumD = _sum(zPower, p1);
            atInverse.sumDq = _sum(mulmod(zPower, yInverse, R), q1);
            sumY = mulmod(Bn254.sub(Bn254.power(c.y, dimension), 1), inverse.yLess, R);
        }
        uint256 size = 1 << table;
        uint256 zSize = Bn254.power(c.z, size);
        uint256 zSizeInverse = Bn254.power(inverse.z, size);
        uint256 ySizeInverse = Bn254.power(inverse.y, size);
        atZ.sumT = _sum(zSizeInverse, p0);
        atZ.sumTq = _sum(mulmod(zSizeInverse, ySizeInverse, R), q0);
        atInverse.sumT = _sum(zSize, p1);
        atInverse.sumTq = _sum(mulmod(zSize, ySizeInverse, R), q1);
        uint256 offset = table == 8 ? 0 : size / 2;
        atZ.table = _table(inverse.z, zSizeInverse, atZ.sumT, p0, size, offset);
        atInverse.table = _table(c.z, zSize, atInverse.sumT, p1, size, offset);
    }

    /// @dev `I_n(p) = (1 - p^n) / (1 - p)`.
    function _sum(uint256 power, uint256 reciprocal) private pure returns (uint256) {
        return mulmod(Bn254.sub(1, power), reciprocal, R);
    }

    /// @dev `T(p) = sum_{t<n} (t - offset) p^t = (p I_n(p) - n p^n) / (1 - p) - offset I_n(p)`.
    function _table(uint256 p, uint256 power, uint256 sum, uint256 reciprocal, uint256 size, uint256 offset)
        private
        pure
        returns (uint256)
    {
        uint256 ramp = mulmod(Bn254.sub(mulmod(p, sum, R), mulmod(size, power, R)), reciprocal, R);
        return Bn254.sub(ramp, mulmod(offset, sum, R));
    }

    /// @dev `A` at `z` (`side` 0) or `1/z` (1): `F, K, M` are taken on the same side, `U` and `HI` on the other.
    function _laurent(uint256[] calldata values, uint256 table, Challenges memory c, Side memory at, uint256 side)
        private
        pure
        returns (uint256 sum)
    {
        uint256 column = values[1 - side];
        uint256 shift = mulmod(c.beta, at.sumD, R);
        uint256 weight = c.g;
        uint256 next;
        uint256 fractions;
        if (table == 8) {
            uint256 high = values[3 - side];
            // LO = U - 256 HI + 2^15 I_d: nobody commits to it.
            uint256 low = addmod(Bn254.sub(column, mulmod(256, high, R)), mulmod(1 << 15, at.sumD, R), R);
            fractions = values[6 + side];
            sum = mulmod(fractions, addmod(high, shift, R), R);
            uint256 second = values[8 + side];
            sum = addmod(sum, mulmod(weight, mulmod(second, addmod(low, shift, R), R), R), R);
            fractions = addmod(fractions, second, R);
            weight = mulmod(weight, c.g, R);
            next = 10 + side;
        } else {
            fractions = values[4 + side];
            sum = mulmod(fractions, addmod(column, shift, R), R);
            next = 6 + side;
        }
        uint256 k = values[next];
        uint256 looked = mulmod(k, addmod(at.table, mulmod(c.beta, at.sumT, R), R), R);
        looked = Bn254.sub(looked, mulmod(values[next + 2], at.sumT, R));
        uint256 sums = Bn254.sub(mulmod(fractions, at.sumDq, R), mulmod(k, at.sumTq, R));
        return addmod(sum, mulmod(weight, addmod(looked, mulmod(c.g, sums, R), R), R), R);
    }

    /// @dev `C_L + v W'`: `C_L = C_(f_1) + k C_(f_2) - [r_1(v) + k r_2(v)]_1 - Z_1(v) W` with `k = Z_1(v) / Z_2(v)`. `C_U` has weight one.
    function _opening(
        FormStatement calldata statement,
        FormProof calldata proof,
        Challenges memory c,
        Inverses memory inverse
    ) private view returns (uint256 x, uint256 y) {
        uint256[] calldata points = proof.points;
        uint256 vanishing = mulmod(Bn254.sub(c.v, c.z), Bn254.sub(c.v, inverse.z), R);
        uint256 ratio = mulmod(vanishing, inverse.second, R);
        Bn254.Sum memory sum;
        (sum.x, sum.y) = (statement.commitment[0], statement.commitment[1]);

        uint256 weight = c.gamma;
        uint256 at = points.length - 6; // C_S
        uint256 first; // of C_F
        if (statement.table == 8) {
            Bn254.addMul(sum, points[0], points[1], weight);
            weight = mulmod(weight, c.gamma, R);
            first = 4;
        } else {
            first = 2;
        }
        Bn254.addMul(sum, points[at], points[at + 1], weight);
        weight = mulmod(mulmod(weight, c.gamma, R), ratio, R);
        // C_F.. and C_K, then C_M.
        for (uint256 i = first; i < at; i += 2) {
            Bn254.addMul(sum, points[i], points[i + 1], weight);
            weight = mulmod(weight, c.gamma, R);
        }
        Bn254.addMul(sum, points[first - 2], points[first - 1], weight);

        uint256 claimed = _claimed(proof.values, statement.table == 8 ? 6 : 4, c, inverse, ratio);
        Bn254.addMul(sum, 1, 2, Bn254.sub(0, claimed));
        Bn254.addMul(sum, points[at + 2], points[at + 3], Bn254.sub(0, vanishing));
        Bn254.addMul(sum, points[at + 4], points[at + 5], c.v);
        return (sum.x, sum.y);
    }

    /// @dev `r_1(v) + k r_2(v)`: each the line through the folded values of its set, `r(v) = a + (a - b) (v - p) / (p - p')`.
    function _claimed(
        uint256[] calldata values,
        uint256 split,
        Challenges memory c,
        Inverses memory inverse,
        uint256 ratio
    ) private pure returns (uint256) {
        (uint256 a, uint256 b, uint256 weight) = _fold(values[:split], 1, c.gamma);
        uint256 slope = mulmod(Bn254.sub(a, b), inverse.run, R);
        uint256 first = addmod(a, mulmod(slope, Bn254.sub(c.v, c.z), R), R);

        (a, b,) = _fold(values[split:], weight, c.gamma);
        // yz - y/z = y (z - 1/z).
        slope = mulmod(mulmod(Bn254.sub(a, b), inverse.run, R), inverse.y, R);
        uint256 second = addmod(a, mulmod(slope, Bn254.sub(c.v, mulmod(c.y, c.z, R)), R), R);
        return addmod(first, mulmod(ratio, second, R), R);
    }

    /// @dev Both folded values of a set, and the weight that the next set starts with.
    function _fold(uint256[] calldata values, uint256 weight, uint256 gamma)
        private
        pure
        returns (uint256 a, uint256 b, uint256 next)
    {
        for (uint256 i; i < values.length; i += 2) {
            a = addmod(a, mulmod(weight, values[i], R), R);
            b = addmod(b, mulmod(weight, values[i + 1], R), R);
            weight = mulmod(weight, gamma, R);
        }
        return (a, b, weight);
    }
}
