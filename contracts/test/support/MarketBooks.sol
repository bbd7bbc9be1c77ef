// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Phase, Terms} from "../../src/interfaces/IProject.sol";
import {Project} from "./Deployed.sol";
import {Vm} from "./MiniTest.sol";
import {Slot} from "./Points.sol";
import {Thief} from "./Thief.sol";
import {HookToken} from "./Tokens.sol";

/// @dev Books of everyone's claims, kept by the rules in words (docs/contracts.md) instead of the contract's code, and
/// the checks after every action. Each check calls each view of the project once, because an invariant run consists
/// mostly of checks.
abstract contract MarketBooks {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 public constant TRAINERS = 6;
    /// @dev All accounts: the trainers (the owner is one), the aggregator, a stranger.
    uint256 public constant ACCOUNTS = TRAINERS + 2;
    address public constant STRANGER = address(0xDEAD);

    Project public immutable PROJECT;
    /// @dev Zero if the project's currency is ether.
    HookToken public immutable TOKEN;
    address public immutable OWNER;
    address public immutable AGGREGATOR;
    Thief public immutable THIEF;
    Terms internal _t;

    /* BOOKS */
    mapping(address => uint256) public entitled;
    mapping(address => uint256) public received;
    mapping(address => uint256) public stakeOf;
    mapping(address => uint256) public droppedOf;
    mapping(address => bool) public penalised;
    mapping(uint256 round => mapping(address => bool)) private _paidIn;
    mapping(uint256 round => bytes32) private _sharesHash;
    uint256 public taken; // total received through functions
    uint256 public forced; // total received without a function call; belongs to nobody
    uint256 public burnt; // lost and nobody's
    uint256 public promised; // rewards and fees that somebody has earned
    bool public bondHeld;
    uint256 public claimRound;
    address public claimPayee;
    bool internal _ended;
    uint256 private _furthest;
    Slot[] internal _slots; // of the open round

    /* VIOLATIONS, recorded where they are observed */
    bool public wentBack;
    bool public attackSucceeded;
    bool public paidTwice;
    bool public paidTooMuch;
    bool public wrongActive;

    constructor(Project project) {
        PROJECT = project;
        _t = project.terms();
        (OWNER, AGGREGATOR, TOKEN) = (_t.owner, _t.aggregator, HookToken(_t.token));
        THIEF = new Thief();
        THIEF.begin(project, TOKEN);
        taken = uint256(_t.rounds) * (uint256(_t.roundReward) + _t.roundFee);
    }

    /// @dev Four plain trainers, one that reenters, and the owner, who may train, too.
    function trainer(uint256 i) public view returns (address) {
        i %= TRAINERS;
        if (i == 4) return address(THIEF);
        if (i == 5) return OWNER;
        return address(uint160(0x1000 + i));
    }

    function account(uint256 i) public view returns (address) {
        i %= ACCOUNTS;
        if (i < TRAINERS) return trainer(i);
        return i == TRAINERS ? AGGREGATOR : STRANGER;
    }

    function balanceOf(address who) public view returns (uint256) {
        return address(TOKEN) == address(0) ? who.balance : TOKEN.balanceOf(who);
    }

    /// @dev After every action: phases of a round only advance, rounds increase, and an end is final.
    modifier watched() {
        _;
        Phase phase = PROJECT.phase();
        uint256 place = phase == Phase.Registration ? 0 : PROJECT.round() * 8 + uint256(phase);
        if (phase >= Phase.Closing) place = type(uint256).max - 8 + uint256(phase);
        if (place < _furthest) wentBack = true;
        _furthest = place;
        if (phase >= Phase.Completed && !_ended) _closeTheBooks();
    }

    /// @dev At the end every trainer owns its stake and the aggregator its bond.
    function _closeTheBooks() internal virtual {
        _ended = true;
        for (uint256 i; i < TRAINERS; ++i) {
            entitled[trainer(i)] += stakeOf[trainer(i)];
        }
        if (bondHeld) entitled[AGGREGATOR] += _t.bond;
        bondHeld = false;
    }

    /// @dev Credits a share of a settled round to a slot that attested.
    function _earns(uint256 round, address who, uint256 share) internal {
        entitled[who] += uint256(_t.roundReward) * share / 65536;
        promised += uint256(_t.roundReward) * share / 65536;
        if (_paidIn[round][who]) paidTwice = true;
        _paidIn[round][who] = true;
    }

    /// @dev Equal parts of a loss to the trainers of the slots of `mask`, except the owner; the rest is burnt.
    function _divide(uint256 amount, uint256 mask, bool capped) internal {
        uint256 n;
        for (uint256 i; i < _slots.length; ++i) {
            n += mask >> i & 1;
        }
        uint256 rest = amount;
        for (uint256 i; i < _slots.length; ++i) {
            address who = _slots[i].trainer;
            if (mask >> i & 1 == 0 || who == OWNER) continue;
            uint256 gain = amount / n;
            if (capped && gain > stakeOf[who]) gain = stakeOf[who];
            entitled[who] += gain;
            rest -= gain;
        }
        burnt += rest;
    }

    /// @dev The stored shares of a settled round sum to at most one and belong to active slots only.
    function _sharesAreKept(uint256 round, uint256 active) internal {
        uint256[] memory words = PROJECT.sharesOf(round);
        _sharesHash[round] = keccak256(abi.encode(words));
        uint256 sum;
        for (uint256 i; i < 8; ++i) {
            uint256 share = words[0] >> (17 * i) & 0x1ffff;
            sum += share;
            if (share != 0 && active >> i & 1 == 0) paidTooMuch = true;
        }
        if (sum > 65536 || words.length != 1 || words[0] >> (17 * 8) != 0) paidTooMuch = true;
    }

    /* AFTER EVERY ACTION */

    /// @notice Reverts with the property that does not hold.
    function check() external view {
        Phase phase = PROJECT.phase();
        bool ended = phase >= Phase.Completed;
        uint256 escrow = PROJECT.escrow();
        bool bond = PROJECT.bondPlaced();
        (, , uint256 fee) = PROJECT.openModel();
        (uint256 claims, uint256 out) = _accounts(ended);
        uint256 stakes = _stakes(ended);
        // The balance equals escrow, held fee, claims, stakes and bond, and also the money received minus the money
        // paid; forced money aside, to the unit.
        uint256 sum = escrow + fee + claims + stakes + (bond ? _t.bond : 0) + burnt;
        uint256 balance = balanceOf(address(PROJECT)) - forced;
        require(claims <= balance, "claims are covered by the balance");
        require(balance == sum, "the balance is all that the rules count");
        require(sum + out == taken, "deposited = held + paid");
        require(!ended || escrow + fee == 0, "nothing is left in escrow at the end");
        require(ended || bond == bondHeld, "the bond is held or lost as the rules say");
        require(PROJECT.burnt() == burnt, "what is lost and divided among nobody is burnt");
        uint256 deposit = uint256(_t.rounds) * (uint256(_t.roundReward) + _t.roundFee);
        require(ended || escrow + fee == deposit - promised, "nothing that is lost enters the escrow");
        require(!wentBack, "states go forward only");
        require(!attackSucceeded, "no attack succeeds");
        require(!paidTwice, "no address is paid twice for a round");
        require(!paidTooMuch, "shares are of one at most, and of active slots");
        require(!wrongActive, "active slots are the majority's");
        require(THIEF.successes() == 0, "nobody reenters");
        uint256 closed = PROJECT.settledRounds() + PROJECT.voidRounds();
        bool running = phase != Phase.Registration && phase < Phase.Closing;
        require(PROJECT.round() == (running ? closed + 1 : closed), "rounds are numbered by settled and void");
    }

    /// @dev Everyone has exactly its entitlement, paid or withdrawable. From the end on the owner also has what nobody
    /// earned of its deposit: not a unit more because somebody lost a stake, a penalty or the bond.
    function _accounts(bool ended) private view returns (uint256 claims, uint256 out) {
        for (uint256 i; i < ACCOUNTS; ++i) {
            address who = account(i);
            uint256 owed = PROJECT.owed(who);
            uint256 has = received[who];
            claims += owed;
            out += has;
            has += owed;
            uint256 due = entitled[who];
            if (who == OWNER && ended) {
                due += uint256(_t.rounds) * (uint256(_t.roundReward) + _t.roundFee) - promised;
            }
            require(has == due, "everybody has what the rules give");
        }
    }

    function _stakes(bool ended) private view returns (uint256 held) {
        for (uint256 i; i < TRAINERS; ++i) {
            address who = trainer(i);
            (uint256 stake, uint256 dropped, bool once) = PROJECT.trainerState(who);
            require(stake == stakeOf[who] || (ended && stake == 0), "stakes are held or lost as the rules say");
            require(dropped == droppedOf[who] && once == penalised[who], "outliers are counted");
            // At the end `owed` includes them.
            if (!ended) held += stake;
        }
    }

    /* AFTER A RUN */

    /// @notice From any state a stranger alone ends the project by waiting and calling `advance`. Then everyone
    /// withdraws everything: nobody is stuck, and only forced money remains.
    function everybodyGetsOut() external {
        uint256 steps;
        while (PROJECT.phase() < Phase.Completed) {
            require(++steps <= 8 + 5 * uint256(_t.maxVoids), "the clock alone ends the project");
            vm.warp(PROJECT.deadline() + (PROJECT.phase() == Phase.Aggregate ? _t.aggregatePeriod : 0));
            vm.prank(STRANGER);
            PROJECT.advance();
        }
        for (uint256 round = 1; round <= PROJECT.settledRounds() + PROJECT.voidRounds(); ++round) {
            if (_sharesHash[round] == 0) continue;
            require(_sharesHash[round] == keccak256(abi.encode(PROJECT.sharesOf(round))), "what was settled stays");
        }
        for (uint256 i; i < ACCOUNTS; ++i) {
            _collect(account(i));
        }
        require(balanceOf(address(PROJECT)) == forced + PROJECT.burnt(), "everybody has collected and nothing is left");
    }

    /// @dev Returns the amount paid, 0 if nothing was owed.
    function _collect(address who) internal returns (uint256 owed) {
        owed = PROJECT.owed(who);
        if (owed == 0) return 0;
        uint256 before = balanceOf(who);
        vm.prank(who);
        require(PROJECT.withdraw(payable(who)) == owed, "withdraw pays what is owed");
        require(balanceOf(who) == before + owed, "what withdraw says is what arrives");
        require(PROJECT.owed(who) == 0, "nothing is owed twice");
        received[who] += owed;
    }
}
