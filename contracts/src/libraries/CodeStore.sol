// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Write-once bytes, stored as the code of a contract (known as SSTORE2).
/// @dev A new storage word costs 22,100 gas and 2,100 to read. In code a word costs 6,400, the contract 32,000, and
/// reading all of it 2,600. A contract's nonce numbers its creations from one, so no address is stored: a contract that
/// uses this library must create nothing else.
library CodeStore {
    /// @dev Creation code that returns the bytes after its own ten, with two bytes of length between these parts: PUSH2
    /// length, DUP1, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN.
    bytes1 private constant PUSH2 = 0x61;
    bytes7 private constant COPY_AND_RETURN = 0x80600a3d393df3;
    /// @dev The first byte of the code, so that a call does nothing and returns nothing.
    bytes1 private constant STOP = 0x00;

    /// @notice Stores `data` as this contract's `number`-th creation.
    function write(uint256 number, bytes memory data) internal {
        bytes memory creation = abi.encodePacked(PUSH2, uint16(1 + data.length), COPY_AND_RETURN, STOP, data);
        address made;
        assembly ("memory-safe") {
            made := create(0, add(creation, 0x20), mload(creation))
        }
        assert(made == addressOf(number));
    }

    /// @notice Reads `length` bytes from `offset`; zeros beyond the end, or if nothing was stored.
    function read(uint256 number, uint256 offset, uint256 length) internal view returns (bytes memory data) {
        data = new bytes(length);
        address from = addressOf(number);
        assembly ("memory-safe") {
            extcodecopy(from, add(data, 0x20), add(offset, 1), length)
        }
    }

    /// @notice The low 20 bytes of `keccak256(rlp([this, number]))` (yellow paper, section 7), for a number of at most
    /// two bytes.
    function addressOf(uint256 number) internal view returns (address) {
        bytes memory list;
        if (number < 0x80) list = abi.encodePacked(hex"d694", address(this), uint8(number));
        else if (number < 0x100) list = abi.encodePacked(hex"d794", address(this), hex"81", uint8(number));
        else list = abi.encodePacked(hex"d894", address(this), hex"82", uint16(number));
        return address(uint160(uint256(keccak256(list))));
    }
}
