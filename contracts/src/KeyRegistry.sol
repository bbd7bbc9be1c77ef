// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IKeyRegistry, IVerifyingKey} from "./interfaces/IKeyRegistry.sol";
import {Bn254} from "./libraries/Bn254.sol";
import {Bounds} from "./libraries/Bounds.sol";
import {DevKeys} from "./libraries/DevKeys.sol";
import {VerifyingKeys} from "./libraries/VerifyingKeys.sol";

/// @title The keys of all proofs: checked once, at deployment, and immutable from then on.
/// @dev No owner, no setter. The constructor checks the constants of every key contract and hashes them into
/// `keysHash`; each verifier copies the keys when it is deployed. The constructor calls every key contract twice and
/// requires the same answer, which refuses a contract that distinguishes its first call from later ones. It cannot
/// exclude code that changes its answer from some block on, for some callers, or behind a proxy. Whoever joins a
/// project must therefore know the code: the node compares the runtime code of every key contract with the pinned code,
/// and the verifier's copy with the pinned constants.
contract KeyRegistry is IKeyRegistry {
    bytes32 private constant TAG = "fairshare.keys.v2";

    /// @inheritdoc IKeyRegistry
    bool public immutable isDev;
    /// @inheritdoc IKeyRegistry
    bytes32 public immutable keysHash;

    uint256[2] private _x1;
    uint256[12] private _g2;
    IVerifyingKey[] private _keys;
    mapping(uint256 ruleAndSize => IVerifyingKey) private _byCircuit;

    /// @param isDev_ true if anyone may know the secrets of the keys: refused outside test chains, as is the DEV string
    /// or a DEV key of this project without the flag
    /// @param x1 `[x]_1`
    /// @param g2 `[1]_2, [x]_2, [x^2]_2`, imaginary parts first
    /// @param keys_ one contract for every rule and size; their order enters `keysHash`
    constructor(bool isDev_, uint256[2] memory x1, uint256[12] memory g2, IVerifyingKey[] memory keys_) {
        _requireTestChainFor(isDev_ || DevKeys.isString(x1));
        isDev = isDev_;
        _checkKzg(x1, g2);
        _x1 = x1;
        _g2 = g2;
        keysHash = keccak256(abi.encode(TAG, _register(isDev_, x1, g2, keys_)));
    }

    /* VIEWS */

    /// @inheritdoc IKeyRegistry
    function verifyingKey(uint8 rule, uint8 size) external view returns (IVerifyingKey key) {
        key = _byCircuit[_circuitId(rule, size)];
        if (address(key) == address(0)) revert UnknownKey(rule, size);
    }

    /// @inheritdoc IKeyRegistry
    function kzg() external view returns (uint256[2] memory x1, uint256[12] memory g2) {
        return (_x1, _g2);
    }

    /// @notice The registered key contracts in the order in which they enter `keysHash`.
    function keys() external view returns (IVerifyingKey[] memory) {
        return _keys;
    }

    /* REGISTRATION */

    /// @dev Stores every key and returns the words of docs/protocol.md 3.2.
    function _register(bool isDev_, uint256[2] memory x1, uint256[12] memory g2, IVerifyingKey[] memory keys_)
        private
        returns (uint256[] memory words)
    {
        uint256 total = 15;
        bytes32[] memory first = new bytes32[](keys_.length);
        for (uint256 i; i < keys_.length; ++i) {
            (uint8 rule, uint8 size) = keys_[i].circuit();
            (uint256[18] memory fixedPoints, bytes memory ic) = keys_[i].key();
            first[i] = keccak256(abi.encode(rule, size, fixedPoints, ic));
            total += 21 + ic.length / 32;
        }
        words = new uint256[](total);
        words[0] = isDev_ ? 1 : 0;
        (words[1], words[2]) = (x1[0], x1[1]);
        for (uint256 i; i < 12; ++i) {
            words[3 + i] = g2[i];
        }
        uint256 cursor = 15;
        for (uint256 i; i < keys_.length; ++i) {
            cursor = _registerKey(keys_[i], first[i], words, cursor);
            _keys.push(keys_[i]);
        }
    }

    /// @param first hash of the key's first answer
    function _registerKey(IVerifyingKey key, bytes32 first, uint256[] memory words, uint256 cursor)
        private
        returns (uint256)
    {
        (uint8 rule, uint8 size) = key.circuit();
        (uint256[18] memory fixedPoints, bytes memory packedIc) = key.key();
        if (keccak256(abi.encode(rule, size, fixedPoints, packedIc)) != first) revert ImpureKey(address(key));
        if (rule != VerifyingKeys.AGREEMENT) revert UnsupportedRule(rule);
        if (!Bounds.isSlotSize(size)) revert UnsupportedSize(rule, size);
        uint256[] memory ic = _words(packedIc);
        if (packedIc.length != VerifyingKeys.IC_BYTES) revert WrongInputCount(rule, size, ic.length);
        if (address(_byCircuit[_circuitId(rule, size)]) != address(0)) revert DuplicateKey(rule, size);
        _byCircuit[_circuitId(rule, size)] = key;
        _requireTestChainFor(DevKeys.isKey(fixedPoints[VerifyingKeys.ALPHA]));
        _checkFixedPoints(fixedPoints, [words[3], words[4], words[5], words[6]], rule, size);

        words[cursor++] = rule;
        words[cursor++] = size;
        for (uint256 i; i < 18; ++i) {
            words[cursor++] = fixedPoints[i];
        }
        words[cursor++] = ic.length / 2;
        for (uint256 i; i < ic.length; i += 2) {
            _checkG1(ic[i], ic[i + 1]);
            words[cursor++] = ic[i];
            words[cursor++] = ic[i + 1];
        }
        return cursor;
    }

    /// @dev The whole words of `data`.
    function _words(bytes memory data) private pure returns (uint256[] memory) {
        return abi.decode(abi.encodePacked(uint256(0x20), data.length / 32, data), (uint256[]));
    }

    function _requireTestChainFor(bool dev) private view {
        if (dev && !Bounds.isTestChain()) revert DevKeysOutsideTestChain(block.chainid);
    }

    /* POINTS */

    /// @dev `gamma_2` must be `[1]_2`, and `delta_2` and `[sigma]_2` must be different from it and from each other, and
    /// from the opposites: otherwise public inputs, a commitment or a part of `C` could be exchanged for one another.
    /// @param one `[1]_2`
    function _checkFixedPoints(uint256[18] memory key, uint256[4] memory one, uint8 rule, uint8 size) private view {
        _checkG1(key[VerifyingKeys.ALPHA], key[VerifyingKeys.ALPHA + 1]);
        for (uint256 i = VerifyingKeys.BETA; i < VerifyingKeys.IC; i += 4) {
            _checkG2(key[i], key[i + 1], key[i + 2], key[i + 3]);
        }
        for (uint256 i; i < 4; ++i) {
            if (key[VerifyingKeys.GAMMA + i] != one[i]) revert GammaIsNotOne(rule, size);
        }
        if (_sameUpToSign(key, VerifyingKeys.DELTA, VerifyingKeys.GAMMA)) revert DeltaIsGamma(rule, size);
        bool known = _sameUpToSign(key, VerifyingKeys.SIGMA, VerifyingKeys.GAMMA);
        if (known || _sameUpToSign(key, VerifyingKeys.SIGMA, VerifyingKeys.DELTA)) revert SigmaIsKnown(rule, size);
    }

    /// @dev Points with the same first coordinate are equal or opposite.
    function _sameUpToSign(uint256[18] memory key, uint256 a, uint256 b) private pure returns (bool) {
        return key[a] == key[b] && key[a + 1] == key[b + 1];
    }

    /// @dev Checks the points, and that they are powers of one `x`: `e([x]_1, [1]_2) = e([1]_1, [x]_2)` and
    /// `e([x]_1, [x]_2) = e([1]_1, [x^2]_2)`.
    function _checkKzg(uint256[2] memory x1, uint256[12] memory g2) private view {
        _checkG1(x1[0], x1[1]);
        for (uint256 i; i < 12; i += 4) {
            _checkG2(g2[i], g2[i + 1], g2[i + 2], g2[i + 3]);
        }
        for (uint256 k; k < 2; ++k) {
            uint256[12] memory words;
            (words[0], words[1]) = (x1[0], x1[1]);
            (words[6], words[7]) = (1, Bn254.Q - 2);
            for (uint256 i; i < 4; ++i) {
                words[2 + i] = g2[4 * k + i];
                words[8 + i] = g2[4 * k + 4 + i];
            }
            if (!Bn254.pairing(words)) revert InvalidKeyPoint();
        }
    }

    function _checkG1(uint256 x, uint256 y) private pure {
        if (!Bn254.isOnCurve(x, y)) revert InvalidKeyPoint();
    }

    /// @dev The pairing precompile refuses coordinates that are not below `q`, points off the twist and points outside
    /// the subgroup. It accepts infinity, which we refuse here.
    function _checkG2(uint256 x1, uint256 x0, uint256 y1, uint256 y0) private view {
        if (x1 | x0 | y1 | y0 == 0) revert InvalidKeyPoint();
        uint256[] memory words = new uint256[](6);
        (words[0], words[1]) = (1, 2);
        (words[2], words[3], words[4], words[5]) = (x1, x0, y1, y0);
        // Only validity matters here, not the value of the pairing.
        // slither-disable-next-line unused-return
        (bool valid,) = Bn254.pairing(words);
        if (!valid) revert InvalidKeyPoint();
    }

    function _circuitId(uint8 rule, uint8 size) private pure returns (uint256) {
        return (uint256(rule) << 8) | size;
    }
}
