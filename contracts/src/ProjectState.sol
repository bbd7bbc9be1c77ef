// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IRangeVerifier} from "./interfaces/IRangeVerifier.sol";
import {IKeyRegistry} from "./interfaces/IKeyRegistry.sol";
import {IProject, Phase, Terms} from "./interfaces/IProject.sol";
import {IRoundVerifier} from "./interfaces/IRoundVerifier.sol";
import {CodeStore} from "./libraries/CodeStore.sol";
import {Packed} from "./libraries/Packed.sol";
import {SlotChain} from "./libraries/SlotChain.sol";

/// @title A project's storage and its views.
abstract contract ProjectState is IProject {
    /// @notice Called on the shared implementation instead of a project.
    error NotAProject();

    /* STORAGE TYPES */

    /// @dev An account that is or was a trainer. One word.
    struct Trainer {
        bool active; // is in `_trainers`
        bool penalised;
        uint16 dropped; // rounds in which it was an outlier; counted only if the terms have a penalty
        uint32 paidRounds; // shares of rounds 1 ..= paidRounds are withdrawn
        uint96 stake; // held
    }

    struct RoundData {
        bytes32 slotsHash; // `SlotChain`: the low byte is the number of slots
        uint128 attestedMask;
        uint128 activeMask;
        uint128 revealedMask;
    }

    /// @dev The values that every transaction reads. One word.
    struct Status {
        Phase phase;
        Phase ending; // the phase after Closing
        bool bondHeld;
        uint16 settled;
        uint16 voided;
        uint32 round;
        uint32 learningRate;
        uint40 deadline;
        uint48 openedIn; // number of the block in which the phase was opened, 0 once it has been extended
        uint8 trainers; // length of `_trainers`
        uint32 claimRound; // round of the model file whose fee is held, 0 if there is none
        bool claimIsAggregators; // its payee is the terms' aggregator, and `_claimPayee` is not read
    }

    /// @dev The model file whose fee is held, read from `Status` and `_claimPayee`. In memory only.
    struct Claim {
        uint32 round; // 0 if there is none
        address payee;
    }

    /* IMMUTABLES */

    /// @inheritdoc IProject
    address public immutable factory;
    /// @inheritdoc IProject
    address public immutable keyRegistry;
    /// @inheritdoc IProject
    address public immutable roundVerifier;
    /// @inheritdoc IProject
    address public immutable rangeVerifier;

    address private immutable IMPLEMENTATION = address(this);
    /// @dev Bytes of the fields of `Terms` before `model`.
    uint256 private constant MODEL = 32 * 32;

    /* STORAGE */

    Status internal _status;
    /// @dev Written only if the payee is not the aggregator: the usual settlement does not pay for this word.
    address internal _claimPayee;
    /// @inheritdoc IProject
    uint256 public escrow;
    /// @inheritdoc IProject
    uint256 public burnt;
    uint256[2] internal _model;
    bytes32 internal _modelCid;
    address[] internal _trainers;
    mapping(address account => uint256) internal _credit;
    mapping(address account => Trainer) internal _trainer;
    // Written in `Project` through references, which slither does not follow.
    // slither-disable-next-line uninitialized-state
    mapping(uint256 id => RoundData) internal _rounds;
    /// @dev The seal with its low byte replaced by the slot plus one; 248 bits still bind.
    mapping(uint256 id => mapping(address trainer => uint256)) internal _submissions;
    /// @dev The void rounds in increasing order. `CodeStore` numbers the shares of the others in the order of
    /// settlement. Few rounds are void, so storing these costs less than storing a number for every settlement.
    uint32[] internal _voids;
    mapping(bytes32 point => bool) internal _used;
    /// @dev Attestations of the round in Attest.
    uint256[4] internal _tally;
    /// @dev The CID under which an account serves the model file of a round, 0 if it does not.
    mapping(uint256 id => mapping(address publisher => bytes32 cid)) internal _published;
    /// @dev Votes for a source, by the round in which they were cast; those of Closing under 0.
    mapping(uint256 id => mapping(address source => uint256)) internal _votes;
    /// @dev Slots of the claim's round that have voted in Closing.
    uint256 internal _closingVoters;

    constructor(IKeyRegistry registry, IRoundVerifier verifier, IRangeVerifier rangeVerifier_) {
        factory = msg.sender;
        keyRegistry = address(registry);
        roundVerifier = address(verifier);
        rangeVerifier = address(rangeVerifier_);
    }

    /* HELPERS */

    /// @dev The part of a reward for a share in units of 2^-16, rounded down; the remainder stays in escrow.
    function _part(uint256 reward, uint256 share) internal pure returns (uint256) {
        // Cannot overflow: a share has 17 bits, a reward 96.
        unchecked {
            return reward * share >> 16;
        }
    }

    /// @dev 0 if the account has no slot in this round.
    function _slotPlusOne(uint256 id, address account) internal view returns (uint256) {
        return _submissions[id][account] & 0xff;
    }

    function _claim(Terms memory t) internal view returns (Claim memory claim) {
        claim.round = _status.claimRound;
        if (claim.round != 0) claim.payee = _status.claimIsAggregators ? t.aggregator : _claimPayee;
    }

    /// @dev Number of commitments in a round.
    function _committed(uint256 id) internal view returns (uint256) {
        return SlotChain.count(_rounds[id].slotsHash);
    }

    function _hasEnded() internal view returns (bool) {
        return _status.phase >= Phase.Completed;
    }

    /// @dev Number of rounds that are settled or void.
    function _closedRounds() internal view returns (uint32) {
        return uint32(_status.settled) + _status.voided;
    }

    function _requirePhase(Phase expected) internal view {
        if (_status.phase != expected) revert WrongPhase(expected, _status.phase);
    }

    function _requireOpen(Phase expected) internal view {
        _requirePhase(expected);
        if (block.timestamp >= _status.deadline) revert DeadlinePassed(_status.deadline);
    }

    function _requireRound(uint256 given) internal view {
        if (given != _status.round) revert WrongRound(_status.round, given);
    }

    /* VIEWS */

    /// @inheritdoc IProject
    function interfaceVersion() external pure returns (uint256) {
        return 5;
    }

    /// @inheritdoc IProject
    /// @dev The code stores the fields as memory does, one word each, except that memory holds a pointer instead of the
    /// two words of `model`. Every transaction reads the terms; `abi.decode` would check every field that the factory
    /// encoded, for 3,000 gas more.
    function terms() public view returns (Terms memory terms_) {
        if (address(this) == IMPLEMENTATION) revert NotAProject();
        bytes memory words = Clones.fetchCloneArgs(address(this));
        uint256[2] memory first;
        assembly ("memory-safe") {
            terms_ := add(words, 0x20)
            let place := add(terms_, MODEL)
            mcopy(first, place, 0x40)
            mstore(place, first)
            mcopy(add(place, 0x20), add(place, 0x40), 0x20)
        }
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
    function trainerState(address account) external view returns (uint256 stake, uint256 dropped, bool penalised) {
        Trainer storage state = _trainer[account];
        return (state.stake, state.dropped, state.penalised);
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
    function openModel() external view returns (uint256 id, address payee, uint256 fee) {
        Terms memory t = terms();
        Claim memory claim = _claim(t);
        (id, payee) = (claim.round, claim.payee);
        if (id != 0) fee = t.roundFee;
    }

    /// @inheritdoc IProject
    function roundState(uint256 id)
        external
        view
        returns (uint256 committed, uint256 revealedMask, uint256 attestedMask, uint256 activeMask, bytes32 slotsHash)
    {
        RoundData storage data = _rounds[id];
        return (_committed(id), data.revealedMask, data.attestedMask, data.activeMask, data.slotsHash);
    }

    /// @inheritdoc IProject
    function slotOf(uint256 id, address trainer) external view returns (uint256 slotPlusOne) {
        return _slotPlusOne(id, trainer);
    }

    /// @inheritdoc IProject
    function sharesOf(uint256 id) external view returns (uint256[] memory words) {
        if (id == 0 || id > _closedRounds()) return words;
        (uint256 voids, bool isVoid) = _voidsBefore(id, 0);
        if (isVoid) return words;
        words = new uint256[](Packed.wordCount(terms().slots));
        for (uint256 i; i < words.length; ++i) {
            words[i] = _shareWord(id - voids, i);
        }
    }

    /// @inheritdoc IProject
    function owed(address account) public view returns (uint256 amount) {
        Terms memory t = terms();
        Trainer storage state = _trainer[account];
        amount = _credit[account];
        if (_hasEnded()) amount += state.stake;
        uint256 closed = _closedRounds();
        uint256 voids;
        for (uint256 id = uint256(state.paidRounds) + 1; id <= closed; ++id) {
            bool isVoid;
            (voids, isVoid) = _voidsBefore(id, voids);
            uint256 slotPlusOne = _slotPlusOne(id, account);
            // A void round pays nothing, and neither does a slot that did not attest.
            if (isVoid || slotPlusOne == 0 || !Packed.has(_rounds[id].attestedMask, slotPlusOne - 1)) continue;
            uint256 slot = slotPlusOne - 1;
            amount += _part(t.roundReward, Packed.lane(_shareWord(id - voids, slot / Packed.PER_WORD), slot));
        }
    }

    /// @param known a number of void rounds before `id` from which to count on
    /// @return voids number of void rounds before `id`
    /// @return isVoid whether round `id` is void
    function _voidsBefore(uint256 id, uint256 known) private view returns (uint256 voids, bool isVoid) {
        uint256 all = _voids.length;
        voids = known;
        while (voids < all && _voids[voids] < id) ++voids;
        isVoid = voids < all && _voids[voids] == id;
    }

    /// @dev Word `i` of the shares of the `number`-th settlement.
    function _shareWord(uint256 number, uint256 i) private view returns (uint256) {
        bytes memory word = CodeStore.read(number, Packed.BYTES_PER_WORD * i, Packed.BYTES_PER_WORD);
        return uint240(bytes30(word));
    }
}
