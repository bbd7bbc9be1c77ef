// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RangeProof, RangeStatement, IRangeVerifier} from "../../src/interfaces/IRangeVerifier.sol";
import {IKeyRegistry, IVerifyingKey} from "../../src/interfaces/IKeyRegistry.sol";
import {Phase, Terms} from "../../src/interfaces/IProject.sol";
import {IRoundVerifier, RoundProof, RoundStatement} from "../../src/interfaces/IRoundVerifier.sol";
import {AcceptingRangeVerifier, AcceptingRoundVerifier} from "./AcceptingVerifiers.sol";
import {KeyRegistry, Project} from "./Deployed.sol";
import {Market} from "./Market.sol";
import {Vectors} from "./Vectors.sol";
import {Points, Slot} from "./Points.sol";

/// @notice FOR TESTS: a registry with the keys hash of the range proof vectors, which is that of no keys, and with a
/// key for everything.
contract VectorRegistry is IKeyRegistry {
    bytes32 public immutable keysHash;
    bool public constant isDev = true;
    KeyRegistry private immutable POINTS;

    /// @param points a registry without keys
    constructor(KeyRegistry points) {
        POINTS = points;
        keysHash = points.keysHash();
    }

    function verifyingKey(uint8, uint8) external pure returns (IVerifyingKey key) {}

    function kzg() external view returns (uint256[2] memory, uint256[12] memory) {
        return POINTS.kzg();
    }
}

/// @dev Whole markets with proofs of the real prover (tests/vectors). A proof names its project by address, so the
/// project's code is placed at that address: the code does not depend on its address, and the factory initialises it
/// there.
abstract contract TrueMarket is Market, Vectors {
    RoundStatement internal statement;
    RoundProof internal proof;
    RangeStatement internal rangeStatement;
    RangeProof internal rangeProof_;

    function setUp() public virtual override {}

    /// @dev A market with the real round verifier and the key of a vector. The range proofs are not verified: the
    /// vectors' proofs belong to different projects.
    function marketOfRound(string memory name) internal {
        string memory json = file(name);
        vm.chainId(vm.parseJsonUint(json, ".chainId"));
        statement = readRoundStatement(json);
        proof = readRoundProof(json);
        IVerifyingKey[] memory keys = new IVerifyingKey[](1);
        keys[0] = IVerifyingKey(deploy("AgreementKey16.sol:AgreementKey16", ""));
        (uint256[2] memory x1, uint256[12] memory g2) = readKzg(json, ".keys.kzg");
        registry = newRegistry(true, x1, g2, keys);
        verifier = IRoundVerifier(deploy("RoundVerifier.sol:RoundVerifier", abi.encode(registry)));
        rangeVerifier = new AcceptingRangeVerifier(address(registry));
        factory = newFactory(registry, verifier, rangeVerifier);
    }

    /// @dev The terms from which the vector's policy words follow.
    function roundTerms() internal view returns (Terms memory t) {
        t = defaultTerms();
        (t.aggregator, t.dimension, t.slots) = (statement.payee, uint32(statement.dimension), statement.slots);
        (t.minTrainers, t.maxTrainers, t.minActive) = (5, 10, 5);
        (t.rounds, t.maxVoids) = (2, 5);
        t.model = statement.model;
    }

    /// @dev A market with the real range verifier.
    function marketOfRangeProof(string memory name) internal {
        string memory json = file(name);
        vm.chainId(vm.parseJsonUint(json, ".chainId"));
        rangeStatement = readRangeStatement(json, "");
        rangeProof_ = readRangeProof(json, "");
        (uint256[2] memory x1, uint256[12] memory g2) = readKzg(json, ".kzg");
        IKeyRegistry loose = new VectorRegistry(newRegistry(true, x1, g2, new IVerifyingKey[](0)));
        rangeVerifier = IRangeVerifier(deploy("RangeVerifier.sol:RangeVerifier", abi.encode(loose)));
        verifier = new AcceptingRoundVerifier(address(loose));
        factory = newFactory(KeyRegistry(address(loose)), verifier, rangeVerifier);
    }

    function rangeTerms() internal view returns (Terms memory t) {
        t = defaultTerms();
        (t.dimension, t.table, t.maxVoids) = (uint32(rangeStatement.dimension), rangeStatement.table, 5);
    }

    /// @dev Opens a project with these terms at this address.
    function openAt(address where, Terms memory t) internal {
        vm.etch(where, address(create(t)).code);
        vm.setNonce(where, 1); // as for any created contract
        project = Project(where);
        vm.deal(address(factory), depositOf(t));
        vm.prank(address(factory));
        project.initialize{value: depositOf(t)}();
    }

    function placeBondOf(address aggregator) internal {
        uint256 bond = project.terms().bond;
        vm.deal(aggregator, bond);
        vm.prank(aggregator);
        project.placeBond{value: bond}();
    }

    /// @dev Voids rounds until the one with this id is open.
    function skipTo(uint256 round) internal {
        while (project.round() < round) {
            skipAndAdvance();
        }
        assertPhase(Phase.Commit);
    }

    /// @dev Ten trainers, one for each slot of the vector; opens its round.
    function beginRound(uint256 round) internal {
        placeBondOf(project.terms().aggregator);
        for (uint256 i; i < 10; ++i) {
            join(i);
        }
        skipTo(round);
    }

    /// @dev The trainer of slot `i` posts the vector's commitment.
    function commitTrue(uint256 i) internal {
        (uint256 x, uint256 y) = Points.at(statement.commitments, i);
        uint256[2] memory point = [x, y];
        uint256 round = project.round();
        RangeProof memory none;
        vm.prank(trainer(i));
        project.commitUpdate(round, point, sealOf(trainer(i), cidOf(i)), none);
        slots.push(Slot(trainer(i), point[0], point[1]));
    }

    /// @dev Plays a round up to its settlement.
    function playTrue(uint256 round) internal {
        delete slots;
        beginRound(round);
        for (uint256 i; i < 10; ++i) {
            commitTrue(i);
        }
        for (uint256 i; i < 10; ++i) {
            reveal(i);
        }
        for (uint256 i; i < 10; ++i) {
            attest(i);
        }
        assertPhase(Phase.Aggregate);
    }
}
