// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IRoundVerifier, RoundProof, RoundStatement} from "../../src/interfaces/IRoundVerifier.sol";

/// @notice FOR TESTS OF MARKET LOGIC ONLY: accepts every proof. It keeps nothing from anybody.
contract AcceptingRoundVerifier is IRoundVerifier {
    address public immutable keyRegistry;
    /// @dev What a test wants to see of the last statement is checked here, since `verify` may not write.
    uint256 public expectedTrimCount = type(uint256).max;

    error UnexpectedStatement();

    constructor(address registry) {
        keyRegistry = registry;
    }

    function expectTrimCount(uint256 count) external {
        expectedTrimCount = count;
    }

    function verify(RoundStatement calldata s, RoundProof calldata) external view {
        if (s.project != msg.sender) revert UnexpectedStatement();
        if (expectedTrimCount != type(uint256).max && s.policy[1] != expectedTrimCount) revert UnexpectedStatement();
    }

    function modelStep(uint256[2] calldata, uint256, uint256[] calldata, uint256[] calldata)
        external
        pure
        returns (uint256[2] memory)
    {
        return [uint256(1), 2];
    }
}
