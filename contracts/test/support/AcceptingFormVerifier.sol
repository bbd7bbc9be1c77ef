// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {FormProof, FormStatement, IFormVerifier} from "../../src/interfaces/IFormVerifier.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";

/// @notice FOR TESTS OF MARKET LOGIC ONLY: accepts every proof of form, of any point of the curve. It keeps nothing from anybody.
contract AcceptingFormVerifier is IFormVerifier {
    address public immutable keyRegistry;
    /// @dev As in `AcceptingRoundVerifier`.
    bytes32 public expected;

    error UnexpectedStatement();

    constructor(address registry) {
        keyRegistry = registry;
    }

    function expect(FormStatement calldata statement) external {
        expected = keccak256(abi.encode(statement));
    }

    function verify(FormStatement calldata s, FormProof calldata) external view {
        if (s.project != msg.sender) revert UnexpectedStatement();
        if (expected != 0 && keccak256(abi.encode(s)) != expected) revert UnexpectedStatement();
        if (!Bn254.isOnCurve(s.commitment[0], s.commitment[1])) revert InvalidPoint();
    }
}
