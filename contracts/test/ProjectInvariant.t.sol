// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Phase, Terms} from "../src/interfaces/IProject.sol";
import {Market} from "./support/Market.sol";
import {MarketHandler} from "./support/MarketHandler.sol";
import {HookToken} from "./support/Tokens.sol";

/// @dev What holds after every action of any order of actions of everybody, in ether and in a token that calls back.
abstract contract ProjectInvariant is Market {
    MarketHandler private handler;

    function begin(address token) internal {
        Terms memory t = defaultTerms();
        (t.token, t.minTrainers, t.maxTrainers) = (token, 4, 6);
        (t.rounds, t.maxVoids, t.registrationPeriod) = (3, 3, 400);
        (t.outlierRounds, t.outlierPenalty) = (1, 0.3 ether);
        project = create(t);
        handler = new MarketHandler(project);
        targetContract(address(handler));
    }

    /// @dev One invariant for all, so that a run's actions are checked by all of them: half the time of six.
    function invariant_booksAgree() public view {
        moneyIsAllThere();
        nobodyIsPaidTwiceOrShort();
        stakesAreConserved();
        assertFalse(handler.wentBack(), "a state was entered again");
        assertFalse(handler.attackSucceeded(), "an attack succeeded");
        assertFalse(handler.paidTwice(), "paid twice for a round");
        assertFalse(handler.wrongActive(), "active slots are not the majority's");
        assertEq(handler.MISCHIEF().successes(), 0, "reentered");
        ownerGetsNothingBeforeTheEnd();
        roundsAreNumberedBySettledAndVoid();
    }

    /// @dev The balance is the escrow, the fee held, all that is owed, the stakes and the bond, and what came in less what went out, to the unit.
    function moneyIsAllThere() private view {
        (, , uint256 sum) = project.openModel();
        sum += project.escrow();
        uint256 out;
        for (uint256 i; i < 8; ++i) {
            sum += project.owed(handler.account(i));
            out += handler.received(handler.account(i));
        }
        if (project.phase() < Phase.Completed) {
            for (uint256 i; i < 6; ++i) {
                sum += handler.stakeOf(handler.trainer(i));
            }
            if (project.bondPlaced()) sum += BOND;
        }
        assertEq(handler.balanceOf(address(project)), sum, "balance");
        assertEq(sum + out, handler.taken(), "deposited = held + paid");
    }

    /// @dev Everybody but the owner has or can have exactly what the rules give, not a unit more or less. The rest, then, is the owner's.
    function nobodyIsPaidTwiceOrShort() private view {
        for (uint256 i; i < 8; ++i) {
            address who = handler.account(i);
            uint256 has = handler.received(who) + project.owed(who);
            if (who != OWNER) assertEq(has, handler.entitled(who), "entitled");
            else assertTrue(has >= handler.entitled(who));
        }
    }

    function stakesAreConserved() private view {
        bool ended = project.phase() >= Phase.Completed;
        for (uint256 i; i < 6; ++i) {
            address who = handler.trainer(i);
            (uint256 stake, uint256 dropped, bool penalised) = project.trainerState(who);
            assertTrue(stake == handler.stakeOf(who) || (ended && stake == 0), "stake");
            assertEq(dropped, handler.droppedOf(who), "dropped");
            assertTrue(penalised == handler.penalised(who));
        }
        if (!ended) assertTrue(project.bondPlaced() == handler.bondHeld(), "bond");
    }

    function ownerGetsNothingBeforeTheEnd() private view {
        if (project.phase() >= Phase.Completed) assertEq(project.escrow(), 0);
        else assertTrue(handler.received(OWNER) + project.owed(OWNER) == handler.entitled(OWNER));
    }

    function roundsAreNumberedBySettledAndVoid() private view {
        uint256 closed = project.settledRounds() + project.voidRounds();
        bool running = project.phase() != Phase.Registration && project.phase() < Phase.Closing;
        assertEq(project.round(), running ? closed + 1 : closed);
    }
}

contract ProjectInvariantEtherTest is ProjectInvariant {
    function setUp() public override {
        super.setUp();
        begin(address(0));
    }
}

contract ProjectInvariantTokenTest is ProjectInvariant {
    function setUp() public override {
        super.setUp();
        begin(address(new HookToken()));
    }
}
