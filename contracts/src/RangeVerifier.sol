// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {KeyedVerifier} from "./KeyedVerifier.sol";
import {RangeProof, RangeStatement, IRangeVerifier} from "./interfaces/IRangeVerifier.sol";
import {IKeyRegistry} from "./interfaces/IKeyRegistry.sol";
import {Bn254} from "./libraries/Bn254.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {RangeChallenges, RangeTranscript} from "./libraries/RangeTranscript.sol";

/// @title Verifies a range proof: one pairing call of two pairs, for every dimension.
/// @notice Holds no state and no funds. The caller sets the statement, which the prover must not choose.
/// @dev Follows docs/protocol.md 7 and uses the names defined there.
contract RangeVerifier is IRangeVerifier, KeyedVerifier {
    uint256 private constant R = Bn254.R;

    /// @dev All inverses come from one inversion.
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

    /// @dev The opened values: first at `z` or `yz`, then at `1/z` or `y/z`. Table 16 has no `HI` and no second column.
    struct Opened {
        uint256 u0;
        uint256 u1;
        uint256 high0;
        uint256 high1;
        uint256 s0;
        uint256 s1;
        uint256 f0;
        uint256 f1;
        uint256 second0;
        uint256 second1;
        uint256 k0;
        uint256 k1;
        uint256 m0;
        uint256 m1;
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

    /// @inheritdoc IRangeVerifier
    function keyRegistry() external view returns (address) {
        return address(REGISTRY);
    }

    /// @inheritdoc IRangeVerifier
    function verify(RangeStatement calldata statement, RangeProof calldata proof) external view {
        _check(statement, proof);
        Opened memory opened = _opened(statement.table, proof.values);
        RangeChallenges memory c = RangeTranscript.challenges(statement, proof, KEYS_HASH);
        Inverses memory inverse = _inverses(c);
        _checkIdentity(statement.dimension, statement.table, opened, c, inverse);

        uint256[12] memory pairs;
        (pairs[0], pairs[1]) = _opening(statement, proof.points, opened, c, inverse);
        (pairs[2], pairs[3], pairs[4], pairs[5]) = _one();
        uint256 at = proof.points.length - 2;
        (pairs[6], pairs[7]) = (proof.points[at], Bn254.negateY(proof.points[at + 1]));
        (pairs[8], pairs[9], pairs[10], pairs[11]) = _x();
        if (!Bn254.pairing(pairs)) revert PairingFailed();
    }

    /* LENGTHS AND POINTS */

    function _check(RangeStatement calldata statement, RangeProof calldata proof) private pure {
        uint256 table = statement.table;
        if (!Bounds.isTable(table)) revert UnknownTable(statement.table);
        if (statement.dimension == 0 || statement.dimension >= Bounds.DIMENSION_LIMIT) {
            revert InvalidDimension(statement.dimension);
        }
        if (!Bn254.isOnCurve(statement.commitment[0], statement.commitment[1])) revert InvalidPoint();
        uint256[] calldata points = proof.points;
        uint256[] calldata values = proof.values;
        if (points.length != (table == 8 ? 16 : 12) || values.length != (table == 8 ? 14 : 10)) revert WrongLength();
        // Cannot overflow. The number of words is even.
        unchecked {
            for (uint256 i; i < points.length; i += 2) {
                if (!Bn254.isOnCurveOrInfinity(points[i], points[i + 1])) revert InvalidPoint();
            }
        }
    }

    /// @dev Every value must be a scalar below `r`: `x` and `x + r` would prove the same.
    function _opened(uint256 table, uint256[] calldata values) private pure returns (Opened memory v) {
        (v.u0, v.u1) = (_scalar(values[0]), _scalar(values[1]));
        if (table == 8) {
            (v.high0, v.high1) = (_scalar(values[2]), _scalar(values[3]));
            (v.s0, v.s1) = (_scalar(values[4]), _scalar(values[5]));
            (v.f0, v.f1) = (_scalar(values[6]), _scalar(values[7]));
            (v.second0, v.second1) = (_scalar(values[8]), _scalar(values[9]));
            (v.k0, v.k1) = (_scalar(values[10]), _scalar(values[11]));
            (v.m0, v.m1) = (_scalar(values[12]), _scalar(values[13]));
        } else {
            (v.s0, v.s1) = (_scalar(values[2]), _scalar(values[3]));
            (v.f0, v.f1) = (_scalar(values[4]), _scalar(values[5]));
            (v.k0, v.k1) = (_scalar(values[6]), _scalar(values[7]));
            (v.m0, v.m1) = (_scalar(values[8]), _scalar(values[9]));
        }
    }

    function _scalar(uint256 value) private pure returns (uint256) {
        if (value >= R) revert ScalarOutOfRange(value);
        return value;
    }

    /* IDENTITY */

    /// @dev Running products forward, single inverses on the way back. If a value has no inverse, or if `v` is an
    /// opened point, the argument proves nothing.
    function _inverses(RangeChallenges memory c) internal view returns (Inverses memory inverse) {
        uint256 yz = mulmod(c.y, c.z, R);
        uint256 vz = mulmod(c.v, c.z, R);
        // z Z_1(v) = (v - z)(vz - 1) must not be 0; its inverse is not needed.
        if (c.v == c.z || vz == 1) revert DegenerateChallenge();
        uint256 zzLess = Bn254.sub(mulmod(c.z, c.z, R), 1); // (z - 1)(z + 1)
        uint256 yLess = Bn254.sub(c.y, 1);
        uint256 yzLess = Bn254.sub(yz, 1);
        uint256 zLessY = Bn254.sub(c.z, c.y);
        // z Z_2(v) = (v - yz)(vz - y).
        uint256 second = mulmod(Bn254.sub(c.v, yz), Bn254.sub(vz, c.y), R);

        uint256 to2 = mulmod(yz, zzLess, R);
        uint256 to3 = mulmod(to2, yLess, R);
        uint256 to4 = mulmod(to3, yzLess, R);
        uint256 to5 = mulmod(to4, zLessY, R);
        uint256 all = mulmod(to5, second, R);
        if (all == 0) revert DegenerateChallenge();
        all = Bn254.inverse(all);

        inverse.second = mulmod(c.z, mulmod(all, to5, R), R);
        all = mulmod(all, second, R);
        inverse.zLessY = mulmod(all, to4, R);
        all = mulmod(all, zLessY, R);
        inverse.yzLess = mulmod(all, to3, R);
        all = mulmod(all, yzLess, R);
        inverse.yLess = mulmod(all, to2, R);
        all = mulmod(all, yLess, R);
        uint256 zz = mulmod(all, yz, R); // 1 / (z^2 - 1)
        inverse.run = mulmod(c.z, zz, R);
        inverse.zLess = mulmod(zz, c.z + 1, R);
        all = mulmod(all, zzLess, R); // 1 / yz
        inverse.z = mulmod(all, c.y, R);
        inverse.y = mulmod(all, c.z, R);
    }

    /// @dev `A(z) + A(1/z) = 2 (1 + g ..) I_d(y) + z S(z) + S(1/z) / z`.
    function _checkIdentity(
        uint256 dimension,
        uint256 table,
        Opened memory v,
        RangeChallenges memory c,
        Inverses memory inverse
    ) private view {
        (Side memory atZ, Side memory atInverse, uint256 constantTerm) = _sides(dimension, table, c, inverse);
        // `F, K, M` are opened on the same side, `U` and `HI` on the other.
        uint256 left = addmod(
            _laurent(table, c, atZ, v.u1, v.high1, v.f0, v.second0, v.k0, v.m0),
            _laurent(table, c, atInverse, v.u0, v.high0, v.f1, v.second1, v.k1, v.m1),
            R
        );
        if (table == 8) constantTerm = mulmod(constantTerm, addmod(c.g, 1, R), R);
        uint256 right = addmod(constantTerm, constantTerm, R);
        right = addmod(right, mulmod(c.z, v.s0, R), R);
        right = addmod(right, mulmod(inverse.z, v.s1, R), R);
        if (left != right) revert RangeIdentityFailed();
    }

    /// @dev The sums of powers at `1/z, 1/(yz)` (the side of `z`) and at `z, z/y` (the side of `1/z`), and `I_d(y)`.
    /// The reciprocals follow from the inverses: `1 / (1 - 1/z) = z / (z - 1)`, and so on.
    function _sides(uint256 dimension, uint256 table, RangeChallenges memory c, Inverses memory inverse)
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

    /// @dev `A` at one of the two points.
    function _laurent(
        uint256 table,
        RangeChallenges memory c,
        Side memory at,
        uint256 column,
        uint256 high,
        uint256 fractions,
        uint256 second,
        uint256 k,
        uint256 m
    ) private pure returns (uint256 sum) {
        uint256 shift = mulmod(c.beta, at.sumD, R);
        uint256 weight = c.g;
        if (table == 8) {
            // LO = U - 256 HI + 2^15 I_d has no commitment of its own.
            uint256 low = addmod(Bn254.sub(column, mulmod(256, high, R)), mulmod(1 << 15, at.sumD, R), R);
            sum = mulmod(fractions, addmod(high, shift, R), R);
            sum = addmod(sum, mulmod(weight, mulmod(second, addmod(low, shift, R), R), R), R);
            fractions = addmod(fractions, second, R);
            weight = mulmod(weight, c.g, R);
        } else {
            sum = mulmod(fractions, addmod(column, shift, R), R);
        }
        uint256 looked = mulmod(k, addmod(at.table, mulmod(c.beta, at.sumT, R), R), R);
        looked = Bn254.sub(looked, mulmod(m, at.sumT, R));
        uint256 sums = Bn254.sub(mulmod(fractions, at.sumDq, R), mulmod(k, at.sumTq, R));
        return addmod(sum, mulmod(weight, addmod(looked, mulmod(c.g, sums, R), R), R), R);
    }

    /// @dev `C_L + v W'`: `C_L = C_(f_1) + k C_(f_2) - [r_1(v) + k r_2(v)]_1 - Z_1(v) W` with `k = Z_1(v) / Z_2(v)`.
    /// `C_U` has weight one.
    function _opening(
        RangeStatement calldata statement,
        uint256[] calldata points,
        Opened memory opened,
        RangeChallenges memory c,
        Inverses memory inverse
    ) private view returns (uint256 x, uint256 y) {
        uint256 vanishing = mulmod(Bn254.sub(c.v, c.z), Bn254.sub(c.v, inverse.z), R);
        uint256 ratio = mulmod(vanishing, inverse.second, R);
        Bn254.Sum memory sum;
        (sum.x, sum.y) = (statement.commitment[0], statement.commitment[1]);

        uint256 weight = c.gamma;
        uint256 s = points.length / 2 - 3; // index of C_S among the points
        uint256 f = 1; // index of the first C_F
        if (statement.table == 8) {
            Bn254.addMul(sum, points, 0, weight);
            weight = mulmod(weight, c.gamma, R);
            f = 2;
        }
        Bn254.addMul(sum, points, s, weight);
        weight = mulmod(weight, c.gamma, R);
        uint256 claimed = _claimed(statement.table, opened, weight, c, inverse, ratio);
        weight = mulmod(weight, ratio, R);
        // C_F.. and C_K, then C_M.
        for (uint256 i = f; i < s; ++i) {
            Bn254.addMul(sum, points, i, weight);
            weight = mulmod(weight, c.gamma, R);
        }
        Bn254.addMul(sum, points, f - 1, weight);

        Bn254.addMul(sum, 1, 2, Bn254.sub(0, claimed));
        Bn254.addMul(sum, points, s + 1, Bn254.sub(0, vanishing));
        Bn254.addMul(sum, points, s + 2, c.v);
        return (sum.x, sum.y);
    }

    /// @dev `r_1(v) + k r_2(v)`: each is the line through the folded values of its set, `r(v) = a + (a - b) (v - p) /
    /// (p - p')`.
    /// @param weight the weight of the first value of the second set
    function _claimed(
        uint256 table,
        Opened memory o,
        uint256 weight,
        RangeChallenges memory c,
        Inverses memory inverse,
        uint256 ratio
    ) private pure returns (uint256) {
        // Both are read between the writes that slither reports, for the slope of the first line.
        // slither-disable-next-line write-after-write
        (uint256 a, uint256 b) = (o.s0, o.s1);
        if (table == 8) (a, b) = (_next(o.high0, a, c.gamma), _next(o.high1, b, c.gamma));
        (a, b) = (_next(o.u0, a, c.gamma), _next(o.u1, b, c.gamma));
        uint256 slope = mulmod(Bn254.sub(a, b), inverse.run, R);
        uint256 first = addmod(a, mulmod(slope, Bn254.sub(c.v, c.z), R), R);

        (a, b) = (_next(o.k0, o.m0, c.gamma), _next(o.k1, o.m1, c.gamma));
        if (table == 8) (a, b) = (_next(o.second0, a, c.gamma), _next(o.second1, b, c.gamma));
        (a, b) = (_next(o.f0, a, c.gamma), _next(o.f1, b, c.gamma));
        // yz - y/z = y (z - 1/z).
        slope = mulmod(mulmod(Bn254.sub(a, b), inverse.run, R), inverse.y, R);
        uint256 second = addmod(a, mulmod(slope, Bn254.sub(c.v, mulmod(c.y, c.z, R)), R), R);
        return addmod(first, mulmod(ratio, mulmod(weight, second, R), R), R);
    }

    /// @dev `value + gamma rest`, one step of a fold from the last value to the first.
    function _next(uint256 value, uint256 rest, uint256 gamma) private pure returns (uint256) {
        return addmod(value, mulmod(gamma, rest, R), R);
    }
}
