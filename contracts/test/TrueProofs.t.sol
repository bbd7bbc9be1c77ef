// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RangeProof, IRangeVerifier} from "../src/interfaces/IRangeVerifier.sol";
import {IKeyRegistry, IVerifyingKey} from "../src/interfaces/IKeyRegistry.sol";
import {IProject, Phase, Terms} from "../src/interfaces/IProject.sol";
import {IRoundVerifier} from "../src/interfaces/IRoundVerifier.sol";
import {Bn254} from "../src/libraries/Bn254.sol";
import {KeyRegistry} from "./support/Deployed.sol";
import {TrueMarket} from "./support/TrueMarket.sol";
import {Slot} from "./support/Points.sol";

/// @dev Whole projects with proofs of the real prover: accepted where they belong, and nowhere else.
contract TrueProofsTest is TrueMarket {
    bytes4 private constant REFUSED = IRoundVerifier.LaurentIdentityFailed.selector;

    function settleTrue() private {
        uint256 round = project.round();
        vm.prank(statement.payee);
        project.settle(round, statement.payee, statement.modelCid, points(), nobody(), proof);
    }

    function refused(bytes4 reason) private {
        uint256 round = project.round();
        vm.prank(statement.payee);
        vm.expectRevert(reason);
        project.settle(round, statement.payee, statement.modelCid, points(), nobody(), proof);
    }

    /* ROUND PROOFS */

    function test_settle_aTrueProof() public {
        marketOfRound("round_n10.json");
        openAt(statement.project, roundTerms());
        playTrue(statement.round);
        uint256 escrow = project.escrow();
        settleTrue();
        assertPhase(Phase.Commit);
        (uint256[2] memory model, bytes32 cid) = project.model();
        assertEq(model[0], proof.model[0]);
        assertEq(model[1], proof.model[1]);
        assertEq(cid, statement.modelCid);
        uint256 paid;
        for (uint256 i; i < 10; ++i) {
            uint256 part = uint256(REWARD) * (proof.shares[i / 14] >> (17 * (i % 14)) & 0x1ffff) / 65536;
            assertEq(project.owed(trainer(i)), part);
            // The vector's last two updates are a flipped sign and noise.
            assertTrue((part != 0) == (i < 8));
            paid += part;
        }
        assertEq(project.escrow(), escrow - paid - FEE);
    }

    function test_settle_aTrueProofInAnotherRound() public {
        marketOfRound("round_n10.json");
        openAt(statement.project, roundTerms());
        playTrue(statement.round - 1);
        refused(REFUSED);
    }

    function test_settle_aTrueProofInAnotherProject() public {
        marketOfRound("round_n10.json");
        openAt(address(uint160(statement.project) + 1), roundTerms());
        playTrue(statement.round);
        refused(REFUSED);
    }

    function test_settle_aTrueProofOnAnotherChain() public {
        marketOfRound("round_n10.json");
        openAt(statement.project, roundTerms());
        playTrue(statement.round);
        vm.chainId(1337);
        refused(REFUSED);
        vm.chainId(31337);
        settleTrue();
    }

    /// @dev The project's verifier differs: its registry has one key more.
    function test_settle_aTrueProofInAnotherContract() public {
        marketOfRound("round_n10.json");
        (uint256[2] memory x1, uint256[12] memory g2) = registry.kzg();
        IVerifyingKey[] memory keys = new IVerifyingKey[](2);
        keys[0] = registry.keys()[0];
        keys[1] = IVerifyingKey(deploy("AgreementKey8.sol:AgreementKey8", ""));
        marketOver(newRegistry(true, x1, g2, keys));
        openAt(statement.project, roundTerms());
        playTrue(statement.round);
        refused(REFUSED);
    }

    function marketOver(KeyRegistry other) private {
        registry = other;
        verifier = IRoundVerifier(deploy("RoundVerifier.sol:RoundVerifier", abi.encode(other)));
        rangeVerifier = deployRangeVerifier();
        factory = newFactory(other, verifier, rangeVerifier);
    }

    /// @dev Copied from the mempool when anyone may settle: refused with another payee, and unchanged, too, where the
    /// author is the aggregator.
    function test_settle_aCopyOfTheAggregatorsIsRefused() public {
        marketOfRound("round_n10.json");
        openAt(statement.project, roundTerms());
        playTrue(statement.round);
        vm.warp(project.deadline());
        uint256 round = project.round();
        vm.prank(STRANGER);
        vm.expectRevert(REFUSED);
        project.settle(round, STRANGER, statement.modelCid, points(), nobody(), proof);
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IProject.NotTheAggregator.selector, STRANGER));
        project.settle(round, statement.payee, statement.modelCid, points(), nobody(), proof);
        vm.prank(statement.payee);
        project.settle(round, statement.payee, statement.modelCid, points(), nobody(), proof);
    }

    /// @dev Anybody else's: unchanged, it pays its author.
    function test_settle_aCopyPaysItsAuthor() public {
        marketOfRound("round_n10.json");
        Terms memory t = roundTerms();
        t.aggregator = AGGREGATOR;
        openAt(statement.project, t);
        playTrue(statement.round);
        vm.warp(project.deadline());
        uint256 round = project.round();
        vm.prank(STRANGER);
        vm.expectRevert(REFUSED);
        project.settle(round, STRANGER, statement.modelCid, points(), nobody(), proof);
        vm.prank(STRANGER);
        vm.expectRevert(REFUSED);
        project.settle(round, statement.payee, "a file of the copier's", points(), nobody(), proof);
        vm.prank(STRANGER);
        project.settle(round, statement.payee, statement.modelCid, points(), nobody(), proof);
        (, address payee, uint256 fee) = project.openModel();
        assertEq(payee, statement.payee);
        assertEq(fee, FEE);
        // The original arrives too late and costs its author the gas.
        vm.prank(statement.payee);
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongPhase.selector, Phase.Aggregate, Phase.Commit));
        project.settle(round, statement.payee, statement.modelCid, points(), nobody(), proof);
    }

    /// @dev An aggregator with a true proof cannot redirect payments.
    function test_settle_aTrueProofForOtherSlots() public {
        marketOfRound("round_n10.json");
        openAt(statement.project, roundTerms());
        playTrue(statement.round);
        Slot memory first = slots[0];
        slots[0] = slots[1];
        slots[1] = first;
        refused(IProject.WrongCommitments.selector);
        slots[1] = slots[0];
        slots[0] = first;
        settleTrue();
    }

    /* RANGE PROOFS */

    function beginCommit(address where, uint256 round) private {
        openAt(where, rangeTerms());
        placeBondOf(AGGREGATOR);
        for (uint256 i; i < 2; ++i) {
            join(i);
        }
        joinAs(rangeStatement.trainer);
        skipAndAdvance();
        skipTo(round);
    }

    function joinAs(address who) private {
        vm.deal(who, STAKE);
        vm.prank(who);
        project.join{value: STAKE}();
    }

    function commitAs(address who) private {
        uint256 round = project.round();
        vm.prank(who);
        project.commitUpdate(round, rangeStatement.commitment, sealOf(who, "cid"), rangeProof_);
    }

    function test_commitUpdate_aTrueRangeProofWithTwoLimbs() public {
        accepted("range_limbs.json");
    }

    function test_commitUpdate_aTrueRangeProofWithSixteenBits() public {
        accepted("range_bits.json");
    }

    function accepted(string memory name) private {
        marketOfRangeProof(name);
        beginCommit(rangeStatement.project, rangeStatement.round);
        commitAs(rangeStatement.trainer);
        assertEq(project.slotOf(rangeStatement.round, rangeStatement.trainer), 1);
        (uint256 committed,,,,) = project.roundState(rangeStatement.round);
        assertEq(committed, 1);
    }

    function test_commitUpdate_aTrueRangeProofByAnotherTrainer() public {
        marketOfRangeProof("range_limbs.json");
        beginCommit(rangeStatement.project, rangeStatement.round);
        vm.prank(trainer(0));
        vm.expectRevert(IRangeVerifier.RangeIdentityFailed.selector);
        project.commitUpdate(rangeStatement.round, rangeStatement.commitment, "seal", rangeProof_);
        commitAs(rangeStatement.trainer);
    }

    function test_commitUpdate_aTrueRangeProofInAnotherRoundProjectOrChain() public {
        marketOfRangeProof("range_limbs.json");
        bytes4 reason = IRangeVerifier.RangeIdentityFailed.selector;
        beginCommit(rangeStatement.project, rangeStatement.round - 1);
        refusedCommit(rangeStatement.round - 1, reason);
        skipTo(rangeStatement.round);
        vm.chainId(1337);
        refusedCommit(rangeStatement.round, reason);
        vm.chainId(31337);
        commitAs(rangeStatement.trainer);
        beginCommit(address(uint160(rangeStatement.project) + 1), rangeStatement.round);
        refusedCommit(rangeStatement.round, reason);
    }

    function refusedCommit(uint256 round, bytes4 reason) private {
        vm.prank(rangeStatement.trainer);
        vm.expectRevert(reason);
        project.commitUpdate(round, rangeStatement.commitment, "seal", rangeProof_);
    }

    /// @dev The trainer's own proof with another commitment, here the negated one.
    function test_commitUpdate_aTrueRangeProofForAnotherUpdate() public {
        marketOfRangeProof("range_limbs.json");
        beginCommit(rangeStatement.project, rangeStatement.round);
        rangeStatement.commitment[1] = Bn254.negateY(rangeStatement.commitment[1]);
        refusedCommit(rangeStatement.round, IRangeVerifier.RangeIdentityFailed.selector);
        RangeProof memory none;
        vm.prank(rangeStatement.trainer);
        vm.expectRevert(IRangeVerifier.WrongLength.selector);
        project.commitUpdate(rangeStatement.round, rangeStatement.commitment, "seal", none);
    }
}
