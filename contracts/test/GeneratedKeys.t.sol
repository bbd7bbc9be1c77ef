// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IKeyRegistry, IVerifyingKey} from "../src/interfaces/IKeyRegistry.sol";
import {Bn254} from "../src/libraries/Bn254.sol";
import {KeyRegistry} from "./support/Deployed.sol";
import {KnownSecrets, TestKey} from "./support/KnownSecrets.sol";
import {Vectors} from "./support/Vectors.sol";

/// @dev All key contracts that `scripts/regenerate` writes, deployed together.
contract GeneratedKeysTest is Vectors {
    string[5] private _sizes = ["8", "16", "32", "64", "128"];

    function deployed() private returns (IVerifyingKey[] memory keys) {
        keys = new IVerifyingKey[](5);
        for (uint256 i; i < 5; ++i) {
            string memory name = string.concat("AgreementKey", _sizes[i]);
            keys[i] = IVerifyingKey(deploy(string.concat(name, ".sol:", name), ""));
        }
    }

    /// @dev The registry checks every point, and its hash is the one that the prover absorbs into its transcripts.
    function test_keysHash_ofAllGeneratedKeys() public {
        string memory json = file("round_n10.json");
        (uint256[2] memory x1, uint256[12] memory g2) = readKzg(json, ".keys.kzg");
        KeyRegistry registry = newRegistry(true, x1, g2, deployed());
        assertEq(registry.keysHash(), vm.parseJsonBytes32(json, ".keys.allKeysHash"));
    }

    function refuseOnMainnet(uint256[2] memory x1, uint256[12] memory g2, IVerifyingKey key) private {
        IVerifyingKey[] memory keys = new IVerifyingKey[](1);
        keys[0] = key;
        newRegistry(false, x1, g2, keys); // these points are good
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.DevKeysOutsideTestChain.selector, 1));
        newRegistry(false, x1, g2, keys);
        vm.chainId(31337);
    }

    /// @dev A deployer that does not admit the flag: the DEV string, or one DEV key of any size, is refused by value.
    function test_constructor_devKeysWithoutTheFlagOutsideTestChain() public {
        (uint256[2] memory x1, uint256[12] memory g2) = readKzg(file("round_n10.json"), ".keys.kzg");
        refuseOnMainnet(x1, g2, new TestKey(1, 8).asKey());
        IVerifyingKey[] memory keys = deployed();
        for (uint256 i; i < 5; ++i) {
            refuseOnMainnet(KnownSecrets.x1(), KnownSecrets.g2(), keys[i]);
        }
    }

    /// @dev The string of the negated secret is known just as well: `[-x]_1`, `[-x]_2`, `[x^2]_2`.
    function test_constructor_devStringNegatedOutsideTestChain() public {
        (uint256[2] memory x1, uint256[12] memory g2) = readKzg(file("round_n10.json"), ".keys.kzg");
        (x1[1], g2[6], g2[7]) = (Bn254.Q - x1[1], Bn254.Q - g2[6], Bn254.Q - g2[7]);
        refuseOnMainnet(x1, g2, new TestKey(1, 8).asKey());
    }

    /// @dev Every key has `[sigma]_2`: all provers commit to witnesses (docs/protocol.md 6.3).
    function test_key_ofEverySize() public {
        IVerifyingKey[] memory keys = deployed();
        for (uint256 i; i < 5; ++i) {
            (uint8 rule, uint8 size) = keys[i].circuit();
            assertEq(rule, 1);
            assertEq(size, uint256(8) << i);
            (uint256[18] memory fixedPoints, bytes memory ic) = keys[i].key();
            assertEq(ic.length, 64 * 5);
            assertTrue(fixedPoints[14] | fixedPoints[15] | fixedPoints[16] | fixedPoints[17] != 0);
        }
    }

    /// @dev EIP-170.
    function test_codeSizes_ofGeneratedKeysAreWithinTheLimits() public {
        IVerifyingKey[] memory keys = deployed();
        for (uint256 i; i < 5; ++i) {
            uint256 size = address(keys[i]).code.length;
            emit Size(string.concat("AgreementKey", _sizes[i]), size);
            assertTrue(size > 0 && size <= 24_576);
        }
    }

    event Size(string what, uint256 bytes_);
}
