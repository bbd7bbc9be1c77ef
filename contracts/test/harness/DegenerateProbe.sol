// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RangeVerifier} from "../../src/RangeVerifier.sol";
import {IKeyRegistry} from "../../src/interfaces/IKeyRegistry.sol";
import {RangeChallenges} from "../../src/libraries/RangeTranscript.sol";

/// @notice FOR TESTS: the step that refuses degenerate challenges, with challenges that no transcript gives.
contract DegenerateProbe is RangeVerifier {
    constructor(IKeyRegistry registry) RangeVerifier(registry) {}

    function inverses(RangeChallenges memory c) external view returns (Inverses memory) {
        return _inverses(c);
    }
}
