// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {ERC165} from "@openzeppelin/contracts/utils/introspection/ERC165.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {RangeProof, RangeStatement, IRangeVerifier} from "./interfaces/IRangeVerifier.sol";
import {IKeyRegistry} from "./interfaces/IKeyRegistry.sol";
import {IProject, Phase, Terms} from "./interfaces/IProject.sol";
import {IRoundVerifier, RoundProof, RoundStatement} from "./interfaces/IRoundVerifier.sol";
import {ProjectRounds} from "./ProjectRounds.sol";
import {ProjectState} from "./ProjectState.sol";
import {CodeStore} from "./libraries/CodeStore.sol";
import {Currency} from "./libraries/Currency.sol";
import {Packed} from "./libraries/Packed.sol";
import {Policy} from "./libraries/Policy.sol";
import {SlotChain} from "./libraries/SlotChain.sol";
import {Tally} from "./libraries/Tally.sol";

/// @title A project: an owner's reward in escrow, the trainers who earn it, and the rules by which they do.
///
/// @notice The rules in plain words. They are binding, because only this code moves the money:
///
/// 1. The owner paid the reward and the fees of all rounds when it created the project. It cannot take any of them back
///    before the project has ended, cannot change the terms, and cannot stop the project.
/// 2. A trainer deposits a stake. The stake returns to it when it leaves, which it may do at any time except in a round
///    in which it has committed, and when the project ends. It loses the whole stake and its seat for two things only:
///    if it commits to an update and does not reveal it before the deadline, and if more than half of the revealing
///    trainers attest and leave out its update (in a void round only where that concerns less than half of them). It
///    loses `outlierPenalty` of the stake, once, if it is an outlier in more than `outlierRounds` rounds.
/// 3. A round is settled only with a proof that this contract has verified. Each trainer that attested in the round
///    then owns `roundReward * share / 2^16` (rounded down), and nobody can take it away: not the owner, not the
///    aggregator, not a later slashing.
/// 4. Nobody chooses which updates count: an update counts if more than half of the revealing trainers attest that they
///    fetched and checked it. An update that does not count is not paid; rule 2 says when it costs more.
/// 5. The aggregator deposits a bond. Until the deadline of Aggregate only the aggregator can settle. From then on, for
///    one more period of the same length, anyone can, but nobody in the aggregator's name; the first valid result wins.
///    If nobody settles, the round is void and the bond is divided among the active trainers, in equal parts. The
///    project then continues without a bond, and anyone can settle from the start of Aggregate.
/// 6. The payee of a settlement earns `roundFee` if more than half attest, in the next round's Attest (after the last
///    round: in Closing), that they got the new model's file from it. Any other account may publish the file instead:
///    if more than half name a publisher, the publisher earns the fee, and an aggregator that withheld the file loses
///    its bond. If no source is named by more than half, the fee returns to the escrow.
/// 7. A void round has no other cost: its reward and fee stay in escrow for the next round.
/// 8. Every phase has a deadline. After it anyone can call `advance()`, so nobody can block the project. If the chain
///    stood still, so that the phase had hardly any blocks, `advance()` gives it its period again, once.
/// 9. The project ends Completed when all rounds are settled, or WoundUp when too few trainers registered or remain,
///    when the bond was not placed, or when too many rounds were void. Then every trainer owns its stake again, the
///    aggregator its bond if it was not slashed, and the owner the rest of the escrow (unearned rewards and fees,
///    rounding).
/// 10. Money leaves only through `withdraw`, to an address that its owner names. Nobody has a key to it, and nobody can
///     pause it. All of it is ether, or one token that the terms name; this contract cannot control what the token's
///     own contract does with balances.
/// 11. The owner gains nothing when others fail. Stakes of those who did not reveal are divided among those who did, in
///     equal parts and at most as much as their own stakes; the owner gets no part of them or of the bond. Every other
///     stake, penalty or bond that is lost, and every rest, is burnt: it is nobody's and stays here.
///
/// @dev Over 400 lines so that everything which decides who may act and who gets paid can be read in one place;
/// `ProjectRounds` holds the transitions between phases, `ProjectState` the storage and the views. Each project is a
/// clone of one implementation (OpenZeppelin `Clones`) with its terms in its own code, so the terms cannot change.
/// Money sent by force (not through a function) belongs to nobody and stays. Apart from that, at all times: `balance =
/// escrow + fee of the open model file + sum of owed + stakes held + bond held + burnt`.
contract Project is ProjectRounds, ERC165, EIP712, Nonces, ReentrancyGuardTransient {
    using Tally for uint256[4];

    /// @notice Only the factory can initialise a project, and only once.
    error NotInitializable();

    bytes32 private constant JOIN = keccak256("Join(address trainer,uint256 nonce,uint256 validUntil)");

    /// @dev Deploys the implementation that all projects of a factory share. Signatures name the project: `EIP712`
    /// computes the domain again when the address is not the implementation's.
    constructor(IKeyRegistry registry, IRoundVerifier verifier, IRangeVerifier rangeVerifier_)
        ProjectState(registry, verifier, rangeVerifier_)
        EIP712("Fairshare", "2")
    {}

    /// @notice Checks the deposit and opens registration. The factory, which has checked the terms, calls this when it
    /// creates the project.
    function initialize() external payable {
        if (msg.sender != factory || _status.deadline != 0) revert NotInitializable();
        Terms memory t = terms();
        uint256 deposit = Policy.deposit(t);
        escrow = deposit;
        _model = t.model;
        _modelCid = t.modelCid;
        _status.learningRate = t.learningRate;
        emit ProjectOpened(t.owner, t.specification, deposit);
        _openPhase(t, Phase.Registration);

        uint256 due = t.token == address(0) ? deposit : 0;
        if (msg.value != due) revert WrongValue(due, msg.value);
        if (t.token == address(0)) return;
        // The factory has transferred the deposit. More is accepted: a unit sent to this address in advance must not
        // block its creation.
        uint256 balance = IERC20(t.token).balanceOf(address(this));
        if (balance < deposit) revert UnsupportedToken(deposit, balance);
    }

    /* REGISTRATION */

    /// @inheritdoc IProject
    function join() external payable nonReentrant {
        _join(msg.sender);
    }

    /// @inheritdoc IProject
    function joinFor(address trainer, uint256 validUntil, bytes calldata signature) external payable nonReentrant {
        uint256 nonce = _useNonce(trainer);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(JOIN, trainer, nonce, validUntil)));
        // The account's key first: it may have delegated to code that knows no ERC-1271 (EIP-7702). The signer of an
        // invalid signature is zero, so the error need not be read.
        // slither-disable-next-line unused-return
        (address signer,,) = ECDSA.tryRecoverCalldata(digest, signature);
        bool signed = (signer == trainer && trainer != address(0))
            || SignatureChecker.isValidERC1271SignatureNowCalldata(trainer, digest, signature);
        if (block.timestamp > validUntil || !signed) revert InvalidSignature(trainer);
        emit JoinSigned(trainer, msg.sender, nonce);
        _join(trainer);
    }

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

    /// @inheritdoc IProject
    function leave() external nonReentrant {
        if (_status.phase > Phase.Aggregate) revert WrongPhase(Phase.Aggregate, _status.phase);
        Trainer storage state = _trainer[msg.sender];
        if (!state.active) revert NotATrainer(msg.sender);
        // During registration the round is 0, in which nobody has a slot.
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

    /* UPDATES AND ATTESTATIONS */

    /// @inheritdoc IProject
    function commitUpdate(uint256 round_, uint256[2] calldata commitment, bytes32 seal, RangeProof calldata proof)
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
            // Refuses a point that is not canonical, off the curve or infinity.
            RangeStatement memory statement =
                RangeStatement(address(this), round_, msg.sender, t.dimension, t.table, [x, y]);
            IRangeVerifier(rangeVerifier).verify(statement, proof);
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
        uint256 opened = _sealed(keccak256(abi.encode(cid, msg.sender, salt)));
        if (opened != _sealed(bytes32(submission))) revert RevealMismatch();

        uint256 revealed = data.revealedMask | (1 << slot);
        data.revealedMask = uint128(revealed);
        emit UpdateRevealed(round_, slot, msg.sender, cid);
        if (revealed == _all(_committed(round_))) _openPhase(terms(), Phase.Attest);
    }

    /// @dev Clears the low byte of a seal, in which `_submissions` stores the slot plus one.
    function _sealed(bytes32 seal) private pure returns (uint256) {
        return uint256(seal) & ~uint256(0xff);
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
        // The payee is a source without publishing.
        if (claim.round == 0 || msg.sender == claim.payee) revert NothingToPublish();
        if (_published[claim.round][msg.sender] != 0) revert NothingToPublish();

        _published[claim.round][msg.sender] = cid;
        emit ModelPublished(claim.round, msg.sender, cid);
    }

    function _requireSource(Claim memory claim, address source) private view {
        if (source != claim.payee && _published[claim.round][source] == 0) revert NotASource(source);
    }

    /* SETTLEMENT */

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
        // Holds the fee, which `_pay` took out of escrow, until the model file is attested.
        status.claimRound = uint32(round_);
        status.claimIsAggregators = payee == t.aggregator;
        if (!status.claimIsAggregators) _claimPayee = payee;
        _status = status;
        _emitSettled(round_, payee, active, modelCid, proof);
        _openNextRound(t);
    }

    /// @dev The prover chooses the CID of the model file, for which the aggregator answers with its bond. So only the
    /// aggregator itself may settle in its name, also after the deadline.
    function _requirePayee(Terms memory t, Status memory status, address payee) private view {
        uint256 end = uint256(status.deadline) + t.aggregatePeriod;
        if (block.timestamp >= end) revert DeadlinePassed(end);
        bool reserved = status.bondHeld && block.timestamp < status.deadline;
        if (payee == address(0) || (reserved && payee != t.aggregator)) revert NotTheAggregator(payee);
        if (payee == t.aggregator && msg.sender != payee) revert NotTheAggregator(msg.sender);
    }

    /// @dev Checks all commitments against their running hash and selects those of the active slots.
    function _activeCommitments(bytes32 slotsHash, uint256 mask, uint256[2][] calldata commitments)
        private
        pure
        returns (bytes memory chosen)
    {
        bytes32 hash;
        (hash, chosen) = SlotChain.select(commitments, mask, Packed.count(mask));
        if (hash != slotsHash) revert WrongCommitments();
    }

    /// @dev Takes the fee and exactly the sum of all trainers' parts out of escrow; `owed` computes each part from the
    /// shares again. A slot that did not attest gets nothing, whatever its share. The proof guarantees that the shares
    /// sum to at most one and that inactive slots have none; if it did not, the assertion or the subtraction would
    /// revert before money of another round is promised.
    function _pay(Terms memory t, uint256 attested, uint256[] calldata shares) private {
        uint256 reward = t.roundReward;
        uint256 paid;
        uint256 total;
        for (uint256 i; i < shares.length; ++i) {
            uint256 word = shares[i];
            uint256 mask = attested;
            attested >>= Packed.PER_WORD;
            // Cannot overflow: a share has 17 bits, and no calldata has 2^100 of them.
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

    /// @dev Counts one more outlier round for each slot of `mask`, and takes the penalty from trainers that pass the
    /// limit. An active slot's trainer has its seat, so its stake is held.
    /// @param outliers the trainers of the slots of `mask`, in slot order
    function _countOutliers(Terms memory t, uint256 id, uint256 mask, address[] calldata outliers) private {
        uint256 cursor;
        uint256 lost;
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
                    lost += amount;
                    emit OutlierPenalised(id, trainer, amount);
                }
                _trainer[trainer] = state;
            }
            mask >>= 1;
        }
        if (cursor != outliers.length) revert WrongOutliers();
        _burn(id, lost);
    }

    function _emitSettled(uint256 id, address payee, uint256 mask, bytes32 modelCid, RoundProof calldata p) private {
        emit RoundSettled(id, payee, mask, p.keptMask, p.coherence, p.shares, p.weights, p.model, modelCid);
    }

    /* CLOCK */

    /// @inheritdoc IProject
    function advance() external nonReentrant {
        Terms memory t = terms();
        Status memory status = _status;
        if (status.phase >= Phase.Completed) revert NothingToAdvance();
        uint256 end = status.deadline;
        if (status.phase == Phase.Aggregate) end += t.aggregatePeriod;
        if (block.timestamp < end) revert DeadlineNotReached(end);
        if (_extendIfHalted(t, status.phase)) return;

        if (status.phase == Phase.Registration) _endRegistration(t);
        else if (status.phase == Phase.Commit) _endCommit(t);
        else if (status.phase == Phase.Reveal) _endReveal(t);
        else if (status.phase == Phase.Attest) _endAttest(t);
        else if (status.phase == Phase.Aggregate) _endAggregate(t);
        else _endClosing(t);
    }

    /* MONEY */

    /// @inheritdoc IProject
    /// @dev The only way out for money. All storage is written before the transfer.
    function withdraw(address payable to) external nonReentrant returns (uint256 amount) {
        amount = owed(msg.sender);
        if (amount == 0) revert NothingToWithdraw(msg.sender);
        _credit[msg.sender] = 0;
        _trainer[msg.sender].paidRounds = _closedRounds();
        if (_hasEnded()) _trainer[msg.sender].stake = 0;
        emit Withdrawn(msg.sender, to, amount);
        Currency.send(terms().token, to, amount);
    }

    /* VIEWS THAT OVERRIDE A LIBRARY'S */

    /// @inheritdoc IProject
    function nonces(address account) public view override(IProject, Nonces) returns (uint256) {
        return super.nonces(account);
    }

    /// @notice ERC-165.
    function supportsInterface(bytes4 interfaceId) public view override returns (bool) {
        return interfaceId == type(IProject).interfaceId || super.supportsInterface(interfaceId);
    }
}
