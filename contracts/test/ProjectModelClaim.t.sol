// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IProject, Phase, Terms} from "../src/interfaces/IProject.sol";
import {Market} from "./support/Market.sol";

/// @dev The fee of a round pays for the model's file: the source that the next round's attesters name earns it.
contract ProjectModelClaimTest is Market {
    address private constant RESCUER = address(0x5E5C);
    address private constant SQUATTER = address(0x5A7);

    /// @dev Round 1 is settled by the aggregator, with no slot kept; round 2 is in Commit.
    function settleOne() private {
        start(4);
        submit(4);
        settleNothing(AGGREGATOR);
        assertPhase(Phase.Commit);
    }

    function settleNothing(address payee) private {
        settleWith([uint256(0), 0, 0, 0], 65536, payee);
    }

    function publish(address who, bytes32 cid) private {
        vm.prank(who);
        project.publishModel(cid);
    }

    function assertClaim(uint256 round, address payee) private view {
        (uint256 id, address who, uint256 fee) = project.openModel();
        assertEq(id, round);
        assertEq(who, payee);
        assertEq(fee, round == 0 ? 0 : FEE);
    }

    function modelCid() private view returns (bytes32 cid) {
        (, cid) = project.model();
    }

    /* ATTEST OF THE NEXT ROUND */

    function test_attest_theFeeIsTheSettlersAsSoonAsMoreThanHalfHadTheFile() public {
        settleOne();
        assertClaim(1, AGGREGATOR);
        assertEq(project.escrow(), DEPOSIT - FEE);
        revealAll(4);
        attest(0);
        attest(1);
        assertEq(project.owed(AGGREGATOR), 0);
        vm.expectEmit();
        emit IProject.ModelAttested(1, AGGREGATOR, "next model", FEE);
        attest(2);
        assertEq(project.owed(AGGREGATOR), FEE);
        assertClaim(0, address(0));
        attest(3, 15, AGGREGATOR); // after the decision, and accepted
        assertPhase(Phase.Aggregate);
        assertEq(project.escrow(), DEPOSIT - FEE);
        assertTrue(project.bondPlaced());
    }

    function test_attest_aPublisherTakesTheFeeAndTheBondIsLost() public {
        settleOne();
        vm.expectEmit();
        emit IProject.ModelPublished(1, RESCUER, "rescued");
        publish(RESCUER, "rescued");
        revealAll(4);
        attest(0, 15, RESCUER);
        attest(1, 15, AGGREGATOR);
        attest(2, 15, RESCUER);
        vm.expectEmit();
        emit IProject.BondSlashed(1, BOND, 0);
        vm.expectEmit();
        emit IProject.ModelAttested(1, RESCUER, "rescued", FEE);
        attest(3, 15, RESCUER);
        assertEq(project.owed(RESCUER), FEE);
        assertEq(project.owed(AGGREGATOR), 0);
        assertFalse(project.bondPlaced());
        assertEq(modelCid(), "rescued");
        assertEq(project.escrow(), DEPOSIT - FEE);
        assertEq(project.burnt(), BOND);
        // From here on anyone may settle.
        settleNothing(STRANGER);
        assertClaim(2, STRANGER);
    }

    /// @dev If someone else settled, the aggregator's bond does not answer for the file.
    function test_attest_aPublisherAgainstAnotherPayeeLeavesTheBond() public {
        start(4);
        submit(4);
        vm.warp(project.deadline());
        settleNothing(STRANGER);
        publish(AGGREGATOR, "rescued");
        revealAll(4);
        for (uint256 i; i < 4; ++i) {
            attest(i, 15, AGGREGATOR);
        }
        assertEq(project.owed(AGGREGATOR), FEE);
        assertTrue(project.bondPlaced());
    }

    function test_attest_aSquatterKeepsNobodyFromTheFee() public {
        settleOne();
        publish(SQUATTER, "next model");
        publish(RESCUER, "next model"); // the same file
        revealAll(4);
        attest(0, 15, SQUATTER);
        for (uint256 i = 1; i < 4; ++i) {
            attest(i, 15, RESCUER);
        }
        assertEq(project.owed(RESCUER), FEE);
        assertEq(project.owed(SQUATTER), 0);
    }

    function test_attest_withoutAMajorityTheFeeGoesBack() public {
        settleOne();
        publish(RESCUER, "rescued");
        revealAll(4);
        attest(0, 15, AGGREGATOR);
        attest(1, 15, RESCUER);
        attest(2, 15, AGGREGATOR);
        vm.expectEmit();
        emit IProject.ModelUnattested(1, FEE);
        attest(3, 15, RESCUER);
        assertClaim(0, address(0));
        assertEq(project.escrow(), DEPOSIT);
        assertEq(modelCid(), "next model");
        assertTrue(project.bondPlaced());
        assertPhase(Phase.Aggregate);
    }

    /// @dev Half of the revealed slots is not enough, even if nobody else attests.
    function test_attest_theMajorityIsOfTheRevealed() public {
        settleOne();
        revealAll(4);
        attest(0);
        attest(1);
        skipAndAdvance();
        assertEq(project.owed(AGGREGATOR), 0);
        assertClaim(1, AGGREGATOR); // two of four attest, so no slot is active: void
        assertEq(project.voidRounds(), 1);
    }

    /// @dev A void round does not close a claim, and its votes do not count in the next round.
    function test_attest_aVoidRoundLeavesTheClaimOpenWithoutItsVotes() public {
        settleOne();
        revealAll(4);
        attest(0, 1, AGGREGATOR);
        attest(1, 2, AGGREGATOR);
        skipAndAdvance();
        assertClaim(1, AGGREGATOR);
        publish(RESCUER, "rescued"); // still possible
        revealAll(4);
        attest(0, 15, AGGREGATOR);
        assertClaim(1, AGGREGATOR);
        for (uint256 i = 1; i < 4; ++i) {
            attest(i, 15, RESCUER);
        }
        assertEq(project.owed(RESCUER), FEE);
    }

    /* PUBLISHING */

    function test_publishModel_nothingToPublish() public {
        bytes memory nothing = abi.encodeWithSelector(IProject.NothingToPublish.selector);
        start(4);
        vm.expectRevert(nothing);
        project.publishModel("cid");
        submit(4);
        settleNothing(AGGREGATOR);
        vm.prank(AGGREGATOR); // is a source already, by settling
        vm.expectRevert(nothing);
        project.publishModel("cid");
        publish(RESCUER, "rescued");
        vm.prank(RESCUER);
        vm.expectRevert(nothing);
        project.publishModel("another");
    }

    function test_publishModel_invalidModelCid() public {
        settleOne();
        vm.expectRevert(IProject.InvalidModelCid.selector);
        project.publishModel(0);
    }

    function test_publishModel_inCommitRevealAndClosingOnly() public {
        settleOne();
        publish(address(1), "cid");
        for (uint256 i; i < 4; ++i) {
            commit(i);
        }
        publish(address(2), "cid");
        uint256 end = project.deadline();
        for (uint256 i; i < 4; ++i) {
            reveal(i);
        }
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongPhase.selector, Phase.Commit, Phase.Attest));
        project.publishModel("cid");
        for (uint256 i; i < 4; ++i) {
            attest(i);
        }
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongPhase.selector, Phase.Commit, Phase.Aggregate));
        project.publishModel("cid");
        settleNothing(AGGREGATOR);
        assertPhase(Phase.Closing);
        publish(address(3), "cid");
        end = project.deadline();
        vm.warp(end);
        vm.expectRevert(abi.encodeWithSelector(IProject.DeadlinePassed.selector, end));
        project.publishModel("cid");
    }

    /* CLOSING */

    function lastSettled() private {
        settleOne();
        submit(4);
        settleNothing(AGGREGATOR);
        assertPhase(Phase.Closing);
        assertEq(project.deadline(), block.timestamp + 60);
        assertClaim(2, AGGREGATOR);
        assertEq(project.owed(OWNER), 0);
        assertTrue(project.bondPlaced());
    }

    function test_attestModel_closesTheProject() public {
        lastSettled();
        vm.expectEmit();
        emit IProject.ModelSourceNamed(2, trainer(0), AGGREGATOR);
        vm.prank(trainer(0));
        project.attestModel(AGGREGATOR);
        vm.prank(trainer(1));
        project.attestModel(AGGREGATOR);
        assertPhase(Phase.Closing);
        vm.expectEmit();
        emit IProject.ModelAttested(2, AGGREGATOR, "next model", FEE);
        vm.expectEmit();
        emit IProject.ProjectEnded(Phase.Completed, 2 * uint256(REWARD));
        vm.prank(trainer(2));
        project.attestModel(AGGREGATOR);
        assertEq(project.owed(AGGREGATOR), 2 * uint256(FEE) + BOND);
        assertEq(project.owed(OWNER), 2 * uint256(REWARD));
        withdrawAllAndExpectEmpty();
    }

    function test_attestModel_aPublisherWinsAndTheBondIsLost() public {
        lastSettled();
        publish(RESCUER, "rescued");
        close(RESCUER);
        assertPhase(Phase.Completed);
        assertEq(project.owed(RESCUER), FEE);
        assertEq(project.owed(AGGREGATOR), FEE); // round 1's
        assertEq(project.owed(OWNER), 2 * uint256(REWARD)); // no part of the bond
        assertEq(project.burnt(), BOND);
        assertEq(modelCid(), "rescued");
        withdraw(RESCUER);
        withdrawAllAndExpectEmpty();
    }

    function test_advance_closingWithoutAMajorityGivesTheFeeBack() public {
        lastSettled();
        vm.prank(trainer(0));
        project.attestModel(AGGREGATOR);
        vm.warp(project.deadline());
        vm.expectEmit();
        emit IProject.ModelUnattested(2, FEE);
        vm.expectEmit();
        emit IProject.ProjectEnded(Phase.Completed, 2 * uint256(REWARD) + FEE);
        project.advance();
        assertPhase(Phase.Completed);
        assertEq(project.owed(AGGREGATOR), uint256(FEE) + BOND);
        withdrawAllAndExpectEmpty();
    }

    /// @dev Only accounts that attested in the file's round, each once.
    function test_attestModel_whoMay() public {
        settleOne();
        revealAll(4);
        for (uint256 i; i < 3; ++i) {
            attest(i);
        }
        skipAndAdvance();
        settleNothing(AGGREGATOR);
        address[2] memory none = [trainer(3), STRANGER]; // did not attest; has no slot
        for (uint256 i; i < 2; ++i) {
            vm.prank(none[i]);
            vm.expectRevert(abi.encodeWithSelector(IProject.NothingToAttest.selector, none[i]));
            project.attestModel(AGGREGATOR);
        }
        address[2] memory wrong = [address(0), STRANGER];
        for (uint256 i; i < 2; ++i) {
            vm.prank(trainer(0));
            vm.expectRevert(abi.encodeWithSelector(IProject.NotASource.selector, wrong[i]));
            project.attestModel(wrong[i]);
        }
        vm.prank(trainer(0));
        project.attestModel(AGGREGATOR);
        vm.prank(trainer(0));
        vm.expectRevert(abi.encodeWithSelector(IProject.NothingToAttest.selector, trainer(0)));
        project.attestModel(AGGREGATOR);
        // Two of the three who attested are more than half.
        vm.prank(trainer(1));
        project.attestModel(AGGREGATOR);
        assertPhase(Phase.Completed);
    }

    function test_attestModel_wrongPhaseOrTime() public {
        settleOne();
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongPhase.selector, Phase.Closing, Phase.Commit));
        project.attestModel(AGGREGATOR);
        submit(4);
        settleNothing(AGGREGATOR);
        uint256 end = project.deadline();
        vm.warp(end);
        vm.prank(trainer(0));
        vm.expectRevert(abi.encodeWithSelector(IProject.DeadlinePassed.selector, end));
        project.attestModel(AGGREGATOR);
    }

    /// @dev The project is wound up with a fee open: Closing decides about the file of round 1 before the owner gets
    /// the rest.
    function test_closing_beforeAProjectIsWoundUp() public {
        settleOne();
        skipAndAdvance();
        assertEq(project.voidRounds(), 1);
        skipAndAdvance();
        assertPhase(Phase.Closing);
        assertEq(project.voidRounds(), 2);
        assertClaim(1, AGGREGATOR);
        close(AGGREGATOR);
        assertPhase(Phase.WoundUp);
        assertEq(project.owed(AGGREGATOR), uint256(FEE) + BOND);
        assertEq(project.owed(OWNER), DEPOSIT - FEE);
        withdrawAllAndExpectEmpty();
    }

    /// @dev A trainer that has left or was slashed since keeps its vote on the file of its round.
    function test_attestModel_withoutASeat() public {
        settleOne();
        for (uint256 i; i < 2; ++i) {
            vm.prank(trainer(i));
            project.leave();
        }
        skipAndAdvance();
        assertPhase(Phase.Closing); // two trainers remain of the three that a round needs
        close(AGGREGATOR);
        assertPhase(Phase.WoundUp);
        withdrawAllAndExpectEmpty();
    }
}
