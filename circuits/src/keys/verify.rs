//! Checks a proving key in the data folder against the manifest of this build.

use super::circuits::key_circuits;
use super::error::KeyError;
use super::file::file_digest;
use super::manifest::proving_key_name;
use super::pinned::PinnedKeys;
use std::path::Path;

/// Checks a proving key's file against the manifest, by its name and its sha256. Gives the rule and the slots of its
/// circuit.
///
/// # Errors
/// A file that cannot be read, a name that no pinned key has, or another digest than the pinned one.
pub fn verify_proving_key(path: &Path) -> Result<(String, u8), KeyError> {
    let committed = PinnedKeys::try_load()?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let circuit = key_circuits().find(|circuit| proving_key_name(*circuit) == name);
    let circuit = circuit.ok_or_else(|| KeyError::NotPinned { path: path.to_path_buf() })?;
    let pinned = committed.manifest().key(circuit)?;
    let found = file_digest(path).map_err(|source| KeyError::Io { path: path.to_path_buf(), source })?;
    if found != pinned.proving_key_sha256 {
        let pinned = pinned.proving_key_sha256.clone();
        return Err(KeyError::Refused { path: path.to_path_buf(), found, pinned });
    }
    Ok((pinned.rule.clone(), pinned.size))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::AssessmentKeys;
    use fairshare_protocol::RuleName;

    #[test]
    fn only_the_pinned_key_under_its_own_name_is_accepted() {
        let folder = tempfile::tempdir().unwrap();
        AssessmentKeys::open_dev(folder.path(), RuleName::Agreement, 8).unwrap();
        let path = folder.path().join("DEV-agreement-8.pk");
        assert_eq!(verify_proving_key(&path).unwrap(), ("agreement".to_owned(), 8));
        let other_name = folder.path().join("agreement-8.pk");
        std::fs::copy(&path, &other_name).unwrap();
        assert!(matches!(verify_proving_key(&other_name), Err(KeyError::NotPinned { .. })));
        let other_size = folder.path().join("DEV-agreement-16.pk");
        std::fs::copy(&path, &other_size).unwrap();
        assert!(matches!(verify_proving_key(&other_size), Err(KeyError::Refused { .. })));
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.push(0);
        std::fs::write(&path, bytes).unwrap();
        let error = verify_proving_key(&path).unwrap_err().to_string();
        assert!(error.contains("DEV-agreement-8.pk") && error.contains("pinned"), "{error}");
        assert!(matches!(
            verify_proving_key(&folder.path().join("DEV-agreement-64.pk")),
            Err(KeyError::Io { .. })
        ));
    }
}
