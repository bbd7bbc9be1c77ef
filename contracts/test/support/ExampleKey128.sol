// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IVerifyingKey} from "../../src/interfaces/IKeyRegistry.sol";

/// @title A toy key of 128 slots in the form of a generated one: `alpha = G1`, `beta = gamma = G2`, `delta = 7 G2`,
/// `sigma = 49 G2`, `IC_i = (i + 2) G1`.
/// @notice FOR TESTS: its secrets are public, so anyone can prove anything with it.
contract ExampleKey128 is IVerifyingKey {
    /// @inheritdoc IVerifyingKey
    function circuit() external pure returns (uint8 rule, uint8 size) {
        return (1, 128);
    }

    /// @inheritdoc IVerifyingKey
    function key() external pure returns (uint256[18] memory fixedPoints, bytes memory ic) {
        fixedPoints = [
            uint256(1),
            2,
            0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2,
            0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed,
            0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b,
            0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa,
            0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2,
            0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed,
            0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b,
            0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa,
            0x2903ba015a9abde26a5d081e84551e63be0fd4516e46ee6d593edeba46362455,
            0x224bdc5d4327fcf8ed702e01de1c2f1657a253ba75e32a89c390142aaa28b308,
            0x03c8b7cda6b2dedb7aeeaf5fda464ad17036bea1c4e6f7adbaed1ebe0335e0d8,
            0x1d92fff52a265017eeccb372e37d7a7bd431800eca28dfd82e21e8054114233f,
            0x192b5015f702c440397dd8a1f08463d29f511f0a14603cf02b988157fcd312e9,
            0x0ee9860d1862b949a7735c2a05446bc89d4366bdf21c7ba2c7511ae6d37d6941,
            0x08fe0c8140dbdd57406dcf767cbcd5fa3b0d01c09dd9dd24a8ffc642aee98bc6,
            0x23d8f1e8afd8e6c4c18fba111ccd5a01fb9bdbd4a9cbfff945f05cbac03e8ae4
        ];
        ic =
            hex"030644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd315ed738c0e0a7c92e7845f96b2ae9c0a68a6a449e3538fc7ff3ebf7a5a18a2c4"
            hex"0769bf9ac56bea3ff40232bcb1b6bd159315d84715b8e679f2d355961915abf02ab799bee0489429554fdb7c8d086475319e63b40b9c5b57cdf1ff3dd9fe2261"
            hex"06a7b64af8f414bcbeef455b1da5208c9b592b83ee6599824caa6d2ee9141a7608e74e438cee31ac104ce59b94e45fe98a97d8f8a6e75664ce88ef5a41e72fbc"
            hex"17c139df0efee0f766bc0204762b774362e4ded88953a39ce849a8a7fa163fa901e0559bacb160664764a357af8a9fe70baa9258e0b959273ffc5718c6d4cc7c"
            hex"09f4ca411a3f52f4e0792fd9e792779856719215d3b32a762afe3d5b8c684af90d8ef3d795acd4b35d4366ab22e4ad335273aa59429e26929d0f64583474d9c8";
    }
}
