// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Project} from "../src/Project.sol";
import {IProject, Phase, Terms} from "../src/interfaces/IProject.sol";
import {RoundProof} from "../src/interfaces/IRoundVerifier.sol";
import {Market} from "./support/Market.sol";
import {MiniTest, Vm} from "./support/MiniTest.sol";
import {Bn254} from "../src/libraries/Bn254.sol";

/// @dev Everybody at once, in any order, each doing only what the rules allow at that moment. It keeps books of its own of what everybody
/// is entitled to, by the rules in words and not by the contract's code.
contract Handler {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bytes32 private constant SALT = "salt";

    Project public immutable PROJECT;
    address public immutable OWNER;
    address public immutable AGGREGATOR;
    address public constant STRANGER = address(0xDEAD);

    mapping(address => uint256) public entitled;
    mapping(address => uint256) public received;
    uint256 public furthest;
    bool public wentBack;
    bool private _ended;
    uint256 private _points;
    uint256[] private _commitments;
    address[] private _slots;

    constructor(Project project) {
        PROJECT = project;
        (OWNER, AGGREGATOR) = (project.terms().owner, project.terms().aggregator);
    }

    function trainer(uint256 i) public pure returns (address) {
        return address(uint160(0x1000 + i % 6));
    }

    /// @dev After every action: phases of a round go forward, rounds go up, an end is the end.
    modifier watched() {
        _;
        uint256 now_ = PROJECT.round() * 4 + (uint256(PROJECT.phase()) % 6);
        if (PROJECT.phase() >= Phase.Completed) now_ = type(uint256).max - 6 + uint256(PROJECT.phase());
        else if (PROJECT.phase() != Phase.Registration) now_ += 1;
        if (now_ < furthest) wentBack = true;
        furthest = now_;
        if (PROJECT.phase() >= Phase.Completed && !_ended) {
            _ended = true;
            address[] memory left = PROJECT.trainers();
            for (uint256 i; i < left.length; ++i) {
                entitled[left[i]] += PROJECT.terms().stake;
            }
        }
    }

    function open(Phase phase) private view returns (bool) {
        return PROJECT.phase() == phase && block.timestamp < PROJECT.deadline();
    }

    /// @dev One or several at once, so that a run gets somewhere.
    function join(uint256 seed, uint256 crowd) external watched {
        for (uint256 i; i <= crowd % 6; ++i) {
            _join(trainer(seed % 6 + i));
        }
    }

    function _join(address who) private {
        Terms memory t = PROJECT.terms();
        if (!open(Phase.Registration) || PROJECT.isTrainer(who)) return;
        if (PROJECT.trainers().length == t.maxTrainers) return;
        vm.deal(who, t.stake);
        vm.prank(who);
        PROJECT.join{value: t.stake}();
    }

    function leave(uint256 seed) external watched {
        address who = trainer(seed);
        // One in four, or no project would ever start.
        if (!open(Phase.Registration) || !PROJECT.isTrainer(who) || seed % 4 != 0) return;
        entitled[who] += PROJECT.terms().stake;
        vm.prank(who);
        PROJECT.leave();
    }

    function placeBond() external watched {
        if (!open(Phase.Registration) || PROJECT.bondPlaced()) return;
        vm.deal(AGGREGATOR, PROJECT.terms().bond);
        uint96 bond = PROJECT.terms().bond;
        vm.prank(AGGREGATOR);
        PROJECT.placeBond{value: bond}();
    }

    function commit(uint256 seed, uint256 crowd) external watched {
        for (uint256 i; i <= crowd % 6; ++i) {
            _commit(trainer(seed % 6 + i));
        }
    }

    function _commit(address who) private {
        uint256 round = PROJECT.round();
        if (!open(Phase.Commit) || !PROJECT.isTrainer(who) || PROJECT.slotOf(round, who) != 0) return;
        uint256[2] memory p;
        (p[0], p[1]) = Bn254.mul(1, 2, 100 + ++_points);
        (uint256 committed,,) = PROJECT.roundState(round);
        if (committed == 0) delete _commitments;
        if (committed == 0) delete _slots;
        _commitments.push(p[0]);
        _commitments.push(p[1]);
        _slots.push(who);
        vm.prank(who);
        PROJECT.commitUpdate(round, p, keccak256(abi.encode(bytes32("cid"), who, SALT)));
    }

    function reveal(uint256 seed, uint256 crowd) external watched {
        for (uint256 i; i <= crowd % 6; ++i) {
            _reveal(trainer(seed % 6 + i));
        }
    }

    function _reveal(address who) private {
        uint256 round = PROJECT.round();
        uint256 slot = PROJECT.slotOf(round, who);
        (, uint256 revealed,) = PROJECT.roundState(round);
        if (!open(Phase.Reveal) || slot == 0 || (revealed >> (slot - 1)) & 1 == 1) return;
        vm.prank(who);
        PROJECT.revealUpdate(round, "cid", SALT);
    }

    function settle(uint256 seed) external watched {
        Terms memory t = PROJECT.terms();
        if (PROJECT.phase() != Phase.Aggregate) return;
        if (block.timestamp >= PROJECT.deadline() + t.aggregatePeriod) return;
        uint256 round = PROJECT.round();
        (uint256 committed, uint256 revealed,) = PROJECT.roundState(round);
        bool free = !PROJECT.bondPlaced() || block.timestamp >= PROJECT.deadline();
        address payee = free && seed % 2 == 1 ? STRANGER : AGGREGATOR;
        RoundProof memory p;
        p.shares = new uint256[](1);
        p.weights = new uint256[](1);
        p.coherence = seed % 65537;
        uint256 left = 65536;
        for (uint256 i; i < committed; ++i) {
            if ((revealed >> i) & 1 == 0) continue;
            uint256 share = uint256(keccak256(abi.encode(seed, i))) % (left + 1);
            left -= share;
            p.shares[0] |= share << (17 * i);
            entitled[_slots[i]] += uint256(t.roundReward) * share / 65536;
        }
        entitled[payee] += t.roundFee;
        bool bond = PROJECT.bondPlaced();
        vm.prank(payee);
        PROJECT.settle(round, payee, revealed, "model", _commitments, p);
        if (bond && PROJECT.phase() >= Phase.Completed) entitled[AGGREGATOR] += t.bond;
    }

    function advance(uint256 seed) external watched {
        Phase phase = PROJECT.phase();
        // Not always: a round that never gets beyond its first deadline shows little.
        if (phase >= Phase.Completed || seed % 8 > 3) return;
        Terms memory t = PROJECT.terms();
        uint256 end = PROJECT.deadline() + (phase == Phase.Aggregate ? t.aggregatePeriod : 0);
        if (block.timestamp < end) vm.warp(end + seed % 7);
        bool bond = PROJECT.bondPlaced();
        bool lost = phase == Phase.Aggregate && bond && _divideBond(t);
        PROJECT.advance();
        if (bond && !lost && PROJECT.phase() >= Phase.Completed) entitled[AGGREGATOR] += t.bond;
    }

    /// @dev Whether the bond is lost: not where `maxExcluded` withheld files may be the reason that nobody settled.
    function _divideBond(Terms memory t) private returns (bool) {
        (, uint256 revealed,) = PROJECT.roundState(PROJECT.round());
        uint256 count;
        for (uint256 i; i < 8; ++i) {
            count += (revealed >> i) & 1;
        }
        if (count < uint256(t.minActive) + t.maxExcluded) return false;
        for (uint256 i; i < 8; ++i) {
            if ((revealed >> i) & 1 == 1) entitled[_slots[i]] += t.bond / count;
        }
        return true;
    }

    function wait(uint256 seed) external watched {
        if (PROJECT.phase() < Phase.Completed && seed % 4 == 0) vm.warp(block.timestamp + seed % 60);
    }

    function withdraw(uint256 seed) external watched {
        address who = seed % 9 < 6 ? trainer(seed) : seed % 9 == 6 ? OWNER : seed % 9 == 7 ? AGGREGATOR : STRANGER;
        uint256 owed = PROJECT.owed(who);
        if (owed == 0) return;
        uint256 before = who.balance;
        vm.prank(who);
        PROJECT.withdraw(payable(who));
        require(who.balance == before + owed, "paid another sum than owed");
        received[who] += owed;
    }
}

contract ProjectInvariantTest is Market {
    Handler private handler;

    function setUp() public override {
        super.setUp();
        Terms memory t = defaultTerms();
        (t.maxTrainers, t.rounds, t.maxVoids, t.registrationPeriod) = (6, 2, 3, 400);
        project = create(t);
        handler = new Handler(project);
        targetContract(address(handler));
    }

    /// @dev The balance is the escrow, all that is owed, the stakes and the bond, to the wei.
    function invariant_balanceIsEscrowAndOwedAndHeld() public view {
        uint256 sum = project.escrow() + project.owed(OWNER) + project.owed(AGGREGATOR) + project.owed(STRANGER);
        for (uint256 i; i < 6; ++i) {
            sum += project.owed(trainer(i));
        }
        if (project.phase() < Phase.Completed) {
            sum += project.trainers().length * STAKE;
            if (project.bondPlaced()) sum += BOND;
        }
        assertEq(address(project).balance, sum);
    }

    /// @dev Everybody but the owner has or can have exactly what the rules give, not a wei more or less.
    function invariant_nobodyIsPaidTwiceOrShort() public view {
        for (uint256 i; i < 6; ++i) {
            _check(trainer(i));
        }
        _check(AGGREGATOR);
        _check(STRANGER);
    }

    function _check(address who) private view {
        assertEq(handler.received(who) + project.owed(who), handler.entitled(who));
    }

    function invariant_phasesGoForward() public view {
        assertFalse(handler.wentBack());
    }

    function invariant_ownerGetsNothingBeforeTheEnd() public view {
        if (project.phase() < Phase.Completed) assertEq(project.owed(OWNER), 0);
        else assertEq(project.escrow(), 0);
    }

    function invariant_roundsAreNumberedBySettledAndVoid() public view {
        uint256 closed = project.settledRounds() + project.voidRounds();
        bool running = project.phase() != Phase.Registration && project.phase() < Phase.Completed;
        assertEq(project.round(), running ? closed + 1 : closed);
    }
}
