// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Phase, Terms} from "../src/interfaces/IProject.sol";
import {Market} from "./support/Market.sol";

/// @dev Walks every row of the table of states in docs/contracts.md. Fails for a row without a walk, and for a walk
/// without a row.
contract StateDiagramTest is Market {
    string[8] private _names =
        ["Registration", "Commit", "Reveal", "Attest", "Aggregate", "Closing", "Completed", "WoundUp"];

    function settleNow(address payee) private {
        settleWith([uint256(16384), 16384, 16384, 16384], 65536, payee);
    }

    function withVoids(uint16 voids) private {
        Terms memory t = defaultTerms();
        t.maxVoids = voids;
        project = create(t);
    }

    /// @dev A project in Commit of round 2, with round 1 settled and its model file open; the next void winds it up.
    function fileOpen() private {
        withVoids(1);
        start(4);
        submit(4);
        settleNow(AGGREGATOR);
    }

    function toReveal() private {
        for (uint256 i; i < 4; ++i) {
            commit(i);
        }
    }

    /// @dev Prepares the last step of row `i`; `go(i)` takes the step.
    function lead(uint256 i) private {
        project = create(defaultTerms());
        if (i == 9 || i == 14 || i == 20 || i == 25) withVoids(1);
        if (i == 13) return leadToFewReveals();
        if (i == 10 || i == 15 || i == 21 || i >= 28) fileOpen();
        if (i == 0) {
            placeBond();
            for (uint256 k; k < 3; ++k) {
                join(k);
            }
        } else if (i == 1 || i == 4) {
            for (uint256 k; k < 4; ++k) {
                join(k);
            }
        } else if (i == 2 || i == 3) {
            placeBond();
            for (uint256 k; k < (i == 2 ? 3 : 2); ++k) {
                join(k);
            }
        } else {
            if (project.phase() == Phase.Registration) start(4);
            if (i == 5 || i == 6 || i == 7) {
                for (uint256 k; k < 3; ++k) {
                    commit(k);
                }
            } else if (i >= 11 && i <= 15) {
                toReveal();
                for (uint256 k; k < (i <= 12 ? 3 : 0); ++k) {
                    reveal(k);
                }
            } else if (i >= 16 && i <= 21) {
                revealAll(4);
                for (uint256 k; k < 3; ++k) {
                    if (i == 16 || i == 17) attest(k);
                    else if (i == 18) attest(k, 1 << k, address(0));
                }
            } else if (i >= 22 && i <= 25) {
                submit(4);
                if (i != 23) return;
                settleNow(AGGREGATOR);
                submit(4);
            } else if (i == 26 || i == 27) {
                submit(4);
                settleNow(AGGREGATOR);
                submit(4);
                settleNow(AGGREGATOR);
            } else if (i >= 28) {
                skipAndAdvance();
            }
            if (i == 26 || i == 28) {
                for (uint256 k; k < 2; ++k) {
                    vm.prank(trainer(k));
                    project.attestModel(AGGREGATOR);
                }
            }
        }
    }

    /// @dev Three trainers commit and do not reveal; the four who did not commit suffice for the next round.
    function leadToFewReveals() private {
        Terms memory t = defaultTerms();
        t.maxTrainers = 8;
        project = create(t);
        start(7);
        for (uint256 k; k < 3; ++k) {
            commit(k);
        }
        skipAndAdvance();
    }

    function go(uint256 i) private {
        if (i == 0) return join(3);
        if (i == 1) return placeBond();
        if (i == 5) return commit(3);
        if (i == 6) {
            vm.prank(trainer(3));
            return project.leave();
        }
        if (i == 11) return reveal(3);
        if (i == 16) return attest(3);
        if (i == 18) return attest(3, 8, address(0));
        if (i == 22 || i == 23) return settleNow(AGGREGATOR);
        if (i == 26 || i == 28) {
            vm.prank(trainer(2));
            return project.attestModel(AGGREGATOR);
        }
        skipAndAdvance();
    }

    function test_everyRowOfTheTableIsWalked() public {
        string memory text = vm.readFile("../docs/contracts.md");
        string memory table = vm.split(vm.split(text, "| from | to | when |\n| --- | --- | --- |\n")[1], "\n\n")[0];
        string[] memory rows = vm.split(table, "\n");
        assertEq(rows.length, 30, "rows");
        for (uint256 i; i < rows.length; ++i) {
            string[] memory cells = vm.split(rows[i], " | ");
            lead(i);
            uint256 round = project.round();
            string memory from = string.concat("| ", _names[uint256(project.phase())]);
            assertEq(keccak256(bytes(cells[0])), keccak256(bytes(from)), string.concat("from, of ", rows[i]));
            go(i);
            string memory to = _names[uint256(project.phase())];
            assertEq(keccak256(bytes(cells[1])), keccak256(bytes(to)), string.concat("to, of ", rows[i]));
            // A new round has a new id; a round that continues keeps its id.
            assertEq(project.round(), project.phase() == Phase.Commit ? round + 1 : round, rows[i]);
        }
    }

    function assertEq(bytes32 a, bytes32 b, string memory what) private pure {
        assertTrue(a == b, what);
    }
}
