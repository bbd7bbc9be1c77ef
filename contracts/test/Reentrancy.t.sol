// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IProject, Terms} from "../src/interfaces/IProject.sol";
import {Project} from "./support/Deployed.sol";
import {Market} from "./support/Market.sol";
import {Calls, Thief} from "./support/Thief.sol";
import {HookToken, ITokenHook, PlainToken} from "./support/Tokens.sol";

/// @dev An owner whose token calls it during the transfer of the deposit: it looks for the project, which does not
/// exist yet, and creates a second one.
contract HookedOwner is ITokenHook {
    address public second;
    Terms private _terms;
    address private _factory;
    bool private _inside;

    function hook(HookToken token, address spender) external {
        token.hook();
        token.approve(spender, type(uint256).max);
    }

    function tokensMoved(address, address to, uint256) external {
        if (_factory == address(0)) return;
        require(to.code.length == 0, "the project was there before its deposit");
        if (_inside) return;
        _inside = true;
        second = Creator(_factory).createProject(_terms);
    }

    function createTwo(address factory, Terms calldata t) external returns (address first) {
        (_factory, _terms) = (factory, t);
        first = Creator(factory).createProject(t);
    }
}

interface Creator {
    function createProject(Terms calldata terms) external payable returns (address);
}

/// @dev When asked for the balance of a contract, it calls all functions of the contract; it answers honestly only if
/// every call was refused.
contract AskedToken is PlainToken {
    /// @dev A view that must succeed, instead of all functions that must not: shows that the calls are made.
    bool public probing;

    function probe(bool on) external {
        probing = on;
    }

    function balanceOf(address who) public view override returns (uint256) {
        if (who.code.length != 0) {
            bytes[] memory all = Calls.all(msg.sender, 0);
            if (probing) {
                all = new bytes[](1);
                all[0] = abi.encodeCall(IProject.interfaceVersion, ());
            }
            for (uint256 i; i < all.length; ++i) {
                // A write in a static call burns all the gas it is given.
                (bool done,) = who.staticcall{gas: 100_000}(all[i]);
                if (done) return 0;
            }
        }
        return super.balanceOf(who);
    }
}

/// @dev Every call from a project or the factory to foreign code, and from each of them every function that changes a
/// project. (The verifiers, the registry and the keys belong to the factory and are called as views.)
///
/// | call | where | test |
/// | --- | --- | --- |
/// | ether to the receiver | withdraw | `test_withdraw_reentrantReceiverIsPaidOnce` |
/// | token: transfer | withdraw | `test_reentrancy_throughATokensHooks` |
/// | token: transferFrom | join, joinFor, placeBond | `.._throughATokensHooks`, `.._whileASignedJoinIsPaid`, `.._anAggregatorsBondIsTakenOnce` |
/// | token: transferFrom | createProject | `test_reentrancy_whileAProjectIsCreated` |
/// | token: balanceOf | join, joinFor, placeBond, createProject | `test_reentrancy_whileATokenIsAskedForABalance`, `.._ForADeposit` |
/// | ERC-1271 signature | joinFor | `test_reentrancy_whileAWalletIsAskedForASignature` |
contract ReentrancyTest is Market {
    function inToken(address token) private returns (Terms memory t) {
        t = defaultTerms();
        t.token = token;
        project = create(t);
    }

    function test_withdraw_reentrantReceiverIsPaidOnce() public {
        Thief thief = new Thief();
        thief.begin(project, HookToken(address(0)));
        join(0);
        join(1);
        vm.deal(address(this), STAKE);
        thief.join{value: STAKE}();
        thief.leave();
        uint256 before = address(project).balance;
        assertEq(thief.pull(), STAKE);
        assertEq(thief.calls(), 12);
        assertEq(thief.refusals(), 12);
        assertEq(address(thief).balance, STAKE);
        assertEq(before - address(project).balance, STAKE);
    }

    /// @dev The same as the aggregator, which receives the bond and the fee at the end.
    function test_withdraw_reentrantAggregatorIsPaidOnce() public {
        Thief thief = new Thief();
        Terms memory t = defaultTerms();
        t.aggregator = address(thief);
        project = create(t);
        thief.begin(project, HookToken(address(0)));
        vm.deal(address(this), BOND);
        thief.placeBond{value: BOND}();
        join(0);
        skipAndAdvance(); // too few trainers
        assertEq(thief.pull(), BOND);
        assertEq(thief.refusals(), 12);
        assertEq(address(project).balance, DEPOSIT + STAKE);
    }

    function test_reentrancy_throughATokensHooks() public {
        HookToken token = new HookToken();
        inToken(address(token));
        Thief thief = new Thief();
        thief.begin(project, token);
        join(0);
        token.mint(address(thief), STAKE);
        thief.join();
        assertEq(thief.calls(), 12);
        assertEq(thief.refusals(), 12);
        thief.leave();
        assertEq(thief.pull(), STAKE);
        assertEq(thief.refusals(), 24);
        assertEq(token.balanceOf(address(thief)), STAKE);
        assertEq(token.balanceOf(address(project)), project.escrow() + STAKE);
    }

    function test_reentrancy_anAggregatorsBondIsTakenOnce() public {
        HookToken token = new HookToken();
        Terms memory t = defaultTerms();
        t.token = address(token);
        Thief other = new Thief();
        t.aggregator = address(other);
        project = create(t);
        other.begin(project, token);
        token.mint(address(other), BOND);
        other.placeBond();
        assertEq(other.refusals(), 12);
        assertTrue(project.bondPlaced());
        assertEq(token.balanceOf(address(project)), DEPOSIT + BOND);
    }

    function test_reentrancy_whileAProjectIsCreated() public {
        HookToken token = new HookToken();
        HookedOwner owner = new HookedOwner();
        owner.hook(token, address(factory));
        token.mint(address(owner), 2 * DEPOSIT);
        Terms memory t = defaultTerms();
        (t.token, t.owner) = (address(token), address(owner));
        Project first = Project(owner.createTwo(address(factory), t));
        Project second = Project(owner.second());
        assertTrue(address(first) != address(second));
        assertTrue(factory.isProject(address(first)) && factory.isProject(address(second)));
        assertEq(token.balanceOf(address(first)), DEPOSIT);
        assertEq(token.balanceOf(address(second)), DEPOSIT);
        assertEq(first.escrow() + second.escrow(), 2 * DEPOSIT);
    }

    function test_reentrancy_whileASignedJoinIsPaid() public {
        HookToken token = new HookToken();
        inToken(address(token));
        Thief thief = new Thief();
        thief.begin(project, token);
        // The thief pays for its own seat, with its own signature.
        token.mint(address(thief), STAKE);
        vm.prank(address(thief));
        project.joinFor(address(thief), block.timestamp, "");
        assertTrue(project.isTrainer(address(thief)));
        assertEq(thief.calls(), 12);
        assertEq(thief.refusals(), 12);
        assertEq(token.balanceOf(address(project)), DEPOSIT + STAKE);
    }

    /// @dev The signature is checked in a static call, so the wallet cannot change anything; it signs only if every
    /// attempt failed.
    function test_reentrancy_whileAWalletIsAskedForASignature() public {
        Thief thief = new Thief();
        thief.begin(project, HookToken(address(0)));
        vm.deal(STRANGER, 2 * STAKE);
        vm.prank(STRANGER);
        project.joinFor{value: STAKE}(address(thief), block.timestamp, "");
        assertTrue(project.isTrainer(address(thief)));
        assertEq(project.trainers().length, 1);
        assertEq(project.nonces(address(thief)), 1);
        thief.leave();
        // The wallet is called: a call that succeeds keeps it from signing.
        thief.probe();
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(IProject.InvalidSignature.selector, address(thief)));
        project.joinFor{value: STAKE}(address(thief), block.timestamp, "");
    }

    function test_reentrancy_whileATokenIsAskedForABalance() public {
        AskedToken token = new AskedToken();
        inToken(address(token));
        join(0);
        placeBond();
        assertEq(project.trainers().length, 1);
        assertTrue(project.bondPlaced());
        token.probe(true);
        give(address(token), trainer(1), address(project), STAKE);
        vm.prank(trainer(1));
        vm.expectRevert(abi.encodeWithSelector(IProject.UnsupportedToken.selector, STAKE, 0));
        project.join();
        token.probe(false);
        join(1);
    }

    function test_reentrancy_whileATokenIsAskedForADeposit() public {
        AskedToken token = new AskedToken();
        Terms memory t = inToken(address(token));
        assertEq(project.escrow(), DEPOSIT);
        token.probe(true);
        give(address(token), OWNER, address(factory), DEPOSIT);
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(IProject.UnsupportedToken.selector, DEPOSIT, 0));
        factory.createProject(t);
    }
}
