// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IKeyRegistry, IVerifyingKey, PUBLIC_INPUTS} from "./interfaces/IKeyRegistry.sol";
import {Bn254} from "./libraries/Bn254.sol";

/// @title The keys of all proofs: checked once, at deployment, and then nobody's to change.
/// @dev There is no owner and no setter. A key contract is called again when a verifier is deployed, which copies it; its constants are checked here and
/// hashed into `keysHash`. It is asked twice and must say the same twice, which refuses one that tells first calls from later ones. That cannot
/// exclude code that answers otherwise from some block on, to some callers, or behind a proxy: whoever joins a project must know the code, and
/// the node compares the runtime code of every key contract with the pinned one, and the verifier's copy with its constants.
contract KeyRegistry is IKeyRegistry {
    bytes32 private constant TAG = "fairshare.keys.v1";

    /// @inheritdoc IKeyRegistry
    bool public immutable isDev;
    /// @inheritdoc IKeyRegistry
    bytes32 public immutable keysHash;

    uint256[2] private _x1;
    uint256[12] private _g2;
    IVerifyingKey[] private _keys;
    mapping(uint256 ruleAndSize => IVerifyingKey) private _byCircuit;

    /// @param isDev_ true when the secrets of the keys may be known to somebody: refused outside test chains
    /// @param x1 `[x]_1`
    /// @param g2 `[1]_2, [x]_2, [x^2]_2`, imaginary parts first
    /// @param keys_ one contract for every rule and size; their order enters `keysHash`
    constructor(bool isDev_, uint256[2] memory x1, uint256[12] memory g2, IVerifyingKey[] memory keys_) {
        if (isDev_ && block.chainid != 31337 && block.chainid != 1337) revert DevKeysOutsideTestChain(block.chainid);
        isDev = isDev_;
        _checkKzg(x1, g2);
        _x1 = x1;
        _g2 = g2;
        keysHash = keccak256(abi.encode(TAG, _register(isDev_, x1, g2, keys_)));
    }

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

    /// @dev Files every key and returns the words of docs/protocol.md 13.4.
    function _register(bool isDev_, uint256[2] memory x1, uint256[12] memory g2, IVerifyingKey[] memory keys_)
        private
        returns (uint256[] memory words)
    {
        uint256 total = 15;
        bytes32[] memory first = new bytes32[](keys_.length);
        for (uint256 i; i < keys_.length; ++i) {
            (uint8 rule, uint8 size) = keys_[i].circuit();
            (uint256[18] memory fixedPoints, bytes memory points) = keys_[i].key();
            first[i] = keccak256(abi.encode(rule, size, fixedPoints, points));
            total += 21 + points.length / 32;
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

    function _registerKey(IVerifyingKey key, bytes32 first, uint256[] memory words, uint256 cursor)
        private
        returns (uint256)
    {
        (uint8 rule, uint8 size) = key.circuit();
        (uint256[18] memory fixedPoints, bytes memory points) = key.key();
        if (keccak256(abi.encode(rule, size, fixedPoints, points)) != first) revert ImpureKey(address(key));
        if (size < 8 || size > 128 || size & (size - 1) != 0) revert UnusualSize(rule, size);
        // The constant one and the public inputs, two words a point.
        uint256[] memory ic = _words(points);
        if (points.length != 64 * (PUBLIC_INPUTS + 1)) revert WrongInputCount(rule, size, ic.length);
        if (address(_byCircuit[_circuitId(rule, size)]) != address(0)) revert DuplicateKey(rule, size);
        _byCircuit[_circuitId(rule, size)] = key;

        _checkG1(fixedPoints[0], fixedPoints[1]);
        bool sameDelta = true;
        for (uint256 i = 2; i < 14; i += 4) {
            _checkG2(fixedPoints[i], fixedPoints[i + 1], fixedPoints[i + 2], fixedPoints[i + 3]);
        }
        for (uint256 i; i < 4; ++i) {
            // Words 3 to 6 are `[1]_2`.
            if (fixedPoints[6 + i] != words[3 + i]) revert GammaIsNotOne(rule, size);
            sameDelta = sameDelta && fixedPoints[10 + i] == fixedPoints[6 + i];
        }
        if (sameDelta) revert DeltaIsGamma(rule, size);
        _checkSigma(fixedPoints, rule, size);

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

    /// @dev `[sigma]_2` is absent, all zeros, or a point that is neither `[1]_2` nor `delta_2`: under those a commitment or a part of `C`
    /// would prove knowledge of itself.
    function _checkSigma(uint256[18] memory fixedPoints, uint8 rule, uint8 size) private view {
        uint256[4] memory s = [fixedPoints[14], fixedPoints[15], fixedPoints[16], fixedPoints[17]];
        if (s[0] | s[1] | s[2] | s[3] == 0) return;
        _checkG2(s[0], s[1], s[2], s[3]);
        bool isGamma = true;
        bool isDelta = true;
        for (uint256 i; i < 4; ++i) {
            isGamma = isGamma && s[i] == fixedPoints[6 + i];
            isDelta = isDelta && s[i] == fixedPoints[10 + i];
        }
        if (isGamma || isDelta) revert SigmaIsKnown(rule, size);
    }

    /// @dev Beyond the points themselves: `e([x]_1, [1]_2) = e([1]_1, [x]_2)` and `e([x]_1, [x]_2) = e([1]_1, [x^2]_2)`,
    /// so that all of them are powers of one `x`.
    function _checkKzg(uint256[2] memory x1, uint256[12] memory g2) private view {
        _checkG1(x1[0], x1[1]);
        for (uint256 i; i < 12; i += 4) {
            _checkG2(g2[i], g2[i + 1], g2[i + 2], g2[i + 3]);
        }
        for (uint256 k; k < 2; ++k) {
            uint256[] memory words = new uint256[](12);
            (words[0], words[1]) = (x1[0], x1[1]);
            (words[6], words[7]) = (1, Bn254.Q - 2);
            for (uint256 i; i < 4; ++i) {
                words[2 + i] = g2[4 * k + i];
                words[8 + i] = g2[4 * k + 4 + i];
            }
            // A point that is refused makes it no one either.
            // slither-disable-next-line unused-return
            (, bool isOne) = Bn254.pairing(words);
            if (!isOne) revert InvalidKeyPoint();
        }
    }

    function _checkG1(uint256 x, uint256 y) private pure {
        if (!Bn254.isOnCurve(x, y)) revert InvalidKeyPoint();
    }

    /// @dev The pairing precompile refuses coordinates not below `q`, points off the twist and points outside the subgroup; infinity
    /// it takes, so that is refused here.
    function _checkG2(uint256 x1, uint256 x0, uint256 y1, uint256 y0) private view {
        if (x1 | x0 | y1 | y0 == 0) revert InvalidKeyPoint();
        uint256[] memory words = new uint256[](6);
        (words[0], words[1]) = (1, 2);
        (words[2], words[3], words[4], words[5]) = (x1, x0, y1, y0);
        // Only whether the point is one; the value is no matter.
        // slither-disable-next-line unused-return
        (bool valid,) = Bn254.pairing(words);
        if (!valid) revert InvalidKeyPoint();
    }

    function _circuitId(uint8 rule, uint8 size) private pure returns (uint256) {
        return (uint256(rule) << 8) | size;
    }
}
