// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IVerifyingKey} from "../../src/interfaces/IKeyRegistry.sol";

/// @title The form of a generated key, with a toy key of 128 slots whose prover commits: `alpha = G1`, `beta = gamma = G2`, `delta = 7 G2`, `sigma = 49 G2`, `IC_i = (i + 2) G1`.
/// @notice FOR TESTS: everybody knows its secrets, so everybody can prove anything with it.
contract ExampleKey128 is IVerifyingKey {
    /// @inheritdoc IVerifyingKey
    function circuit() external pure returns (uint8 rule, uint8 size) {
        return (2, 128);
    }

    /// @inheritdoc IVerifyingKey
    function key() external pure returns (uint256[18] memory fixedPoints, uint256[] memory ic) {
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
        ic = new uint256[](58);
        ic[0] = 0x030644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd3;
        ic[1] = 0x15ed738c0e0a7c92e7845f96b2ae9c0a68a6a449e3538fc7ff3ebf7a5a18a2c4;
        ic[2] = 0x0769bf9ac56bea3ff40232bcb1b6bd159315d84715b8e679f2d355961915abf0;
        ic[3] = 0x2ab799bee0489429554fdb7c8d086475319e63b40b9c5b57cdf1ff3dd9fe2261;
        ic[4] = 0x06a7b64af8f414bcbeef455b1da5208c9b592b83ee6599824caa6d2ee9141a76;
        ic[5] = 0x08e74e438cee31ac104ce59b94e45fe98a97d8f8a6e75664ce88ef5a41e72fbc;
        ic[6] = 0x17c139df0efee0f766bc0204762b774362e4ded88953a39ce849a8a7fa163fa9;
        ic[7] = 0x01e0559bacb160664764a357af8a9fe70baa9258e0b959273ffc5718c6d4cc7c;
        ic[8] = 0x09f4ca411a3f52f4e0792fd9e792779856719215d3b32a762afe3d5b8c684af9;
        ic[9] = 0x0d8ef3d795acd4b35d4366ab22e4ad335273aa59429e26929d0f64583474d9c8;
        ic[10] = 0x17072b2ed3bb8d759a5325f477629386cb6fc6ecb801bd76983a6b86abffe078;
        ic[11] = 0x168ada6cd130dd52017bb54bfa19377aadfe3bf05d18f41b77809f7f60d4af9e;
        ic[12] = 0x08b1d51d23480c10f472f5e93b9cfea88238c121fe155af7043937882c306a63;
        ic[13] = 0x299836713dad3fa34e337aa412466015c366af8ec50b9d7bd05aa74642822021;
        ic[14] = 0x039730ea8dff1254c0fee9c0ea777d29a9c710b7e616683f194f18c43b43b869;
        ic[15] = 0x073a5ffcc6fc7a28c30723d6e58ce577356982d65b833a5a5c15bf9024b43d98;
        ic[16] = 0x09d3a257b99f1ad804a9e2354ea71c72da7fa518f4ca7904c6951d924b4045b4;
        ic[17] = 0x174be12ae3fd899d55d3e487fa103f951a24ca0f670ecae802209b2518ccca6c;
        ic[18] = 0x2a14705537b009189da8808651eecdb82482477fe92ac12ca8b71f80fc3d49ef;
        ic[19] = 0x2df7ee7f243ea8b38e1ddf14029258877a618c779fd4717db6177e19ea67ec38;
        ic[20] = 0x25d32c471c8cd1ab9ac9b4118d040166f75ad9e4f36526b09fc0b7d1002bc851;
        ic[21] = 0x2db09ae9bc0cb9addf3404069078f0367ff42b63cb1c200bae5bf9095585b69c;
        ic[22] = 0x05e86f8cc8a7a4f10f56093465679f17f8b8c3fdb41469e408b529e030f52f3f;
        ic[23] = 0x2857bd14bbc09767bed8e913d3ccb42b2bc8738f715417dd6f020725d22bcd90;
        ic[24] = 0x15bf2bb17880144b5d1cd2b1f46eff9d617bffd1ca57c37fb5a49bd84e53cf66;
        ic[25] = 0x049c797f9ce0d17083deb32b5e36f2ea2a212ee036598dd7624c168993d1355f;
        ic[26] = 0x2d96b121486ab9da7bf549e57d2f8a6cc1983a336903524fb05dcd507457f63c;
        ic[27] = 0x1dcb45731979ca35dfde49a476e273a1b1c9b52e3eca22fae279459920daa7e3;
        ic[28] = 0x17f485337f6e10fca0e385f7a93d1ac0a977e43995c3e4d9b8f89daa6a183f44;
        ic[29] = 0x05ccdc1561db963516da62c66edd39d1bb9c6c4674990c4440403c88025c95ad;
        ic[30] = 0x1c6a451060210f3baad93fe1631753751da9857edae0468e8e4bee7dd33cfb2c;
        ic[31] = 0x2331a64aa86c50d2d1e0237893ef7744a77228881ce73fcc2ad555a37d4ab405;
        ic[32] = 0x2dbc7ba68f840c758c76373cd37b2cd78d6b02bee047cf401e8db90d73ce56f7;
        ic[33] = 0x062800987ee0dae9f9f36e1f050eb2621cbb4aa7c50b1c168ecc319370889de2;
        ic[34] = 0x15514de6a136158ef7b2bc22bed59866743bc401edd63ae857d44f4c71edc28d;
        ic[35] = 0x095e28f5ba5d73440c0e504b624afabfedb9387320817b62e9168b6868d8952e;
        ic[36] = 0x29e3af2e9b9fc756f0aad5f65c3e7fa3261511aaccdf6db64bcccd46be00aada;
        ic[37] = 0x1b2d12d6440e9a25be30cef27d46de19bc37a81eee974111ca578bd44e0340a0;
        ic[38] = 0x1ed231b62f9c8360c813c7574dfa6cd033e8e0216398ae3d93665cf5085663fb;
        ic[39] = 0x2d073b27a592d5cf924896f7db7f921d56e75f41b5f77c5fba235b10deae15c9;
        ic[40] = 0x22c54997b1e4f7710df6e925b259327d9bb23b29af52a8ab9d271c846c1f2075;
        ic[41] = 0x2a537682cb57be952ce98746dc33229fbcd6bf0d113e45ffd2df20cadcc748e9;
        ic[42] = 0x1e28260f0ee971dec1e84cf81ff2776ad314d2cfb9ef81d4c970620c29b811f1;
        ic[43] = 0x28fc8a72d4ff12654c3c39dab54eaef9638d28de738959779fcd3e7ac918b396;
        ic[44] = 0x2d3884ee594280d7510d2d0d5e732e53085668e1b6d8f91de3942f922ec35fb2;
        ic[45] = 0x152fb4da392da5c238d1e65a12a41f89c9ab5f5e7a77107ad38e34a1b835ce5b;
        ic[46] = 0x2de898859c789fa5beaea4903464a93bb7e8ebddc623ee0f4f6cb34aea8fdb80;
        ic[47] = 0x05675bec1a5051d14a177bfa6f36073c6903ef399f1a516d1499410b8f9c1490;
        ic[48] = 0x133176ac50cfe84a38ff57f1e301671a5efda280d6f24bdc4401a7c6a9aaff95;
        ic[49] = 0x277e51ddce0b124fbf7c68a0a6d76026200f8b900bed238d6841df54c6e42b16;
        ic[50] = 0x105456a333e6d636854f987ea7bb713dfd0ae8371a72aea313ae0c32c0bf1016;
        ic[51] = 0x0cf031d41b41557f3e7e3ba0c51bebe5da8e6ecd855ec50fc87efcdeac168bcc;
        ic[52] = 0x1cf2e46a775b8db969aa6a79cc8ca74339da50d41b48937039ebdc2fdeeb9ef9;
        ic[53] = 0x29b63cb7ee3a2da69d9edd26ab1c2d8af27bb40d8791c2d7fe451eb495b5f287;
        ic[54] = 0x1605ffc1ea2e1aef15d774d3207176420c5cc454b19b55558562b0c7ddf00a7d;
        ic[55] = 0x0cf605873faa8028df38ec2d0800d5ddc67f1776338d675491fe87f6bb7354b3;
        ic[56] = 0x036083bfa420b15a4c11f66a3cffd55318b019feb45f833a876e93848625f5ae;
        ic[57] = 0x2630c348c019c3edb74fe62a7e921361aae9621988223514d56ca8b36adc9e36;
    }
}
