// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {RangeProof, RangeStatement, IRangeVerifier} from "../src/interfaces/IRangeVerifier.sol";
import {IVerifyingKey} from "../src/interfaces/IKeyRegistry.sol";
import {IProject, Terms} from "../src/interfaces/IProject.sol";
import {IRoundVerifier, RoundProof, RoundStatement} from "../src/interfaces/IRoundVerifier.sol";
import {Bn254} from "../src/libraries/Bn254.sol";
import {Packed} from "../src/libraries/Packed.sol";
import {KeyRegistry, Project} from "./support/Deployed.sol";
import {ExampleKey} from "./support/ExampleKey.sol";
import {ExampleKey128} from "./support/ExampleKey128.sol";
import {Forger, KnownSecrets} from "./support/KnownSecrets.sol";
import {Market} from "./support/Market.sol";
import {Points} from "./support/Points.sol";

/// @dev Bounds on the cost of the three transactions that carry proofs. Forge runs `setUp`, which prepares everything,
/// as a separate transaction: in a test every account and slot is cold and has the value that the transaction finds.
/// The proofs pass the real verifiers. Precompiles cost the same for every input, so a forged proof costs as much as a
/// real one.
abstract contract GasTest is Market {
    /// @dev Forge prints it (`-vv`).
    event log_named_uint(string what, uint256 gas);

    /// @dev The call of the transaction under test.
    address internal sender;
    address internal target;
    bytes internal data;

    function deployRegistry() internal virtual override returns (KeyRegistry) {
        IVerifyingKey[] memory keys = new IVerifyingKey[](2);
        keys[0] = new ExampleKey();
        keys[1] = new ExampleKey128();
        return newRegistry(true, KnownSecrets.x1(), KnownSecrets.g2(), keys);
    }

    function deployVerifier() internal override returns (IRoundVerifier) {
        return IRoundVerifier(deploy("RoundVerifier.sol:RoundVerifier", abi.encode(registry)));
    }

    /// @dev As long as real addresses, because calldata costs by byte.
    function trainer(uint256 i) internal pure virtual override returns (address) {
        return address(uint160(uint256(keccak256(abi.encode("trainer", i)))));
    }

    /// @dev Gas of the call alone. A transaction's destination is warm.
    function callGas() internal returns (uint256 used) {
        vm.pauseGasMetering();
        bytes memory input = data;
        address to = target;
        assertTrue(to.code.length != 0);
        vm.prank(sender);
        vm.resumeGasMetering();
        bool done;
        // Assembly, because Solidity would copy the calldata within the measurement.
        assembly ("memory-safe") {
            used := gas()
            done := call(gas(), to, 0, add(input, 0x20), mload(input), 0, 0)
            used := sub(used, gas())
        }
        assertTrue(done, "refused");
    }

    /// @dev 21,000, the calldata (16 a byte, 4 a zero) and the call. Ignores refunds, which can only make it less.
    function transactionGas() internal returns (uint256 total) {
        vm.pauseGasMetering();
        bytes memory input = data;
        total = 21_000;
        for (uint256 i; i < input.length; ++i) {
            total += input[i] == 0 ? 4 : 16;
        }
        total += callGas();
    }

    function limit(string memory what, uint256 used, uint256 most) internal {
        emit log_named_uint(what, used);
        assertTrue(used < most, what);
    }

    /// @dev `n` trainers, all of them active.
    function terms(uint8 n) internal pure returns (Terms memory t) {
        t = super.defaultTerms();
        t.slots = slotsFor(n);
        t.dimension = 9610;
        (t.minTrainers, t.maxTrainers, t.minActive) = (5, n, 5);
        t.rounds = 5;
        t.maxVoids = 5;
        t.model = [uint256(1), 2];
    }

    function slotsFor(uint8 n) internal pure returns (uint8) {
        return n > 16 ? 128 : 16;
    }

    function statementOf(uint8 n, uint256 round, uint256[2] memory policy)
        internal
        pure
        returns (RoundStatement memory s)
    {
        s.round = round;
        (s.payee, s.project) = (AGGREGATOR, address(0x1234));
        (s.dimension, s.slots, s.rule) = (9610, slotsFor(n), 1);
        s.policy = policy;
        s.activeMask = (uint256(1) << n) - 1;
        s.modelCid = keccak256(abi.encode("next model", round));
        s.model = [uint256(1), 2];
    }

    /// @dev Every slot earns and moves the model.
    function claims(uint8 n) internal pure returns (RoundProof memory p) {
        p.sigma = uint256(keccak256("sigma")) % Bn254.R;
        p.keptMask = (uint256(1) << n) - 1;
        p.coherence = 40_000;
        p.shares = new uint256[](Packed.wordCount(slotsFor(n)));
        p.weights = new uint256[](p.shares.length);
        for (uint256 i; i < n; ++i) {
            p.shares[i / 14] |= (60_000 / n + i) << (17 * (i % 14));
            p.weights[i / 14] |= (59_000 / n + i) << (17 * (i % 14));
        }
    }
}

/// @dev `RoundVerifier.verify` alone.
abstract contract VerifyGasTest is GasTest {
    function prepare(uint8 n, uint256 dimension) internal {
        RoundStatement memory s = statementOf(n, 3, [uint256(32), 2]);
        s.dimension = dimension;
        s.commitments = new bytes(64 * uint256(n));
        for (uint256 i; i < n; ++i) {
            (uint256 x, uint256 y) = Bn254.mul(1, 2, 900 + i);
            Points.put(s.commitments, i, x, y);
        }
        RoundProof memory p = new Forger(registry.keysHash()).forge(s, claims(n));
        data = abi.encodeCall(IRoundVerifier.verify, (s, p));
    }

    function setUp() public virtual override {
        registry = deployRegistry();
        verifier = deployVerifier();
        (sender, target) = (address(this), address(verifier));
    }
}

contract VerifyTenGasTest is VerifyGasTest {
    function setUp() public override {
        super.setUp();
        prepare(10, 9610);
    }

    function test_verify_costsLessThan500000AtTenTrainers() public {
        limit("verify, n = 10, N = 16", callGas(), 500_000);
    }

    /// @dev Two exponents depend on the dimension, but the precompile charges its minimum for both.
    function test_verify_costsTheSameForEveryDimension() public {
        callGas(); // everything is warm from here on
        uint256 used = callGas();
        uint256[3] memory dimensions = [uint256(1), 1000, (1 << 22) - 1];
        for (uint256 i; i < dimensions.length; ++i) {
            prepare(10, dimensions[i]);
            uint256 other = callGas();
            assertTrue(other < used + 500 && used < other + 500, "depends on the dimension");
        }
    }
}

contract VerifyHundredGasTest is VerifyGasTest {
    function setUp() public override {
        super.setUp();
        prepare(100, 9610);
    }

    function test_verify_costsLessThan1300000AtAHundredTrainers() public {
        limit("verify, n = 100, N = 128", callGas(), 1_300_000);
    }
}

abstract contract SettleGasTest is GasTest {
    function trainers() internal pure virtual returns (uint8);

    function defaultTerms() internal pure override returns (Terms memory) {
        return terms(trainers());
    }

    /// @dev Prepares the settlement of this round; the rounds before it are settled.
    function prepare(uint256 round) internal {
        uint8 n = trainers();
        super.setUp();
        Forger forger = new Forger(registry.keysHash());
        start(n);
        for (uint256 id = 1; id <= round; ++id) {
            submit(n);
            RoundStatement memory s = statementOf(n, id, [uint256(32), uint256(n) * 52 / 256]);
            s.project = address(project);
            (s.model,) = project.model();
            s.commitments = abi.encodePacked(points());
            RoundProof memory p = forger.forge(s, claims(n));
            data = abi.encodeCall(IProject.settle, (id, AGGREGATOR, s.modelCid, points(), nobody(), p));
            if (id == round) break;
            vm.prank(AGGREGATOR);
            project.settle(id, AGGREGATOR, s.modelCid, points(), nobody(), p);
        }
        (sender, target) = (AGGREGATOR, address(project));
    }
}

contract SettleTenGasTest is SettleGasTest {
    function trainers() internal pure override returns (uint8) {
        return 10;
    }

    function setUp() public override {
        prepare(2);
    }

    function test_settle_costsLessThan625000AtTenTrainers() public {
        limit("settle, n = 10, N = 16", transactionGas(), 625_000);
        assertEq(project.settledRounds(), 2);
    }
}

/// @dev The first settlement writes to empty storage.
contract SettleTenFirstGasTest is SettleGasTest {
    function trainers() internal pure override returns (uint8) {
        return 10;
    }

    function setUp() public override {
        prepare(1);
    }

    function test_settle_costsLessThan625000AtTenTrainersInTheFirstRound() public {
        limit("settle, n = 10, N = 16, first round", transactionGas(), 625_000);
        assertEq(project.settledRounds(), 1);
    }
}

contract SettleHundredGasTest is SettleGasTest {
    function trainers() internal pure override returns (uint8) {
        return 100;
    }

    function setUp() public override {
        prepare(2);
    }

    /// @dev Most of it is fixed: 1,002,000 for the precompiles (635,000 for a hundred products and sums with their
    /// calls, 283,000 for seven pairs), 162,000 for the transaction with its calldata, 80,000 for storing the shares.
    function test_settle_costsLessThan1400000AtAHundredTrainers() public {
        limit("settle, n = 100, N = 128", transactionGas(), 1_400_000);
        assertEq(project.settledRounds(), 2);
    }
}

/// @dev A commitment with a range proof of the real prover (tests/vectors/form_*.json), in a project at the address
/// that the vector names.
abstract contract CommitGasTest is GasTest {
    string private json;
    address private constant VECTORS_TRAINER = 0x2222222222222222222222222222222222222222;
    bytes32 private constant SEAL = keccak256("a seal");

    function file() internal pure virtual returns (string memory);

    function table() internal pure virtual returns (uint8);

    /// @dev Trainer 0 commits with the vector's proof.
    function trainer(uint256 i) internal pure override returns (address) {
        return i == 0 ? VECTORS_TRAINER : super.trainer(i);
    }

    function deployRegistry() internal override returns (KeyRegistry) {
        uint256[] memory kzg = vm.parseJsonUintArray(json, ".kzg");
        uint256[12] memory g2;
        for (uint256 i; i < 12; ++i) {
            g2[i] = kzg[2 + i];
        }
        return newRegistry(true, [kzg[0], kzg[1]], g2, new IVerifyingKey[](0));
    }

    function deployRangeVerifier() internal override returns (IRangeVerifier) {
        return IRangeVerifier(deploy("RangeVerifier.sol:RangeVerifier", abi.encode(registry)));
    }

    function setUp() public override {
        json = vm.readFile(file());
        vm.chainId(vm.parseJsonUint(json, ".chainId"));
        registry = deployRegistry();
        assertEq(registry.keysHash(), vm.parseJsonBytes32(json, ".keysHash"));
        rangeVerifier = deployRangeVerifier();
        factory = newFactory(registry, deployVerifier(), rangeVerifier);

        Terms memory t = terms(10);
        t.table = table();
        t.dimension = uint32(vm.parseJsonUint(json, ".statement.dimension"));
        target = address(uint160(vm.parseJsonUint(json, ".statement.project")));
        vm.etch(target, Clones.cloneWithImmutableArgs(factory.implementation(), abi.encode(t)).code);
        project = Project(target);
        vm.deal(address(factory), depositOf(t));
        vm.prank(address(factory));
        project.initialize{value: depositOf(t)}();

        start(10);
        for (uint256 id = vm.parseJsonUint(json, ".statement.round"); id > 1; --id) {
            skipAndAdvance();
        }
        uint256[] memory c = vm.parseJsonUintArray(json, ".statement.commitment");
        RangeProof memory proof = RangeProof(
            vm.parseJsonUintArray(json, ".proof.points"), vm.parseJsonUintArray(json, ".proof.values")
        );
        data = abi.encodeCall(IProject.commitUpdate, (project.round(), [c[0], c[1]], SEAL, proof));
        sender = VECTORS_TRAINER;
        before();
    }

    /// @dev Runs in the round, before the commitment.
    function before() internal virtual {}

    /// @dev Trainers 1 to `n` commit with a mocked verifier: only the vector's trainer has a range proof.
    function othersCommit(uint256 n) internal {
        vm.mockCall(address(rangeVerifier), abi.encodePacked(IRangeVerifier.verify.selector), "");
        for (uint256 i = 1; i <= n; ++i) {
            commit(i);
        }
        vm.clearMockedCalls();
    }

    function check(string memory what) internal {
        limit(string.concat(what, ": ", file()), transactionGas(), 330_000);
        assertTrue(project.slotOf(3, VECTORS_TRAINER) != 0);
    }
}

abstract contract LimbsGasTest is CommitGasTest {
    function file() internal pure override returns (string memory) {
        return "../tests/vectors/range_limbs.json";
    }

    function table() internal pure override returns (uint8) {
        return 8;
    }
}

abstract contract BitsGasTest is CommitGasTest {
    function file() internal pure override returns (string memory) {
        return "../tests/vectors/range_bits.json";
    }

    function table() internal pure override returns (uint8) {
        return 16;
    }
}

contract CommitLimbsFirstGasTest is LimbsGasTest {
    function test_commitUpdate_costsLessThan330000First() public {
        check("commitUpdate, first");
    }
}

contract CommitLimbsLaterGasTest is LimbsGasTest {
    function before() internal override {
        othersCommit(4);
    }

    function test_commitUpdate_costsLessThan330000Later() public {
        check("commitUpdate, later");
    }
}

contract CommitLimbsLastGasTest is LimbsGasTest {
    function before() internal override {
        othersCommit(9);
    }

    function test_commitUpdate_costsLessThan330000Last() public {
        check("commitUpdate, last");
    }
}

contract CommitBitsFirstGasTest is BitsGasTest {
    function test_commitUpdate_costsLessThan330000First() public {
        check("commitUpdate, first");
    }
}

contract CommitBitsLaterGasTest is BitsGasTest {
    function before() internal override {
        othersCommit(4);
    }

    function test_commitUpdate_costsLessThan330000Later() public {
        check("commitUpdate, later");
    }
}
