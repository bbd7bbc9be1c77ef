// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IKeyRegistry, IVerifyingKey} from "../src/interfaces/IKeyRegistry.sol";
import {IRoundVerifier, RoundProof, RoundStatement} from "../src/interfaces/IRoundVerifier.sol";
import {Bn254} from "../src/libraries/Bn254.sol";
import {Packed} from "../src/libraries/Packed.sol";
import {KeyRegistry} from "./support/Deployed.sol";
import {Forger, KnownSecrets, TestKey} from "./support/KnownSecrets.sol";
import {LateForger} from "./support/LateForger.sol";
import {MiniTest} from "./support/MiniTest.sol";
import {Points} from "./support/Points.sol";

/// @notice FOR TESTS: a registry without checks, with one key for every rule and size.
contract LooseRegistry is IKeyRegistry {
    IVerifyingKey private immutable KEY;
    bytes32 public constant keysHash = "any";
    bool public constant isDev = true;

    constructor(IVerifyingKey key) {
        KEY = key;
    }

    function verifyingKey(uint8, uint8) external view returns (IVerifyingKey) {
        return KEY;
    }

    function kzg() external view returns (uint256[2] memory, uint256[12] memory) {
        return (KnownSecrets.x1(), KnownSecrets.g2());
    }
}

/// @dev The real verifier against forged proofs, which satisfy its equations because the tests know the secrets of the
/// keys. RoundVector.t.sol has proofs of the real prover.
contract RoundVerifierTest is MiniTest {
    KeyRegistry private registry;
    IRoundVerifier private verifier;
    Forger private forger;

    function setUp() public {
        // Every size except 32.
        IVerifyingKey[] memory keys = new IVerifyingKey[](4);
        keys[0] = new TestKey(1, 8).asKey();
        keys[1] = new TestKey(1, 16).asKey();
        keys[2] = new TestKey(1, 64).asKey();
        keys[3] = new TestKey(1, 128).asKey();
        registry = newRegistry(true, KnownSecrets.x1(), KnownSecrets.g2(), keys);
        verifier = IRoundVerifier(deploy("RoundVerifier.sol:RoundVerifier", abi.encode(registry)));
        forger = new Forger(registry.keysHash());
    }

    function statementOf(uint8 size, uint256 mask) private view returns (RoundStatement memory s) {
        s.project = address(0x1234);
        s.round = 3;
        s.payee = address(0xA6);
        s.dimension = 9610;
        s.slots = size;
        s.rule = 1;
        s.policy = [uint256(32), 2];
        s.activeMask = mask;
        s.modelCid = "new model";
        (s.model[0], s.model[1]) = Bn254.mul(1, 2, 777);
        s.commitments = new bytes(64 * Packed.count(mask));
        for (uint256 i; 64 * i < s.commitments.length; ++i) {
            (uint256 x, uint256 y) = Bn254.mul(1, 2, 900 + 2 * i);
            Points.put(s.commitments, i, x, y);
        }
    }

    function claims(uint8 size) private pure returns (RoundProof memory p) {
        p.sigma = 987654321;
        p.keptMask = 5;
        p.coherence = 30000;
        p.shares = new uint256[](Packed.wordCount(size));
        p.weights = new uint256[](Packed.wordCount(size));
        p.shares[0] = 1000 | (2000 << 17);
        p.weights[0] = 900 | (1900 << 17);
    }

    function pass(RoundStatement memory s, RoundProof memory p) private view {
        verifier.verify{gas: 10_000_000}(s, p);
    }

    function accepts(RoundStatement memory s, RoundProof memory p) private view returns (bool) {
        (bool ok,) = address(verifier).staticcall{gas: 2_000_000}(abi.encodeCall(verifier.verify, (s, p)));
        return ok;
    }

    /// @dev The selector of the error, and the first 28 bytes of its argument.
    function reasonOf(RoundStatement memory s, RoundProof memory p) private view returns (bytes32) {
        return bytes32(fullReasonOf(s, p));
    }

    function fullReasonOf(RoundStatement memory s, RoundProof memory p) private view returns (bytes memory reason) {
        bool ok;
        (ok, reason) = address(verifier).staticcall{gas: 2_000_000}(abi.encodeCall(verifier.verify, (s, p)));
        assertFalse(ok);
    }

    function good() private view returns (RoundStatement memory s, RoundProof memory p) {
        s = statementOf(16, 0x3ff);
        p = forger.forge(s, claims(16));
    }

    function test_verify_acceptsEverySize() public view {
        uint8[4] memory sizes = [8, 16, 64, 128];
        for (uint256 i; i < 4; ++i) {
            uint256 all = (uint256(1) << sizes[i]) - 1;
            RoundStatement memory s = statementOf(sizes[i], all);
            pass(s, forger.forge(s, claims(sizes[i])));
        }
    }

    function test_verify_slotsAreNotCompacted() public view {
        RoundStatement memory s = statementOf(16, 0x8025);
        RoundProof memory p = forger.forge(s, claims(16));
        pass(s, p);
        // The same four commitments at other slots: rho_i depends on the slot, and the transcript absorbs the mask.
        s.activeMask = 0xf;
        assertEq(reasonOf(s, p), bytes32(IRoundVerifier.LaurentIdentityFailed.selector));
    }

    function test_verify_dimensionOne() public view {
        RoundStatement memory s = statementOf(8, 7);
        s.dimension = 1;
        pass(s, forger.forge(s, claims(8)));
    }

    function test_verify_infinityWhereItIsAllowed() public view {
        // C_S, C_R and W may be infinity: valid as points, refused only by the equation.
        (RoundStatement memory s, RoundProof memory p) = good();
        p.opening = [uint256(0), 0];
        assertEq(reasonOf(s, p), bytes32(IRoundVerifier.PairingFailed.selector));
    }

    function test_verify_everyStatementWordIsBound() public {
        (RoundStatement memory s, RoundProof memory p) = good();
        pass(s, p);
        for (uint256 i; i < 11; ++i) {
            RoundStatement memory other = abi.decode(abi.encode(s), (RoundStatement));
            if (i == 0) other.project = address(0x1235);
            if (i == 1) other.round = 4;
            if (i == 2) other.payee = address(0xA7);
            if (i == 3) other.dimension = 9611;
            if (i == 4) other.policy[0] = 33;
            if (i == 5) other.policy[1] = 1;
            if (i == 6) other.modelCid = "other model";
            if (i == 7) other.activeMask = 0x5ff;
            if (i == 9) other.model = p.model;
            if (i == 10) other.model = [uint256(0), 0];
            if (i == 8) {
                (uint256 x, uint256 y) = Points.at(other.commitments, 0);
                Points.put(other.commitments, 1, x, y);
            }
            assertFalse(accepts(other, p));
        }
        vm.chainId(1337);
        assertFalse(accepts(s, p));
    }

    /// @dev The challenge that joins the equations must depend on every part of them.
    function test_verify_openingModelOrProofChosenAfterNu() public {
        LateForger liar = new LateForger(registry.keysHash());
        for (uint256 late; late < 3; ++late) {
            (RoundStatement memory s, RoundProof memory p) = good();
            RoundProof memory bent = liar.bend(s, p, LateForger.Late(late));
            assertEq(reasonOf(s, bent), bytes32(IRoundVerifier.PairingFailed.selector));
        }
    }

    function test_verify_everyProofWordIsBound() public view {
        (RoundStatement memory s, RoundProof memory p) = good();
        bytes memory encoded = abi.encode(p);
        // Words of the encoding: 0 is the offset of the tuple, 4 and 5 those of the arrays; the rest are words of the
        // proof.
        for (uint256 i = 1; i < encoded.length / 32; ++i) {
            if (i == 4 || i == 5) continue;
            bytes memory mangled = abi.encodePacked(encoded);
            assembly {
                let place := add(mangled, mul(32, add(i, 1)))
                mstore(place, xor(mload(place), 1))
            }
            (bool ok,) = address(this).staticcall{gas: 4_000_000}(abi.encodeCall(this.verifyEncoded, (s, mangled)));
            assertFalse(ok);
        }
    }

    function verifyEncoded(RoundStatement calldata s, bytes calldata encoded) external view {
        verifier.verify{gas: 2_000_000}(s, abi.decode(encoded, (RoundProof)));
    }

    function test_verify_scalarOutOfRange() public {
        (RoundStatement memory s, RoundProof memory p) = good();
        for (uint256 i; i < 11; ++i) {
            RoundProof memory bent = abi.decode(abi.encode(p), (RoundProof));
            uint256 value;
            if (i == 0) value = bent.sigma += Bn254.R;
            if (i == 1) value = bent.keptMask += Bn254.R;
            if (i == 2) value = bent.coherence += Bn254.R;
            if (i > 2 && i < 5) value = bent.shares[i - 3] += Bn254.R;
            if (i > 4 && i < 7) value = bent.weights[i - 5] += Bn254.R;
            if (i > 6) value = bent.values[i - 7] += Bn254.R;
            vm.expectRevert(abi.encodeWithSelector(IRoundVerifier.ScalarOutOfRange.selector, value));
            verifier.verify(s, bent);
        }
        s.policy[0] = Bn254.R;
        vm.expectRevert(abi.encodeWithSelector(IRoundVerifier.ScalarOutOfRange.selector, Bn254.R));
        verifier.verify(s, p);
    }

    function test_verify_invalidPoint() public view {
        (RoundStatement memory s, RoundProof memory p) = good();
        bytes32 expected = bytes32(IRoundVerifier.InvalidPoint.selector);
        uint8[4] memory places = [0, 1, 6, 7];
        for (uint256 i; i < 4; ++i) {
            RoundProof memory bent = abi.decode(abi.encode(p), (RoundProof));
            bent.groth16[places[i]] += Bn254.Q; // the same residue, not canonical
            assertEq(reasonOf(s, bent), expected);
            bent.groth16[places[i]] = 12345;
            assertEq(reasonOf(s, bent), expected);
        }
        for (uint256 i; i < 8; ++i) {
            RoundProof memory bent = abi.decode(abi.encode(p), (RoundProof));
            uint256[2] memory point = i < 2 ? bent.quotient : i < 4 ? bent.reversed : i < 6 ? bent.opening : bent.model;
            point[i % 2] += Bn254.Q;
            assertEq(reasonOf(s, bent), expected);
            point[i % 2] = 12345;
            assertEq(reasonOf(s, bent), expected);
        }
        RoundProof memory infinite = abi.decode(abi.encode(p), (RoundProof));
        (infinite.groth16[0], infinite.groth16[1]) = (0, 0);
        assertEq(reasonOf(s, infinite), expected);
        uint256[2] memory before = s.model;
        s.model = [before[0] + Bn254.Q, before[1]];
        assertEq(reasonOf(s, p), expected);
        s.model = [uint256(1), 3];
        assertEq(reasonOf(s, p), expected);
        s.model = before;
        Points.put(s.commitments, 0, 0, 0);
        assertEq(reasonOf(s, p), expected);
    }

    /// @dev The precompile's check. A project never gets here with such a point, because its range proof was refused.
    function test_verify_commitmentOffTheCurve() public view {
        bytes32 expected = bytes32(Bn254.PrecompileFailed.selector);
        for (uint256 i; i < 10; i += 9) {
            (RoundStatement memory s, RoundProof memory p) = good();
            Points.put(s.commitments, i, 1, 3);
            assertEq(bytes32(bytes4(reasonOf(s, p))), expected);
        }
    }

    function test_verify_invalidG2Point() public view {
        (RoundStatement memory s, RoundProof memory p) = good();
        for (uint256 i = 2; i < 6; ++i) {
            RoundProof memory bent = abi.decode(abi.encode(p), (RoundProof));
            bent.groth16[i] += Bn254.Q;
            assertFalse(accepts(s, bent));
        }
    }

    /// @dev A, B and C may not be infinity. Only the pairing reads B, where infinity makes `e(A, B)` one.
    function test_verify_groth16PointAtInfinity() public view {
        (RoundStatement memory s, RoundProof memory p) = good();
        (uint256 ax, uint256 ay) = (p.groth16[0], p.groth16[1]);
        (p.groth16[0], p.groth16[1]) = (0, 0);
        assertEq(reasonOf(s, p), bytes32(IRoundVerifier.InvalidPoint.selector));
        (p.groth16[0], p.groth16[1]) = (ax, ay);
        (uint256 cx, uint256 cy) = (p.groth16[6], p.groth16[7]);
        (p.groth16[6], p.groth16[7]) = (0, 0);
        assertEq(reasonOf(s, p), bytes32(IRoundVerifier.InvalidPoint.selector));
        (p.groth16[6], p.groth16[7]) = (cx, cy);
        pass(s, p);
        for (uint256 i = 2; i < 6; ++i) {
            p.groth16[i] = 0;
        }
        assertEq(reasonOf(s, p), bytes32(IRoundVerifier.PairingFailed.selector));
    }

    /* COMMITMENT TO THE WITNESSES, docs/protocol.md 6.3 */

    function test_verify_wrongProofOfKnowledge() public view {
        (RoundStatement memory s, RoundProof memory p) = good();
        // Another D or another proof of knowledge changes every challenge.
        (p.committed[2], p.committed[3]) = Bn254.add(p.committed[2], p.committed[3], 1, 2);
        assertFalse(accepts(s, p));
        (s, p) = good();
        (p.committed[0], p.committed[1]) = (0, 0);
        assertFalse(accepts(s, p));
        (s, p) = good();
        // Forged for the wrong proof of knowledge: everything else in the proof is true.
        p = forger.forgeWithoutKnowledge(s, p);
        assertEq(reasonOf(s, p), bytes32(IRoundVerifier.PairingFailed.selector));
    }

    function test_verify_committedOffTheCurveOrNotCanonical() public view {
        bytes32 expected = bytes32(IRoundVerifier.InvalidPoint.selector);
        for (uint256 i; i < 4; ++i) {
            (RoundStatement memory s, RoundProof memory p) = good();
            p.committed[i] ^= 1;
            assertEq(reasonOf(s, p), expected);
            p.committed[i] = Bn254.Q;
            assertEq(reasonOf(s, p), expected);
            p.committed[i] = 0;
            assertEq(reasonOf(s, p), expected);
        }
    }

    function test_verify_laurentIdentityFailed() public view {
        (RoundStatement memory s, RoundProof memory p) = good();
        p.values[3] = addmod(p.values[3], 1, Bn254.R);
        assertEq(reasonOf(s, p), bytes32(IRoundVerifier.LaurentIdentityFailed.selector));
    }

    function test_verify_pairingFailed() public view {
        (RoundStatement memory s, RoundProof memory p) = good();
        p.opening = [uint256(1), 2];
        assertEq(reasonOf(s, p), bytes32(IRoundVerifier.PairingFailed.selector));
    }

    function test_verify_wrongLength() public view {
        bytes32 expected = bytes32(IRoundVerifier.WrongLength.selector);
        (RoundStatement memory s, RoundProof memory p) = good();
        uint256[] memory words = p.shares;
        p.shares = new uint256[](1);
        assertEq(reasonOf(s, p), expected);
        p.shares = words;
        words = p.weights;
        p.weights = new uint256[](3);
        assertEq(reasonOf(s, p), expected);
        p.weights = words;
        s.activeMask = 0x7ff; // one more slot than commitments
        assertEq(reasonOf(s, p), expected);
        s.activeMask = 0x101ff; // slot 16 of 16
        assertEq(reasonOf(s, p), expected);
        s.activeMask = 0x3ff;
        s.dimension = 0;
        assertEq(reasonOf(s, p), expected);
        s.dimension = 9610;
        s.slots = 129;
        p.shares = new uint256[](10);
        p.weights = new uint256[](10);
        assertEq(reasonOf(s, p), expected);
    }

    function test_constructor_keyOfAnotherCircuit() public {
        // A registry that accepts a key with one public input too many: the verifier refuses to copy it.
        TestKey key = new TestKey(1, 32);
        key.pushIc(1, 2);
        LooseRegistry loose = new LooseRegistry(key.asKey());
        vm.expectRevert(IRoundVerifier.WrongLength.selector);
        deploy("RoundVerifier.sol:RoundVerifier", abi.encode(loose));
    }

    /// @dev A size without a registered key; rules and sizes without a circuit.
    function test_verify_unknownKey() public view {
        bytes32 expected = bytes32(IKeyRegistry.UnknownKey.selector);
        RoundStatement memory s = statementOf(32, 0xff);
        assertEq(reasonOf(s, forger.forge(s, claims(32))), expected);
        uint8[4] memory rules = [0, 2, 3, 255];
        for (uint256 i; i < 4; ++i) {
            s = statementOf(8, 0xff);
            s.rule = rules[i];
            bytes memory reason = abi.encodeWithSelector(IKeyRegistry.UnknownKey.selector, rules[i], 8);
            assertEq(keccak256(fullReasonOf(s, forger.forge(s, claims(8)))), keccak256(reason));
        }
        uint8[6] memory sizes = [8 + 1, 16 - 1, 4, 24, 127, 8 - 1];
        for (uint256 i; i < 6; ++i) {
            s = statementOf(sizes[i], 0xf);
            assertEq(reasonOf(s, forger.forge(s, claims(sizes[i]))), expected);
        }
    }

    /// @dev The verifier's code stores hold the registered keys in the order of sizes, and nothing for a size without a
    /// key.
    function test_constructor_copiesTheKeys() public view {
        uint256 found;
        for (uint256 number = 1; number <= 5; ++number) {
            bytes memory expected = hex"00";
            try registry.verifyingKey(1, uint8(4 << number)) returns (IVerifyingKey key) {
                (uint256[18] memory fixedPoints, bytes memory ic) = key.key();
                expected = abi.encodePacked(bytes1(0), fixedPoints, ic);
                ++found;
            } catch {}
            address copy = vm.computeCreateAddress(address(verifier), number);
            assertEq(copy.codehash, keccak256(expected));
        }
        assertEq(found, 4);
        assertEq(vm.computeCreateAddress(address(verifier), 6).code.length, 0);
    }

    /// @dev Words of more than 16 bits, among them words that pack to the same public input as the honest ones.
    function test_verify_policyWordOfMoreThanSixteenBits() public view {
        (RoundStatement memory s, RoundProof memory p) = good();
        bytes32 expected = bytes32(IRoundVerifier.ScalarOutOfRange.selector);
        uint256[2] memory honest = [s.policy[0], s.policy[1]];
        s.policy = [honest[0] + (1 << 16), honest[1] - 1];
        assertEq(s.policy[0] + (s.policy[1] << 16), honest[0] + (honest[1] << 16));
        assertEq(reasonOf(s, p), expected);
        s.policy = [uint256(1) << 16, honest[1]];
        assertEq(reasonOf(s, p), expected);
        s.policy = [honest[0], uint256(1) << 16];
        assertEq(reasonOf(s, p), expected);
        s.policy = [honest[0], uint256(1) << 112]; // shifted by 144 bits it leaves the word
        assertEq(bytes32(bytes4(reasonOf(s, p))), expected);
        s.policy = [uint256(65535), 65535]; // in range, but not the proved words
        assertEq(reasonOf(s, p), bytes32(IRoundVerifier.LaurentIdentityFailed.selector));
    }

    function test_keyRegistry_isTheOneGiven() public view {
        assertEq(verifier.keyRegistry(), address(registry));
    }

    /* COMMITMENT OF THE NEW MODEL */

    function testFuzz_verify_claimedModelIsTheSteppedOne(uint256 mask, uint256 start, uint256 seed) public view {
        RoundStatement memory s = statementOf(16, mask & 0xffff);
        (s.model[0], s.model[1]) = Bn254.mul(1, 2, start % Bn254.R);
        RoundProof memory c = claims(16);
        uint256 expected = start % Bn254.R;
        uint256 place;
        for (uint256 slot; slot < 16; ++slot) {
            uint256 weight = uint256(keccak256(abi.encode(seed, slot))) % (Packed.ONE + 1);
            if (slot % 3 == 0) weight = 0;
            if (slot % 14 == 0) c.weights[slot / 14] = 0;
            c.weights[slot / 14] |= weight << (17 * (slot % 14));
            if (!Packed.has(s.activeMask, slot)) continue; // the verifier does not read its weight
            expected = addmod(expected, weight * (900 + place), Bn254.R);
            place += 2;
        }
        RoundProof memory p = forger.forge(s, c);
        (uint256 x, uint256 y) = Bn254.mul(1, 2, expected);
        assertEq(p.model[0], x);
        assertEq(p.model[1], y);
        pass(s, p);
        (p.model[0], p.model[1]) = Bn254.add(x, y, 1, 2);
        assertEq(reasonOf(s, p), bytes32(IRoundVerifier.PairingFailed.selector));
    }

    function test_verify_modelOffByAWeightAPointOrARound() public view {
        (RoundStatement memory s, RoundProof memory p) = good();
        uint256[2] memory honest = [p.model[0], p.model[1]];
        bytes32 expected = bytes32(IRoundVerifier.PairingFailed.selector);
        for (uint256 slot; slot < 10; ++slot) {
            // One weight more or less than the proved one.
            (uint256 x, uint256 y) = Points.at(s.commitments, slot);
            (p.model[0], p.model[1]) = Bn254.add(honest[0], honest[1], x, y);
            assertEq(reasonOf(s, p), expected);
            (p.model[0], p.model[1]) = Bn254.add(honest[0], honest[1], x, Bn254.negateY(y));
            assertEq(reasonOf(s, p), expected);
        }
        (p.model[0], p.model[1]) = Bn254.add(honest[0], honest[1], 1, 2);
        assertEq(reasonOf(s, p), expected);
        p.model = [honest[0], Bn254.negateY(honest[1])];
        assertEq(reasonOf(s, p), expected);
        p.model = s.model; // no step at all
        assertEq(reasonOf(s, p), expected);
        p.model = [uint256(0), 0];
        assertEq(reasonOf(s, p), expected);
        // The step of another round, from another model.
        RoundStatement memory other = statementOf(16, 0x3ff);
        (other.model[0], other.model[1]) = Bn254.mul(1, 2, 778);
        p.model = forger.step(other, p.weights);
        assertEq(reasonOf(s, p), expected);
        p.model = honest;
        pass(s, p);
    }

    function test_verify_weightsThatDoNotMoveTheModelTheyClaim() public view {
        // The claim is the true step of the honest weights; the proved weights are others.
        (RoundStatement memory s, RoundProof memory p) = good();
        RoundProof memory c = claims(16);
        c.weights[0] += 1;
        RoundProof memory other = forger.forge(s, c);
        pass(s, other);
        other.model = p.model;
        assertEq(reasonOf(s, other), bytes32(IRoundVerifier.PairingFailed.selector));
    }

    function test_verify_modelAtInfinityWhereItIsTheTruth() public view {
        // From infinity without weights; then a step that ends at infinity, from -900 * 900 - 902 * 1900.
        RoundStatement memory s = statementOf(16, 0x3ff);
        RoundProof memory c = claims(16);
        s.model = [uint256(0), 0];
        c.weights[0] = 0;
        RoundProof memory p = forger.forge(s, c);
        assertEq(p.model[0] | p.model[1], 0);
        pass(s, p);
        (s.model[0], s.model[1]) = Bn254.mul(1, 2, Bn254.R - 900 * 900 - 902 * 1900);
        p = forger.forge(s, claims(16));
        assertEq(p.model[0] | p.model[1], 0);
        pass(s, p);
        p.model = [uint256(1), 2];
        assertEq(reasonOf(s, p), bytes32(IRoundVerifier.PairingFailed.selector));
    }

    /* GAS */

    event Gas(string what, uint256 used);

    function test_gas_hundredOfHundredAndTwentyEight() public {
        RoundStatement memory s = statementOf(128, (uint256(1) << 100) - 1);
        RoundProof memory c = claims(128);
        for (uint256 i; i < 100; ++i) {
            if (i % 14 == 0) (c.shares[i / 14], c.weights[i / 14]) = (0, 0);
            c.shares[i / 14] |= uint256(655) << (17 * (i % 14));
            c.weights[i / 14] |= uint256(655) << (17 * (i % 14));
        }
        RoundProof memory p = forger.forge(s, c);
        uint256 gas = gasleft();
        verifier.verify(s, p);
        gas -= gasleft();
        emit Gas("verify, n = 100, N = 128", gas);
        assertTrue(gas < 1_500_000, "n = 100");
    }
}
