// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IVerifyingKey} from "../../src/interfaces/IKeyRegistry.sol";
import {RangeProof, IRangeVerifier} from "../../src/interfaces/IRangeVerifier.sol";
import {IProject, Phase, Terms} from "../../src/interfaces/IProject.sol";
import {IRoundVerifier, RoundProof} from "../../src/interfaces/IRoundVerifier.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";
import {Packed} from "../../src/libraries/Packed.sol";
import {AcceptingRangeVerifier, AcceptingRoundVerifier} from "./AcceptingVerifiers.sol";
import {KeyRegistry, Project, ProjectFactory} from "./Deployed.sol";
import {ExampleKey} from "./ExampleKey.sol";
import {KnownSecrets, TestKey} from "./KnownSecrets.sol";
import {MiniTest} from "./MiniTest.sol";
import {Slot} from "./Points.sol";
import {PlainToken} from "./Tokens.sol";

/// @dev A market with known keys and an accepting verifier, a project of four trainers and two rounds, and the steps
/// that tests take.
abstract contract Market is MiniTest {
    address internal constant OWNER = address(0xA0);
    address internal constant AGGREGATOR = address(0xA6);
    address internal constant STRANGER = address(0xDEAD);
    uint96 internal constant STAKE = 1 ether;
    uint96 internal constant BOND = 5 ether + 3; // four trainers cannot divide 3 wei
    uint96 internal constant REWARD = 1 ether + 7;
    uint96 internal constant FEE = 0.1 ether;
    bytes32 internal constant SALT = "salt";
    /// @dev The deposit of a project of two rounds.
    uint256 internal constant DEPOSIT = 2 * (uint256(REWARD) + FEE);

    KeyRegistry internal registry;
    IRoundVerifier internal verifier;
    IRangeVerifier internal rangeVerifier;
    ProjectFactory internal factory;
    Project internal project;
    uint256 private _points;
    /// @dev The commitments of the open round.
    Slot[] internal slots;

    function setUp() public virtual {
        registry = deployRegistry();
        verifier = deployVerifier();
        rangeVerifier = deployRangeVerifier();
        factory = newFactory(registry, verifier, rangeVerifier);
        project = create(defaultTerms());
    }

    function newFactory(KeyRegistry keys, IRoundVerifier round, IRangeVerifier rangeVerifier_)
        internal
        returns (ProjectFactory)
    {
        return ProjectFactory(deploy("ProjectFactory.sol:ProjectFactory", abi.encode(keys, round, rangeVerifier_)));
    }

    function deployRegistry() internal virtual returns (KeyRegistry) {
        IVerifyingKey[] memory keys = new IVerifyingKey[](2);
        keys[0] = new TestKey(1, 8).asKey();
        keys[1] = new ExampleKey();
        return newRegistry(true, KnownSecrets.x1(), KnownSecrets.g2(), keys);
    }

    function deployVerifier() internal virtual returns (IRoundVerifier) {
        return new AcceptingRoundVerifier(address(registry));
    }

    function deployRangeVerifier() internal virtual returns (IRangeVerifier) {
        return new AcceptingRangeVerifier(address(registry));
    }

    function defaultTerms() internal pure virtual returns (Terms memory t) {
        t.owner = OWNER;
        t.aggregator = AGGREGATOR;
        t.specification = "specification";
        t.rule = 1;
        t.slots = 8;
        t.table = 16;
        t.dimension = 1000;
        t.theta = 32;
        t.trim = 52;
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
        t.attestPeriod = 60;
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
        uint256 value = give(t.token, OWNER, address(factory), depositOf(t));
        vm.prank(OWNER);
        return Project(factory.createProject{value: value}(t));
    }

    /// @dev Funds `who` and approves `spender`; returns the ether to send with the call.
    function give(address token, address who, address spender, uint256 amount) internal returns (uint256 value) {
        if (token == address(0)) {
            vm.deal(who, amount);
            return amount;
        }
        PlainToken(token).mint(who, amount);
        vm.prank(who);
        (bool approved,) = token.call(abi.encodeCall(IERC20.approve, (spender, amount)));
        assertTrue(approved);
    }

    function balanceOf(address who) internal view returns (uint256) {
        address token = project.terms().token;
        return token == address(0) ? who.balance : PlainToken(token).balanceOf(who);
    }

    function trainer(uint256 i) internal pure virtual returns (address) {
        return address(uint160(0x1000 + i));
    }

    function join(uint256 i) internal {
        Terms memory t = project.terms();
        uint256 value = give(t.token, trainer(i), address(project), t.stake);
        vm.prank(trainer(i));
        project.join{value: value}();
    }

    function placeBond() internal {
        Terms memory t = project.terms();
        uint256 value = give(t.token, AGGREGATOR, address(project), t.bond);
        vm.prank(AGGREGATOR);
        project.placeBond{value: value}();
    }

    /// @dev Places the bond and joins `n` trainers; opens round 1.
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
        uint256 round = project.round();
        (uint256 committed,,,,) = project.roundState(round);
        if (committed == 0) delete slots;
        uint256[2] memory p = freshPoint();
        vm.prank(trainer(i));
        project.commitUpdate(round, p, sealOf(trainer(i), cidOf(i)), rangeProof(trainer(i), p));
        slots.push(Slot(trainer(i), p[0], p[1]));
    }

    /// @dev A range proof; empty for the accepting verifier.
    function rangeProof(address, uint256[2] memory) internal virtual returns (RangeProof memory proof) {}

    function reveal(uint256 i) internal {
        uint256 round = project.round();
        vm.prank(trainer(i));
        project.revealUpdate(round, cidOf(i), SALT);
    }

    function revealedMask() internal view returns (uint256 revealed) {
        (, revealed,,,) = project.roundState(project.round());
    }

    function activeMask() internal view returns (uint256 active) {
        (,,, active,) = project.roundState(project.round());
    }

    function attest(uint256 i, uint256 mask, address source) internal {
        uint256 round = project.round();
        vm.prank(trainer(i));
        project.attest(round, mask, source);
    }

    /// @dev Attests every file, and names the payee as source of the last model.
    function attest(uint256 i) internal {
        (, address payee,) = project.openModel();
        attest(i, revealedMask(), payee);
    }

    /// @dev Trainers 0 to `n - 1` commit and reveal; ends in Attest.
    function revealAll(uint256 n) internal {
        for (uint256 i; i < n; ++i) {
            commit(i);
        }
        if (project.phase() == Phase.Commit) skipAndAdvance();
        for (uint256 i; i < n; ++i) {
            reveal(i);
        }
        assertPhase(Phase.Attest);
    }

    /// @dev Trainers 0 to `n - 1` commit, reveal and attest; ends in Aggregate.
    function submit(uint256 n) internal {
        revealAll(n);
        for (uint256 i; i < n; ++i) {
            attest(i);
        }
        assertPhase(Phase.Aggregate);
    }

    /// @dev In Closing: as many trainers as needed name `source`.
    function close(address source) internal {
        assertPhase(Phase.Closing);
        for (uint256 i; i < 3 && project.phase() == Phase.Closing; ++i) {
            vm.prank(trainer(i));
            project.attestModel(source);
        }
    }

    /// @dev A proof for the accepting verifier with these shares and this coherence; the rest is empty.
    function claim(uint256[4] memory shares, uint256 coherence) internal pure returns (RoundProof memory p) {
        p.coherence = coherence;
        p.shares = new uint256[](1);
        p.weights = new uint256[](1);
        p.model = [uint256(1), 2];
        for (uint256 i; i < 4; ++i) {
            p.shares[0] |= shares[i] << (17 * i);
            if (shares[i] != 0) p.keptMask |= 1 << i;
        }
    }

    /// @dev The part of the reward for a share, rounded down.
    function part(uint256 share) internal pure returns (uint256) {
        return uint256(REWARD) * share / 65536;
    }

    /// @dev The commitments of the round's slots.
    function points() internal view returns (uint256[2][] memory all) {
        all = new uint256[2][](slots.length);
        for (uint256 i; i < all.length; ++i) {
            all[i] = [slots[i].x, slots[i].y];
        }
    }

    /// @dev The argument `outliers` of a project without an outlier penalty.
    function nobody() internal pure returns (address[] memory) {
        return new address[](0);
    }

    /// @dev The trainers of the active slots that are not kept, if the terms have a penalty.
    function outliers(uint256 kept) internal view returns (address[] memory dropped) {
        uint256 mask = project.terms().outlierPenalty == 0 ? 0 : activeMask() & ~kept;
        dropped = new address[](Packed.count(mask));
        uint256 cursor;
        for (uint256 i; i < slots.length; ++i) {
            if (Packed.has(mask, i)) dropped[cursor++] = slots[i].trainer;
        }
    }

    function settleWith(uint256[4] memory shares, uint256 coherence, address payee) internal {
        uint256 round = project.round();
        RoundProof memory p = claim(shares, coherence);
        address[] memory dropped = outliers(p.keptMask);
        vm.prank(payee);
        project.settle(round, payee, "next model", points(), dropped, p);
    }

    function settleEqually() internal {
        settleWith([uint256(16384), 16384, 16384, 16384], 65536, AGGREGATOR);
    }

    /// @dev Waits for the end of the phase (in Aggregate also of the open period) and advances.
    function skipAndAdvance() internal {
        uint256 end = project.deadline();
        if (project.phase() == Phase.Aggregate) end += project.terms().aggregatePeriod;
        vm.warp(end);
        vm.prank(STRANGER);
        project.advance();
    }

    /// @dev Withdraws and compares the amount with `owed`.
    function withdraw(address account) internal returns (uint256 amount) {
        uint256 expected = project.owed(account);
        if (expected == 0) return 0;
        uint256 before = balanceOf(account);
        vm.prank(account);
        amount = project.withdraw(payable(account));
        assertEq(amount, expected, "owed is what withdraw pays");
        assertEq(balanceOf(account) - before, amount, "what withdraw says is what arrives");
        assertEq(project.owed(account), 0, "nothing is paid twice");
    }

    /// @dev Everyone withdraws after the end; nothing remains but what is burnt.
    function withdrawAllAndExpectEmpty() internal {
        for (uint256 i; i < 8; ++i) {
            withdraw(trainer(i));
        }
        withdraw(OWNER);
        withdraw(AGGREGATOR);
        withdraw(STRANGER);
        assertEq(balanceOf(address(project)), project.burnt(), "left behind");
    }

    function assertPhase(Phase expected) internal view {
        assertEq(uint256(project.phase()), uint256(expected), "phase");
    }
}
