// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Bn254} from "../src/libraries/Bn254.sol";
import {Packed} from "../src/libraries/Packed.sol";
import {Transcript} from "../src/libraries/Transcript.sol";
import {MiniTest} from "./support/MiniTest.sol";

contract LibrariesTest is MiniTest {
    function mul(uint256 x, uint256 y, uint256 s) external view returns (uint256, uint256) {
        return Bn254.mul(x, y, s);
    }

    function add(uint256 ax, uint256 ay, uint256 bx, uint256 by) external view returns (uint256, uint256) {
        return Bn254.add(ax, ay, bx, by);
    }

    function test_isOnCurve_edges() public pure {
        assertTrue(Bn254.isOnCurve(1, 2));
        assertTrue(Bn254.isOnCurve(1, Bn254.Q - 2));
        assertFalse(Bn254.isOnCurve(0, 0));
        assertFalse(Bn254.isOnCurve(1, 3));
        assertFalse(Bn254.isOnCurve(1 + Bn254.Q, 2));
        assertFalse(Bn254.isOnCurve(1, 2 + Bn254.Q));
        assertTrue(Bn254.isOnCurveOrInfinity(0, 0));
        assertFalse(Bn254.isOnCurveOrInfinity(0, 1));
    }

    function testFuzz_addMul_isLinear(uint256 a, uint256 b) public view {
        (a, b) = (a % Bn254.R, b % Bn254.R);
        (uint256 x, uint256 y) = Bn254.mul(1, 2, a);
        (x, y) = Bn254.addMul(x, y, 1, 2, b);
        (uint256 sx, uint256 sy) = Bn254.mul(1, 2, addmod(a, b, Bn254.R));
        assertEq(x, sx);
        assertEq(y, sy);
        assertTrue(Bn254.isOnCurveOrInfinity(x, y));
        (x, y) = Bn254.add(x, y, x, Bn254.negateY(y));
        assertEq(x | y, 0);
    }

    function testFuzz_inverse_multipliesToOne(uint256 a) public view {
        a %= Bn254.R;
        vm.assume(a != 0);
        assertEq(mulmod(a, Bn254.inverse(a), Bn254.R), 1);
    }

    function test_power_edges() public view {
        assertEq(Bn254.inverse(0), 0);
        assertEq(Bn254.power(7, 0), 1);
        assertEq(Bn254.power(7, 3), 343);
        assertEq(Bn254.negateY(0), 0);
    }

    function test_mul_precompileFailed() public {
        vm.expectRevert(abi.encodeWithSelector(Bn254.PrecompileFailed.selector, 7));
        this.mul{gas: 100_000}(1, 3, 1);
    }

    function test_add_precompileFailed() public {
        vm.expectRevert(abi.encodeWithSelector(Bn254.PrecompileFailed.selector, 6));
        this.add{gas: 100_000}(1, 2, 1, 3);
    }

    /// @dev Either call of the two: the product of a point off the curve, and the sum with one.
    function test_addMul_precompileFailed() public {
        vm.expectRevert(abi.encodeWithSelector(Bn254.PrecompileFailed.selector, 7));
        this.addMul{gas: 10_000_000}(1, 2, 1, 3); // a refused point burns what it is given, twice here
        vm.expectRevert(abi.encodeWithSelector(Bn254.PrecompileFailed.selector, 6));
        this.addMul{gas: 10_000_000}(1, 3, 1, 2);
        this.addMul(1, 2, 1, 2);
    }

    function addMul(uint256 ax, uint256 ay, uint256 x, uint256 y) external view {
        Bn254.addMul(ax, ay, x, y, 3);
    }

    /// @dev The precompile of EIP-198 refuses nothing of these lengths; a chain without it would.
    function test_power_precompileFailed() public {
        vm.mockCallRevert(address(5), "", "");
        vm.expectRevert(abi.encodeWithSelector(Bn254.PrecompileFailed.selector, 5));
        this.power(2, 3);
        vm.clearMockedCalls();
        assertEq(this.power(2, 3), 8);
    }

    function power(uint256 base, uint256 exponent) external view returns (uint256) {
        return Bn254.power(base, exponent);
    }

    function testFuzz_lane_readsWhatWasPacked(uint256[64] memory values) public pure {
        uint256[] memory words = new uint256[](Packed.wordCount(64));
        for (uint256 i; i < 64; ++i) {
            values[i] %= Packed.ONE + 1;
            words[i / 14] |= values[i] << (17 * (i % 14));
        }
        for (uint256 i; i < 64; ++i) {
            assertEq(Packed.lane(words[i / 14], i), values[i]);
        }
    }

    function test_wordCount_ofEverySize() public pure {
        assertEq(Packed.wordCount(8), 1);
        assertEq(Packed.wordCount(14), 1);
        assertEq(Packed.wordCount(16), 2);
        assertEq(Packed.wordCount(32), 3);
        assertEq(Packed.wordCount(64), 5);
    }

    function testFuzz_count_isTheSumOfBits(uint256 mask) public pure {
        uint256 n;
        for (uint256 i; i < 256; ++i) {
            if (Packed.has(mask, i)) ++n;
        }
        assertEq(Packed.count(mask), n);
    }

    function test_absorb_isKeccakOfTheAbiEncoding() public pure {
        uint256[] memory items = new uint256[](2);
        (items[0], items[1]) = (5, 6);
        bytes32 state = Transcript.absorb(bytes32(uint256(9)), "gram", items);
        bytes memory encoded = abi.encodePacked(
            uint256(9), bytes32(hex"6772616d00000000000000000000000000000000000000000000000000000000"), uint256(96)
        );
        assertEq(state, keccak256(abi.encodePacked(encoded, uint256(2), uint256(5), uint256(6))));
        assertEq(Transcript.challenge(bytes32(Bn254.R + 4)), 4);
    }
}
