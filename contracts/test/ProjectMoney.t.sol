// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IProject, Phase, Terms} from "../src/interfaces/IProject.sol";
import {RoundProof} from "../src/interfaces/IRoundVerifier.sol";
import {RangeProof} from "../src/interfaces/IRangeVerifier.sol";
import {Market} from "./support/Market.sol";

/// @dev Refuses ether.
contract Refuser {
    function pull(IProject project, address payable to) external returns (uint256) {
        return project.withdraw(to);
    }
}

/// @dev Every way in which a project can end, accounted for to the wei.
contract ProjectMoneyTest is Market {
    /* COMPLETED */

    function test_completed_everybodyGetsExactlyTheirPart() public {
        start(4);
        submit(4);
        settleWith([uint256(30000), 20000, 15535, 0], 65536, AGGREGATOR);
        assertEq(project.owed(trainer(0)), part(30000));
        assertEq(project.owed(trainer(3)), 0);
        assertEq(project.owed(AGGREGATOR), 0);
        (uint256 open, address payee, uint256 fee) = project.openModel();
        assertTrue(open == 1 && payee == AGGREGATOR && fee == FEE);
        uint256 firstPaid = part(30000) + part(20000) + part(15535);
        assertEq(project.escrow(), DEPOSIT - FEE - firstPaid);
        // Trainer 0 withdraws between the rounds, the others at the end.
        assertEq(withdraw(trainer(0)), part(30000));
        submit(4);
        settleWith([uint256(1), 65535, 0, 0], 65536, AGGREGATOR);
        assertEq(project.owed(AGGREGATOR), FEE); // of round 1; Closing decides about the last round's
        assertEq(project.escrow(), 2 * uint256(REWARD) - firstPaid - part(1) - part(65535));
        close(AGGREGATOR);
        assertPhase(Phase.Completed);
        assertEq(project.deadline(), 0);
        uint256 secondPaid = part(1) + part(65535);
        assertEq(project.owed(trainer(0)), part(1) + STAKE);
        assertEq(project.owed(trainer(1)), part(20000) + part(65535) + STAKE);
        assertEq(project.owed(trainer(2)), part(15535) + STAKE);
        assertEq(project.owed(trainer(3)), STAKE);
        assertEq(project.owed(AGGREGATOR), 2 * uint256(FEE) + BOND);
        assertEq(project.owed(OWNER), DEPOSIT - 2 * uint256(FEE) - firstPaid - secondPaid);
        assertEq(project.escrow(), 0);
        withdrawAllAndExpectEmpty();
    }

    function test_completed_nothingKeptLeavesTheRewardToTheOwner() public {
        start(4);
        submit(4);
        settleWith([uint256(0), 0, 0, 0], 0, AGGREGATOR);
        submit(4);
        settleWith([uint256(0), 0, 0, 0], 0, AGGREGATOR);
        close(AGGREGATOR);
        assertPhase(Phase.Completed);
        assertEq(project.owed(OWNER), 2 * uint256(REWARD));
        assertEq(project.owed(AGGREGATOR), 2 * uint256(FEE) + BOND);
        withdrawAllAndExpectEmpty();
    }

    function testFuzz_settle_sharesAndDustMakeTheReward(uint256[4] memory shares) public {
        uint256 left = 65536;
        uint256 paid;
        for (uint256 i; i < 4; ++i) {
            shares[i] %= left + 1;
            left -= shares[i];
            paid += part(shares[i]);
        }
        start(4);
        submit(4);
        settleWith(shares, 65536, AGGREGATOR);
        uint256 sum;
        for (uint256 i; i < 4; ++i) {
            sum += project.owed(trainer(i));
        }
        assertEq(sum, paid);
        assertEq(project.escrow(), DEPOSIT - FEE - paid);
    }

    /* LATE RESULTS */

    function test_settle_afterTheDeadlineTheFeeIsAnybodys() public {
        start(4);
        submit(4);
        vm.warp(project.deadline());
        settleWith([uint256(65536), 0, 0, 0], 65536, STRANGER);
        submit(4);
        assertEq(project.owed(STRANGER), FEE);
        assertEq(project.owed(AGGREGATOR), 0);
        assertTrue(project.bondPlaced());
    }

    function test_advance_noResultDividesTheBondAmongTheActive() public {
        start(4);
        revealAll(4);
        for (uint256 i; i < 4; ++i) {
            attest(i, i == 3 ? 15 : 7, address(0)); // nobody gets trainer 3's file
        }
        assertEq(project.escrow(), DEPOSIT);
        assertEq(project.burnt(), STAKE);
        uint256 each = uint256(BOND) / 3;
        vm.warp(project.deadline() + 200);
        vm.expectEmit();
        emit IProject.BondSlashed(1, BOND, 7);
        vm.expectEmit();
        emit IProject.LossDivided(1, 7, each);
        vm.expectEmit();
        emit IProject.Burnt(1, BOND - 3 * each);
        vm.expectEmit();
        emit IProject.RoundVoided(1, "no result");
        project.advance();
        for (uint256 i; i < 3; ++i) {
            assertEq(project.owed(trainer(i)), each);
        }
        assertEq(project.owed(trainer(3)), 0);
        assertEq(project.escrow(), DEPOSIT);
        assertEq(project.burnt(), STAKE + BOND - 3 * each);
        assertFalse(project.bondPlaced());
        assertEq(project.round(), 2);
        assertPhase(Phase.Commit);
    }

    function test_settle_withoutABondIsOpenToAnybodyFromTheStart() public {
        start(4);
        submit(4);
        skipAndAdvance();
        submit(4);
        settleEquallyTo(STRANGER);
        submit(4);
        assertEq(project.owed(STRANGER), FEE);
        // The named aggregator may too.
        settleEquallyTo(AGGREGATOR);
        close(AGGREGATOR);
        assertPhase(Phase.Completed);
        assertEq(project.owed(AGGREGATOR), FEE);
        withdrawAllAndExpectEmpty();
    }

    function settleEquallyTo(address payee) private {
        settleWith([uint256(16384), 16384, 16384, 16384], 65536, payee);
    }

    function test_advance_noResultTwiceWindsUp() public {
        start(4);
        submit(4);
        skipAndAdvance();
        submit(4);
        skipAndAdvance();
        assertPhase(Phase.WoundUp);
        assertEq(project.voidRounds(), 2);
        uint256 each = uint256(BOND) / 4;
        assertEq(project.owed(trainer(0)), STAKE + each);
        assertEq(project.owed(AGGREGATOR), 0);
        assertEq(project.owed(OWNER), DEPOSIT);
        assertEq(project.burnt(), BOND - 4 * each);
        withdrawAllAndExpectEmpty();
    }

    /* VOID ROUNDS WITHOUT FAULT */

    function test_advance_tooFewCommitmentsTwiceWindsUp() public {
        start(4);
        commit(0);
        commit(1);
        skipAndAdvance();
        skipAndAdvance();
        assertPhase(Phase.WoundUp);
        for (uint256 i; i < 4; ++i) {
            assertEq(project.owed(trainer(i)), STAKE);
        }
        assertEq(project.owed(AGGREGATOR), BOND);
        assertEq(project.owed(OWNER), DEPOSIT);
        withdrawAllAndExpectEmpty();
    }

    /* MISSING REVEALS */

    function test_advance_notRevealingCostsTheStakeAndTheSeat() public {
        start(4);
        for (uint256 i; i < 4; ++i) {
            commit(i);
        }
        for (uint256 i = 1; i < 4; ++i) {
            reveal(i);
        }
        vm.warp(project.deadline());
        vm.expectEmit();
        emit IProject.StakeSlashed(1, trainer(0), STAKE);
        vm.expectEmit();
        emit IProject.LossDivided(1, 14, STAKE / 3);
        vm.expectEmit();
        emit IProject.Burnt(1, STAKE - 3 * (STAKE / 3));
        project.advance();
        assertPhase(Phase.Attest);
        assertFalse(project.isTrainer(trainer(0)));
        assertEq(project.trainers().length, 3);
        assertEq(project.owed(trainer(0)), 0);
        assertEq(project.owed(trainer(1)), STAKE / 3);
        assertEq(project.escrow(), DEPOSIT);
        vm.prank(trainer(0));
        vm.expectRevert(abi.encodeWithSelector(IProject.NothingToAttest.selector, trainer(0)));
        project.attest(1, 1, address(0));
        for (uint256 i = 1; i < 4; ++i) {
            attest(i);
        }
        settleWith([uint256(0), 20000, 20000, 20000], 65536, AGGREGATOR);
        RangeProof memory none;
        vm.prank(trainer(0));
        vm.expectRevert(abi.encodeWithSelector(IProject.NotATrainer.selector, trainer(0)));
        project.commitUpdate(2, [uint256(1), 2], "", none);
    }

    function test_advance_whoDidNotCommitLosesNothing() public {
        start(4);
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
        assertPhase(Phase.Aggregate);
        assertTrue(project.isTrainer(trainer(3)));
        skipAndAdvance(); // no result: trainer 3 gets no part of the bond
        assertEq(project.owed(trainer(3)), 0);
        assertEq(project.owed(trainer(2)), uint256(BOND) / 3);
    }

    function test_advance_slashedTrainerKeepsWhatItEarned() public {
        start(4);
        submit(4);
        settleWith([uint256(40000), 10000, 10000, 5000], 65536, AGGREGATOR);
        for (uint256 i; i < 4; ++i) {
            commit(i);
        }
        for (uint256 i = 1; i < 4; ++i) {
            reveal(i);
        }
        skipAndAdvance();
        assertEq(project.owed(trainer(0)), part(40000));
        for (uint256 i = 1; i < 4; ++i) {
            attest(i);
        }
        settleWith([uint256(0), 10000, 10000, 10000], 65536, AGGREGATOR);
        vm.prank(trainer(1));
        project.attestModel(AGGREGATOR);
        vm.prank(trainer(2));
        project.attestModel(AGGREGATOR);
        assertPhase(Phase.Completed);
        assertEq(project.owed(trainer(0)), part(40000));
        assertEq(
            project.owed(OWNER),
            2 * uint256(REWARD) - part(40000) - 5 * part(10000) - part(5000) // no part of the stake
        );
        withdrawAllAndExpectEmpty();
    }

    function test_advance_tooFewRevealsAndTooFewTrainersWindUp() public {
        start(4);
        for (uint256 i; i < 4; ++i) {
            commit(i);
        }
        reveal(1);
        reveal(2);
        vm.warp(project.deadline());
        vm.expectEmit();
        emit IProject.RoundVoided(1, "too few reveals");
        project.advance();
        // Two trainers remain and three are needed, so no further round opens.
        assertPhase(Phase.WoundUp);
        assertEq(project.voidRounds(), 1);
        assertEq(project.owed(trainer(0)), 0);
        assertEq(project.owed(trainer(1)), 2 * uint256(STAKE)); // its own, and one of the two that are lost
        assertEq(project.owed(trainer(2)), 2 * uint256(STAKE));
        assertEq(project.owed(trainer(3)), 0);
        assertEq(project.owed(AGGREGATOR), BOND);
        assertEq(project.owed(OWNER), DEPOSIT);
        withdrawAllAndExpectEmpty();
    }

    function test_advance_tooFewRevealsVoidsTheRoundOnly() public {
        Terms memory t = defaultTerms();
        t.maxTrainers = 8;
        project = create(t);
        start(7);
        for (uint256 i; i < 5; ++i) {
            commit(i);
        }
        skipAndAdvance();
        reveal(0);
        reveal(1);
        skipAndAdvance();
        assertPhase(Phase.Commit); // trainers 0, 1, 5, 6 remain
        assertEq(project.round(), 2);
        assertEq(project.trainers().length, 4);
        assertEq(project.escrow(), DEPOSIT);
        // Three stakes for two who revealed, but nobody gets more than its own stake.
        assertEq(project.owed(trainer(0)), STAKE);
        assertEq(project.owed(trainer(1)), STAKE);
        assertEq(project.owed(trainer(5)), 0);
        assertEq(project.burnt(), STAKE);
    }

    function test_advance_stakeOfNobodyIsLostWhenNobodyReveals() public {
        start(3);
        for (uint256 i; i < 3; ++i) {
            commit(i);
        }
        skipAndAdvance();
        assertPhase(Phase.WoundUp);
        assertEq(project.trainers().length, 0);
        assertEq(project.owed(OWNER), DEPOSIT);
        assertEq(project.burnt(), 3 * uint256(STAKE));
        withdrawAllAndExpectEmpty();
    }

    /* WITHDRAWALS */

    function test_withdraw_paysToAnotherAddress() public {
        join(0);
        vm.prank(trainer(0));
        project.leave();
        vm.expectEmit();
        emit IProject.Withdrawn(trainer(0), STRANGER, STAKE);
        vm.prank(trainer(0));
        project.withdraw(payable(STRANGER));
        assertEq(STRANGER.balance, STAKE);
        assertEq(trainer(0).balance, 0);
    }

    function test_withdraw_nothingToWithdraw() public {
        vm.expectRevert(abi.encodeWithSelector(IProject.NothingToWithdraw.selector, address(this)));
        project.withdraw(payable(address(this)));
        join(0);
        vm.prank(trainer(0));
        vm.expectRevert(abi.encodeWithSelector(IProject.NothingToWithdraw.selector, trainer(0)));
        project.withdraw(payable(trainer(0)));
    }

    function test_withdraw_transferFailed() public {
        Refuser refuser = new Refuser();
        Terms memory t = defaultTerms();
        t.aggregator = address(refuser);
        project = create(t);
        for (uint256 i; i < 4; ++i) {
            join(i);
        }
        vm.deal(address(refuser), BOND);
        vm.prank(address(refuser));
        project.placeBond{value: BOND}();
        submit(4);
        settleWith([uint256(65536), 0, 0, 0], 65536, address(refuser));
        submit(4);
        vm.expectRevert(abi.encodeWithSelector(IProject.TransferFailed.selector, address(refuser)));
        refuser.pull(project, payable(address(refuser)));
        vm.expectRevert(abi.encodeWithSelector(IProject.TransferFailed.selector, address(0)));
        refuser.pull(project, payable(address(0)));
        // It loses nothing, and blocks nobody else.
        assertEq(project.owed(address(refuser)), FEE);
        assertEq(withdraw(trainer(0)), REWARD);
        assertEq(refuser.pull(project, payable(STRANGER)), FEE);
    }

    /// @dev Fourteen shares fill a word: slots 14 and 15 are paid from the second word, and a second word of zeros pays
    /// nothing.
    function test_settle_sharesOfTheSecondWord() public {
        Terms memory t = defaultTerms();
        (t.slots, t.maxTrainers) = (16, 16);
        project = create(t);
        start(16);
        uint256[2][2] memory words = [[uint256(10_000), 20_000 | 30_000 << 17], [uint256(40_000), 0]];
        for (uint256 id = 1; id <= 2; ++id) {
            submit(16);
            RoundProof memory p = claim([uint256(0), 0, 0, 0], 65536);
            (p.shares, p.weights) = (new uint256[](2), new uint256[](2));
            (p.shares[0], p.shares[1]) = (words[id - 1][0], words[id - 1][1]);
            uint256 escrow = project.escrow();
            vm.prank(AGGREGATOR);
            project.settle(id, AGGREGATOR, "next model", points(), nobody(), p);
            uint256 paid = id == 1 ? part(10_000) + part(20_000) + part(30_000) : part(40_000);
            assertEq(escrow - project.escrow(), FEE + paid);
            uint256[] memory stored = project.sharesOf(id);
            assertEq(stored.length, 2);
            assertEq(stored[0], words[id - 1][0]);
            assertEq(stored[1], words[id - 1][1]);
        }
        assertEq(project.owed(trainer(0)), part(10_000) + part(40_000));
        assertEq(project.owed(trainer(13)), 0);
        assertEq(project.owed(trainer(14)), part(20_000));
        assertEq(project.owed(trainer(15)), part(30_000));
    }

    /// @dev Void rounds at the beginning, between settled rounds and at the end: whenever a trainer withdraws, it gets
    /// the shares of every round.
    function test_owed_voidRoundsBetweenSettledOnes() public {
        Terms memory t = defaultTerms();
        (t.rounds, t.maxVoids) = (4, 6);
        project = create(t);
        start(4);
        bool[8] memory settled = [false, true, false, false, true, true, false, true];
        uint256 expected;
        for (uint256 id = 1; id <= 8; ++id) {
            assertEq(project.round(), id);
            if (settled[id - 1]) {
                submit(4);
                settleWith([1000 * id, 10, 0, 0], 65536, AGGREGATOR);
                expected += part(1000 * id);
            } else {
                skipAndAdvance(); // nobody commits
            }
            if (id == 3 || id == 5) {
                assertEq(withdraw(trainer(0)), expected);
                expected = 0;
            }
            assertEq(project.owed(trainer(0)), expected);
            assertEq(project.owed(trainer(2)), 0);
        }
        assertPhase(Phase.Closing);
        assertEq(project.owed(trainer(1)), 4 * part(10));
        for (uint256 id; id <= 10; ++id) {
            uint256[] memory words = project.sharesOf(id);
            bool has = id >= 1 && id <= 8 && settled[id - 1];
            assertEq(words.length, has ? 1 : 0);
            if (has) assertEq(words[0], 1000 * id | 10 << 17);
        }
    }

    function test_withdraw_forcedEtherIsNobodys() public {
        join(0);
        vm.deal(address(project), address(project).balance + 1 ether);
        vm.prank(trainer(0));
        project.leave();
        assertEq(withdraw(trainer(0)), STAKE);
        skipAndAdvance();
        withdraw(OWNER);
        assertEq(address(project).balance, 1 ether);
    }
}
