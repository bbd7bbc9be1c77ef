//! Shared by the fuzz tests of all crates, which include this file: changes of valid bytes, and a bound on memory.
//! `PROPTEST_CASES` makes them run longer.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test uses a part")]

use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::{Mutex, PoisonError};

/// Bytes of address space that a parser of small files may add, threads included. A parser that trusts a forged length
/// adds far more.
const MEMORY: u64 = 1 << 30;

/// One change: what, where (the head of a file or anywhere), how far, and a value.
#[derive(Debug, Clone)]
pub struct Change {
    kind: u8,
    head: bool,
    at: Index,
    other: Index,
    value: u64,
}

/// A few changes.
pub fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = (any::<u8>(), any::<bool>(), any::<Index>(), any::<Index>(), any::<u64>())
        .prop_map(|(kind, head, at, other, value)| Change { kind, head, at, other, value });
    prop::collection::vec(change, 1..4)
}

/// Flips bits, writes extreme words, cuts, inserts, moves.
pub fn mutate(bytes: &mut Vec<u8>, changes: &[Change]) {
    for Change { kind, head, at, other, value } in changes {
        if bytes.is_empty() {
            return;
        }
        let at = at.index(if *head { bytes.len().min(128) } else { bytes.len() });
        let other = other.index(bytes.len());
        match kind % 7 {
            0 => bytes[at] ^= 1 << (value % 8),
            1 => bytes.truncate(at),
            2 | 3 => {
                let words = [0, 1, u64::MAX, 1 << 60, 1 << 40, 1 << 32, u64::from(u32::MAX), *value];
                let word = words[other % words.len()].to_le_bytes();
                let end = (at + 8).min(bytes.len());
                bytes[at..end].copy_from_slice(&word[..end - at]);
            }
            4 => drop(bytes.splice(at..at, value.to_le_bytes())),
            5 => drop(bytes.drain(at.min(other)..at.max(other))),
            _ => {
                let length = 32.min(bytes.len() - at.max(other));
                bytes.copy_within(at..at + length, other);
            }
        }
    }
}

/// Runs a parser and fails when the peak of the address space grows by [`MEMORY`] or more.
pub fn assert_memory_bounded<T>(parse: impl FnOnce() -> T) -> T {
    // One at a time: the peak is the whole process's.
    static WATCH: Mutex<()> = Mutex::new(());
    let _watching = WATCH.lock().unwrap_or_else(PoisonError::into_inner);
    let before = address_space("VmPeak:");
    let parsed = parse();
    let after = address_space("VmPeak:");
    assert!(after < before + MEMORY, "parsing took {} bytes of address space", after - before);
    parsed
}

/// Bytes of a line of `/proc/self/status`.
fn address_space(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
}

#[test]
fn a_trusted_length_is_detected() {
    let trusting = || {
        assert_memory_bounded(|| {
            // Memory that other tests freed since the peak hides as much of a new allocation. Twice the bound on top of
            // that shows even if they free more between these two readings.
            let hidden = address_space("VmPeak:") - address_space("VmSize:");
            drop(std::hint::black_box(Vec::<u8>::with_capacity((hidden + 2 * MEMORY) as usize)))
        })
    };
    assert!(std::panic::catch_unwind(trusting).is_err());
}
