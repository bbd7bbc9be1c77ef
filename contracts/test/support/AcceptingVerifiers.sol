// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {RangeProof, RangeStatement, IRangeVerifier} from "../../src/interfaces/IRangeVerifier.sol";
import {IRoundVerifier, RoundProof, RoundStatement} from "../../src/interfaces/IRoundVerifier.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";

/// @notice FOR TESTS OF MARKET LOGIC ONLY: accepts every proof. Protects nothing.
abstract contract Accepting {
    address internal immutable REGISTRY;
    /// @dev Hash of the statement that the next `verify` must get, `keccak256(abi.encode(statement))`: `verify` is a
    /// view and cannot record it.
    bytes32 public expected;

    error UnexpectedStatement();

    constructor(address registry) {
        REGISTRY = registry;
    }

    function _check(address project, bytes32 statement) internal view {
        if (project != msg.sender) revert UnexpectedStatement();
        if (expected != 0 && statement != expected) revert UnexpectedStatement();
    }
}

contract AcceptingRoundVerifier is Accepting, IRoundVerifier {
    constructor(address registry) Accepting(registry) {}

    function keyRegistry() external view returns (address) {
        return REGISTRY;
    }

    function expect(RoundStatement calldata statement) external {
        expected = keccak256(abi.encode(statement));
    }

    function verify(RoundStatement calldata s, RoundProof calldata) external view {
        _check(s.project, expected == 0 ? bytes32(0) : keccak256(abi.encode(s)));
    }
}

/// @notice Accepts every range proof for any point of the curve.
contract AcceptingRangeVerifier is Accepting, IRangeVerifier {
    constructor(address registry) Accepting(registry) {}

    function keyRegistry() external view returns (address) {
        return REGISTRY;
    }

    function expect(RangeStatement calldata statement) external {
        expected = keccak256(abi.encode(statement));
    }

    function verify(RangeStatement calldata s, RangeProof calldata) external view {
        _check(s.project, expected == 0 ? bytes32(0) : keccak256(abi.encode(s)));
        if (!Bn254.isOnCurve(s.commitment[0], s.commitment[1])) revert InvalidPoint();
    }
}
