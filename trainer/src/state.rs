//! What a trainer keeps on disk so that it can be killed at any moment: of every round the update's file, and the salt
//! without which a posted commitment cannot be revealed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fairshare_circuits::{point_from_words, point_words, G1Affine, RangeProofWords};
use fairshare_client::ContentId;
use fairshare_protocol::Address;
use serde::{Deserialize, Serialize};

use crate::error::TrainerError;

const MODEL_FILE: &str = "model.json";
const LOCK_FILE: &str = "lock";

/// A round's update, as it was or will be committed. Written before anything of it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundRecord {
    /// The round's id.
    pub round: u64,
    /// Digest of the CID of the model that was trained from.
    #[serde(with = "hex::serde")]
    pub model_cid: [u8; 32],
    /// Commitment to the update, `x`, big endian.
    #[serde(with = "hex::serde")]
    pub commitment_x: [u8; 32],
    /// Commitment to the update, `y`, big endian.
    #[serde(with = "hex::serde")]
    pub commitment_y: [u8; 32],
    /// Digest of the CID of the update's file.
    #[serde(with = "hex::serde")]
    pub cid: [u8; 32],
    /// Secret until the reveal.
    #[serde(with = "hex::serde")]
    pub salt: [u8; 32],
    /// The range proof's points, words of 32 bytes.
    #[serde(with = "hex::serde")]
    pub range_points: Vec<u8>,
    /// The range proof's values, words of 32 bytes.
    #[serde(with = "hex::serde")]
    pub range_values: Vec<u8>,
}

impl RoundRecord {
    /// Fills the commitment's two words and those of the proof.
    pub fn new(
        round: u64,
        model_cid: [u8; 32],
        commitment: &G1Affine,
        cid: [u8; 32],
        salt: [u8; 32],
        proof: &RangeProofWords,
    ) -> Self {
        let [commitment_x, commitment_y] = point_words(commitment);
        let (range_points, range_values) = (proof.points.concat(), proof.values.concat());
        Self { round, model_cid, commitment_x, commitment_y, cid, salt, range_points, range_values }
    }

    /// The range proof; `None` when its bytes are not whole words.
    pub fn range_proof(&self) -> Option<RangeProofWords> {
        let words = |bytes: &[u8]| match bytes.as_chunks::<32>() {
            (words, []) => Some(words.to_vec()),
            _ => None,
        };
        Some(RangeProofWords { points: words(&self.range_points)?, values: words(&self.range_values)? })
    }

    /// The commitment; `None` when the words are not a point of the curve.
    pub fn commitment(&self) -> Option<G1Affine> {
        point_from_words(&[self.commitment_x, self.commitment_y]).ok()
    }
}

/// Who served the model file of a settled round: what a trainer attests must not change with a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRecord {
    /// The round that made the model.
    pub round: u64,
    /// True when the payee's file could not be fetched early in the phase.
    pub late: bool,
    /// Address of the account that served the file; empty while nobody has.
    #[serde(with = "hex::serde")]
    source: Vec<u8>,
}

impl ModelRecord {
    /// A record without a source.
    pub fn new(round: u64) -> Self {
        Self { round, ..Self::default() }
    }

    /// The account that served the file; `None` while nobody has.
    pub fn source(&self) -> Option<Address> {
        self.source.as_slice().try_into().ok().map(Address)
    }

    /// Records the account that served the file.
    pub fn set_source(&mut self, source: Address) {
        self.source = source.0.to_vec();
    }
}

/// The folder of one trainer in one project. Only one process at a time can hold it.
#[derive(Debug)]
pub struct StateFolder {
    root: PathBuf,
    /// The open file holds the lock until it is dropped.
    lock: Mutex<File>,
}

impl StateFolder {
    /// Opens the folder; makes it where it is missing, readable by its user alone.
    ///
    /// # Errors
    /// [`TrainerError::File`], and [`TrainerError::StateInUse`] while another process holds it.
    pub fn open(root: &Path) -> Result<Self, TrainerError> {
        Ok(Self { root: root.to_owned(), lock: Mutex::new(make_and_lock(root)?) })
    }

    /// Writes a round: its file first, then the record, each whole or not at all. Deletes files of rounds before the
    /// last one; records stay. Makes the folder again when somebody has deleted it.
    ///
    /// # Errors
    /// [`TrainerError::File`] and [`TrainerError::StateInUse`]. Then nothing may be sent.
    pub fn keep(&self, record: &RoundRecord, file: &[u8]) -> Result<(), TrainerError> {
        self.write(&self.update_path(record.round), file)?;
        let json = serde_json::to_vec_pretty(record).expect("strings and numbers are always written");
        self.write(&self.record_path(record.round), &json)?;
        if let Some(old) = record.round.checked_sub(2) {
            // It may be gone already.
            let _ = fs::remove_file(self.update_path(old));
        }
        Ok(())
    }

    /// True while record and file of a round are both in the folder.
    pub fn holds(&self, round: u64) -> bool {
        self.record_path(round).is_file() && self.update_path(round).is_file()
    }

    /// The record of a round; `None` when the folder has none.
    ///
    /// # Errors
    /// [`TrainerError::File`], and [`TrainerError::Data`] when the record is damaged.
    pub fn record(&self, round: u64) -> Result<Option<RoundRecord>, TrainerError> {
        let path = self.record_path(round);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(TrainerError::file(&path, "be read", error)),
        };
        let damaged = |found: String| TrainerError::Data {
            path: path.clone(),
            found,
            expected: format!("the record of round {round}"),
            remedy: "restore the state folder, or name another with --state and sit this round out",
        };
        let record: RoundRecord = serde_json::from_slice(&text).map_err(|e| damaged(e.to_string()))?;
        if record.round != round || record.commitment().is_none() || record.range_proof().is_none() {
            return Err(damaged(format!("an invalid record of round {}", record.round)));
        }
        Ok(Some(record))
    }

    /// The file of a recorded update; `None` when it is gone or is not the one that was recorded.
    pub fn update_file(&self, record: &RoundRecord) -> Option<Vec<u8>> {
        let file = fs::read(self.update_path(record.round)).ok()?;
        (ContentId::of(&file).digest() == record.cid).then_some(file)
    }

    /// The record of the model file of `round`; an empty one when the folder has none, or that of another round.
    pub fn model_record(&self, round: u64) -> ModelRecord {
        let found =
            fs::read(self.root.join(MODEL_FILE)).ok().and_then(|text| serde_json::from_slice(&text).ok());
        found.filter(|found: &ModelRecord| found.round == round).unwrap_or_else(|| ModelRecord::new(round))
    }

    /// Writes the record of a model file.
    ///
    /// # Errors
    /// [`TrainerError::File`].
    pub fn keep_model_record(&self, record: &ModelRecord) -> Result<(), TrainerError> {
        let json = serde_json::to_vec_pretty(record).expect("strings and numbers are always written");
        self.write(&self.root.join(MODEL_FILE), &json)
    }

    fn record_path(&self, round: u64) -> PathBuf {
        self.root.join(format!("round-{round}.json"))
    }

    fn update_path(&self, round: u64) -> PathBuf {
        self.root.join(format!("round-{round}.safetensors"))
    }

    /// Writes a file whole or not at all, also when the machine loses power: the bytes are on disk before they get the
    /// name.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), TrainerError> {
        self.restore_folder()?;
        let partial = path.with_extension("partial");
        let written = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&partial)
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&partial, path))
            .and_then(|()| File::open(&self.root)?.sync_all());
        written.map_err(|e| TrainerError::file(path, "be written", e))
    }

    /// Makes and locks the folder again when it was deleted: our lock went with it.
    fn restore_folder(&self) -> Result<(), TrainerError> {
        let mut lock: MutexGuard<'_, File> = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.root.join(LOCK_FILE).is_file() {
            *lock = make_and_lock(&self.root)?;
        }
        Ok(())
    }
}

fn make_and_lock(root: &Path) -> Result<File, TrainerError> {
    let failed = |e| TrainerError::file(root, "be made", e);
    fs::DirBuilder::new().recursive(true).mode(0o700).create(root).map_err(failed)?;
    let path = root.join(LOCK_FILE);
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(|e| TrainerError::file(&path, "be opened", e))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(TrainerError::StateInUse { path: root.to_owned() }),
        Err(TryLockError::Error(error)) => Err(TrainerError::file(&path, "be locked", error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn record(round: u64, file: &[u8]) -> RoundRecord {
        let point = fairshare_circuits::ReferenceString::generate_dev(1).commit_update(&[3]).unwrap();
        let proof = RangeProofWords { points: vec![[1; 32], [2; 32]], values: vec![[3; 32]] };
        RoundRecord::new(round, [9; 32], &point, ContentId::of(file).digest(), [7; 32], &proof)
    }

    #[test]
    fn range_proof_comes_back_and_one_that_is_cut_is_damage() {
        let mut record = record(1, b"update");
        let proof = record.range_proof().unwrap();
        assert_eq!((proof.points, proof.values), (vec![[1; 32], [2; 32]], vec![[3; 32]]));
        record.range_values.pop();
        assert_eq!(record.range_proof(), None);
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::open(folder.path()).unwrap();
        state.keep(&record, b"update").unwrap();
        assert!(state.record(1).is_err());
    }

    #[test]
    fn source_of_a_model_file_outlives_the_process_and_belongs_to_one_round() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::open(folder.path()).unwrap();
        assert_eq!(state.model_record(3), ModelRecord::new(3));
        let mut record = ModelRecord { late: true, ..ModelRecord::new(3) };
        record.set_source(Address([7; 20]));
        state.keep_model_record(&record).unwrap();
        drop(state);
        let state = StateFolder::open(folder.path()).unwrap();
        assert_eq!(
            (state.model_record(3).late, state.model_record(3).source()),
            (true, Some(Address([7; 20])))
        );
        assert_eq!(state.model_record(4), ModelRecord::new(4));
        assert_eq!(ModelRecord::new(4).source(), None);
        fs::write(folder.path().join("model.json"), b"{").unwrap();
        assert_eq!(state.model_record(3), ModelRecord::new(3), "lost, and found out again from the chain");
    }

    #[test]
    fn a_round_comes_back_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("a/b");
        let state = StateFolder::open(&root).unwrap();
        assert_eq!(state.record(1).unwrap(), None);
        state.keep(&record(1, b"update"), b"update").unwrap();
        drop(state);
        let state = StateFolder::open(&root).unwrap();
        let found = state.record(1).unwrap().unwrap();
        assert_eq!(found, record(1, b"update"));
        assert_eq!(state.update_file(&found).unwrap(), b"update");
        let mode = |name: &str| fs::metadata(root.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(""), mode("round-1.json"), mode("round-1.safetensors")), (0o700, 0o600, 0o600));
    }

    #[test]
    fn a_file_that_is_not_the_recorded_one_does_not_count_and_a_broken_record_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::open(folder.path()).unwrap();
        state.keep(&record(1, b"update"), b"update").unwrap();
        fs::write(folder.path().join("round-1.safetensors"), b"updatE").unwrap();
        assert_eq!(state.update_file(&record(1, b"update")), None);
        fs::write(folder.path().join("round-1.json"), b"{\"round\": 1").unwrap();
        let error = state.record(1).unwrap_err().to_string();
        assert!(error.contains("round-1.json") && error.contains("--state"), "{error}");
        let mut off_curve = record(2, b"update");
        off_curve.commitment_x[31] ^= 1;
        state.keep(&off_curve, b"update").unwrap();
        assert!(state.record(2).is_err());
    }

    #[test]
    fn old_files_go_and_records_stay() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::open(folder.path()).unwrap();
        for round in 1..=4 {
            state.keep(&record(round, &[round as u8]), &[round as u8]).unwrap();
        }
        let kept: Vec<bool> =
            (1..=4).map(|r| state.update_file(&state.record(r).unwrap().unwrap()).is_some()).collect();
        assert_eq!(kept, [false, false, true, true]);
    }

    #[test]
    fn two_processes_cannot_share_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let first = StateFolder::open(folder.path()).unwrap();
        let second = StateFolder::open(folder.path()).unwrap_err().to_string();
        assert!(second.contains("another process"), "{second}");
        drop(first);
        StateFolder::open(folder.path()).unwrap();
    }
    #[test]
    fn deleted_folder_is_made_and_locked_again_when_a_round_is_written() {
        let parent = tempfile::tempdir().unwrap();
        let root = parent.path().join("state");
        let state = StateFolder::open(&root).unwrap();
        state.keep(&record(1, b"update"), b"update").unwrap();
        assert!(state.holds(1));
        fs::remove_dir_all(&root).unwrap();
        assert!(!state.holds(1) && state.record(1).unwrap().is_none());
        state.keep(&record(1, b"update"), b"update").unwrap();
        assert!(state.holds(1));
        assert_eq!(state.update_file(&record(1, b"update")).unwrap(), b"update");
        assert!(matches!(StateFolder::open(&root), Err(TrainerError::StateInUse { .. })));
    }
}
