// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IProject} from "../interfaces/IProject.sol";

/// @title Moves a project's money in and out: ether, or one ERC-20.
library Currency {
    using SafeERC20 for IERC20;

    /// @notice Takes exactly `amount` from the sender, or reverts.
    /// @param token zero for ether, which must come with the call
    /// @dev All callers are payable; slither does not see the callers of a library.
    // slither-disable-next-line msg-value-in-nonpayable
    function take(address token, uint256 amount) internal {
        uint256 due = token == address(0) ? amount : 0;
        if (msg.value != due) revert IProject.WrongValue(due, msg.value);
        if (token == address(0) || amount == 0) return;
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        uint256 balance = IERC20(token).balanceOf(address(this));
        uint256 received = balance > before ? balance - before : 0;
        if (received != amount) revert IProject.UnsupportedToken(amount, received);
    }

    /// @notice Sends `amount` to `to`, or reverts. A token that returns false has failed.
    function send(address token, address payable to, uint256 amount) internal {
        if (to == address(0) || to == address(this)) revert IProject.TransferFailed(to);
        bool sent;
        if (token == address(0)) (sent,) = to.call{value: amount}("");
        else sent = IERC20(token).trySafeTransfer(to, amount);
        if (!sent) revert IProject.TransferFailed(to);
    }
}
