//! Checks of what trainers posted in a round, and of which slots took part.

use std::collections::BTreeMap;

use fairshare_circuits::{point_words, verify_range, G1Affine, KzgKey, RangeProof, RangeStatement};
use fairshare_client::{seal, CommitCall, CommittedUpdate, RevealedUpdate, RoundState, Terms};
use fairshare_protocol::{Address, SlotMask};
use sha3::{Digest, Keccak256};

use super::round_fault::RoundFault;
use super::text::word;

/// The running hash of commitments in the order of their slots: `H_0 = 0`, `H_(i+1) = keccak256(abi.encode(x_i, y_i, H_i))` with its
/// low byte replaced by `i + 1`.
pub fn running_hash(commitments: impl IntoIterator<Item = G1Affine>) -> [u8; 32] {
    commitments.into_iter().zip(1usize..).fold([0; 32], |state, (point, number)| {
        let [x, y] = point_words(&point);
        let mut next: [u8; 32] =
            Keccak256::new().chain_update(x).chain_update(y).chain_update(state).finalize().into();
        next[31] = number as u8; // at most 128 slots
        next
    })
}

/// Compares the commitments of the log with the contract's running hash.
pub fn check_commitments(committed: &[CommittedUpdate], state: &RoundState) -> Vec<RoundFault> {
    let mut faults = Vec::new();
    if committed.len() != state.committed as usize {
        faults.push(RoundFault::CommitmentCount { expected: state.committed, found: committed.len() });
    }
    let found = running_hash(committed.iter().map(|update| update.commitment));
    if found != state.slots_hash {
        faults.push(RoundFault::RunningHash { expected: word(&state.slots_hash), found: word(&found) });
    }
    faults
}

/// Compares the reveals with the commitments: the trainer is the same, the seal opens, and the contract counts the same slots.
/// `salts` holds the salt of each slot whose revealing transaction could be read.
pub fn check_reveals(
    committed: &[CommittedUpdate],
    revealed: &[RevealedUpdate],
    salts: &BTreeMap<u8, [u8; 32]>,
    state: &RoundState,
) -> Vec<RoundFault> {
    let mut faults = Vec::new();
    let mut mask = SlotMask::EMPTY;
    for reveal in revealed {
        let slot = reveal.slot;
        mask.insert(slot);
        let commit = committed.iter().find(|commit| commit.slot == slot);
        let committer: Option<Address> = commit.map(|commit| commit.trainer);
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
    if mask != state.revealed {
        faults.push(RoundFault::RevealedMask { expected: state.revealed, found: mask });
    }
    faults
}

/// The attestation of one trainer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// Its slot.
    pub slot: u8,
    /// The trainer.
    pub trainer: Address,
    /// The slots whose updates it attests to have fetched.
    pub mask: SlotMask,
}

/// The slots that more than half of the `revealed` ones attest.
pub fn attested_by_majority(attestations: &[Attestation], revealed: SlotMask) -> SlotMask {
    let votes = |slot: u8| attestations.iter().filter(|a| a.mask.contains(slot)).count();
    revealed.iter().filter(|slot| 2 * votes(*slot) > revealed.count() as usize).collect()
}

/// Compares the attestations with the reveals: every attester revealed in its slot and named revealed slots only.
pub fn check_attestations(
    attestations: &[Attestation],
    revealed: &[RevealedUpdate],
    state: &RoundState,
) -> Vec<RoundFault> {
    let mut faults = Vec::new();
    let mut attested = SlotMask::EMPTY;
    for attestation in attestations {
        let Attestation { slot, trainer, mask } = *attestation;
        let is_owner = revealed.iter().any(|reveal| (reveal.slot, reveal.trainer) == (slot, trainer));
        let is_sound = mask.contains(slot) && mask.is_subset_of(state.revealed);
        if !is_owner || !is_sound || attested.contains(slot) {
            faults.push(RoundFault::WrongAttestation { slot, trainer });
        }
        attested.insert(slot);
    }
    if attested != state.attested {
        faults.push(RoundFault::AttestedMask { expected: state.attested, found: attested });
    }
    faults
}

/// Compares the slots that the contract made active at the end of Attest with the attestations.
pub fn check_slots_active(
    attestations: &[Attestation],
    state: &RoundState,
    active: SlotMask,
    attested: SlotMask,
) -> Vec<RoundFault> {
    let mut faults = Vec::new();
    let expected = attested_by_majority(attestations, state.revealed);
    for found in [active, state.active] {
        if found != expected {
            faults.push(RoundFault::ActiveMask { expected, found });
        }
    }
    if attested != state.attested {
        faults.push(RoundFault::AttestedMask { expected: state.attested, found: attested });
    }
    faults
}

/// Compares the slots of a settlement with the active ones and with the terms.
pub fn check_active(terms: &Terms, state: &RoundState, settled: SlotMask) -> Vec<RoundFault> {
    let mut faults = Vec::new();
    if settled != state.active {
        faults.push(RoundFault::ActiveMask { expected: state.active, found: settled });
    }
    if settled.count() < u32::from(terms.min_active) {
        faults.push(RoundFault::TooFewActive { required: terms.min_active, found: settled.count() });
    }
    faults
}

/// Sentences about attesters who disagree with the files as they are fetched now. They are notes, not failures: a file may have
/// appeared or vanished since.
pub(super) fn disagreeing(attestations: &[Attestation], good: SlotMask) -> Vec<String> {
    let list = |mask: SlotMask| mask.iter().map(|slot| slot.to_string()).collect::<Vec<_>>().join(", ");
    let differing = attestations.iter().filter(|a| a.mask != good);
    differing
        .map(|a| {
            let (more, less) = (a.mask - good, good - a.mask);
            let mut says = Vec::new();
            if !more.is_empty() {
                says.push(format!(
                    "attested slot {}, whose file is not available or does not match its commitment",
                    list(more)
                ));
            }
            if !less.is_empty() {
                says.push(format!("did not attest slot {}, whose file matches its commitment", list(less)));
            }
            format!("{} (slot {}) {}", a.trainer, a.slot, says.join(", and "))
        })
        .collect()
}

/// Verifies a commitment's range proof again, from the transaction that posted it.
///
/// # Errors
/// [`RoundFault::RangeProof`] with the contract's reason.
pub fn check_form(
    key: &KzgKey,
    statement: RangeStatement,
    slot: u8,
    call: &CommitCall,
    update: &CommittedUpdate,
) -> Result<(), RoundFault> {
    let trainer = update.trainer;
    let fault = |reason: String| RoundFault::RangeProof { slot, trainer, reason };
    if (call.commitment, call.seal) != (update.commitment, update.seal) || call.round != statement.round {
        return Err(fault("the transaction carries another commitment than the log".into()));
    }
    let proof =
        RangeProof::from_words(statement.table, &call.range_proof).map_err(|e| fault(e.to_string()))?;
    verify_range(key, &statement, &proof).map_err(|e| fault(e.to_string()))
}
