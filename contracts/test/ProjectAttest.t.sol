// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IProject, Phase, Terms} from "../src/interfaces/IProject.sol";
import {RoundProof} from "../src/interfaces/IRoundVerifier.sol";
import {Tally} from "../src/libraries/Tally.sol";
import {Market} from "./support/Market.sol";
import {MiniTest} from "./support/MiniTest.sol";

/// @dev Attest: which slots are active, who is paid, who is slashed. Also outliers.
contract ProjectAttestTest is Market {
    function refuseAttest(uint256 i, uint256 round, uint256 mask, address source, bytes memory reason) private {
        vm.prank(trainer(i));
        vm.expectRevert(reason);
        project.attest(round, mask, source);
    }

    /* WHO MAY ATTEST WHAT */

    function test_attest_countsAndTheLastOneOpensAggregate() public {
        start(4);
        revealAll(4);
        assertEq(project.deadline(), block.timestamp + 60);
        vm.expectEmit();
        emit IProject.Attested(1, 0, trainer(0), 15, address(0));
        attest(0);
        for (uint256 i = 1; i < 3; ++i) {
            attest(i);
        }
        (,, uint256 attested, uint256 active,) = project.roundState(1);
        assertEq(attested, 7);
        assertEq(active, 0);
        assertPhase(Phase.Attest);
        vm.expectEmit();
        emit IProject.Attested(1, 3, trainer(3), 15, address(0));
        vm.expectEmit();
        emit IProject.SlotsActive(1, 15, 15);
        vm.expectEmit();
        emit IProject.PhaseOpened(1, Phase.Aggregate, block.timestamp + 200);
        attest(3);
        assertEq(activeMask(), 15);
    }

    function test_attest_wrongMask() public {
        start(4);
        for (uint256 i; i < 4; ++i) {
            commit(i);
        }
        for (uint256 i; i < 3; ++i) {
            reveal(i);
        }
        skipAndAdvance();
        // Without its own slot; with a slot that is not revealed, or does not exist; empty.
        uint256[4] memory bad = [uint256(6), 15, 7 | 1 << 128, 0];
        for (uint256 i; i < 4; ++i) {
            refuseAttest(0, 1, bad[i], address(0), abi.encodeWithSelector(IProject.WrongMask.selector, bad[i]));
        }
        attest(0, 1, address(0));
    }

    function test_attest_nothingToAttest() public {
        Terms memory t = defaultTerms();
        t.maxTrainers = 8;
        project = create(t);
        start(5);
        for (uint256 i; i < 4; ++i) {
            commit(i);
        }
        skipAndAdvance();
        for (uint256 i; i < 3; ++i) {
            reveal(i);
        }
        skipAndAdvance();
        uint256[2] memory who = [uint256(3), 4]; // not revealed; not committed
        for (uint256 i; i < 2; ++i) {
            refuseAttest(
                who[i], 1, 7, address(0), abi.encodeWithSelector(IProject.NothingToAttest.selector, trainer(who[i]))
            );
        }
        attest(0);
        refuseAttest(0, 1, 7, address(0), abi.encodeWithSelector(IProject.NothingToAttest.selector, trainer(0)));
    }

    function test_attest_wrongRoundPhaseOrTime() public {
        start(4);
        bytes memory reason = abi.encodeWithSelector(IProject.WrongPhase.selector, Phase.Attest, Phase.Commit);
        refuseAttest(0, 1, 1, address(0), reason);
        revealAll(4);
        refuseAttest(0, 2, 1, address(0), abi.encodeWithSelector(IProject.WrongRound.selector, 1, 2));
        uint256 end = project.deadline();
        vm.warp(end);
        refuseAttest(0, 1, 1, address(0), abi.encodeWithSelector(IProject.DeadlinePassed.selector, end));
    }

    function test_attest_notASource() public {
        start(4);
        submit(4);
        settleEqually();
        revealAll(4);
        refuseAttest(0, 2, 15, STRANGER, abi.encodeWithSelector(IProject.NotASource.selector, STRANGER));
        attest(0, 15, address(0));
    }

    /// @dev Without an open fee the source is ignored: an attestation must not fail because others decided the question
    /// one block earlier.
    function test_attest_sourceIsIgnoredWhileNoFeeIsOpen() public {
        start(4);
        revealAll(4);
        vm.expectEmit();
        emit IProject.Attested(1, 0, trainer(0), 15, address(0));
        attest(0, 15, STRANGER);
        for (uint256 i = 1; i < 4; ++i) {
            attest(i, 15, STRANGER);
        }
        assertPhase(Phase.Aggregate);
        assertEq(project.owed(STRANGER), 0);
    }

    /* CONSEQUENCES */

    function test_attest_whoAttestsNothingIsNotPaid() public {
        start(4);
        revealAll(4);
        for (uint256 i; i < 3; ++i) {
            attest(i);
        }
        vm.warp(project.deadline());
        vm.expectEmit();
        emit IProject.SlotsActive(1, 15, 7);
        project.advance();
        settleEqually();
        assertEq(project.owed(trainer(0)), part(16384));
        assertEq(project.owed(trainer(3)), 0); // its update counted, its share stays in escrow, it keeps seat and stake
        assertTrue(project.isTrainer(trainer(3)));
        assertEq(project.escrow(), DEPOSIT - FEE - 3 * part(16384));
    }

    function test_attest_aWithheldFileCostsStakeAndSeat() public {
        start(4);
        revealAll(4);
        for (uint256 i; i < 3; ++i) {
            attest(i, 7, address(0));
        }
        vm.expectEmit();
        emit IProject.SlotsActive(1, 7, 15);
        vm.expectEmit();
        emit IProject.StakeSlashed(1, trainer(3), STAKE);
        vm.expectEmit();
        emit IProject.Burnt(1, STAKE);
        attest(3, 15, address(0));
        assertPhase(Phase.Aggregate);
        assertFalse(project.isTrainer(trainer(3)));
        assertEq(project.escrow(), DEPOSIT);
        assertEq(project.burnt(), STAKE);
        (uint256 stake,,) = project.trainerState(trainer(3));
        assertEq(stake, 0);
    }

    /// @dev Half attest it and half do not: neither active nor slashed. It is not paid and keeps its seat, and has no
    /// part in the bond.
    function test_attest_inactiveWithoutAMajorityAgainstIsUnpaidOnly() public {
        start(4);
        revealAll(4);
        for (uint256 i; i < 4; ++i) {
            attest(i, i < 2 ? 7 : 15, address(0));
        }
        assertPhase(Phase.Aggregate);
        assertEq(activeMask(), 7);
        assertTrue(project.isTrainer(trainer(3)));
        assertEq(project.burnt(), 0);
        skipAndAdvance(); // no result
        assertEq(project.owed(trainer(2)), uint256(BOND) / 3);
        assertEq(project.owed(trainer(3)), 0);
        vm.prank(trainer(3));
        project.leave();
        assertEq(project.owed(trainer(3)), STAKE);
    }

    /// @dev Two of ten lie: one attests only its own file, one attests every file.
    function test_attest_twoLiarsAmongTenChangeNothing() public {
        Terms memory t = defaultTerms();
        (t.slots, t.maxTrainers) = (16, 10);
        project = create(t);
        start(10);
        revealAll(10);
        for (uint256 i; i < 10; ++i) {
            attest(i, i == 0 ? 1 : i == 1 ? 1023 : 1023 ^ (i == 9 ? 0 : 1 << 9), address(0));
        }
        assertEq(activeMask(), 511);
        assertFalse(project.isTrainer(trainer(9)));
        assertEq(project.trainers().length, 9);
    }

    function test_attest_tooFewActiveIsNobodysFault() public {
        start(4);
        revealAll(4);
        for (uint256 i; i < 3; ++i) {
            attest(i, 1 << i, address(0)); // each attests its own file only
        }
        vm.expectEmit();
        emit IProject.SlotsActive(1, 0, 15);
        vm.expectEmit();
        emit IProject.RoundVoided(1, "too few active");
        attest(3, 8, address(0));
        assertPhase(Phase.Commit);
        assertEq(project.trainers().length, 4);
        assertEq(project.escrow(), DEPOSIT);
        assertTrue(project.bondPlaced());
        // The same at the deadline if nobody attests.
        revealAll(4);
        skipAndAdvance();
        assertPhase(Phase.WoundUp);
        for (uint256 i; i < 4; ++i) {
            assertEq(project.owed(trainer(i)), STAKE);
        }
        assertEq(project.owed(AGGREGATOR), BOND);
        assertEq(project.owed(OWNER), DEPOSIT);
        withdrawAllAndExpectEmpty();
    }

    /// @dev For any attestations of any of the trainers, counted one by one: active is what more than half of the
    /// revealed attest, slashed what more than half of them attest without (in a void round only if that is less than
    /// half of the slots), and never both.
    function testFuzz_attest_slashedIsTheMajorityAgainst(uint256 seed) public {
        Terms memory t = defaultTerms();
        (t.slots, t.maxTrainers, t.minActive) = (16, 9, 3);
        project = create(t);
        start(9);
        revealAll(9);
        uint256[9] memory without;
        uint256[9] memory count;
        uint256 common = uint256(keccak256(abi.encode(seed))) | (seed >> 9);
        for (uint256 i; i < 9; ++i) {
            uint256 own = uint256(keccak256(abi.encode(seed, i)));
            if (own % 8 < seed % 4) continue; // does not attest
            uint256 mask = (common | (own & (own >> 16) & (own >> 32))) % 512 | 1 << i;
            for (uint256 j; j < 9; ++j) {
                count[j] += mask >> j & 1;
                without[j] += 1 - (mask >> j & 1);
            }
            attest(i, mask, address(0));
        }
        if (project.phase() == Phase.Attest) skipAndAdvance();
        (uint256 active, uint256 against, uint256 n) = (0, 0, 0);
        for (uint256 j; j < 9; ++j) {
            if (2 * count[j] > 9) active |= 1 << j;
            if (2 * without[j] > 9) against |= 1 << j;
            if (2 * without[j] > 9) ++n;
        }
        assertEq(active & against, 0);
        (,,, uint256 found,) = project.roundState(1);
        assertEq(found, active);
        if (project.voidRounds() == 1 && 2 * n >= 9) (against, n) = (0, 0);
        for (uint256 j; j < 9; ++j) {
            assertTrue(project.isTrainer(trainer(j)) == (against >> j & 1 == 0));
        }
        assertEq(project.burnt(), n * STAKE);
    }

    /// @dev For any attestations: a slot is active if more than half of the revealed slots attest it. The counts of
    /// other rounds do not matter.
    function testFuzz_attest_activeIsTheMajority(uint256 seed) public {
        Terms memory t = defaultTerms();
        (t.slots, t.maxTrainers, t.maxVoids, t.stake) = (16, 9, 4, 0);
        project = create(t);
        start(9);
        for (uint256 round = 1; round <= 2; ++round) {
            if (project.phase() != Phase.Commit || project.round() != round) return;
            uint256 n = project.trainers().length;
            if (n < 9) return;
            revealAll(9);
            uint256[9] memory count;
            for (uint256 i; i < 9; ++i) {
                uint256 mask = uint256(keccak256(abi.encode(seed, round, i))) % 512 | 1 << i;
                if (i == 0 || seed % 4 == 0) mask = 511;
                for (uint256 j; j < 9; ++j) {
                    count[j] += mask >> j & 1;
                }
                attest(i, mask, address(0));
            }
            uint256 expected;
            for (uint256 j; j < 9; ++j) {
                if (2 * count[j] > 9) expected |= 1 << j;
            }
            (,,, uint256 active,) = project.roundState(round);
            assertEq(active, expected);
            if (project.phase() == Phase.Aggregate) skipAndAdvance();
        }
    }

    /* OUTLIERS */

    function createWithPenalty(uint96 penalty, uint16 free) private {
        Terms memory t = defaultTerms();
        (t.outlierPenalty, t.outlierRounds, t.rounds) = (penalty, free, 4);
        project = create(t);
        start(4);
    }

    /// @dev Trainer 3 is not kept.
    function dropThree() private {
        submit(4);
        settleWith([uint256(20000), 20000, 20000, 0], 65536, AGGREGATOR);
    }

    function test_settle_outliersLoseThePenaltyOnce() public {
        createWithPenalty(0.1 ether, 1);
        dropThree();
        (uint256 stake, uint256 dropped, bool penalised) = project.trainerState(trainer(3));
        assertTrue(stake == STAKE && dropped == 1 && !penalised);
        uint256 escrow = project.escrow();
        submit(4);
        uint256 fee = FEE; // the aggregator's, in this round's Attest
        vm.expectEmit();
        emit IProject.OutlierPenalised(2, trainer(3), 0.1 ether);
        settleWith([uint256(20000), 20000, 20000, 0], 65536, AGGREGATOR);
        assertEq(project.escrow(), escrow - 3 * part(20000) - fee);
        assertEq(project.burnt(), 0.1 ether);
        (stake, dropped, penalised) = project.trainerState(trainer(3));
        assertTrue(stake == STAKE - 0.1 ether && dropped == 2 && penalised);
        dropThree();
        (stake, dropped,) = project.trainerState(trainer(3));
        assertTrue(stake == STAKE - 0.1 ether && dropped == 3);
        (stake, dropped,) = project.trainerState(trainer(0));
        assertTrue(stake == STAKE && dropped == 0);
        // Only the remainder of the stake is returned.
        vm.prank(trainer(3));
        project.leave();
        assertEq(project.owed(trainer(3)), STAKE - 0.1 ether);
    }

    function test_settle_aTenthOfTheStakeIsTheMost() public {
        createWithPenalty(STAKE / 10, 0);
        for (uint256 i; i < 4; ++i) {
            dropThree();
        }
        assertTrue(project.isTrainer(trainer(3)));
        close(AGGREGATOR);
        assertEq(project.owed(trainer(3)), STAKE - STAKE / 10);
        assertEq(project.owed(OWNER), 4 * (REWARD - 3 * part(20000))); // no part of the penalty
        assertEq(project.burnt(), STAKE / 10);
        withdrawAllAndExpectEmpty();
    }

    function test_settle_noPenaltyNoCount() public {
        createWithPenalty(0, 0);
        dropThree();
        (uint256 stake, uint256 dropped, bool penalised) = project.trainerState(trainer(3));
        assertTrue(stake == STAKE && dropped == 0 && !penalised);
    }

    /// @dev The settler cannot choose the outliers: all active slots that are not kept, in slot order.
    function test_settle_wrongOutliers() public {
        createWithPenalty(0.1 ether, 1);
        submit(4);
        address[] memory given = new address[](2); // 2 and 3 are not kept
        (given[0], given[1]) = (trainer(3), trainer(2));
        refuseOutliers(given);
        (given[0], given[1]) = (trainer(2), trainer(2));
        refuseOutliers(given);
        (given[0], given[1]) = (trainer(1), trainer(3));
        refuseOutliers(given);
        (given[0], given[1]) = (trainer(2), address(0));
        refuseOutliers(given);
        (given[0], given[1]) = (trainer(2), STRANGER);
        refuseOutliers(given);
        refuseOutliers(nobody());
        given = new address[](1);
        given[0] = trainer(2);
        refuseOutliers(given);
        given = new address[](3);
        (given[0], given[1], given[2]) = (trainer(2), trainer(3), trainer(0));
        refuseOutliers(given);
        settleWith([uint256(20000), 20000, 0, 0], 65536, AGGREGATOR);
        (, uint256 dropped,) = project.trainerState(trainer(2));
        assertEq(dropped, 1);
        // The outliers of the last round, in this one: the same slots, but another trainer is dropped.
        submit(4);
        given = new address[](2);
        (given[0], given[1]) = (trainer(2), trainer(3));
        RoundProof memory p = claim([uint256(20000), 20000, 20000, 0], 65536);
        vm.expectRevert(IProject.WrongOutliers.selector);
        vm.prank(AGGREGATOR);
        project.settle(2, AGGREGATOR, "model", points(), given, p);
    }

    function refuseOutliers(address[] memory given) private {
        RoundProof memory p = claim([uint256(20000), 20000, 0, 0], 65536);
        vm.expectRevert(IProject.WrongOutliers.selector);
        vm.prank(AGGREGATOR);
        project.settle(1, AGGREGATOR, "model", points(), given, p);
    }

    function test_settle_noPenaltyNoOutliers() public {
        createWithPenalty(0, 0);
        submit(4);
        address[] memory given = new address[](2);
        (given[0], given[1]) = (trainer(2), trainer(3));
        refuseOutliers(given);
        settleWith([uint256(20000), 20000, 0, 0], 65536, AGGREGATOR);
    }

    /// @dev A slot that is not active was not assessed: its trainer is slashed for that and is not an outlier.
    function test_settle_onlyActiveSlotsAreOutliers() public {
        createWithPenalty(0.1 ether, 0);
        revealAll(4);
        for (uint256 i; i < 4; ++i) {
            attest(i, i == 3 ? 15 : 7, address(0));
        }
        assertFalse(project.isTrainer(trainer(3)));
        settleWith([uint256(30000), 30000, 0, 0], 65536, AGGREGATOR);
        (, uint256 dropped, bool penalised) = project.trainerState(trainer(2));
        assertTrue(dropped == 1 && penalised);
        (, dropped, penalised) = project.trainerState(trainer(3));
        assertTrue(dropped == 0 && !penalised);
    }
}

/// @dev `Tally` alone, with the largest number of masks, against plain counting.
contract TallyTest is MiniTest {
    using Tally for uint256[4];

    uint256[4] private _words;

    function count(uint256 seed, uint256 masks, uint256 limit) private {
        uint256[128] memory counts;
        for (uint256 i; i < masks; ++i) {
            uint256 mask = uint256(keccak256(abi.encode(seed, i))) & type(uint128).max;
            if (seed % 3 == 0) mask |= type(uint128).max ^ 1;
            _words.add(i, mask);
            for (uint256 j; j < 128; ++j) {
                counts[j] += mask >> j & 1;
            }
        }
        uint256 expected;
        for (uint256 j; j < 128; ++j) {
            if (counts[j] > limit) expected |= 1 << j;
        }
        assertEq(_words.above(masks, limit), expected);
    }

    function testFuzz_above_asCountedOneByOne(uint256 seed, uint8 masks, uint8 limit) public {
        count(seed, masks % 129, limit % 130);
        // The next count does not read what this one left behind.
        count(seed / 3, limit % 129, limit % 129 / 2);
    }

    function test_above_everybodyNamesEverybody() public {
        count(0, 128, 127);
        count(0, 128, 128);
        count(0, 1, 0);
        count(0, 0, 0);
    }
}
