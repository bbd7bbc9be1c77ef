// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {KeyRegistry} from "../../src/KeyRegistry.sol";
import {Project} from "../../src/Project.sol";
import {ProjectFactory} from "../../src/ProjectFactory.sol";
import {RoundVerifier} from "../../src/RoundVerifier.sol";
import {IVerifyingKey} from "../../src/interfaces/IKeyRegistry.sol";
import {IProject, Phase, Terms} from "../../src/interfaces/IProject.sol";
import {IRoundVerifier, RoundProof} from "../../src/interfaces/IRoundVerifier.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";
import {AcceptingRoundVerifier} from "./AcceptingRoundVerifier.sol";
import {ExampleKey} from "./ExampleKey.sol";
import {KnownSecrets, TestKey} from "./KnownSecrets.sol";
import {MiniTest} from "./MiniTest.sol";

/// @dev A market with known keys and an accepting verifier, a project of four trainers and two rounds, and the steps that tests take.
abstract contract Market is MiniTest {
    address internal constant OWNER = address(0xA0);
    address internal constant AGGREGATOR = address(0xA6);
    address internal constant STRANGER = address(0xDEAD);
    uint96 internal constant STAKE = 1 ether;
    uint96 internal constant BOND = 5 ether + 3; // 3 wei that four trainers cannot share
    uint96 internal constant REWARD = 1 ether + 7;
    uint96 internal constant FEE = 0.1 ether;
    bytes32 internal constant SALT = "salt";

    KeyRegistry internal registry;
    IRoundVerifier internal verifier;
    ProjectFactory internal factory;
    Project internal project;
    uint256 private _points;
    /// @dev Commitments of the open round, x and y in slot order.
    uint256[] internal commitments;

    function setUp() public virtual {
        IVerifyingKey[] memory keys = new IVerifyingKey[](2);
        keys[0] = new TestKey(1, 8).asKey();
        keys[1] = new ExampleKey();
        registry = new KeyRegistry(true, KnownSecrets.x1(), KnownSecrets.g2(), keys);
        verifier = deployVerifier();
        factory = new ProjectFactory(registry, verifier);
        project = create(defaultTerms());
    }

    function deployVerifier() internal virtual returns (IRoundVerifier) {
        return new AcceptingRoundVerifier(address(registry));
    }

    function defaultTerms() internal pure virtual returns (Terms memory t) {
        t.owner = OWNER;
        t.aggregator = AGGREGATOR;
        t.specification = "specification";
        t.rule = 1;
        t.slots = 8;
        t.dimension = 1000;
        t.theta = 32;
        t.trim = 52;
        t.maxExcluded = 1;
        t.minTrainers = 3;
        t.maxTrainers = 4;
        t.minActive = 3;
        t.stake = STAKE;
        t.bond = BOND;
        t.rounds = 2;
        t.maxVoids = 2;
        t.roundReward = REWARD;
        t.roundFee = FEE;
        t.registrationPeriod = 1000;
        t.commitPeriod = 100;
        t.revealPeriod = 50;
        t.aggregatePeriod = 200;
        t.learningRate = 100_000;
        t.localEpochs = 2;
        t.decay = 60_000;
        t.coherenceFloor = 20_000;
        t.coherenceDecay = 32_768;
        t.minLearningRate = 10_000;
        t.modelCid = "first model";
    }

    function depositOf(Terms memory t) internal pure returns (uint256) {
        return uint256(t.rounds) * (uint256(t.roundReward) + t.roundFee);
    }

    function create(Terms memory t) internal returns (Project) {
        vm.deal(OWNER, depositOf(t));
        vm.prank(OWNER);
        return Project(factory.createProject{value: depositOf(t)}(t));
    }

    function trainer(uint256 i) internal pure returns (address) {
        return address(uint160(0x1000 + i));
    }

    function join(uint256 i) internal {
        uint96 stake = project.terms().stake;
        vm.deal(trainer(i), stake);
        vm.prank(trainer(i));
        project.join{value: stake}();
    }

    function placeBond() internal {
        uint96 bond = project.terms().bond;
        vm.deal(AGGREGATOR, bond);
        vm.prank(AGGREGATOR);
        project.placeBond{value: bond}();
    }

    /// @dev Bond and `n` trainers; round 1 is open after it.
    function start(uint256 n) internal {
        placeBond();
        for (uint256 i; i < n; ++i) {
            join(i);
        }
        if (project.phase() == Phase.Registration) skipAndAdvance();
        assertPhase(Phase.Commit);
    }

    /// @dev A point that no test has used before.
    function freshPoint() internal returns (uint256[2] memory p) {
        (p[0], p[1]) = Bn254.mul(1, 2, 100 + ++_points);
    }

    function sealOf(address account, bytes32 cid) internal pure returns (bytes32) {
        return keccak256(abi.encode(cid, account, SALT));
    }

    function cidOf(uint256 i) internal pure returns (bytes32) {
        return bytes32(0xC1D0 + i);
    }

    function commit(uint256 i) internal {
        if (i == 0) delete commitments;
        uint256[2] memory p = freshPoint();
        uint256 round = project.round();
        vm.prank(trainer(i));
        project.commitUpdate(round, p, sealOf(trainer(i), cidOf(i)));
        commitments.push(p[0]);
        commitments.push(p[1]);
    }

    function reveal(uint256 i) internal {
        uint256 round = project.round();
        vm.prank(trainer(i));
        project.revealUpdate(round, cidOf(i), SALT);
    }

    /// @dev Trainers 0 to `n - 1` commit and reveal; Aggregate is open after it.
    function submit(uint256 n) internal {
        for (uint256 i; i < n; ++i) {
            commit(i);
        }
        if (project.phase() == Phase.Commit) skipAndAdvance();
        for (uint256 i; i < n; ++i) {
            reveal(i);
        }
        assertPhase(Phase.Aggregate);
    }

    /// @dev A proof for the accepting verifier: shares as given, coherence as given, all else empty.
    function claim(uint256[4] memory shares, uint256 coherence) internal pure returns (RoundProof memory p) {
        p.coherence = coherence;
        p.shares = new uint256[](1);
        p.weights = new uint256[](1);
        for (uint256 i; i < 4; ++i) {
            p.shares[0] |= shares[i] << (17 * i);
            if (shares[i] != 0) p.keptMask |= 1 << i;
        }
    }

    function settleWith(uint256[4] memory shares, uint256 coherence, address payee) internal {
        uint256 round = project.round();
        (, uint256 revealed,) = project.roundState(round);
        vm.prank(payee);
        project.settle(round, payee, revealed, "next model", commitments, claim(shares, coherence));
    }

    function settleEqually() internal {
        settleWith([uint256(16384), 16384, 16384, 16384], 65536, AGGREGATOR);
    }

    /// @dev Waits for the end of the phase, and of the open time after it in Aggregate, and advances.
    function skipAndAdvance() internal {
        uint256 end = project.deadline();
        if (project.phase() == Phase.Aggregate) end += project.terms().aggregatePeriod;
        vm.warp(end);
        vm.prank(STRANGER);
        project.advance();
    }

    /// @dev Withdraws and checks that `owed` said so, to the wei.
    function withdraw(address account) internal returns (uint256 amount) {
        uint256 expected = project.owed(account);
        if (expected == 0) return 0;
        uint256 before = account.balance;
        vm.prank(account);
        amount = project.withdraw(payable(account));
        assertEq(amount, expected, "owed is what withdraw pays");
        assertEq(account.balance - before, amount, "what withdraw says is what arrives");
        assertEq(project.owed(account), 0, "nothing is paid twice");
    }

    /// @dev Everybody withdraws after the end; not a wei stays.
    function withdrawAllAndExpectEmpty() internal {
        for (uint256 i; i < 4; ++i) {
            withdraw(trainer(i));
        }
        withdraw(OWNER);
        withdraw(AGGREGATOR);
        withdraw(STRANGER);
        assertEq(address(project).balance, 0, "left behind");
    }

    function assertPhase(Phase expected) internal view {
        assertEq(uint256(project.phase()), uint256(expected), "phase");
    }
}
