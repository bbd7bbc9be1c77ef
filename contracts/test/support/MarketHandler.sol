// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RangeProof} from "../../src/interfaces/IRangeVerifier.sol";
import {IProject, Phase} from "../../src/interfaces/IProject.sol";
import {RoundProof} from "../../src/interfaces/IRoundVerifier.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";
import {Project} from "./Deployed.sol";
import {MarketBooks} from "./MarketBooks.sol";
import {Slot} from "./Points.sol";
import {HostileToken} from "./Tokens.sol";

/// @dev Actions of everyone in any order: trainers (one reenters), an owner who trains, too, an aggregator, a stranger,
/// and a token contract that turns malicious. Actions that the rules allow must succeed, attacks must not. Every action
/// has an effect in nearly every phase, so that a run of a hundred is the life of a project and not a series of
/// refusals.
contract MarketHandler is MarketBooks {
    bytes32 private constant SALT = "salt";

    /// @dev Counts of events: a run without any would satisfy every invariant.
    enum Seen {
        Left,
        Settled,
        SettledByAStranger,
        Voided,
        NotRevealed,
        Slashed,
        SlashedInAVoidRound,
        InactiveWithoutASlash,
        Penalised,
        FeeEarned,
        FeeOfAPublisher,
        BondDivided,
        Completed,
        WoundUp,
        PaidWhileRunning,
        TokenRefused
    }

    mapping(Seen => uint256) public seen;

    /* OPEN ROUND */
    uint256[] private _count; // attestations of each slot
    uint256 private _attesters;
    uint256 private _withheld; // slots whose bytes nobody else gets
    mapping(uint256 round => mapping(address => uint256)) private _votes;
    address[] private _publishers;
    uint256 private _claimAttested;
    uint256 private _closingVoted;
    uint256 private _points;

    constructor(Project project) MarketBooks(project) {}

    /* ACTIONS */

    /// @notice Some trainers do their part of this phase.
    function trainersAct(uint256 seed, uint256 crowd) external watched {
        _play(seed, crowd % TRAINERS + 1);
    }

    /// @notice Everyone does, for up to three phases.
    function roundGoesOn(uint256 seed) external watched {
        for (uint256 i; i <= seed % 3; ++i) {
            _play(uint256(keccak256(abi.encode(seed, i))), TRAINERS);
        }
    }

    function trainerLeaves(uint256 seed) external watched {
        address who = trainer(seed);
        // Not always, or no project would make progress.
        if (seed / 8 % 8 != 0 || PROJECT.phase() > Phase.Aggregate || !PROJECT.isTrainer(who)) return;
        if (PROJECT.slotOf(PROJECT.round(), who) != 0) return;
        entitled[who] += stakeOf[who];
        stakeOf[who] = 0;
        vm.prank(who);
        PROJECT.leave();
        ++seen[Seen.Left];
    }

    function aggregatorActs(uint256 seed) external watched {
        if (PROJECT.phase() == Phase.Registration) _placeBond();
        else _settle(seed);
    }

    /// @notice A stranger or a trainer publishes the model, settles if anyone may, or advances a project whose deadline
    /// has passed.
    function anybodyActs(uint256 seed) external watched {
        if (seed % 2 == 0) _publish(seed / 6);
        if (seed % 3 == 0) _settleLate(seed / 6);
        if (seed % 3 == 1) _advance(seed / 6);
    }

    function somebodyCollects(uint256 seed) external watched {
        bool running = PROJECT.phase() < Phase.Completed;
        if (_collect(account(seed)) != 0 && running) ++seen[Seen.PaidWhileRunning];
    }

    function timePasses(uint256 seed) external watched {
        if (PROJECT.phase() < Phase.Completed && seed % 2 == 0) vm.warp(block.timestamp + seed % 20);
    }

    /// @notice Money arrives without a function call; it belongs to nobody.
    function somebodyForcesMoneyIn(uint256 seed) external watched {
        uint256 amount = seed % 1 ether;
        forced += amount;
        if (address(TOKEN) == address(0)) vm.deal(address(PROJECT), address(PROJECT).balance + amount);
        else TOKEN.mint(address(PROJECT), amount);
    }

    /* MOVES BY PHASE */

    function _open(Phase phase) private view returns (bool) {
        return PROJECT.phase() == phase && block.timestamp < PROJECT.deadline();
    }

    function _play(uint256 seed, uint256 crowd) private {
        Phase phase = PROJECT.phase();
        if (phase == Phase.Registration && seed % 2 == 0) _placeBond();
        if (phase == Phase.Aggregate) return _settle(seed);
        if (phase >= Phase.Completed) return;
        for (uint256 i; i < crowd && _open(phase); ++i) {
            address who = trainer(seed % TRAINERS + i);
            uint256 own = uint256(keccak256(abi.encode(seed, i)));
            if (phase == Phase.Registration) _join(who);
            else if (phase == Phase.Commit) _commit(who);
            else if (phase == Phase.Reveal) _reveal(who);
            else if (phase == Phase.Attest) _attest(who, own);
            else _attestModel(who, own);
        }
    }

    function _give(address who, uint256 amount) private returns (uint256 value) {
        if (address(TOKEN) == address(0)) {
            vm.deal(who, who.balance + amount);
            return amount;
        }
        TOKEN.mint(who, amount);
        vm.prank(who);
        TOKEN.approve(address(PROJECT), amount);
    }

    function _join(address who) private {
        if (PROJECT.isTrainer(who)) return;
        uint256 value = _give(who, _t.stake);
        taken += _t.stake;
        stakeOf[who] = _t.stake;
        vm.prank(who);
        PROJECT.join{value: value}();
    }

    function _placeBond() private {
        if (!_open(Phase.Registration) || bondHeld) return;
        uint256 value = _give(AGGREGATOR, _t.bond);
        taken += _t.bond;
        bondHeld = true;
        vm.prank(AGGREGATOR);
        PROJECT.placeBond{value: value}();
    }

    function _commit(address who) private {
        uint256 round = PROJECT.round();
        if (!PROJECT.isTrainer(who) || PROJECT.slotOf(round, who) != 0) return;
        uint256[2] memory p;
        (p[0], p[1]) = Bn254.mul(1, 2, 100 + ++_points);
        (uint256 committed,,,,) = PROJECT.roundState(round);
        if (committed == 0) delete _slots;
        _slots.push(Slot(who, p[0], p[1]));
        RangeProof memory none;
        vm.prank(who);
        PROJECT.commitUpdate(round, p, keccak256(abi.encode(bytes32("cid"), who, SALT)), none);
    }

    function _reveal(address who) private {
        uint256 round = PROJECT.round();
        uint256 slot = PROJECT.slotOf(round, who);
        (, uint256 revealed,,,) = PROJECT.roundState(round);
        if (slot == 0 || revealed >> (slot - 1) & 1 == 1) return;
        vm.prank(who);
        PROJECT.revealUpdate(round, "cid", SALT);
        _resetIfAttest();
    }

    function _resetIfAttest() private {
        if (PROJECT.phase() != Phase.Attest) return;
        delete _count;
        for (uint256 i; i < _slots.length; ++i) {
            _count.push(0);
        }
        _attesters = 0;
        uint256 random = uint256(keccak256(abi.encode(PROJECT.round(), _points)));
        _withheld = random % 2 == 0 ? 0 : (random >> 8) & (random >> 16);
    }

    /// @dev Usually honest; one in six attests anything.
    function _attest(address who, uint256 seed) private {
        uint256 round = PROJECT.round();
        uint256 slot = PROJECT.slotOf(round, who);
        if (slot == 0) return;
        (, uint256 revealed, uint256 attested,,) = PROJECT.roundState(round);
        if ((revealed & ~attested) >> (slot - 1) & 1 == 0) return;
        uint256 mask = (seed % 6 == 0 ? revealed & (seed >> 8) : revealed & ~_withheld) | 1 << (slot - 1);
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

    /// @dev Counts a vote for a source; more than half of `voters` decide.
    function _named(uint256 round, address source, uint256 voters) private {
        if (2 * ++_votes[round][source] <= voters) return;
        entitled[source] += _t.roundFee;
        promised += _t.roundFee;
        ++seen[source == claimPayee ? Seen.FeeEarned : Seen.FeeOfAPublisher];
        if (source != claimPayee && claimPayee == AGGREGATOR && bondHeld) {
            bondHeld = false;
            burnt += _t.bond;
        }
        claimRound = 0;
    }

    function _attestEnded(uint256 round, uint256 revealed) private {
        uint256 active;
        uint256 against;
        for (uint256 i; i < _slots.length; ++i) {
            if (revealed >> i & 1 == 0) continue;
            if (2 * _count[i] > _bits(revealed)) active |= 1 << i;
            if (2 * (_attesters - _count[i]) > _bits(revealed)) against |= 1 << i;
        }
        (,,, uint256 set,) = PROJECT.roundState(round);
        if (set != active) wrongActive = true;
        bool isVoid = _bits(active) < _t.minActive;
        if (!isVoid || 2 * _bits(against) < _bits(revealed)) {
            if (against != 0) ++seen[isVoid ? Seen.SlashedInAVoidRound : Seen.Slashed];
            burnt += _lose(against);
        }
        if (isVoid) {
            ++seen[Seen.Voided];
            return;
        }
        if (revealed & ~active & ~against != 0) ++seen[Seen.InactiveWithoutASlash];
        claimRound = 0; // the fee returns to the escrow if nobody earned it
    }

    function _lose(uint256 mask) private returns (uint256 lost) {
        for (uint256 i; i < _slots.length; ++i) {
            if (mask >> i & 1 == 0) continue;
            lost += stakeOf[_slots[i].trainer];
            stakeOf[_slots[i].trainer] = 0;
        }
    }

    function _publish(uint256 seed) private {
        address who = seed % 8 == 0 ? STRANGER : trainer(seed);
        if (claimRound == 0 || who == claimPayee) return;
        if (!_open(Phase.Commit) && !_open(Phase.Reveal) && !_open(Phase.Closing)) return;
        for (uint256 i; i < _publishers.length; ++i) {
            if (_publishers[i] == who) return;
        }
        _publishers.push(who);
        vm.prank(who);
        PROJECT.publishModel("rescued");
    }

    function _attestModel(address who, uint256 seed) private {
        uint256 slot = PROJECT.slotOf(claimRound, who);
        if (slot == 0 || (_claimAttested & ~_closingVoted) >> (slot - 1) & 1 == 0) return;
        _closingVoted |= 1 << (slot - 1);
        address source = _source(seed / 5 * 5 + 1 + seed % 4);
        _named(type(uint256).max, source, _bits(_claimAttested));
        vm.prank(who);
        PROJECT.attestModel(source);
    }

    /// @dev Shares that sum to at most one, for some of the active slots; the others are outliers.
    function _settle(uint256 seed) private {
        if (PROJECT.phase() != Phase.Aggregate) return;
        uint256 deadline = PROJECT.deadline();
        if (block.timestamp >= deadline + _t.aggregatePeriod) return;
        uint256 round = PROJECT.round();
        (,, uint256 attested, uint256 active,) = PROJECT.roundState(round);
        bool free = !bondHeld || block.timestamp >= deadline;
        address payee = free && seed % 2 == 1 ? STRANGER : AGGREGATOR;
        RoundProof memory p = _nothing();
        p.coherence = seed % 65537;
        uint256 left = 65536;
        for (uint256 i; i < _slots.length; ++i) {
            if (active >> i & 1 == 0) continue;
            address who = _slots[i].trainer;
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            if (random % 3 == 0) {
                _drop(who);
                continue;
            }
            p.keptMask |= 1 << i;
            // One in four gets all the rest, so that whole rewards are paid, too.
            uint256 share = random % 4 == 0 ? left : random % (left + 1);
            left -= share;
            p.shares[0] |= share << (17 * i);
            if (attested >> i & 1 == 1) _earns(round, who, share);
        }
        (claimRound, claimPayee, _claimAttested) = (round, payee, attested);
        delete _publishers;
        address[] memory dropped = _outliers(round, p.keptMask);
        vm.prank(payee);
        PROJECT.settle(round, payee, "model", _commitments(), dropped, p);
        _sharesAreKept(round, active);
        ++seen[payee == STRANGER ? Seen.SettledByAStranger : Seen.Settled];
    }

    function _settlement(
        uint256 round,
        address payee,
        uint256[2][] memory points,
        address[] memory dropped,
        RoundProof memory p
    ) private pure returns (bytes memory) {
        return abi.encodeCall(IProject.settle, (round, payee, "model", points, dropped, p));
    }

    function _commitments() private view returns (uint256[2][] memory points) {
        points = new uint256[2][](_slots.length);
        for (uint256 i; i < points.length; ++i) {
            points[i] = [_slots[i].x, _slots[i].y];
        }
    }

    /// @dev The outliers that count if these slots are kept.
    function _outliers(uint256 round, uint256 kept) private view returns (address[] memory dropped) {
        (,,, uint256 active,) = PROJECT.roundState(round);
        uint256 mask = _t.outlierPenalty == 0 ? 0 : active & ~kept;
        dropped = new address[](_bits(mask));
        uint256 cursor;
        for (uint256 i; i < _slots.length; ++i) {
            if (mask >> i & 1 == 1) dropped[cursor++] = _slots[i].trainer;
        }
    }

    /// @dev The stranger for an odd seed.
    function _settleLate(uint256 seed) private {
        if (PROJECT.phase() != Phase.Aggregate) return;
        if (block.timestamp < PROJECT.deadline()) vm.warp(PROJECT.deadline());
        _settle(seed | 1);
    }

    function _nothing() private pure returns (RoundProof memory p) {
        p.shares = new uint256[](1);
        p.weights = new uint256[](1);
        p.model = [uint256(1), 2];
    }

    function _drop(address who) private {
        if (++droppedOf[who] <= _t.outlierRounds || penalised[who]) return;
        penalised[who] = true;
        stakeOf[who] -= _t.outlierPenalty;
        burnt += _t.outlierPenalty;
        ++seen[Seen.Penalised];
    }

    function _advance(uint256 seed) private {
        Phase phase = PROJECT.phase();
        if (phase >= Phase.Completed) return;
        // Rarely before there are enough trainers, and not always later: a project that ends at once tests little.
        if (seed % 8 > (phase == Phase.Registration ? 0 : 3)) return;
        uint256 end = PROJECT.deadline() + (phase == Phase.Aggregate ? _t.aggregatePeriod : 0);
        if (block.timestamp < end) vm.warp(end + seed % 7);
        uint256 round = PROJECT.round();
        uint256 voids = PROJECT.voidRounds();
        (uint256 committed, uint256 revealed,, uint256 active,) = PROJECT.roundState(round);
        uint256 missing = (1 << committed) - 1 & ~revealed;
        if (phase == Phase.Reveal && missing != 0) ++seen[Seen.NotRevealed];
        if (phase == Phase.Reveal) _divide(_lose(missing), revealed, true);
        if (phase == Phase.Closing) claimRound = 0;
        if (phase == Phase.Aggregate && bondHeld) {
            bondHeld = false;
            ++seen[Seen.BondDivided];
            _divide(_t.bond, active, false);
        }
        vm.prank(STRANGER);
        PROJECT.advance();
        if (phase == Phase.Reveal) _resetIfAttest();
        if (phase == Phase.Attest) _attestEnded(round, revealed);
        else seen[Seen.Voided] += PROJECT.voidRounds() - voids;
    }

    function _closeTheBooks() internal override {
        super._closeTheBooks();
        ++seen[PROJECT.phase() == Phase.Completed ? Seen.Completed : Seen.WoundUp];
    }

    /* ATTACKS, at any time */

    function trainerAttacks(uint256 seed) external watched {
        address who = trainer(seed);
        uint256 round = PROJECT.round();
        RangeProof memory rangeProof;
        uint256 kind = seed / 8 % 6;
        if (kind == 0) {
            // Leaving with the stake while an update is committed.
            if (PROJECT.slotOf(round, who) == 0 && PROJECT.phase() < Phase.Closing) return;
            _mustFail(who, abi.encodeCall(IProject.leave, ()));
        } else if (kind == 1) {
            if (PROJECT.owed(who) == 0) _mustFail(who, abi.encodeCall(IProject.withdraw, (payable(who))));
        } else if (kind == 2) {
            // Another trainer's commitment, or its own a second time.
            if (_slots.length == 0) return;
            Slot memory taken_ = _slots[seed / 48 % _slots.length];
            _mustFail(who, abi.encodeCall(IProject.commitUpdate, (round, [taken_.x, taken_.y], 0, rangeProof)));
        } else if (kind == 3) {
            // Another trainer's slot alone, or a slot that does not exist.
            uint256 slot = PROJECT.slotOf(round, who);
            uint256 mask = slot == 0 ? 1 : type(uint256).max ^ 1 << (slot - 1);
            _mustFail(who, abi.encodeCall(IProject.attest, (round, mask, address(0))));
        } else if (kind == 4) {
            // Another trainer's seal.
            _mustFail(who, abi.encodeCall(IProject.revealUpdate, (round, "cid", "another salt")));
        } else {
            // A seat in another name. The thief accepts any signature, so for its name this would not be an attack.
            if (who == address(THIEF)) return;
            _mustFail(who, abi.encodeCall(IProject.joinFor, (who, type(uint256).max, "")));
        }
    }

    function ownerAttacks(uint256 seed) external watched {
        uint256 kind = seed % 5;
        if (kind == 4) {
            // In the aggregator's name, at any time: it names a file for which the aggregator's bond answers.
            uint256 id = PROJECT.round();
            _mustFail(OWNER, _settlement(id, AGGREGATOR, _commitments(), _outliers(id, 0), _nothing()));
        } else if (kind == 0) {
            if (PROJECT.phase() < Phase.Completed && block.timestamp >= PROJECT.deadline()) return;
            _mustFail(OWNER, abi.encodeCall(IProject.advance, ()));
        } else if (kind == 1) {
            _mustFail(OWNER, abi.encodeWithSignature("initialize()"));
        } else if (kind == 2) {
            if (PROJECT.owed(OWNER) == 0) _mustFail(OWNER, abi.encodeCall(IProject.withdraw, (payable(OWNER))));
        } else {
            // Settling while only the aggregator may.
            if (!bondHeld || block.timestamp >= PROJECT.deadline()) return;
            uint256 round = PROJECT.round();
            _mustFail(OWNER, _settlement(round, OWNER, _commitments(), _outliers(round, 0), _nothing()));
        }
    }

    function aggregatorAttacks(uint256 seed) external watched {
        uint256 round = PROJECT.round();
        uint256 kind = seed % 5;
        RoundProof memory p = _nothing();
        if (kind == 0) {
            // Shares that sum to more than one: refused even if the proof is accepted.
            p.shares[0] = 65536 | uint256(1) << 17 << 17 * (seed / 5 % 2);
            (uint256 committed,,,,) = PROJECT.roundState(round);
            if (PROJECT.phase() == Phase.Aggregate && committed <= 1 + seed / 5 % 2) return;
            _mustFail(AGGREGATOR, _settlement(round, AGGREGATOR, _commitments(), _outliers(round, 0), p));
        } else if (kind == 1) {
            // A round that is over.
            if (round == 0) return;
            _mustFail(AGGREGATOR, _settlement(round - 1, AGGREGATOR, _commitments(), _outliers(round, 0), p));
        } else if (kind == 2) {
            // One commitment left out.
            if (_slots.length == 0) return;
            uint256[2][] memory fewer = _commitments();
            assembly ("memory-safe") {
                mstore(fewer, sub(mload(fewer), 1))
            }
            _mustFail(AGGREGATOR, _settlement(round, AGGREGATOR, fewer, _outliers(round, 0), p));
        } else if (kind == 3) {
            // A wrong outlier.
            if (_t.outlierPenalty == 0) return;
            address[] memory others = _outliers(round, 0);
            if (others.length == 0) return;
            others[seed / 5 % others.length] = AGGREGATOR;
            _mustFail(AGGREGATOR, _settlement(round, AGGREGATOR, _commitments(), others, p));
        } else {
            // The bond, or money withdrawn before, a second time.
            if (PROJECT.owed(AGGREGATOR) != 0) return;
            _mustFail(AGGREGATOR, abi.encodeCall(IProject.withdraw, (payable(AGGREGATOR))));
        }
    }

    function _mustFail(address who, bytes memory call_) private {
        vm.prank(who);
        (bool done,) = address(PROJECT).call(call_);
        if (done) attackSucceeded = true;
    }

    /// @notice The token reverts, returns false, keeps a unit or takes too much: the payment is refused and nothing
    /// changes.
    function tokenTurnsBad(uint256 seed) external watched {
        if (address(TOKEN) == address(0)) return;
        TOKEN.set(HostileToken.Mode(1 + seed / 8 % 4));
        address who = account(seed);
        Phase phase = PROJECT.phase();
        if (phase == Phase.Registration && _open(phase) && !PROJECT.isTrainer(who)) {
            _give(who, _t.stake);
            _mustFail(who, abi.encodeCall(IProject.join, ()));
            ++seen[Seen.TokenRefused];
        }
        // A transfer out can fail only by reverting or returning false; what the token takes from the receiver
        // afterwards does not concern the project.
        if (seed / 8 % 4 < 2 && PROJECT.owed(who) != 0) {
            _mustFail(who, abi.encodeCall(IProject.withdraw, (payable(who))));
            ++seen[Seen.TokenRefused];
        }
        TOKEN.set(HostileToken.Mode.Honest);
        if (who == address(THIEF)) return;
        vm.prank(who);
        TOKEN.approve(address(PROJECT), 0);
    }

    function _bits(uint256 mask) private pure returns (uint256 n) {
        for (; mask != 0; mask &= mask - 1) {
            ++n;
        }
    }
}
