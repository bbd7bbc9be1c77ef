//! Reads a `.ptau` file, the powers of tau as snarkjs keeps them (bn128):
//!
//! ```text
//! "ptau", version 1, number of sections     4 bytes each
//! then sections: type (4), length (8), contents; of these we use
//!   1  bytes of a coordinate (4), the base field's order (32), power p (4), the ceremony's power (4)
//!   2  [x^i]_1, i = 0 .. 2^(p+1) - 2        64 bytes each
//!   3  [x^i]_2, i = 0 .. 2^p - 1            128 bytes each
//! ```
//!
//! all little endian, coordinates in Montgomery form. Every size is checked against the power and the file's length
//! before anything is allocated. Of the points those are checked that are used, all of them: the first `n` powers in G1
//! and three in G2. Whether the file's contributions were made as it says is not for this reader: `snarkjs powersoftau
//! verify` tells.

use ark_bn254::{Fq, G1Affine, G2Affine};
use ark_ff::{BigInteger, PrimeField};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::check::{check_powers, PowersFault};
use super::file::{read_points, PointsFault};
use super::key::{KzgKey, Progress, MIN_LOG2};
use super::points::{self, PointFault};

/// More sections than this no version of the format has.
const MAX_SECTIONS: u32 = 64;
/// The largest power that the format's own tool makes.
const MAX_POWER: u32 = 28;
const HEADER_SECTION: u64 = 4 + 32 + 4 + 4;

/// Why a `.ptau` file is refused.
#[derive(Debug, thiserror::Error)]
pub enum PtauError {
    /// It does not begin as one.
    #[error("not a .ptau file: it begins with {0:02x?}, expected \"ptau\"")]
    Magic([u8; 4]),
    /// Another version.
    #[error("version {0} of the format, expected 1")]
    Version(u32),
    /// More sections than any version has.
    #[error("it claims {0} sections, expected at most 64")]
    Sections(u32),
    /// A section reaches beyond the end of the file.
    #[error("section {section} claims {claimed} bytes, but only {left} are left: the file is cut short")]
    CutShort {
        /// Its type.
        section: u32,
        /// Its length by its own word.
        claimed: u64,
        /// Bytes to the end of the file.
        left: u64,
    },
    /// The file ends in the middle of a word.
    #[error("it ends in the middle of its table of sections")]
    Ends,
    /// Something lies behind the last section.
    #[error("{0} bytes lie behind its last section")]
    Trailing(u64),
    /// A section that must be there once.
    #[error("section {0} is missing")]
    Missing(u32),
    /// A section twice.
    #[error("section {0} is there twice")]
    Twice(u32),
    /// A section whose length does not follow from the power.
    #[error("section {section} has {found} bytes; a power of {power} asks for {expected}")]
    SectionLength {
        /// Its type.
        section: u32,
        /// Its length.
        found: u64,
        /// What the power asks for.
        expected: u64,
        /// The power.
        power: u32,
    },
    /// The header section has another length than the format gives it.
    #[error("its header section has {0} bytes, expected 44")]
    HeaderLength(u64),
    /// Another curve.
    #[error("its curve is not bn128 (BN254): the base field has another order")]
    Field,
    /// A power that we cannot use.
    #[error("its power is {power}, expected {MIN_LOG2} to 28, not above the ceremony's {ceremony}")]
    Power {
        /// The power.
        power: u32,
        /// The ceremony's power.
        ceremony: u32,
    },
    /// A power in G1 that is no point.
    #[error("[x^{0}]_1 {1}")]
    G1(usize, PointFault),
    /// A power in G2 that is no point of the group.
    #[error("[x^{0}]_2 {1}")]
    G2(usize, PointFault),
    /// Points, but not the powers of a secret.
    #[error("{0}")]
    Powers(#[from] PowersFault),
    /// The development string's secret.
    #[error("its secret is the one of the DEV string, which is public")]
    DevSecret,
    /// Another file than was asked for.
    #[error("its sha256 is {found}, expected {expected}")]
    Digest {
        /// Of the file.
        found: String,
        /// Asked for.
        expected: String,
    },
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// What a `.ptau` file holds for us, every check passed.
#[derive(Debug)]
pub(super) struct Powers {
    pub(super) g1: Vec<G1Affine>,
    pub(super) g2: [G2Affine; 3],
    /// sha256 of the file.
    pub(super) source: [u8; 32],
}

/// Reads the first `2^max_log2` powers, or as many as the file has (a power of two).
pub(super) fn read(
    file: &mut File,
    max_log2: u32,
    expected: Option<[u8; 32]>,
    progress: Progress,
) -> Result<Powers, PtauError> {
    let length = file.metadata()?.len();
    let table = Table::read(file, length)?;
    let power = read_header(file, &table)?;
    let [tau_g1, tau_g2] = [2, 3].map(|section| table.section(section));
    let (tau_g1, tau_g2) = (tau_g1?, tau_g2?);
    table.check_lengths(power)?;

    let source = digest(file, length, progress)?;
    if let Some(expected) = expected.filter(|expected| *expected != source) {
        return Err(PtauError::Digest { found: hex::encode(source), expected: hex::encode(expected) });
    }

    file.seek(SeekFrom::Start(tau_g2.start))?;
    let mut bytes = [0; 3 * points::G2];
    file.read_exact(&mut bytes)?;
    let mut g2 = [G2Affine::default(); 3];
    for (at, (point, bytes)) in g2.iter_mut().zip(bytes.as_chunks::<{ points::G2 }>().0).enumerate() {
        *point = points::g2(bytes).map_err(|fault| PtauError::G2(at, fault))?;
    }
    file.seek(SeekFrom::Start(tau_g1.start))?;
    let count = 1usize << power.min(max_log2);
    let g1 = read_points(file, count, progress, |_, _| true).map_err(|fault| match fault {
        PointsFault::Point(at, fault) => PtauError::G1(at, fault),
        PointsFault::Io(error) => PtauError::Io(error),
        PointsFault::Digest(_) => PtauError::Ends, // nothing is refused by digest here
    })?;
    progress("checking that the points are consecutive powers", 0, count);
    check_powers(&g1, &g2)?;
    if g1[1] == KzgKey::dev().x1 {
        return Err(PtauError::DevSecret);
    }
    Ok(Powers { g1, g2, source })
}

#[derive(Debug, Clone, Copy)]
struct Section {
    kind: u32,
    start: u64,
    length: u64,
}

/// Where the sections lie; all within the file, and nothing behind them.
struct Table(Vec<Section>);

impl Table {
    fn read(file: &mut File, length: u64) -> Result<Self, PtauError> {
        let mut magic = [0; 4];
        word(file, &mut magic)?;
        if &magic != b"ptau" {
            return Err(PtauError::Magic(magic));
        }
        let version = u32_word(file)?;
        if version != 1 {
            return Err(PtauError::Version(version));
        }
        let count = u32_word(file)?;
        if count > MAX_SECTIONS {
            return Err(PtauError::Sections(count));
        }
        let mut sections: Vec<Section> = Vec::new();
        let mut at = 12;
        for _ in 0..count {
            let kind = u32_word(file)?;
            let mut claimed = [0; 8];
            word(file, &mut claimed)?;
            let claimed = u64::from_le_bytes(claimed);
            at += 12;
            let left = length.saturating_sub(at);
            if claimed > left {
                return Err(PtauError::CutShort { section: kind, claimed, left });
            }
            if sections.iter().any(|section| section.kind == kind) {
                return Err(PtauError::Twice(kind));
            }
            sections.push(Section { kind, start: at, length: claimed });
            at += claimed;
            file.seek(SeekFrom::Start(at))?;
        }
        if at < length {
            return Err(PtauError::Trailing(length - at));
        }
        Ok(Self(sections))
    }

    fn section(&self, kind: u32) -> Result<Section, PtauError> {
        self.0.iter().find(|section| section.kind == kind).copied().ok_or(PtauError::Missing(kind))
    }

    /// The points of all four groups, where they are there, by the power; `[beta]_2` is one point.
    fn check_lengths(&self, power: u32) -> Result<(), PtauError> {
        let (n, g1, g2) = (1u64 << power, points::G1 as u64, points::G2 as u64);
        let lengths = [(2, (2 * n - 1) * g1), (3, n * g2), (4, n * g1), (5, n * g1), (6, g2)];
        for (kind, expected) in lengths {
            if let Some(section) = self.0.iter().find(|s| s.kind == kind && s.length != expected) {
                return Err(PtauError::SectionLength {
                    section: kind,
                    found: section.length,
                    expected,
                    power,
                });
            }
        }
        Ok(())
    }
}

/// The power, after the curve and the range have been checked.
fn read_header(file: &mut File, table: &Table) -> Result<u32, PtauError> {
    let section = table.section(1)?;
    if section.length != HEADER_SECTION {
        return Err(PtauError::HeaderLength(section.length));
    }
    file.seek(SeekFrom::Start(section.start))?;
    let width = u32_word(file)?;
    let mut order = [0; 32];
    word(file, &mut order)?;
    if width != 32 || order[..] != Fq::MODULUS.to_bytes_le()[..] {
        return Err(PtauError::Field);
    }
    let (power, ceremony) = (u32_word(file)?, u32_word(file)?);
    if !(MIN_LOG2..=MAX_POWER).contains(&power) || power > ceremony {
        return Err(PtauError::Power { power, ceremony });
    }
    Ok(power)
}

fn digest(file: &mut File, length: u64, progress: Progress) -> io::Result<[u8; 32]> {
    file.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let (mut hash, mut buffer, mut done) = (Sha256::new(), vec![0; 1 << 20], 0usize);
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            return Ok(hash.finalize().into());
        }
        hash.update(&buffer[..read]);
        done += read;
        progress("reading the .ptau file for its sha256", done, length as usize);
    }
}

fn word(file: &mut File, bytes: &mut [u8]) -> Result<(), PtauError> {
    file.read_exact(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => PtauError::Ends,
        _ => PtauError::Io(error),
    })
}

fn u32_word(file: &mut File) -> Result<u32, PtauError> {
    let mut bytes = [0; 4];
    word(file, &mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}
