// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IProject, Phase, Terms} from "../src/interfaces/IProject.sol";
import {Market} from "./support/Market.sol";

/// @dev The chain stands still during a phase: nobody could act, and nobody loses a stake or the bond for that.
contract ProjectHaltTest is Market {
    function defaultTerms() internal pure override returns (Terms memory t) {
        t = super.defaultTerms();
        (t.minTrainers, t.maxTrainers, t.minActive) = (5, 6, 5);
        (t.registrationPeriod, t.commitPeriod, t.revealPeriod) = (5 hours, 4 hours, 1 hours);
        (t.attestPeriod, t.aggregatePeriod) = (2 hours, 3 hours);
    }

    function setUp() public override {
        super.setUp();
        vm.chainId(1);
        vm.roll(1000);
        project = create(defaultTerms());
    }

    /// @dev `blocks` more blocks, the last one at the end of the phase.
    function halt(uint256 blocks) private {
        vm.roll(vm.getBlockNumber() + blocks);
        uint256 end = project.deadline();
        if (project.phase() == Phase.Aggregate) end += project.terms().aggregatePeriod;
        vm.warp(end);
    }

    function expectExtended(Phase phase, uint256 period) private {
        uint256 end = vm.getBlockTimestamp() + period;
        uint256 id = project.round();
        vm.expectEmit();
        emit IProject.PhaseOpened(id, phase, end);
        project.advance();
        assertPhase(phase);
        assertEq(project.deadline(), end);
    }

    function toReveal() private {
        start(6);
        for (uint256 i; i < 6; ++i) {
            commit(i);
        }
        assertPhase(Phase.Reveal);
    }

    /// @dev Without the extension all six would lose their stakes: the first block after the halt is too late for them.
    function test_advance_aHaltInRevealTakesNoStake() public {
        toReveal();
        halt(1);
        bytes memory late = abi.encodeWithSelector(IProject.DeadlinePassed.selector, project.deadline());
        vm.prank(trainer(0));
        vm.expectRevert(late);
        project.revealUpdate(1, cidOf(0), SALT);
        expectExtended(Phase.Reveal, 1 hours);
        for (uint256 i; i < 6; ++i) {
            reveal(i);
        }
        assertPhase(Phase.Attest);
        assertEq(project.trainers().length, 6);
    }

    /// @dev A halt that begins in the middle: the fewest blocks that count as a phase are 32.
    function test_advance_aHaltInTheMiddleExtendsThePhase() public {
        toReveal();
        reveal(0);
        uint256 opened = vm.snapshotState();
        halt(31);
        expectExtended(Phase.Reveal, 1 hours);
        assertTrue(vm.revertToState(opened));
        halt(32);
        project.advance();
        assertEq(project.voidRounds(), 1);
        assertEq(project.trainers().length, 1);
    }

    /// @dev Once: a second halt in the same phase, or silence, ends it. The next phase has a chance of its own.
    function test_advance_aPhaseIsExtendedOnce() public {
        toReveal();
        halt(0);
        expectExtended(Phase.Reveal, 1 hours);
        for (uint256 i; i < 5; ++i) {
            reveal(i);
        }
        halt(0);
        project.advance();
        assertPhase(Phase.Attest);
        assertEq(project.trainers().length, 5);
        halt(3);
        expectExtended(Phase.Attest, 2 hours);
        vm.expectRevert(abi.encodeWithSelector(IProject.DeadlineNotReached.selector, project.deadline()));
        project.advance();
    }

    /// @dev Every other phase; in Aggregate it is the bond that would be lost.
    function test_advance_aHaltInAnyPhase() public {
        halt(5);
        expectExtended(Phase.Registration, 5 hours);
        start(6);
        halt(5);
        expectExtended(Phase.Commit, 4 hours);
        submit(6);
        halt(5);
        expectExtended(Phase.Aggregate, 3 hours);
        assertTrue(project.bondPlaced());
        settleEqually();
        submit(6);
        settleEqually();
        halt(5);
        expectExtended(Phase.Closing, 2 hours);
        halt(5);
        project.advance();
        assertPhase(Phase.Completed);
    }

    /// @dev On a test chain blocks come with transactions, and few of them.
    function test_advance_noExtensionOnATestChain() public {
        toReveal();
        vm.chainId(31337);
        halt(0);
        project.advance();
        assertEq(project.trainers().length, 0);
    }
}
