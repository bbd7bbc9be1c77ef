//! The folder of an aggregator's model files. It only saves time: everything in it can be made again from chain and
//! IPFS.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::AggregatorError;

/// The folder of an aggregator's model files.
#[derive(Clone, Debug)]
pub struct StateFolder {
    root: PathBuf,
}

impl StateFolder {
    /// Opens the folder; makes it where it is missing.
    ///
    /// # Errors
    /// [`AggregatorError::State`].
    pub fn open(root: &Path) -> Result<Self, AggregatorError> {
        let models = root.join("models");
        fs::create_dir_all(&models).map_err(failed(&models))?;
        Ok(Self { root: root.to_owned() })
    }

    fn model_path(&self, cid: &[u8; 32]) -> PathBuf {
        self.root.join("models").join(format!("{}.safetensors", hex::encode(cid)))
    }

    /// The model file whose CID has this digest, which the caller must check against its commitment.
    pub fn model(&self, cid: &[u8; 32]) -> Option<Vec<u8>> {
        fs::read(self.model_path(cid)).ok()
    }

    /// Writes a model file and deletes all others but `previous`.
    ///
    /// # Errors
    /// [`AggregatorError::State`].
    pub fn keep_model(
        &self,
        cid: &[u8; 32],
        file: &[u8],
        previous: &[u8; 32],
    ) -> Result<(), AggregatorError> {
        let path = self.model_path(cid);
        self.write(&path, file)?;
        let keep = [path, self.model_path(previous)];
        let folder = self.root.join("models");
        for entry in fs::read_dir(&folder).map_err(failed(&folder))?.flatten() {
            let other = entry.path();
            if other.extension().is_some_and(|e| e == "safetensors") && !keep.contains(&other) {
                fs::remove_file(&other).map_err(failed(&other))?;
            }
        }
        Ok(())
    }

    /// Writes a file whole or not at all, also when the process is killed in between.
    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), AggregatorError> {
        let partial = path.with_extension("partial");
        fs::write(&partial, bytes).map_err(failed(&partial))?;
        fs::rename(&partial, path).map_err(failed(path))
    }
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> AggregatorError + '_ {
    move |source| AggregatorError::State { path: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_model_and_the_one_before_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateFolder::open(folder.path()).unwrap();
        for n in 1..=4u8 {
            state.keep_model(&[n; 32], &[n], &[n - 1; 32]).unwrap();
        }
        assert_eq!([1, 2, 3, 4].map(|n| state.model(&[n; 32])), [None, None, Some(vec![3]), Some(vec![4])]);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, b"x").unwrap();
        let error = StateFolder::open(&file).unwrap_err().to_string();
        assert!(error.contains(&file.display().to_string()), "{error}");
    }
}
