// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {PUBLIC_INPUTS} from "../interfaces/IKeyRegistry.sol";

/// @title Layout of a Groth16 verifying key: the eighteen words of `IVerifyingKey.key()`, then the points of the public
/// inputs.
library VerifyingKeys {
    /* OFFSETS, in words */

    uint256 internal constant ALPHA = 0; // G1
    uint256 internal constant BETA = 2; // G2, as the three that follow
    uint256 internal constant GAMMA = 6;
    uint256 internal constant DELTA = 10;
    uint256 internal constant SIGMA = 14;
    uint256 internal constant IC = 18; // G1 each: the constant one, then the public inputs

    /// @notice Bytes of the points of the public inputs.
    uint256 internal constant IC_BYTES = 64 * (PUBLIC_INPUTS + 1);
    /// @notice Bytes of a whole key.
    uint256 internal constant BYTES = 32 * IC + IC_BYTES;

    /// @notice Id of the rule "agreement", the only one with circuits.
    uint8 internal constant AGREEMENT = 1;
}
