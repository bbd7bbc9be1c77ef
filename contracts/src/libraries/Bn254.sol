// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title BN254 through the precompiles of EIP-196, EIP-197 and EIP-198.
/// @dev Infinity is (0, 0). Assembly stands only where a precompile is called. All gas is passed on, so that a change of a
/// precompile's price cannot lock a project; callers check points first, because a refused point burns what was passed.
library Bn254 {
    /// @notice Order of the groups and of the scalar field.
    uint256 internal constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// @notice Order of the base field, of the coordinates.
    uint256 internal constant Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583;

    /// @notice A running sum, and behind it the product that is added next: the words that both precompiles read and write, in a row, so that
    /// nothing is moved between two of them.
    struct Sum {
        uint256 x;
        uint256 y;
        uint256 productX;
        uint256 productY;
        uint256 factor;
    }

    /// @notice A precompile refused its input.
    error PrecompileFailed(uint256 precompile);

    /// @notice True for a point of the curve other than infinity with both coordinates below `q`.
    /// @dev G1 of BN254 is the whole curve `y^2 = x^3 + 3` (cofactor one), so this is all that there is to check.
    function isOnCurve(uint256 x, uint256 y) internal pure returns (bool) {
        // One comparison for both coordinates and the equation, without a branch: nothing may differ.
        uint256 differs = mulmod(y, y, Q) ^ addmod(mulmod(mulmod(x, x, Q), x, Q), 3, Q);
        return (differs | (x ^ (x % Q)) | (y ^ (y % Q))) == 0;
    }

    /// @notice As `isOnCurve`, and true for infinity.
    function isOnCurveOrInfinity(uint256 x, uint256 y) internal pure returns (bool) {
        return x | y == 0 || isOnCurve(x, y);
    }

    /// @notice `s (x, y)`.
    function mul(uint256 x, uint256 y, uint256 s) internal view returns (uint256 rx, uint256 ry) {
        bool ok;
        assembly ("memory-safe") {
            let f := mload(0x40)
            mstore(f, x)
            mstore(add(f, 0x20), y)
            mstore(add(f, 0x40), s)
            ok := staticcall(gas(), 7, f, 0x60, f, 0x40)
            rx := mload(f)
            ry := mload(add(f, 0x20))
        }
        if (!ok) revert PrecompileFailed(7);
    }

    /// @notice `(ax, ay) + (bx, by)`.
    function add(uint256 ax, uint256 ay, uint256 bx, uint256 by) internal view returns (uint256 rx, uint256 ry) {
        bool ok;
        assembly ("memory-safe") {
            let f := mload(0x40)
            mstore(f, ax)
            mstore(add(f, 0x20), ay)
            mstore(add(f, 0x40), bx)
            mstore(add(f, 0x60), by)
            ok := staticcall(gas(), 6, f, 0x80, f, 0x40)
            rx := mload(f)
            ry := mload(add(f, 0x20))
        }
        if (!ok) revert PrecompileFailed(6);
    }

    /// @notice Adds `(x, y)` to the sum.
    function add(Sum memory sum, uint256 x, uint256 y) internal view {
        (sum.productX, sum.productY) = (x, y);
        _addPoint(sum);
    }

    /// @notice Adds point `i` of `points`, 64 bytes a point, to the sum.
    function add(Sum memory sum, bytes memory points, uint256 i) internal view {
        assert(i < points.length / 64);
        assembly ("memory-safe") {
            mcopy(add(sum, 0x40), add(add(points, 0x20), shl(6, i)), 0x40)
        }
        _addPoint(sum);
    }

    function _addPoint(Sum memory sum) private view {
        bool ok;
        assembly ("memory-safe") {
            ok := staticcall(gas(), 6, sum, 0x80, sum, 0x40)
        }
        if (!ok) revert PrecompileFailed(6);
    }

    /// @notice Adds `s (x, y)` to the sum.
    function addMul(Sum memory sum, uint256 x, uint256 y, uint256 s) internal view {
        (sum.productX, sum.productY, sum.factor) = (x, y, s);
        _addProduct(sum);
    }

    /// @notice Adds `s` times point `i` of `points`, 64 bytes a point, to the sum.
    function addMul(Sum memory sum, bytes memory points, uint256 i, uint256 s) internal view {
        assert(i < points.length / 64);
        assembly ("memory-safe") {
            mcopy(add(sum, 0x40), add(add(points, 0x20), shl(6, i)), 0x40)
        }
        sum.factor = s;
        _addProduct(sum);
    }

    /// @notice Adds `s` times point `i` of `points`, two words a point, to the sum.
    function addMul(Sum memory sum, uint256[] calldata points, uint256 i, uint256 s) internal view {
        assert(i < points.length / 2);
        assembly ("memory-safe") {
            calldatacopy(add(sum, 0x40), add(points.offset, shl(6, i)), 0x40)
        }
        sum.factor = s;
        _addProduct(sum);
    }

    /// @dev No addition after a refused product: it would burn the little gas that is left for the error.
    function _addProduct(Sum memory sum) private view {
        bool ok;
        assembly ("memory-safe") {
            let product := add(sum, 0x40)
            ok := staticcall(gas(), 7, product, 0x60, product, 0x40)
            if ok { ok := staticcall(gas(), 6, sum, 0x80, sum, 0x40) }
        }
        if (!ok) revert PrecompileFailed(7);
    }

    /// @notice `a - b mod r` of two scalars below `r`.
    function sub(uint256 a, uint256 b) internal pure returns (uint256) {
        // `b` is below `r`.
        unchecked {
            return addmod(a, R - b, R);
        }
    }

    /// @notice The `y` coordinate of `-(x, y)`; infinity stays infinity.
    function negateY(uint256 y) internal pure returns (uint256) {
        return y == 0 ? 0 : Q - y;
    }

    /// @notice `base^exponent mod r`.
    function power(uint256 base, uint256 exponent) internal view returns (uint256 result) {
        bool ok;
        uint256 order = R;
        assembly ("memory-safe") {
            let f := mload(0x40)
            mstore(f, 0x20)
            mstore(add(f, 0x20), 0x20)
            mstore(add(f, 0x40), 0x20)
            mstore(add(f, 0x60), base)
            mstore(add(f, 0x80), exponent)
            mstore(add(f, 0xa0), order)
            ok := staticcall(gas(), 5, f, 0xc0, f, 0x20)
            result := mload(f)
        }
        if (!ok) revert PrecompileFailed(5);
    }

    /// @notice `1 / a mod r` by Fermat, 0 for `a = 0`.
    function inverse(uint256 a) internal view returns (uint256) {
        return power(a, R - 2);
    }

    /// @notice Whether the product of two pairings is one; false also when a point is refused.
    function pairing(uint256[12] memory words) internal view returns (bool isOne) {
        uint256 result;
        assembly ("memory-safe") {
            isOne := staticcall(gas(), 8, words, 0x180, 0, 0x20)
            result := mload(0)
        }
        isOne = isOne && result == 1;
    }

    /// @notice Whether the product of the first `pairs` pairings, seven at most, is one; false also when a point is refused.
    function pairing(uint256[42] memory words, uint256 pairs) internal view returns (bool isOne) {
        assert(pairs <= 7);
        uint256 result;
        assembly ("memory-safe") {
            isOne := staticcall(gas(), 8, words, mul(pairs, 0xc0), 0, 0x20)
            result := mload(0)
        }
        isOne = isOne && result == 1;
    }

    /// @notice Runs the pairing precompile on six words a pair: G1 `x, y`, G2 with the imaginary part first.
    /// @return valid false when a point is refused: off its curve, outside the subgroup, or a coordinate not below `q`
    /// @return isOne whether the product of the pairings is one
    function pairing(uint256[] memory words) internal view returns (bool valid, bool isOne) {
        uint256 result;
        assembly ("memory-safe") {
            valid := staticcall(gas(), 8, add(words, 0x20), mul(mload(words), 0x20), 0, 0x20)
            result := mload(0)
        }
        isOne = valid && result == 1;
    }
}
