// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RangeProof} from "../src/interfaces/IRangeVerifier.sol";
import {IProject, Phase, Terms} from "../src/interfaces/IProject.sol";
import {Market} from "./support/Market.sol";
import {Slot} from "./support/Points.sol";

/// @dev Participates and refuses ether.
contract Proud {
    function join(IProject project) external payable {
        project.join{value: msg.value}();
    }

    function pull(IProject project, address payable to) external returns (uint256) {
        return project.withdraw(to);
    }
}

/// @dev Collusion and stalling: docs/threat-model.md, and "Nobody is stuck" in docs/contracts.md.
contract ThreatModelTest is Market {
    function commitAll(uint256 n) private {
        for (uint256 i; i < n; ++i) {
            commit(i);
        }
        if (project.phase() == Phase.Commit) skipAndAdvance();
    }

    /* TWO SYBILS ALONE IN A ROUND */

    /// @dev The others stay away: two trainers are not enough for a round, whatever they do, and are paid nothing.
    function test_commit_twoSybilsAloneAreNoRound() public {
        start(4);
        for (uint256 round = 1; round <= 2; ++round) {
            commit(0);
            commit(1);
            vm.prank(trainer(0));
            vm.expectRevert(abi.encodeWithSelector(IProject.WrongPhase.selector, Phase.Reveal, Phase.Commit));
            project.revealUpdate(round, cidOf(0), SALT);
            skipAndAdvance();
        }
        assertPhase(Phase.WoundUp);
        for (uint256 i; i < 4; ++i) {
            assertEq(project.owed(trainer(i)), STAKE);
        }
        assertEq(project.owed(OWNER), DEPOSIT);
    }

    /// @dev The others have revealed and two attest alone: that is no majority of the revealed slots, so no slot is
    /// active and nobody is paid or slashed.
    function test_attest_twoSybilsAloneDecideNothing() public {
        start(4);
        revealAll(4);
        attest(0, 3, address(0));
        attest(1, 3, address(0));
        skipAndAdvance();
        assertPhase(Phase.Commit);
        assertEq(project.voidRounds(), 1);
        assertEq(project.trainers().length, 4);
        assertEq(project.escrow(), DEPOSIT);
    }

    /* WITHHOLDING TO VOID A ROUND */

    /// @dev A withholding minority loses its stakes, and the round continues without it.
    function test_attest_withholdingToVoidCostsTheStake() public {
        Terms memory t = defaultTerms();
        (t.minTrainers, t.maxTrainers) = (5, 5);
        project = create(t);
        start(5);
        revealAll(5);
        // Trainers 3 and 4 serve their files only to each other, and attest no others.
        for (uint256 i; i < 5; ++i) {
            attest(i, i < 3 ? 7 : 24, address(0));
        }
        assertPhase(Phase.Aggregate);
        assertEq(activeMask(), 7);
        assertEq(project.trainers().length, 3);
        assertEq(project.burnt(), 2 * uint256(STAKE));
        settleWith([uint256(20000), 20000, 20000, 0], 65536, AGGREGATOR);
        assertEq(project.owed(trainer(0)), part(20000));
        assertEq(project.owed(trainer(3)), 0);
    }

    /// @dev Not revealing for the same purpose costs the stake, whether or not it voids the round.
    function test_reveal_withholdingToVoidCostsTheStake() public {
        Terms memory t = defaultTerms();
        (t.minTrainers, t.maxTrainers) = (5, 6);
        project = create(t);
        start(6);
        commitAll(4);
        reveal(0);
        reveal(1);
        skipAndAdvance(); // two of the three that are needed: void
        assertEq(project.voidRounds(), 1);
        assertEq(project.trainers().length, 4);
        assertEq(project.owed(trainer(0)) + project.owed(trainer(1)), 2 * uint256(STAKE));
        assertEq(project.escrow(), DEPOSIT);
        assertPhase(Phase.Commit);
    }

    /// @dev Half of the revealed slots can void rounds and so end a project. Rounds settled before are still paid.
    function test_attest_halfThatWithholdEndTheProjectAndTakeNothingBack() public {
        start(4);
        submit(4);
        settleWith([uint256(16000), 16000, 16000, 16000], 65536, AGGREGATOR);
        for (uint256 voids; voids < 2; ++voids) {
            revealAll(4);
            for (uint256 i; i < 4; ++i) {
                attest(i, i < 2 ? 3 : 12, address(0));
            }
        }
        assertPhase(Phase.Closing); // the file of round 1 is still open
        skipAndAdvance();
        assertPhase(Phase.WoundUp);
        for (uint256 i; i < 4; ++i) {
            assertEq(project.owed(trainer(i)), STAKE + part(16000));
        }
        assertEq(project.owed(OWNER), DEPOSIT - 4 * part(16000));
        assertEq(project.owed(AGGREGATOR), BOND);
        withdrawAllAndExpectEmpty();
    }

    /* INVALID FILES */

    /// @dev Everyone who fetches a file that does not match its commitment notices: only its author attests it.
    function test_attest_badBytesCostTheStakeAndHoldUpNobody() public {
        start(4);
        submit(4);
        settleEqually();
        revealAll(4);
        for (uint256 i; i < 4; ++i) {
            attest(i, i == 2 ? 15 : 11, AGGREGATOR);
        }
        assertPhase(Phase.Aggregate);
        assertEq(activeMask(), 11);
        assertFalse(project.isTrainer(trainer(2)));
        settleWith([uint256(30000), 30000, 0, 5000], 65536, AGGREGATOR);
        assertEq(project.owed(trainer(2)), part(16384));
        close(AGGREGATOR);
        withdrawAllAndExpectEmpty();
    }

    /* LAST MOVER */

    /// @dev Nobody reveals before all have committed, nobody commits after that, and no slot is replaced: a late
    /// trainer has nothing to average.
    function test_commitUpdate_nobodyCommitsAfterTheFirstReveal() public {
        start(4);
        for (uint256 i; i < 3; ++i) {
            commit(i);
        }
        vm.prank(trainer(0));
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongPhase.selector, Phase.Reveal, Phase.Commit));
        project.revealUpdate(1, cidOf(0), SALT);
        skipAndAdvance(); // trainer 3 waits to see the others
        reveal(0);
        uint256[2] memory average = freshPoint();
        RangeProof memory none;
        vm.prank(trainer(3));
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongPhase.selector, Phase.Commit, Phase.Reveal));
        project.commitUpdate(1, average, "seal", none);
        // A trainer that has committed cannot change its commitment.
        vm.prank(trainer(1));
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongPhase.selector, Phase.Commit, Phase.Reveal));
        project.commitUpdate(1, average, "seal", none);
        reveal(1);
        reveal(2);
        assertPhase(Phase.Attest);
    }

    /* AN OWNER WHO IS ALSO A TRAINER */

    function asOwner(bytes memory call_, uint256 value) private returns (bytes memory) {
        vm.deal(OWNER, OWNER.balance + value);
        vm.prank(OWNER);
        (bool done, bytes memory answer) = address(project).call{value: value}(call_);
        assertTrue(done);
        return answer;
    }

    /// @dev It pays a stake, earns its share, and loses the stake like any trainer: a lost stake does not return to it.
    function test_join_theOwnerIsATrainerLikeAnybody() public {
        placeBond();
        for (uint256 i; i < 3; ++i) {
            join(i);
        }
        asOwner(abi.encodeCall(IProject.join, ()), STAKE);
        uint256[2] memory point = freshPoint();
        for (uint256 i; i < 3; ++i) {
            commit(i);
        }
        RangeProof memory none;
        asOwner(abi.encodeCall(IProject.commitUpdate, (1, point, sealOf(OWNER, "cid"), none)), 0);
        slots.push(slotOfOwner(point));
        for (uint256 i; i < 3; ++i) {
            reveal(i);
        }
        asOwner(abi.encodeCall(IProject.revealUpdate, (1, "cid", SALT)), 0);
        for (uint256 i; i < 3; ++i) {
            attest(i);
        }
        asOwner(abi.encodeCall(IProject.attest, (1, 15, address(0))), 0);
        settleWith([uint256(10000), 10000, 10000, 30000], 65536, AGGREGATOR);
        assertEq(project.owed(OWNER), part(30000));
        // Round 2: it commits and does not reveal.
        for (uint256 i; i < 3; ++i) {
            commit(i);
        }
        asOwner(abi.encodeCall(IProject.commitUpdate, (2, freshPoint(), sealOf(OWNER, "cid"), none)), 0);
        for (uint256 i; i < 3; ++i) {
            reveal(i);
        }
        uint256 escrow = project.escrow();
        skipAndAdvance();
        assertFalse(project.isTrainer(OWNER));
        assertEq(project.escrow(), escrow);
        assertEq(project.owed(OWNER), part(30000)); // without the stake
        assertEq(project.owed(trainer(0)), part(10000) + STAKE / 3);
    }

    function slotOfOwner(uint256[2] memory point) private pure returns (Slot memory) {
        return Slot(OWNER, point[0], point[1]);
    }

    /* NOBODY IS STUCK */

    /// @dev The owner creates the project and disappears: nobody waits for it.
    function test_completed_theOwnerNeverActsAgain() public {
        start(4);
        submit(4);
        settleEqually();
        submit(4);
        settleEqually();
        close(AGGREGATOR);
        assertPhase(Phase.Completed);
        for (uint256 i; i < 4; ++i) {
            assertEq(withdraw(trainer(i)), STAKE + 2 * part(16384));
        }
        assertEq(withdraw(AGGREGATOR), BOND + 2 * uint256(FEE));
        assertEq(address(project).balance, project.owed(OWNER));
    }

    /// @dev A trainer whose account refuses ether blocks neither the round nor anyone's pay, and can withdraw to
    /// another address.
    function test_withdraw_aTrainerThatRefusesEther() public {
        Proud proud = new Proud();
        placeBond();
        for (uint256 i; i < 3; ++i) {
            join(i);
        }
        vm.deal(address(this), STAKE);
        proud.join{value: STAKE}(project);
        assertPhase(Phase.Commit);
        for (uint256 i; i < 3; ++i) {
            commit(i);
        }
        skipAndAdvance();
        for (uint256 i; i < 3; ++i) {
            reveal(i);
        }
        for (uint256 i; i < 3; ++i) {
            attest(i);
        }
        settleWith([uint256(20000), 20000, 20000, 0], 65536, AGGREGATOR);
        skipAndAdvance();
        skipAndAdvance(); // two void rounds: the end, after Closing
        skipAndAdvance();
        assertPhase(Phase.WoundUp);
        vm.expectRevert(abi.encodeWithSelector(IProject.TransferFailed.selector, address(proud)));
        proud.pull(project, payable(address(proud)));
        assertEq(project.owed(address(proud)), STAKE);
        for (uint256 i; i < 3; ++i) {
            assertEq(withdraw(trainer(i)), STAKE + part(20000));
        }
        assertEq(proud.pull(project, payable(STRANGER)), STAKE);
        withdrawAllAndExpectEmpty();
    }

    /// @dev Nobody settles, and everyone but a stranger is gone: with time alone each gets its own.
    function test_advance_everybodyIsSilentAfterTheFirstCommit() public {
        start(4);
        for (uint256 i; i < 4; ++i) {
            commit(i);
        }
        while (project.phase() < Phase.Completed) {
            skipAndAdvance();
        }
        // They committed to an update and did not reveal it.
        for (uint256 i; i < 4; ++i) {
            assertEq(project.owed(trainer(i)), 0);
        }
        assertEq(project.owed(AGGREGATOR), BOND);
        assertEq(project.owed(OWNER), DEPOSIT);
        assertEq(project.burnt(), 4 * uint256(STAKE));
        withdrawAllAndExpectEmpty();
    }
}
