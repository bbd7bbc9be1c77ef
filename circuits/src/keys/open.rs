//! Opening the proving key of a size.

use super::error::KeyError;
use super::file;
use super::generate::generate_dev;
use super::manifest::{digest, proving_key_name};
use super::pinned::PinnedKeys;
use crate::groth16::{CircuitKey, ProvingKey};
use crate::r1cs::R1cs;
use crate::statements::assessment::{AssessmentCircuit, ProverKeys};
use fairshare_protocol::RuleName;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Proving and verifying key of one rule and size, with the constraints of their circuit.
pub struct AssessmentKeys {
    circuit: AssessmentCircuit,
    proving: ProvingKey,
    system: R1cs,
}

impl std::fmt::Debug for AssessmentKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AssessmentKeys").field("circuit", &self.circuit).finish_non_exhaustive()
    }
}

impl AssessmentKeys {
    /// The development keys of a rule for `size` slots: read from `DEV-<rule>-<size>.pk` in `folder`, or generated and
    /// written there if the file is missing or damaged. Several processes may do so at once.
    ///
    /// # Errors
    /// A size without keys, a folder that cannot be written, or keys that are not the pinned ones.
    pub fn open_dev(folder: &Path, rule: RuleName, size: u8) -> Result<Self, KeyError> {
        let circuit = AssessmentCircuit { rule, size };
        let committed = PinnedKeys::try_load()?;
        let pinned = committed.manifest().key(circuit)?.proving_key_sha256.clone();
        let path = folder.join(proving_key_name(circuit));
        let proving = match read(&path, circuit, &pinned)? {
            Some(key) => key,
            None => make(folder, &path, circuit, &pinned)?,
        };
        if committed.verifying_key(rule, size) != Some(&proving.vk) {
            return Err(KeyError::Malformed {
                what: "proving key",
                circuit,
                fault: "its verifying key is not the committed one; run `fairshare-setup pin`".to_owned(),
            });
        }
        Ok(Self { circuit, proving, system: circuit.system()? })
    }

    /// The rule of the circuit.
    pub fn rule(&self) -> RuleName {
        self.circuit.rule
    }

    /// Slots of the circuit.
    pub fn size(&self) -> usize {
        usize::from(self.circuit.size)
    }

    /// Constraints of the circuit.
    pub fn constraints(&self) -> usize {
        self.system.constraints()
    }

    /// The verifying key, equal to the committed one.
    pub fn verifying_key(&self) -> &CircuitKey {
        &self.proving.vk
    }

    /// What a prover needs.
    pub(crate) fn prover(&self) -> ProverKeys<'_> {
        ProverKeys { circuit: self.circuit, proving: &self.proving, system: &self.system }
    }
}

/// The key in the file; `None` if the file is missing or damaged.
fn read(path: &Path, circuit: AssessmentCircuit, pinned: &str) -> Result<Option<ProvingKey>, KeyError> {
    match file::read(path, circuit, pinned) {
        Ok(Ok(key)) => Ok(Some(key)),
        Ok(Err(fault)) => {
            tracing::warn!(path = %path.display(), fault, "DEV proving key is outdated: generating it again");
            Ok(None)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(KeyError::Io { path: path.to_path_buf(), source }),
    }
}

/// Makes the key and writes its file.
fn make(
    folder: &Path,
    path: &Path,
    circuit: AssessmentCircuit,
    pinned: &str,
) -> Result<ProvingKey, KeyError> {
    let io = |path: PathBuf| move |source| KeyError::Io { path, source };
    // Before the work: a folder that cannot be written is known at once.
    std::fs::create_dir_all(folder).map_err(io(folder.to_path_buf()))?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(io(folder.to_path_buf()))?;
    tracing::info!(path = %path.display(), %circuit, "generating the DEV proving key, once");
    let key = generate_dev(circuit)?;
    let bytes = file::encode(circuit, &key)?;
    let found = digest(&bytes);
    if found != pinned {
        return Err(KeyError::Drift { what: "proving key", circuit, found, pinned: pinned.to_owned() });
    }
    // A reader sees the old file or the whole new one; of several writers the last wins, with the same bytes.
    temporary
        .write_all(&bytes)
        .and_then(|()| temporary.as_file().sync_all())
        .map_err(io(path.to_path_buf()))?;
    temporary.persist(path).map_err(|error| io(path.to_path_buf())(error.error))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: RuleName = RuleName::Agreement;

    #[test]
    fn keys_are_made_once_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("new");
        let made = AssessmentKeys::open_dev(&inner, RULE, 8).unwrap();
        let path = inner.join("DEV-agreement-8.pk");
        let written = std::fs::metadata(&path).unwrap().modified().unwrap();
        let read = AssessmentKeys::open_dev(&inner, RULE, 8).unwrap();
        assert_eq!(made.proving, read.proving);
        assert_eq!(std::fs::metadata(&path).unwrap().modified().unwrap(), written, "it was not made again");
        assert_eq!(std::fs::read_dir(&inner).unwrap().count(), 1, "no temporary file stays");
        assert_eq!(PinnedKeys::load().verifying_key(RULE, 8), Some(read.verifying_key()));

        let damages: [fn(&mut Vec<u8>); 3] = [|b| b[300_000] ^= 1, |b| b.truncate(30), |b| b[0] = 0];
        for damage in damages {
            let mut bytes = std::fs::read(&path).unwrap();
            damage(&mut bytes);
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(AssessmentKeys::open_dev(&inner, RULE, 8).unwrap().proving, made.proving);
        }
    }

    #[test]
    fn a_key_of_another_circuit_is_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let key = AssessmentKeys::open_dev(folder.path(), RULE, 8).unwrap();
        let path = folder.path().join("key");
        let sixteen = AssessmentCircuit { rule: RULE, size: 16 };
        let mut bytes = file::encode(sixteen, &key.proving).unwrap();
        let fault = |circuit: AssessmentCircuit, bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            file::read(&path, circuit, &digest(bytes)).unwrap().unwrap_err()
        };
        for other in [
            AssessmentCircuit { size: 8, ..sixteen },
            AssessmentCircuit { rule: RuleName::MultiKrum, ..sixteen },
        ] {
            assert_eq!(fault(other, &bytes), "not of the circuit that its name says");
        }
        assert!(
            fault(sixteen, &[bytes.clone(), vec![0]].concat()).contains("not a proving key"),
            "a byte too many"
        );
        bytes.truncate(60);
        assert_eq!(fault(sixteen, &bytes), "contents are not a proving key");
        assert_eq!(
            file::read(&path, sixteen, &digest(&[])).unwrap().unwrap_err(),
            "contents differ from the pinned digest"
        );
        assert_eq!(fault(sixteen, &bytes[..47]), "shorter than a header");
        assert_eq!(fault(sixteen, &[0; 48]), "not a DEV proving key of this version");
    }

    #[test]
    fn sizes_without_keys_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = AssessmentKeys::open_dev(folder.path(), RULE, 12).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no key for agreement with 12 slots: the circuits have [8, 16, 32, 64, 128] slots"
        );
    }

    #[test]
    fn a_folder_that_is_a_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let occupied = folder.path().join("occupied");
        std::fs::write(&occupied, "x").unwrap();
        let error = AssessmentKeys::open_dev(&occupied, RULE, 8).unwrap_err();
        assert!(error.to_string().contains("occupied"), "{error}");
    }

    #[test]
    fn makers_at_the_same_time_do_not_disturb_each_other() {
        let folder = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            let makers: Vec<_> = (0..3)
                .map(|_| scope.spawn(|| AssessmentKeys::open_dev(folder.path(), RULE, 8).unwrap()))
                .collect();
            let keys: Vec<_> = makers.into_iter().map(|maker| maker.join().unwrap()).collect();
            assert!(keys.windows(2).all(|pair| pair[0].proving == pair[1].proving));
        });
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
