// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Terms} from "../src/interfaces/IProject.sol";
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
