// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IRangeVerifier} from "../src/interfaces/IRangeVerifier.sol";
import {IKeyRegistry, IVerifyingKey} from "../src/interfaces/IKeyRegistry.sol";
import {IProject, Phase, Terms} from "../src/interfaces/IProject.sol";
import {IRoundVerifier} from "../src/interfaces/IRoundVerifier.sol";
import {AcceptingRangeVerifier, AcceptingRoundVerifier} from "./support/AcceptingVerifiers.sol";
import {KeyRegistry, Project} from "./support/Deployed.sol";
import {KnownSecrets, TestKey} from "./support/KnownSecrets.sol";
import {Market} from "./support/Market.sol";

/// @dev Creation of a project, its terms, and everything until round 1 opens.
contract ProjectRegistrationTest is Market {
    function refuse(Terms memory t, string memory field) private {
        vm.deal(OWNER, 10_000 ether);
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(IProject.InvalidTerms.selector, field));
        factory.createProject{value: depositOf(t)}(t);
    }

    /* CREATION */

    /// @dev The terms read back equal the terms given: no field is exchanged or truncated.
    function testFuzz_terms_areTheEncodedOnes(Terms memory t, uint256 behind) public {
        Project clone = Project(Clones.cloneWithImmutableArgs(factory.implementation(), abi.encode(t)));
        Terms memory found = clone.terms();
        uint256[2] memory next = [behind, ~behind]; // allocated behind the terms
        assertEq(keccak256(abi.encode(found)), keccak256(abi.encode(t)));
        found.model[1] ^= 1;
        assertTrue(next[0] == behind && next[1] == ~behind && found.modelCid == t.modelCid);
    }

    function test_codeSizes_areWithinTheLimitOfEip170() public {
        address[5] memory deployed = [
            address(factory),
            factory.implementation(),
            address(registry),
            deploy("RoundVerifier.sol:RoundVerifier", abi.encode(registry)),
            deploy("RangeVerifier.sol:RangeVerifier", abi.encode(registry))
        ];
        for (uint256 i; i < 5; ++i) {
            assertTrue(deployed[i].code.length > 0 && deployed[i].code.length <= 24_576);
        }
    }

    function test_createProject_opensRegistrationWithTheDepositInEscrow() public {
        Terms memory t = defaultTerms();
        assertPhase(Phase.Registration);
        assertEq(project.escrow(), depositOf(t));
        assertEq(address(project).balance, depositOf(t));
        assertEq(keccak256(abi.encode(project.terms())), keccak256(abi.encode(t)));
        assertEq(project.deadline(), block.timestamp + t.registrationPeriod);
        assertEq(project.round() + project.settledRounds() + project.voidRounds(), 0);
        assertEq(project.learningRate(), t.learningRate);
        assertEq(project.localEpochs(), t.localEpochs);
        (uint256[2] memory model, bytes32 cid) = project.model();
        assertEq(model[0] | model[1], 0);
        assertEq(cid, t.modelCid);
        assertTrue(factory.isProject(address(project)));
        assertFalse(factory.isProject(address(this)));
        assertEq(project.factory(), address(factory));
        assertEq(project.keyRegistry(), address(registry));
        assertEq(project.roundVerifier(), address(verifier));
        assertEq(factory.keyRegistry(), address(registry));
        assertEq(factory.roundVerifier(), address(verifier));
        assertEq(project.rangeVerifier(), address(rangeVerifier));
        assertEq(factory.rangeVerifier(), address(rangeVerifier));
        assertEq(project.interfaceVersion(), 5);
        assertTrue(project.supportsInterface(type(IProject).interfaceId));
        assertTrue(project.supportsInterface(0x01ffc9a7));
        assertFalse(project.supportsInterface(0xffffffff));
    }

    function test_createProject_projectsAreApart() public {
        Project second = create(defaultTerms());
        assertTrue(address(second) != address(project));
        join(0);
        assertFalse(second.isTrainer(trainer(0)));
    }

    function test_createProject_wrongValue() public {
        Terms memory t = defaultTerms();
        vm.deal(OWNER, 100 ether);
        uint256 deposit = depositOf(t);
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongValue.selector, deposit, deposit - 1));
        factory.createProject{value: deposit - 1}(t);
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongValue.selector, deposit, deposit + 1));
        factory.createProject{value: deposit + 1}(t);
    }

    function test_createProject_ownerIsNotTheSender() public {
        Terms memory t = defaultTerms();
        t.owner = STRANGER;
        refuse(t, "owner");
    }

    function test_createProject_noKeyForTheSize() public {
        Terms memory t = defaultTerms();
        t.slots = 32;
        vm.deal(OWNER, 100 ether);
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(IKeyRegistry.UnknownKey.selector, 1, 32));
        factory.createProject{value: depositOf(t)}(t);
    }

    function test_createProject_invalidTerms() public {
        for (uint256 i;; ++i) {
            Terms memory t = defaultTerms();
            string memory field = spoil(t, i);
            if (bytes(field).length == 0) break;
            refuse(t, field);
        }
    }

    /// @dev Breaks the `i`-th bound; returns the field that the error must name.
    function spoil(Terms memory t, uint256 i) private pure returns (string memory) {
        if (i == 0) return set(uint160(t.aggregator = address(0)), "aggregator");
        if (i == 1) return set(t.specification = 0, "specification");
        if (i == 2) return set(t.rule = 2, "rule");
        if (i == 3) return set(t.slots = 9, "slots");
        if (i == 4) return set(t.dimension = 0, "dimension");
        if (i == 5) return set(t.dimension = 1 << 22, "dimension");
        if (i == 6) return set(t.theta = 129, "theta");
        if (i == 7) return set(t.trim = 86, "trim");
        if (i == 8) return set(t.maxTrainers = 9, "maxTrainers");
        if (i == 9) return set(t.minTrainers = 2, "minTrainers");
        if (i == 10) return set(t.minTrainers = 5, "minTrainers");
        if (i == 11) return set(t.minActive = 2, "minActive");
        if (i == 12) return set(t.minActive = 4, "minActive");
        if (i == 13) return set(t.rounds = 0, "rounds");
        if (i == 14) return set(t.rounds = 1001, "rounds");
        if (i == 15) return set(t.maxVoids = 0, "maxVoids");
        if (i == 16) return set(t.maxVoids = 251, "maxVoids");
        if (i == 17) return set(t.registrationPeriod = 0, "registrationPeriod");
        if (i == 18) return set(t.commitPeriod = 0, "commitPeriod");
        if (i == 19) return set(t.revealPeriod = 0, "revealPeriod");
        if (i == 20) return set(t.aggregatePeriod = 0, "aggregatePeriod");
        if (i == 21) return set(t.learningRate = 0, "learningRate");
        if (i == 22) return set(t.localEpochs = 0, "localEpochs");
        if (i == 23) return set(t.decay = 65_537, "decay");
        if (i == 24) return set(t.coherenceFloor = 65_537, "coherenceFloor");
        if (i == 25) return set(t.coherenceDecay = 65_537, "coherenceDecay");
        if (i == 26) return set(t.minLearningRate = t.learningRate + 1, "minLearningRate");
        if (i == 27) return set(t.model[0] = 1, "model");
        if (i == 28) return set(t.modelCid = 0, "modelCid");
        if (i == 29) return set(t.rule = 0, "rule");
        if (i == 30) return set(t.slots = 0, "slots");
        if (i == 31) return set(t.table = 0, "table");
        if (i == 32) return set(t.table = 9, "table");
        if (i == 33) return set(uint160(t.token = address(0x1234)), "token"); // without code
        if (i == 34) return set(t.outlierPenalty = t.stake / 10 + 1, "outlierPenalty");
        if (i == 35) return set(t.attestPeriod = 0, "attestPeriod");
        if (i == 36) return set(t.rule = 255, "rule");
        if (i == 37) return set(t.slots = 4, "slots");
        if (i == 38) return set(t.slots = 24, "slots");
        if (i == 39) return set(t.slots = 255, "slots");
        if (i == 40) return set(t.bond = 0, "bond");
        if (i == 41) return set(t.registrationPeriod = 30 days + 1, "registrationPeriod");
        if (i == 42) return set(t.commitPeriod = 30 days + 1, "commitPeriod");
        if (i == 43) return set(t.revealPeriod = 30 days + 1, "revealPeriod");
        if (i == 44) return set(t.attestPeriod = 30 days + 1, "attestPeriod");
        if (i == 45) return set(t.aggregatePeriod = 30 days + 1, "aggregatePeriod");
        if (i == 46) return set(t.aggregatePeriod = type(uint32).max, "aggregatePeriod");
        if (i == 47) return set(t.stake = (t.outlierPenalty = 1) * 10 - 1, "outlierPenalty");
        if (i == 48) return set(t.outlierPenalty = type(uint96).max, "outlierPenalty"); // ten times it has 100 bits
        return "";
    }

    function set(uint256, string memory field) private pure returns (string memory) {
        return field;
    }

    function set(bytes32, string memory field) private pure returns (string memory) {
        return field;
    }

    function test_createProject_fiveActiveOutsideTestChains() public {
        Terms memory t = defaultTerms();
        withPeriods(t, 1 hours);
        vm.chainId(1);
        refuse(t, "minActive");
        t.minTrainers = 5;
        t.maxTrainers = 8;
        t.minActive = 4;
        refuse(t, "minActive");
        t.minActive = 5;
        create(t);
    }

    function withPeriods(Terms memory t, uint32 period) private pure {
        (t.registrationPeriod, t.commitPeriod, t.revealPeriod) = (period, period, period);
        (t.attestPeriod, t.aggregatePeriod) = (period, period);
    }

    /// @dev A phase of a second, which nobody can meet, costs stakes: outside test chains each lasts an hour or longer.
    function test_createProject_periodsOutsideTestChains() public {
        Terms memory t = defaultTerms();
        (t.minTrainers, t.maxTrainers, t.minActive) = (5, 8, 5);
        withPeriods(t, 1);
        create(t);
        vm.chainId(1);
        string[5] memory fields =
            ["registrationPeriod", "commitPeriod", "revealPeriod", "attestPeriod", "aggregatePeriod"];
        for (uint256 i; i < 5; ++i) {
            withPeriods(t, 1 hours);
            if (i == 0) t.registrationPeriod = 1 hours - 1;
            else if (i == 1) t.commitPeriod = 1 hours - 1;
            else if (i == 2) t.revealPeriod = 1 hours - 1;
            else if (i == 3) t.attestPeriod = 1 hours - 1;
            else t.aggregatePeriod = 1 hours - 1;
            refuse(t, fields[i]);
        }
        withPeriods(t, 30 days);
        create(t);
    }

    function test_createProject_edgesOfTheBounds() public {
        Terms memory t = defaultTerms();
        (t.dimension, t.theta, t.trim, t.maxTrainers) = ((1 << 22) - 1, 128, 85, 8);
        (t.decay, t.coherenceFloor, t.coherenceDecay) = (65_536, 65_536, 65_536);
        t.minLearningRate = t.learningRate;
        t.model = [uint256(1), 2];
        (t.bond, t.outlierPenalty) = (1, t.stake / 10);
        withPeriods(t, 30 days);
        (t.rounds, t.maxVoids, t.roundReward, t.roundFee) = (1000, 250, 0, 0);
        project = create(t);
        (uint256[2] memory model,) = project.model();
        assertEq(model[1], 2);
    }

    /// @dev Each verifier alone: if both had the wrong registry, one check would suffice.
    function test_constructor_factoryWithAVerifierOfOtherKeys() public {
        IRoundVerifier round = new AcceptingRoundVerifier(address(0x77));
        vm.expectRevert(abi.encodeWithSelector(IProject.InvalidTerms.selector, "keyRegistry"));
        newFactory(registry, round, rangeVerifier);
        IRangeVerifier rangeVerifier_ = new AcceptingRangeVerifier(address(0x77));
        vm.expectRevert(abi.encodeWithSelector(IProject.InvalidTerms.selector, "keyRegistry"));
        newFactory(registry, verifier, rangeVerifier_);
        newFactory(registry, verifier, rangeVerifier);
    }

    function test_createProject_ofHundredAndTwentyEightSlots() public {
        IVerifyingKey[] memory keys = new IVerifyingKey[](1);
        keys[0] = new TestKey(1, 128).asKey();
        registry = newRegistry(true, KnownSecrets.x1(), KnownSecrets.g2(), keys);
        factory = newFactory(registry, deployVerifier(), deployRangeVerifier());
        Terms memory t = defaultTerms();
        (t.slots, t.maxTrainers, t.table) = (128, 128, 8);
        assertEq(create(t).terms().maxTrainers, 128);
    }

    function test_initialize_onlyByTheFactoryAndOnce() public {
        vm.expectRevert(Project.NotInitializable.selector);
        project.initialize();
        vm.prank(address(factory));
        vm.expectRevert(Project.NotInitializable.selector);
        project.initialize();
    }

    function test_implementation_isNoProject() public {
        Project code = Project(factory.implementation());
        vm.expectRevert(Project.NotAProject.selector);
        code.terms();
        vm.expectRevert(Project.NotAProject.selector);
        code.join();
        vm.expectRevert(Project.NotAProject.selector);
        code.advance();
        vm.prank(address(factory));
        vm.expectRevert(Project.NotAProject.selector);
        code.initialize();
    }

    function test_receive_plainEtherIsRefused() public {
        vm.deal(address(this), 1 ether);
        (bool ok,) = address(project).call{value: 1}("");
        assertFalse(ok);
    }

    /* JOINING, LEAVING, BOND */

    function test_join_takesTheStakeAndListsTheTrainer() public {
        vm.deal(trainer(0), STAKE);
        vm.expectEmit();
        emit IProject.Joined(trainer(0), STAKE);
        vm.prank(trainer(0));
        project.join{value: STAKE}();
        assertTrue(project.isTrainer(trainer(0)));
        assertEq(project.trainers().length, 1);
        assertEq(project.trainers()[0], trainer(0));
        assertEq(project.owed(trainer(0)), 0);
        assertEq(address(project).balance, project.escrow() + STAKE);
    }

    function test_join_lastOneOpensRoundOneWhenTheBondIsThere() public {
        placeBond();
        for (uint256 i; i < 3; ++i) {
            join(i);
        }
        assertPhase(Phase.Registration);
        vm.expectEmit();
        emit IProject.Joined(trainer(3), STAKE);
        vm.expectEmit();
        emit IProject.HyperParameters(1, 100_000, 2);
        vm.expectEmit();
        emit IProject.PhaseOpened(1, Phase.Commit, block.timestamp + 100);
        join(3);
        assertPhase(Phase.Commit);
        assertEq(project.round(), 1);
    }

    function test_placeBond_opensRoundOneWhenFull() public {
        for (uint256 i; i < 4; ++i) {
            join(i);
        }
        assertPhase(Phase.Registration);
        placeBond();
        assertTrue(project.bondPlaced());
        assertPhase(Phase.Commit);
    }

    function test_join_wrongValue() public {
        vm.deal(trainer(0), 2 * STAKE);
        vm.prank(trainer(0));
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongValue.selector, STAKE, STAKE + 1));
        project.join{value: STAKE + 1}();
    }

    function test_join_alreadyJoined() public {
        join(0);
        vm.deal(trainer(0), STAKE);
        vm.prank(trainer(0));
        vm.expectRevert(abi.encodeWithSelector(IProject.AlreadyJoined.selector, trainer(0)));
        project.join{value: STAKE}();
    }

    function test_join_projectFull() public {
        for (uint256 i; i < 4; ++i) {
            join(i);
        }
        vm.deal(trainer(4), STAKE);
        vm.prank(trainer(4));
        vm.expectRevert(IProject.ProjectFull.selector);
        project.join{value: STAKE}();
    }

    function test_join_deadlinePassed() public {
        uint256 end = project.deadline();
        vm.warp(end);
        vm.deal(trainer(0), STAKE);
        vm.prank(trainer(0));
        vm.expectRevert(abi.encodeWithSelector(IProject.DeadlinePassed.selector, end));
        project.join{value: STAKE}();
    }

    function test_join_wrongPhase() public {
        start(3);
        vm.deal(trainer(3), STAKE);
        vm.prank(trainer(3));
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongPhase.selector, Phase.Registration, Phase.Commit));
        project.join{value: STAKE}();
    }

    function test_leave_givesTheStakeBackAndAllowsToJoinAgain() public {
        join(0);
        join(1);
        vm.expectEmit();
        emit IProject.Left(trainer(0), STAKE);
        vm.prank(trainer(0));
        project.leave();
        assertFalse(project.isTrainer(trainer(0)));
        assertEq(project.trainers()[0], trainer(1));
        assertEq(project.owed(trainer(0)), STAKE);
        join(0);
        assertEq(withdraw(trainer(0)), STAKE);
        assertEq(address(project).balance, project.escrow() + 2 * uint256(STAKE));
    }

    function test_leave_notATrainer() public {
        vm.expectRevert(abi.encodeWithSelector(IProject.NotATrainer.selector, address(this)));
        project.leave();
    }

    /// @dev The deadline applies to joining, not to leaving.
    function test_leave_afterTheDeadlineOfRegistration() public {
        join(0);
        vm.warp(project.deadline());
        vm.prank(trainer(0));
        project.leave();
        assertEq(project.owed(trainer(0)), STAKE);
    }

    function test_leave_betweenTheRounds() public {
        start(4);
        submit(4);
        settleEqually();
        vm.prank(trainer(3));
        project.leave();
        assertEq(project.owed(trainer(3)), STAKE + uint256(REWARD) / 4);
        assertFalse(project.isTrainer(trainer(3)));
        (uint256 stake,,) = project.trainerState(trainer(3));
        assertEq(stake, 0);
        withdraw(trainer(3));
        // Its attestation still counts, and the other three go on.
        submit(3);
        settleWith([uint256(65536), 0, 0, 0], 65536, AGGREGATOR);
        close(AGGREGATOR);
        assertPhase(Phase.Completed);
        withdrawAllAndExpectEmpty();
    }

    function test_leave_roundPending() public {
        start(4);
        revealAll(4);
        bytes memory pending = abi.encodeWithSelector(IProject.RoundPending.selector, trainer(0));
        vm.prank(trainer(0));
        vm.expectRevert(pending);
        project.leave();
        for (uint256 i; i < 4; ++i) {
            attest(i);
        }
        vm.prank(trainer(0));
        vm.expectRevert(pending);
        project.leave();
    }

    function test_leave_whoHasNotCommittedMayInEveryPhaseOfARound() public {
        Terms memory t = defaultTerms();
        t.maxTrainers = 8;
        project = create(t);
        start(7);
        commit(0);
        commit(1);
        commit(2);
        leaveAs(3);
        assertPhase(Phase.Commit);
        skipAndAdvance();
        leaveAs(4);
        for (uint256 i; i < 3; ++i) {
            reveal(i);
        }
        leaveAs(5);
        for (uint256 i; i < 3; ++i) {
            attest(i);
        }
        leaveAs(6);
        assertPhase(Phase.Aggregate);
        assertEq(project.trainers().length, 3);
    }

    function leaveAs(uint256 i) private {
        vm.prank(trainer(i));
        project.leave();
        assertEq(project.owed(trainer(i)), STAKE);
    }

    function test_leave_ofTheLastWhoHadNotCommittedOpensReveal() public {
        start(4);
        for (uint256 i; i < 3; ++i) {
            commit(i);
        }
        leaveAs(3);
        assertPhase(Phase.Reveal);
    }

    function test_leave_ofTooManyWaitsForTheDeadlineAndWindsUp() public {
        start(4);
        commit(0);
        for (uint256 i = 1; i < 4; ++i) {
            leaveAs(i);
        }
        assertPhase(Phase.Commit);
        skipAndAdvance();
        assertPhase(Phase.WoundUp);
        assertEq(project.voidRounds(), 1);
        assertEq(project.owed(OWNER), depositOf(defaultTerms()));
        withdrawAllAndExpectEmpty();
    }

    function test_leave_wrongPhase() public {
        start(4);
        submit(4);
        settleEqually();
        submit(4);
        settleEqually();
        vm.prank(trainer(0));
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongPhase.selector, Phase.Aggregate, Phase.Closing));
        project.leave();
        close(AGGREGATOR);
        vm.prank(trainer(0));
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongPhase.selector, Phase.Aggregate, Phase.Completed));
        project.leave();
    }

    function test_placeBond_notTheAggregator() public {
        vm.deal(STRANGER, BOND);
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IProject.NotTheAggregator.selector, STRANGER));
        project.placeBond{value: BOND}();
    }

    function test_placeBond_wrongValue() public {
        vm.deal(AGGREGATOR, BOND);
        vm.prank(AGGREGATOR);
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongValue.selector, BOND, BOND - 1));
        project.placeBond{value: BOND - 1}();
    }

    function test_placeBond_bondAlreadyPlaced() public {
        placeBond();
        vm.deal(AGGREGATOR, BOND);
        vm.prank(AGGREGATOR);
        vm.expectRevert(IProject.BondAlreadyPlaced.selector);
        project.placeBond{value: BOND}();
    }

    /* END OF REGISTRATION */

    function test_advance_opensRoundOneWithEnoughTrainers() public {
        placeBond();
        for (uint256 i; i < 3; ++i) {
            join(i);
        }
        skipAndAdvance();
        assertPhase(Phase.Commit);
        assertEq(project.round(), 1);
    }

    function test_advance_deadlineNotReached() public {
        uint256 end = project.deadline();
        vm.warp(end - 1);
        vm.expectRevert(abi.encodeWithSelector(IProject.DeadlineNotReached.selector, end));
        project.advance();
    }

    function test_advance_tooFewTrainersGivesEverythingBack() public {
        placeBond();
        join(0);
        join(1);
        vm.warp(project.deadline());
        vm.expectEmit();
        emit IProject.ProjectEnded(Phase.WoundUp, depositOf(defaultTerms()));
        project.advance();
        assertPhase(Phase.WoundUp);
        assertEq(project.owed(trainer(0)), STAKE);
        assertEq(project.owed(trainer(1)), STAKE);
        assertEq(project.owed(AGGREGATOR), BOND);
        assertEq(project.owed(OWNER), depositOf(defaultTerms()));
        withdrawAllAndExpectEmpty();
    }

    function test_advance_noBondGivesEverythingBack() public {
        for (uint256 i; i < 4; ++i) {
            join(i);
        }
        skipAndAdvance();
        assertPhase(Phase.WoundUp);
        assertEq(project.owed(AGGREGATOR), 0);
        assertEq(project.owed(trainer(3)), STAKE);
        withdrawAllAndExpectEmpty();
    }

    function test_advance_nothingToAdvance() public {
        skipAndAdvance();
        assertPhase(Phase.WoundUp);
        vm.expectRevert(IProject.NothingToAdvance.selector);
        project.advance();
    }
}
