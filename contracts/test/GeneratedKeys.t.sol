// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {KeyRegistry} from "../src/KeyRegistry.sol";
import {IVerifyingKey} from "../src/interfaces/IKeyRegistry.sol";
import {Vectors} from "./support/Vectors.sol";

/// @dev The key contracts that `scripts/regenerate` writes, all of them, as a chain would have them.
contract GeneratedKeysTest is Vectors {
    string[2] private _rules = ["AgreementKey", "MultiKrumKey"];
    string[5] private _sizes = ["8", "16", "32", "64", "128"];

    function deployed() private returns (IVerifyingKey[] memory keys) {
        keys = new IVerifyingKey[](10);
        for (uint256 i; i < 10; ++i) {
            string memory name = string.concat(_rules[i / 5], _sizes[i % 5]);
            keys[i] = IVerifyingKey(deploy(string.concat(name, ".sol:", name), ""));
        }
    }

    /// @dev Every point is checked by the registry, and the hash of all is the one that the prover puts into its transcripts.
    function test_keysHash_ofAllGeneratedKeys() public {
        string memory json = file("round_n10.json");
        (uint256[2] memory x1, uint256[12] memory g2) = readKzg(json, ".keys.kzg");
        KeyRegistry registry = new KeyRegistry(true, x1, g2, deployed());
        assertEq(registry.keysHash(), vm.parseJsonBytes32(json, ".keys.allKeysHash"));
    }

    /// @dev Provers of 64 slots and more commit to witnesses (docs/protocol.md 13.10), smaller ones do not.
    function test_key_ofEveryRuleAndSize() public {
        IVerifyingKey[] memory keys = deployed();
        for (uint256 i; i < 10; ++i) {
            (uint8 rule, uint8 size) = keys[i].circuit();
            assertEq(rule, i / 5 + 1);
            assertEq(size, uint256(8) << (i % 5));
            (uint256[18] memory fixedPoints, bytes memory ic) = keys[i].key();
            assertEq(ic.length, 64 * 6);
            bool commits = fixedPoints[14] | fixedPoints[15] | fixedPoints[16] | fixedPoints[17] != 0;
            assertTrue(commits == (size >= 64));
        }
    }

    /// @dev EIP-170, and EIP-3860 for what creates them.
    function test_codeSizes_ofGeneratedKeysAreWithinTheLimits() public {
        IVerifyingKey[] memory keys = deployed();
        for (uint256 i; i < 10; ++i) {
            uint256 size = address(keys[i]).code.length;
            emit Size(string.concat(_rules[i / 5], _sizes[i % 5]), size);
            assertTrue(size > 0 && size <= 24_576);
        }
    }

    event Size(string what, uint256 bytes_);
}
