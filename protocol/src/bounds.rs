//! Every bound that specification, rules, circuits, programs and contracts share, each written once.
//!
//! `contracts/src/libraries/Bounds.sol` is generated from this file ([`solidity`]); `tests/generated.rs` compares them.

use std::fmt::Write;
use std::ops::RangeInclusive;

/// One, in numbers that count in `2^-16`: shares, weights, clip factors, coherence, factors on the learning rate.
pub const ONE: u32 = 1 << 16;

/// A model has fewer parameters than this, so that `|G_ij| <= 2^30 d` stays below [`MAX_ENTRY`].
pub const DIMENSION_LIMIT: u32 = 1 << 22;
/// Largest magnitude of an entry of the Gram matrix that rules and circuits accept.
pub const MAX_ENTRY: i64 = 1 << 52;
/// An entry of an update lies in `-UPDATE_LIMIT .. UPDATE_LIMIT`: 16 bits.
pub const UPDATE_LIMIT: i32 = 1 << 15;
/// Layer sizes of a model: inputs, hidden units, channels, classes.
pub const MAX_LAYER: u32 = 1 << 16;

/// The most slots of a round: a mask has 128 bits.
pub const MAX_SLOTS: usize = 128;
/// Sizes of the assessment circuit, ascending. A circuit serves every round of at most as many trainers.
pub const SLOT_SIZES: [u8; 5] = [8, 16, 32, 64, 128];
/// Tables of the range proof, in bits (docs/protocol.md 7).
pub const TABLES: [u8; 2] = [8, 16];

/// Fewest active slots of any round; projects outside test chains need [`MIN_ACTIVE_IN_PRODUCTION`].
pub const MIN_ACTIVE: u32 = 3;
/// Fewest active slots of a round of a project that is not on a test chain.
pub const MIN_ACTIVE_IN_PRODUCTION: u32 = 5;
/// Chains on which DEV keys, rounds of [`MIN_ACTIVE`] slots and short periods are accepted: anvil's id and geth's.
pub const TEST_CHAIN_IDS: [u64; 2] = [31_337, 1_337];

/// Each policy word of a round is below `2^POLICY_WORD_BITS`.
pub const POLICY_WORD_BITS: u32 = 16;
/// Agreement: `theta` is below this, in 1/256 of the median contribution.
pub const THETA_LIMIT: u16 = 1 << 10;
/// Agreement: a project's `theta` is at most this. Whoever contributes half of the median is then no outlier. From
/// 256 on, everybody below the median would be one in every round, however honest.
pub const MAX_THETA: u16 = 1 << 7;
/// Agreement: `trim` is at most this, in 1/256 of a row. With three active slots and more a row then keeps an entry.
pub const MAX_TRIM: u8 = 85;
/// Multi-Krum, a baseline: `byzantine` is at most this, in 1/256 of the active slots. Three active slots and more then
/// leave a neighbour.
pub const MAX_BYZANTINE: u8 = 85;

/// Most settled rounds of a project. Whoever collects the pay of all rounds at once needs one transaction for it.
pub const MAX_ROUNDS: u16 = 1000;
/// Most void rounds of a project, for the same reason.
pub const MAX_VOIDS: u16 = 250;
/// Amounts and deposits have at most this many bits, in the currency's least unit.
pub const AMOUNT_BITS: u32 = 96;
/// An outlier's penalty is at most one part in this many of the stake: an outlier need not be dishonest.
pub const PENALTY_PARTS: u32 = 10;
/// Shortest period of a phase on a test chain, in seconds.
pub const MIN_PERIOD: u32 = 1;
/// Shortest period of a phase on every other chain, in seconds: an hour. Who is late for one loses its stake.
pub const MIN_PERIOD_IN_PRODUCTION: u32 = 60 * 60;
/// Longest period of a phase, in seconds: thirty days. Stakes are locked that long.
pub const MAX_PERIOD: u32 = 30 * 24 * 60 * 60;
/// A phase that ends by its deadline outside test chains has at least this many blocks, or is extended once: the chain
/// stood still. Six minutes of Ethereum's blocks; services act in the first blocks of a phase.
pub const MIN_BLOCKS: u32 = 32;

/// Fraction bits of an update: a project's scale is two to such a power.
pub const SCALE_LOG2: RangeInclusive<u8> = 4..=24;
/// Largest learning rate, in millionths.
pub const MAX_LEARNING_RATE: u32 = 100_000_000;
/// Most passes over a trainer's data in a round.
pub const MAX_LOCAL_EPOCHS: u16 = 1000;
/// Most samples of a step.
pub const MAX_BATCH_SIZE: u32 = 1 << 16;
/// Most characters of a project's name.
pub const MAX_NAME: usize = 80;

/// Whether DEV keys, rounds of [`MIN_ACTIVE`] slots and short periods are accepted on this chain.
pub fn is_test_chain(chain_id: u64) -> bool {
    TEST_CHAIN_IDS.contains(&chain_id)
}

/// Fewest active slots that a project on this chain may ask for.
pub fn min_active(chain_id: u64) -> u32 {
    if is_test_chain(chain_id) {
        MIN_ACTIVE
    } else {
        MIN_ACTIVE_IN_PRODUCTION
    }
}

/// Shortest period of a phase of a project on this chain, in seconds.
pub fn min_period(chain_id: u64) -> u32 {
    if is_test_chain(chain_id) {
        MIN_PERIOD
    } else {
        MIN_PERIOD_IN_PRODUCTION
    }
}

/// The text of `contracts/src/libraries/Bounds.sol`.
pub fn solidity() -> String {
    let constants: [(&str, u128, &str); 15] = [
        ("ONE", ONE.into(), "One, for factors in 2^-16."),
        (
            "DIMENSION_LIMIT",
            DIMENSION_LIMIT.into(),
            "A model has fewer parameters than this, so that |G_ij| <= 2^30 d stays below 2^52.",
        ),
        ("MAX_SLOTS", MAX_SLOTS as u128, "The most slots of a round: a mask has 128 bits."),
        ("SLOT_SIZES", SLOT_SIZES.len() as u128, "The number of circuit sizes: 8, 16, 32, 64, 128."),
        ("MIN_ACTIVE", MIN_ACTIVE.into(), "Fewest active slots of a round on a test chain."),
        (
            "MIN_ACTIVE_IN_PRODUCTION",
            MIN_ACTIVE_IN_PRODUCTION.into(),
            "Fewest active slots of a round on every other chain.",
        ),
        (
            "MAX_THETA",
            MAX_THETA.into(),
            "`theta` is at most this, in 1/256 of the median: half of the median is no outlier.",
        ),
        (
            "MAX_TRIM",
            MAX_TRIM.into(),
            "`trim` is at most this: n - 1 - 2 floor(n trim / 256) >= 1 for n >= 3 active slots.",
        ),
        (
            "MAX_ROUNDS",
            MAX_ROUNDS.into(),
            "Most settled rounds: whoever collects the pay of all rounds at once needs one transaction for it.",
        ),
        ("MAX_VOIDS", MAX_VOIDS.into(), "Most void rounds, for the same reason."),
        (
            "PENALTY_PARTS",
            PENALTY_PARTS.into(),
            "An outlier's penalty is at most one part in this many of the stake.",
        ),
        ("MIN_PERIOD", MIN_PERIOD.into(), "Shortest period of a phase on a test chain, in seconds."),
        (
            "MIN_PERIOD_IN_PRODUCTION",
            MIN_PERIOD_IN_PRODUCTION.into(),
            "Shortest period of a phase on every other chain, in seconds.",
        ),
        ("MAX_PERIOD", MAX_PERIOD.into(), "Longest period of a phase, in seconds: stakes are locked that long."),
        (
            "MIN_BLOCKS",
            MIN_BLOCKS.into(),
            "A phase with fewer blocks before its deadline is extended once, except on test chains.",
        ),
    ];
    let mut text = String::from(
        "// SPDX-License-Identifier: MIT OR Apache-2.0\n\
         // Generated from protocol/src/bounds.rs by scripts/regenerate: do not edit.\n\
         pragma solidity ^0.8.24;\n\n\
         /// @title Bounds that contracts, circuits and programs share.\n\
         library Bounds {\n",
    );
    for (name, value, notice) in constants {
        writeln!(text, "    /// @notice {notice}\n    uint256 internal constant {name} = {value};")
            .expect("a string takes any text");
    }
    for (signature, notice, variable, values) in [
        (
            "isTestChain() internal view",
            "The chains on which DEV keys, rounds of `MIN_ACTIVE` slots and short periods are accepted.",
            "block.chainid",
            TEST_CHAIN_IDS.to_vec(),
        ),
        (
            "isSlotSize(uint256 slots) internal pure",
            "Whether an assessment circuit has this size.",
            "slots",
            SLOT_SIZES.map(u64::from).to_vec(),
        ),
        (
            "isTable(uint256 table) internal pure",
            "Whether range proofs have this table (docs/protocol.md 7).",
            "table",
            TABLES.map(u64::from).to_vec(),
        ),
    ] {
        let any: Vec<String> = values.iter().map(|value| format!("{variable} == {value}")).collect();
        let any = any.join(" || ");
        writeln!(
            text,
            "\n    /// @notice {notice}\n    function {signature} returns (bool) {{\n        return {any};\n    }}"
        )
        .expect("a string takes any text");
    }
    text + "}\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_fit_one_another() {
        let largest = i64::from(UPDATE_LIMIT).pow(2) * i64::from(DIMENSION_LIMIT);
        assert_eq!(largest, MAX_ENTRY, "a product of two updates stays below the largest entry");
        assert!(SLOT_SIZES.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(SLOT_SIZES.last().map(|size| usize::from(*size)), Some(MAX_SLOTS));
        const { assert!(MAX_THETA < THETA_LIMIT && MIN_PERIOD_IN_PRODUCTION < MAX_PERIOD) };
        assert!(u32::from(THETA_LIMIT) < 1 << POLICY_WORD_BITS && MAX_SLOTS < 1 << POLICY_WORD_BITS);
        for active in MIN_ACTIVE..=MAX_SLOTS as u32 {
            assert!(active - 1 > 2 * (active * u32::from(MAX_TRIM) / 256), "{active} active slots");
        }
        let share_too_many =
            (MIN_ACTIVE..=MAX_SLOTS as u32).any(|n| n - 1 <= 2 * (n * (u32::from(MAX_TRIM) + 1) / 256));
        assert!(share_too_many, "MAX_TRIM is the largest trim that leaves an entry in every row");
    }

    #[test]
    fn rounds_of_three_are_for_test_chains() {
        assert_eq!([31_337, 1_337, 1, 0].map(min_active), [3, 3, 5, 5]);
    }

    #[test]
    fn phases_of_less_than_an_hour_are_for_test_chains() {
        assert_eq!([31_337, 1_337, 1, 0].map(min_period), [1, 1, 3600, 3600]);
    }
}
