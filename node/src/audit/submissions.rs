//! What trainers posted in a round, and which of it took part.

use std::collections::BTreeMap;

use fairshare_circuits::{point_words, G1Affine};
use sha3::{Digest, Keccak256};

use crate::address::Address20;
use crate::chain::{seal, CommittedUpdate, RevealedUpdate, RoundState, Terms};

use super::failure::RoundFault;

/// The running hash of commitments in slot order: `H_0 = 0`, `H_(i+1) = keccak256(abi.encode(H_i, x_i, y_i))`.
pub fn running_hash(commitments: impl IntoIterator<Item = G1Affine>) -> [u8; 32] {
    commitments.into_iter().fold([0; 32], |state, point| {
        let [x, y] = point_words(&point);
        Keccak256::new().chain_update(state).chain_update(x).chain_update(y).finalize().into()
    })
}

/// The commitments of the log against those that the contract chained.
pub fn check_commitments(committed: &[CommittedUpdate], state: &RoundState) -> Vec<RoundFault> {
    let mut faults = Vec::new();
    if committed.len() != state.committed as usize {
        faults.push(RoundFault::CommitmentCount { expected: state.committed, found: committed.len() });
    }
    let found = running_hash(committed.iter().map(|update| update.commitment));
    if found != state.commitments_hash {
        faults.push(RoundFault::RunningHash { expected: word(&state.commitments_hash), found: word(&found) });
    }
    faults
}

/// The reveals against the commitments: same trainer, the seal opens, and the contract counts the same slots. `salts`
/// holds the salt of each slot whose revealing transaction could be read.
pub fn check_reveals(
    committed: &[CommittedUpdate],
    revealed: &[RevealedUpdate],
    salts: &BTreeMap<u8, [u8; 32]>,
    state: &RoundState,
) -> Vec<RoundFault> {
    let mut faults = Vec::new();
    let mut mask = 0u128;
    for reveal in revealed {
        let slot = reveal.slot;
        mask |= 1u128.checked_shl(u32::from(slot)).unwrap_or(0);
        let commit = committed.iter().find(|commit| commit.slot == slot);
        let committer: Option<Address20> = commit.map(|commit| commit.trainer);
        if committer != Some(reveal.trainer) {
            faults.push(RoundFault::RevealedByAnother {
                slot,
                revealed: reveal.trainer,
                committed: committer,
            });
            continue;
        }
        if let (Some(commit), Some(salt)) = (commit, salts.get(&slot)) {
            if seal(reveal.cid, reveal.trainer, *salt) != commit.seal {
                faults.push(RoundFault::Seal { slot, trainer: reveal.trainer });
            }
        }
    }
    if mask != state.revealed_mask {
        faults.push(RoundFault::RevealedMask { expected: state.revealed_mask, found: mask });
    }
    faults
}

/// The slots that took part against the revealed ones and the terms.
pub fn check_active(terms: &Terms, revealed: u128, active: u128) -> Vec<RoundFault> {
    let mut faults: Vec<RoundFault> =
        slots(active & !revealed).map(|slot| RoundFault::ActiveNotRevealed { slot }).collect();
    let left_out = (revealed & !active).count_ones();
    if left_out > u32::from(terms.max_excluded) {
        faults.push(RoundFault::TooManyExcluded { allowed: terms.max_excluded, found: left_out });
    }
    if active.count_ones() < u32::from(terms.min_active) {
        faults.push(RoundFault::TooFewActive { required: terms.min_active, found: active.count_ones() });
    }
    faults
}

/// The slots of a mask, ascending.
pub(super) fn slots(mask: u128) -> impl Iterator<Item = u8> {
    (0..128u8).filter(move |slot| mask >> slot & 1 == 1)
}

/// A point, all of it: two points may share their `x`.
pub(super) fn point_text(point: &G1Affine) -> String {
    let [x, y] = point_words(point);
    format!("{},{}", word(&x), word(&y))
}

/// A word for people.
pub(super) fn word(word: &[u8; 32]) -> String {
    format!("0x{}", hex::encode(word))
}
