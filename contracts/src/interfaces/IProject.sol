// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RoundProof} from "./IRoundVerifier.sol";

/// @notice The rules of a project. Fixed at creation; `IProject.terms()` returns them in one call.
struct Terms {
    address owner;
    address aggregator; // the only one who may be payee of a settlement before its deadline
    bytes32 specification; // sha2-256 digest of the canonical JSON specification = its CID digest (codec raw)
    // --- proof system
    uint8 rule; // 1 = agreement
    uint8 slots; // N: 8, 16, 32, 64 (a registered key must exist)
    uint32 dimension; // d, 1 ..= 2^22 - 1
    uint16 theta; // outlier threshold, 1/256 of the median contribution, < 2^10
    uint8 trim; // trimmed share of a row, 1/256, <= 85
    uint8 maxExcluded; // how many revealed slots an aggregator may leave out of the active mask
    // --- participation
    uint8 minTrainers; // 3 ..= maxTrainers
    uint8 maxTrainers; // <= slots
    uint8 minActive; // fewest active slots of a round: 5, or 3 on a test chain, ..= minTrainers
    uint96 stake; // wei, of every trainer
    uint96 bond; // wei, of the aggregator, placed before registration ends
    // --- reward
    uint16 rounds; // rounds to settle, >= 1
    uint16 maxVoids; // void rounds after which the project is wound up, >= 1
    uint96 roundReward; // wei shared by the trainers of a round
    uint96 roundFee; // wei of the aggregator for a settled round
    // --- clock, seconds
    uint32 registrationPeriod;
    uint32 commitPeriod;
    uint32 revealPeriod;
    uint32 aggregatePeriod;
    // --- hyper-parameters (docs/protocol.md 13.5)
    uint32 learningRate; // millionths
    uint16 localEpochs;
    uint32 decay; // 2^-16
    uint32 coherenceFloor; // 2^-16
    uint32 coherenceDecay; // 2^-16
    uint32 minLearningRate; // millionths
    // --- first model
    uint256[2] model; // commitment of T_0, (0, 0) when T_0 = 0
    bytes32 modelCid; // digest of T_0's file
}

/// @notice Where a project stands. Values only go forward within a round; a new round starts at Commit.
enum Phase {
    Registration,
    Commit,
    Reveal,
    Aggregate,
    Completed, // all rounds settled
    WoundUp // too few trainers, or too many void rounds: the rest is back with the owner
}

/// @notice A project: its reward in escrow, its trainers, its rounds, its model.
/// @dev A round id is `settled + voided + 1` at its opening: it is never used twice, so nothing proved for one serves another.
interface IProject {
    // --- errors
    error WrongPhase(Phase expected, Phase actual);
    error DeadlinePassed(uint256 deadline);
    error DeadlineNotReached(uint256 deadline);
    error WrongValue(uint256 expected, uint256 sent);
    error InvalidTerms(string field);
    error AlreadyJoined(address trainer);
    error NotATrainer(address account);
    error ProjectFull();
    error NotTheAggregator(address account);
    error BondAlreadyPlaced();
    error AlreadyCommitted(address trainer);
    error CommitmentReused(uint256 x, uint256 y);
    error InvalidCommitment();
    error NothingToReveal(address trainer);
    error RevealMismatch();
    error NothingToAdvance();
    error WrongRound(uint256 expected, uint256 actual);
    error WrongActiveMask(uint256 mask);
    error TooFewActive(uint256 active, uint256 required);
    error WrongCommitments();
    error InvalidModelCid();
    error NothingToWithdraw(address account);
    error TransferFailed(address to);

    // --- events
    event ProjectOpened(address indexed owner, bytes32 specification, uint256 deposit);
    event Joined(address indexed trainer, uint256 stake);
    event Left(address indexed trainer, uint256 stake);
    event BondPlaced(address indexed aggregator, uint256 amount);
    event PhaseOpened(uint256 indexed round, Phase phase, uint256 deadline);
    event UpdateCommitted(uint256 indexed round, uint256 indexed slot, address indexed trainer, uint256 x, uint256 y, bytes32 seal);
    event UpdateRevealed(uint256 indexed round, uint256 indexed slot, address indexed trainer, bytes32 cid);
    event StakeSlashed(uint256 indexed round, address indexed trainer, uint256 amount);
    event BondSlashed(uint256 indexed round, uint256 amount, uint256 revealedMask);
    event RoundSettled(
        uint256 indexed round,
        address indexed payee,
        uint256 activeMask,
        uint256 keptMask,
        uint256 coherence,
        uint256[] shares,
        uint256[] weights,
        uint256[2] model,
        bytes32 modelCid
    );
    event HyperParameters(uint256 indexed round, uint256 learningRate, uint256 localEpochs); // of the round that opens
    event RoundVoided(uint256 indexed round, string reason);
    event ProjectEnded(Phase phase, uint256 toOwner);
    event Withdrawn(address indexed account, address indexed to, uint256 amount);

    // --- registration
    /// @notice Joins with exactly `stake` wei. Opens round 1 when the project is full and the bond is placed.
    function join() external payable;
    /// @notice Leaves before the first round opens; the stake becomes withdrawable.
    function leave() external;
    /// @notice The aggregator's bond, exactly `bond` wei, while registration is open.
    function placeBond() external payable;

    // --- rounds
    /// @notice Posts a commitment and `seal = keccak256(abi.encode(cid, sender, salt))`. The last trainer's commit opens Reveal.
    function commitUpdate(uint256 round, uint256[2] calldata commitment, bytes32 seal) external;
    /// @notice Opens the seal. The last reveal opens Aggregate.
    function revealUpdate(uint256 round, bytes32 cid, bytes32 salt) external;
    /// @notice Settles the round by proof. Before the deadline `payee` must be the aggregator; anybody may send it.
    /// @param commitments x, y of EVERY committed slot of the round in slot order; checked against their running hash.
    function settle(
        uint256 round,
        address payee,
        uint256 activeMask,
        bytes32 modelCid,
        uint256[] calldata commitments,
        RoundProof calldata proof
    ) external;
    /// @notice Moves the project on when a deadline has passed. Anybody may call.
    function advance() external;

    // --- money
    /// @notice Pays all that the sender is owed (shares, fee, stake, bond, rest) to `to`.
    function withdraw(address payable to) external returns (uint256 amount);
    /// @notice What `withdraw` would pay now.
    function owed(address account) external view returns (uint256);
    /// @notice Reward and fee still in escrow: neither credited nor returned.
    function escrow() external view returns (uint256);

    // --- views
    function terms() external view returns (Terms memory);
    function factory() external view returns (address);
    function keyRegistry() external view returns (address);
    function roundVerifier() external view returns (address);
    function phase() external view returns (Phase);
    /// @notice The id of the open round, 0 before the first.
    function round() external view returns (uint256);
    function deadline() external view returns (uint256);
    function settledRounds() external view returns (uint256);
    function voidRounds() external view returns (uint256);
    function trainers() external view returns (address[] memory);
    function isTrainer(address account) external view returns (bool);
    function bondPlaced() external view returns (bool);
    function learningRate() external view returns (uint256);
    function localEpochs() external view returns (uint256);
    function model() external view returns (uint256[2] memory commitment, bytes32 cid);
    /// @notice Slots of a round: how many committed, which revealed, the running hash of the commitments,
    /// `H_0 = 0`, `H_(i+1) = keccak256(abi.encode(H_i, x_i, y_i))`.
    function roundState(uint256 id) external view returns (uint256 committed, uint256 revealedMask, bytes32 commitmentsHash);
    /// @return slotPlusOne 0 when the trainer has not committed in this round
    function slotOf(uint256 id, address trainer) external view returns (uint256 slotPlusOne);
    /// @notice The stored share words of a settled round (empty when void).
    function sharesOf(uint256 id) external view returns (uint256[] memory);
}

/// @notice Deploys projects, all with the same keys and verifier.
interface IProjectFactory {
    event ProjectCreated(address indexed project, address indexed owner, bytes32 specification);

    /// @notice Deploys a project. `msg.value` must be `rounds * (roundReward + roundFee)` exactly; `terms.owner` must be the sender.
    function createProject(Terms calldata terms) external payable returns (address project);
    function keyRegistry() external view returns (address);
    function roundVerifier() external view returns (address);
    function isProject(address project) external view returns (bool);
}
