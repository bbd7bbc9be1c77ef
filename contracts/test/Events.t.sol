// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IProject, Phase, Terms} from "../src/interfaces/IProject.sol";
import {Market} from "./support/Market.sol";
import {Vm} from "./support/MiniTest.sol";

/// @dev The terms and the logs determine the whole state of a project.
contract EventsTest is Market {
    struct Round {
        uint256 committed;
        uint256 revealed;
        uint256 attested;
        uint256 active;
        bytes32 hash;
    }

    Terms private _t;
    address[] private _accounts;

    /* STATE REBUILT FROM LOGS */
    Phase private _phase;
    uint256 private _deadline;
    uint256 private _round;
    uint256 private _settled;
    uint256 private _voids;
    uint256 private _rate;
    uint256 private _escrow;
    uint256 private _burnt;
    bool private _bond;
    uint256[2] private _model;
    bytes32 private _cid;
    uint256 private _claimRound;
    address private _claimPayee;
    mapping(address => uint256) private _owed;
    mapping(address => uint256) private _stake;
    mapping(address => uint256) private _dropped;
    mapping(address => bool) private _penalised;
    mapping(address => bool) private _seat;
    mapping(address => uint256) private _nonce;
    mapping(uint256 => Round) private _rounds;
    mapping(uint256 => mapping(uint256 => address)) private _slotOf;
    mapping(uint256 => mapping(address => uint256)) private _slotPlusOne;
    mapping(uint256 => uint256[]) private _shares;

    function account(bytes32 topic) private pure returns (address) {
        return address(uint160(uint256(topic)));
    }

    function read(Vm.Log memory l) private {
        bytes32 kind = l.topics[0];
        if (kind == IProject.ProjectOpened.selector) {
            (, _escrow) = abi.decode(l.data, (bytes32, uint256));
            (_rate, _model, _cid) = (_t.learningRate, _t.model, _t.modelCid);
        } else if (kind == IProject.Joined.selector) {
            _seat[account(l.topics[1])] = true;
            _stake[account(l.topics[1])] = abi.decode(l.data, (uint256));
        } else if (kind == IProject.JoinSigned.selector) {
            _nonce[account(l.topics[1])] = abi.decode(l.data, (uint256)) + 1;
        } else if (kind == IProject.Left.selector) {
            _unseat(account(l.topics[1]));
            _owed[account(l.topics[1])] += abi.decode(l.data, (uint256));
        } else if (kind == IProject.BondPlaced.selector) {
            _bond = true;
        } else if (kind == IProject.PhaseOpened.selector) {
            _round = uint256(l.topics[1]);
            (_phase, _deadline) = abi.decode(l.data, (Phase, uint256));
        } else if (kind == IProject.HyperParameters.selector) {
            (_rate,) = abi.decode(l.data, (uint256, uint256));
        } else if (kind == IProject.ModelAttested.selector) {
            uint256 fee;
            (_cid, fee) = abi.decode(l.data, (bytes32, uint256));
            _owed[account(l.topics[2])] += fee;
            _claimRound = 0;
        } else if (kind == IProject.ModelUnattested.selector) {
            _escrow += abi.decode(l.data, (uint256));
            _claimRound = 0;
        } else if (kind == IProject.RoundVoided.selector) {
            ++_voids;
        } else if (kind == IProject.ProjectEnded.selector) {
            _end();
        } else if (kind == IProject.Withdrawn.selector) {
            _owed[account(l.topics[1])] -= abi.decode(l.data, (uint256));
            if (_phase >= Phase.Completed) _stake[account(l.topics[1])] = 0;
        } else if (l.topics.length > 1) {
            readRound(l, kind, _rounds[uint256(l.topics[1])]);
        }
    }

    function readRound(Vm.Log memory l, bytes32 kind, Round storage r) private {
        uint256 id = uint256(l.topics[1]);
        if (kind == IProject.UpdateCommitted.selector) {
            (uint256 x, uint256 y,) = abi.decode(l.data, (uint256, uint256, bytes32));
            _slotOf[id][r.committed] = account(l.topics[3]);
            _slotPlusOne[id][account(l.topics[3])] = ++r.committed;
            bytes32 next = keccak256(abi.encode(x, y, r.hash));
            r.hash = bytes32((uint256(next) & ~uint256(0xff)) | r.committed);
        } else if (kind == IProject.UpdateRevealed.selector) {
            r.revealed |= 1 << uint256(l.topics[2]);
        } else if (kind == IProject.Attested.selector) {
            r.attested |= 1 << uint256(l.topics[2]);
        } else if (kind == IProject.SlotsActive.selector) {
            (r.active,) = abi.decode(l.data, (uint256, uint256));
        } else if (kind == IProject.StakeSlashed.selector) {
            _unseat(account(l.topics[2]));
        } else if (kind == IProject.OutlierPenalised.selector) {
            uint256 amount = abi.decode(l.data, (uint256));
            _stake[account(l.topics[2])] -= amount;
            _penalised[account(l.topics[2])] = true;
        } else if (kind == IProject.BondSlashed.selector) {
            _bond = false;
        } else if (kind == IProject.LossDivided.selector) {
            (uint256 mask, uint256 share) = abi.decode(l.data, (uint256, uint256));
            for (uint256 i; i < 8; ++i) {
                address who = _slotOf[id][i];
                if (mask >> i & 1 == 0 || who == _t.owner) continue;
                // In Reveal it is stakes that are divided, and nobody gets more than its own.
                _owed[who] += _phase == Phase.Reveal && share > _stake[who] ? _stake[who] : share;
            }
        } else if (kind == IProject.Burnt.selector) {
            _burnt += abi.decode(l.data, (uint256));
        } else if (kind == IProject.RoundSettled.selector) {
            readSettlement(l, r, id);
        }
    }

    function readSettlement(Vm.Log memory l, Round storage r, uint256 id) private {
        uint256 active;
        uint256 kept;
        (active, kept,, _shares[id],, _model, _cid) =
            abi.decode(l.data, (uint256, uint256, uint256, uint256[], uint256[], uint256[2], bytes32));
        assertEq(active, r.active);
        ++_settled;
        (_claimRound, _claimPayee) = (id, account(l.topics[2]));
        _escrow -= _t.roundFee;
        for (uint256 i; i < r.committed; ++i) {
            if (_t.outlierPenalty != 0 && (active & ~kept) >> i & 1 == 1) ++_dropped[_slotOf[id][i]];
            if (r.attested >> i & 1 == 0) continue;
            uint256 pay = uint256(_t.roundReward) * ((_shares[id][0] >> (17 * i)) & 0x1ffff) / 65536;
            _owed[_slotOf[id][i]] += pay;
            _escrow -= pay;
        }
    }

    function _unseat(address who) private {
        _seat[who] = false;
        _stake[who] = 0;
    }

    function _end() private {
        _owed[_t.owner] += _escrow;
        _escrow = 0;
        if (_bond) _owed[_t.aggregator] += _t.bond;
        _bond = false;
        for (uint256 i; i < _accounts.length; ++i) {
            _owed[_accounts[i]] += _stake[_accounts[i]];
        }
    }

    function readAllAndCompare() private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i; i < logs.length; ++i) {
            if (logs[i].emitter == address(project)) read(logs[i]);
        }
        assertEq(uint256(project.phase()), uint256(_phase), "phase");
        assertEq(project.deadline(), _deadline, "deadline");
        assertEq(project.round(), _round, "round");
        assertEq(project.settledRounds(), _settled, "settled");
        assertEq(project.voidRounds(), _voids, "voids");
        assertEq(project.escrow(), _escrow, "escrow");
        assertEq(project.burnt(), _burnt, "burnt");
        assertTrue(project.bondPlaced() == _bond, "bond");
        if (_phase < Phase.Closing) assertEq(project.learningRate(), _rate, "learning rate");
        (uint256[2] memory model, bytes32 cid) = project.model();
        assertTrue(model[0] == _model[0] && model[1] == _model[1] && cid == _cid, "model");
        (uint256 id, address payee,) = project.openModel();
        assertEq(id, _claimRound, "open model");
        if (id != 0) assertEq(payee, _claimPayee);
        for (uint256 i; i < _accounts.length; ++i) {
            compare(_accounts[i]);
        }
        for (id = 1; id <= _round; ++id) {
            Round memory r = _rounds[id];
            (uint256 committed, uint256 revealed, uint256 attested, uint256 active, bytes32 hash) =
                project.roundState(id);
            assertTrue(committed == r.committed && revealed == r.revealed && attested == r.attested, "round");
            assertTrue(active == r.active && hash == r.hash, "round");
            assertEq(keccak256(abi.encode(project.sharesOf(id))), keccak256(abi.encode(_shares[id])));
        }
    }

    function compare(address who) private view {
        (uint256 stake, uint256 dropped, bool penalised) = project.trainerState(who);
        assertEq(project.owed(who), _owed[who], "owed");
        assertEq(stake, _stake[who], "stake");
        assertEq(dropped, _dropped[who], "dropped");
        assertTrue(penalised == _penalised[who] && project.isTrainer(who) == _seat[who], "trainer");
        assertEq(project.nonces(who), _nonce[who], "nonce");
        for (uint256 id = 1; id <= _round; ++id) {
            assertEq(project.slotOf(id, who), _slotPlusOne[id][who], "slot");
        }
    }

    /// @dev Every kind of event in one project; compares the state after every step.
    function test_logsTellAllState() public {
        uint256 key = 0xA11CE;
        Terms memory t = defaultTerms();
        (t.maxTrainers, t.rounds, t.maxVoids, t.outlierPenalty) = (7, 3, 5, 0.1 ether);
        vm.recordLogs();
        project = create(t);
        _t = t;
        for (uint256 i; i < 6; ++i) {
            _accounts.push(trainer(i));
        }
        (address signer, address rescuer) = (vm.addr(key), address(0x5E5C));
        _accounts.push(signer);
        _accounts.push(rescuer);
        _accounts.push(OWNER);
        _accounts.push(AGGREGATOR);
        _accounts.push(STRANGER);
        readAllAndCompare();
        joinSigned(key, signer);
        join(5);
        vm.prank(trainer(5));
        project.leave();
        start(5);
        withdraw(trainer(5));
        readAllAndCompare();
        submit(5); // the signer does not take part
        settleWith([uint256(30000), 20000, 15535, 0], 1000, AGGREGATOR); // 3 and 4 dropped
        readAllAndCompare();
        vm.prank(rescuer);
        project.publishModel("rescued");
        vm.prank(signer);
        project.leave();
        revealAll(5);
        for (uint256 i; i < 5; ++i) {
            attest(i, i == 4 ? 31 : 15, rescuer); // 4 is not active; the bond is lost
        }
        readAllAndCompare();
        settleWith([uint256(1), 2, 3, 4], 65536, STRANGER);
        for (uint256 i; i < 4; ++i) {
            commit(i);
        }
        for (uint256 i; i < 3; ++i) {
            reveal(i);
        }
        skipAndAdvance(); // 3 did not reveal
        for (uint256 i; i < 2; ++i) {
            attest(i, 7, address(0));
        }
        readAllAndCompare();
        skipAndAdvance(); // 2 did not attest; the fee returns to the escrow
        skipAndAdvance(); // no result, without a bond
        readAllAndCompare();
        withdraw(trainer(0));
        submit(3);
        settleWith([uint256(30000), 20000, 15536, 0], 65536, AGGREGATOR);
        readAllAndCompare();
        close(AGGREGATOR);
        readAllAndCompare();
        for (uint256 i; i < _accounts.length; ++i) {
            withdraw(_accounts[i]);
        }
        readAllAndCompare();
        assertEq(address(project).balance, _burnt);
    }

    /// @dev The bond divided among the active trainers, a round with too few active slots, the end through Closing.
    function test_logsTellAllStateOfAProjectThatFails() public {
        Terms memory t = defaultTerms();
        t.maxVoids = 3;
        vm.recordLogs();
        project = create(t);
        _t = t;
        for (uint256 i; i < 4; ++i) {
            _accounts.push(trainer(i));
        }
        _accounts.push(OWNER);
        _accounts.push(AGGREGATOR);
        _accounts.push(STRANGER);
        start(4);
        submit(4);
        skipAndAdvance();
        readAllAndCompare();
        submit(4);
        settleWith([uint256(30000), 20000, 15536, 0], 65536, STRANGER);
        revealAll(4);
        skipAndAdvance();
        readAllAndCompare();
        skipAndAdvance();
        assertPhase(Phase.Closing);
        readAllAndCompare();
        skipAndAdvance();
        assertPhase(Phase.WoundUp);
        readAllAndCompare();
    }

    function joinSigned(uint256 key, address signer) private {
        bytes32 typeHash = keccak256("Join(address trainer,uint256 nonce,uint256 validUntil)");
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Fairshare"),
                keccak256("2"),
                block.chainid,
                address(project)
            )
        );
        bytes32 join_ = keccak256(abi.encode(typeHash, signer, 0, type(uint256).max));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked(hex"1901", domain, join_)));
        vm.deal(STRANGER, STAKE);
        vm.prank(STRANGER);
        project.joinFor{value: STAKE}(signer, type(uint256).max, abi.encodePacked(r, s, v));
    }
}
