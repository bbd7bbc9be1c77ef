// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IRoundVerifier, RoundProof, RoundStatement} from "../../src/interfaces/IRoundVerifier.sol";

/// @notice FOR TESTS OF MARKET LOGIC ONLY: accepts every proof. It keeps nothing from anybody.
contract AcceptingRoundVerifier is IRoundVerifier {
    address public immutable keyRegistry;
    /// @dev What a test wants to see in the next statement is checked here, since `verify` may not write: `keccak256(abi.encode(statement))`.
    bytes32 public expected;

    error UnexpectedStatement();

    constructor(address registry) {
        keyRegistry = registry;
    }

    function expect(RoundStatement calldata statement) external {
        expected = keccak256(abi.encode(statement));
    }

    function verify(RoundStatement calldata s, RoundProof calldata) external view {
        if (s.project != msg.sender) revert UnexpectedStatement();
        if (expected != 0 && keccak256(abi.encode(s)) != expected) revert UnexpectedStatement();
    }
}
