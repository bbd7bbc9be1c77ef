// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RangeProof} from "../../src/interfaces/IRangeVerifier.sol";
import {IProject} from "../../src/interfaces/IProject.sol";
import {RoundProof} from "../../src/interfaces/IRoundVerifier.sol";
import {HookToken, ITokenHook} from "./Tokens.sol";

/// @dev Every function that changes a project, called by `who` as an attacker would.
library Calls {
    function all(address who, uint256 round) internal pure returns (bytes[] memory calls) {
        RangeProof memory rangeProof;
        RoundProof memory proof;
        calls = new bytes[](12);
        calls[0] = abi.encodeCall(IProject.withdraw, (payable(who)));
        calls[1] = abi.encodeCall(IProject.leave, ());
        calls[2] = abi.encodeCall(IProject.advance, ());
        calls[3] = abi.encodeCall(IProject.join, ());
        calls[4] = abi.encodeCall(IProject.joinFor, (who, type(uint256).max, ""));
        calls[5] = abi.encodeCall(IProject.placeBond, ());
        calls[6] = abi.encodeCall(IProject.commitUpdate, (round, [uint256(1), 2], bytes32(0), rangeProof));
        calls[7] = abi.encodeCall(IProject.revealUpdate, (round, bytes32(0), bytes32(0)));
        calls[8] = abi.encodeCall(IProject.attest, (round, 1, address(0)));
        calls[9] = abi.encodeCall(IProject.attestModel, (who));
        calls[10] = abi.encodeCall(IProject.publishModel, ("cid"));
        calls[11] = abi.encodeCall(IProject.settle, (round, who, "cid", new uint256[2][](0), new address[](0), proof));
    }
}

/// @dev Participates like any trainer. Whenever the project calls it (it gets ether, a token moves, its signature is
/// checked), it calls every function of the project again. A guard must refuse each call.
contract Thief is ITokenHook {
    /// @dev A write in a static call burns all the gas it is given.
    uint256 private constant GAS = 100_000;

    IProject private _project;
    HookToken private _token;
    bool private _began;
    /// @dev The attempts while its signature is checked, when it cannot record anything: all of `Calls`, or one view
    /// that must succeed.
    bool public probing;
    uint256 public calls;
    uint256 public refusals;
    uint256 public successes;

    /// @param token zero if the project's currency is ether
    function begin(IProject project, HookToken token) external {
        (_project, _token, _began) = (project, token, true);
        if (address(token) == address(0)) return;
        token.hook();
        token.approve(address(project), type(uint256).max);
    }

    function probe() external {
        probing = true;
    }

    function join() external payable {
        _project.join{value: msg.value}();
    }

    function placeBond() external payable {
        _project.placeBond{value: msg.value}();
    }

    function leave() external {
        _project.leave();
    }

    function pull() external returns (uint256) {
        return _project.withdraw(payable(address(this)));
    }

    receive() external payable {
        if (_began) _tryAll();
        if (_began) require(_project.owed(address(this)) == 0, "owed while being paid");
    }

    function tokensMoved(address from, address, uint256) external {
        // Minting is not a call from the project.
        if (msg.sender != address(_token) || from == address(0)) return;
        _tryAll();
        if (from == address(_project)) require(_project.owed(address(this)) == 0, "owed while being paid");
    }

    function _tryAll() private {
        bytes[] memory all = Calls.all(address(this), _project.round());
        for (uint256 i; i < all.length; ++i) {
            ++calls;
            (bool done, bytes memory reason) = address(_project).call(all[i]);
            if (done) ++successes;
            // keccak256("ReentrancyGuardReentrantCall()")
            else if (bytes4(reason) == 0x3ee5aeb5) ++refusals;
        }
    }

    /// @dev ERC-1271. Valid exactly if every call was refused, so a join in its name shows that they were.
    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        bytes[] memory all = Calls.all(address(this), _project.round());
        if (probing) {
            all = new bytes[](1);
            all[0] = abi.encodeCall(IProject.phase, ());
        }
        for (uint256 i; i < all.length; ++i) {
            (bool done,) = address(_project).call{gas: GAS}(all[i]);
            if (done) return 0;
        }
        return this.isValidSignature.selector;
    }
}
