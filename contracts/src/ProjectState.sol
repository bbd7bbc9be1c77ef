// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IFormVerifier} from "./interfaces/IFormVerifier.sol";
import {IKeyRegistry} from "./interfaces/IKeyRegistry.sol";
import {IProject, Phase, Terms} from "./interfaces/IProject.sol";
import {IRoundVerifier} from "./interfaces/IRoundVerifier.sol";
import {CodeStore} from "./libraries/CodeStore.sol";
import {Packed} from "./libraries/Packed.sol";
import {SlotChain} from "./libraries/SlotChain.sol";

/// @title What a project remembers, and the views of it. Nothing here changes anything.
abstract contract ProjectState is IProject {
    /// @notice This is the code that projects share, not a project.
    error NotAProject();

    /// @dev What is held for, and was paid to, one account that is or was a trainer. One word.
    struct Trainer {
        bool active; // is in `_trainers`
        bool penalised;
        uint16 dropped; // rounds in which it was dropped as outlier; not counted where the terms have no penalty
        uint32 paidRounds; // shares of rounds 1 ..= paidRounds have been credited
        uint96 stake; // held
    }

    struct RoundData {
        bytes32 slotsHash; // `SlotChain`: the low byte is the number of slots
        uint128 attestedMask;
        uint128 activeMask;
        uint128 revealedMask;
    }

    /// @dev What every transaction needs, in one word.
    struct Status {
        Phase phase;
        Phase ending; // what Closing ends in
        bool bondHeld;
        uint16 settled;
        uint16 voided;
        uint32 round;
        uint32 learningRate;
        uint64 deadline;
        uint8 trainers; // length of `_trainers`
        uint32 claimRound; // of the model file whose fee is held, 0 when there is none
        bool claimIsAggregators; // its payee is the terms' aggregator, and `_claimPayee` is not read
    }

    /// @dev The model file whose fee is held, as `Status` and `_claimPayee` tell it.
    struct Claim {
        uint32 round; // 0 when there is none
        address payee;
    }

    /// @inheritdoc IProject
    address public immutable factory;
    /// @inheritdoc IProject
    address public immutable keyRegistry;
    /// @inheritdoc IProject
    address public immutable roundVerifier;
    /// @inheritdoc IProject
    address public immutable formVerifier;

    address private immutable IMPLEMENTATION = address(this);
    /// @dev Of the fields of `Terms` before `model`, bytes.
    uint256 private constant MODEL = 32 * 34;

    Status internal _status;
    /// @dev Written only where the payee is not the aggregator: a settlement as the terms foresee it does not pay for the word.
    address internal _claimPayee;
    /// @inheritdoc IProject
    uint256 public escrow;
    uint256[2] internal _model;
    bytes32 internal _modelCid;
    address[] internal _trainers;
    mapping(address account => uint256) internal _credit;
    mapping(address account => Trainer) internal _trainer;
    // Written in `Project` through references, which slither does not follow.
    // slither-disable-next-line uninitialized-state
    mapping(uint256 id => RoundData) internal _rounds;
    /// @dev The low byte is the slot plus one, the rest is the seal without its low byte: 248 bits bind well enough.
    mapping(uint256 id => mapping(address trainer => uint256)) internal _submissions;
    /// @dev The rounds that are void, in their order. The shares of the others are written down with `CodeStore`, numbered as they were settled: few
    /// rounds are void, so to keep these costs less than to keep a number for every settlement.
    uint32[] internal _voids;
    mapping(bytes32 point => bool) internal _used;
    /// @dev `Tally` of the round in Attest.
    uint256[4] internal _tally;
    /// @dev Under which CID an account serves the model file of a round, 0 when it has published none.
    mapping(uint256 id => mapping(address publisher => bytes32 cid)) internal _published;
    /// @dev How many named a source, by the round in which they did; those of Closing under 0.
    mapping(uint256 id => mapping(address source => uint256)) internal _votes;
    /// @dev Who has voted in Closing, by slots of the claim's round.
    uint256 internal _closingVoters;

    constructor(IKeyRegistry registry, IRoundVerifier verifier, IFormVerifier form) {
        factory = msg.sender;
        keyRegistry = address(registry);
        roundVerifier = address(verifier);
        formVerifier = address(form);
    }

    // --- small helpers

    /// @dev Wei of a share of 2^-16 parts, rounded down; what is lost stays in escrow.
    function _part(uint256 reward, uint256 share) internal pure returns (uint256) {
        // A share has 17 bits, a reward 96.
        unchecked {
            return reward * share >> 16;
        }
    }

    /// @dev 0 when the trainer has no slot in this round.
    function _slotPlusOne(uint256 id, address account) internal view returns (uint256) {
        return _submissions[id][account] & 0xff;
    }

    /// @dev The model file whose fee is held.
    function _claim(Terms memory t) internal view returns (Claim memory claim) {
        claim.round = _status.claimRound;
        if (claim.round != 0) claim.payee = _status.claimIsAggregators ? t.aggregator : _claimPayee;
    }

    /// @dev How many have committed in a round.
    function _committed(uint256 id) internal view returns (uint256) {
        return SlotChain.count(_rounds[id].slotsHash);
    }

    function _hasEnded() internal view returns (bool) {
        return _status.phase >= Phase.Completed;
    }

    /// @dev Rounds 1 to this are settled or void.
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

    // --- views

    /// @inheritdoc IProject
    function interfaceVersion() external pure returns (uint256) {
        return 3;
    }

    /// @inheritdoc IProject
    /// @dev They lie in the code as in memory, a word a field, but for the two words of `model`, of which memory has the place. Every transaction reads them:
    /// `abi.decode`, which checks every field of what the factory encoded, costs 3,000 gas more.
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
            // Nothing for a void round, nor for a slot that attested nothing.
            if (isVoid || slotPlusOne == 0 || !Packed.has(_rounds[id].attestedMask, slotPlusOne - 1)) continue;
            uint256 slot = slotPlusOne - 1;
            amount += _part(t.roundReward, Packed.lane(_shareWord(id - voids, slot / Packed.PER_WORD), slot));
        }
    }

    /// @dev How many of the rounds before `id` are void, of which the first `known` are, and whether it is void itself.
    function _voidsBefore(uint256 id, uint256 known) private view returns (uint256 voids, bool isVoid) {
        uint256 all = _voids.length;
        voids = known;
        while (voids < all && _voids[voids] < id) ++voids;
        isVoid = voids < all && _voids[voids] == id;
    }

    /// @dev Word `i` of the shares that the `number`-th settlement wrote.
    function _shareWord(uint256 number, uint256 i) private view returns (uint256) {
        bytes memory word = CodeStore.read(number, Packed.BYTES_PER_WORD * i, Packed.BYTES_PER_WORD);
        return uint240(bytes30(word));
    }
}
