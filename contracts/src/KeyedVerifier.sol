// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IKeyRegistry} from "./interfaces/IKeyRegistry.sol";

/// @title Values that both verifiers copy from the registry at deployment.
/// @dev The registry cannot change. Reading its points for every proof would cost 30,000 gas each time.
abstract contract KeyedVerifier {
    IKeyRegistry internal immutable REGISTRY;
    bytes32 internal immutable KEYS_HASH;
    uint256 private immutable ONE_0;
    uint256 private immutable ONE_1;
    uint256 private immutable ONE_2;
    uint256 private immutable ONE_3;
    uint256 private immutable X_0;
    uint256 private immutable X_1;
    uint256 private immutable X_2;
    uint256 private immutable X_3;

    constructor(IKeyRegistry registry) {
        REGISTRY = registry;
        KEYS_HASH = registry.keysHash();
        // Only the round verifier needs `[x]_1`.
        // slither-disable-next-line unused-return
        (, uint256[12] memory g2) = registry.kzg();
        (ONE_0, ONE_1, ONE_2, ONE_3) = (g2[0], g2[1], g2[2], g2[3]);
        (X_0, X_1, X_2, X_3) = (g2[4], g2[5], g2[6], g2[7]);
    }

    /// @dev The words of `[1]_2`.
    function _one() internal view returns (uint256, uint256, uint256, uint256) {
        return (ONE_0, ONE_1, ONE_2, ONE_3);
    }

    /// @dev The words of `[x]_2`.
    function _x() internal view returns (uint256, uint256, uint256, uint256) {
        return (X_0, X_1, X_2, X_3);
    }
}
