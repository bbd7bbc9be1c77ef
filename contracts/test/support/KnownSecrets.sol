// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IVerifyingKey, PUBLIC_INPUTS} from "../../src/interfaces/IKeyRegistry.sol";
import {RoundProof, RoundStatement} from "../../src/interfaces/IRoundVerifier.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";
import {Packed} from "../../src/libraries/Packed.sol";
import {Transcript} from "../../src/libraries/Transcript.sol";
import {Points} from "./Points.sol";

/// @title Keys whose secrets the tests know: `alpha = beta = gamma = 1`, `delta = x = 7`, `sigma = 49`, `IC_i = (i + 2)
/// G1`.
library KnownSecrets {
    uint256 internal constant X = 7;
    uint256 internal constant SIGMA = 49;
    uint256 internal constant G2_0 = 0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2;
    uint256 internal constant G2_1 = 0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed;
    uint256 internal constant G2_2 = 0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b;
    uint256 internal constant G2_3 = 0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa;

    function x1() internal view returns (uint256[2] memory p) {
        (p[0], p[1]) = Bn254.mul(1, 2, X);
    }

    function g2() internal pure returns (uint256[12] memory) {
        return [
            G2_0,
            G2_1,
            G2_2,
            G2_3,
            0x2903ba015a9abde26a5d081e84551e63be0fd4516e46ee6d593edeba46362455,
            0x224bdc5d4327fcf8ed702e01de1c2f1657a253ba75e32a89c390142aaa28b308,
            0x03c8b7cda6b2dedb7aeeaf5fda464ad17036bea1c4e6f7adbaed1ebe0335e0d8,
            0x1d92fff52a265017eeccb372e37d7a7bd431800eca28dfd82e21e8054114233f,
            0x192b5015f702c440397dd8a1f08463d29f511f0a14603cf02b988157fcd312e9,
            0x0ee9860d1862b949a7735c2a05446bc89d4366bdf21c7ba2c7511ae6d37d6941,
            0x08fe0c8140dbdd57406dcf767cbcd5fa3b0d01c09dd9dd24a8ffc642aee98bc6,
            0x23d8f1e8afd8e6c4c18fba111ccd5a01fb9bdbd4a9cbfff945f05cbac03e8ae4
        ];
    }
}

/// @notice FOR TESTS: a key of any rule and size, whose points a test can spoil.
/// @dev The functions of `IVerifyingKey` are pure, those of this contract read storage: `asKey()` converts the type.
contract TestKey {
    uint8 private immutable RULE;
    uint8 private immutable SIZE;
    uint256[18] private _fixed;
    uint256[] private _ic;

    constructor(uint8 rule, uint8 size) {
        (RULE, SIZE) = (rule, size);
        (_fixed[0], _fixed[1]) = (1, 2);
        for (uint256 i = 2; i < 10; i += 4) {
            (_fixed[i], _fixed[i + 1]) = (KnownSecrets.G2_0, KnownSecrets.G2_1);
            (_fixed[i + 2], _fixed[i + 3]) = (KnownSecrets.G2_2, KnownSecrets.G2_3);
        }
        uint256[12] memory g2 = KnownSecrets.g2();
        for (uint256 i; i < 4; ++i) {
            (_fixed[10 + i], _fixed[14 + i]) = (g2[4 + i], g2[8 + i]);
        }
        for (uint256 i; i <= PUBLIC_INPUTS; ++i) {
            (uint256 x, uint256 y) = Bn254.mul(1, 2, i + 2);
            _ic.push(x);
            _ic.push(y);
        }
    }

    function asKey() external view returns (IVerifyingKey) {
        return IVerifyingKey(address(this));
    }

    function setFixed(uint256 i, uint256 value) external {
        _fixed[i] = value;
    }

    function setIc(uint256 i, uint256 value) external {
        _ic[i] = value;
    }

    function pushIc(uint256 x, uint256 y) external {
        _ic.push(x);
        _ic.push(y);
    }

    function popIc() external {
        _ic.pop();
    }

    function circuit() external view returns (uint8, uint8) {
        return (RULE, SIZE);
    }

    function key() public view virtual returns (uint256[18] memory, bytes memory) {
        return (_fixed, abi.encodePacked(_ic));
    }
}

/// @notice FOR TESTS: proves any statement, true or not, with the known secrets. Anyone who knows the secrets of a
/// setup can do this, which is why a registry refuses DEV keys outside test chains.
contract Forger {
    uint256 internal constant COMMITTED = 333;
    bytes32 private immutable KEYS_HASH;

    constructor(bytes32 keysHash) {
        KEYS_HASH = keysHash;
    }

    /// @param claims sigma, kept mask, coherence and the packed words; `committed` if it is not zero; everything else
    /// is replaced
    function forge(RoundStatement memory s, RoundProof memory claims) external view returns (RoundProof memory p) {
        p = this.prove(s, claims);
        p.model = this.step(s, p.weights);
    }

    /// @dev An external call, as `step`, because both together exceed the stack.
    function prove(RoundStatement memory s, RoundProof memory claims) external view returns (RoundProof memory p) {
        p = claims;
        (p.quotient[0], p.quotient[1]) = Bn254.mul(1, 2, 1001);
        (p.reversed[0], p.reversed[1]) = Bn254.mul(1, 2, 2002);
        if (p.committed[0] == 0) _commit(p);
        bytes32 state = _gram(s, p);
        uint256 rho = Transcript.challenge(state);
        uint256 chi = _chi(p, state);
        state = _laurent(state, p);
        uint256 z = Transcript.challenge(state);
        _values(p, z);
        _opening(s, p, rho, z, Transcript.challenge(_opened(state, p)));
        _groth16(s, p, rho, chi);
    }

    /// @dev `D = 333 G1` and its proof of knowledge, which requires `sigma`.
    function _commit(RoundProof memory p) internal view {
        (p.committed[0], p.committed[1]) = Bn254.mul(1, 2, COMMITTED);
        (p.committed[2], p.committed[3]) = Bn254.mul(1, 2, COMMITTED * KnownSecrets.SIGMA);
    }

    function _gram(RoundStatement memory s, RoundProof memory p) internal view returns (bytes32) {
        return Transcript.absorbWords(_first(s), "gram", abi.encodePacked(p.committed));
    }

    function _laurent(bytes32 state, RoundProof memory p) internal pure returns (bytes32) {
        uint256[] memory items = new uint256[](5);
        (items[0], items[1], items[2]) = (p.sigma, p.quotient[0], p.quotient[1]);
        (items[3], items[4]) = (p.reversed[0], p.reversed[1]);
        return Transcript.absorb(state, "laurent", items);
    }

    function _opened(bytes32 state, RoundProof memory p) internal pure returns (bytes32) {
        uint256[] memory items = new uint256[](4);
        for (uint256 i; i < 4; ++i) {
            items[i] = p.values[i];
        }
        return Transcript.absorb(state, "values", items);
    }

    function _chi(RoundProof memory p, bytes32 state) internal pure returns (uint256) {
        return Transcript.challenge(Transcript.absorb(state, "outcome", _outcome(p)));
    }

    function _outcome(RoundProof memory p) internal pure returns (uint256[] memory items) {
        uint256 words = p.shares.length;
        items = new uint256[](3 + 2 * words);
        (items[0], items[1], items[2]) = (p.sigma, p.keptMask, p.coherence);
        for (uint256 i; i < words; ++i) {
            (items[3 + i], items[3 + words + i]) = (p.shares[i], p.weights[i]);
        }
    }

    /// @notice As `forge`, with every secret except `sigma`: the proof of knowledge belongs to another commitment.
    function forgeWithoutKnowledge(RoundStatement memory s, RoundProof memory claims)
        external
        view
        returns (RoundProof memory p)
    {
        _commit(claims);
        (claims.committed[2], claims.committed[3]) = Bn254.mul(1, 2, COMMITTED);
        p = this.prove(s, claims);
        p.model = this.step(s, p.weights);
    }

    /// @notice `C_T' = C_T + sum w_i C_i`.
    function step(RoundStatement memory s, uint256[] memory weights) external view returns (uint256[2] memory next) {
        (uint256 x, uint256 y) = (s.model[0], s.model[1]);
        uint256 cursor;
        for (uint256 slot; slot < s.slots; ++slot) {
            if (!Packed.has(s.activeMask, slot)) continue;
            uint256 weight = Packed.lane(weights[slot / Packed.PER_WORD], slot);
            (uint256 cx, uint256 cy) = Points.at(s.commitments, cursor++);
            (x, y) = Points.addMul(x, y, cx, cy, weight);
        }
        return [x, y];
    }

    function _first(RoundStatement memory s) private view returns (bytes32) {
        uint256[] memory items = new uint256[](14);
        items[0] = block.chainid;
        items[1] = uint160(s.project);
        items[2] = s.round;
        items[3] = uint160(s.payee);
        items[4] = s.dimension;
        items[5] = s.slots;
        items[6] = s.rule;
        items[7] = s.policy[0];
        items[8] = s.policy[1];
        items[9] = uint256(KEYS_HASH);
        items[10] = s.activeMask;
        items[11] = uint256(s.modelCid);
        (items[12], items[13]) = (s.model[0], s.model[1]);
        return Transcript.absorbWords(0, "fairshare.round.v3", abi.encodePacked(items, s.commitments));
    }

    /// @dev Three arbitrary values; the fourth makes the Laurent identity hold.
    function _values(RoundProof memory p, uint256 z) private pure {
        (p.values[0], p.values[1], p.values[2]) = (31337, 424242, 77);
        uint256 rest = mulmod(p.values[0], p.values[1], Bn254.R);
        rest = _sub(rest, addmod(p.sigma, mulmod(z, p.values[2], Bn254.R), Bn254.R));
        p.values[3] = mulmod(z, rest, Bn254.R);
    }

    /// @dev Divides by `(x - z)(x - 1/z)`, which requires `x`.
    function _opening(RoundStatement memory s, RoundProof memory p, uint256 rho, uint256 z, uint256 gamma)
        private
        view
    {
        (uint256 x, uint256 y) = Bn254.mul(p.reversed[0], p.reversed[1], gamma);
        (x, y) = Bn254.add(x, y, p.quotient[0], p.quotient[1]);
        (x, y) = Bn254.mul(x, y, gamma);
        uint256 cursor;
        for (uint256 slot; slot < s.slots; ++slot) {
            if (Packed.has(s.activeMask, slot)) {
                (uint256 cx, uint256 cy) = Points.at(s.commitments, cursor++);
                (x, y) = Points.addMul(x, y, cx, cy, rho);
            }
            rho = mulmod(rho, rho, Bn254.R);
        }
        uint256 zi = Bn254.inverse(z);
        (x, y) = Points.addMul(x, y, 1, 2, Bn254.R - _lineAtX(s, p, z, zi, gamma));
        uint256 divisor = mulmod(_sub(KnownSecrets.X, z), _sub(KnownSecrets.X, zi), Bn254.R);
        (p.opening[0], p.opening[1]) = Bn254.mul(x, y, Bn254.inverse(divisor));
    }

    /// @dev `L(7)` by Lagrange: `Q(z) (x - 1/z) / (z - 1/z) + Q(1/z) (x - z) / (1/z - z)`.
    function _lineAtX(RoundStatement memory s, RoundProof memory p, uint256 z, uint256 zi, uint256 gamma)
        private
        view
        returns (uint256)
    {
        uint256 g = mulmod(gamma, gamma, Bn254.R);
        uint256 rz = mulmod(Bn254.power(z, s.dimension - 1), p.values[1], Bn254.R);
        uint256 ri = mulmod(Bn254.power(zi, s.dimension - 1), p.values[0], Bn254.R);
        uint256 qz = addmod(p.values[0], mulmod(gamma, p.values[2], Bn254.R), Bn254.R);
        qz = addmod(qz, mulmod(g, rz, Bn254.R), Bn254.R);
        uint256 qi = addmod(p.values[1], mulmod(gamma, p.values[3], Bn254.R), Bn254.R);
        qi = addmod(qi, mulmod(g, ri, Bn254.R), Bn254.R);
        uint256 left = mulmod(qz, _sub(KnownSecrets.X, zi), Bn254.R);
        uint256 right = mulmod(qi, _sub(KnownSecrets.X, z), Bn254.R);
        return mulmod(_sub(left, right), Bn254.inverse(_sub(z, zi)), Bn254.R);
    }

    /// @dev The public inputs in their order (docs/protocol.md 6.1).
    function _inputs(RoundStatement memory s, RoundProof memory p, uint256 rho, uint256 chi)
        internal
        pure
        returns (uint256[PUBLIC_INPUTS] memory inputs)
    {
        inputs = [rho, s.activeMask + (s.policy[0] << 128) + (s.policy[1] << 144), chi, 0];
        uint256[] memory outcome = _outcome(p);
        uint256 power = 1;
        for (uint256 i; i < outcome.length; ++i) {
            inputs[3] = addmod(inputs[3], mulmod(power, outcome[i], Bn254.R), Bn254.R);
            power = mulmod(power, chi, Bn254.R);
        }
    }

    /// @dev With `B = G2` and the known secrets, `A = alpha + vk_x + D + 7 C` is valid for any `C` and `D`.
    function _groth16(RoundStatement memory s, RoundProof memory p, uint256 rho, uint256 chi) internal view {
        uint256 sum = 1 + 2 + COMMITTED; // alpha, IC_0, D
        uint256[PUBLIC_INPUTS] memory inputs = _inputs(s, p, rho, chi);
        for (uint256 i; i < PUBLIC_INPUTS; ++i) {
            sum = addmod(sum, mulmod(inputs[i], i + 3, Bn254.R), Bn254.R);
        }
        (p.groth16[6], p.groth16[7]) = Bn254.mul(1, 2, 5);
        (p.groth16[0], p.groth16[1]) = Bn254.mul(1, 2, addmod(sum, 5 * KnownSecrets.X, Bn254.R));
        p.groth16[2] = KnownSecrets.G2_0;
        p.groth16[3] = KnownSecrets.G2_1;
        p.groth16[4] = KnownSecrets.G2_2;
        p.groth16[5] = KnownSecrets.G2_3;
    }

    function _sub(uint256 a, uint256 b) internal pure returns (uint256) {
        return addmod(a, Bn254.R - b, Bn254.R);
    }
}
