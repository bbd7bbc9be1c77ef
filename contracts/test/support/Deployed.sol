// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IKeyRegistry, IVerifyingKey} from "../../src/interfaces/IKeyRegistry.sol";
import {IProject, IProjectFactory} from "../../src/interfaces/IProject.sol";

/// @title Interfaces of the deployed contracts, with the functions that only tests call.
/// @dev Tests deploy the production build by name (`MiniTest.deploy`) and do not import an implementation: forge would
/// compile it again with the settings of the tests, and the tests would no longer run the code that is deployed.

interface Project is IProject {
    error NotInitializable();
    error NotAProject();

    function initialize() external payable;
    function supportsInterface(bytes4 interfaceId) external view returns (bool);
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        );
}

interface ProjectFactory is IProjectFactory {
    function implementation() external view returns (address);
}

interface KeyRegistry is IKeyRegistry {
    function keys() external view returns (IVerifyingKey[] memory);
}

/// @dev `test/harness/DegenerateProbe.sol`; the structs are those of `RangeTranscript` and `RangeVerifier`.
interface DegenerateProbe {
    struct Challenges {
        uint256 beta;
        uint256 y;
        uint256 g;
        uint256 z;
        uint256 gamma;
        uint256 v;
    }

    struct Inverses {
        uint256 z;
        uint256 y;
        uint256 zLess;
        uint256 run;
        uint256 yLess;
        uint256 yzLess;
        uint256 zLessY;
        uint256 second;
    }

    function inverses(Challenges memory c) external view returns (Inverses memory);
}
