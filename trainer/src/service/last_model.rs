//! What this process knows of the last settled round's model.

use fairshare_protocol::Address;
use std::collections::BTreeSet;
use std::sync::Arc;

use crate::state::ModelRecord;

/// The last settled round's model, as far as this process has it.
#[derive(Debug, Default)]
pub(super) struct LastModel {
    /// Digest of the payee's CID, once a model was looked for.
    pub(super) cid: Option<[u8; 32]>,
    pub(super) entries: Option<Arc<Vec<i64>>>,
    /// Who served the file.
    pub(super) record: ModelRecord,
    /// Publishers whose file was missing, or not the model, when we first tried: naming a file that another serves
    /// later earns nothing.
    pub(super) idle: BTreeSet<Address>,
    /// Whether this process has put its publication on IPFS.
    pub(super) served: bool,
}
