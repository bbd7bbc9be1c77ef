//! Files of reference strings and `.ptau` files, changed at random: no panic, no memory beyond what the file has, and
//! nothing is taken for a string that is not the one it was.

use super::srs_tests::{snarkjs_files, QUIET};
use super::*;
use crate::fuzzing::{assert_memory_bounded, changes, mutate};
use proptest::prelude::*;
use std::sync::OnceLock;

fn string_file() -> &'static (ReferenceString, Vec<u8>) {
    static FILE: OnceLock<(ReferenceString, Vec<u8>)> = OnceLock::new();
    FILE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let string = ReferenceString::open_dev(folder.path(), 64).unwrap();
        (string, std::fs::read(folder.path().join("DEV-srs-6.bin")).unwrap())
    })
}

proptest! {
    #[test]
    fn fuzz_string_files(changes in changes()) {
        let (good, valid) = string_file();
        let mut bytes = valid.clone();
        mutate(&mut bytes, &changes);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("DEV-srs-6.bin");
        std::fs::write(&path, &bytes).unwrap();
        let verified = assert_memory_bounded(|| verify_string(&path, QUIET));
        prop_assert_eq!(verified.is_ok(), bytes == *valid, "{:?}", verified);
        // Opened, it is mended.
        prop_assert_eq!(&ReferenceString::open_dev(folder.path(), 64).unwrap().g1, &good.g1);
        prop_assert_eq!(&std::fs::read(&path).unwrap(), valid);
    }

    #[test]
    fn fuzz_ptau_files(changes in changes()) {
        let valid = &snarkjs_files()[1];
        let mut bytes = valid.clone();
        mutate(&mut bytes, &changes);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("given.ptau");
        std::fs::write(&file, &bytes).unwrap();
        let import = |name| Import { file: &file, name, max_log2: 22, sha256: None };
        let imported = assert_memory_bounded(|| ReferenceString::import_ptau(folder.path(), &import("x"), QUIET));
        if imported.is_ok() {
            // The change is in a part that we do not read: the string is the true one.
            let string = ReferenceString::open_imported(folder.path(), "x", 64, QUIET).unwrap();
            std::fs::write(&file, valid).unwrap();
            ReferenceString::import_ptau(folder.path(), &import("y"), QUIET).unwrap();
            let true_one = ReferenceString::open_imported(folder.path(), "y", 64, QUIET).unwrap();
            prop_assert_eq!((string.g1, string.g2), (true_one.g1, true_one.g2));
        }
    }
}
