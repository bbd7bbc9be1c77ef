// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Project} from "../../src/Project.sol";
import {FormProof} from "../../src/interfaces/IFormVerifier.sol";
import {IProject, Phase, Slot, Terms} from "../../src/interfaces/IProject.sol";
import {RoundProof} from "../../src/interfaces/IRoundVerifier.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";
import {Vm} from "./MiniTest.sol";
import {HookToken, ITokenHook} from "./Tokens.sol";

/// @dev A trainer that tries to take, and to be paid, twice whenever ether or a token reaches or leaves it. None of it may succeed.
contract Mischief is ITokenHook {
    Project private _project;
    uint256 public successes;

    function begin(Project project, HookToken token) external {
        _project = project;
        if (address(token) != address(0)) token.hook();
    }

    receive() external payable {
        _try();
    }

    function tokensMoved(address from, address to, uint256) external {
        if (from == address(_project) || to == address(_project)) _try();
    }

    function _try() private {
        bytes[5] memory calls = [
            abi.encodeCall(IProject.withdraw, (payable(address(this)))),
            abi.encodeCall(IProject.leave, ()),
            abi.encodeCall(IProject.advance, ()),
            abi.encodeCall(IProject.publishModel, ("cid")),
            abi.encodeCall(IProject.attestModel, (address(this)))
        ];
        for (uint256 i; i < 5; ++i) {
            (bool done,) = address(_project).call(calls[i]);
            if (done) ++successes;
        }
    }
}

/// @dev Everybody at once, in any order: what the rules allow at that moment must succeed, what `attack` tries must not. It keeps books of its own of what
/// everybody is entitled to, by the rules in words and not by the contract's code.
contract MarketHandler {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bytes32 private constant SALT = "salt";
    uint256 public constant TRAINERS = 6;
    address public constant STRANGER = address(0xDEAD);

    Project public immutable PROJECT;
    HookToken public immutable TOKEN;
    address public immutable OWNER;
    address public immutable AGGREGATOR;
    Mischief public immutable MISCHIEF;
    Terms private _t;

    // --- the books
    mapping(address => uint256) public entitled;
    mapping(address => uint256) public received;
    mapping(address => uint256) public stakeOf;
    mapping(address => uint256) public droppedOf;
    mapping(address => bool) public penalised;
    mapping(uint256 round => mapping(address => uint256)) public paidIn;
    uint256 public taken; // all that has come in
    bool public bondHeld;
    uint256 public claimRound;
    address public claimPayee;

    // --- what must never happen
    uint256 public furthest;
    bool public wentBack;
    bool public attackSucceeded;
    bool public paidTwice;
    bool public wrongActive;

    // --- the open round
    Slot[] private _slots;
    uint256[] private _count; // attestations of each slot
    uint256 private _attesters;
    mapping(uint256 round => mapping(address => uint256)) private _votes;
    address[] private _publishers;
    uint256 private _claimAttested;
    uint256 private _closingVoted;
    bool private _ended;
    uint256 private _points;

    constructor(Project project) {
        PROJECT = project;
        _t = project.terms();
        (OWNER, AGGREGATOR, TOKEN) = (_t.owner, _t.aggregator, HookToken(_t.token));
        MISCHIEF = new Mischief();
        MISCHIEF.begin(project, HookToken(_t.token));
        taken = uint256(_t.rounds) * (uint256(_t.roundReward) + _t.roundFee);
    }

    /// @dev Four plain ones, one that reenters, and the owner, who may train like anybody.
    function trainer(uint256 i) public view returns (address) {
        i %= TRAINERS;
        if (i == 4) return address(MISCHIEF);
        if (i == 5) return OWNER;
        return address(uint160(0x1000 + i));
    }

    function balanceOf(address who) public view returns (uint256) {
        return address(TOKEN) == address(0) ? who.balance : TOKEN.balanceOf(who);
    }

    function give(address who, uint256 amount) private returns (uint256 value) {
        taken += amount;
        if (address(TOKEN) == address(0)) {
            vm.deal(who, who.balance + amount);
            return amount;
        }
        TOKEN.mint(who, amount);
        vm.prank(who);
        TOKEN.approve(address(PROJECT), amount);
    }

    /// @dev After every action: phases of a round go forward, rounds go up, an end is the end.
    modifier watched() {
        _;
        Phase phase = PROJECT.phase();
        uint256 now_ = phase == Phase.Registration ? 0 : PROJECT.round() * 8 + uint256(phase);
        if (phase >= Phase.Closing) now_ = type(uint256).max - 8 + uint256(phase);
        if (now_ < furthest) wentBack = true;
        furthest = now_;
        if (phase < Phase.Completed || _ended) return;
        _ended = true;
        for (uint256 i; i < TRAINERS; ++i) {
            entitled[trainer(i)] += stakeOf[trainer(i)];
        }
        if (bondHeld) entitled[AGGREGATOR] += _t.bond;
        bondHeld = false;
    }

    function open(Phase phase) private view returns (bool) {
        return PROJECT.phase() == phase && block.timestamp < PROJECT.deadline();
    }

    // --- registration

    function join(uint256 seed, uint256 crowd) external watched {
        for (uint256 i; i <= crowd % TRAINERS; ++i) {
            address who = trainer(seed % TRAINERS + i);
            if (!open(Phase.Registration) || PROJECT.isTrainer(who)) continue;
            uint256 value = give(who, _t.stake);
            stakeOf[who] = _t.stake;
            vm.prank(who);
            PROJECT.join{value: value}();
        }
    }

    function leave(uint256 seed) external watched {
        address who = trainer(seed);
        // Seldom, or no project would ever get anywhere.
        if (seed / 8 % 6 != 0 || PROJECT.phase() > Phase.Aggregate || !PROJECT.isTrainer(who)) return;
        if (PROJECT.slotOf(PROJECT.round(), who) != 0) return;
        entitled[who] += stakeOf[who];
        stakeOf[who] = 0;
        vm.prank(who);
        PROJECT.leave();
    }

    function placeBond() external watched {
        if (!open(Phase.Registration) || bondHeld) return;
        uint256 value = give(AGGREGATOR, _t.bond);
        bondHeld = true;
        vm.prank(AGGREGATOR);
        PROJECT.placeBond{value: value}();
    }

    // --- rounds

    function commit(uint256 seed, uint256 crowd) external watched {
        for (uint256 i; i <= crowd % TRAINERS; ++i) {
            _commit(trainer(seed % TRAINERS + i));
        }
    }

    function _commit(address who) private {
        uint256 round = PROJECT.round();
        if (!open(Phase.Commit) || !PROJECT.isTrainer(who) || PROJECT.slotOf(round, who) != 0) return;
        uint256[2] memory p;
        (p[0], p[1]) = Bn254.mul(1, 2, 100 + ++_points);
        (uint256 committed,,,,) = PROJECT.roundState(round);
        if (committed == 0) delete _slots;
        _slots.push(Slot(who, p[0], p[1]));
        FormProof memory none;
        vm.prank(who);
        PROJECT.commitUpdate(round, p, keccak256(abi.encode(bytes32("cid"), who, SALT)), none);
    }

    function reveal(uint256 seed, uint256 crowd) external watched {
        for (uint256 i; i <= crowd % TRAINERS; ++i) {
            address who = trainer(seed % TRAINERS + i);
            uint256 round = PROJECT.round();
            uint256 slot = PROJECT.slotOf(round, who);
            if (!open(Phase.Reveal) || slot == 0 || _revealed() >> (slot - 1) & 1 == 1) continue;
            vm.prank(who);
            PROJECT.revealUpdate(round, "cid", SALT);
            _resetIfAttest();
        }
    }

    function _revealed() private view returns (uint256 revealed) {
        (, revealed,,,) = PROJECT.roundState(PROJECT.round());
    }

    function _resetIfAttest() private {
        if (PROJECT.phase() != Phase.Attest) return;
        delete _count;
        for (uint256 i; i < _slots.length; ++i) {
            _count.push(0);
        }
        _attesters = 0;
    }

    /// @dev Mostly honest; one in four says anything.
    function attest(uint256 seed, uint256 crowd) external watched {
        for (uint256 i; i <= crowd % TRAINERS; ++i) {
            _attest(trainer(seed % TRAINERS + i), uint256(keccak256(abi.encode(seed, i))));
        }
    }

    function _attest(address who, uint256 seed) private {
        uint256 round = PROJECT.round();
        uint256 slot = PROJECT.slotOf(round, who);
        if (!open(Phase.Attest) || slot == 0) return;
        (, uint256 revealed, uint256 attested,,) = PROJECT.roundState(round);
        if ((revealed & ~attested) >> (slot - 1) & 1 == 0) return;
        uint256 mask = seed % 4 == 0 ? revealed & (seed >> 8) | 1 << (slot - 1) : revealed;
        address source = _source(seed >> 100);
        for (uint256 i; i < _slots.length; ++i) {
            _count[i] += mask >> i & 1;
        }
        ++_attesters;
        if (source != address(0)) _named(round, source, _bits(revealed));
        vm.prank(who);
        PROJECT.attest(round, mask, source);
        if (_attesters == _bits(revealed)) _attestEnded(round, revealed);
    }

    function _source(uint256 seed) private view returns (address) {
        if (claimRound == 0 || seed % 5 == 0) return address(0);
        if (_publishers.length == 0 || seed % 5 < 3) return claimPayee;
        return _publishers[seed / 5 % _publishers.length];
    }

    /// @dev One more names a source; more than half of `voters` decide.
    function _named(uint256 round, address source, uint256 voters) private {
        if (2 * ++_votes[round][source] <= voters) return;
        entitled[source] += _t.roundFee;
        if (source != claimPayee && claimPayee == AGGREGATOR) bondHeld = false;
        claimRound = 0;
    }

    function _attestEnded(uint256 round, uint256 revealed) private {
        uint256 active;
        for (uint256 i; i < _slots.length; ++i) {
            if (2 * _count[i] > _bits(revealed)) active |= 1 << i;
        }
        (,,, uint256 set,) = PROJECT.roundState(round);
        if (set != active) wrongActive = true;
        if (_bits(active) < _t.minActive) return;
        _lose(revealed & ~active);
        claimRound = 0; // the fee goes back where nobody got it
    }

    function _lose(uint256 mask) private {
        for (uint256 i; i < _slots.length; ++i) {
            if (mask >> i & 1 == 1) stakeOf[_slots[i].trainer] = 0;
        }
    }

    function publishModel(uint256 seed) external watched {
        address who = seed % 8 == 0 ? STRANGER : trainer(seed);
        if (claimRound == 0 || who == claimPayee) return;
        if (!open(Phase.Commit) && !open(Phase.Reveal) && !open(Phase.Closing)) return;
        for (uint256 i; i < _publishers.length; ++i) {
            if (_publishers[i] == who) return;
        }
        _publishers.push(who);
        vm.prank(who);
        PROJECT.publishModel("rescued");
    }

    function attestModel(uint256 seed, uint256 crowd) external watched {
        for (uint256 i; i <= crowd % TRAINERS && open(Phase.Closing); ++i) {
            address who = trainer(seed % TRAINERS + i);
            uint256 slot = PROJECT.slotOf(claimRound, who);
            if (slot == 0 || (_claimAttested & ~_closingVoted) >> (slot - 1) & 1 == 0) continue;
            _closingVoted |= 1 << (slot - 1);
            address source = _source(uint256(keccak256(abi.encode(seed, i))) / 5 * 5 + 1 + seed % 4);
            _named(type(uint256).max, source, _bits(_claimAttested));
            vm.prank(who);
            PROJECT.attestModel(source);
        }
    }

    function settle(uint256 seed) external watched {
        if (PROJECT.phase() != Phase.Aggregate) return;
        if (block.timestamp >= PROJECT.deadline() + _t.aggregatePeriod) return;
        uint256 round = PROJECT.round();
        (,, uint256 attested, uint256 active,) = PROJECT.roundState(round);
        bool free = !bondHeld || block.timestamp >= PROJECT.deadline();
        address payee = free && seed % 2 == 1 ? STRANGER : AGGREGATOR;
        RoundProof memory p;
        p.shares = new uint256[](1);
        p.weights = new uint256[](1);
        p.model = [uint256(1), 2];
        p.coherence = seed % 65537;
        uint256 left = 65536;
        for (uint256 i; i < _slots.length; ++i) {
            if (active >> i & 1 == 0) continue;
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            if (random % 3 == 0) {
                _drop(_slots[i].trainer);
                continue;
            }
            p.keptMask |= 1 << i;
            uint256 share = random % (left + 1);
            left -= share;
            p.shares[0] |= share << (17 * i);
            if (attested >> i & 1 == 0) continue;
            address who = _slots[i].trainer;
            entitled[who] += uint256(_t.roundReward) * share / 65536;
            if (paidIn[round][who] != 0) paidTwice = true;
            paidIn[round][who] = 1;
        }
        (claimRound, claimPayee, _claimAttested) = (round, payee, attested);
        delete _publishers;
        vm.prank(payee);
        PROJECT.settle(round, payee, "model", _slots, p);
    }

    function _drop(address who) private {
        if (++droppedOf[who] <= _t.outlierRounds || penalised[who]) return;
        penalised[who] = true;
        stakeOf[who] -= _t.outlierPenalty;
    }

    function advance(uint256 seed) external watched {
        Phase phase = PROJECT.phase();
        // Not always: a round that never gets beyond its first deadline shows little.
        if (phase >= Phase.Completed || seed % 8 > 2) return;
        uint256 end = PROJECT.deadline() + (phase == Phase.Aggregate ? _t.aggregatePeriod : 0);
        if (block.timestamp < end) vm.warp(end + seed % 7);
        uint256 round = PROJECT.round();
        (uint256 committed, uint256 revealed,, uint256 active,) = PROJECT.roundState(round);
        if (phase == Phase.Reveal) _lose((1 << committed) - 1 & ~revealed);
        if (phase == Phase.Closing) claimRound = 0;
        if (phase == Phase.Aggregate && bondHeld) {
            bondHeld = false;
            for (uint256 i; i < _slots.length; ++i) {
                if (active >> i & 1 == 1) entitled[_slots[i].trainer] += _t.bond / _bits(active);
            }
        }
        PROJECT.advance();
        if (phase == Phase.Reveal) _resetIfAttest();
        if (phase == Phase.Attest) _attestEnded(round, revealed);
    }

    function wait(uint256 seed) external watched {
        if (PROJECT.phase() < Phase.Completed && seed % 4 == 0) vm.warp(block.timestamp + seed % 20);
    }

    // --- money

    function account(uint256 i) public view returns (address) {
        i %= TRAINERS + 2;
        if (i < TRAINERS) return trainer(i);
        return i == TRAINERS ? AGGREGATOR : STRANGER;
    }

    function withdraw(uint256 seed) external watched {
        address who = account(seed);
        uint256 owed = PROJECT.owed(who);
        if (owed == 0) return;
        uint256 before = balanceOf(who);
        vm.prank(who);
        PROJECT.withdraw(payable(who));
        require(balanceOf(who) == before + owed, "paid another sum than owed");
        require(PROJECT.owed(who) == 0, "owed once more");
        received[who] += owed;
    }

    /// @dev What nobody may do, at any time.
    function attack(uint256 seed) external watched {
        uint256 round = PROJECT.round();
        Phase phase = PROJECT.phase();
        RoundProof memory p;
        FormProof memory form;
        p.shares = new uint256[](1);
        address who = trainer(seed);
        bytes memory call_;
        uint256 kind = seed / 8 % 9;
        if (kind == 0) {
            // Shares of more than there is.
            p.shares[0] = 65536 | 65536 << 17;
            (who, call_) = (AGGREGATOR, abi.encodeCall(IProject.settle, (round, AGGREGATOR, "model", _slots, p)));
        } else if (kind == 1) {
            // Another's settlement while it is the aggregator's.
            if (!bondHeld || block.timestamp >= PROJECT.deadline()) return;
            (who, call_) = (STRANGER, abi.encodeCall(IProject.settle, (round, STRANGER, "model", _slots, p)));
        } else if (kind == 2) {
            call_ = abi.encodeCall(IProject.settle, (round - (round > 0 ? 1 : 0), AGGREGATOR, "model", _slots, p));
            if (round == 0) return;
        } else if (kind == 3) {
            if (PROJECT.slotOf(round, who) == 0 && phase < Phase.Closing) return;
            call_ = abi.encodeCall(IProject.leave, ());
        } else if (kind == 4) {
            if (PROJECT.owed(who) != 0) return;
            call_ = abi.encodeCall(IProject.withdraw, (payable(who)));
        } else if (kind == 5) {
            if (phase < Phase.Completed && block.timestamp >= PROJECT.deadline()) return;
            (who, call_) = (OWNER, abi.encodeCall(IProject.advance, ()));
        } else if (kind == 6) {
            if (_slots.length == 0) return;
            call_ = abi.encodeCall(
                IProject.commitUpdate, (round, [_slots[0].x, _slots[0].y], bytes32(0), form)
            );
        } else if (kind == 7) {
            // Somebody else's slot alone, or none that there is.
            uint256 slot = PROJECT.slotOf(round, who);
            call_ = abi.encodeCall(IProject.attest, (round, slot == 0 ? 1 : type(uint256).max ^ 1 << (slot - 1), address(0)));
        } else {
            (who, call_) = (OWNER, abi.encodeWithSignature("initialize()"));
        }
        vm.prank(who);
        (bool done,) = address(PROJECT).call(call_);
        if (done) attackSucceeded = true;
    }

    function _bits(uint256 mask) private pure returns (uint256 n) {
        for (; mask != 0; mask &= mask - 1) {
            ++n;
        }
    }
}
