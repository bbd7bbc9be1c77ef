//! Reference strings in the data folder: made or imported once, found again, a larger one serving a smaller need.

use super::check::{check_key, check_powers};
use super::error::SrsError;
use super::file::{self, Header, ReadFault};
use super::key::{KzgKey, Progress, MAX_LOG2, MIN_LOG2};
use super::ptau;
use super::srs::ReferenceString;
use ark_bn254::G1Affine;
use ark_ec::AffineRepr;
use fairshare_protocol::DIMENSION_LIMIT;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The folder of keys and reference strings: `FAIRSHARE_DATA`, else the user's own data folder.
pub fn default_data_folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("FAIRSHARE_DATA").filter(|folder| !folder.is_empty()) {
        return PathBuf::from(folder);
    }
    directories::ProjectDirs::from("", "", "fairshare")
        .map_or_else(|| PathBuf::from(".fairshare"), |dirs| dirs.data_dir().to_path_buf())
}

/// What to import.
#[derive(Debug, Clone)]
pub struct Import<'a> {
    /// The `.ptau` file.
    pub file: &'a Path,
    /// Name of the string: lower case letters, digits, hyphens.
    pub name: &'a str,
    /// At most `2^max_log2` points are taken.
    pub max_log2: u32,
    /// sha256 that the file must have, where its publisher names one.
    pub sha256: Option<[u8; 32]>,
}

/// A reference string in the data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StringFile {
    /// Its file.
    pub path: PathBuf,
    /// The development string, whose secret is public.
    pub dev: bool,
    /// Powers in G1.
    pub points: usize,
    /// Bytes of the file.
    pub bytes: u64,
    /// sha256 of the header, which holds the digests of all points.
    pub digest: [u8; 32],
    /// sha256 of the `.ptau` file it came from.
    pub source: Option<[u8; 32]>,
}

/// What a file of the data folder is, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataKind {
    /// A reference string.
    ReferenceString,
    /// A Groth16 key.
    ProvingKey,
    /// Something else.
    Other,
}

/// A file of the data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// The file.
    pub path: PathBuf,
    /// Its kind, by its name.
    pub kind: DataKind,
    /// Its size.
    pub bytes: u64,
}

impl ReferenceString {
    /// The development string for models of `dimension` parameters, from `folder`: the first powers of the smallest
    /// `DEV-srs-<log2>.bin` that has enough, else made and written there. A damaged file is left out with a
    /// warning, and made again where it is the one of the right size. Several processes may do so at once.
    ///
    /// # Errors
    /// A dimension out of range, or a folder that cannot be written.
    pub fn open_dev(folder: &Path, dimension: usize) -> Result<Self, SrsError> {
        Self::open_dev_with(folder, dimension, &|_, _, _| {})
    }

    /// [`Self::open_dev`], telling how far it is.
    ///
    /// # Errors
    /// As there.
    pub fn open_dev_with(folder: &Path, dimension: usize, progress: Progress) -> Result<Self, SrsError> {
        let log2 = log2_for(dimension)?;
        let key = KzgKey::dev();
        for size in log2..=MAX_LOG2 {
            let path = dev_path(folder, size);
            let fault = match file::read(&path, 1 << log2, progress) {
                Ok((header, g1)) => match dev_fault(&header, &g1, 1 << size, &key) {
                    None => return Ok(Self { g1, g2: key.g2 }),
                    Some(fault) => fault.to_owned(),
                },
                Err(ReadFault::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(ReadFault::Io(source)) => return Err(SrsError::Io { path, source }),
                Err(ReadFault::Damaged(fault)) => fault,
            };
            tracing::warn!(path = %path.display(), fault, "DEV reference string is damaged: generating it again");
        }
        let path = dev_path(folder, log2);
        let io = |source| SrsError::Io { path: path.clone(), source };
        tracing::info!(path = %path.display(), points = 1u64 << log2, "making the DEV reference string");
        // Before the work: a folder that cannot be written is known at once.
        std::fs::create_dir_all(folder).map_err(io)?;
        let made = Self::generate_dev_with(1 << log2, progress);
        file::write(&path, folder, None, &made.g1, &made.g2, progress).map_err(io)?;
        Ok(made)
    }

    /// The string that was imported under `name`, its first powers for models of `dimension` parameters.
    ///
    /// # Errors
    /// No such string, too short a one, or a damaged one: it must be imported again.
    pub fn open_imported(
        folder: &Path,
        name: &str,
        dimension: usize,
        progress: Progress,
    ) -> Result<Self, SrsError> {
        let path = imported_path(folder, name)?;
        let (header, g1) = read(&path, 1 << log2_for(dimension)?, progress)?;
        if header.points < dimension {
            return Err(SrsError::TooLong { entries: dimension, points: header.points });
        }
        let key = KzgKey { x1: g1[1], g2: header.g2 };
        if header.dev || g1[0] != G1Affine::generator() || check_key(&key).is_err() {
            return Err(damaged(&path, "its points are not the powers of an imported string"));
        }
        Ok(Self { g1, g2: header.g2 })
    }

    /// Imports a `.ptau` file as `srs-<name>.bin`, every check passed (docs/keys.md).
    ///
    /// # Errors
    /// An invalid name or one that another string has, a file that is refused, a folder that cannot be written.
    pub fn import_ptau(
        folder: &Path,
        import: &Import<'_>,
        progress: Progress,
    ) -> Result<StringFile, SrsError> {
        let path = imported_path(folder, import.name)?;
        let max_log2 = import.max_log2.clamp(MIN_LOG2, MAX_LOG2);
        let powers = File::open(import.file)
            .map_err(ptau::PtauError::Io)
            .and_then(|mut file| ptau::read(&mut file, max_log2, import.sha256, progress))
            .map_err(|source| SrsError::Ptau { path: import.file.to_path_buf(), source: Box::new(source) })?;
        // A name belongs to one secret: the same string may be imported again, also a longer one, another string may
        // not.
        if let Ok(there) = file::read_header(&path) {
            if there.g2 != powers.g2 {
                return Err(SrsError::NameTaken { name: import.name.to_owned(), path });
            }
        }
        let io = |source| SrsError::Io { path: path.clone(), source };
        std::fs::create_dir_all(folder).map_err(io)?;
        file::write(&path, folder, Some(powers.source), &powers.g1, &powers.g2, progress).map_err(io)?;
        describe_string(&path)
    }
}

/// What a string's file says about itself, its header checked, its points not.
///
/// # Errors
/// A file that cannot be read, or is no reference string.
pub fn describe_string(path: &Path) -> Result<StringFile, SrsError> {
    let header = file::read_header(path).map_err(|fault| refused(path, fault))?;
    let bytes =
        std::fs::metadata(path).map_err(|source| SrsError::Io { path: path.to_path_buf(), source })?.len();
    Ok(StringFile {
        path: path.to_path_buf(),
        dev: header.dev,
        points: header.points,
        bytes,
        digest: header.digest,
        source: (!header.dev).then_some(header.source),
    })
}

/// Every check of a string's file: digests, curve, and that its points are the consecutive powers of one secret, which
/// for a file named DEV is the known one and for others is not.
///
/// # Errors
/// The check that fails.
pub fn verify_string(path: &Path, progress: Progress) -> Result<StringFile, SrsError> {
    let described = describe_string(path)?;
    let (header, g1) = read(path, described.points, progress)?;
    progress("checking that the points are consecutive powers", 0, g1.len());
    check_powers(&g1, &header.g2).map_err(|fault| damaged(path, &fault.to_string()))?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let dev_key = g1[1] == KzgKey::dev().x1;
    if dev_key != header.dev || name.starts_with("DEV-") != header.dev {
        return Err(damaged(
            path,
            "its name, its kind and its secret do not agree on whether it is a DEV string",
        ));
    }
    Ok(described)
}

/// The files of a data folder, by name; none where there is no folder.
///
/// # Errors
/// A folder that cannot be read.
pub fn data_files(folder: &Path) -> Result<Vec<DataFile>, SrsError> {
    let io = |source| SrsError::Io { path: folder.to_path_buf(), source };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        Err(error) => return Err(io(error)),
    };
    let mut files = vec![];
    for entry in entries {
        let entry = entry.map_err(io)?;
        let metadata = entry.metadata().map_err(io)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = match name.rsplit_once('.') {
            Some((stem, "bin")) if stem.starts_with("DEV-srs-") || stem.starts_with("srs-") => {
                DataKind::ReferenceString
            }
            Some((_, "pk")) => DataKind::ProvingKey,
            _ => DataKind::Other,
        };
        if metadata.is_file() {
            files.push(DataFile { path: entry.path(), kind, bytes: metadata.len() });
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn read(path: &Path, wanted: usize, progress: Progress) -> Result<(Header, Vec<G1Affine>), SrsError> {
    file::read(path, wanted, progress).map_err(|fault| refused(path, fault))
}

fn refused(path: &Path, fault: ReadFault) -> SrsError {
    match fault {
        ReadFault::Io(source) => SrsError::Io { path: path.to_path_buf(), source },
        ReadFault::Damaged(fault) => damaged(path, &fault),
    }
}

fn damaged(path: &Path, fault: &str) -> SrsError {
    SrsError::Damaged { path: path.to_path_buf(), fault: fault.to_owned() }
}

/// What makes a checked file no development string of its size.
fn dev_fault(header: &Header, g1: &[G1Affine], points: usize, key: &KzgKey) -> Option<&'static str> {
    if !header.dev {
        Some("it is no DEV string")
    } else if header.points != points {
        Some("it is not of the size that its name says")
    } else if header.g2 != key.g2 || g1.first() != Some(&G1Affine::generator()) || g1.get(1) != Some(&key.x1)
    {
        Some("it is made from another secret")
    } else {
        None
    }
}

fn log2_for(dimension: usize) -> Result<u32, SrsError> {
    if dimension == 0 || dimension >= DIMENSION_LIMIT as usize {
        return Err(SrsError::Dimension { dimension, max: DIMENSION_LIMIT as usize });
    }
    Ok(dimension.next_power_of_two().trailing_zeros().max(MIN_LOG2))
}

fn dev_path(folder: &Path, log2: u32) -> PathBuf {
    folder.join(format!("DEV-srs-{log2}.bin"))
}

fn imported_path(folder: &Path, name: &str) -> Result<PathBuf, SrsError> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 40 || !name.chars().all(good) {
        return Err(SrsError::Name { name: name.to_owned() });
    }
    Ok(folder.join(format!("srs-{name}.bin")))
}
