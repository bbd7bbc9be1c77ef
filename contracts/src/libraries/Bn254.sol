// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title BN254 through the precompiles of EIP-196, EIP-197 and EIP-198.
/// @dev Infinity is (0, 0). Every call to a precompile passes on all gas, so that a repricing cannot lock a project.
/// Callers check points first, because a precompile burns all of its gas when it refuses a point.
library Bn254 {
    /// @notice Order of the groups and of the scalar field.
    uint256 internal constant R = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    /// @notice Order of the base field, in which coordinates lie.
    uint256 internal constant Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583;

    /// @notice A running sum (x, y), then the operands of the next product. This is the order in which both precompiles
    /// read and write their words, so nothing moves between two calls.
    struct Sum {
        uint256 x;
        uint256 y;
        uint256 productX;
        uint256 productY;
        uint256 factor;
    }

    /// @notice The precompile at this address refused its input.
    error PrecompileFailed(uint256 precompile);

    /* POINTS */

    /// @notice True for a finite point of the curve with both coordinates below `q`.
    /// @dev `y^2 = x^3 + 3` has cofactor one, so every point of the curve is in G1.
    function isOnCurve(uint256 x, uint256 y) internal pure returns (bool) {
        // Without branches: the equation and both bounds must leave no difference.
        uint256 differs = mulmod(y, y, Q) ^ addmod(mulmod(mulmod(x, x, Q), x, Q), 3, Q);
        return (differs | (x ^ (x % Q)) | (y ^ (y % Q))) == 0;
    }

    /// @notice As `isOnCurve`, and true for infinity.
    function isOnCurveOrInfinity(uint256 x, uint256 y) internal pure returns (bool) {
        return x | y == 0 || isOnCurve(x, y);
    }

    /// @notice The `y` coordinate of `-(x, y)`; infinity stays infinity.
    function negateY(uint256 y) internal pure returns (uint256) {
        return y == 0 ? 0 : Q - y;
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

    /* RUNNING SUM */

    /// @notice Adds `(x, y)` to the sum.
    function add(Sum memory sum, uint256 x, uint256 y) internal view {
        (sum.productX, sum.productY) = (x, y);
        _addPoint(sum);
    }

    /// @notice Adds point `i` of `points`, 64 bytes each, to the sum.
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

    /// @notice Adds `s` times point `i` of `points`, 64 bytes each, to the sum.
    function addMul(Sum memory sum, bytes memory points, uint256 i, uint256 s) internal view {
        assert(i < points.length / 64);
        assembly ("memory-safe") {
            mcopy(add(sum, 0x40), add(add(points, 0x20), shl(6, i)), 0x40)
        }
        sum.factor = s;
        _addProduct(sum);
    }

    /// @notice Adds `s` times point `i` of `points`, two words each, to the sum.
    function addMul(Sum memory sum, uint256[] calldata points, uint256 i, uint256 s) internal view {
        assert(i < points.length / 2);
        assembly ("memory-safe") {
            calldatacopy(add(sum, 0x40), add(points.offset, shl(6, i)), 0x40)
        }
        sum.factor = s;
        _addProduct(sum);
    }

    /// @dev Skips the addition if the product was refused: it would burn the little gas that is left for the error.
    function _addProduct(Sum memory sum) private view {
        bool ok;
        assembly ("memory-safe") {
            let product := add(sum, 0x40)
            ok := staticcall(gas(), 7, product, 0x60, product, 0x40)
            if ok { ok := staticcall(gas(), 6, sum, 0x80, sum, 0x40) }
        }
        if (!ok) revert PrecompileFailed(7);
    }

    /* SCALARS */

    /// @notice `a - b mod r` of two scalars below `r`.
    function sub(uint256 a, uint256 b) internal pure returns (uint256) {
        // Cannot underflow: `b` is below `r`.
        unchecked {
            return addmod(a, R - b, R);
        }
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

    /// @notice `1 / a mod r` by Fermat's little theorem; 0 for `a = 0`.
    function inverse(uint256 a) internal view returns (uint256) {
        return power(a, R - 2);
    }

    /* PAIRINGS, six words a pair: G1 `x, y`, then G2 with the imaginary parts first */

    /// @notice Whether the product of two pairings is one; false if a point is invalid.
    function pairing(uint256[12] memory words) internal view returns (bool isOne) {
        uint256 result;
        assembly ("memory-safe") {
            isOne := staticcall(gas(), 8, words, 0x180, 0, 0x20)
            result := mload(0)
        }
        isOne = isOne && result == 1;
    }

    /// @notice Whether the product of seven pairings is one; false if a point is invalid.
    function pairing(uint256[42] memory words) internal view returns (bool isOne) {
        uint256 result;
        assembly ("memory-safe") {
            isOne := staticcall(gas(), 8, words, 0x540, 0, 0x20)
            result := mload(0)
        }
        isOne = isOne && result == 1;
    }

    /// @notice The same for any number of pairs.
    /// @return valid false if a point is off its curve, outside the subgroup, or has a coordinate that is not below `q`
    /// @return isOne whether the product of the pairings is one; false if a point is invalid
    function pairing(uint256[] memory words) internal view returns (bool valid, bool isOne) {
        uint256 result;
        assembly ("memory-safe") {
            valid := staticcall(gas(), 8, add(words, 0x20), mul(mload(words), 0x20), 0, 0x20)
            result := mload(0)
        }
        isOne = valid && result == 1;
    }
}
