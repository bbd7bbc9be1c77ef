// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RangeProof, RangeStatement, IRangeVerifier} from "../src/interfaces/IRangeVerifier.sol";
import {IProject, Phase, Terms} from "../src/interfaces/IProject.sol";
import {RoundProof, RoundStatement} from "../src/interfaces/IRoundVerifier.sol";
import {Bn254} from "../src/libraries/Bn254.sol";
import {Accepting, AcceptingRangeVerifier, AcceptingRoundVerifier} from "./support/AcceptingVerifiers.sol";
import {Market} from "./support/Market.sol";
import {Points} from "./support/Points.sol";

/// @dev Commit, Reveal and Aggregate: who may act when, and the effects on a round.
contract ProjectRoundsTest is Market {
    RangeProof private none;

    /* COMMIT */

    function test_commitUpdate_recordsSlotsAndTheirHash() public {
        start(4);
        uint256[2] memory p = freshPoint();
        bytes32 seal = sealOf(trainer(2), cidOf(2));
        vm.expectEmit();
        emit IProject.UpdateCommitted(1, 0, trainer(2), p[0], p[1], seal);
        vm.prank(trainer(2));
        project.commitUpdate(1, p, seal, none);
        assertEq(project.slotOf(1, trainer(2)), 1);
        assertEq(project.slotOf(1, trainer(0)), 0);
        (uint256 committed, uint256 revealed,,, bytes32 hash) = project.roundState(1);
        assertEq(committed, 1);
        assertEq(revealed, 0);
        assertEq(hash, chained(0, 0, p));

        uint256[2] memory q = freshPoint();
        vm.prank(trainer(0));
        project.commitUpdate(1, q, seal, none);
        assertEq(project.slotOf(1, trainer(0)), 2);
        (,,,, bytes32 next) = project.roundState(1);
        assertEq(next, chained(hash, 1, q));
    }

    /// @dev The low byte counts the slots.
    function chained(bytes32 hash, uint256 slot, uint256[2] memory p) private pure returns (bytes32) {
        return bytes32((uint256(keccak256(abi.encode(p[0], p[1], hash))) & ~uint256(0xff)) | (slot + 1));
    }

    function test_commitUpdate_lastOneOpensReveal() public {
        start(4);
        for (uint256 i; i < 4; ++i) {
            assertPhase(Phase.Commit);
            commit(i);
        }
        assertPhase(Phase.Reveal);
        assertEq(project.deadline(), block.timestamp + 50);
    }

    function test_commitUpdate_wrongPhase() public {
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongPhase.selector, Phase.Commit, Phase.Registration));
        project.commitUpdate(0, [uint256(1), 2], "", none);
    }

    function test_commitUpdate_deadlinePassed() public {
        start(3);
        uint256 end = project.deadline();
        vm.warp(end);
        vm.prank(trainer(0));
        vm.expectRevert(abi.encodeWithSelector(IProject.DeadlinePassed.selector, end));
        project.commitUpdate(1, [uint256(1), 2], "", none);
    }

    function test_commitUpdate_wrongRound() public {
        start(3);
        vm.prank(trainer(0));
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongRound.selector, 1, 2));
        project.commitUpdate(2, [uint256(1), 2], "", none);
    }

    function test_commitUpdate_notATrainer() public {
        start(3);
        vm.expectRevert(abi.encodeWithSelector(IProject.NotATrainer.selector, address(this)));
        project.commitUpdate(1, [uint256(1), 2], "", none);
    }

    function test_commitUpdate_alreadyCommitted() public {
        start(3);
        commit(0);
        uint256[2] memory p = freshPoint();
        vm.prank(trainer(0));
        vm.expectRevert(abi.encodeWithSelector(IProject.AlreadyCommitted.selector, trainer(0)));
        project.commitUpdate(1, p, "", none);
    }

    function test_commitUpdate_invalidCommitment() public {
        start(3);
        uint256[2][5] memory bad = [
            [uint256(0), 0],
            [uint256(1), 3],
            [uint256(1) + Bn254.Q, 2],
            [uint256(1), 2 + Bn254.Q],
            [type(uint256).max, type(uint256).max]
        ];
        for (uint256 i; i < bad.length; ++i) {
            vm.prank(trainer(0));
            vm.expectRevert(IRangeVerifier.InvalidPoint.selector);
            project.commitUpdate(1, bad[i], "", none);
        }
    }

    function test_commitUpdate_commitmentReused() public {
        start(4);
        commit(0);
        uint256[2] memory p = [slots[0].x, slots[0].y];
        bytes memory reused = abi.encodeWithSelector(IProject.CommitmentReused.selector, p[0], p[1]);
        vm.prank(trainer(1));
        vm.expectRevert(reused);
        project.commitUpdate(1, p, "", none);
        // Nor in a later round, nor by the same trainer.
        for (uint256 i = 1; i < 4; ++i) {
            commit(i);
        }
        for (uint256 i; i < 4; ++i) {
            reveal(i);
        }
        for (uint256 i; i < 4; ++i) {
            attest(i);
        }
        settleEqually();
        vm.prank(trainer(0));
        vm.expectRevert(reused);
        project.commitUpdate(2, p, "", none);
    }

    /* REVEAL */

    function test_revealUpdate_lastOneOpensAttest() public {
        start(4);
        for (uint256 i; i < 3; ++i) {
            commit(i);
        }
        skipAndAdvance();
        reveal(2);
        vm.expectEmit();
        emit IProject.UpdateRevealed(1, 0, trainer(0), cidOf(0));
        reveal(0);
        assertEq(revealedMask(), 5);
        assertPhase(Phase.Reveal);
        reveal(1);
        assertPhase(Phase.Attest);
        assertEq(project.deadline(), block.timestamp + 60);
    }

    function test_revealUpdate_nothingToReveal() public {
        start(4);
        for (uint256 i; i < 3; ++i) {
            commit(i);
        }
        skipAndAdvance();
        vm.prank(trainer(3));
        vm.expectRevert(abi.encodeWithSelector(IProject.NothingToReveal.selector, trainer(3)));
        project.revealUpdate(1, cidOf(3), SALT);
        reveal(0);
        vm.prank(trainer(0));
        vm.expectRevert(abi.encodeWithSelector(IProject.NothingToReveal.selector, trainer(0)));
        project.revealUpdate(1, cidOf(0), SALT);
    }

    function test_revealUpdate_revealMismatch() public {
        start(3);
        commit(0);
        commit(1);
        // Nobody else can open a seal copied from trainer 0: it contains the sender.
        uint256[2] memory p = freshPoint();
        vm.prank(trainer(2));
        project.commitUpdate(1, p, sealOf(trainer(0), cidOf(0)), none);
        vm.prank(trainer(2));
        vm.expectRevert(IProject.RevealMismatch.selector);
        project.revealUpdate(1, cidOf(0), SALT);
        vm.prank(trainer(0));
        vm.expectRevert(IProject.RevealMismatch.selector);
        project.revealUpdate(1, cidOf(1), SALT);
        vm.prank(trainer(0));
        vm.expectRevert(IProject.RevealMismatch.selector);
        project.revealUpdate(1, cidOf(0), "pepper");
    }

    function test_revealUpdate_wrongPhase() public {
        start(3);
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongPhase.selector, Phase.Reveal, Phase.Commit));
        project.revealUpdate(1, cidOf(0), SALT);
    }

    function test_revealUpdate_wrongRound() public {
        start(3);
        for (uint256 i; i < 3; ++i) {
            commit(i);
        }
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongRound.selector, 1, 0));
        project.revealUpdate(0, cidOf(0), SALT);
    }

    function test_revealUpdate_deadlinePassed() public {
        start(3);
        for (uint256 i; i < 3; ++i) {
            commit(i);
        }
        uint256 end = project.deadline();
        vm.warp(end);
        vm.prank(trainer(0));
        vm.expectRevert(abi.encodeWithSelector(IProject.DeadlinePassed.selector, end));
        project.revealUpdate(1, cidOf(0), SALT);
    }

    /* SETTLEMENT */

    function test_settle_recordsTheResultAndOpensTheNextRound() public {
        start(4);
        submit(4);
        RoundProof memory p = claim([uint256(30000), 20000, 15000, 0], 65536);
        p.weights[0] = 123;
        vm.expectEmit();
        emit IProject.RoundSettled(
            1, AGGREGATOR, 15, 7, 65536, p.shares, p.weights, [uint256(1), 2], "next model"
        );
        vm.expectEmit();
        emit IProject.HyperParameters(2, 91_552, 2); // 100000 * 60000 / 65536
        vm.prank(AGGREGATOR);
        project.settle(1, AGGREGATOR, "next model", points(), nobody(), p);
        assertPhase(Phase.Commit);
        assertEq(project.round(), 2);
        assertEq(project.settledRounds(), 1);
        assertEq(project.sharesOf(1)[0], p.shares[0]);
        (uint256[2] memory model, bytes32 cid) = project.model();
        assertEq(model[1], 2);
        assertEq(cid, "next model");
        assertEq(project.learningRate(), 91_552);
    }

    function test_settle_learningRateFallsFasterBelowTheCoherenceFloor() public {
        start(4);
        submit(4);
        settleWith([uint256(0), 0, 0, 0], 19_999, AGGREGATOR);
        assertEq(project.learningRate(), 45_776); // 91552 / 2
    }

    function test_settle_learningRateAtTheFloorOfCoherenceFallsAsUsual() public {
        start(4);
        submit(4);
        settleWith([uint256(0), 0, 0, 0], 20_000, AGGREGATOR);
        assertEq(project.learningRate(), 91_552);
    }

    function test_settle_learningRateStopsAtItsMinimum() public {
        Terms memory t = defaultTerms();
        t.minLearningRate = 95_000;
        project = create(t);
        start(4);
        submit(4);
        settleEqually();
        assertEq(project.learningRate(), 95_000);
    }

    /// @dev The whole statement, for three active slots out of four, with a gap in the middle.
    function test_settle_statesWhatTheProverMustNotChoose() public {
        Terms memory t = defaultTerms();
        (t.trim, t.model) = (85, [uint256(1), 2]);
        project = create(t);
        start(4);
        revealAll(4);
        for (uint256 i; i < 4; ++i) {
            attest(i, i == 1 ? 15 : 13, address(0));
        }
        RoundStatement memory s;
        (s.project, s.round, s.payee, s.dimension, s.slots, s.rule) = (address(project), 1, AGGREGATOR, 1000, 8, 1);
        (s.policy, s.activeMask, s.modelCid, s.model) = ([uint256(32), 0], 13, "next model", [uint256(1), 2]);
        s.commitments = new bytes(64 * 3);
        Points.put(s.commitments, 0, slots[0].x, slots[0].y);
        Points.put(s.commitments, 1, slots[2].x, slots[2].y);
        Points.put(s.commitments, 2, slots[3].x, slots[3].y);
        AcceptingRoundVerifier(address(verifier)).expect(s);
        RoundProof memory p = claim([uint256(0), 0, 0, 0], 0);
        (p.model[0], p.model[1]) = Bn254.mul(1, 2, 2);
        vm.prank(AGGREGATOR);
        project.settle(1, AGGREGATOR, "next model", points(), nobody(), p);
        (uint256[2] memory model,) = project.model();
        assertEq(model[0], p.model[0]);
        assertEq(model[1], p.model[1]);
    }

    function test_commitUpdate_statesWhatTheTrainerMustNotChoose() public {
        Terms memory t = defaultTerms();
        t.table = 8;
        project = create(t);
        start(4);
        uint256[2] memory p = freshPoint();
        RangeStatement memory s = RangeStatement(address(project), 1, trainer(2), 1000, 8, p);
        AcceptingRangeVerifier(address(rangeVerifier)).expect(s);
        vm.prank(trainer(1));
        vm.expectRevert(Accepting.UnexpectedStatement.selector);
        project.commitUpdate(1, p, "", none);
        vm.prank(trainer(2));
        project.commitUpdate(1, p, "", none);
    }

    function test_settle_wrongPhase() public {
        start(4);
        RoundProof memory p = claim([uint256(0), 0, 0, 0], 0);
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongPhase.selector, Phase.Aggregate, Phase.Commit));
        vm.prank(AGGREGATOR);
        project.settle(1, AGGREGATOR, "model", points(), nobody(), p);
    }

    function test_settle_wrongRound() public {
        start(4);
        submit(4);
        RoundProof memory p = claim([uint256(0), 0, 0, 0], 0);
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongRound.selector, 1, 2));
        vm.prank(AGGREGATOR);
        project.settle(2, AGGREGATOR, "model", points(), nobody(), p);
    }

    function test_settle_notTheAggregatorBeforeTheDeadline() public {
        start(4);
        submit(4);
        RoundProof memory p = claim([uint256(0), 0, 0, 0], 0);
        vm.warp(project.deadline() - 1);
        vm.prank(AGGREGATOR);
        vm.expectRevert(abi.encodeWithSelector(IProject.NotTheAggregator.selector, STRANGER));
        project.settle(1, STRANGER, "model", points(), nobody(), p);
    }

    /// @dev The prover chooses mask and CID: others must not submit in the aggregator's name, not even a valid proof.
    function test_settle_inTheAggregatorsNameBySomebodyElse() public {
        start(4);
        submit(4);
        RoundProof memory p = claim([uint256(16384), 16384, 16384, 16384], 65536);
        vm.warp(project.deadline() - 1);
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IProject.NotTheAggregator.selector, STRANGER));
        project.settle(1, AGGREGATOR, "model", points(), nobody(), p);
        vm.warp(project.deadline());
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IProject.NotTheAggregator.selector, STRANGER));
        project.settle(1, AGGREGATOR, "model", points(), nobody(), p);
        vm.prank(STRANGER);
        project.settle(1, trainer(0), "model", points(), nobody(), p); // anybody else's bond does not answer for a file
        assertEq(project.settledRounds(), 1);
    }

    /// @dev Late, and also when it has lost its bond: the aggregator settles itself.
    function test_settle_inItsOwnNameByTheLateAggregator() public {
        start(4);
        submit(4);
        vm.warp(project.deadline() + 199);
        settleEqually();
        assertEq(project.settledRounds(), 1);
    }

    function test_settle_nobodyIsNoPayee() public {
        start(4);
        submit(4);
        vm.warp(project.deadline());
        RoundProof memory p = claim([uint256(0), 0, 0, 0], 0);
        vm.expectRevert(abi.encodeWithSelector(IProject.NotTheAggregator.selector, address(0)));
        vm.prank(AGGREGATOR);
        project.settle(1, address(0), "model", points(), nobody(), p);
    }

    function test_settle_deadlinePassed() public {
        start(4);
        submit(4);
        uint256 end = project.deadline() + 200;
        vm.warp(end);
        RoundProof memory p = claim([uint256(0), 0, 0, 0], 0);
        vm.expectRevert(abi.encodeWithSelector(IProject.DeadlinePassed.selector, end));
        vm.prank(AGGREGATOR);
        project.settle(1, AGGREGATOR, "model", points(), nobody(), p);
    }

    function test_settle_invalidModelCid() public {
        start(4);
        submit(4);
        RoundProof memory p = claim([uint256(0), 0, 0, 0], 0);
        vm.expectRevert(IProject.InvalidModelCid.selector);
        vm.prank(AGGREGATOR);
        project.settle(1, AGGREGATOR, 0, points(), nobody(), p);
    }

    function test_settle_wrongCommitments() public {
        start(4);
        submit(4);
        uint256[2][] memory given = points();
        for (uint256 i; i < 4; ++i) {
            for (uint256 k; k < 2; ++k) {
                given[i][k] ^= 1;
                refuseCommitments(given);
                given[i][k] ^= 1;
            }
        }
        // Two slots swapped; the first or the last one missing; one too many; none.
        (given[0], given[1]) = (given[1], given[0]);
        refuseCommitments(given);
        (given[0], given[1]) = (given[1], given[0]);
        refuseCommitments(slice(given, 0, 3));
        refuseCommitments(slice(given, 1, 4));
        refuseCommitments(slice(given, 0, 5));
        refuseCommitments(slice(given, 0, 0));
    }

    /// @dev Elements `from` to `to` (exclusive); zeros behind the last one.
    function slice(uint256[2][] memory all, uint256 from, uint256 to) private pure returns (uint256[2][] memory some) {
        some = new uint256[2][](to - from);
        for (uint256 i = from; i < to && i < all.length; ++i) {
            some[i - from] = all[i];
        }
    }

    function refuseCommitments(uint256[2][] memory given) private {
        RoundProof memory p = claim([uint256(0), 0, 0, 0], 0);
        vm.expectRevert(IProject.WrongCommitments.selector);
        vm.prank(AGGREGATOR);
        project.settle(1, AGGREGATOR, "model", given, nobody(), p);
    }

    function test_settle_sharesOverOneAreRefusedEvenIfProved() public {
        start(4);
        submit(4);
        RoundProof memory p = claim([uint256(65536), 1, 0, 0], 0);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 1));
        vm.prank(AGGREGATOR);
        project.settle(1, AGGREGATOR, "model", points(), nobody(), p);
    }

    /* ADVANCING WITHIN A ROUND */

    function test_advance_commitWithEnoughGoesOnToReveal() public {
        start(4);
        for (uint256 i; i < 3; ++i) {
            commit(i);
        }
        skipAndAdvance();
        assertPhase(Phase.Reveal);
    }

    function test_advance_inAggregateOnlyAfterTheOpenTime() public {
        start(4);
        submit(4);
        uint256 end = project.deadline() + 200;
        vm.warp(end - 1);
        vm.expectRevert(abi.encodeWithSelector(IProject.DeadlineNotReached.selector, end));
        project.advance();
    }

    function test_advance_voidRoundTakesANewId() public {
        start(4);
        commit(0);
        uint256 rate = project.learningRate();
        vm.warp(project.deadline());
        vm.expectEmit();
        emit IProject.RoundVoided(1, "too few commitments");
        project.advance();
        assertEq(project.round(), 2);
        assertEq(project.voidRounds(), 1);
        assertEq(project.learningRate(), rate);
        assertEq(project.sharesOf(1).length, 0);
    }
}
