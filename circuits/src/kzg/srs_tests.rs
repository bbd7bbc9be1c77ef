//! Files of reference strings: made once, found again, mended, imported; every damage by its name.

use super::file::PIECE;
use super::key::dev_secret;
use super::srs::BATCH;
use super::*;
use ark_bn254::{Bn254, G1Projective};
use ark_ec::pairing::Pairing;
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::Field;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::OnceLock;

pub(super) const QUIET: Progress<'static> = &|_, _, _| {};

#[test]
fn the_string_is_a_string_of_powers() {
    let srs = ReferenceString::generate_dev(64);
    for pair in srs.g1.windows(2) {
        assert_eq!(Bn254::pairing(pair[1], srs.g2[0]), Bn254::pairing(pair[0], srs.g2[1]));
    }
    assert_eq!(Bn254::pairing(srs.g1[2], srs.g2[0]), Bn254::pairing(srs.g1[0], srs.g2[2]));
    assert_eq!(srs.kzg_key(), KzgKey::dev());
}

#[test]
fn batches_join_without_a_seam() {
    let srs = ReferenceString::generate_dev(BATCH + 2);
    let tau = dev_secret();
    for at in [BATCH - 1, BATCH, BATCH + 1] {
        let expected = (G1Projective::generator() * tau.pow([at as u64])).into_affine();
        assert_eq!(srs.g1[at], expected, "power {at}");
    }
    assert_eq!(srs.g1.len(), BATCH + 2);
}

#[test]
fn a_file_is_made_once_and_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("new");
    let made = ReferenceString::open_dev(&inner, 100).unwrap();
    let path = inner.join("DEV-srs-7.bin");
    let written = std::fs::metadata(&path).unwrap().modified().unwrap();
    let read = ReferenceString::open_dev(&inner, 128).unwrap();
    assert_eq!((made.g1.len(), &made.g1), (128, &read.g1));
    assert_eq!(std::fs::metadata(&path).unwrap().modified().unwrap(), written);
    assert_eq!(std::fs::read_dir(&inner).unwrap().count(), 1, "no temporary file stays");
    assert!(matches!(read.powers(129), Err(SrsError::TooLong { entries: 129, points: 128 })));
}

#[test]
fn a_larger_string_serves_a_smaller_need_without_being_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let points = 4 * PIECE;
    let large = ReferenceString::open_dev(folder.path(), points).unwrap();
    let path = folder.path().join("DEV-srs-14.bin");
    // Behind the first piece everything is spoiled: who read it would see it.
    let mut bytes = std::fs::read(&path).unwrap();
    let behind = bytes.len() - (points - PIECE) * points::G1;
    bytes[behind..].fill(7);
    std::fs::write(&path, &bytes).unwrap();
    let read = AtomicUsize::new(0);
    let small = ReferenceString::open_dev_with(folder.path(), 1000, &|_, done, _| {
        read.fetch_max(done, Ordering::Relaxed);
    });
    assert_eq!(small.unwrap().g1, large.g1[..1024]);
    assert_eq!(read.into_inner(), PIECE);
    assert!(!folder.path().join("DEV-srs-10.bin").exists());
    // A string that needs the spoiled part gets its own file.
    let medium = ReferenceString::open_dev(folder.path(), 2 * PIECE).unwrap();
    assert_eq!(medium.g1, large.g1[..2 * PIECE]);
    assert!(folder.path().join("DEV-srs-13.bin").exists());
}

/// A file with the digests made right again after a change.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let points = u64::from_le_bytes(bytes[32..40].try_into().unwrap()) as usize;
    let pieces = points.div_ceil(PIECE);
    let (header, body) = bytes.split_at_mut(456 + (pieces + 1) * 32);
    for (digest, piece) in header[456..].chunks_exact_mut(32).zip(body.chunks(PIECE * points::G1)) {
        digest.copy_from_slice(&Sha256::digest(piece));
    }
    let (above, digest) = header.split_at_mut(456 + pieces * 32);
    digest.copy_from_slice(&Sha256::digest(above));
    bytes
}

#[test]
fn every_damage_is_seen_and_mended() {
    let folder = tempfile::tempdir().unwrap();
    let good = ReferenceString::open_dev(folder.path(), 64).unwrap();
    let path = folder.path().join("DEV-srs-6.bin");
    let bytes = std::fs::read(&path).unwrap();
    let body = bytes.len() - 64 * points::G1;
    let changed = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        bytes
    };
    let with_points = |points: u64| {
        let mut bytes = bytes.clone();
        bytes[32..40].copy_from_slice(&points.to_le_bytes());
        bytes
    };
    let mut rotated = bytes.clone();
    rotated[body..].rotate_left(points::G1);
    let mut swapped = bytes.clone();
    swapped[body + 40 * points::G1..body + 42 * points::G1].rotate_left(points::G1);
    let length = "its length is not that of its number of points";
    for (damaged, fault) in [
        (vec![], "it ends too early"),
        (bytes[..455].to_vec(), "it ends too early"),
        (changed(16), "it is no reference string of this version"),
        (with_points(65), "not a power of two"),
        (with_points(32), "not a power of two"),
        (with_points(1 << 23), "not a power of two"),
        (with_points(1 << 60), "not a power of two"),
        (with_points(1 << 22), length),
        (bytes[..bytes.len() - 1].to_vec(), length),
        ([bytes.clone(), vec![0]].concat(), length),
        (changed(50), "its header differs from its digest"),
        (changed(100), "its header differs from its digest"),
        (changed(460), "its header differs from its digest"),
        (changed(500), "its header differs from its digest"),
        (sealed(changed(72)), "a point of G2 is off the curve"),
        (changed(body + 700), "points 0 and on differ from their digest"),
        (sealed(changed(body + 700)), "point 10 is off the curve"),
        (sealed(rotated), "its first power in G1 is not the generator"),
        (sealed(swapped), "its powers in G1 are not consecutive powers of its secret"),
    ] {
        std::fs::write(&path, &damaged).unwrap();
        let error = verify_string(&path, QUIET).unwrap_err().to_string();
        assert!(error.contains(fault) && error.contains("DEV-srs-6.bin"), "{error}, expected {fault}");
        if !fault.contains("consecutive") {
            assert_eq!(ReferenceString::open_dev(folder.path(), 64).unwrap().g1, good.g1);
            assert_eq!(std::fs::read(&path).unwrap(), bytes, "mended after: {fault}");
        }
    }
    // Two files under each other's name.
    std::fs::write(&path, &bytes).unwrap();
    std::fs::rename(&path, folder.path().join("DEV-srs-7.bin")).unwrap();
    assert_eq!(ReferenceString::open_dev(folder.path(), 128).unwrap().g1.len(), 128);
    assert_eq!(describe_string(&folder.path().join("DEV-srs-7.bin")).unwrap().points, 128);
}

#[test]
fn many_at_once_all_get_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let all: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| ReferenceString::open_dev(folder.path(), 200).unwrap().g1))
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(all.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn wrong_requests_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for dimension in [0, fairshare_protocol::DIMENSION_LIMIT as usize] {
        let error = ReferenceString::open_dev(folder.path(), dimension).unwrap_err();
        assert!(error.to_string().contains(&dimension.to_string()));
    }
    let file = folder.path().join("file");
    std::fs::write(&file, b"x").unwrap();
    let error = ReferenceString::open_dev(&file, 10).unwrap_err();
    assert!(matches!(&error, SrsError::Io { path, .. } if path.starts_with(&file)), "{error}");
    for name in ["", "Upper", "a/b", "..", "a_b", &"a".repeat(41)] {
        let error = ReferenceString::open_imported(folder.path(), name, 10, QUIET).unwrap_err();
        assert!(matches!(error, SrsError::Name { .. }), "{error}");
    }
}

/// The powers of tau of power 7, made by snarkjs: fresh, contributed to, and prepared for phase 2.
pub(super) fn snarkjs_files() -> &'static [Vec<u8>; 3] {
    static FILES: OnceLock<[Vec<u8>; 3]> = OnceLock::new();
    FILES.get_or_init(|| {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts/node_modules/.bin/snarkjs");
        assert!(program.exists(), "{} is missing: run scripts/setup, which installs it", program.display());
        let folder = tempfile::tempdir().unwrap();
        let run = |arguments: &[&str]| {
            let output = Command::new(&program).current_dir(folder.path()).args(arguments).output().unwrap();
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        };
        run(&["powersoftau", "new", "bn128", "7", "new.ptau"]);
        run(&["powersoftau", "contribute", "new.ptau", "one.ptau", "--name=one", "-e=some entropy"]);
        run(&["powersoftau", "prepare", "phase2", "one.ptau", "phase2.ptau"]);
        ["new", "one", "phase2"]
            .map(|name| std::fs::read(folder.path().join(format!("{name}.ptau"))).unwrap())
    })
}

/// What becomes of a `.ptau` file of these bytes.
fn import(folder: &Path, bytes: &[u8], max_log2: u32) -> Result<StringFile, SrsError> {
    let file = folder.join("given.ptau");
    std::fs::write(&file, bytes).unwrap();
    let import = Import { file: &file, name: "test", max_log2, sha256: None };
    ReferenceString::import_ptau(folder, &import, QUIET)
}

fn import_fault(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let error = import(folder.path(), bytes, 22).unwrap_err();
    assert!(!folder.path().join("srs-test.bin").exists(), "nothing is written of what is refused");
    error.to_string()
}

#[test]
fn what_snarkjs_made_is_imported_and_works() {
    let [_, contributed, prepared] = snarkjs_files();
    let folder = tempfile::tempdir().unwrap();
    let imported = import(folder.path(), contributed, 22).unwrap();
    assert_eq!((imported.points, imported.dev), (128, false));
    assert_eq!(imported.source, Some(Sha256::digest(contributed).into()));
    assert_eq!(imported.path, folder.path().join("srs-test.bin"));
    assert_eq!(verify_string(&imported.path, QUIET).unwrap(), imported);

    let string = ReferenceString::open_imported(folder.path(), "test", 100, QUIET).unwrap();
    for pair in string.g1.windows(2) {
        assert_eq!(Bn254::pairing(pair[1], string.g2[0]), Bn254::pairing(pair[0], string.g2[1]));
    }
    assert_ne!(string.kzg_key(), KzgKey::dev());
    assert_eq!(string.commit_update(&[0, 2]).unwrap(), (string.g1[1] + string.g1[1]).into_affine());
    let error = ReferenceString::open_imported(folder.path(), "test", 129, QUIET).unwrap_err();
    assert!(matches!(error, SrsError::TooLong { entries: 129, points: 128 }), "{error}");

    // Prepared for phase 2 it has more sections and the same secret, so it may take the name again; shortened too.
    let again = import(folder.path(), prepared, 6).unwrap();
    assert_eq!(again.points, 64);
    let shorter = ReferenceString::open_imported(folder.path(), "test", 64, QUIET).unwrap();
    assert_eq!(shorter.g1, string.g1[..64]);
    assert_eq!(shorter.g2, string.g2);
    // A damaged string cannot be made again: that is said.
    let mut bytes = std::fs::read(&again.path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&again.path, bytes).unwrap();
    let error = ReferenceString::open_imported(folder.path(), "test", 64, QUIET).unwrap_err().to_string();
    assert!(
        error.contains("differ from their digest") && error.contains("import the string again"),
        "{error}"
    );
}

#[test]
fn a_name_stands_for_one_secret() {
    let folder = tempfile::tempdir().unwrap();
    import(folder.path(), &snarkjs_files()[1], 22).unwrap();
    let path = folder.path().join("srs-test.bin");
    let dev = ReferenceString::generate_dev(64);
    file::write(&path, folder.path(), Some([1; 32]), &dev.g1, &dev.g2, QUIET).unwrap();
    let error = import(folder.path(), &snarkjs_files()[1], 22).unwrap_err();
    assert!(matches!(error, SrsError::NameTaken { .. }), "{error}");
    // And a DEV string under an imported one's name is no sound string.
    let error = verify_string(&path, QUIET).unwrap_err().to_string();
    assert!(error.contains("whether it is a DEV string"), "{error}");
}

#[test]
fn the_digest_that_was_published_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("given.ptau");
    std::fs::write(&file, &snarkjs_files()[1]).unwrap();
    let digest = Sha256::digest(&snarkjs_files()[1]).into();
    let with = |sha256| Import { file: &file, name: "test", max_log2: 22, sha256: Some(sha256) };
    let error = ReferenceString::import_ptau(folder.path(), &with([1; 32]), QUIET).unwrap_err().to_string();
    assert!(error.contains("its sha256 is") && error.contains(&"01".repeat(32)), "{error}");
    ReferenceString::import_ptau(folder.path(), &with(digest), QUIET).unwrap();
}

/// Start and length of a section's contents.
fn section(bytes: &[u8], kind: u32) -> (usize, usize) {
    let mut at = 12;
    while at < bytes.len() {
        let found = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let length = u64::from_le_bytes(bytes[at + 4..at + 12].try_into().unwrap()) as usize;
        if found == kind {
            return (at + 12, length);
        }
        at += 12 + length;
    }
    panic!("no section {kind}")
}

#[test]
fn every_damage_of_a_ptau_file_has_its_message() {
    let [fresh, good, _] = snarkjs_files();
    let (g1, _) = section(good, 2);
    let (g2, _) = section(good, 3);
    let (header, _) = section(good, 1);
    let bent = |at: usize, with: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + with.len()].copy_from_slice(with);
        bytes
    };
    let copied = |from: usize, to: usize, length: usize| bent(to, &good[from..from + length]);
    let word = |value: u32| value.to_le_bytes();
    let mut outside = [0u8; points::G2];
    let point = (1u64..)
        .filter_map(|x| {
            ark_bn254::G2Affine::get_point_from_x_unchecked(ark_bn254::Fq2::new(x.into(), 0u64.into()), false)
        })
        .find(|p| !p.is_in_correct_subgroup_assuming_on_curve())
        .unwrap();
    points::put_g2(&mut outside, &point);
    let longer = |kind: u32, by: i64| {
        let at = section(good, kind).0 - 8;
        let length = u64::from_le_bytes(good[at..at + 8].try_into().unwrap());
        let end = at + 8 + length as usize;
        let mut bytes = bent(at, &length.wrapping_add_signed(by).to_le_bytes());
        if by > 0 {
            bytes.splice(end..end, vec![0; by as usize]);
        } else {
            bytes.drain(end - by.unsigned_abs() as usize..end);
        }
        bytes
    };
    let dev_powers = {
        let dev = ReferenceString::generate_dev(255);
        let mut bytes = good.clone();
        for (to, point) in bytes[g1..].chunks_exact_mut(points::G1).zip(&dev.g1) {
            points::put_g1(to, point);
        }
        for (to, point) in bytes[g2..].chunks_exact_mut(points::G2).zip(&dev.g2) {
            points::put_g2(to, point);
        }
        bytes
    };
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (vec![], "it ends in the middle"),
        (good[..11].to_vec(), "it ends in the middle"),
        (good[..20].to_vec(), "it ends in the middle"),
        (bent(0, b"zkey"), "not a .ptau file"),
        (bent(4, &word(2)), "version 2 of the format, expected 1"),
        (bent(8, &word(u32::MAX)), "it claims 4294967295 sections"),
        (bent(8, &word(3)), "bytes lie behind its last section"),
        (bent(16, &(1u64 << 60).to_le_bytes()), "section 1 claims 1152921504606846976 bytes, but only"),
        (bent(16, &u64::MAX.to_le_bytes()), "section 1 claims 18446744073709551615 bytes"),
        (good[..good.len() - 1].to_vec(), "the file is cut short"),
        ([good.clone(), vec![0; 5]].concat(), "5 bytes lie behind its last section"),
        (bent(g1 - 12, &word(77)), "section 2 is missing"),
        (bent(g2 - 12, &word(77)), "section 3 is missing"),
        (bent(header - 12, &word(77)), "section 1 is missing"),
        (bent(g2 - 12, &word(2)), "section 2 is there twice"),
        (longer(1, 4), "its header section has 48 bytes"),
        (bent(header, &word(31)), "its curve is not bn128"),
        (bent(header + 4, &[1]), "its curve is not bn128"),
        (bent(header + 36, &word(5)), "its power is 5"),
        (bent(header + 36, &word(29)), "its power is 29"),
        (bent(header + 40, &word(6)), "not above the ceremony's 6"),
        (
            bent(header + 36, &[word(8), word(8)].concat()),
            "section 2 has 16320 bytes; a power of 8 asks for 32704",
        ),
        (longer(2, 64), "section 2 has 16384 bytes"),
        (longer(3, -128), "section 3 has 16256 bytes"),
        (longer(4, 64), "section 4 has"),
        (longer(5, 64), "section 5 has"),
        (longer(6, 1), "section 6 has 129 bytes; a power of 7 asks for 128"),
        (bent(g1 + 64 * 9, &[0xff; 32]), "[x^9]_1 has a coordinate that is not below the field's order"),
        (bent(g1 + 64 * 9, &[0; 64]), "[x^9]_1 is infinity"),
        (bent(g1 + 64 * 9, &[1]), "[x^9]_1 is off the curve"),
        (bent(g2 + 128, &[0xff; 32]), "[x^1]_2 has a coordinate"),
        (bent(g2 + 256, &[0; 128]), "[x^2]_2 is infinity"),
        (bent(g2 + 128, &outside), "[x^1]_2 is outside the group"),
        (copied(g1 + 64, g1, 64), "its first power in G1 is not the generator"),
        (copied(g2 + 128, g2, 128), "its first power in G2 is not the generator"),
        (copied(g1 + 128, g1 + 64, 64), "[x]_1 and [x]_2 are not powers of one secret"),
        (copied(g2 + 128, g2 + 256, 128), "[x^2]_2 is not the square of the secret"),
        (copied(g1 + 64 * 40, g1 + 64 * 41, 64), "its powers in G1 are not consecutive"),
        (copied(g1 + 64 * 126, g1 + 64 * 127, 64), "its powers in G1 are not consecutive"),
        (fresh.clone(), "its secret is 1: nobody has contributed"),
        (dev_powers, "the one of the DEV string"),
    ];
    for (bytes, message) in cases {
        let said = import_fault(&bytes);
        assert!(said.contains(message), "{said:?}, expected {message:?}");
    }
    let absent = Import { file: Path::new("/nowhere.ptau"), name: "x", max_log2: 22, sha256: None };
    let error = ReferenceString::import_ptau(Path::new("/nowhere"), &absent, QUIET).unwrap_err().to_string();
    assert!(error.contains("/nowhere.ptau"), "{error}");
}
