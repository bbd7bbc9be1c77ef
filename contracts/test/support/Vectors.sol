// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RangeProof, RangeStatement} from "../../src/interfaces/IRangeVerifier.sol";
import {RoundProof, RoundStatement} from "../../src/interfaces/IRoundVerifier.sol";
import {MiniTest} from "./MiniTest.sol";

/// @dev Reads the real prover's vectors from tests/vectors.
abstract contract Vectors is MiniTest {
    function file(string memory name) internal view returns (string memory) {
        return vm.readFile(string.concat("../tests/vectors/", name));
    }

    function pair(string memory json, string memory key) internal pure returns (uint256[2] memory) {
        uint256[] memory list = vm.parseJsonUintArray(json, key);
        return [list[0], list[1]];
    }

    /// @param key path of the fourteen words `[x]_1, [1]_2, [x]_2, [x^2]_2`
    function readKzg(string memory json, string memory key)
        internal
        pure
        returns (uint256[2] memory x1, uint256[12] memory g2)
    {
        uint256[] memory list = vm.parseJsonUintArray(json, key);
        x1 = [list[0], list[1]];
        for (uint256 i; i < 12; ++i) {
            g2[i] = list[2 + i];
        }
    }

    function readRoundStatement(string memory json) internal pure returns (RoundStatement memory s) {
        s.project = address(uint160(vm.parseJsonUint(json, ".statement.project")));
        s.round = vm.parseJsonUint(json, ".statement.round");
        s.payee = address(uint160(vm.parseJsonUint(json, ".statement.payee")));
        s.dimension = vm.parseJsonUint(json, ".statement.dimension");
        s.slots = uint8(vm.parseJsonUint(json, ".statement.slots"));
        s.rule = uint8(vm.parseJsonUint(json, ".statement.rule"));
        s.policy = pair(json, ".statement.policy");
        s.activeMask = vm.parseJsonUint(json, ".statement.activeMask");
        s.modelCid = bytes32(vm.parseJsonUint(json, ".statement.modelCid"));
        s.model = pair(json, ".statement.model");
        s.commitments = abi.encodePacked(vm.parseJsonUintArray(json, ".statement.commitments"));
    }

    function readRoundProof(string memory json) internal pure returns (RoundProof memory p) {
        p.sigma = vm.parseJsonUint(json, ".proof.sigma");
        p.keptMask = vm.parseJsonUint(json, ".proof.keptMask");
        p.coherence = vm.parseJsonUint(json, ".proof.coherence");
        p.shares = vm.parseJsonUintArray(json, ".proof.shares");
        p.weights = vm.parseJsonUintArray(json, ".proof.weights");
        uint256[] memory list = vm.parseJsonUintArray(json, ".proof.groth16");
        for (uint256 i; i < 8; ++i) {
            p.groth16[i] = list[i];
        }
        p.quotient = pair(json, ".proof.quotient");
        p.reversed = pair(json, ".proof.reversed");
        list = vm.parseJsonUintArray(json, ".proof.values");
        for (uint256 i; i < 4; ++i) {
            p.values[i] = list[i];
        }
        p.opening = pair(json, ".proof.opening");
        p.model = pair(json, ".proof.model");
        list = vm.parseJsonUintArray(json, ".proof.committed");
        for (uint256 i; i < 4; ++i) {
            p.committed[i] = list[i];
        }
    }

    /// @param at path within the file, empty or such as `.case0`
    function readRangeStatement(string memory json, string memory at) internal pure returns (RangeStatement memory s) {
        s.project = address(uint160(vm.parseJsonUint(json, string.concat(at, ".statement.project"))));
        s.round = vm.parseJsonUint(json, string.concat(at, ".statement.round"));
        s.trainer = address(uint160(vm.parseJsonUint(json, string.concat(at, ".statement.trainer"))));
        s.dimension = vm.parseJsonUint(json, string.concat(at, ".statement.dimension"));
        s.table = uint8(vm.parseJsonUint(json, string.concat(at, ".statement.table")));
        s.commitment = pair(json, string.concat(at, ".statement.commitment"));
    }

    function readRangeProof(string memory json, string memory at) internal pure returns (RangeProof memory p) {
        p.points = vm.parseJsonUintArray(json, string.concat(at, ".proof.points"));
        p.values = vm.parseJsonUintArray(json, string.concat(at, ".proof.values"));
    }
}
