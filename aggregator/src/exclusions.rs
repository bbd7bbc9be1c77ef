//! Why a revealed update was left out, for everybody to read and to check.

use fairshare_circuits::point_words;
use fairshare_node::{format_address, Address20, Collected, ContentId, Exclusion};
use serde::Serialize;

/// A revealed slot that is not active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExcludedSlot {
    /// The slot.
    pub slot: u8,
    /// The trainer's address.
    pub trainer: String,
    /// Digest of the update file's CID, as on chain.
    pub cid_digest: String,
    /// The commitment on chain, `x` and `y`.
    pub commitment: [String; 2],
    /// What is wrong with the update.
    pub reason: String,
}

impl ExcludedSlot {
    /// From a slot that could not be collected.
    pub fn new(entry: &Collected, reason: &Exclusion) -> Self {
        let hex = |word: &[u8; 32]| format!("0x{}", hex::encode(word));
        Self {
            slot: entry.slot,
            trainer: format_address(&entry.trainer),
            cid_digest: hex(&entry.cid),
            commitment: point_words(&entry.commitment).map(|word| hex(&word)),
            reason: reason.to_string(),
        }
    }
}

/// All exclusions of a round: the file `exclusions-round-R.json`, on IPFS as well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExclusionReport {
    /// Chain id.
    pub chain_id: u64,
    /// The project's address.
    pub project: String,
    /// Round id.
    pub round: u64,
    /// Who left them out.
    pub aggregator: String,
    /// Slots that were assessed, ascending.
    pub active: Vec<u8>,
    /// Slots that were left out, ascending.
    pub excluded: Vec<ExcludedSlot>,
}

impl ExclusionReport {
    /// The report of a round.
    pub fn new(
        chain_id: u64,
        project: Address20,
        round: u64,
        aggregator: Address20,
        active: u128,
        excluded: Vec<ExcludedSlot>,
    ) -> Self {
        Self {
            chain_id,
            project: format_address(&project),
            round,
            aggregator: format_address(&aggregator),
            active: slots_of(active),
            excluded,
        }
    }

    /// The bytes of the file: the same for the same round and reasons.
    pub fn json(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("strings and numbers are always written");
        bytes.push(b'\n');
        bytes
    }
}

/// A report that is on IPFS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedExclusions {
    /// What was published.
    pub report: ExclusionReport,
    /// Where.
    pub cid: ContentId,
}

/// The slots of a mask, ascending.
pub fn slots_of(mask: u128) -> Vec<u8> {
    (0..128).filter(|slot| mask >> slot & 1 == 1).collect()
}
