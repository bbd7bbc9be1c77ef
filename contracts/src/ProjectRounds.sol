// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Phase, Terms} from "./interfaces/IProject.sol";
import {ProjectState} from "./ProjectState.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {Packed} from "./libraries/Packed.sol";
import {Tally} from "./libraries/Tally.sol";

/// @title How a project moves from phase to phase, and what that does to stakes, bond and the fee of a model file.
/// @dev Transitions only: `Project` decides who may trigger them, and pays out.
abstract contract ProjectRounds is ProjectState {
    using Tally for uint256[4];

    /* ENDS OF PHASES */

    function _endRegistration(Terms memory t) internal {
        if (_status.trainers >= t.minTrainers && _status.bondHeld) _openRound(t);
        else _end(t, Phase.WoundUp);
    }

    function _endCommit(Terms memory t) internal {
        if (_committed(_status.round) < t.minActive) _void(t, "too few commitments");
        else _openPhase(t, Phase.Reveal);
    }

    function _endReveal(Terms memory t) internal {
        uint256 id = _status.round;
        uint256 revealed = _rounds[id].revealedMask;
        uint256 lost = _slash(id, _all(_committed(id)) & ~revealed);
        // At most its own stake: nobody earns by revealing what it will lose its stake for.
        if (lost != 0) _divide(t, id, revealed, lost, true);
        if (Packed.count(revealed) < t.minActive) _void(t, "too few reveals");
        else _openPhase(t, Phase.Attest);
    }

    function _endAttest(Terms memory t) internal {
        uint256 id = _status.round;
        RoundData storage data = _rounds[id];
        (uint256 revealed, uint256 attested) = (data.revealedMask, data.attestedMask);
        (uint256 attesters, uint256 half) = (Packed.count(attested), Packed.count(revealed) / 2);
        uint256 active = _tally.above(attesters, half);
        data.activeMask = uint128(active);
        emit SlotsActive(id, active, attested);
        // A slot that `c` attesters attest has `attesters - c` against it: more than half of the revealed, unless
        // `c > attesters - half - 1`. Who is absent is neither for nor against, so absence costs nobody a stake.
        uint256 against = attesters > half ? revealed & ~_tally.above(attesters, attesters - half - 1) : 0;
        bool valid = Packed.count(active) >= t.minActive;
        // Where half of the slots or more would lose their stakes in a void round, the attesters could not fetch files:
        // an outage, and nobody is slashed. A minority that withholds its bytes cannot bring that about.
        if (valid || Packed.count(against) * 2 < Packed.count(revealed)) _burn(id, _slash(id, against));
        // The votes of a void round on the model file do not close its claim.
        if (!valid) return _void(t, "too few active");
        if (_status.claimRound != 0) _unattested(t);
        _openPhase(t, Phase.Aggregate);
    }

    function _endAggregate(Terms memory t) internal {
        uint256 id = _status.round;
        if (_status.bondHeld) {
            uint256 active = _rounds[id].activeMask;
            _status.bondHeld = false;
            emit BondSlashed(id, t.bond, active);
            _divide(t, id, active, t.bond, false);
        }
        _void(t, "no result");
    }

    function _endClosing(Terms memory t) internal {
        _unattested(t);
        _finish(t, _status.ending);
    }

    /* BEGINNING AND END OF A ROUND */

    function _openIfComplete(Terms memory t) internal {
        if (_status.bondHeld && _status.trainers == t.maxTrainers) _openRound(t);
    }

    function _openRound(Terms memory t) private {
        uint256 id = ++_status.round;
        emit HyperParameters(id, _status.learningRate, t.localEpochs);
        _openPhase(t, Phase.Commit);
    }

    /// @dev If trainers have left and too few remain, the deadline of Commit decides instead.
    function _openRevealIfComplete(Terms memory t, uint256 committed) internal {
        if (committed == _status.trainers && committed >= t.minActive) _openPhase(t, Phase.Reveal);
    }

    function _openNextRound(Terms memory t) internal {
        if (_status.settled == t.rounds) _end(t, Phase.Completed);
        else if (_status.voided == t.maxVoids || _status.trainers < t.minActive) _end(t, Phase.WoundUp);
        else _openRound(t);
    }

    function _openPhase(Terms memory t, Phase phase_) internal {
        _status.phase = phase_;
        _status.openedIn = uint48(block.number);
        _startClock(t, phase_);
    }

    /// @dev Gives a phase its whole period again, once, if the chain stood still during it: nobody could act.
    /// @return whether it did
    function _extendIfHalted(Terms memory t, Phase phase_) internal returns (bool) {
        if (block.number - _status.openedIn >= Bounds.MIN_BLOCKS || Bounds.isTestChain()) return false;
        _status.openedIn = 0;
        _startClock(t, phase_);
        return true;
    }

    function _startClock(Terms memory t, Phase phase_) private {
        uint256 period = t.attestPeriod; // of Attest and of Closing
        if (phase_ == Phase.Registration) period = t.registrationPeriod;
        else if (phase_ == Phase.Commit) period = t.commitPeriod;
        else if (phase_ == Phase.Reveal) period = t.revealPeriod;
        else if (phase_ == Phase.Aggregate) period = t.aggregatePeriod;
        _status.deadline = uint40(block.timestamp + period);
        emit PhaseOpened(_status.round, phase_, block.timestamp + period);
    }

    function _void(Terms memory t, string memory reason) private {
        ++_status.voided;
        _voids.push(_status.round);
        emit RoundVoided(_status.round, reason);
        _openNextRound(t);
    }

    /// @dev If a fee is held for a model file, Closing comes first.
    function _end(Terms memory t, Phase phase_) private {
        if (_status.claimRound == 0) return _finish(t, phase_);
        _status.ending = phase_;
        _openPhase(t, Phase.Closing);
    }

    /// @dev Does not touch stakes: `owed` includes a held stake as soon as the project has ended.
    function _finish(Terms memory t, Phase phase_) internal {
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

    /* FEE OF A MODEL FILE */

    /// @dev Counts a vote for a source under `key`; more than half of `voters` close the claim.
    function _vote(Terms memory t, Claim memory claim, uint256 key, address source, uint256 voters)
        internal
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
                emit BondSlashed(claim.round, t.bond, 0);
                _burn(claim.round, t.bond);
            }
        }
        emit ModelAttested(claim.round, source, _modelCid, t.roundFee);
    }

    /// @dev No source was named by more than half: the fee returns to the escrow.
    function _unattested(Terms memory t) private {
        emit ModelUnattested(_status.claimRound, t.roundFee);
        escrow += t.roundFee;
        _status.claimRound = 0;
    }

    /* STAKES, PENALTIES AND BONDS THAT ARE LOST; none of them enters the escrow, whose rest is the owner's */

    /// @dev Takes stake and seat from the trainers of these slots of a round. The caller must divide or burn what they
    /// lose.
    function _slash(uint256 id, uint256 mask) private returns (uint256 lost) {
        if (mask == 0) return 0;
        // Backwards, because a removal moves the last trainer into the gap.
        for (uint256 left = _trainers.length; left > 0; --left) {
            address trainer = _trainers[left - 1];
            uint256 slotPlusOne = _slotPlusOne(id, trainer);
            if (slotPlusOne == 0 || !Packed.has(mask, slotPlusOne - 1)) continue;
            uint256 stake = _removeTrainer(left - 1);
            lost += stake;
            emit StakeSlashed(id, trainer, stake);
        }
    }

    /// @dev Credits the trainer of each slot of `mask` with an equal part of `amount`, rounded down, and burns the
    /// rest, the owner's own part included. All these trainers must have their seats.
    /// @param capped whether a part is at most the trainer's own stake
    function _divide(Terms memory t, uint256 id, uint256 mask, uint256 amount, bool capped) private {
        uint256 rest = amount;
        if (mask != 0) {
            uint256 part = amount / Packed.count(mask);
            emit LossDivided(id, mask, part);
            for (uint256 i; i < _trainers.length; ++i) {
                address trainer = _trainers[i];
                uint256 slotPlusOne = _slotPlusOne(id, trainer);
                if (slotPlusOne == 0 || !Packed.has(mask, slotPlusOne - 1) || trainer == t.owner) continue;
                uint256 stake = _trainer[trainer].stake;
                uint256 gain = capped && stake < part ? stake : part;
                _credit[trainer] += gain;
                rest -= gain;
            }
        }
        _burn(id, rest);
    }

    /// @dev From here on this amount is nobody's. It stays, because many tokens refuse transfers to the zero address.
    function _burn(uint256 id, uint256 amount) internal {
        if (amount == 0) return;
        burnt += amount;
        emit Burnt(id, amount);
    }

    /// @dev Removes the trainer at index `i` and releases its stake; the caller must credit `stake` to its new owner.
    function _removeTrainer(uint256 i) internal returns (uint256 stake) {
        address trainer = _trainers[i];
        _trainers[i] = _trainers[_trainers.length - 1];
        _trainers.pop();
        --_status.trainers;
        stake = _trainer[trainer].stake;
        _trainer[trainer].active = false;
        _trainer[trainer].stake = 0;
    }

    /// @dev The mask of slots 0 to `n - 1`.
    function _all(uint256 n) internal pure returns (uint256) {
        return (1 << n) - 1;
    }
}
