// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Project} from "./Project.sol";
import {IRangeVerifier} from "./interfaces/IRangeVerifier.sol";
import {IKeyRegistry} from "./interfaces/IKeyRegistry.sol";
import {IProject, IProjectFactory, Terms} from "./interfaces/IProject.sol";
import {IRoundVerifier} from "./interfaces/IRoundVerifier.sol";
import {Policy} from "./libraries/Policy.sol";
import {TermsCheck} from "./libraries/TermsCheck.sol";

/// @title Deploys projects, all with the same code, keys and verifiers.
/// @notice Has no owner and holds no funds. A project does not depend on the factory once it exists.
/// @dev A project is a minimal proxy (EIP-1167) with its terms appended to its code. The proxy's target cannot change,
/// so there is no upgrade.
contract ProjectFactory is IProjectFactory {
    using SafeERC20 for IERC20;

    /// @inheritdoc IProjectFactory
    address public immutable keyRegistry;
    /// @inheritdoc IProjectFactory
    address public immutable roundVerifier;
    /// @inheritdoc IProjectFactory
    address public immutable rangeVerifier;
    /// @notice The implementation of all projects of this factory.
    address public immutable implementation;

    /// @inheritdoc IProjectFactory
    mapping(address project => bool) public isProject;

    /// @dev Number of projects created; distinguishes projects with equal terms.
    uint256 private _created;

    /// @dev Both verifiers must use the registry that projects report to their trainers.
    constructor(IKeyRegistry registry, IRoundVerifier verifier, IRangeVerifier rangeVerifier_) {
        if (verifier.keyRegistry() != address(registry)) revert IProject.InvalidTerms("keyRegistry");
        if (rangeVerifier_.keyRegistry() != address(registry)) revert IProject.InvalidTerms("keyRegistry");
        keyRegistry = address(registry);
        roundVerifier = address(verifier);
        rangeVerifier = address(rangeVerifier_);
        implementation = address(new Project(registry, verifier, rangeVerifier_));
    }

    /// @inheritdoc IProjectFactory
    function createProject(Terms calldata terms) external payable returns (address project) {
        if (terms.owner != msg.sender) revert IProject.InvalidTerms("owner");
        TermsCheck.check(terms);
        // Reverts if there is no key. The verifier reads the key itself.
        // slither-disable-next-line unused-return
        IKeyRegistry(keyRegistry).verifyingKey(terms.rule, terms.slots);
        // The address depends on the terms, so a chain reorganisation cannot put other terms at the address that a
        // trainer joins.
        bytes memory encoded = abi.encode(terms);
        bytes32 salt = bytes32(_created++);
        if (terms.token != address(0)) {
            // Before the code exists: a token that calls others during the transfer must not expose an uninitialised
            // project.
            project = Clones.predictDeterministicAddressWithImmutableArgs(implementation, encoded, salt);
            IERC20(terms.token).safeTransferFrom(msg.sender, project, Policy.deposit(terms));
        }
        project = Clones.cloneDeterministicWithImmutableArgs(implementation, encoded, salt);
        isProject[project] = true;
        emit ProjectCreated(project, msg.sender, terms.specification);
        Project(project).initialize{value: msg.value}();
    }
}
