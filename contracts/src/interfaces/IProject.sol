// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FormProof} from "./IFormVerifier.sol";
import {RoundProof} from "./IRoundVerifier.sol";

/// @notice The rules of a project. Fixed at creation; `IProject.terms()` returns them in one call.
struct Terms {
    address owner;
    address aggregator; // the only one who may be payee of a settlement before its deadline
    address token; // the ERC-20 of all amounts below, in its least unit; zero for ether, in wei
    bytes32 specification; // sha2-256 digest of the canonical JSON specification = its CID digest (codec raw)
    // --- proof system
    uint8 rule; // 1 = agreement, 2 = multi-krum
    uint8 slots; // N: 8, 16, 32, 64, 128 (a registered key must exist)
    uint8 table; // of the proof of form: 8 (two limbs) or 16
    uint32 dimension; // d, 1 ..= 2^22 - 1
    uint16 theta; // agreement: outlier threshold, 1/256 of the median contribution, < 2^10; multi-krum: 0
    uint8 trim; // agreement: trimmed share of a row, 1/256, <= 85; multi-krum: 0
    uint8 byzantine; // multi-krum: share of the active slots that may lie, 1/256, <= 85: f = floor(n * byzantine / 256); agreement: 0
    uint8 selected; // multi-krum: share of the active slots that is kept, 1/256, 1 ..= 255: m = max(2, floor(n * selected / 256)); agreement: 0
    // --- participation
    uint8 minTrainers; // 3 ..= maxTrainers
    uint8 maxTrainers; // <= slots
    uint8 minActive; // fewest active slots of a round: 5, or 3 on a test chain, ..= minTrainers
    uint96 stake; // of every trainer
    uint96 bond; // of the aggregator, placed before registration ends
    uint16 outlierRounds; // rounds in which a trainer may be dropped as outlier without loss
    uint96 outlierPenalty; // what it loses of its stake, once, when it is dropped in one more; 0 ..= stake
    // --- reward
    uint16 rounds; // rounds to settle, >= 1
    uint16 maxVoids; // void rounds after which the project is wound up, >= 1
    uint96 roundReward; // shared by the trainers of a round
    uint96 roundFee; // of the aggregator for a settled round whose model file is attested
    // --- clock, seconds
    uint32 registrationPeriod;
    uint32 commitPeriod;
    uint32 revealPeriod;
    uint32 attestPeriod;
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
    Attest,
    Aggregate,
    Closing, // the last model file is attested or published by another
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
    /// @notice Ether sent is not what is due (0 where the project's currency is a token).
    error WrongValue(uint256 expected, uint256 sent);
    /// @notice Of `expected` units of the token only `received` arrived: it takes a fee on transfer or changes balances by itself.
    error UnsupportedToken(uint256 expected, uint256 received);
    error InvalidTerms(string field);
    error AlreadyJoined(address trainer);
    error NotATrainer(address account);
    error ProjectFull();
    /// @notice The EIP-712 signature of a join is not the trainer's, or its time is over.
    error InvalidSignature(address trainer);
    /// @notice The trainer has committed in the open round: its stake answers for that.
    error RoundPending(address trainer);
    error NotTheAggregator(address account);
    error BondAlreadyPlaced();
    error AlreadyCommitted(address trainer);
    error CommitmentReused(uint256 x, uint256 y);
    error NothingToReveal(address trainer);
    error RevealMismatch();
    /// @notice The account has no revealed slot in this round, or has attested already.
    error NothingToAttest(address trainer);
    /// @notice A mask must be of revealed slots and have the sender's own.
    error WrongMask(uint256 mask);
    /// @notice There is no model file whose fee is open, or this account has published it already.
    error NothingToPublish();
    /// @notice Neither the payee of the last settlement nor a publisher of its model file.
    error NotASource(address source);
    error NothingToAdvance();
    error WrongRound(uint256 expected, uint256 actual);
    /// @notice Not the commitments of the round's slots, all of them in their order.
    error WrongCommitments();
    /// @notice Not the trainers whose dropping counts, in the order of their slots.
    error WrongOutliers();
    error InvalidModelCid();
    error NothingToWithdraw(address account);
    error TransferFailed(address to);

    // --- events: together they tell all state (test/Events.t.sol rebuilds it from them)
    event ProjectOpened(address indexed owner, bytes32 specification, uint256 deposit);
    event Joined(address indexed trainer, uint256 stake);
    /// @notice `Joined` of this trainer was signed by it and sent by another; its nonce is used.
    event JoinSigned(address indexed trainer, address indexed sender, uint256 nonce);
    event Left(address indexed trainer, uint256 stake);
    event BondPlaced(address indexed aggregator, uint256 amount);
    event PhaseOpened(uint256 indexed round, Phase phase, uint256 deadline);
    event UpdateCommitted(uint256 indexed round, uint256 indexed slot, address indexed trainer, uint256 x, uint256 y, bytes32 seal);
    event UpdateRevealed(uint256 indexed round, uint256 indexed slot, address indexed trainer, bytes32 cid);
    event Attested(uint256 indexed round, uint256 indexed slot, address indexed trainer, uint256 mask, address source);
    /// @notice Attest has ended with these active slots.
    event SlotsActive(uint256 indexed round, uint256 activeMask, uint256 attestedMask);
    /// @notice A stake is lost to the escrow, with the seat: not revealed, or revealed and not attested by the majority.
    event StakeSlashed(uint256 indexed round, address indexed trainer, uint256 amount);
    /// @notice Dropped as outlier once more than the terms allow: `amount` of the stake goes to the escrow; the seat stays.
    event OutlierPenalised(uint256 indexed round, address indexed trainer, uint256 amount);
    /// @notice Nobody settled: the bond is divided equally among the active slots, what does not divide goes to the escrow. With
    /// `activeMask` 0: the aggregator withheld the model file of `round` and another published it; all of the bond goes to the escrow.
    event BondSlashed(uint256 indexed round, uint256 amount, uint256 activeMask);
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
    /// @notice `publisher` says that the model file of `round` was withheld and that it serves it under `cid`.
    event ModelPublished(uint256 indexed round, address indexed publisher, bytes32 cid);
    /// @notice In Closing, `trainer` says that it had the model file of `round` from `source`.
    event ModelSourceNamed(uint256 indexed round, address indexed trainer, address source);
    /// @notice More than half attest that they had the model file of `round` from `source`, which earns the fee.
    event ModelAttested(uint256 indexed round, address indexed source, bytes32 cid, uint256 fee);
    /// @notice Nobody's file of `round` was attested by more than half: the fee goes back to the escrow.
    event ModelUnattested(uint256 indexed round, uint256 fee);
    event HyperParameters(uint256 indexed round, uint256 learningRate, uint256 localEpochs); // of the round that opens
    event RoundVoided(uint256 indexed round, string reason);
    event ProjectEnded(Phase phase, uint256 toOwner);
    event Withdrawn(address indexed account, address indexed to, uint256 amount);

    // --- registration
    /// @notice Joins with exactly `stake`. Opens round 1 when the project is full and the bond is placed.
    function join() external payable;
    /// @notice Joins `trainer`, who has signed `Join(address trainer,uint256 nonce,uint256 validUntil)` (EIP-712; ERC-1271 for
    /// contracts), with a stake that the sender pays and that is the trainer's from then on.
    function joinFor(address trainer, uint256 validUntil, bytes calldata signature) external payable;
    /// @notice Gives up the seat; the stake becomes withdrawable. At any time before Closing but in a round in which the sender has committed.
    function leave() external;
    /// @notice The aggregator's bond, exactly `bond`, while registration is open.
    function placeBond() external payable;

    // --- rounds
    /// @notice Posts a commitment with its proof of form and `seal = keccak256(abi.encode(cid, sender, salt))`. The last trainer's
    /// commit opens Reveal.
    function commitUpdate(uint256 round, uint256[2] calldata commitment, bytes32 seal, FormProof calldata proof) external;
    /// @notice Opens the seal. The last reveal opens Attest.
    function revealUpdate(uint256 round, bytes32 cid, bytes32 salt) external;
    /// @notice Says which revealed slots' bytes the sender fetched and found to give their commitments (its own among them), and
    /// from whom it had the last settled round's model file: that round's payee, a publisher, or zero when from nobody. While no fee is open
    /// `source` is ignored and logged as zero, so that an attestation is not refused because others closed the question first. A slot is active when more than half of the revealed slots attest it. Who attests nothing is not paid for the round.
    function attest(uint256 round, uint256 mask, address source) external;
    /// @notice The same of the last model file alone, in Closing, once, by those who attested in that file's round. Whoever had it from nobody
    /// does not call: zero is refused.
    function attestModel(address source) external;
    /// @notice Says that the model file of the last settled round was withheld and can be had under `cid` from the sender. Earns the
    /// fee when more than half then attest it.
    function publishModel(bytes32 cid) external;
    /// @notice Settles the round by proof; the slots that are active are `roundState`'s. Before the deadline payee and sender must be the
    /// aggregator, as long as its bond is there.
    /// @param commitments those of EVERY committed slot of the round in slot order; checked against their running hash
    /// @param outliers where the terms have an outlier penalty the trainers of the active slots that are not kept, in slot order; else none
    function settle(
        uint256 round,
        address payee,
        bytes32 modelCid,
        uint256[2][] calldata commitments,
        address[] calldata outliers,
        RoundProof calldata proof
    ) external;
    /// @notice Moves the project on when a deadline has passed. Anybody may call.
    function advance() external;

    // --- money
    /// @notice Pays all that the sender is owed (shares, fee, stake, bond, rest) to `to`.
    function withdraw(address payable to) external returns (uint256 amount);
    /// @notice What `withdraw` would pay now.
    function owed(address account) external view returns (uint256);
    /// @notice Reward and fee still in escrow: neither credited, nor held for a model file, nor returned.
    function escrow() external view returns (uint256);

    // --- views
    /// @notice Counts changes of this interface. 2 in this version.
    function interfaceVersion() external pure returns (uint256);
    function terms() external view returns (Terms memory);
    function factory() external view returns (address);
    function keyRegistry() external view returns (address);
    function roundVerifier() external view returns (address);
    function formVerifier() external view returns (address);
    function phase() external view returns (Phase);
    /// @notice The id of the open round, 0 before the first.
    function round() external view returns (uint256);
    function deadline() external view returns (uint256);
    function settledRounds() external view returns (uint256);
    function voidRounds() external view returns (uint256);
    function trainers() external view returns (address[] memory);
    function isTrainer(address account) external view returns (bool);
    /// @return stake what is held of it, 0 when it is lost or given back; dropped in how many rounds as outlier; whether it was penalised
    function trainerState(address account) external view returns (uint256 stake, uint256 dropped, bool penalised);
    /// @notice The nonce of the account's next signed join.
    function nonces(address account) external view returns (uint256);
    function bondPlaced() external view returns (bool);
    function learningRate() external view returns (uint256);
    function localEpochs() external view returns (uint256);
    function model() external view returns (uint256[2] memory commitment, bytes32 cid);
    /// @notice The model file whose fee is open: its round (0 when none is), the payee of that settlement, the fee held.
    function openModel() external view returns (uint256 round, address payee, uint256 fee);
    /// @notice Slots of a round: how many committed, which revealed, which of these attested, which are active (0 before Attest
    /// has ended), and the running hash of the slots, `H_0 = 0`, `H_(i+1) = keccak256(abi.encode(x_i, y_i, H_i))`
    /// with `i + 1` in the place of its low byte.
    function roundState(uint256 id)
        external
        view
        returns (uint256 committed, uint256 revealedMask, uint256 attestedMask, uint256 activeMask, bytes32 slotsHash);
    /// @return slotPlusOne 0 when the trainer has not committed in this round
    function slotOf(uint256 id, address trainer) external view returns (uint256 slotPlusOne);
    /// @notice The stored share words of a settled round (empty when void).
    function sharesOf(uint256 id) external view returns (uint256[] memory);
}

/// @notice Deploys projects, all with the same keys and verifier.
interface IProjectFactory {
    event ProjectCreated(address indexed project, address indexed owner, bytes32 specification);

    /// @notice Deploys a project and takes `rounds * (roundReward + roundFee)` from the sender, who must be `terms.owner`: exactly that as
    /// `msg.value`, or of the token, which the sender has allowed this factory to move.
    function createProject(Terms calldata terms) external payable returns (address project);
    function keyRegistry() external view returns (address);
    function roundVerifier() external view returns (address);
    function formVerifier() external view returns (address);
    function isProject(address project) external view returns (bool);
}
