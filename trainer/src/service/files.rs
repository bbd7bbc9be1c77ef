//! The update's files between commit and reveal: in memory as well as on disk, and written back when the folder loses
//! them.

use std::sync::Arc;

use fairshare_client::ContentId;

use super::run::Service;
use super::stage::{Stage, Update};
use crate::error::TrainerError;
use crate::state::RoundRecord;

impl Service {
    /// The update of a round that the state folder holds.
    pub(super) fn stored_update(&self, round: u64) -> Result<Option<Update>, TrainerError> {
        let with_file = |record: RoundRecord| {
            let file = self.state.update_file(&record).map(Arc::from);
            Update { record, file }
        };
        Ok(self.state.record(round)?.map(with_file))
    }

    /// Writes record and file again when somebody deleted them before the update is revealed and on IPFS. Memory is
    /// enough for this process; the folder is for the next one.
    pub(super) fn restore_files(&self) {
        let is_open = match self.round.stage() {
            Stage::Prepared { .. } | Stage::Committed(_) => true,
            Stage::Revealed { own, .. } => !own.posted,
            Stage::Unknown(_) | Stage::Idle | Stage::Attested(_) | Stage::Closed => false,
        };
        let Some(Update { record, file: Some(file) }) = self.round.update().filter(|_| is_open) else {
            return;
        };
        let round = record.round;
        if self.state.holds(round) {
            return;
        }
        match self.state.keep(record, file) {
            Ok(()) => tracing::warn!(
                round,
                "the state folder lost the update; it is written again from memory. Without it a process that is \
                 started again cannot reveal"
            ),
            Err(error) => tracing::warn!(round, %error, "the state folder lost the update and cannot be written"),
        }
    }
}

/// The CID of an update's file.
pub(super) fn content_id(update: &Update) -> ContentId {
    ContentId::from_digest(update.record.cid, update.file.as_ref().map_or(0, |file| file.len()))
}
