// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RangeProof} from "./IRangeVerifier.sol";
import {RoundProof} from "./IRoundVerifier.sol";

/// @notice The terms of a project. Fixed at creation; `IProject.terms()` returns them in one call.
struct Terms {
    /* PARTIES AND CURRENCY */
    address owner;
    address aggregator; // before the deadline of Aggregate, the only possible payee of a settlement
    address token; // the ERC-20 of all amounts below, in its smallest unit; zero for ether, in wei
    bytes32 specification; // sha2-256 digest of the canonical JSON specification = digest of its CID (codec raw)
    /* PROOFS */
    uint8 rule; // 1 = agreement, the only rule
    uint8 slots; // N: 8, 16, 32, 64 or 128; a key for it must be registered
    uint8 table; // lookup table of the range proof: 8 (two limbs) or 16 bits
    uint32 dimension; // d, 1 ..= 2^22 - 1
    uint16 theta; // outlier threshold in 1/256 of the median contribution, <= 128
    uint8 trim; // trimmed share of a row in 1/256, <= 85
    /* PARTICIPATION */
    uint8 minTrainers; // 3 ..= maxTrainers
    uint8 maxTrainers; // <= slots
    uint8 minActive; // fewest active slots of a round: 5 (3 on a test chain) ..= minTrainers
    uint96 stake; // of every trainer
    uint96 bond; // of the aggregator, placed before registration ends; > 0
    uint16 outlierRounds; // rounds in which a trainer may be an outlier without a penalty
    uint96 outlierPenalty; // lost from the stake, once, for one outlier round more; at most a tenth of it
    /* REWARD */
    uint16 rounds; // rounds to settle, >= 1
    uint16 maxVoids; // void rounds after which the project is wound up, >= 1
    uint96 roundReward; // shared by the trainers of a round
    uint96 roundFee; // for a settled round whose model file is attested
    /* CLOCK, seconds: an hour (1 on a test chain) to thirty days each */
    uint32 registrationPeriod;
    uint32 commitPeriod;
    uint32 revealPeriod;
    uint32 attestPeriod;
    uint32 aggregatePeriod;
    /* HYPER-PARAMETERS (docs/protocol.md 10) */
    uint32 learningRate; // millionths
    uint16 localEpochs;
    uint32 decay; // 2^-16
    uint32 coherenceFloor; // 2^-16
    uint32 coherenceDecay; // 2^-16
    uint32 minLearningRate; // millionths
    /* FIRST MODEL */
    uint256[2] model; // commitment of T_0, (0, 0) if T_0 = 0
    bytes32 modelCid; // digest of T_0's file
}

/// @notice The phase of a project. Values only increase within a round; a new round starts at Commit.
enum Phase {
    Registration,
    Commit,
    Reveal,
    Attest,
    Aggregate,
    Closing, // trainers attest the last model file, or another account publishes it
    Completed, // all rounds are settled
    WoundUp // too few trainers, no bond, or too many void rounds: the rest of the escrow belongs to the owner
}

/// @notice A project: its reward in escrow, its trainers, its rounds, its model.
/// @dev A round id is `settled + voided + 1` when the round opens. No id is used twice, so nothing proved for one round
/// is valid in another.
interface IProject {
    /* ERRORS */

    error WrongPhase(Phase expected, Phase actual);
    error DeadlinePassed(uint256 deadline);
    error DeadlineNotReached(uint256 deadline);
    /// @notice The ether sent differs from the amount due, which is 0 in a project with a token.
    error WrongValue(uint256 expected, uint256 sent);
    /// @notice `received` of `expected` units of the token arrived: it takes a fee on transfer or changes balances by
    /// itself.
    error UnsupportedToken(uint256 expected, uint256 received);
    error InvalidTerms(string field);
    error AlreadyJoined(address trainer);
    error NotATrainer(address account);
    error ProjectFull();
    /// @notice The EIP-712 signature of a join is not the trainer's, or has expired.
    error InvalidSignature(address trainer);
    /// @notice The trainer has committed in the open round and cannot leave before the round ends.
    error RoundPending(address trainer);
    error NotTheAggregator(address account);
    error BondAlreadyPlaced();
    error AlreadyCommitted(address trainer);
    error CommitmentReused(uint256 x, uint256 y);
    error NothingToReveal(address trainer);
    error RevealMismatch();
    /// @notice The account has no revealed slot in this round, or has attested already.
    error NothingToAttest(address trainer);
    /// @notice The mask contains a slot that is not revealed, or lacks the sender's own.
    error WrongMask(uint256 mask);
    /// @notice No fee is held for a model file, or this account has published the file already.
    error NothingToPublish();
    /// @notice The account is neither the payee of the last settlement nor a publisher of its model file.
    error NotASource(address source);
    error NothingToAdvance();
    error WrongRound(uint256 expected, uint256 actual);
    /// @notice The commitments are not those of all the round's slots in slot order.
    error WrongCommitments();
    /// @notice The outliers are not the trainers of the active slots that are not kept, in slot order.
    error WrongOutliers();
    error InvalidModelCid();
    error NothingToWithdraw(address account);
    error TransferFailed(address to);

    /* EVENTS; together they determine the whole state (test/Events.t.sol rebuilds it from them) */

    event ProjectOpened(address indexed owner, bytes32 specification, uint256 deposit);
    event Joined(address indexed trainer, uint256 stake);
    /// @notice The trainer signed the `Joined` that follows and `sender` submitted it; the trainer's nonce is used.
    event JoinSigned(address indexed trainer, address indexed sender, uint256 nonce);
    event Left(address indexed trainer, uint256 stake);
    event BondPlaced(address indexed aggregator, uint256 amount);
    /// @notice A phase opens; or the open one has its period again because the chain stood still.
    event PhaseOpened(uint256 indexed round, Phase phase, uint256 deadline);
    event UpdateCommitted(
        uint256 indexed round, uint256 indexed slot, address indexed trainer, uint256 x, uint256 y, bytes32 seal
    );
    event UpdateRevealed(uint256 indexed round, uint256 indexed slot, address indexed trainer, bytes32 cid);
    event Attested(uint256 indexed round, uint256 indexed slot, address indexed trainer, uint256 mask, address source);
    /// @notice Attest has ended with these active slots.
    event SlotsActive(uint256 indexed round, uint256 activeMask, uint256 attestedMask);
    /// @notice The trainer loses its seat and its stake. Either it did not reveal, and `LossDivided` follows; or more
    /// than half of the revealed slots attested without its update, and the stake is burnt.
    event StakeSlashed(uint256 indexed round, address indexed trainer, uint256 amount);
    /// @notice The trainer was an outlier in more rounds than the terms allow: `amount` of its stake is burnt, the seat
    /// stays.
    event OutlierPenalised(uint256 indexed round, address indexed trainer, uint256 amount);
    /// @notice Nobody settled, and `LossDivided` among the active slots follows. With `activeMask` 0: the aggregator
    /// withheld the model file of `round` and another account published it; the whole bond is burnt.
    event BondSlashed(uint256 indexed round, uint256 amount, uint256 activeMask);
    /// @notice The trainer of each slot of `mask`, except the owner, is credited with `part` of the bond, or of the
    /// stakes of those who did not reveal: then at most as much as its own stake. `Burnt` follows if there is a rest.
    /// @param mask the active slots for the bond, the revealed slots for stakes
    event LossDivided(uint256 indexed round, uint256 mask, uint256 part);
    /// @notice `amount` of lost stakes, of penalties or of the bond is nobody's from now on.
    event Burnt(uint256 indexed round, uint256 amount);
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
    /// @notice `publisher` claims that the model file of `round` was withheld and that it serves the file under `cid`.
    event ModelPublished(uint256 indexed round, address indexed publisher, bytes32 cid);
    /// @notice In Closing, `trainer` states that it got the model file of `round` from `source`.
    event ModelSourceNamed(uint256 indexed round, address indexed trainer, address source);
    /// @notice More than half attest that they got the model file of `round` from `source`, which earns the fee.
    event ModelAttested(uint256 indexed round, address indexed source, bytes32 cid, uint256 fee);
    /// @notice No source of the model file of `round` was named by more than half: the fee returns to the escrow.
    event ModelUnattested(uint256 indexed round, uint256 fee);
    /// @notice The hyper-parameters of the round that opens.
    event HyperParameters(uint256 indexed round, uint256 learningRate, uint256 localEpochs);
    event RoundVoided(uint256 indexed round, string reason);
    event ProjectEnded(Phase phase, uint256 toOwner);
    event Withdrawn(address indexed account, address indexed to, uint256 amount);

    /* REGISTRATION */

    /// @notice Joins with exactly `stake`. Opens round 1 if the project is full and the bond is placed.
    function join() external payable;
    /// @notice Joins for `trainer`, who has signed `Join(address trainer,uint256 nonce,uint256 validUntil)` (EIP-712).
    /// The account's own ECDSA signature is enough even if it has code (EIP-7702); otherwise ERC-1271 decides.
    /// The sender pays the stake, which belongs to the trainer from then on.
    function joinFor(address trainer, uint256 validUntil, bytes calldata signature) external payable;
    /// @notice Gives up the seat; the stake becomes withdrawable. Possible before Closing, unless the sender has
    /// committed in the open round.
    function leave() external;
    /// @notice Places the aggregator's bond, exactly `bond`, during registration.
    function placeBond() external payable;

    /* ROUNDS */

    /// @notice Posts a commitment with its range proof and `seal = keccak256(abi.encode(cid, sender, salt))`. The last
    /// trainer's commit opens Reveal.
    function commitUpdate(uint256 round, uint256[2] calldata commitment, bytes32 seal, RangeProof calldata proof)
        external;
    /// @notice Opens the seal. The last reveal opens Attest.
    function revealUpdate(uint256 round, bytes32 cid, bytes32 salt) external;
    /// @notice Attests an update's file for each slot of `mask`: the sender fetched the file and it matches the
    /// commitment. A slot is active if more than half of the revealed slots attest it. It loses stake and seat if more
    /// than half of the revealed slots attest without it; if the round is void, only where that concerns less than half
    /// of the slots. A trainer that does not attest is not paid for the round.
    /// @param mask revealed slots, the sender's own among them
    /// @param source the account from which the sender got the last settled round's model file: that round's payee, a
    /// publisher, or zero for nobody. While no fee is held for a model file, `source` is ignored and logged as zero: an
    /// attestation must not fail because others have decided the question in the meantime
    function attest(uint256 round, uint256 mask, address source) external;
    /// @notice In Closing, names the source of the last model file; once for each account that attested in that file's
    /// round. Zero is refused: a trainer that could not get the file does not call.
    function attestModel(address source) external;
    /// @notice Claims that the model file of the last settled round was withheld and that the sender serves it under
    /// `cid`. Earns the fee if more than half then name the sender as their source.
    function publishModel(bytes32 cid) external;
    /// @notice Settles the round by proof, for the active slots of `roundState`. Before the deadline, and while the
    /// bond is placed, the payee must be the aggregator. Where the payee is the aggregator, the sender must be, too, at
    /// any time: the settlement names the model file for which the bond answers.
    /// @param commitments of EVERY committed slot of the round in slot order; checked against the running hash
    /// @param outliers the trainers of the active slots that are not kept, in slot order, if the terms have an outlier
    /// penalty; otherwise empty
    function settle(
        uint256 round,
        address payee,
        bytes32 modelCid,
        uint256[2][] calldata commitments,
        address[] calldata outliers,
        RoundProof calldata proof
    ) external;
    /// @notice Ends a phase whose deadline has passed, or extends it, once, if it had too few blocks. Anyone may call.
    function advance() external;

    /* MONEY */

    /// @notice Pays everything that the sender is owed (shares, fee, stake, bond, rest) to `to`.
    function withdraw(address payable to) external returns (uint256 amount);
    /// @notice The amount that `withdraw` would pay now.
    function owed(address account) external view returns (uint256);
    /// @notice Reward and fees that are neither credited nor held for a model file.
    function escrow() external view returns (uint256);
    /// @notice Lost stakes, penalties and bonds that are nobody's: this amount stays in the contract for ever.
    function burnt() external view returns (uint256);

    /* VIEWS */

    /// @notice Version of this interface; increases with every incompatible change.
    function interfaceVersion() external pure returns (uint256);
    function terms() external view returns (Terms memory);
    function factory() external view returns (address);
    function keyRegistry() external view returns (address);
    function roundVerifier() external view returns (address);
    function rangeVerifier() external view returns (address);
    function phase() external view returns (Phase);
    /// @notice The id of the open round, 0 before the first.
    function round() external view returns (uint256);
    function deadline() external view returns (uint256);
    function settledRounds() external view returns (uint256);
    function voidRounds() external view returns (uint256);
    function trainers() external view returns (address[] memory);
    function isTrainer(address account) external view returns (bool);
    /// @return stake the part that is held; 0 once it is lost or returned
    /// @return dropped number of rounds in which the trainer was an outlier
    /// @return penalised whether it paid the outlier penalty
    function trainerState(address account) external view returns (uint256 stake, uint256 dropped, bool penalised);
    /// @notice The nonce of the account's next signed join.
    function nonces(address account) external view returns (uint256);
    function bondPlaced() external view returns (bool);
    function learningRate() external view returns (uint256);
    function localEpochs() external view returns (uint256);
    function model() external view returns (uint256[2] memory commitment, bytes32 cid);
    /// @notice The model file whose fee is held: its round (0 if there is none), the payee of its settlement, the fee.
    function openModel() external view returns (uint256 round, address payee, uint256 fee);
    /// @return committed number of slots of the round
    /// @return revealedMask slots whose seal is open
    /// @return attestedMask slots whose trainer attested
    /// @return activeMask slots that count, 0 before Attest has ended
    /// @return slotsHash running hash of the slots: `H_0 = 0`, `H_(i+1) = keccak256(abi.encode(x_i, y_i, H_i))` with
    /// its low byte replaced by `i + 1`
    function roundState(uint256 id)
        external
        view
        returns (uint256 committed, uint256 revealedMask, uint256 attestedMask, uint256 activeMask, bytes32 slotsHash);
    /// @return slotPlusOne 0 if the trainer has not committed in this round
    function slotOf(uint256 id, address trainer) external view returns (uint256 slotPlusOne);
    /// @notice The share words of a settled round; empty for any other.
    function sharesOf(uint256 id) external view returns (uint256[] memory);
}

/// @notice Deploys projects, all with the same keys and verifiers.
interface IProjectFactory {
    event ProjectCreated(address indexed project, address indexed owner, bytes32 specification);

    /// @notice Deploys a project and takes the deposit `rounds * (roundReward + roundFee)` from the sender, who must be
    /// `terms.owner`: as `msg.value`, or in the token, for which the sender must have approved this factory.
    function createProject(Terms calldata terms) external payable returns (address project);
    function keyRegistry() external view returns (address);
    function roundVerifier() external view returns (address);
    function rangeVerifier() external view returns (address);
    function isProject(address project) external view returns (bool);
}
