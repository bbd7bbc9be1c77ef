//! The reference string: powers of a secret in G1, and three points of G2.
//!
//! The development string comes from a secret that everybody knows, so that anybody can make it again, bit for bit, and
//! nobody can mistake it for a real one: its name and its file say DEV. It is made on first use and kept as a file.

use crate::encoding::{point_from_words, point_words};
use crate::error::SrsError;
use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{scalar_mul::BatchMulPreprocessing, AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::{Field, PrimeField};
use fairshare_protocol::MAX_DIMENSION;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What the secret of the development string is made of.
const DEV_SECRET: &str = "fairshare DEV srs, anybody knows this secret";
/// First bytes of a file: format and version, then the kind of string.
const MAGIC: &[u8; 32] = b"fairshare reference string 1 DEV";
/// Magic, number of points (eight bytes, little endian), sha256 of the body.
const HEADER: usize = 32 + 8 + 32;
/// Two coordinates, big endian.
const POINT: usize = 64;
/// The smallest string that is made, log2.
const MIN_LOG2: u32 = 6;

/// The points that a verifier of openings needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KzgKey {
    /// `[x]_1`.
    pub x1: G1Affine,
    /// `[1]_2, [x]_2, [x^2]_2`.
    pub g2: [G2Affine; 3],
}

impl KzgKey {
    /// The points of the development string, whatever its length.
    pub fn dev() -> Self {
        let tau = dev_secret();
        let g2 = G2Projective::generator();
        Self {
            x1: (G1Projective::generator() * tau).into_affine(),
            g2: [g2, g2 * tau, g2 * tau.square()].map(|p| p.into_affine()),
        }
    }
}

/// `[1]_1, [x]_1, .., [x^D]_1` and the points of G2.
#[derive(Debug, Clone)]
pub struct ReferenceString {
    /// Powers of the secret in G1, a power of two of them.
    pub g1: Vec<G1Affine>,
    /// `[1]_2, [x]_2, [x^2]_2`.
    pub g2: [G2Affine; 3],
}

impl ReferenceString {
    /// The development string for models of `dimension` parameters: read from `DEV-srs-<log2>.bin` in `folder`, made
    /// and written there where it is missing or damaged. Several processes may do so at once.
    ///
    /// # Errors
    /// A dimension out of range, or a folder that cannot be written.
    pub fn open_dev(folder: &Path, dimension: usize) -> Result<Self, SrsError> {
        if dimension == 0 || dimension >= MAX_DIMENSION {
            return Err(SrsError::Dimension { dimension, max: MAX_DIMENSION });
        }
        let log2 = dimension.next_power_of_two().trailing_zeros().max(MIN_LOG2);
        let path = folder.join(format!("DEV-srs-{log2}.bin"));
        let io = |path: &Path| {
            let path = path.to_path_buf();
            move |source| SrsError::Io { path, source }
        };
        let key = KzgKey::dev();
        match std::fs::read(&path) {
            Ok(bytes) => match decode(&bytes, 1 << log2, &key) {
                Ok(g1) => return Ok(Self { g1, g2: key.g2 }),
                Err(fault) => {
                    tracing::warn!(path = %path.display(), fault, "DEV reference string is damaged: making it again");
                }
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                tracing::info!(path = %path.display(), points = 1u64 << log2, "making the DEV reference string");
            }
            Err(error) => return Err(io(&path)(error)),
        }
        let made = Self::generate_dev(1 << log2);
        std::fs::create_dir_all(folder).map_err(io(folder))?;
        // A reader sees the old file or the whole new one; of several writers the last wins, with the same bytes.
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(io(folder))?;
        file.write_all(&encode(&made.g1)).and_then(|()| file.as_file().sync_all()).map_err(io(&path))?;
        file.persist(&path).map_err(|error| io(&path)(error.error))?;
        Ok(made)
    }

    /// The development string with `points` powers, without a file.
    pub fn generate_dev(points: usize) -> Self {
        let tau = dev_secret();
        let powers: Vec<Fr> = std::iter::successors(Some(Fr::ONE), |p| Some(*p * tau)).take(points).collect();
        let table = BatchMulPreprocessing::new(G1Projective::generator(), points.max(1));
        Self { g1: table.batch_mul(&powers), g2: KzgKey::dev().g2 }
    }

    /// What a verifier needs of this string.
    pub fn kzg_key(&self) -> KzgKey {
        KzgKey { x1: self.g1[1], g2: self.g2 }
    }

    /// The first `entries` powers.
    ///
    /// # Errors
    /// More entries than the string has points.
    pub fn powers(&self, entries: usize) -> Result<&[G1Affine], SrsError> {
        self.g1.get(..entries).ok_or(SrsError::TooLong { entries, points: self.g1.len() })
    }
}

/// Where keys and reference strings are kept: `FAIRSHARE_DATA`, else the user's own data folder.
pub fn default_data_folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("FAIRSHARE_DATA").filter(|folder| !folder.is_empty()) {
        return PathBuf::from(folder);
    }
    directories::ProjectDirs::from("", "", "fairshare")
        .map_or_else(|| PathBuf::from(".fairshare"), |dirs| dirs.data_dir().to_path_buf())
}

fn dev_secret() -> Fr {
    Fr::from_be_bytes_mod_order(&Sha256::digest(DEV_SECRET))
}

fn encode(points: &[G1Affine]) -> Vec<u8> {
    let mut bytes = vec![0u8; HEADER + points.len() * POINT];
    let (header, body) = bytes.split_at_mut(HEADER);
    body.par_chunks_exact_mut(POINT).zip(points).for_each(|(bytes, point)| {
        bytes.copy_from_slice(point_words(point).as_flattened());
    });
    header[..32].copy_from_slice(MAGIC);
    header[32..40].copy_from_slice(&(points.len() as u64).to_le_bytes());
    header[40..].copy_from_slice(&Sha256::digest(&*body));
    bytes
}

/// The points of a file after every check; the fault in words otherwise.
fn decode(bytes: &[u8], points: usize, key: &KzgKey) -> Result<Vec<G1Affine>, &'static str> {
    let (header, body) = bytes.split_at_checked(HEADER).ok_or("shorter than a header")?;
    if header[..32] != MAGIC[..] {
        return Err("not a DEV reference string of this version");
    }
    if header[32..40] != (points as u64).to_le_bytes() || body.len() != points * POINT {
        return Err("not of the size that its name says");
    }
    if header[40..] != Sha256::digest(body)[..] {
        return Err("contents differ from their digest");
    }
    let decoded: Result<Vec<G1Affine>, _> = body
        .par_chunks_exact(POINT)
        .map(|bytes| {
            let words: &[[u8; 32]; 2] =
                bytes.as_chunks::<32>().0.try_into().map_err(|_| "a point is cut off")?;
            point_from_words(words).map_err(|_| "a point is off the curve")
        })
        .collect();
    let decoded = decoded?;
    if decoded[0] != G1Affine::generator() || decoded[1] != key.x1 {
        return Err("made from another secret");
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::Bn254;
    use ark_ec::pairing::Pairing;

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
    fn every_damage_is_seen_and_mended() {
        let folder = tempfile::tempdir().unwrap();
        let good = ReferenceString::open_dev(folder.path(), 64).unwrap();
        let path = folder.path().join("DEV-srs-6.bin");
        let bytes = std::fs::read(&path).unwrap();
        let key = KzgKey::dev();
        let changed = |at: usize| {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            bytes
        };
        let sealed = |mut bytes: Vec<u8>| {
            let digest = Sha256::digest(&bytes[HEADER..]);
            bytes[40..HEADER].copy_from_slice(&digest);
            bytes
        };
        let mut other_secret = bytes.clone();
        other_secret[HEADER..].rotate_left(POINT);
        for (damaged, fault) in [
            (vec![], "shorter than a header"),
            (bytes[..HEADER - 1].to_vec(), "shorter than a header"),
            (changed(30), "not a DEV reference string of this version"),
            (changed(32), "not of the size that its name says"),
            (bytes[..bytes.len() - 1].to_vec(), "not of the size that its name says"),
            ([bytes.clone(), vec![0]].concat(), "not of the size that its name says"),
            (changed(50), "contents differ from their digest"),
            (changed(HEADER + 700), "contents differ from their digest"),
            (sealed(changed(HEADER + 700)), "a point is off the curve"),
            (sealed(other_secret), "made from another secret"),
        ] {
            assert_eq!(decode(&damaged, 64, &key).unwrap_err(), fault);
            std::fs::write(&path, damaged).unwrap();
            assert_eq!(ReferenceString::open_dev(folder.path(), 64).unwrap().g1, good.g1);
            assert_eq!(std::fs::read(&path).unwrap(), bytes, "mended after: {fault}");
        }
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
        for dimension in [0, MAX_DIMENSION] {
            let error = ReferenceString::open_dev(folder.path(), dimension).unwrap_err();
            assert!(error.to_string().contains(&dimension.to_string()));
        }
        let file = folder.path().join("file");
        std::fs::write(&file, b"x").unwrap();
        let error = ReferenceString::open_dev(&file, 10).unwrap_err();
        assert!(matches!(&error, SrsError::Io { path, .. } if path.starts_with(&file)), "{error}");
    }
}
