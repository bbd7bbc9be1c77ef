// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IProject, Phase, Terms} from "../src/interfaces/IProject.sol";
import {IRoundVerifier, RoundProof, RoundStatement} from "../src/interfaces/IRoundVerifier.sol";
import {Bn254} from "../src/libraries/Bn254.sol";
import {Forger} from "./support/KnownSecrets.sol";
import {Market} from "./support/Market.sol";
import {Points} from "./support/Points.sol";

/// @dev A project with the real verifier: a proof is bound to the statement that the project makes. Also the gas of a
/// settlement with ten trainers and the key of size 16.
contract ProjectProvedTest is Market {
    Forger private forger;

    function deployVerifier() internal override returns (IRoundVerifier) {
        return IRoundVerifier(deploy("RoundVerifier.sol:RoundVerifier", abi.encode(registry)));
    }

    function defaultTerms() internal pure override returns (Terms memory t) {
        t = super.defaultTerms();
        (t.slots, t.dimension) = (16, 9610);
        (t.minTrainers, t.maxTrainers, t.minActive) = (5, 10, 5);
        t.rounds = 5;
        t.model = [uint256(1), 2];
    }

    function setUp() public override {
        super.setUp();
        forger = new Forger(registry.keysHash());
        start(10);
    }

    /// @dev Ten slots, two dropped as outliers.
    function prove(address payee) private view returns (RoundProof memory p) {
        uint256 mask = activeMask();
        RoundStatement memory s;
        s.project = address(project);
        s.round = project.round();
        s.payee = payee;
        (s.dimension, s.slots, s.rule) = (9610, 16, 1);
        uint256 active;
        for (uint256 i; i < 10; ++i) {
            active += (mask >> i) & 1;
        }
        s.policy = [uint256(32), active * 52 / 256];
        s.activeMask = mask;
        s.modelCid = "next model";
        (s.model,) = project.model();
        s.commitments = new bytes(64 * active);
        uint256 place;
        p.shares = new uint256[](2);
        p.weights = new uint256[](2);
        for (uint256 i; i < 10; ++i) {
            if ((mask >> i) & 1 == 0) continue;
            Points.put(s.commitments, place++, slots[i].x, slots[i].y);
            if (i < 8) p.shares[0] |= uint256(8000 + i) << (17 * i);
            if (i >= 8) continue;
            p.weights[0] |= uint256(7000 + i) << (17 * i);
        }
        (p.sigma, p.keptMask, p.coherence) = (uint256(keccak256("sigma")) % Bn254.R, 0xff & mask, 40000);
        p = forger.forge(s, p);
    }

    function test_settle_aProvedRound() public {
        submit(10);
        RoundProof memory p = prove(AGGREGATOR);
        vm.prank(AGGREGATOR);
        project.settle(1, AGGREGATOR, "next model", points(), nobody(), p);
        assertEq(project.settledRounds(), 1);
        assertEq(project.owed(trainer(3)), uint256(REWARD) * 8003 / 65536);
        // C_T' = G1 + sum w_i C_i
        (uint256 x, uint256 y) = (1, 2);
        for (uint256 i; i < 8; ++i) {
            (x, y) = Points.addMul(x, y, slots[i].x, slots[i].y, 7000 + i);
        }
        (uint256[2] memory model, bytes32 cid) = project.model();
        assertEq(model[0], x);
        assertEq(model[1], y);
        assertEq(cid, "next model");
    }

    function test_settle_aProvedRoundWithASlotThatIsNotActive() public {
        revealAll(10);
        for (uint256 i; i < 10; ++i) {
            attest(i, i == 2 ? 0x3ff : 0x3fb, address(0));
        }
        RoundProof memory p = prove(AGGREGATOR);
        vm.prank(AGGREGATOR);
        project.settle(1, AGGREGATOR, "next model", points(), nobody(), p);
        assertEq(project.owed(trainer(2)), 0);
        assertEq(project.owed(trainer(3)), uint256(REWARD) * 8003 / 65536);
    }

    function refuse(uint256 round, address payee, bytes32 cid, RoundProof memory p) private {
        bytes memory data = abi.encodeCall(IProject.settle, (round, payee, cid, points(), nobody(), p));
        (bool done,) = address(project).call{gas: 3_000_000}(data);
        assertFalse(done);
    }

    function test_settle_aProofServesNothingElse() public {
        submit(10);
        RoundProof memory p = prove(AGGREGATOR);
        vm.warp(project.deadline()); // from here on anyone may submit: a copied transaction still pays its author
        refuse(1, STRANGER, "next model", p);
        refuse(1, AGGREGATOR, "other model", p);
        refuse(2, AGGREGATOR, "next model", p);
        for (uint256 i; i < 2; ++i) {
            p.shares[0] ^= 1;
            refuse(1, AGGREGATOR, "next model", p);
            p.shares[0] ^= 1;
            p.weights[0] ^= 1 << (17 * i);
            refuse(1, AGGREGATOR, "next model", p);
            p.weights[0] ^= 1 << (17 * i);
        }
        p.keptMask ^= 1;
        refuse(1, AGGREGATOR, "next model", p);
        p.keptMask ^= 1;
        p.coherence += 1;
        refuse(1, AGGREGATOR, "next model", p);
        p.coherence -= 1;
        (uint256 x, uint256 y) = (p.model[0], p.model[1]);
        (p.model[0], p.model[1]) = Points.addMul(x, y, 1, 2, 1);
        refuse(1, AGGREGATOR, "next model", p);
        (p.model[0], p.model[1]) = (x, y);
        vm.prank(AGGREGATOR);
        project.settle(1, AGGREGATOR, "next model", points(), nobody(), p);
        submit(10);
        refuse(2, AGGREGATOR, "next model", p);
    }

    /// @dev Gas of the call, plus 21,000 and the calldata (16 a byte, 4 a zero).
    function test_gas_settleTenTrainers() public {
        submit(10);
        RoundProof memory p = prove(AGGREGATOR);
        vm.prank(AGGREGATOR);
        project.settle(1, AGGREGATOR, "next model", points(), nobody(), p);
        submit(10);
        p = prove(AGGREGATOR);
        bytes memory data = abi.encodeCall(IProject.settle, (2, AGGREGATOR, "next model", points(), nobody(), p));
        uint256 fixedGas = 21_000;
        for (uint256 i; i < data.length; ++i) {
            fixedGas += data[i] == 0 ? 4 : 16;
        }
        vm.prank(AGGREGATOR);
        uint256 before = gasleft();
        (bool done,) = address(project).call(data);
        uint256 used = before - gasleft();
        assertTrue(done);
        emit Gas("settle, n = 10, N = 16, second round", used + fixedGas);
        assertTrue(used + fixedGas < 700_000, "settlement costs more than it did");
    }

    event Gas(string what, uint256 gas);
}
