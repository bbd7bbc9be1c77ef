// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IVerifyingKey} from "../src/interfaces/IKeyRegistry.sol";
import {IRoundVerifier, RoundProof, RoundStatement} from "../src/interfaces/IRoundVerifier.sol";
import {Bn254} from "../src/libraries/Bn254.sol";
import {RoundTranscript} from "../src/libraries/RoundTranscript.sol";
import {Transcript} from "../src/libraries/Transcript.sol";
import {KeyRegistry} from "./support/Deployed.sol";
import {Vectors} from "./support/Vectors.sol";
import {Points} from "./support/Points.sol";

/// @dev Proofs of the real prover under the pinned keys: accepted unchanged, refused with any word changed.
contract RoundVectorTest is Vectors {
    string private json;
    KeyRegistry private registry;
    IRoundVerifier private verifier;
    RoundStatement private statement;
    RoundProof private proof;

    /// @dev One vector for each size. The first has gaps between its active slots.
    string[5] private names =
        ["round_gaps.json", "round_n10.json", "round_32.json", "round_64.json", "round_128.json"];

    event Vector(string name);

    /// @dev Runs a test with every vector. One contract for all, because each contract compiles every test again.
    modifier withEveryVector() {
        for (uint256 i; i < names.length; ++i) {
            emit Vector(names[i]);
            load(names[i]);
            _;
        }
    }

    function load(string memory name) private {
        json = file(name);
        vm.chainId(word(".chainId"));
        (uint256[2] memory x1, uint256[12] memory g2) = readKzg(json, ".keys.kzg");
        IVerifyingKey[] memory keys = new IVerifyingKey[](1);
        keys[0] = keyOf(word(".keys.size"));
        registry = newRegistry(true, x1, g2, keys);
        verifier = IRoundVerifier(deploy("RoundVerifier.sol:RoundVerifier", abi.encode(registry)));
        statement = readRoundStatement(json);
        proof = readRoundProof(json);
    }

    /// @dev The pinned key of this size.
    function keyOf(uint256 size) private returns (IVerifyingKey) {
        string memory contract_ = string.concat("AgreementKey", vm.toString(size));
        return IVerifyingKey(deploy(string.concat(contract_, ".sol:", contract_), ""));
    }

    function word(string memory key) private view returns (uint256) {
        return vm.parseJsonUint(json, key);
    }

    function words(string memory key) private view returns (uint256[] memory) {
        return vm.parseJsonUintArray(json, key);
    }

    function accepts(RoundStatement memory s, RoundProof memory p) private view returns (bool ok) {
        (ok,) = address(verifier).staticcall{gas: 2_000_000}(abi.encodeCall(verifier.verify, (s, p)));
    }

    /// @dev Takes the encoded call, so that a test can replace single words. A call that does not decode is refused,
    /// too.
    function acceptsEncoded(bytes memory data) private view returns (bool ok) {
        (ok,) = address(verifier).staticcall{gas: 2_000_000}(data);
    }

    function test_key_isTheOneOfTheVector() public withEveryVector {
        (uint256[18] memory fixedPoints, bytes memory ic) = registry.verifyingKey(1, uint8(word(".keys.size"))).key();
        assertEq(keccak256(abi.encodePacked(fixedPoints)), keccak256(abi.encodePacked(words(".keys.fixedPoints"))));
        assertEq(keccak256(ic), keccak256(abi.encodePacked(words(".keys.ic"))));
    }

    function test_keysHash_equalsTheProvers() public withEveryVector {
        assertEq(registry.keysHash(), bytes32(word(".keys.keysHash")));
    }

    event Gas(string what, uint256 used);

    function test_verify_acceptsTheRealProof() public withEveryVector {
        verifier.verify(statement, proof);
    }

    function test_gas_ofTheRealProof() public withEveryVector {
        (RoundStatement memory s, RoundProof memory p) = (statement, proof);
        uint256 gas = gasleft();
        verifier.verify(s, p);
        gas -= gasleft();
        emit Gas("verify", gas);
        // Seven pairs and the inputs, one multiplication for each active slot, a power of rho for each slot.
        assertTrue(gas < 410_000 + 6_600 * (s.commitments.length / 64) + 180 * uint256(s.slots), "gas");
    }

    function test_transcript_everyStateEqualsTheProvers() public withEveryVector {
        uint256[] memory expected = words(".states");
        assertEq(firstState(), bytes32(expected[0]));
        bytes32 state = gramState();
        assertEq(state, bytes32(expected[1]));
        uint256 rho = Transcript.challenge(state);
        uint256 chi = Transcript.challenge(Transcript.absorb(state, RoundTranscript.OUTCOME, outcome()));
        uint256[] memory items = new uint256[](5);
        (items[0], items[1], items[2]) = (proof.sigma, proof.quotient[0], proof.quotient[1]);
        (items[3], items[4]) = (proof.reversed[0], proof.reversed[1]);
        state = Transcript.absorb(state, RoundTranscript.LAURENT, items);
        assertEq(state, bytes32(expected[2]));
        items = new uint256[](4);
        for (uint256 i; i < 4; ++i) {
            items[i] = proof.values[i];
        }
        state = Transcript.absorb(state, RoundTranscript.VALUES, items);
        assertEq(state, bytes32(expected[3]));
        assertEq(Transcript.absorb(state, RoundTranscript.JOIN, joined(rho, chi)), bytes32(expected[4]));
    }

    function firstState() private view returns (bytes32) {
        uint256[] memory items = new uint256[](14);
        items[0] = block.chainid;
        items[1] = uint160(statement.project);
        items[2] = statement.round;
        items[3] = uint160(statement.payee);
        items[4] = statement.dimension;
        items[5] = statement.slots;
        items[6] = statement.rule;
        (items[7], items[8]) = (statement.policy[0], statement.policy[1]);
        items[9] = uint256(registry.keysHash());
        items[10] = statement.activeMask;
        items[11] = uint256(statement.modelCid);
        (items[12], items[13]) = (statement.model[0], statement.model[1]);
        return Transcript.absorbWords(0, RoundTranscript.ROUND, abi.encodePacked(items, statement.commitments));
    }

    function gramState() private view returns (bytes32) {
        return Transcript.absorbWords(firstState(), RoundTranscript.GRAM, abi.encodePacked(proof.committed));
    }

    function outcome() private view returns (uint256[] memory items) {
        uint256 k = proof.shares.length;
        items = new uint256[](3 + 2 * k);
        (items[0], items[1], items[2]) = (proof.sigma, proof.keptMask, proof.coherence);
        for (uint256 i; i < k; ++i) {
            items[3 + i] = proof.shares[i];
            items[3 + k + i] = proof.weights[i];
        }
    }

    function joined(uint256 rho, uint256 chi) private view returns (uint256[] memory items) {
        items = new uint256[](16);
        (items[0], items[1]) = (proof.opening[0], proof.opening[1]);
        (items[2], items[3]) = (proof.model[0], proof.model[1]);
        for (uint256 i; i < 8; ++i) {
            items[4 + i] = proof.groth16[i];
        }
        items[12] = rho;
        items[13] = statement.activeMask + (statement.policy[0] << 128) + (statement.policy[1] << 144);
        items[14] = chi;
        items[15] = digest(outcome(), chi);
    }

    function digest(uint256[] memory items, uint256 chi) private pure returns (uint256 sum) {
        for (uint256 i = items.length; i != 0;) {
            sum = addmod(mulmod(sum, chi, Bn254.R), items[--i], Bn254.R);
        }
    }

    /// @dev Another outcome with the same digest under the honest outcome's challenge. It gets a challenge of its own.
    function test_verify_outcomeBentToTheSameDigest() public withEveryVector {
        uint256 chi = Transcript.challenge(Transcript.absorb(gramState(), RoundTranscript.OUTCOME, outcome()));
        uint256 honest = digest(outcome(), chi);
        RoundProof memory p = proof;
        p.keptMask = addmod(p.keptMask, chi, Bn254.R);
        p.coherence -= 1;
        uint256[] memory items = outcome();
        (items[1], items[2]) = (p.keptMask, p.coherence);
        assertEq(digest(items, chi), honest);
        refused(p, REFUSED);
    }

    function test_verify_everyWordOfTheCallMangled() public withEveryVector {
        bytes memory call_ = abi.encodeCall(verifier.verify, (statement, proof));
        assertTrue(acceptsEncoded(call_));
        uint256 n = (call_.length - 4) / 32;
        uint256[4] memory values = [uint256(0), Bn254.R, Bn254.Q, type(uint256).max];
        for (uint256 i; i < n; ++i) {
            uint256 original = read(call_, i);
            for (uint256 v; v < 5; ++v) {
                uint256 value = v == 4 ? original ^ 1 : values[v];
                if (value == original) continue; // a zero word set to zero
                write(call_, i, value);
                assertFalse(acceptsEncoded(call_));
            }
            write(call_, i, original);
        }
        assertTrue(acceptsEncoded(call_));
    }

    function read(bytes memory data, uint256 i) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(add(data, add(36, mul(32, i))))
        }
    }

    function write(bytes memory data, uint256 i, uint256 value) private pure {
        assembly ("memory-safe") {
            mstore(add(data, add(36, mul(32, i))), value)
        }
    }

    function test_verify_residuesThatAreNotCanonical() public withEveryVector {
        // The same number modulo r, or modulo q: it would satisfy every equation.
        bytes memory call_ = abi.encodeCall(verifier.verify, (statement, proof));
        uint256 n = (call_.length - 4) / 32;
        for (uint256 i = 2; i < n; ++i) {
            uint256 original = read(call_, i);
            // Beyond the last word there is no other residue: hashes may be that large.
            if (original == 0 || original > type(uint256).max - Bn254.Q) continue;
            write(call_, i, original + Bn254.R);
            assertFalse(acceptsEncoded(call_));
            write(call_, i, original + Bn254.Q);
            assertFalse(acceptsEncoded(call_));
            write(call_, i, original);
        }
    }

    function test_verify_replayedElsewhere() public withEveryVector {
        RoundStatement memory s = statement;
        s.project = address(uint160(s.project) + 1);
        assertFalse(accepts(s, proof));
        s = statement;
        s.round += 1;
        assertFalse(accepts(s, proof));
        s = statement;
        s.payee = address(uint160(s.payee) + 1);
        assertFalse(accepts(s, proof));
        s = statement;
        s.modelCid = "another file";
        assertFalse(accepts(s, proof));
        s = statement;
        s.dimension += 1;
        assertFalse(accepts(s, proof));
        s = statement;
        s.policy[1] ^= 1;
        assertFalse(accepts(s, proof));
        assertTrue(accepts(statement, proof));
        vm.chainId(block.chainid == 1337 ? 31337 : 1337);
        assertFalse(accepts(statement, proof));
    }

    function test_verify_otherActiveMask() public withEveryVector {
        // Without its last slot, and with its slots in other places.
        RoundStatement memory s = statement;
        uint256 highest = 1 << 127;
        while (s.activeMask & highest == 0) highest >>= 1;
        s.activeMask ^= highest;
        assertFalse(accepts(s, proof));
        s.commitments = new bytes(statement.commitments.length - 64);
        for (uint256 i; 64 * i < s.commitments.length; ++i) {
            (uint256 x, uint256 y) = Points.at(statement.commitments, i);
            Points.put(s.commitments, i, x, y);
        }
        assertFalse(accepts(s, proof));
        s = statement;
        s.activeMask <<= 1;
        assertFalse(accepts(s, proof));
    }

    /* THE CHEATS OF docs/test-matrix.md: changed words beside a proof of the true ones */

    function refused(RoundProof memory p, bytes4 reason) private {
        vm.expectRevert(reason);
        verifier.verify(statement, p);
    }

    /// @dev The slot of a mask at this place, in increasing order; 255 if there is none.
    function slotOf(uint256 mask, uint256 place) private pure returns (uint256 slot) {
        for (; slot < 128; ++slot) {
            if (mask >> slot & 1 == 0) continue;
            if (place == 0) return slot;
            --place;
        }
        return 255;
    }

    /// @dev Adds `value` to the lane of a slot. A lane that overflows changes the next one, as a cheat's would.
    function add(uint256[] memory list, uint256 slot, int256 value) private pure {
        uint256 lane = 1 << (17 * (slot % 14));
        if (value > 0) list[slot / 14] += uint256(value) * lane;
        else list[slot / 14] -= uint256(-value) * lane;
    }

    function laneOf(uint256[] memory list, uint256 slot) private pure returns (uint256) {
        return list[slot / 14] >> (17 * (slot % 14)) & 0x1ffff;
    }

    bytes4 private constant REFUSED = IRoundVerifier.PairingFailed.selector;

    function test_verify_aDroppedTrainerThatShouldBeKept() public withEveryVector {
        for (uint256 i; slotOf(proof.keptMask, i) != 255; ++i) {
            RoundProof memory p = proof;
            uint256 slot = slotOf(p.keptMask, i);
            p.keptMask ^= 1 << slot;
            refused(p, REFUSED);
            // Its share goes to another trainer.
            uint256 other = slotOf(p.keptMask, 0);
            add(p.shares, other, int256(laneOf(p.shares, slot)));
            add(p.shares, slot, -int256(laneOf(p.shares, slot)));
            refused(p, REFUSED);
        }
    }

    function test_verify_aKeptTrainerThatShouldBeDropped() public withEveryVector {
        for (uint256 slot; slot < statement.slots; ++slot) {
            if (proof.keptMask >> slot & 1 == 1) continue;
            RoundProof memory p = proof;
            p.keptMask |= 1 << slot;
            refused(p, REFUSED);
            add(p.shares, slot, 1);
            add(p.shares, slotOf(proof.keptMask, 0), -1);
            refused(p, REFUSED);
        }
    }

    /// @dev Two trainers' results exchanged, as if equal scores were ranked differently, with the matching step of the
    /// model.
    function test_verify_tiesBrokenTheOtherWay() public withEveryVector {
        (uint256 a, uint256 b) = (slotOf(proof.keptMask, 0), slotOf(proof.keptMask, 1));
        RoundProof memory p = proof;
        swap(p.shares, a, b);
        refused(p, REFUSED);
        swap(p.weights, a, b);
        refused(p, REFUSED);
        step(p);
        refused(p, REFUSED);
    }

    function swap(uint256[] memory list, uint256 a, uint256 b) private pure {
        int256 less = int256(laneOf(list, a)) - int256(laneOf(list, b));
        assertTrue(less != 0, "equal lanes: swapping them tests nothing");
        add(list, a, -less);
        add(list, b, less);
    }

    /// @dev Sets `C_T'` to the model that these weights give.
    function step(RoundProof memory p) private view {
        (uint256 x, uint256 y) = (statement.model[0], statement.model[1]);
        for (uint256 i; 64 * i < statement.commitments.length; ++i) {
            uint256 weight = laneOf(p.weights, slotOf(statement.activeMask, i));
            (uint256 cx, uint256 cy) = Points.at(statement.commitments, i);
            (x, y) = Points.addMul(x, y, cx, cy, weight);
        }
        p.model = [x, y];
    }

    /// @dev Moves one unit from one trainer to another, and adds one unit to a single trainer, in weights and in
    /// shares; with the matching step of the model.
    function test_verify_weightsOrSharesMovedByOne() public withEveryVector {
        for (uint256 k; k < 2; ++k) {
            RoundProof memory p = proof;
            step(p);
            verifier.verify(statement, p); // the true step
            uint256[] memory list = k == 0 ? p.weights : p.shares;
            add(list, slotOf(p.keptMask, 0), 1);
            step(p);
            refused(p, REFUSED);
            add(list, slotOf(p.keptMask, 1), -1);
            step(p);
            refused(p, REFUSED);
        }
    }

    function test_verify_anInactiveSlotWithAWeightOrAShare() public withEveryVector {
        for (uint256 slot; slot < statement.slots; ++slot) {
            if (statement.activeMask >> slot & 1 == 1) continue;
            RoundProof memory p = proof;
            add(p.weights, slot, 1);
            refused(p, REFUSED);
            p = proof;
            add(p.shares, slot, 1);
            refused(p, REFUSED);
            p = proof;
            p.keptMask |= 1 << slot;
            refused(p, REFUSED);
        }
    }

    /// @dev The assessment of another matrix: sigma sums other products, or the commitment, on which the challenge
    /// depends, is another.
    function test_verify_ofOneWrongGramEntry() public withEveryVector {
        uint256 rho = Transcript.challenge(bytes32(words(".states")[1]));
        uint256 slot = slotOf(statement.activeMask, 0);
        uint256 square = Bn254.power(rho, 2 << slot);
        RoundProof memory p = proof;
        p.sigma = addmod(p.sigma, square, Bn254.R);
        refused(p, IRoundVerifier.LaurentIdentityFailed.selector);
        p = proof;
        (p.committed[0], p.committed[1]) = Bn254.add(p.committed[0], p.committed[1], 1, 2);
        refused(p, IRoundVerifier.LaurentIdentityFailed.selector);
    }

    /// @dev The same key, registered beside another: the transcript absorbs the hash of all keys.
    function test_verify_underARegistryOfOtherKeys() public withEveryVector {
        (uint256[2] memory x1, uint256[12] memory g2) = registry.kzg();
        IVerifyingKey[] memory keys = new IVerifyingKey[](2);
        keys[0] = registry.keys()[0];
        keys[1] = keyOf(word(".keys.size") == 8 ? 16 : 8);
        KeyRegistry other = newRegistry(true, x1, g2, keys);
        verifier = IRoundVerifier(deploy("RoundVerifier.sol:RoundVerifier", abi.encode(other)));
        refused(proof, IRoundVerifier.LaurentIdentityFailed.selector);
    }

    /// @dev D and its proof of knowledge replaced by infinity or by each other.
    function test_verify_commitmentChanged() public withEveryVector {
        RoundProof memory p = proof;
        p.committed = [uint256(0), 0, 0, 0]; // infinity proves knowledge of itself
        assertFalse(accepts(statement, p));
        p.committed = proof.committed;
        p.committed = proof.committed;
        (p.committed[2], p.committed[3]) = (0, 0);
        assertFalse(accepts(statement, p));
        p.committed = proof.committed;
        (p.committed[0], p.committed[1]) = (p.committed[2], p.committed[3]);
        assertFalse(accepts(statement, p));
        p.committed = proof.committed;
        assertTrue(accepts(statement, p));
    }

    function test_verify_signsFlipped() public withEveryVector {
        RoundProof memory p = proof;
        p.groth16[1] = Bn254.Q - p.groth16[1];
        assertFalse(accepts(statement, p));
        // (-A, -B, C) proves the same statement: Groth16 proofs are malleable. This gains nothing: the transcript still
        // binds project, round, payee and every figure, and a round is settled once.
        (p.groth16[4], p.groth16[5]) = (Bn254.Q - p.groth16[4], Bn254.Q - p.groth16[5]);
        assertTrue(accepts(statement, p));
    }
}
