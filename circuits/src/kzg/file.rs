//! A reference string as a file that can be read in part:
//!
//! ```text
//! magic and version, kind   32     "fairshare reference string 2 DEV", or "... 2    " for an imported one
//! points                     8     little endian, a power of two
//! source                    32     sha256 of the `.ptau` file; zeros for the development string
//! [1]_2, [x]_2, [x^2]_2     3*128
//! digests                   32 each, sha256 of every 4096 points
//! digest of all above       32
//! points                    64 each, in the layout of `points.rs`
//! ```
//!
//! What is read is checked: the header against its digest, every piece of 4096 points against the header's, every point
//! to be on the curve. A larger string serves a smaller need by its first pieces, and the rest is not read. At no time
//! is more in memory than the points themselves and a buffer of four megabytes.

use ark_bn254::{G1Affine, G2Affine};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::key::{Progress, MAX_LOG2, MIN_LOG2};
use super::points::{self, PointFault};

const DEV_MAGIC: &[u8; 32] = b"fairshare reference string 2 DEV";
const IMPORTED_MAGIC: &[u8; 32] = b"fairshare reference string 2    ";
/// Bytes before the digests.
const FIXED: usize = 32 + 8 + 32 + 3 * points::G2;
const DIGEST: usize = 32;
/// Points under one digest.
pub(super) const PIECE: usize = 4096;
/// Pieces that are read or written at a time.
const BATCH: usize = 16;

/// Why a file could not be read as a reference string.
#[derive(Debug)]
pub(super) enum ReadFault {
    Io(io::Error),
    /// What is wrong with its contents, in words.
    Damaged(String),
}

impl From<io::Error> for ReadFault {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            Self::Damaged("it ends too early".to_owned())
        } else {
            Self::Io(error)
        }
    }
}

fn damaged<T>(fault: &str) -> Result<T, ReadFault> {
    Err(ReadFault::Damaged(fault.to_owned()))
}

/// What a file says about itself, its own digest checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) dev: bool,
    pub(super) points: usize,
    pub(super) source: [u8; 32],
    pub(super) g2: [G2Affine; 3],
    pieces: Vec<[u8; DIGEST]>,
    /// Of all above; it stands for the whole file.
    pub(super) digest: [u8; DIGEST],
}

impl Header {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![0; FIXED];
        bytes[..32].copy_from_slice(if self.dev { DEV_MAGIC } else { IMPORTED_MAGIC });
        bytes[32..40].copy_from_slice(&(self.points as u64).to_le_bytes());
        bytes[40..72].copy_from_slice(&self.source);
        for (to, point) in bytes[72..].chunks_exact_mut(points::G2).zip(&self.g2) {
            points::put_g2(to, point);
        }
        bytes.extend(self.pieces.as_flattened());
        bytes
    }

    /// Reads the header and leaves `file` before the points. Nothing is allocated for a size that the file does not
    /// have.
    fn read(file: &mut File) -> Result<Self, ReadFault> {
        let length = file.metadata()?.len();
        let mut fixed = [0; FIXED];
        file.read_exact(&mut fixed)?;
        let dev = fixed[..32] == DEV_MAGIC[..];
        if !dev && fixed[..32] != IMPORTED_MAGIC[..] {
            return damaged("it is no reference string of this version");
        }
        let mut word = [0; 8];
        word.copy_from_slice(&fixed[32..40]);
        let claimed = u64::from_le_bytes(word);
        if !claimed.is_power_of_two() || !(MIN_LOG2..=MAX_LOG2).contains(&claimed.trailing_zeros()) {
            return damaged("its number of points is not a power of two from 2^6 to 2^22");
        }
        let points = claimed as usize;
        let pieces = points.div_ceil(PIECE);
        let expected = FIXED + (pieces + 1) * DIGEST + points * points::G1;
        if length != expected as u64 {
            return damaged("its length is not that of its number of points");
        }
        let mut digests = vec![0; (pieces + 1) * DIGEST];
        file.read_exact(&mut digests)?;
        let (digests, digest) = digests.split_at(pieces * DIGEST);
        let found = Sha256::new_with_prefix(fixed).chain_update(digests).finalize();
        if found[..] != *digest {
            return damaged("its header differs from its digest");
        }
        let mut g2 = [G2Affine::default(); 3];
        for (point, bytes) in g2.iter_mut().zip(fixed[72..].as_chunks::<{ points::G2 }>().0) {
            *point =
                points::g2(bytes).map_err(|fault| ReadFault::Damaged(format!("a point of G2 {fault}")))?;
        }
        let mut source = [0; 32];
        source.copy_from_slice(&fixed[40..72]);
        Ok(Self { dev, points, source, g2, pieces: digests.as_chunks().0.to_vec(), digest: found.into() })
    }
}

/// The header of a file, without its points.
pub(super) fn read_header(path: &Path) -> Result<Header, ReadFault> {
    Header::read(&mut File::open(path)?)
}

/// The first `wanted` points of a file (all, if it has fewer), and its header.
pub(super) fn read(
    path: &Path,
    wanted: usize,
    progress: Progress,
) -> Result<(Header, Vec<G1Affine>), ReadFault> {
    let mut file = File::open(path)?;
    let header = Header::read(&mut file)?;
    // Whole pieces: a digest is of a whole piece.
    let count = wanted.next_multiple_of(PIECE).min(header.points);
    let mut read = read_points(&mut file, count, progress, |index, piece| {
        header.pieces.get(index).is_some_and(|digest| Sha256::digest(piece)[..] == digest[..])
    })
    .map_err(|fault| match fault {
        PointsFault::Io(error) => error.into(),
        PointsFault::Digest(piece) => {
            ReadFault::Damaged(format!("points {} and on differ from their digest", piece * PIECE))
        }
        PointsFault::Point(at, fault) => ReadFault::Damaged(format!("point {at} {fault}")),
    })?;
    read.truncate(wanted);
    Ok((header, read))
}

/// Why points could not be read.
pub(super) enum PointsFault {
    Io(io::Error),
    /// The piece that was refused.
    Digest(usize),
    /// The position of the point, and its fault.
    Point(usize, PointFault),
}

/// Reads `count` points of G1, a batch at a time, each checked to be on the curve; `accept` judges the bytes of a
/// piece.
pub(super) fn read_points(
    from: &mut impl Read,
    count: usize,
    progress: Progress,
    accept: impl Fn(usize, &[u8]) -> bool + Sync,
) -> Result<Vec<G1Affine>, PointsFault> {
    let mut read = Vec::with_capacity(count);
    let mut buffer = vec![0; BATCH.min(count.div_ceil(PIECE)) * PIECE * points::G1];
    while read.len() < count {
        let (done, length) = (read.len(), (count - read.len()).min(BATCH * PIECE));
        let bytes = &mut buffer[..length * points::G1];
        from.read_exact(bytes).map_err(PointsFault::Io)?;
        let refused = bytes
            .par_chunks(PIECE * points::G1)
            .enumerate()
            .find_first(|(piece, bytes)| !accept(done / PIECE + piece, bytes));
        if let Some((piece, _)) = refused {
            return Err(PointsFault::Digest(done / PIECE + piece));
        }
        read.resize(done + length, G1Affine::default());
        let into = &mut read[done..];
        into.par_iter_mut()
            .zip(bytes.as_chunks::<{ points::G1 }>().0)
            .with_min_len(256)
            .enumerate()
            .try_for_each(|(at, (point, bytes))| match points::g1(bytes) {
                Ok(read) => {
                    *point = read;
                    Ok(())
                }
                Err(fault) => Err(PointsFault::Point(done + at, fault)),
            })?;
        progress("reading the reference string", read.len(), count);
    }
    Ok(read)
}

/// Writes a string, so that a reader sees the old file or the whole new one; of several writers the last wins.
pub(super) fn write(
    path: &Path,
    folder: &Path,
    source: Option<[u8; 32]>,
    g1: &[G1Affine],
    g2: &[G2Affine; 3],
    progress: Progress,
) -> io::Result<[u8; 32]> {
    let mut header = Header {
        dev: source.is_none(),
        points: g1.len(),
        source: source.unwrap_or_default(),
        g2: *g2,
        pieces: vec![[0; DIGEST]; g1.len().div_ceil(PIECE)],
        digest: [0; DIGEST],
    };
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.seek(SeekFrom::Start((header.bytes().len() + DIGEST) as u64))?;
    let mut buffer = vec![0; BATCH * PIECE * points::G1];
    for (batch, points) in g1.chunks(BATCH * PIECE).enumerate() {
        let bytes = &mut buffer[..points.len() * points::G1];
        bytes
            .par_chunks_mut(PIECE * points::G1)
            .zip(points.par_chunks(PIECE))
            .zip(&mut header.pieces[batch * BATCH..])
            .for_each(|((bytes, points), digest)| {
                for (to, point) in bytes.chunks_exact_mut(points::G1).zip(points) {
                    points::put_g1(to, point);
                }
                *digest = Sha256::digest(bytes).into();
            });
        file.write_all(bytes)?;
        progress("writing the reference string", batch * BATCH * PIECE + points.len(), g1.len());
    }
    let bytes = header.bytes();
    let digest: [u8; 32] = Sha256::digest(&bytes).into();
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&bytes)?;
    file.write_all(&digest)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(digest)
}
