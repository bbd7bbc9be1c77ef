// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Terms} from "../src/interfaces/IProject.sol";
import {Market} from "./support/Market.sol";
import {MarketHandler} from "./support/MarketHandler.sol";
import {HookToken} from "./support/Tokens.sol";

/// @dev Properties that hold after any sequence of actions by anyone, in ether and in a token that calls back and turns
/// malicious. `support/MarketHandler.sol` has the actions, `support/MarketBooks.sol` the checks.
abstract contract ProjectInvariant is Market {
    MarketHandler private handler;

    function currency() internal virtual returns (address);

    function setUp() public override {
        super.setUp();
        begin();
        targetContract(address(handler));
        excludeSelector(address(handler), handler.everybodyGetsOut.selector);
    }

    function begin() private {
        Terms memory t = defaultTerms();
        (t.token, t.minTrainers, t.minActive, t.maxTrainers) = (currency(), 4, 4, 6);
        (t.rounds, t.maxVoids, t.registrationPeriod) = (3, 3, 400);
        (t.outlierRounds, t.outlierPenalty) = (1, 0.1 ether);
        project = create(t);
        handler = new MarketHandler(project);
    }

    /// @dev One invariant function for all checks: forge repeats the runs for each function.
    function invariant_booksAgree() public view {
        handler.check();
    }

    /// @dev Forge calls this at the end of every run.
    function afterInvariant() public {
        handler.everybodyGetsOut();
    }

    /// @dev The runs above prove something only if the handler reaches every state: with consecutive seeds it does.
    function test_handler_seesEverything() public {
        vm.pauseGasMetering(); // exceeds a block's gas
        uint256[16] memory seen;
        for (uint256 run; run < 40; ++run) {
            begin();
            for (uint256 step; step < 100; ++step) {
                act(uint256(keccak256(abi.encode(run, step))));
                handler.check();
            }
            for (uint256 i; i < 16; ++i) {
                if (run == 39) emit Count(MarketHandler.Seen(i), seen[i]);
                seen[i] += handler.seen(MarketHandler.Seen(i));
            }
            handler.everybodyGetsOut();
        }
        bool inToken = project.terms().token != address(0);
        for (uint256 i; i < 16; ++i) {
            if (MarketHandler.Seen(i) == MarketHandler.Seen.TokenRefused && !inToken) continue;
            assertTrue(seen[i] > 2, "the handler hardly brings this about");
        }
    }

    event Count(MarketHandler.Seen what, uint256 times);

    function act(uint256 seed) private {
        uint256 kind = seed % 12;
        seed /= 12;
        if (kind == 0) handler.trainersAct(seed, seed >> 128);
        else if (kind == 1) handler.roundGoesOn(seed);
        else if (kind == 2) handler.trainerLeaves(seed);
        else if (kind == 3) handler.aggregatorActs(seed);
        else if (kind == 4) handler.anybodyActs(seed);
        else if (kind == 5) handler.somebodyCollects(seed);
        else if (kind == 6) handler.timePasses(seed);
        else if (kind == 7) handler.somebodyForcesMoneyIn(seed);
        else if (kind == 8) handler.trainerAttacks(seed);
        else if (kind == 9) handler.ownerAttacks(seed);
        else if (kind == 10) handler.aggregatorAttacks(seed);
        else handler.tokenTurnsBad(seed);
    }
}

contract ProjectInvariantEtherTest is ProjectInvariant {
    function currency() internal pure override returns (address) {
        return address(0);
    }
}

contract ProjectInvariantTokenTest is ProjectInvariant {
    function currency() internal override returns (address) {
        return address(new HookToken());
    }
}
