// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @dev A token that anyone may mint.
contract PlainToken is ERC20("Test", "TST") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @dev Keeps one percent of every transfer.
contract FeeToken is ERC20("Fee", "FEE") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from != address(0) && to != address(0)) super._update(to, address(0xFEE), amount / 100);
    }
}

/// @dev Like some of the oldest tokens: returns nothing on success.
contract SilentToken {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address to, uint256 amount) external {
        allowance[msg.sender][to] = amount;
    }

    function transfer(address to, uint256 amount) external {
        _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external {
        allowance[from][msg.sender] -= amount;
        _move(from, to, amount);
    }

    function _move(address from, address to, uint256 amount) private {
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
    }
}

/// @dev Its owner can make every transfer fail: by a revert, by returning false, by delivering one unit less, or by
/// taking more than it delivers.
contract HostileToken is PlainToken {
    enum Mode {
        Honest,
        Reverts,
        SaysFalse,
        KeepsAUnit,
        Shrinks
    }

    Mode public mode;

    function set(Mode mode_) external {
        mode = mode_;
    }

    function transfer(address to, uint256 amount) public override returns (bool) {
        if (mode == Mode.Reverts) revert("blocked");
        if (mode == Mode.SaysFalse) return false;
        return super.transfer(to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        if (mode == Mode.Reverts) revert("blocked");
        if (mode == Mode.SaysFalse) return false;
        super.transferFrom(from, to, amount);
        if (mode == Mode.KeepsAUnit) _burn(to, 1);
        if (mode == Mode.Shrinks) _burn(to, balanceOf(to));
        return true;
    }

    /// @dev A rebase: an account's balance shrinks without a transfer.
    function shrink(address who, uint256 amount) external {
        _burn(who, amount);
    }
}

/// @dev Calls sender and receiver of every transfer that have registered for it, as ERC-777 does.
interface ITokenHook {
    function tokensMoved(address from, address to, uint256 amount) external;
}

contract HookToken is HostileToken {
    mapping(address => bool) public hooked;

    function hook() external {
        hooked[msg.sender] = true;
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (hooked[from]) ITokenHook(from).tokensMoved(from, to, amount);
        super._update(from, to, amount);
        if (hooked[to]) ITokenHook(to).tokensMoved(from, to, amount);
    }
}
