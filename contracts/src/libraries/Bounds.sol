// SPDX-License-Identifier: MIT OR Apache-2.0
// Generated from protocol/src/bounds.rs by scripts/regenerate: do not edit.
pragma solidity ^0.8.24;

/// @title Bounds that contracts, circuits and programs share.
library Bounds {
    /// @notice One, for factors in 2^-16.
    uint256 internal constant ONE = 65536;
    /// @notice A model has fewer parameters than this, so that |G_ij| <= 2^30 d stays below 2^52.
    uint256 internal constant DIMENSION_LIMIT = 4194304;
    /// @notice The most slots of a round: a mask has 128 bits.
    uint256 internal constant MAX_SLOTS = 128;
    /// @notice The number of circuit sizes: 8, 16, 32, 64, 128.
    uint256 internal constant SLOT_SIZES = 5;
    /// @notice Fewest active slots of a round on a test chain.
    uint256 internal constant MIN_ACTIVE = 3;
    /// @notice Fewest active slots of a round on every other chain.
    uint256 internal constant MIN_ACTIVE_IN_PRODUCTION = 5;
    /// @notice `theta` is at most this, in 1/256 of the median: half of the median is no outlier.
    uint256 internal constant MAX_THETA = 128;
    /// @notice `trim` is at most this: n - 1 - 2 floor(n trim / 256) >= 1 for n >= 3 active slots.
    uint256 internal constant MAX_TRIM = 85;
    /// @notice Most settled rounds: whoever collects the pay of all rounds at once needs one transaction for it.
    uint256 internal constant MAX_ROUNDS = 1000;
    /// @notice Most void rounds, for the same reason.
    uint256 internal constant MAX_VOIDS = 250;
    /// @notice An outlier's penalty is at most one part in this many of the stake.
    uint256 internal constant PENALTY_PARTS = 10;
    /// @notice Shortest period of a phase on a test chain, in seconds.
    uint256 internal constant MIN_PERIOD = 1;
    /// @notice Shortest period of a phase on every other chain, in seconds.
    uint256 internal constant MIN_PERIOD_IN_PRODUCTION = 3600;
    /// @notice Longest period of a phase, in seconds: stakes are locked that long.
    uint256 internal constant MAX_PERIOD = 2592000;
    /// @notice A phase with fewer blocks before its deadline is extended once, except on test chains.
    uint256 internal constant MIN_BLOCKS = 32;

    /// @notice The chains on which DEV keys, rounds of `MIN_ACTIVE` slots and short periods are accepted.
    function isTestChain() internal view returns (bool) {
        return block.chainid == 31337 || block.chainid == 1337;
    }

    /// @notice Whether an assessment circuit has this size.
    function isSlotSize(uint256 slots) internal pure returns (bool) {
        return slots == 8 || slots == 16 || slots == 32 || slots == 64 || slots == 128;
    }

    /// @notice Whether range proofs have this table (docs/protocol.md 7).
    function isTable(uint256 table) internal pure returns (bool) {
        return table == 8 || table == 16;
    }
}
