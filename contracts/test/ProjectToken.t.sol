// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Project} from "../src/Project.sol";
import {FormProof} from "../src/interfaces/IFormVerifier.sol";
import {IProject, Phase, Slot, Terms} from "../src/interfaces/IProject.sol";
import {RoundProof} from "../src/interfaces/IRoundVerifier.sol";
import {Market} from "./support/Market.sol";
import {FeeToken, HookToken, HostileToken, ITokenHook, PlainToken, SilentToken} from "./support/Tokens.sol";

/// @dev Whenever it is given a unit, or one of its own is taken, it calls every function of the project that changes anything.
contract HookedTrainer is ITokenHook {
    Project private _project;
    HookToken private _token;
    uint256 public refusals;
    uint256 public calls;

    function begin(Project project, HookToken token) external {
        (_project, _token) = (project, token);
        token.hook();
        token.approve(address(project), type(uint256).max);
    }

    function join() external {
        _project.join();
    }

    function placeBond() external {
        _project.placeBond();
    }

    function leave() external {
        _project.leave();
    }

    function pull() external returns (uint256) {
        return _project.withdraw(payable(address(this)));
    }

    function tokensMoved(address from, address, uint256) external {
        if (msg.sender != address(_token) || from == address(0)) return; // minting is not the project's doing
        FormProof memory form;
        RoundProof memory proof;
        bytes[12] memory all = [
            abi.encodeCall(IProject.withdraw, (payable(address(this)))),
            abi.encodeCall(IProject.leave, ()),
            abi.encodeCall(IProject.advance, ()),
            abi.encodeCall(IProject.join, ()),
            abi.encodeCall(IProject.joinFor, (address(this), type(uint256).max, "")),
            abi.encodeCall(IProject.placeBond, ()),
            abi.encodeCall(IProject.commitUpdate, (1, [uint256(1), 2], bytes32(0), form)),
            abi.encodeCall(IProject.revealUpdate, (1, bytes32(0), bytes32(0))),
            abi.encodeCall(IProject.attest, (1, 1, address(0))),
            abi.encodeCall(IProject.attestModel, (address(this))),
            abi.encodeCall(IProject.publishModel, ("cid")),
            abi.encodeCall(IProject.settle, (1, address(this), "cid", new Slot[](0), proof))
        ];
        for (uint256 i; i < all.length; ++i) {
            ++calls;
            (bool done, bytes memory reason) = address(_project).call(all[i]);
            // keccak256("ReentrancyGuardReentrantCall()")
            if (!done && bytes4(reason) == 0x3ee5aeb5) ++refusals;
        }
    }
}

/// @dev An owner whose token calls it while the deposit moves: it looks for the project that is not there yet, and makes a second one.
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

/// @dev The same market in an ERC-20, and with tokens that misbehave.
contract ProjectTokenTest is Market {
    uint256 private constant DEPOSIT = 2 * (uint256(REWARD) + FEE);

    function inToken(address token) private returns (Terms memory t) {
        t = defaultTerms();
        t.token = token;
        project = create(t);
    }

    /// @dev A whole life: a stake lost, a round void with the bond divided, two settled, a publisher, everybody paid to the unit.
    function playOut() private {
        start(4);
        submit(4);
        settleWith([uint256(30000), 20000, 15535, 0], 65536, AGGREGATOR);
        submit(4);
        skipAndAdvance(); // no result: the bond is divided
        for (uint256 i; i < 4; ++i) {
            commit(i);
        }
        for (uint256 i; i < 3; ++i) {
            reveal(i);
        }
        skipAndAdvance();
        for (uint256 i; i < 3; ++i) {
            attest(i);
        }
        settleWith([uint256(1), 65535, 0, 0], 65536, STRANGER);
        close(STRANGER);
        assertPhase(Phase.Completed);
        uint256 each = uint256(BOND) / 4;
        uint256 r = REWARD;
        uint256[4] memory earned = [r * 30000 / 65536 + r / 65536, r * 20000 / 65536 + r * 65535 / 65536, r * 15535 / 65536, 0];
        uint256 rest = DEPOSIT + STAKE + BOND - 4 * each - 2 * uint256(FEE);
        for (uint256 i; i < 4; ++i) {
            assertEq(project.owed(trainer(i)), earned[i] + each + (i < 3 ? STAKE : 0));
            rest -= earned[i];
        }
        assertEq(project.owed(AGGREGATOR), FEE);
        assertEq(project.owed(STRANGER), FEE);
        assertEq(project.owed(OWNER), rest);
        withdrawAllAndExpectEmpty();
    }

    function test_life_inEther() public {
        playOut();
    }

    function test_life_inAToken() public {
        inToken(address(new PlainToken()));
        assertEq(project.escrow(), DEPOSIT);
        assertEq(address(project).balance, 0);
        playOut();
    }

    function test_life_inATokenThatReturnsNothing() public {
        inToken(address(new SilentToken()));
        playOut();
    }

    function test_token_etherIsRefused() public {
        Terms memory t = inToken(address(new PlainToken()));
        vm.deal(trainer(0), 2 * STAKE);
        give(t.token, trainer(0), address(project), STAKE);
        vm.prank(trainer(0));
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongValue.selector, 0, 1));
        project.join{value: 1}();
        give(t.token, OWNER, address(factory), DEPOSIT);
        vm.deal(OWNER, 1);
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(IProject.WrongValue.selector, 0, 1));
        factory.createProject{value: 1}(t);
    }

    function test_token_notAllowed() public {
        Terms memory t = inToken(address(new PlainToken()));
        PlainToken(t.token).mint(trainer(0), STAKE);
        vm.prank(trainer(0));
        vm.expectRevert();
        project.join();
        vm.prank(OWNER);
        vm.expectRevert();
        factory.createProject(t);
    }

    function test_token_feeOnTransferIsRefusedAtCreation() public {
        Terms memory t = defaultTerms();
        t.token = address(new FeeToken());
        give(t.token, OWNER, address(factory), DEPOSIT);
        vm.prank(OWNER);
        vm.expectRevert(
            abi.encodeWithSelector(IProject.UnsupportedToken.selector, DEPOSIT, DEPOSIT - DEPOSIT / 100)
        );
        factory.createProject(t);
    }

    /// @dev A token that turns bad later takes nothing from anybody: what does not arrive in full is refused.
    function test_token_thatTakesALaterFee() public {
        HostileToken token = new HostileToken();
        inToken(address(token));
        token.set(HostileToken.Mode.Shrinks);
        give(address(token), trainer(0), address(project), STAKE);
        vm.prank(trainer(0));
        vm.expectRevert(abi.encodeWithSelector(IProject.UnsupportedToken.selector, STAKE, 0));
        project.join();
        token.set(HostileToken.Mode.Honest);
        give(address(token), AGGREGATOR, address(project), BOND);
        token.set(HostileToken.Mode.Shrinks);
        vm.prank(AGGREGATOR);
        vm.expectRevert(abi.encodeWithSelector(IProject.UnsupportedToken.selector, BOND, 0));
        project.placeBond();
    }

    function test_token_thatFailsLeavesTheClaimStanding() public {
        HostileToken token = new HostileToken();
        inToken(address(token));
        join(0);
        vm.prank(trainer(0));
        project.leave();
        for (uint256 mode = 1; mode <= 2; ++mode) {
            token.set(HostileToken.Mode(mode));
            vm.prank(trainer(0));
            vm.expectRevert(abi.encodeWithSelector(IProject.TransferFailed.selector, trainer(0)));
            project.withdraw(payable(trainer(0)));
            assertEq(project.owed(trainer(0)), STAKE);
        }
        token.set(HostileToken.Mode.Honest);
        assertEq(withdraw(trainer(0)), STAKE);
    }

    /// @dev To itself it would be nobody's.
    function test_withdraw_notToTheProject() public {
        inToken(address(new PlainToken()));
        join(0);
        vm.prank(trainer(0));
        project.leave();
        vm.prank(trainer(0));
        vm.expectRevert(abi.encodeWithSelector(IProject.TransferFailed.selector, address(project)));
        project.withdraw(payable(address(project)));
    }

    /// @dev A unit sent to the address before the project is there neither stops it nor counts as anybody's.
    function test_createProject_whereSomebodySentAUnitBefore() public {
        PlainToken token = new PlainToken();
        Terms memory t = defaultTerms();
        t.token = address(token);
        address predicted = factory.implementation(); // anything: replaced below
        give(t.token, OWNER, address(factory), 2 * DEPOSIT);
        // The address depends on terms and count only, so a dry run tells it.
        try this.dryRun(t) {}
        catch (bytes memory reason) {
            predicted = abi.decode(reason, (address));
        }
        token.mint(predicted, 1);
        vm.prank(OWNER);
        project = Project(factory.createProject(t));
        assertEq(address(project), predicted);
        assertEq(project.escrow(), DEPOSIT);
        skipAndAdvance();
        assertEq(withdraw(OWNER), DEPOSIT);
        assertEq(token.balanceOf(address(project)), 1);
    }

    function dryRun(Terms calldata t) external {
        vm.prank(OWNER);
        bytes memory made = abi.encode(factory.createProject(t));
        assembly ("memory-safe") {
            revert(add(made, 32), mload(made))
        }
    }

    function test_reentrancy_throughATokensHooks() public {
        HookToken token = new HookToken();
        inToken(address(token));
        HookedTrainer thief = new HookedTrainer();
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
        HookedTrainer other = new HookedTrainer();
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
}
