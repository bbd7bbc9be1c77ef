// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Bn254} from "../src/libraries/Bn254.sol";
import {CodeStore} from "../src/libraries/CodeStore.sol";
import {Packed} from "../src/libraries/Packed.sol";
import {SlotChain} from "../src/libraries/SlotChain.sol";
import {Transcript} from "../src/libraries/Transcript.sol";
import {KnownSecrets} from "./support/KnownSecrets.sol";
import {MiniTest} from "./support/MiniTest.sol";
import {Points} from "./support/Points.sol";

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
        Bn254.Sum memory sum;
        (sum.x, sum.y) = Bn254.mul(1, 2, a);
        Bn254.addMul(sum, 1, 2, b);
        (uint256 x, uint256 y) = (sum.x, sum.y);
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

    /* RUNNING SUM */

    /// @dev `start + 1 (x, y) + 3 (x, y)` through every overload.
    /// @param i index of the point in `points`
    function summed(uint256 start, uint256 x, uint256 y, uint256[] calldata points, uint256 i)
        external
        view
        returns (uint256[2] memory list, uint256[2] memory packed, uint256[2] memory given)
    {
        Bn254.Sum memory sum;
        if (x | y != 0) {
            (sum.x, sum.y) = Bn254.mul(1, 2, start);
            Bn254.add(sum, x, y);
            Bn254.addMul(sum, x, y, 3);
            given = [sum.x, sum.y];
        }
        (sum.x, sum.y) = Bn254.mul(1, 2, start);
        Bn254.add(sum, abi.encodePacked(points), i);
        Bn254.addMul(sum, abi.encodePacked(points), i, 3);
        packed = [sum.x, sum.y];
        (sum.x, sum.y) = Bn254.mul(1, 2, start);
        Bn254.addMul(sum, points, i, 1);
        Bn254.addMul(sum, points, i, 3);
        list = [sum.x, sum.y];
    }

    function threePoints() private view returns (uint256[] memory points) {
        points = new uint256[](6);
        (points[0], points[1]) = Bn254.mul(1, 2, 5);
        (points[4], points[5]) = Bn254.mul(1, 2, 9); // the second is infinity
    }

    function test_sum_isTheSameInEveryForm() public view {
        uint256[] memory points = threePoints();
        uint256[3] memory logarithms = [uint256(5), 0, 9];
        for (uint256 i; i < 3; ++i) {
            (uint256[2] memory list, uint256[2] memory packed, uint256[2] memory given) =
                this.summed(7, points[2 * i], points[2 * i + 1], points, i);
            (uint256 x, uint256 y) = Bn254.mul(1, 2, 7 + 4 * logarithms[i]);
            assertTrue(list[0] == x && list[1] == y);
            assertTrue(packed[0] == x && packed[1] == y);
            assertTrue(i == 1 || (given[0] == x && given[1] == y));
        }
    }

    /// @dev An index behind the last point reverts; no other memory is read.
    function test_sum_pointsBehindTheLast() public {
        uint256[] memory points = threePoints();
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 1));
        this.summed(7, 0, 0, points, 3);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 1));
        this.productOf(points, 3);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 1));
        this.packedProductOf(abi.encodePacked(points), 3);
        this.productOf(points, 2);
        this.packedProductOf(abi.encodePacked(points), 2);
    }

    function productOf(uint256[] calldata points, uint256 i) external view {
        Bn254.Sum memory sum;
        Bn254.addMul(sum, points, i, 3);
    }

    function packedProductOf(bytes memory points, uint256 i) external view {
        Bn254.Sum memory sum;
        Bn254.addMul(sum, points, i, 3);
    }

    function sumOf(uint256 x, uint256 y) external view {
        Bn254.Sum memory sum;
        Bn254.add(sum, x, y);
    }

    function test_sum_precompileFailed() public {
        uint256[] memory points = new uint256[](2);
        (points[0], points[1]) = (1, 3);
        bytes memory reason = abi.encodeWithSelector(Bn254.PrecompileFailed.selector, 7);
        vm.expectRevert(reason);
        this.productOf{gas: 1_000_000}(points, 0);
        vm.expectRevert(reason);
        this.packedProductOf{gas: 1_000_000}(abi.encodePacked(points), 0);
        vm.expectRevert(abi.encodeWithSelector(Bn254.PrecompileFailed.selector, 6));
        this.sumOf{gas: 1_000_000}(1, 3);
    }

    /* PAIRINGS */

    /// @dev `e(G1, G2) e(-G1, G2) = 1`, `e(2 G1, G2) e(-G1, G2) != 1`, and a point off the curve is invalid.
    function test_pairing_ofEveryForm() public {
        uint256[2][3] memory second = [[uint256(1), Bn254.Q - 2], [uint256(1), 2], [uint256(1), 3]];
        for (uint256 k; k < 3; ++k) {
            uint256[12] memory two;
            uint256[42] memory seven;
            uint256[] memory any = new uint256[](12);
            uint256[12] memory g2 = KnownSecrets.g2();
            (two[0], two[1], two[6], two[7]) = (1, 2, second[k][0], second[k][1]);
            for (uint256 i; i < 4; ++i) {
                (two[2 + i], two[8 + i]) = (g2[i], g2[i]);
            }
            for (uint256 i; i < 12; ++i) {
                (seven[i], any[i]) = (two[i], two[i]);
            }
            assertTrue(this.pairingOfTwo{gas: 1_000_000}(two) == (k == 0));
            assertTrue(this.pairingOfSeven{gas: 1_000_000}(seven) == (k == 0));
            (bool valid, bool isOne) = this.pairingOfAny{gas: 1_000_000}(any);
            assertTrue(valid == (k < 2));
            assertTrue(isOne == (k == 0));
        }
        uint256[42] memory none;
        assertTrue(this.pairingOfSeven(none));
    }

    function pairingOfTwo(uint256[12] memory words) external view returns (bool) {
        return Bn254.pairing(words);
    }

    function pairingOfSeven(uint256[42] memory words) external view returns (bool) {
        return Bn254.pairing(words);
    }

    function pairingOfAny(uint256[] memory words) external view returns (bool, bool) {
        return Bn254.pairing(words);
    }

    /* POWERS */

    /// @dev The precompile of EIP-198 refuses no input of these lengths; a chain without it does.
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
        assertEq(Packed.wordCount(128), 10);
    }

    function testFuzz_count_isTheSumOfBits(uint256 mask) public pure {
        uint256 n;
        for (uint256 i; i < 256; ++i) {
            if (Packed.has(mask, i)) ++n;
        }
        assertEq(Packed.count(mask), n);
    }

    /* SHARES AS BYTES */

    function toBytes(uint256[] calldata words) external pure returns (bytes memory) {
        return Packed.toBytes(words);
    }

    /// @dev Thirty bytes for each word in order, up to the last word that is not zero.
    function testFuzz_toBytes_isThirtyBytesAWord(uint256[] memory words, uint256 zeros) public view {
        uint256 n;
        bytes memory expected;
        for (uint256 i; i < words.length; ++i) {
            words[i] = i + zeros % 4 < words.length && zeros % 7 != i ? words[i] >> 16 : 0;
            if (words[i] != 0) n = i + 1;
        }
        for (uint256 i; i < n; ++i) {
            expected = abi.encodePacked(expected, uint240(words[i]));
        }
        assertEq(keccak256(this.toBytes(words)), keccak256(expected));
    }

    function test_toBytes_ofNothing() public view {
        assertEq(this.toBytes(new uint256[](0)).length, 0);
        assertEq(this.toBytes(new uint256[](10)).length, 0);
    }

    /* RUNNING HASH OF SLOTS */

    function select(uint256[2][] calldata points, uint256 mask, uint256 count)
        external
        pure
        returns (bytes32 hash, bytes memory chosen, bytes memory behind)
    {
        (hash, chosen) = SlotChain.select(points, mask, count);
        // The next allocation starts where the hash was written; it must be zero all the same.
        behind = new bytes(128);
    }

    /// @dev `next` step by step gives the same hash as `select`, which returns the points of the mask.
    function testFuzz_select_isTheChainOfAll(uint256 seed, uint256 mask, uint256 n) public view {
        n %= 129;
        mask &= (uint256(1) << n) - 1;
        uint256[2][] memory points = new uint256[2][](n);
        bytes32 expected;
        bytes memory expectedPoints;
        for (uint256 i; i < n; ++i) {
            points[i] = [uint256(keccak256(abi.encode(seed, i))), uint256(keccak256(abi.encode(seed, i, "y")))];
            assertEq(SlotChain.count(expected), i);
            bytes32 before = expected;
            expected = SlotChain.next(expected, points[i][0], points[i][1]);
            assertEq(uint256(expected) >> 8, uint256(keccak256(abi.encode(points[i][0], points[i][1], before))) >> 8);
            if (Packed.has(mask, i)) expectedPoints = abi.encodePacked(expectedPoints, points[i][0], points[i][1]);
        }
        (bytes32 hash, bytes memory chosen, bytes memory behind) = this.select(points, mask, Packed.count(mask));
        assertEq(hash, expected);
        assertEq(keccak256(chosen), keccak256(expectedPoints));
        assertEq(keccak256(behind), keccak256(new bytes(128)));
    }

    /// @dev A mask with slots beyond the points: the length follows the mask, the hash the points.
    function test_select_bitsBeyondThePoints() public view {
        uint256[2][] memory points = new uint256[2][](1);
        points[0] = [uint256(1), 2];
        (bytes32 hash, bytes memory chosen,) = this.select(points, 7, 3);
        assertEq(hash, SlotChain.next(0, 1, 2));
        assertEq(chosen.length, 192);
        (uint256 x, uint256 y) = Points.at(chosen, 0);
        assertTrue(x == 1 && y == 2);
    }

    /* BYTES IN CODE */

    function write(uint256 number, bytes calldata data) external {
        CodeStore.write(number, data);
    }

    function read(uint256 number, uint256 offset, uint256 length) external view returns (bytes memory) {
        return CodeStore.read(number, offset, length);
    }

    /// @dev For every length of the number's encoding: any bytes can be read back, with zeros behind them.
    function test_codeStore_everyLengthOfTheNumber() public {
        uint16[7] memory numbers = [1, 2, 0x7f, 0x80, 0xff, 0x100, 0xffff];
        for (uint256 i; i < numbers.length; ++i) {
            uint256 number = numbers[i];
            vm.setNonceUnsafe(address(this), uint64(number));
            bytes memory data = abi.encode(number, i);
            assertEq(this.read(number, 0, 64).length, 64);
            assertEq(keccak256(this.read(number, 0, 64)), keccak256(new bytes(64)));
            this.write(number, data);
            assertEq(CodeStore.addressOf(number), vm.computeCreateAddress(address(this), number));
            assertEq(keccak256(CodeStore.addressOf(number).code), keccak256(abi.encodePacked(bytes1(0), data)));
            assertEq(keccak256(this.read(number, 0, 64)), keccak256(data));
            assertEq(keccak256(this.read(number, 32, 64)), keccak256(abi.encodePacked(i, uint256(0))));
            assertEq(keccak256(this.read(number, 100, 32)), keccak256(new bytes(32)));
        }
    }

    /// @dev A number that is not the contract's next nonce reverts.
    function test_codeStore_aNumberThatIsNotTheNext() public {
        vm.setNonceUnsafe(address(this), 5);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 1));
        this.write(4, "data");
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 1));
        this.write(6, "data");
        this.write(5, "");
        assertEq(keccak256(CodeStore.addressOf(5).code), keccak256(hex"00"));
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 1));
        this.write(5, "");
    }

    /// @dev A call to the stored code does nothing and returns nothing, whatever the bytes are.
    function test_codeStore_isNoProgram() public {
        vm.setNonceUnsafe(address(this), 5);
        this.write(5, hex"60016000526020600060ff");
        (bool done, bytes memory answer) = CodeStore.addressOf(5).call("");
        assertTrue(done && answer.length == 0);
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
