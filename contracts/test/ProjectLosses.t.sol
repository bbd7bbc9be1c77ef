// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RangeProof} from "../src/interfaces/IRangeVerifier.sol";
import {IProject, Phase, Terms} from "../src/interfaces/IProject.sol";
import {RoundProof} from "../src/interfaces/IRoundVerifier.sol";
import {Market} from "./support/Market.sol";
import {Slot} from "./support/Points.sol";

/// @dev Attacks on stakes, on the bond and on the fee: who can make another lose, and who gains by it.
contract ProjectLossesTest is Market {
    function ofTrainers(uint8 n, uint8 fewest) private {
        Terms memory t = defaultTerms();
        (t.slots, t.minTrainers, t.maxTrainers, t.minActive) = (n > 8 ? 16 : 8, fewest, n, fewest);
        (t.rounds, t.maxVoids) = (3, 3);
        project = create(t);
        start(n);
    }

    /* THE AGGREGATOR'S BOND AND FEE */

    /// @dev After the deadline a stranger settles in the aggregator's name with a CID of nothing, and publishes the
    /// file itself: the fee would be the stranger's, and the aggregator's bond lost.
    function test_settle_lateInTheAggregatorsNameCostsItNoBond() public {
        ofTrainers(4, 3);
        submit(4);
        vm.warp(project.deadline());
        RoundProof memory p = claim([uint256(16384), 16384, 16384, 16384], 65536);
        vm.prank(STRANGER);
        (bool settled,) = address(project)
            .call(abi.encodeCall(IProject.settle, (1, AGGREGATOR, "a CID of nothing", points(), nobody(), p)));
        if (settled) {
            vm.prank(STRANGER);
            project.publishModel("the file");
            revealAll(4);
            for (uint256 i; i < 4; ++i) {
                attest(i, 15, STRANGER);
            }
        }
        assertTrue(project.bondPlaced(), "the bond is lost");
        assertEq(project.owed(STRANGER), 0);
        assertFalse(settled);
    }

    /* VOTES */

    /// @dev Four of ten do not attest, and one of the six others leaves out whom it likes: these have five
    /// attestations, which is not more than half of ten. They are unpaid, but one liar takes nobody's stake.
    function test_attest_oneLiarAndFourAbsentTakeNoStake() public {
        ofTrainers(10, 3);
        revealAll(10);
        for (uint256 i; i < 5; ++i) {
            attest(i, 1023, address(0));
        }
        attest(5, 1 << 5 | 7, address(0));
        skipAndAdvance();
        assertPhase(Phase.Aggregate);
        assertEq(activeMask(), 1 << 5 | 7);
        assertEq(project.trainers().length, 10, "a stake is lost");
        assertEq(project.burnt(), 0);
    }

    /// @dev One of five withholds its bytes, so that too few slots are active: the round is void, and its stake is
    /// lost. A sixth trainer has a seat, so that the project goes on.
    function test_attest_oneOfFiveThatWithholdsLosesItsStakeInAVoidRound() public {
        Terms memory t = defaultTerms();
        (t.minTrainers, t.maxTrainers, t.minActive, t.maxVoids) = (5, 6, 5, 3);
        project = create(t);
        start(6);
        revealAll(5);
        for (uint256 i; i < 4; ++i) {
            attest(i, 15, address(0));
        }
        vm.expectEmit();
        emit IProject.StakeSlashed(1, trainer(4), STAKE);
        vm.expectEmit();
        emit IProject.Burnt(1, STAKE);
        vm.expectEmit();
        emit IProject.RoundVoided(1, "too few active");
        attest(4, 31, address(0));
        assertEq(project.voidRounds(), 1);
        assertFalse(project.isTrainer(trainer(4)));
        assertEq(project.trainers().length, 5);
        assertPhase(Phase.Commit); // it has no seat for a second time
    }

    /// @dev Two of six: the same.
    function test_attest_twoOfSixThatWithholdLoseTheirStakesInAVoidRound() public {
        ofTrainers(6, 5);
        revealAll(6);
        for (uint256 i; i < 6; ++i) {
            attest(i, i < 4 ? 15 : 63, address(0));
        }
        assertEq(project.voidRounds(), 1);
        assertEq(project.trainers().length, 4);
        assertEq(project.burnt(), 2 * uint256(STAKE));
    }

    /// @dev What remains: two of six show their bytes to one of the four others. Exactly half attest them, so they are
    /// neither active nor slashed, and the round is void. To slash here would give half of the slots the others' stakes.
    function test_attest_exactlyHalfIsNeitherActiveNorSlashed() public {
        ofTrainers(6, 5);
        revealAll(6);
        for (uint256 i; i < 6; ++i) {
            attest(i, i == 0 || i > 3 ? 63 : 15, address(0));
        }
        assertEq(project.voidRounds(), 1);
        assertEq(project.trainers().length, 6);
        assertEq(project.burnt(), 0);
    }

    /// @dev An outage: nobody gets any file but its own, so everybody attests without everybody. Half of the slots and
    /// more cannot be a minority that withholds: nobody loses a stake.
    function test_attest_anOutageCostsNobodyAStake() public {
        ofTrainers(6, 5);
        revealAll(6);
        for (uint256 i; i < 6; ++i) {
            attest(i, 1 << i, address(0));
        }
        assertEq(project.voidRounds(), 1);
        assertEq(project.trainers().length, 6);
        assertEq(project.burnt(), 0);
        // Three see one another, the other three see nothing.
        revealAll(6);
        for (uint256 i; i < 6; ++i) {
            attest(i, i < 3 ? 7 : 1 << i, address(0));
        }
        assertEq(project.voidRounds(), 2);
        assertEq(project.trainers().length, 6);
    }

    /* THE OWNER */

    function commitAs(address who, uint256 id) private {
        uint256[2] memory point = freshPoint();
        RangeProof memory none;
        vm.prank(who);
        project.commitUpdate(id, point, sealOf(who, "cid"), none);
        slots.push(Slot(who, point[0], point[1]));
    }

    /// @dev An owner with two of six seats sees the four honest updates and reveals none of its own: the round is void
    /// and the project ends. Its stakes do not return to it.
    function test_advance_anOwnersSilentSeatsPayTheHonest() public {
        Terms memory t = defaultTerms();
        (t.minTrainers, t.maxTrainers, t.minActive) = (5, 6, 5);
        project = create(t);
        start(6); // trainers 4 and 5 are the owner's
        for (uint256 i; i < 6; ++i) {
            commit(i);
        }
        for (uint256 i; i < 4; ++i) {
            reveal(i);
        }
        skipAndAdvance();
        assertPhase(Phase.WoundUp);
        assertEq(project.owed(OWNER), DEPOSIT, "the owner has its own stakes back");
        for (uint256 i; i < 4; ++i) {
            assertEq(project.owed(trainer(i)), STAKE + uint256(STAKE) / 2);
        }
        assertEq(project.burnt(), 0);
        withdrawAllAndExpectEmpty();
    }

    /// @dev The owner trains in its own name: what others lose, and its own aggregator's bond, are not divided to it.
    function test_advance_theOwnerHasNoPartInWhatOthersLose() public {
        Terms memory t = defaultTerms();
        (t.maxTrainers, t.maxVoids) = (5, 1);
        project = create(t);
        vm.deal(OWNER, STAKE);
        vm.prank(OWNER);
        project.join{value: STAKE}();
        start(4);
        for (uint256 i; i < 4; ++i) {
            commit(i);
        }
        commitAs(OWNER, 1);
        vm.prank(OWNER);
        project.revealUpdate(1, "cid", SALT);
        for (uint256 i; i < 3; ++i) {
            reveal(i);
        }
        vm.warp(project.deadline());
        vm.expectEmit();
        emit IProject.LossDivided(1, 23, STAKE / 4);
        vm.expectEmit();
        emit IProject.Burnt(1, STAKE / 4);
        project.advance();
        assertEq(project.owed(OWNER), 0);
        assertEq(project.owed(trainer(0)), STAKE / 4);
        for (uint256 i; i < 3; ++i) {
            attest(i, 23, address(0));
        }
        vm.prank(OWNER);
        project.attest(1, 23, address(0));
        skipAndAdvance(); // no result
        assertPhase(Phase.WoundUp);
        assertEq(project.owed(OWNER), DEPOSIT + STAKE, "the owner gains by what others lost");
        assertEq(project.owed(trainer(0)), STAKE + uint256(STAKE) / 4 + BOND / 4);
        assertEq(project.burnt(), STAKE / 4 + BOND - 3 * (BOND / 4));
        withdrawAllAndExpectEmpty();
    }

    /// @dev Every way to lose a stake, a part of it or the bond, in one project: the owner ends with the deposit less
    /// what was earned.
    function test_completed_noLossIsTheOwners() public {
        Terms memory t = defaultTerms();
        (t.maxTrainers, t.rounds, t.maxVoids, t.outlierPenalty) = (8, 2, 3, STAKE / 10);
        project = create(t);
        start(8);
        submit(8);
        RoundProof memory p = claim([uint256(20000), 20000, 20000, 0], 65536); // 3 to 7 are outliers
        address[] memory dropped = outliers(7);
        t.outlierRounds = 0;
        vm.prank(AGGREGATOR);
        project.settle(1, AGGREGATOR, "next model", points(), dropped, p);
        vm.prank(STRANGER);
        project.publishModel("rescued");
        for (uint256 i; i < 8; ++i) {
            commit(i);
        }
        for (uint256 i; i < 7; ++i) {
            reveal(i); // 7 does not
        }
        skipAndAdvance();
        for (uint256 i; i < 7; ++i) {
            attest(i, i == 6 ? 127 : 63, STRANGER); // 6 withholds; the bond is lost
        }
        assertFalse(project.bondPlaced());
        settleWith([uint256(0), 0, 0, 0], 65536, AGGREGATOR);
        skipAndAdvance();
        assertPhase(Phase.Completed);
        assertEq(project.owed(OWNER), DEPOSIT - FEE - 3 * part(20000), "a loss is the owner's");
        withdrawAllAndExpectEmpty();
    }

    /* GAIN BY REVEALING */

    /// @dev A trainer that reveals junk gets its part of the stakes of the silent, which is at most its own stake, and
    /// loses that stake by vote: it gains nothing.
    function test_advance_junkThatIsRevealedGainsNothing() public {
        ofTrainers(8, 3);
        for (uint256 i; i < 8; ++i) {
            commit(i);
        }
        for (uint256 i; i < 3; ++i) {
            reveal(i); // five are silent: more than one stake for each of the three
        }
        skipAndAdvance();
        for (uint256 i; i < 3; ++i) {
            assertEq(project.owed(trainer(i)), STAKE);
        }
        assertEq(project.burnt(), 2 * uint256(STAKE));
        attest(0, 3, address(0));
        attest(1, 3, address(0));
        attest(2, 7, address(0)); // two of three are against it
        assertFalse(project.isTrainer(trainer(2)));
        assertEq(project.owed(trainer(2)), STAKE); // as much as it had deposited
    }

    /// @dev The part is measured by the stake that is held, which is less after a penalty.
    function test_advance_aPartIsAtMostTheStakeThatIsHeld() public {
        Terms memory t = defaultTerms();
        (t.maxTrainers, t.outlierPenalty) = (4, STAKE / 10);
        project = create(t);
        start(4);
        submit(4);
        settleWith([uint256(20000), 20000, 20000, 0], 65536, AGGREGATOR); // 3 pays the penalty
        for (uint256 i; i < 4; ++i) {
            commit(i);
        }
        reveal(2);
        reveal(3);
        (uint256 two, uint256 three) = (project.owed(trainer(2)), project.owed(trainer(3)));
        uint256 burnt = project.burnt();
        assertEq(burnt, STAKE / 10);
        skipAndAdvance();
        assertPhase(Phase.Closing);
        assertEq(project.owed(trainer(2)) - two, STAKE);
        assertEq(project.owed(trainer(3)) - three, STAKE - STAKE / 10);
        assertEq(project.burnt() - burnt, STAKE / 10);
    }
}
