// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IKeyRegistry, IVerifyingKey} from "../src/interfaces/IKeyRegistry.sol";
import {Bn254} from "../src/libraries/Bn254.sol";
import {KeyRegistry} from "./support/Deployed.sol";
import {ExampleKey} from "./support/ExampleKey.sol";
import {KnownSecrets, TestKey} from "./support/KnownSecrets.sol";
import {MiniTest} from "./support/MiniTest.sol";

/// @notice FOR TESTS: a key contract that changes its answer: the first read of a storage word in a transaction costs
/// more gas than the next.
contract ForgetfulKey is TestKey {
    uint256 private _touched = 1;

    constructor() TestKey(1, 8) {}

    function key() public view override returns (uint256[18] memory fixedPoints, bytes memory ic) {
        (fixedPoints, ic) = super.key();
        uint256 gas = gasleft();
        uint256 touched = _touched;
        if (gas - gasleft() <= 1000 || touched != 1) return (fixedPoints, ic);
        bytes memory other = abi.encode(1, 2);
        for (uint256 i; i < 64; ++i) {
            ic[64 + i] = other[i];
        }
    }
}

contract KeyRegistryTest is MiniTest {
    /// @dev Deploys in an external call with limited gas: a refused G2 point burns all of it.
    function deploy(bool dev, uint256[2] memory x1, uint256[12] memory g2, IVerifyingKey[] memory keys)
        external
        returns (KeyRegistry)
    {
        return newRegistry(dev, x1, g2, keys);
    }

    function one(IVerifyingKey key) private pure returns (IVerifyingKey[] memory keys) {
        keys = new IVerifyingKey[](1);
        keys[0] = key;
    }

    function good() private returns (KeyRegistry) {
        return newRegistry(true, KnownSecrets.x1(), KnownSecrets.g2(), one(new ExampleKey()));
    }

    function refuse(uint256[2] memory x1, uint256[12] memory g2, IVerifyingKey key) private {
        refuse(x1, g2, key, abi.encodeWithSelector(IKeyRegistry.InvalidKeyPoint.selector));
    }

    function refuse(uint256[2] memory x1, uint256[12] memory g2, IVerifyingKey key, bytes memory expected) private {
        (bool done, bytes memory reason) =
            address(this).call{gas: 20_000_000}(abi.encodeCall(this.deploy, (true, x1, g2, one(key))));
        assertFalse(done);
        assertEq(keccak256(reason), keccak256(expected));
    }

    function test_constructor_hashesWordsInTheOrderOfTheProtocol() public {
        ExampleKey key = new ExampleKey();
        (uint256[18] memory fixedPoints, bytes memory ic) = key.key();
        uint256[2] memory x1 = KnownSecrets.x1();
        bytes memory words = abi.encodePacked(uint256(1), x1, KnownSecrets.g2(), uint256(1), uint256(16), fixedPoints);
        words = abi.encodePacked(words, uint256(5), ic);
        // abi.encode(bytes32, uint256[]): tag, offset of the array, its length, its words.
        bytes memory encoded =
            abi.encodePacked(bytes32("fairshare.keys.v2"), uint256(64), words.length / 32, words);
        assertEq(good().keysHash(), keccak256(encoded));
    }

    function test_exampleKey_equalsTheComputedOne() public {
        (uint256[18] memory a, bytes memory b) = new ExampleKey().key();
        (uint256[18] memory c, bytes memory d) = new TestKey(1, 16).key();
        assertEq(keccak256(abi.encode(a, b)), keccak256(abi.encode(c, d)));
    }

    function test_kzg_returnsWhatWasGiven() public {
        (uint256[2] memory x1, uint256[12] memory g2) = good().kzg();
        assertEq(keccak256(abi.encode(x1, g2)), keccak256(abi.encode(KnownSecrets.x1(), KnownSecrets.g2())));
    }

    function test_verifyingKey_findsByRuleAndSize() public {
        KeyRegistry registry = good();
        assertEq(address(registry.verifyingKey(1, 16)), address(registry.keys()[0]));
        assertTrue(registry.isDev());
    }

    function test_verifyingKey_unknown() public {
        KeyRegistry registry = good();
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.UnknownKey.selector, 1, 8));
        registry.verifyingKey(1, 8);
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.UnknownKey.selector, 2, 16));
        registry.verifyingKey(2, 16);
    }

    function test_constructor_devKeysOutsideTestChain() public {
        IVerifyingKey[] memory keys = one(new ExampleKey());
        uint256[2] memory x1 = KnownSecrets.x1();
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.DevKeysOutsideTestChain.selector, 1));
        newRegistry(true, x1, KnownSecrets.g2(), keys);
        KeyRegistry ceremony = newRegistry(false, x1, KnownSecrets.g2(), keys);
        assertFalse(ceremony.isDev());
        vm.chainId(1337);
        KeyRegistry dev = newRegistry(true, x1, KnownSecrets.g2(), keys);
        assertTrue(dev.keysHash() != ceremony.keysHash());
    }

    function test_constructor_sigma() public {
        uint256[12] memory g2 = KnownSecrets.g2();
        for (uint256 known; known < 3; ++known) {
            // [1]_2, delta_2 and a third point.
            TestKey key = new TestKey(1, 8);
            for (uint256 i; i < 4; ++i) {
                key.setFixed(14 + i, g2[4 * known + i]);
            }
            bytes memory reason = abi.encodeWithSelector(IKeyRegistry.SigmaIsKnown.selector, 1, 8);
            if (known == 2) newRegistry(true, KnownSecrets.x1(), g2, one(key.asKey()));
            else refuse(KnownSecrets.x1(), g2, key.asKey(), reason);
        }
        // Off the twist, and infinity: a key whose prover does not commit.
        TestKey key_ = new TestKey(1, 8);
        key_.setFixed(17, 1);
        refuse(KnownSecrets.x1(), g2, key_.asKey());
        for (uint256 i; i < 4; ++i) {
            key_.setFixed(14 + i, 0);
        }
        refuse(KnownSecrets.x1(), g2, key_.asKey());
    }

    /// @dev The opposite of a point is as well known as the point: `delta = -gamma`, `sigma = -1`, `sigma = -delta`.
    function test_constructor_oppositePoints() public {
        uint256[12] memory g2 = KnownSecrets.g2();
        bytes4[3] memory errors = [
            IKeyRegistry.DeltaIsGamma.selector, IKeyRegistry.SigmaIsKnown.selector, IKeyRegistry.SigmaIsKnown.selector
        ];
        for (uint256 kind; kind < 3; ++kind) {
            TestKey key = new TestKey(1, 8);
            for (uint256 i; i < 4; ++i) {
                uint256 word = g2[(kind == 2 ? 4 : 0) + i];
                key.setFixed((kind == 0 ? 10 : 14) + i, i < 2 ? word : Bn254.Q - word);
            }
            refuse(KnownSecrets.x1(), g2, key.asKey(), abi.encodeWithSelector(errors[kind], 1, 8));
        }
    }

    function test_constructor_duplicateKey() public {
        IVerifyingKey[] memory keys = new IVerifyingKey[](2);
        keys[0] = new TestKey(1, 16).asKey();
        keys[1] = new ExampleKey();
        uint256[2] memory x1 = KnownSecrets.x1();
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.DuplicateKey.selector, 1, 16));
        newRegistry(true, x1, KnownSecrets.g2(), keys);
    }

    function test_constructor_x1OffCurveInfinityOrNotCanonical() public {
        ExampleKey key = new ExampleKey();
        uint256[12] memory g2 = KnownSecrets.g2();
        refuse([uint256(1), 3], g2, key);
        refuse([uint256(0), 0], g2, key);
        uint256[2] memory x1 = KnownSecrets.x1();
        refuse([x1[0] + Bn254.Q, x1[1]], g2, key);
        refuse([x1[0], x1[1] + Bn254.Q], g2, key);
    }

    function test_constructor_powersOfDifferentSecrets() public {
        ExampleKey key = new ExampleKey();
        uint256[12] memory g2 = KnownSecrets.g2();
        refuse([uint256(1), 2], g2, key); // [x]_1 of x = 1, [x]_2 of x = 7
        for (uint256 i; i < 4; ++i) {
            g2[8 + i] = g2[4 + i]; // [x^2]_2 is [x]_2
        }
        refuse(KnownSecrets.x1(), g2, key);
    }

    function test_constructor_everyKzgWordMatters() public {
        ExampleKey key = new ExampleKey();
        for (uint256 i; i < 12; ++i) {
            uint256[12] memory g2 = KnownSecrets.g2();
            g2[i] += 1;
            refuse(KnownSecrets.x1(), g2, key);
            g2[i] += Bn254.Q - 1;
            refuse(KnownSecrets.x1(), g2, key);
        }
        uint256[12] memory infinite = KnownSecrets.g2();
        for (uint256 i; i < 4; ++i) {
            infinite[i] = 0;
        }
        refuse(KnownSecrets.x1(), infinite, key);
    }

    function test_constructor_everyFixedWordOfAKeyIsChecked() public {
        uint256[2] memory x1 = KnownSecrets.x1();
        for (uint256 i; i < 18; ++i) {
            TestKey key = new TestKey(1, 8);
            key.setFixed(i, 0x1234);
            refuse(x1, KnownSecrets.g2(), key.asKey());
        }
        TestKey infinite = new TestKey(1, 8);
        for (uint256 i = 2; i < 6; ++i) {
            infinite.setFixed(i, 0);
        }
        refuse(x1, KnownSecrets.g2(), infinite.asKey());
    }

    function test_constructor_everyInputPointIsChecked() public {
        uint256[2] memory x1 = KnownSecrets.x1();
        for (uint256 i; i < 10; ++i) {
            TestKey key = new TestKey(1, 8);
            key.setIc(i, 5);
            refuse(x1, KnownSecrets.g2(), key.asKey());
        }
        TestKey infinite = new TestKey(1, 8);
        infinite.setIc(2, 0);
        infinite.setIc(3, 0);
        refuse(x1, KnownSecrets.g2(), infinite.asKey());
    }

    function test_constructor_wrongNumberOfInputPoints() public {
        uint256[2] memory x1 = KnownSecrets.x1();
        TestKey key = new TestKey(1, 8);
        for (uint256 words = 9; words > 0; --words) {
            key.popIc();
            if (words % 2 == 0) refuse(x1, KnownSecrets.g2(), key.asKey(), wrongCount(8, words));
        }
        key = new TestKey(1, 16);
        key.pushIc(1, 2);
        refuse(x1, KnownSecrets.g2(), key.asKey(), wrongCount(16, 12));
    }

    function test_constructor_pointsThatAreNotWhole() public {
        ExampleKey key = new ExampleKey();
        (uint256[18] memory fixedPoints, bytes memory ic) = key.key();
        bytes memory odd = abi.encodePacked(ic, bytes1(0));
        vm.mockCall(address(key), abi.encodeCall(key.key, ()), abi.encode(fixedPoints, odd));
        refuse(KnownSecrets.x1(), KnownSecrets.g2(), key, wrongCount(16, 10));
    }

    function wrongCount(uint8 size, uint256 words) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IKeyRegistry.WrongInputCount.selector, 1, size, words);
    }

    function test_constructor_everySizeAndNoOther() public {
        uint256[2] memory x1 = KnownSecrets.x1();
        uint8[5] memory usual = [8, 16, 32, 64, 128];
        IVerifyingKey[] memory keys = new IVerifyingKey[](5);
        for (uint256 i; i < 5; ++i) {
            keys[i] = new TestKey(1, usual[i]).asKey();
        }
        KeyRegistry registry = newRegistry(true, x1, KnownSecrets.g2(), keys);
        for (uint256 i; i < 5; ++i) {
            assertEq(address(registry.verifyingKey(1, usual[i])), address(keys[i]));
        }
        uint8[9] memory unusual = [0, 1, 2, 4, 7, 9, 24, 127, 255];
        for (uint256 i; i < 9; ++i) {
            bytes memory reason = abi.encodeWithSelector(IKeyRegistry.UnsupportedSize.selector, 1, unusual[i]);
            refuse(x1, KnownSecrets.g2(), new TestKey(1, unusual[i]).asKey(), reason);
        }
    }

    function test_constructor_ruleWithoutCircuits() public {
        uint8[4] memory rules = [0, 2, 3, 255];
        for (uint256 i; i < 4; ++i) {
            bytes memory reason = abi.encodeWithSelector(IKeyRegistry.UnsupportedRule.selector, rules[i]);
            refuse(KnownSecrets.x1(), KnownSecrets.g2(), new TestKey(rules[i], 8).asKey(), reason);
        }
    }

    function test_constructor_gammaIsNotOne() public {
        uint256[12] memory g2 = KnownSecrets.g2();
        TestKey key = new TestKey(1, 16);
        for (uint256 i; i < 4; ++i) {
            key.setFixed(6 + i, g2[4 + i]); // gamma = 7, a good point
            key.setFixed(10 + i, g2[8 + i]);
        }
        bytes memory reason = abi.encodeWithSelector(IKeyRegistry.GammaIsNotOne.selector, 1, 16);
        refuse(KnownSecrets.x1(), g2, key.asKey(), reason);
    }

    function test_constructor_deltaIsGammaOrInfinity() public {
        uint256[12] memory g2 = KnownSecrets.g2();
        TestKey key = new TestKey(1, 16);
        for (uint256 i; i < 4; ++i) {
            key.setFixed(10 + i, g2[i]);
        }
        bytes memory reason = abi.encodeWithSelector(IKeyRegistry.DeltaIsGamma.selector, 1, 16);
        refuse(KnownSecrets.x1(), g2, key.asKey(), reason);
        for (uint256 i; i < 4; ++i) {
            key.setFixed(10 + i, 0);
        }
        refuse(KnownSecrets.x1(), g2, key.asKey());
    }

    function test_constructor_infiniteAlpha() public {
        TestKey key = new TestKey(1, 16);
        key.setFixed(0, 0);
        key.setFixed(1, 0);
        refuse(KnownSecrets.x1(), KnownSecrets.g2(), key.asKey());
    }

    function test_constructor_keyThatSaysSomethingElseTheSecondTime() public {
        // The transaction that creates the key warms its storage; `cool` undoes that.
        ForgetfulKey key = new ForgetfulKey();
        vm.cool(address(key));
        bytes memory reason = abi.encodeWithSelector(IKeyRegistry.ImpureKey.selector, address(key));
        refuse(KnownSecrets.x1(), KnownSecrets.g2(), key.asKey(), reason);
        // Once warm, the same key answers the same twice: a second call cannot exclude this. (The refused call's reads
        // are cold again.)
        key.key();
        this.deploy(true, KnownSecrets.x1(), KnownSecrets.g2(), one(key.asKey()));
    }

    /// @dev The same without relying on gas. Either answer is a valid key.
    function test_constructor_keyThatAnswersTheSecondCallOtherwise() public {
        ExampleKey key = new ExampleKey();
        (uint256[18] memory fixedPoints, bytes memory ic) = key.key();
        bytes[] memory answers = new bytes[](2);
        answers[1] = abi.encode(fixedPoints, ic);
        fixedPoints[1] = Bn254.negateY(fixedPoints[1]);
        answers[0] = abi.encode(fixedPoints, ic);
        vm.mockCalls(address(key), abi.encodeCall(key.key, ()), answers);
        bytes memory reason = abi.encodeWithSelector(IKeyRegistry.ImpureKey.selector, address(key));
        refuse(KnownSecrets.x1(), KnownSecrets.g2(), key, reason);
        this.deploy(true, KnownSecrets.x1(), KnownSecrets.g2(), one(key)); // from here on it gives the last answer only
    }
}
