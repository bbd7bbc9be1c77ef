// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {MiniTest} from "./support/MiniTest.sol";

/// @dev The tests deploy the bytecode that `script/export-abi` wrote to `abi`, which programs deploy and nodes compare.
contract ProductionBuildTest is MiniTest {
    /// @dev Fails after a change of the sources until `scripts/regenerate` has run, and if a test imports an
    /// implementation, which forge then compiles again with the settings of the tests (foundry.toml).
    function test_deploy_usesTheExportedBytecode() public view {
        string[5] memory names = ["KeyRegistry", "RoundVerifier", "RangeVerifier", "ProjectFactory", "Project"];
        for (uint256 i; i < names.length; ++i) {
            string memory json = vm.readFile(string.concat("./abi/", names[i], ".json"));
            bytes memory compiled = vm.getCode(string.concat(names[i], ".sol:", names[i]));
            bool same = keccak256(compiled) == keccak256(vm.parseJsonBytes(json, ".bytecode"));
            assertTrue(same, string.concat("abi/", names[i], ".json has other bytecode; run scripts/regenerate"));
        }
    }
}
