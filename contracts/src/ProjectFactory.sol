// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {Project} from "./Project.sol";
import {IKeyRegistry} from "./interfaces/IKeyRegistry.sol";
import {IProject, IProjectFactory, Terms} from "./interfaces/IProject.sol";
import {IRoundVerifier} from "./interfaces/IRoundVerifier.sol";

/// @title Deploys projects, all with the same code, keys and verifier.
/// @notice It has no owner and holds no funds. Its projects do not depend on it once they exist.
/// @dev A project is a minimal proxy (EIP-1167) with its terms appended to its code. The proxy's target cannot change: this is no upgrade
/// mechanism.
contract ProjectFactory is IProjectFactory {
    /// @inheritdoc IProjectFactory
    address public immutable keyRegistry;
    /// @inheritdoc IProjectFactory
    address public immutable roundVerifier;
    /// @notice The code that all projects of this factory run.
    address public immutable implementation;

    /// @inheritdoc IProjectFactory
    mapping(address project => bool) public isProject;

    /// @dev Projects created so far; keeps two projects with the same terms apart.
    uint256 private _created;

    /// @dev The verifier must use the very registry that projects name to their trainers.
    constructor(IKeyRegistry registry, IRoundVerifier verifier) {
        if (verifier.keyRegistry() != address(registry)) revert IProject.InvalidTerms("keyRegistry");
        keyRegistry = address(registry);
        roundVerifier = address(verifier);
        implementation = address(new Project(registry, verifier));
    }

    /// @inheritdoc IProjectFactory
    function createProject(Terms calldata terms) external payable returns (address project) {
        if (terms.owner != msg.sender) revert IProject.InvalidTerms("owner");
        // The address depends on the terms: a chain that takes blocks back cannot put other terms where a trainer joins.
        project = Clones.cloneDeterministicWithImmutableArgs(implementation, abi.encode(terms), bytes32(_created++));
        isProject[project] = true;
        emit ProjectCreated(project, msg.sender, terms.specification);
        Project(project).initialize{value: msg.value}();
    }
}
