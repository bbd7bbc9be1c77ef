// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FormVerifier} from "../../src/FormVerifier.sol";
import {IKeyRegistry} from "../../src/interfaces/IKeyRegistry.sol";
import {FormChallenges} from "../../src/libraries/FormTranscript.sol";

/// @notice FOR TESTS: the step that refuses degenerate challenges, with challenges that no transcript gives.
contract DegenerateProbe is FormVerifier {
    constructor(IKeyRegistry registry) FormVerifier(registry) {}

    function inverses(FormChallenges memory c) external view returns (Inverses memory) {
        return _inverses(c);
    }
}
