// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {ERC165} from "@openzeppelin/contracts/utils/introspection/ERC165.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {FormProof, FormStatement, IFormVerifier} from "./interfaces/IFormVerifier.sol";
import {IKeyRegistry} from "./interfaces/IKeyRegistry.sol";
import {IProject, Phase, Terms} from "./interfaces/IProject.sol";
import {IRoundVerifier, RoundProof, RoundStatement} from "./interfaces/IRoundVerifier.sol";
import {ProjectState} from "./ProjectState.sol";
import {CodeStore} from "./libraries/CodeStore.sol";
import {Currency} from "./libraries/Currency.sol";
import {Packed} from "./libraries/Packed.sol";
import {Policy} from "./libraries/Policy.sol";
import {SlotChain} from "./libraries/SlotChain.sol";
import {Tally} from "./libraries/Tally.sol";

/// @title A project: an owner's reward in escrow, the trainers who earn it, and the rules by which they do.
///
/// @notice In plain words, and binding, because nothing but this code moves the money:
///
/// 1. The owner paid the reward and the fees of all rounds when the project was created. The owner cannot take any of it back before the
///    project has ended, cannot change a term, and cannot stop the project.
/// 2. A trainer puts down a stake. It comes back when the trainer leaves, which it may do at any time but in a round in which it has committed,
///    and when the project ends. All of it is lost, with the seat, for two things only: to commit to an update in a round and not to reveal it
///    before the deadline, and to reveal one whose file more than half of those who revealed do not attest to have had (not in a round that
///    fewer than `minActive` slots survive). `outlierPenalty` of it is lost, once, by who was dropped as outlier in more than `outlierRounds` rounds.
/// 3. A round is settled only with a proof that this contract has checked. Each trainer that attested in it then owns
///    `roundReward * share / 2^16` at once (rounded down), and nobody can take that away: not the owner, not the aggregator, not a later slashing.
/// 4. Which updates count is nobody's choice: those that more than half of the trainers who revealed attest to have fetched and checked.
/// 5. The aggregator puts down a bond. Until the deadline of the phase Aggregate it alone can settle. From the deadline on, for one more
///    period of the same length, whoever brings a valid result first does. When nobody has by then, the round is void and the
///    bond is divided equally among the trainers whose slots are active. The project goes on without a bond, and from then on a result may
///    come from anybody from the start of the phase.
/// 6. Who settled earns `roundFee` when, in the next round's Attest (after the last round in Closing), more than half say that they had the new model's
///    file from it. Anybody else may publish the file instead: when more than half name a publisher, the publisher earns the fee, and
///    an aggregator that withheld the file loses its bond to the escrow. When nobody is named by more than half, the fee goes back to the escrow.
/// 7. A void round costs nobody anything else: its reward and fee stay in escrow for the next round.
/// 8. Every phase has a deadline. After it anybody may call `advance()`, which moves the project on, so nobody can hold it up.
/// 9. The project ends Completed, when all rounds are settled, or WoundUp, when too few trainers registered or remain, when the bond
///    was not placed, or when too many rounds were void. Then every stake belongs to its trainer again, a bond that is left to the aggregator,
///    and what is left in escrow (rewards not earned, rounding, lost stakes) to the owner.
/// 10. Money leaves only by `withdraw`, to where its owner says. Nobody has a key to it, and nobody can pause it. All of it is ether or one token,
///     which the terms name; what that token's own contract does with balances is not in this contract's hands.
///
/// @dev Longer than the house's 500 lines: what moves money and state stands in this file, so that it is read in one piece; storage and
/// views are in `ProjectState`.
/// Each project is a clone of one implementation (OpenZeppelin `Clones`) with its terms in its own code, so they cannot change.
/// Money sent by force (not through a function) is nobody's and stays. At all times, that aside:
/// `balance = escrow + fee of the open model file + sum of owed + stakes held + bond held`.
contract Project is ProjectState, ERC165, EIP712, Nonces, ReentrancyGuardTransient {
    using Tally for uint256[4];

    /// @notice Only the factory initialises a project, once.
    error NotInitializable();

    bytes32 private constant JOIN = keccak256("Join(address trainer,uint256 nonce,uint256 validUntil)");

    /// @dev Run once, by the factory, for the code that all its projects share. The domain of signatures is the project's: `EIP712`
    /// computes it anew where the address is not this code's own.
    constructor(IKeyRegistry registry, IRoundVerifier verifier, IFormVerifier form)
        ProjectState(registry, verifier, form)
        EIP712("Fairshare", "2")
    {}

    /// @notice Finds the deposit and opens registration. For the factory, which has checked the terms, in the transaction of the creation.
    function initialize() external payable {
        if (msg.sender != factory || _status.deadline != 0) revert NotInitializable();
        Terms memory t = terms();
        uint256 deposit = Policy.deposit(t);
        escrow = deposit;
        _model = t.model;
        _modelCid = t.modelCid;
        _status.learningRate = t.learningRate;
        emit ProjectOpened(t.owner, t.specification, deposit);
        _openPhase(Phase.Registration, t.registrationPeriod);

        uint256 due = t.token == address(0) ? deposit : 0;
        if (msg.value != due) revert WrongValue(due, msg.value);
        if (t.token == address(0)) return;
        // The factory has moved it here. More than that is nobody's: whoever sends a unit to this address first must not keep it from opening.
        uint256 balance = IERC20(t.token).balanceOf(address(this));
        if (balance < deposit) revert UnsupportedToken(deposit, balance);
    }

    // --- registration

    /// @inheritdoc IProject
    function join() external payable nonReentrant {
        _join(msg.sender);
    }

    /// @inheritdoc IProject
    function joinFor(address trainer, uint256 validUntil, bytes calldata signature) external payable nonReentrant {
        uint256 nonce = _useNonce(trainer);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(JOIN, trainer, nonce, validUntil)));
        bool signed = SignatureChecker.isValidSignatureNowCalldata(trainer, digest, signature);
        if (block.timestamp > validUntil || !signed) revert InvalidSignature(trainer);
        emit JoinSigned(trainer, msg.sender, nonce);
        _join(trainer);
    }

    /// @inheritdoc IProject
    function leave() external nonReentrant {
        if (_status.phase > Phase.Aggregate) revert WrongPhase(Phase.Aggregate, _status.phase);
        Trainer storage state = _trainer[msg.sender];
        if (!state.active) revert NotATrainer(msg.sender);
        // Before round 1 there is no slot of a round 0.
        uint256 id = _status.round;
        if (_slotPlusOne(id, msg.sender) != 0) revert RoundPending(msg.sender);

        uint256 i;
        while (_trainers[i] != msg.sender) ++i;
        uint256 stake = _removeTrainer(i);
        _credit[msg.sender] += stake;
        emit Left(msg.sender, stake);
        if (_status.phase == Phase.Commit) _openRevealIfComplete(terms(), _committed(id));
    }

    /// @inheritdoc IProject
    function placeBond() external payable nonReentrant {
        Terms memory t = terms();
        _requireOpen(Phase.Registration);
        if (msg.sender != t.aggregator) revert NotTheAggregator(msg.sender);
        if (_status.bondHeld) revert BondAlreadyPlaced();

        _status.bondHeld = true;
        emit BondPlaced(msg.sender, t.bond);
        _openIfComplete(t);
        Currency.take(t.token, t.bond);
    }

    // --- rounds

    /// @inheritdoc IProject
    function commitUpdate(uint256 round_, uint256[2] calldata commitment, bytes32 seal, FormProof calldata proof)
        external
        nonReentrant
    {
        _requireOpen(Phase.Commit);
        _requireRound(round_);
        if (!_trainer[msg.sender].active) revert NotATrainer(msg.sender);
        if (_slotPlusOne(round_, msg.sender) != 0) revert AlreadyCommitted(msg.sender);
        (uint256 x, uint256 y) = (commitment[0], commitment[1]);
        bytes32 point = keccak256(abi.encode(x, y));
        if (_used[point]) revert CommitmentReused(x, y);
        Terms memory t = terms();
        {
            // It refuses a point that is not canonical, off the curve or infinity.
            FormStatement memory statement =
                FormStatement(address(this), round_, msg.sender, t.dimension, t.table, [x, y]);
            IFormVerifier(formVerifier).verify(statement, proof);
        }

        RoundData storage data = _rounds[round_];
        bytes32 before = data.slotsHash;
        uint256 slot = SlotChain.count(before);
        _used[point] = true;
        _submissions[round_][msg.sender] = _sealed(seal) | (slot + 1);
        data.slotsHash = SlotChain.next(before, x, y);
        emit UpdateCommitted(round_, slot, msg.sender, x, y, seal);
        _openRevealIfComplete(t, slot + 1);
    }

    /// @inheritdoc IProject
    function revealUpdate(uint256 round_, bytes32 cid, bytes32 salt) external nonReentrant {
        _requireOpen(Phase.Reveal);
        _requireRound(round_);
        uint256 submission = _submissions[round_][msg.sender];
        if (submission == 0) revert NothingToReveal(msg.sender);
        uint256 slot = (submission & 0xff) - 1;
        RoundData storage data = _rounds[round_];
        if (Packed.has(data.revealedMask, slot)) revert NothingToReveal(msg.sender);
        if (_sealed(keccak256(abi.encode(cid, msg.sender, salt))) != _sealed(bytes32(submission))) revert RevealMismatch();

        uint256 revealed = data.revealedMask | (1 << slot);
        data.revealedMask = uint128(revealed);
        emit UpdateRevealed(round_, slot, msg.sender, cid);
        if (revealed == _all(_committed(round_))) _openPhase(Phase.Attest, terms().attestPeriod);
    }

    /// @inheritdoc IProject
    function attest(uint256 round_, uint256 mask, address source) external nonReentrant {
        _requireOpen(Phase.Attest);
        _requireRound(round_);
        RoundData storage data = _rounds[round_];
        uint256 revealed = data.revealedMask;
        uint256 attested = data.attestedMask;
        uint256 slotPlusOne = _slotPlusOne(round_, msg.sender);
        if (slotPlusOne == 0) revert NothingToAttest(msg.sender);
        uint256 slot = slotPlusOne - 1;
        if (!Packed.has(revealed & ~attested, slot)) revert NothingToAttest(msg.sender);
        if (mask & ~revealed != 0 || !Packed.has(mask, slot)) revert WrongMask(mask);
        Terms memory t = terms();
        Claim memory claim = _claim(t);
        if (claim.round == 0) source = address(0);
        else if (source != address(0)) _requireSource(claim, source);

        _tally.add(Packed.count(attested), mask);
        attested |= 1 << slot;
        data.attestedMask = uint128(attested);
        emit Attested(round_, slot, msg.sender, mask, source);
        if (source != address(0)) _vote(t, claim, round_, source, Packed.count(revealed));
        if (attested == revealed) _endAttest(t);
    }

    /// @inheritdoc IProject
    function attestModel(address source) external nonReentrant {
        _requireOpen(Phase.Closing);
        Terms memory t = terms();
        Claim memory claim = _claim(t);
        uint256 attested = _rounds[claim.round].attestedMask;
        uint256 slotPlusOne = _slotPlusOne(claim.round, msg.sender);
        if (slotPlusOne == 0) revert NothingToAttest(msg.sender);
        if (!Packed.has(attested & ~_closingVoters, slotPlusOne - 1)) revert NothingToAttest(msg.sender);
        _requireSource(claim, source);

        _closingVoters |= 1 << (slotPlusOne - 1);
        emit ModelSourceNamed(claim.round, msg.sender, source);
        if (_vote(t, claim, 0, source, Packed.count(attested))) _finish(t, _status.ending);
    }

    /// @inheritdoc IProject
    function publishModel(bytes32 cid) external nonReentrant {
        Phase current = _status.phase;
        if (current != Phase.Commit && current != Phase.Reveal && current != Phase.Closing) {
            revert WrongPhase(Phase.Commit, current);
        }
        _requireOpen(current);
        if (cid == 0) revert InvalidModelCid();
        Claim memory claim = _claim(terms());
        // The payee has published by settling.
        if (claim.round == 0 || msg.sender == claim.payee) revert NothingToPublish();
        if (_published[claim.round][msg.sender] != 0) revert NothingToPublish();

        _published[claim.round][msg.sender] = cid;
        emit ModelPublished(claim.round, msg.sender, cid);
    }

    /// @inheritdoc IProject
    function settle(
        uint256 round_,
        address payee,
        bytes32 modelCid,
        uint256[2][] calldata commitments,
        address[] calldata outliers,
        RoundProof calldata proof
    ) external nonReentrant {
        Terms memory t = terms();
        Status memory status = _status;
        if (status.phase != Phase.Aggregate) revert WrongPhase(Phase.Aggregate, status.phase);
        if (round_ != status.round) revert WrongRound(status.round, round_);
        _requirePayee(t, status, payee);
        if (modelCid == 0) revert InvalidModelCid();
        RoundData storage data = _rounds[round_];
        (uint256 active, uint256 attested) = (data.activeMask, data.attestedMask);
        {
            RoundStatement memory statement;
            statement.project = address(this);
            statement.round = round_;
            statement.payee = payee;
            statement.dimension = t.dimension;
            statement.slots = t.slots;
            statement.rule = t.rule;
            statement.policy = Policy.words(t, Packed.count(active));
            statement.activeMask = active;
            statement.modelCid = modelCid;
            statement.model = _model;
            statement.commitments = _activeCommitments(data.slotsHash, active, commitments);
            IRoundVerifier(roundVerifier).verify(statement, proof);
        }
        _model = proof.model;
        _modelCid = modelCid;
        _pay(t, attested, proof.shares);
        _countOutliers(t, round_, t.outlierPenalty == 0 ? 0 : active & ~proof.keptMask, outliers);

        status.learningRate = uint32(Policy.nextLearningRate(t, status.learningRate, proof.coherence));
        ++status.settled;
        CodeStore.write(status.settled, Packed.toBytes(proof.shares));
        // The fee that `_pay` took out of escrow is set aside until the model file is attested.
        status.claimRound = uint32(round_);
        status.claimIsAggregators = payee == t.aggregator;
        if (!status.claimIsAggregators) _claimPayee = payee;
        _status = status;
        _emitSettled(round_, payee, active, modelCid, proof);
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
        else if (status.phase == Phase.Attest) _endAttest(t);
        else if (status.phase == Phase.Aggregate) _endAggregate(t);
        else _endClosing(t);
    }

    // --- money

    /// @inheritdoc IProject
    /// @dev The only place where money leaves: all is written down before the call.
    function withdraw(address payable to) external nonReentrant returns (uint256 amount) {
        amount = owed(msg.sender);
        if (amount == 0) revert NothingToWithdraw(msg.sender);
        _credit[msg.sender] = 0;
        _trainer[msg.sender].paidRounds = _closedRounds();
        if (_hasEnded()) _trainer[msg.sender].stake = 0;
        emit Withdrawn(msg.sender, to, amount);
        Currency.send(terms().token, to, amount);
    }

    /// @inheritdoc IProject
    function nonces(address account) public view override(IProject, Nonces) returns (uint256) {
        return super.nonces(account);
    }

    // --- how a phase ends

    function _endRegistration(Terms memory t) private {
        if (_status.trainers >= t.minTrainers && _status.bondHeld) _openRound(t);
        else _end(t, Phase.WoundUp);
    }

    function _endCommit(Terms memory t) private {
        if (_committed(_status.round) < t.minActive) _void(t, "too few commitments");
        else _openPhase(Phase.Reveal, t.revealPeriod);
    }

    function _endReveal(Terms memory t) private {
        uint256 id = _status.round;
        uint256 revealed = _rounds[id].revealedMask;
        _slash(id, _all(_committed(id)) & ~revealed);
        if (Packed.count(revealed) < t.minActive) _void(t, "too few reveals");
        else _openPhase(Phase.Attest, t.attestPeriod);
    }

    function _endAttest(Terms memory t) private {
        uint256 id = _status.round;
        RoundData storage data = _rounds[id];
        (uint256 revealed, uint256 attested) = (data.revealedMask, data.attestedMask);
        uint256 active = _tally.above(Packed.count(attested), Packed.count(revealed) / 2);
        data.activeMask = uint128(active);
        emit SlotsActive(id, active, attested);
        // Too few: the attesters may be the ones who failed, so nobody is slashed, and what they said of the model file does not close it.
        if (Packed.count(active) < t.minActive) return _void(t, "too few active");
        _slash(id, revealed & ~active);
        if (_status.claimRound != 0) _unattested(t);
        _openPhase(Phase.Aggregate, t.aggregatePeriod);
    }

    function _endAggregate(Terms memory t) private {
        uint256 id = _status.round;
        if (_status.bondHeld) {
            uint256 active = _rounds[id].activeMask;
            uint256 count = Packed.count(active); // at least minActive, or Aggregate would not have opened
            // Rounded down on purpose: what that leaves of the bond goes to the escrow below.
            // slither-disable-next-line divide-before-multiply
            uint256 part = t.bond / count;
            _status.bondHeld = false;
            for (uint256 i; i < _trainers.length; ++i) {
                // Who is a trainer still and has committed is active: the others were removed, and nobody leaves who has committed.
                if (_slotPlusOne(id, _trainers[i]) != 0) _credit[_trainers[i]] += part;
            }
            escrow += t.bond - part * count;
            emit BondSlashed(id, t.bond, active);
        }
        _void(t, "no result");
    }

    function _endClosing(Terms memory t) private {
        _unattested(t);
        _finish(t, _status.ending);
    }

    // --- how a round begins and ends

    function _openIfComplete(Terms memory t) private {
        if (_status.bondHeld && _status.trainers == t.maxTrainers) _openRound(t);
    }

    function _openRound(Terms memory t) private {
        uint256 id = ++_status.round;
        emit HyperParameters(id, _status.learningRate, t.localEpochs);
        _openPhase(Phase.Commit, t.commitPeriod);
    }

    /// @dev Where trainers have left and those who remain are too few, the deadline of Commit decides.
    function _openRevealIfComplete(Terms memory t, uint256 committed) private {
        if (committed == _status.trainers && committed >= t.minActive) _openPhase(Phase.Reveal, t.revealPeriod);
    }

    function _openNextRound(Terms memory t) private {
        if (_status.settled == t.rounds) _end(t, Phase.Completed);
        else if (_status.voided == t.maxVoids || _status.trainers < t.minActive) _end(t, Phase.WoundUp);
        else _openRound(t);
    }

    function _openPhase(Phase phase_, uint256 period) private {
        _status.phase = phase_;
        _status.deadline = uint64(block.timestamp + period);
        emit PhaseOpened(_status.round, phase_, block.timestamp + period);
    }

    function _void(Terms memory t, string memory reason) private {
        ++_status.voided;
        _voids.push(_status.round);
        emit RoundVoided(_status.round, reason);
        _openNextRound(t);
    }

    /// @dev A model file whose fee is open is asked about first, in Closing.
    function _end(Terms memory t, Phase phase_) private {
        if (_status.claimRound == 0) return _finish(t, phase_);
        _status.ending = phase_;
        _openPhase(Phase.Closing, t.attestPeriod);
    }

    /// @dev Stakes are not touched here: `owed` counts a held stake as soon as the project has ended.
    function _finish(Terms memory t, Phase phase_) private {
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

    // --- the model file

    /// @dev Counts a source that one more of `voters` names, under `key`, and says whether that closes the claim.
    function _vote(Terms memory t, Claim memory claim, uint256 key, address source, uint256 voters)
        private
        returns (bool closed)
    {
        uint256 votes = ++_votes[key][source];
        closed = 2 * votes > voters;
        if (!closed) return false;
        _status.claimRound = 0;
        _credit[source] += t.roundFee;
        if (source != claim.payee) {
            _modelCid = _published[claim.round][source];
            if (claim.payee == t.aggregator && _status.bondHeld) {
                _status.bondHeld = false;
                escrow += t.bond;
                emit BondSlashed(claim.round, t.bond, 0);
            }
        }
        emit ModelAttested(claim.round, source, _modelCid, t.roundFee);
    }

    /// @dev Nobody is named by more than half: the fee goes back.
    function _unattested(Terms memory t) private {
        emit ModelUnattested(_status.claimRound, t.roundFee);
        escrow += t.roundFee;
        _status.claimRound = 0;
    }

    function _requireSource(Claim memory claim, address source) private view {
        if (source != claim.payee && _published[claim.round][source] == 0) revert NotASource(source);
    }

    // --- parts of a settlement

    /// @dev While the settlement is the aggregator's, it must also be the sender: the proof names the model's file, which the prover chooses,
    /// and others must not choose it in its name.
    function _requirePayee(Terms memory t, Status memory status, address payee) private view {
        uint256 end = uint256(status.deadline) + t.aggregatePeriod;
        if (block.timestamp >= end) revert DeadlinePassed(end);
        bool reserved = status.bondHeld && block.timestamp < status.deadline;
        if (payee == address(0) || (reserved && payee != t.aggregator)) revert NotTheAggregator(payee);
        if (reserved && msg.sender != t.aggregator) revert NotTheAggregator(msg.sender);
    }

    /// @dev Checks all commitments against their running hash and picks those of the active slots.
    function _activeCommitments(bytes32 slotsHash, uint256 mask, uint256[2][] calldata commitments)
        private
        pure
        returns (bytes memory chosen)
    {
        bytes32 hash;
        (hash, chosen) = SlotChain.select(commitments, mask, Packed.count(mask));
        if (hash != slotsHash) revert WrongCommitments();
    }

    /// @dev Takes exactly the sum of what each trainer gets, which `owed` computes from the shares, and the fee out of escrow.
    /// A slot that attested nothing gets nothing, whatever its share. The proof
    /// says that shares sum to at most one and that slots which are not active have none; were it wrong, the subtraction would revert
    /// before a unit of another round could be promised.
    function _pay(Terms memory t, uint256 attested, uint256[] calldata shares) private {
        uint256 reward = t.roundReward;
        uint256 paid;
        uint256 total;
        for (uint256 i; i < shares.length; ++i) {
            uint256 word = shares[i];
            uint256 mask = attested;
            attested >>= Packed.PER_WORD;
            // A share has 17 bits, and no calldata has 2^100 of them.
            unchecked {
                for (; word != 0; word >>= Packed.BITS) {
                    uint256 share = word & Packed.LANE;
                    total += share;
                    paid += _part(reward, share) * (mask & 1);
                    mask >>= 1;
                }
            }
        }
        assert(total <= Packed.ONE);
        escrow -= paid + t.roundFee;
    }

    /// @dev Once more than the terms allow: the penalty, once. Whoever is active has a seat, so its stake is held.
    /// @param outliers who has the slots of `mask`, in their order
    function _countOutliers(Terms memory t, uint256 id, uint256 mask, address[] calldata outliers) private {
        uint256 cursor;
        for (uint256 slot; mask != 0; ++slot) {
            if (mask & 1 == 1) {
                if (cursor == outliers.length) revert WrongOutliers();
                address trainer = outliers[cursor++];
                if (_slotPlusOne(id, trainer) != slot + 1) revert WrongOutliers();
                Trainer memory state = _trainer[trainer];
                ++state.dropped;
                if (!state.penalised && state.dropped > t.outlierRounds) {
                    state.penalised = true;
                    uint96 amount = t.outlierPenalty < state.stake ? t.outlierPenalty : state.stake;
                    state.stake -= amount;
                    escrow += amount;
                    emit OutlierPenalised(id, trainer, amount);
                }
                _trainer[trainer] = state;
            }
            mask >>= 1;
        }
        if (cursor != outliers.length) revert WrongOutliers();
    }

    function _emitSettled(uint256 id, address payee, uint256 mask, bytes32 modelCid, RoundProof calldata p) private {
        emit RoundSettled(id, payee, mask, p.keptMask, p.coherence, p.shares, p.weights, p.model, modelCid);
    }

    // --- small helpers

    function _join(address trainer) private {
        Terms memory t = terms();
        _requireOpen(Phase.Registration);
        if (_trainer[trainer].active) revert AlreadyJoined(trainer);
        if (_status.trainers == t.maxTrainers) revert ProjectFull();

        _trainers.push(trainer);
        ++_status.trainers;
        _trainer[trainer].active = true;
        _trainer[trainer].stake = t.stake;
        emit Joined(trainer, t.stake);
        _openIfComplete(t);
        Currency.take(t.token, t.stake);
    }

    /// @dev Those of these slots of a round lose stake and seat.
    function _slash(uint256 id, uint256 mask) private {
        if (mask == 0) return;
        // Backwards, since a removal puts the last trainer into the gap.
        for (uint256 left = _trainers.length; left > 0; --left) {
            address trainer = _trainers[left - 1];
            uint256 slotPlusOne = _slotPlusOne(id, trainer);
            if (slotPlusOne == 0 || !Packed.has(mask, slotPlusOne - 1)) continue;
            uint256 stake = _removeTrainer(left - 1);
            escrow += stake;
            emit StakeSlashed(id, trainer, stake);
        }
    }

    /// @dev Takes the trainer at `i` off the list. The stake is no longer held for it: the caller says whose it is.
    function _removeTrainer(uint256 i) private returns (uint256 stake) {
        address trainer = _trainers[i];
        _trainers[i] = _trainers[_trainers.length - 1];
        _trainers.pop();
        --_status.trainers;
        stake = _trainer[trainer].stake;
        _trainer[trainer].active = false;
        _trainer[trainer].stake = 0;
    }

    /// @dev What is kept of a hash beside a number in the low byte: 248 bits bind well enough.
    function _sealed(bytes32 seal) private pure returns (uint256) {
        return uint256(seal) & ~uint256(0xff);
    }

    /// @dev The mask of slots 0 to `n - 1`.
    function _all(uint256 n) private pure returns (uint256) {
        return (1 << n) - 1;
    }

    /// @notice ERC-165.
    function supportsInterface(bytes4 interfaceId) public view override returns (bool) {
        return interfaceId == type(IProject).interfaceId || super.supportsInterface(interfaceId);
    }
}
