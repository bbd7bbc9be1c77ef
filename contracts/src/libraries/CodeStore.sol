// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Bytes that are written once, as the code of a contract that is nothing else (known as SSTORE2).
/// @dev A new word of storage costs 22,100 gas and 2,100 to read; in code it costs 6,400 and 32,000 for the contract, and all of it 2,600 to read. What a contract
/// creates is numbered from one by its nonce, so addresses need not be kept: whoever writes here creates nothing else.
library CodeStore {
    /// @dev Creation code which returns what stands behind its ten bytes. Two of them, between these two, are the length:
    /// PUSH2 length, DUP1, PUSH1 10, RETURNDATASIZE, CODECOPY, RETURNDATASIZE, RETURN.
    bytes1 private constant PUSH2 = 0x61;
    bytes7 private constant COPY_AND_RETURN = 0x80600a3d393df3;
    /// @dev The first byte of the code: whoever calls it gets nothing and does nothing.
    bytes1 private constant STOP = 0x00;

    /// @notice Writes `data` as what this contract creates as its `number`-th.
    function write(uint256 number, bytes memory data) internal {
        bytes memory creation = abi.encodePacked(PUSH2, uint16(1 + data.length), COPY_AND_RETURN, STOP, data);
        address made;
        assembly ("memory-safe") {
            made := create(0, add(creation, 0x20), mload(creation))
        }
        assert(made == addressOf(number));
    }

    /// @notice `length` bytes from `offset` on; zeros behind the last that was written, and where none was.
    function read(uint256 number, uint256 offset, uint256 length) internal view returns (bytes memory data) {
        data = new bytes(length);
        address from = addressOf(number);
        assembly ("memory-safe") {
            extcodecopy(from, add(data, 0x20), add(offset, 1), length)
        }
    }

    /// @notice Of `keccak256(rlp([this, number]))` the lower 20 bytes (yellow paper, section 7). A number takes two bytes at most.
    function addressOf(uint256 number) internal view returns (address) {
        bytes memory list;
        if (number < 0x80) list = abi.encodePacked(hex"d694", address(this), uint8(number));
        else if (number < 0x100) list = abi.encodePacked(hex"d794", address(this), hex"81", uint8(number));
        else list = abi.encodePacked(hex"d894", address(this), hex"82", uint16(number));
        return address(uint160(uint256(keccak256(list))));
    }
}
