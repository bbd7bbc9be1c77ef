// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ERC165} from "@openzeppelin/contracts/utils/introspection/ERC165.sol";
import {IKeyRegistry} from "./interfaces/IKeyRegistry.sol";
import {IProject, Phase, Terms} from "./interfaces/IProject.sol";
import {IRoundVerifier, RoundProof, RoundStatement} from "./interfaces/IRoundVerifier.sol";
import {Bn254} from "./libraries/Bn254.sol";
import {Packed} from "./libraries/Packed.sol";
import {TermsCheck} from "./libraries/TermsCheck.sol";

/// @title A project: an owner's reward in escrow, the trainers who earn it, and the rules by which they do.
///
/// @notice In plain words, and binding, because nothing but this code moves the money:
///
/// 1. The owner paid the reward and the fees of all rounds when the project was created. The owner cannot take any of it back before the
///    project has ended, cannot change a term, and cannot stop the project.
/// 2. A trainer puts down a stake. It comes back in full when the trainer leaves before the first round, or when the project ends. It is lost
///    for one thing only: to commit to an update in a round and then not to reveal it before the deadline.
/// 3. A round is settled only with a proof that this contract has checked. Each trainer then owns `roundReward * share / 2^16` wei of it
///    at once (rounded down), and nobody can take that away: not the owner, not the aggregator, not a later slashing.
/// 4. The aggregator puts down a bond and earns `roundFee` for a settled round. Until the deadline of the phase Aggregate
///    the fee can go to nobody else. From the deadline on, for one more period of the same length, it goes to whoever brings a valid result
///    first. When nobody has by then, the round is void, and where at least `minActive + maxExcluded` had revealed (so that `maxExcluded`
///    withheld files were no reason not to settle) the bond is divided equally among the trainers who revealed in that round.
///    The project then goes on without a bond, and from then on a result may come from anybody from the start of the phase.
/// 5. A void round costs nobody anything else: its reward and fee stay in escrow for the next round.
/// 6. Every phase has a deadline. After it anybody may call `advance()`, which moves the project on, so nobody can hold it up.
/// 7. The project ends Completed, when all rounds are settled, or WoundUp, when too few trainers registered or remain, when the bond
///    was not placed, or when too many rounds were void. Then every stake belongs to its trainer again, a bond that is left to the aggregator,
///    and what is left in escrow (rewards not earned, rounding, lost stakes) to the owner.
/// 8. Money leaves only by `withdraw`, to where its owner says. Nobody has a key to it, and nobody can pause it.
///
/// @dev Longer than the house's 500 lines: what moves money and state stands in one file, so that it is read in one piece.
/// Each project is a clone of one implementation (OpenZeppelin `Clones`) with its terms in its own code, so they cannot change.
/// Ether sent by force (not through a function) is nobody's and stays. At all times, forced ether aside:
/// `balance = escrow + sum of owed + stakes held + bond held`.
contract Project is IProject, ERC165, ReentrancyGuardTransient {
    /// @notice Only the factory initialises a project, once.
    error NotInitializable();
    /// @notice This is the code that projects share, not a project.
    error NotAProject();

    /// @dev What is held for, and was paid to, one account that is or was a trainer.
    struct Trainer {
        bool active; // is in `_trainers`
        bool stakeHeld;
        uint32 paidRounds; // shares of rounds 1 ..= paidRounds have been credited
    }

    struct RoundData {
        bytes32 commitmentsHash;
        uint128 revealedMask;
        uint8 committed;
        uint8 shareWords; // 0 until the round is settled
    }

    struct Submission {
        bytes32 seal;
        uint8 slotPlusOne;
    }

    /// @dev What every transaction needs, in one storage slot.
    struct Status {
        Phase phase;
        bool bondHeld;
        uint16 settled;
        uint16 voided;
        uint32 round;
        uint32 learningRate;
        uint64 deadline;
    }

    /// @inheritdoc IProject
    address public immutable factory;
    /// @inheritdoc IProject
    address public immutable keyRegistry;
    /// @inheritdoc IProject
    address public immutable roundVerifier;

    address private immutable IMPLEMENTATION = address(this);

    Status private _status;
    /// @inheritdoc IProject
    uint256 public escrow;
    uint256[2] private _model;
    bytes32 private _modelCid;
    address[] private _trainers;
    mapping(address account => uint256) private _credit;
    mapping(address account => Trainer) private _trainer;
    mapping(uint256 id => RoundData) private _rounds;
    mapping(uint256 id => mapping(address trainer => Submission)) private _submissions;
    mapping(uint256 id => mapping(uint256 index => uint256 word)) private _shares;
    mapping(bytes32 point => bool) private _used;

    /// @dev Run once, by the factory, for the code that all its projects share.
    constructor(IKeyRegistry registry, IRoundVerifier verifier) {
        factory = msg.sender;
        keyRegistry = address(registry);
        roundVerifier = address(verifier);
    }

    /// @notice Checks the terms, takes the deposit into escrow and opens registration. For the factory, in the transaction of the creation.
    function initialize() external payable {
        if (msg.sender != factory || _status.deadline != 0) revert NotInitializable();
        Terms memory t = terms();
        TermsCheck.check(t);
        IKeyRegistry(keyRegistry).verifyingKey(t.rule, t.slots); // reverts when there is none
        uint256 deposit = uint256(t.rounds) * (uint256(t.roundReward) + t.roundFee);
        _requireValue(deposit);

        escrow = deposit;
        _model = t.model;
        _modelCid = t.modelCid;
        _status.learningRate = t.learningRate;
        emit ProjectOpened(t.owner, t.specification, deposit);
        _openPhase(Phase.Registration, t.registrationPeriod);
    }

    // --- registration

    /// @inheritdoc IProject
    function join() external payable nonReentrant {
        Terms memory t = terms();
        _requireOpen(Phase.Registration);
        _requireValue(t.stake);
        if (_trainer[msg.sender].active) revert AlreadyJoined(msg.sender);
        if (_trainers.length == t.maxTrainers) revert ProjectFull();

        _trainers.push(msg.sender);
        _trainer[msg.sender].active = true;
        _trainer[msg.sender].stakeHeld = true;
        emit Joined(msg.sender, t.stake);
        _openIfComplete(t);
    }

    /// @inheritdoc IProject
    function leave() external nonReentrant {
        Terms memory t = terms();
        _requireOpen(Phase.Registration);
        if (!_trainer[msg.sender].active) revert NotATrainer(msg.sender);

        uint256 i;
        while (_trainers[i] != msg.sender) ++i;
        _removeTrainer(i);
        _credit[msg.sender] += t.stake;
        emit Left(msg.sender, t.stake);
    }

    /// @inheritdoc IProject
    function placeBond() external payable nonReentrant {
        Terms memory t = terms();
        _requireOpen(Phase.Registration);
        if (msg.sender != t.aggregator) revert NotTheAggregator(msg.sender);
        if (_status.bondHeld) revert BondAlreadyPlaced();
        _requireValue(t.bond);

        _status.bondHeld = true;
        emit BondPlaced(msg.sender, t.bond);
        _openIfComplete(t);
    }

    // --- rounds

    /// @inheritdoc IProject
    function commitUpdate(uint256 round_, uint256[2] calldata commitment, bytes32 seal) external nonReentrant {
        _requireOpen(Phase.Commit);
        _requireRound(round_);
        if (!_trainer[msg.sender].active) revert NotATrainer(msg.sender);
        Submission storage submission = _submissions[round_][msg.sender];
        if (submission.slotPlusOne != 0) revert AlreadyCommitted(msg.sender);
        (uint256 x, uint256 y) = (commitment[0], commitment[1]);
        if (!Bn254.isOnCurve(x, y)) revert InvalidCommitment();
        bytes32 point = keccak256(abi.encode(x, y));
        if (_used[point]) revert CommitmentReused(x, y);

        RoundData storage data = _rounds[round_];
        uint256 slot = data.committed;
        _used[point] = true;
        submission.seal = seal;
        submission.slotPlusOne = uint8(slot + 1);
        data.committed = uint8(slot + 1);
        data.commitmentsHash = _chain(data.commitmentsHash, x, y);
        emit UpdateCommitted(round_, slot, msg.sender, x, y, seal);
        if (slot + 1 == _trainers.length) _openPhase(Phase.Reveal, terms().revealPeriod);
    }

    /// @inheritdoc IProject
    function revealUpdate(uint256 round_, bytes32 cid, bytes32 salt) external nonReentrant {
        _requireOpen(Phase.Reveal);
        _requireRound(round_);
        Submission storage submission = _submissions[round_][msg.sender];
        if (submission.slotPlusOne == 0) revert NothingToReveal(msg.sender);
        uint256 slot = submission.slotPlusOne - 1;
        RoundData storage data = _rounds[round_];
        if (Packed.has(data.revealedMask, slot)) revert NothingToReveal(msg.sender);
        if (keccak256(abi.encode(cid, msg.sender, salt)) != submission.seal) revert RevealMismatch();

        data.revealedMask |= uint128(1 << slot);
        emit UpdateRevealed(round_, slot, msg.sender, cid);
        if (Packed.count(data.revealedMask) == data.committed) _openPhase(Phase.Aggregate, terms().aggregatePeriod);
    }

    /// @inheritdoc IProject
    function settle(
        uint256 round_,
        address payee,
        uint256 activeMask,
        bytes32 modelCid,
        uint256[] calldata commitments,
        RoundProof calldata proof
    ) external nonReentrant {
        Terms memory t = terms();
        _requirePhase(Phase.Aggregate);
        _requireRound(round_);
        _requirePayee(t, payee);
        uint256 active = _requireActive(t, round_, activeMask);
        if (modelCid == 0) revert InvalidModelCid();

        uint256[] memory chosen = _activeCommitments(round_, activeMask, active, commitments);
        {
            RoundStatement memory statement;
            statement.project = address(this);
            statement.round = round_;
            statement.payee = payee;
            statement.dimension = t.dimension;
            statement.slots = t.slots;
            statement.rule = t.rule;
            statement.policy = [uint256(t.theta), active * t.trim / 256];
            statement.activeMask = activeMask;
            statement.modelCid = modelCid;
            statement.commitments = chosen;
            IRoundVerifier(roundVerifier).verify(statement, proof);
        }
        _model = IRoundVerifier(roundVerifier).modelStep(_model, activeMask, chosen, proof.weights);
        _modelCid = modelCid;
        _pay(t, round_, payee, proof.shares);
        _stepLearningRate(t, proof.coherence);
        ++_status.settled;
        _emitSettled(round_, payee, activeMask, proof);
        _openNextRound(t);
    }

    /// @inheritdoc IProject
    function advance() external nonReentrant {
        Terms memory t = terms();
        Status memory status = _status;
        if (status.phase >= Phase.Completed) revert NothingToAdvance();
        uint256 end = status.deadline;
        if (status.phase == Phase.Aggregate) end += t.aggregatePeriod;
        if (block.timestamp < end) revert DeadlineNotReached(end);

        if (status.phase == Phase.Registration) _endRegistration(t);
        else if (status.phase == Phase.Commit) _endCommit(t);
        else if (status.phase == Phase.Reveal) _endReveal(t);
        else _endAggregate(t);
    }

    // --- money

    /// @inheritdoc IProject
    /// @dev The only place where ether leaves: all is written down before the call.
    function withdraw(address payable to) external nonReentrant returns (uint256 amount) {
        amount = owed(msg.sender);
        if (amount == 0) revert NothingToWithdraw(msg.sender);
        _credit[msg.sender] = 0;
        _trainer[msg.sender].paidRounds = _closedRounds();
        if (_hasEnded()) _trainer[msg.sender].stakeHeld = false;
        emit Withdrawn(msg.sender, to, amount);

        if (to == address(0)) revert TransferFailed(to);
        (bool sent,) = to.call{value: amount}("");
        if (!sent) revert TransferFailed(to);
    }

    /// @inheritdoc IProject
    function owed(address account) public view returns (uint256 amount) {
        Terms memory t = terms();
        amount = _credit[account];
        Trainer memory trainer = _trainer[account];
        if (trainer.stakeHeld && _hasEnded()) amount += t.stake;
        uint256 closed = _closedRounds();
        for (uint256 id = uint256(trainer.paidRounds) + 1; id <= closed; ++id) {
            uint256 slotPlusOne = _submissions[id][account].slotPlusOne;
            if (slotPlusOne == 0) continue;
            // Of a void round there are no words: they read as 0, and so does the share.
            uint256 share = Packed.lane(_shares[id][(slotPlusOne - 1) / Packed.PER_WORD], slotPlusOne - 1);
            amount += _part(t.roundReward, share);
        }
    }

    // --- how a phase ends

    function _endRegistration(Terms memory t) private {
        if (_trainers.length >= t.minTrainers && _status.bondHeld) _openRound(t);
        else _end(t, Phase.WoundUp);
    }

    function _endCommit(Terms memory t) private {
        if (_rounds[_status.round].committed < t.minActive) _void(t, "too few commitments");
        else _openPhase(Phase.Reveal, t.revealPeriod);
    }

    function _endReveal(Terms memory t) private {
        uint256 id = _status.round;
        uint256 revealed = _rounds[id].revealedMask;
        // Backwards, since a removal puts the last trainer into the gap.
        for (uint256 left = _trainers.length; left > 0; --left) {
            address trainer = _trainers[left - 1];
            uint256 slotPlusOne = _submissions[id][trainer].slotPlusOne;
            if (slotPlusOne == 0 || Packed.has(revealed, slotPlusOne - 1)) continue;
            _removeTrainer(left - 1);
            escrow += t.stake;
            emit StakeSlashed(id, trainer, t.stake);
        }
        if (Packed.count(revealed) < t.minActive) _void(t, "too few reveals");
        else _openPhase(Phase.Aggregate, t.aggregatePeriod);
    }

    /// @dev The bond is lost only where `maxExcluded` withheld files could not have kept the aggregator from settling.
    function _endAggregate(Terms memory t) private {
        uint256 id = _status.round;
        uint256 revealed = _rounds[id].revealedMask;
        uint256 count = Packed.count(revealed); // at least minActive, or Aggregate would not have opened
        if (_status.bondHeld && count >= uint256(t.minActive) + t.maxExcluded) {
            uint256 part = t.bond / count;
            _status.bondHeld = false;
            for (uint256 i; i < _trainers.length; ++i) {
                // Who is a trainer still and has committed has revealed: the others were removed when Reveal ended.
                if (_submissions[id][_trainers[i]].slotPlusOne != 0) _credit[_trainers[i]] += part;
            }
            escrow += t.bond - part * count;
            emit BondSlashed(id, t.bond, revealed);
        }
        _void(t, "no result");
    }

    // --- how a round begins and ends

    function _openIfComplete(Terms memory t) private {
        if (_status.bondHeld && _trainers.length == t.maxTrainers) _openRound(t);
    }

    function _openRound(Terms memory t) private {
        uint256 id = ++_status.round;
        emit HyperParameters(id, _status.learningRate, t.localEpochs);
        _openPhase(Phase.Commit, t.commitPeriod);
    }

    function _openNextRound(Terms memory t) private {
        if (_status.settled == t.rounds) _end(t, Phase.Completed);
        else if (_status.voided == t.maxVoids || _trainers.length < t.minActive) _end(t, Phase.WoundUp);
        else _openRound(t);
    }

    function _openPhase(Phase phase_, uint256 period) private {
        _status.phase = phase_;
        _status.deadline = uint64(block.timestamp + period);
        emit PhaseOpened(_status.round, phase_, block.timestamp + period);
    }

    function _void(Terms memory t, string memory reason) private {
        ++_status.voided;
        emit RoundVoided(_status.round, reason);
        _openNextRound(t);
    }

    /// @dev Stakes are not touched here: `owed` counts a held stake as soon as the project has ended.
    function _end(Terms memory t, Phase phase_) private {
        uint256 rest = escrow;
        escrow = 0;
        _credit[t.owner] += rest;
        if (_status.bondHeld) {
            _status.bondHeld = false;
            _credit[t.aggregator] += t.bond;
        }
        _status.phase = phase_;
        _status.deadline = 0;
        emit PhaseOpened(_status.round, phase_, 0);
        emit ProjectEnded(phase_, rest);
    }

    // --- parts of a settlement

    /// @dev While the settlement is the aggregator's, it must also be the sender: the proof shows that all follows from the active mask and
    /// names the model's file, but whoever proves chooses both, and others must not choose them in its name.
    function _requirePayee(Terms memory t, address payee) private view {
        Status memory status = _status;
        uint256 end = uint256(status.deadline) + t.aggregatePeriod;
        if (block.timestamp >= end) revert DeadlinePassed(end);
        bool reserved = status.bondHeld && block.timestamp < status.deadline;
        if (payee == address(0) || (reserved && payee != t.aggregator)) revert NotTheAggregator(payee);
        if (reserved && msg.sender != t.aggregator) revert NotTheAggregator(msg.sender);
    }

    /// @dev The one place that says which slots are active. Here the aggregator names them, out of the revealed ones, and may leave out
    /// `maxExcluded`, whose update is not to be had or does not give its commitment.
    function _requireActive(Terms memory t, uint256 id, uint256 mask) private view returns (uint256 active) {
        uint256 revealed = _rounds[id].revealedMask;
        if (mask & ~revealed != 0) revert WrongActiveMask(mask);
        active = Packed.count(mask);
        if (Packed.count(revealed) - active > t.maxExcluded) revert WrongActiveMask(mask);
        if (active < t.minActive) revert TooFewActive(active, t.minActive);
    }

    /// @dev Checks the commitments of all slots against their running hash and picks those of the active ones.
    function _activeCommitments(uint256 id, uint256 mask, uint256 active, uint256[] calldata commitments)
        private
        view
        returns (uint256[] memory chosen)
    {
        RoundData memory data = _rounds[id];
        if (commitments.length != 2 * uint256(data.committed)) revert WrongCommitments();
        chosen = new uint256[](2 * active);
        bytes32 hash;
        uint256 cursor;
        for (uint256 slot; slot < data.committed; ++slot) {
            (uint256 x, uint256 y) = (commitments[2 * slot], commitments[2 * slot + 1]);
            hash = _chain(hash, x, y);
            if (Packed.has(mask, slot)) {
                chosen[cursor++] = x;
                chosen[cursor++] = y;
            }
        }
        if (hash != data.commitmentsHash) revert WrongCommitments();
    }

    /// @dev Stores the shares, from which `owed` computes what each trainer gets, and takes exactly the sum of that out of escrow. The proof
    /// says that shares sum to at most one and that slots which are not active have none; were it wrong, the subtraction would revert
    /// before a wei of another round could be promised.
    function _pay(Terms memory t, uint256 id, address payee, uint256[] calldata shares) private {
        uint256 paid;
        uint256 total;
        uint256 committed = _rounds[id].committed;
        for (uint256 slot; slot < committed; ++slot) {
            uint256 share = Packed.lane(shares[slot / Packed.PER_WORD], slot);
            total += share;
            paid += _part(t.roundReward, share);
        }
        assert(total <= Packed.ONE);
        for (uint256 i; i < shares.length; ++i) {
            _shares[id][i] = shares[i];
        }
        _rounds[id].shareWords = uint8(shares.length);
        escrow -= paid + t.roundFee;
        _credit[payee] += t.roundFee;
    }

    /// @dev docs/protocol.md 13.5.
    function _stepLearningRate(Terms memory t, uint256 coherence) private {
        uint256 rate = uint256(_status.learningRate) * t.decay >> 16;
        if (coherence < t.coherenceFloor) rate = rate * t.coherenceDecay >> 16;
        if (rate < t.minLearningRate) rate = t.minLearningRate;
        _status.learningRate = uint32(rate);
    }

    function _emitSettled(uint256 id, address payee, uint256 mask, RoundProof calldata p) private {
        emit RoundSettled(id, payee, mask, p.keptMask, p.coherence, p.shares, p.weights, _model, _modelCid);
    }

    // --- small helpers

    /// @dev Wei of a share of 2^-16 parts, rounded down; what is lost stays in escrow.
    function _part(uint256 reward, uint256 share) private pure returns (uint256) {
        return reward * share >> 16;
    }

    /// @dev `H_(i+1) = keccak256(abi.encode(H_i, x_i, y_i))`.
    function _chain(bytes32 hash, uint256 x, uint256 y) private pure returns (bytes32) {
        return keccak256(abi.encode(hash, x, y));
    }

    /// @dev Takes the trainer at `i` off the list. The stake is no longer held for it: the caller says whose it is.
    function _removeTrainer(uint256 i) private {
        address trainer = _trainers[i];
        _trainers[i] = _trainers[_trainers.length - 1];
        _trainers.pop();
        _trainer[trainer].active = false;
        _trainer[trainer].stakeHeld = false;
    }

    function _hasEnded() private view returns (bool) {
        return _status.phase >= Phase.Completed;
    }

    /// @dev Rounds 1 to this are settled or void.
    function _closedRounds() private view returns (uint32) {
        return uint32(_status.settled) + _status.voided;
    }

    function _requirePhase(Phase expected) private view {
        if (_status.phase != expected) revert WrongPhase(expected, _status.phase);
    }

    function _requireOpen(Phase expected) private view {
        _requirePhase(expected);
        if (block.timestamp >= _status.deadline) revert DeadlinePassed(_status.deadline);
    }

    function _requireRound(uint256 given) private view {
        if (given != _status.round) revert WrongRound(_status.round, given);
    }

    function _requireValue(uint256 expected) private view {
        if (msg.value != expected) revert WrongValue(expected, msg.value);
    }

    // --- views

    /// @inheritdoc IProject
    function terms() public view returns (Terms memory) {
        if (address(this) == IMPLEMENTATION) revert NotAProject();
        return abi.decode(Clones.fetchCloneArgs(address(this)), (Terms));
    }

    /// @inheritdoc IProject
    function phase() external view returns (Phase) {
        return _status.phase;
    }

    /// @inheritdoc IProject
    function round() external view returns (uint256) {
        return _status.round;
    }

    /// @inheritdoc IProject
    function deadline() external view returns (uint256) {
        return _status.deadline;
    }

    /// @inheritdoc IProject
    function settledRounds() external view returns (uint256) {
        return _status.settled;
    }

    /// @inheritdoc IProject
    function voidRounds() external view returns (uint256) {
        return _status.voided;
    }

    /// @inheritdoc IProject
    function trainers() external view returns (address[] memory) {
        return _trainers;
    }

    /// @inheritdoc IProject
    function isTrainer(address account) external view returns (bool) {
        return _trainer[account].active;
    }

    /// @inheritdoc IProject
    function bondPlaced() external view returns (bool) {
        return _status.bondHeld;
    }

    /// @inheritdoc IProject
    function learningRate() external view returns (uint256) {
        return _status.learningRate;
    }

    /// @inheritdoc IProject
    function localEpochs() external view returns (uint256) {
        return terms().localEpochs;
    }

    /// @inheritdoc IProject
    function model() external view returns (uint256[2] memory commitment, bytes32 cid) {
        return (_model, _modelCid);
    }

    /// @inheritdoc IProject
    function roundState(uint256 id)
        external
        view
        returns (uint256 committed, uint256 revealedMask, bytes32 commitmentsHash)
    {
        RoundData storage data = _rounds[id];
        return (data.committed, data.revealedMask, data.commitmentsHash);
    }

    /// @inheritdoc IProject
    function slotOf(uint256 id, address trainer) external view returns (uint256 slotPlusOne) {
        return _submissions[id][trainer].slotPlusOne;
    }

    /// @inheritdoc IProject
    function sharesOf(uint256 id) external view returns (uint256[] memory words) {
        words = new uint256[](_rounds[id].shareWords);
        for (uint256 i; i < words.length; ++i) {
            words[i] = _shares[id][i];
        }
    }

    /// @notice ERC-165.
    function supportsInterface(bytes4 interfaceId) public view override returns (bool) {
        return interfaceId == type(IProject).interfaceId || super.supportsInterface(interfaceId);
    }
}
