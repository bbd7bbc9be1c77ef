// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RangeProof, RangeStatement, IRangeVerifier} from "../src/interfaces/IRangeVerifier.sol";
import {IVerifyingKey} from "../src/interfaces/IKeyRegistry.sol";
import {Bn254} from "../src/libraries/Bn254.sol";
import {Transcript} from "../src/libraries/Transcript.sol";
import {DegenerateProbe, KeyRegistry} from "./support/Deployed.sol";
import {Vectors} from "./support/Vectors.sol";

/// @dev Range proofs of the real prover (tests/vectors/form_*.json): accepted unchanged, refused with any word changed.
contract RangeVerifierTest is Vectors {
    uint256 private constant R = Bn254.R;

    struct Vector {
        RangeStatement statement;
        RangeProof proof;
        bytes32[] states;
    }

    IRangeVerifier private verifier;
    KeyRegistry private registry;
    Vector private limbs;
    Vector private bits;

    event Gas(string what, uint256 used);

    function setUp() public {
        string memory json = file("range_limbs.json");
        vm.chainId(vm.parseJsonUint(json, ".chainId"));
        (uint256[2] memory x1, uint256[12] memory g2) = readKzg(json, ".kzg");
        registry = newRegistry(true, x1, g2, new IVerifyingKey[](0));
        assertEq(registry.keysHash(), vm.parseJsonBytes32(json, ".keysHash"));
        verifier = newVerifier(registry);
        read(limbs, json);
        read(bits, file("range_bits.json"));
    }

    function newVerifier(KeyRegistry keys) private returns (IRangeVerifier) {
        return IRangeVerifier(deploy("RangeVerifier.sol:RangeVerifier", abi.encode(keys)));
    }

    function read(Vector storage vector, string memory json) private {
        vector.statement = readRangeStatement(json, "");
        vector.proof = readRangeProof(json, "");
        vector.states = vm.parseJsonBytes32Array(json, ".states");
    }

    /* ACCEPTED PROOFS */

    function test_verify_acceptsHonestProofs() public {
        assertEq(registry.isDev() ? 1 : 0, 1);
        assertEq(verifier.keyRegistry(), address(registry));
        emit Gas("two limbs of 8 bits, d = 1000", used(limbs));
        emit Gas("table of 2^16, d = 4096", used(bits));
        assertTrue(used(limbs) < 280_000, "gas with limbs");
        assertTrue(used(bits) < 280_000, "gas with 16 bits");
    }

    function used(Vector storage vector) private view returns (uint256 gas) {
        (RangeStatement memory s, RangeProof memory p) = (vector.statement, vector.proof);
        gas = gasleft();
        verifier.verify(s, p);
        gas -= gasleft();
    }

    /// @dev The states of docs/protocol.md 7, derived independently here.
    function test_transcript_isTheProversWordForWord() public view {
        checkStates(limbs, 4);
        checkStates(bits, 2);
    }

    function checkStates(Vector storage vector, uint256 step) private view {
        RangeStatement memory s = vector.statement;
        uint256[] memory items = new uint256[](9);
        (items[0], items[1], items[2]) = (block.chainid, uint160(s.project), s.round);
        (items[3], items[4], items[5]) = (uint160(s.trainer), s.dimension, s.table);
        items[6] = uint256(registry.keysHash());
        (items[7], items[8]) = (s.commitment[0], s.commitment[1]);
        bytes32[7] memory states;
        states[0] = Transcript.absorb(0, "fairshare.range.v1", items);
        uint256[] memory p = vector.proof.points;
        states[1] = Transcript.absorb(states[0], "counts", part(p, 0, step));
        states[2] = Transcript.absorb(states[1], "fractions", part(p, step, step + 2));
        states[3] = Transcript.absorb(states[2], "fold", new uint256[](0));
        states[4] = Transcript.absorb(states[3], "laurent", part(p, 2 * step + 2, 2));
        states[5] = Transcript.absorb(states[4], "values", vector.proof.values);
        states[6] = Transcript.absorb(states[5], "quotient", part(p, 2 * step + 4, 2));
        assertEq(vector.states.length, 7);
        for (uint256 i; i < 7; ++i) {
            assertEq(states[i], vector.states[i]);
        }
    }

    function part(uint256[] memory all, uint256 from, uint256 length) private pure returns (uint256[] memory some) {
        some = new uint256[](length);
        for (uint256 i; i < length; ++i) {
            some[i] = all[from + i];
        }
    }

    /* REFUSED: commitments to other updates */

    function test_verify_refusesEveryCheat() public {
        string memory json = file("range_cheats.json");
        uint256 count = vm.parseJsonUint(json, ".count");
        assertTrue(count >= 10);
        for (uint256 i; i < count; ++i) {
            string memory at = string.concat(".case", digits(i));
            bytes4 reason = IRangeVerifier.RangeIdentityFailed.selector;
            refused(readRangeStatement(json, at), readRangeProof(json, at), reason);
        }
    }

    function digits(uint256 i) private pure returns (string memory) {
        bytes memory one = new bytes(1);
        one[0] = bytes1(uint8(48 + i % 10));
        return i < 10 ? string(one) : string.concat(digits(i / 10), string(one));
    }

    /// @dev Values moved together so that the identity still holds; the opening does not.
    function test_verify_refusesValuesBentToTheIdentity() public {
        bend(limbs, 4, 6);
        bend(bits, 2, 4);
    }

    /// @param s place of `S(z)`, @param f place of `F(yz)` of the first column
    function bend(Vector storage vector, uint256 s, uint256 f) private {
        (RangeStatement memory st, RangeProof memory p) = (vector.statement, vector.proof);
        uint256 z = Transcript.challenge(vector.states[4]);
        uint256 honest = p.values[s];
        // z S(z) + S(1/z)/z is unchanged if S(z) gains 1 and S(1/z) loses z^2.
        p.values[s] = addmod(honest, 1, R);
        p.values[s + 1] = addmod(p.values[s + 1], R - mulmod(z, z, R), R);
        refused(st, p, IRangeVerifier.PairingFailed.selector);
        p.values[s + 1] = addmod(p.values[s + 1], mulmod(z, z, R), R);

        // U(z) gains 1: A(1/z) gains F(y/z), with limbs g F_2(y/z), and z S(z) compensates.
        uint256 gain = p.values[f + 1];
        if (st.table == 8) gain = mulmod(p.values[f + 3], Transcript.challenge(vector.states[3]), R);
        p.values[s] = addmod(honest, mulmod(gain, Bn254.inverse(z), R), R);
        p.values[0] = addmod(p.values[0], 1, R);
        refused(st, p, IRangeVerifier.PairingFailed.selector);
    }

    /* REFUSED: replays */

    function test_verify_refusesAProofForAnythingElse() public {
        for (uint256 k; k < 2; ++k) {
            Vector storage vector = k == 0 ? limbs : bits;
            RangeProof memory p = vector.proof;
            bytes4 reason = IRangeVerifier.RangeIdentityFailed.selector;
            RangeStatement memory s = vector.statement;
            s.project = address(uint160(s.project) ^ 1);
            refused(s, p, reason);
            s = vector.statement;
            ++s.round;
            refused(s, p, reason);
            s = vector.statement;
            s.trainer = address(uint160(s.trainer) ^ 1);
            refused(s, p, reason);
            s = vector.statement;
            ++s.dimension;
            refused(s, p, reason);
            s = vector.statement;
            s.commitment = [uint256(1), 2];
            refused(s, p, reason);
            s = vector.statement;
            s.commitment[1] = Bn254.Q - s.commitment[1];
            refused(s, p, reason);
            s = vector.statement;
            s.table = s.table == 8 ? 16 : 8;
            refused(s, p, IRangeVerifier.WrongLength.selector);
            vm.chainId(1);
            refused(vector.statement, p, reason);
            vm.chainId(31337);
        }
    }

    /// @dev Other keys with the same KZG points: a DEV registry, and one that is not.
    function test_verify_refusesAProofForOtherKeys() public {
        (uint256[2] memory x1, uint256[12] memory g2) = registry.kzg();
        KeyRegistry other = newRegistry(false, x1, g2, new IVerifyingKey[](0));
        verifier = newVerifier(other);
        refused(limbs.statement, limbs.proof, IRangeVerifier.RangeIdentityFailed.selector);
    }

    /* REFUSED: every word changed */

    function test_verify_refusesEveryChangedPoint() public {
        everyPoint(limbs);
        everyPoint(bits);
    }

    function everyPoint(Vector storage vector) private {
        RangeStatement memory s = vector.statement;
        RangeProof memory p = vector.proof;
        bytes4 invalid = IRangeVerifier.InvalidPoint.selector;
        for (uint256 i; i < p.points.length; ++i) {
            uint256 honest = p.points[i];
            uint256[6] memory bad = [honest ^ 1, 0, R, Bn254.Q, honest + Bn254.Q, type(uint256).max];
            for (uint256 k; k < bad.length; ++k) {
                p.points[i] = bad[k];
                refused(s, p, invalid);
            }
            p.points[i] = honest;
        }
        for (uint256 i; i < p.points.length; i += 2) {
            (uint256 x, uint256 y) = (p.points[i], p.points[i + 1]);
            // Words that the transcript absorbs before the values change z; W and W' change only the opening.
            bytes4 reason = i + 4 >= p.points.length
                ? IRangeVerifier.PairingFailed.selector
                : IRangeVerifier.RangeIdentityFailed.selector;
            p.points[i + 1] = Bn254.Q - y;
            refused(s, p, reason);
            (p.points[i], p.points[i + 1]) = (1, 2);
            refused(s, p, reason);
            (p.points[i], p.points[i + 1]) = (0, 0);
            refused(s, p, reason);
            (p.points[i], p.points[i + 1]) = (x, y);
        }
        for (uint256 i; i < 2; ++i) {
            uint256 honest = s.commitment[i];
            uint256[5] memory bad = [honest ^ 1, 0, R, Bn254.Q, honest + Bn254.Q];
            for (uint256 k; k < bad.length; ++k) {
                s.commitment[i] = bad[k];
                refused(s, p, invalid);
            }
            s.commitment[i] = honest;
        }
        s.commitment = [uint256(0), 0];
        refused(s, p, invalid);
    }

    function test_verify_refusesEveryChangedValue() public {
        everyValue(limbs);
        everyValue(bits);
    }

    function everyValue(Vector storage vector) private {
        RangeStatement memory s = vector.statement;
        RangeProof memory p = vector.proof;
        for (uint256 i; i < p.values.length; ++i) {
            uint256 honest = p.values[i];
            uint256[4] memory changed = [addmod(honest, 1, R), addmod(honest, R - 1, R), 0, R - honest];
            for (uint256 k; k < changed.length; ++k) {
                p.values[i] = changed[k];
                refused(s, p, IRangeVerifier.RangeIdentityFailed.selector);
            }
            uint256[4] memory large = [R, honest + R, Bn254.Q, type(uint256).max];
            for (uint256 k; k < large.length; ++k) {
                p.values[i] = large[k];
                vm.expectRevert(abi.encodeWithSelector(IRangeVerifier.ScalarOutOfRange.selector, large[k]));
                verifier.verify(s, p);
            }
            p.values[i] = honest;
        }
    }

    function testFuzz_verify_refusesAnyOtherWord(uint256 index, uint256 word) public {
        RangeProof memory p = limbs.proof;
        index %= 30;
        uint256[] memory where = index < 16 ? p.points : p.values;
        uint256 at = index < 16 ? index : index - 16;
        vm.assume(where[at] != word);
        where[at] = word;
        (bool accepted,) = address(verifier).staticcall(abi.encodeCall(IRangeVerifier.verify, (limbs.statement, p)));
        assertFalse(accepted);
    }

    function test_verify_refusesWrongLengthsTablesAndDimensions() public {
        RangeStatement memory s = limbs.statement;
        RangeProof memory p = limbs.proof;
        RangeProof memory other = bits.proof;
        refused(s, other, IRangeVerifier.WrongLength.selector);
        refused(s, RangeProof(p.points, part(p.values, 0, 13)), IRangeVerifier.WrongLength.selector);
        refused(s, RangeProof(part(p.points, 0, 15), p.values), IRangeVerifier.WrongLength.selector);
        refused(s, RangeProof(new uint256[](0), new uint256[](0)), IRangeVerifier.WrongLength.selector);
        for (uint256 table; table < 256; ++table) {
            if (table == 8 || table == 16) continue;
            s.table = uint8(table);
            vm.expectRevert(abi.encodeWithSelector(IRangeVerifier.UnknownTable.selector, uint8(table)));
            verifier.verify(s, p);
        }
        s.table = 8;
        uint256[3] memory dimensions = [uint256(0), 1 << 22, type(uint256).max];
        for (uint256 i; i < 3; ++i) {
            s.dimension = dimensions[i];
            vm.expectRevert(abi.encodeWithSelector(IRangeVerifier.InvalidDimension.selector, dimensions[i]));
            verifier.verify(s, p);
        }
    }

    /* REFUSED: challenges for which the argument proves nothing */

    function test_inverses_refusesDegenerateChallenges() public {
        DegenerateProbe probe =
            DegenerateProbe(deploy("DegenerateProbe.sol:DegenerateProbe", abi.encode(registry)));
        (uint256 y, uint256 z) = (5, 7);
        uint256 zInverse = Bn254.inverse(z);
        DegenerateProbe.Inverses memory good = probe.inverses(challenges(y, z, 11));
        assertEq(mulmod(good.z, z, R), 1);
        assertEq(mulmod(good.y, y, R), 1);
        assertEq(mulmod(good.run, addmod(z, R - zInverse, R), R), 1);
        assertEq(mulmod(good.zLess, z - 1, R), 1);
        assertEq(mulmod(good.yLess, y - 1, R), 1);
        assertEq(mulmod(good.yzLess, y * z - 1, R), 1);
        assertEq(mulmod(good.zLessY, z - y, R), 1);
        uint256 second = mulmod(R - (y * z - 11), addmod(11, R - mulmod(y, zInverse, R), R), R);
        assertEq(mulmod(good.second, second, R), 1);

        uint256[5] memory zs = [0, 1, R - 1, y, Bn254.inverse(y)];
        for (uint256 i; i < zs.length; ++i) {
            degenerate(probe, y, zs[i], 11);
        }
        degenerate(probe, 0, z, 11);
        degenerate(probe, 1, z, 11);
        uint256[4] memory vs = [z, zInverse, mulmod(y, z, R), mulmod(y, zInverse, R)];
        for (uint256 i; i < vs.length; ++i) {
            degenerate(probe, y, z, vs[i]);
        }
        probe.inverses(challenges(R - 1, z, 0));
    }

    function challenges(uint256 y, uint256 z, uint256 v) private pure returns (DegenerateProbe.Challenges memory c) {
        (c.y, c.z, c.v) = (y, z, v);
    }

    function degenerate(DegenerateProbe probe, uint256 y, uint256 z, uint256 v) private {
        vm.expectRevert(IRangeVerifier.DegenerateChallenge.selector);
        probe.inverses(challenges(y, z, v));
    }

    function refused(RangeStatement memory s, RangeProof memory p, bytes4 reason) private {
        vm.expectRevert(reason);
        verifier.verify(s, p);
    }
}
