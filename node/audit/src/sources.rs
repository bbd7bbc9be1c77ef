//! Where an audit reads, and how much of it at the same time.

use fairshare_circuits::{PinnedKeys, ReferenceString};
use fairshare_client::{ContentStore, Project};
use fairshare_protocol::Specification;

/// How many transactions are requested at the same time.
pub(super) const CONCURRENT: usize = 16;
/// How many rounds are read at the same time.
const ROUNDS_AHEAD: usize = 4;
/// Updates of rounds that are read ahead take at most this many bytes.
const BYTES_AHEAD: usize = 256 << 20;

/// Everything that an audit reads and compares with.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub(super) project: &'a Project,
    pub(super) store: &'a ContentStore,
    pub(super) srs: &'a ReferenceString,
    pub(super) keys: &'a PinnedKeys,
    /// `None` when it is not available: then updates and models cannot be read either.
    pub(super) spec: Option<&'a Specification>,
    /// Of the registered keys.
    pub(super) keys_hash: [u8; 32],
}

impl Sources<'_> {
    /// How many rounds to read at the same time.
    pub(super) fn rounds_ahead(&self) -> usize {
        let terms = self.project.terms();
        let round = 2 * terms.dimension as usize * usize::from(terms.slots);
        (BYTES_AHEAD / round.max(1)).clamp(1, ROUNDS_AHEAD)
    }
}
