// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IVerifyingKey} from "../src/interfaces/IKeyRegistry.sol";
import {Terms} from "../src/interfaces/IProject.sol";
import {KeyRegistry} from "./support/Deployed.sol";
import {KnownSecrets, TestKey} from "./support/KnownSecrets.sol";
import {Market} from "./support/Market.sol";

/// @dev Costs of the steps without a proof, for `contracts/.gas-snapshot`. They have no goals; `Gas.t.sol` has the
/// steps with goals. Only the step itself is metered, with cold storage; 21,000 and the calldata come on top. Sixteen
/// slots, ten trainers.
contract StepsGasTest is Market {
    function defaultTerms() internal pure override returns (Terms memory t) {
        t = super.defaultTerms();
        t.slots = 16;
        (t.minTrainers, t.maxTrainers, t.minActive) = (5, 10, 5);
    }

    /// @dev Prepares a step; `meter` starts it.
    modifier notMetered() {
        vm.pauseGasMetering();
        _;
        vm.pauseGasMetering();
    }

    function meter(address where) private {
        vm.cool(factory.implementation());
        vm.cool(where);
        vm.resumeGasMetering();
    }

    function test_gas_createProject() public notMetered {
        Terms memory t = defaultTerms();
        uint256 value = depositOf(t);
        vm.deal(OWNER, value);
        meter(address(factory));
        vm.prank(OWNER);
        factory.createProject{value: value}(t);
    }

    function test_gas_join() public notMetered {
        join(0);
        vm.deal(trainer(1), STAKE);
        meter(address(project));
        vm.prank(trainer(1));
        project.join{value: STAKE}();
    }

    function test_gas_placeBond() public notMetered {
        vm.deal(AGGREGATOR, BOND);
        meter(address(project));
        vm.prank(AGGREGATOR);
        project.placeBond{value: BOND}();
    }

    /// @dev Neither the first nor the last one.
    function test_gas_revealUpdate() public notMetered {
        start(10);
        for (uint256 i; i < 10; ++i) {
            commit(i);
        }
        reveal(0);
        meter(address(project));
        vm.prank(trainer(1));
        project.revealUpdate(1, cidOf(1), SALT);
    }

    /// @dev Neither the first nor the last one.
    function test_gas_attest() public notMetered {
        start(10);
        revealAll(10);
        attest(0);
        meter(address(project));
        vm.prank(trainer(1));
        project.attest(1, 0x3ff, address(0));
    }

    function test_gas_withdraw() public notMetered {
        start(10);
        submit(10);
        settleEqually();
        meter(address(project));
        vm.prank(trainer(3));
        project.withdraw(payable(trainer(3)));
    }

    /// @dev From Commit to Reveal.
    function test_gas_advance() public notMetered {
        start(10);
        for (uint256 i; i < 9; ++i) {
            commit(i);
        }
        vm.warp(project.deadline());
        meter(address(project));
        project.advance();
    }
}

/// @dev What loops over all trainers, with the most that a project can have, fits into a transaction (EIP-7825: 2^24
/// gas). `setUp` is a transaction of its own, so that every word is cold.
contract LossesGasTest is Market {
    uint256 private constant MOST = 1 << 24;

    function deployRegistry() internal override returns (KeyRegistry) {
        IVerifyingKey[] memory keys = new IVerifyingKey[](1);
        keys[0] = new TestKey(1, 128).asKey();
        return newRegistry(true, KnownSecrets.x1(), KnownSecrets.g2(), keys);
    }

    function setUp() public override {
        registry = deployRegistry();
        (verifier, rangeVerifier) = (deployVerifier(), deployRangeVerifier());
        factory = newFactory(registry, verifier, rangeVerifier);
        Terms memory t = defaultTerms();
        (t.slots, t.maxTrainers) = (128, 128);
        project = create(t);
        start(128);
        for (uint256 i; i < 128; ++i) {
            commit(i);
        }
        for (uint256 i; i < 64; ++i) {
            reveal(i);
        }
        vm.warp(project.deadline());
    }

    /// @dev Half reveal and half do not: the sum of seats to take and parts to credit is always the number of trainers.
    function test_gas_advanceTakesAndDividesStakesOf128() public {
        uint256 gas = gasleft();
        project.advance();
        assertTrue(gas - gasleft() < MOST / 2);
        assertEq(project.trainers().length, 64);
        assertEq(project.owed(trainer(0)), STAKE);
    }
}
