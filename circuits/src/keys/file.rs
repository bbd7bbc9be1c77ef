//! A proving key as a file: a header with its kind and circuit, then its points.
//!
//! A file is read twice, in pieces: first to compute its digest, then, if that is the pinned one, to parse its points
//! while the digest is computed again. So no other file is ever parsed, and only a buffer is in memory beside the key.

use super::error::KeyError;
use crate::groth16::ProvingKey;
use crate::statements::AssessmentCircuit;
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

/// First bytes of a file: format, version, kind of key.
const MAGIC: &[u8; 32] = b"fairshare proving key 4 DEV     ";
/// Magic, rule id, slots (eight bytes each, little endian).
const HEADER: usize = 32 + 16;
/// Bytes that are read at a time.
const PIECE: usize = 1 << 20;

fn header(circuit: AssessmentCircuit) -> Vec<u8> {
    let numbers = [circuit.rule.id(), circuit.size].map(|number| u64::from(number).to_le_bytes());
    [MAGIC.as_slice(), numbers.as_flattened()].concat()
}

/// The bytes of a key's file. Equal keys give equal bytes.
pub(super) fn encode(circuit: AssessmentCircuit, key: &ProvingKey) -> Result<Vec<u8>, KeyError> {
    let mut bytes = Vec::new();
    bytes.extend(header(circuit));
    key.serialize_uncompressed(&mut bytes).map_err(|error| KeyError::Malformed {
        what: "proving key",
        circuit,
        fault: error.to_string(),
    })?;
    Ok(bytes)
}

/// The key of a file whose sha256 is the pinned one; the fault in words otherwise.
///
/// The points are not checked again: they were generated with the pinned digest, and no other bytes reach this place.
///
/// # Errors
/// The file cannot be read.
pub(super) fn read(
    path: &Path,
    circuit: AssessmentCircuit,
    pinned: &str,
) -> io::Result<Result<ProvingKey, &'static str>> {
    let mut file = File::open(path)?;
    let mut header = Vec::with_capacity(HEADER);
    file.by_ref().take(HEADER as u64).read_to_end(&mut header)?;
    if header.len() < HEADER {
        return Ok(Err("shorter than a header"));
    }
    if header[..32] != MAGIC[..] {
        return Ok(Err("not a DEV proving key of this version"));
    }
    if header != self::header(circuit) {
        return Ok(Err("not of the circuit that its name says"));
    }
    file.rewind()?;
    if digest_of(&mut file)? != pinned {
        return Ok(Err("contents differ from the pinned digest"));
    }
    file.rewind()?;
    let mut reader = BufReader::with_capacity(PIECE, Hashing { file, hash: Sha256::new() });
    reader.read_exact(&mut header)?;
    let key = ProvingKey::deserialize_uncompressed_unchecked(&mut reader);
    let rest = io::copy(&mut reader, &mut io::sink())?;
    if rest > 0 || hex::encode(reader.into_inner().hash.finalize()) != pinned {
        return Ok(Err("contents are not a proving key, or changed while they were read"));
    }
    Ok(key.map_err(|_| "contents are not a proving key"))
}

/// sha256 of a file, as the manifest writes it.
pub(super) fn file_digest(path: &Path) -> io::Result<String> {
    digest_of(&mut File::open(path)?)
}

fn digest_of(file: &mut File) -> io::Result<String> {
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; PIECE]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex::encode(hash.finalize())),
            read => hash.update(&buffer[..read]),
        }
    }
}

/// Takes the digest of all that is read through it.
struct Hashing {
    file: File,
    hash: Sha256,
}

impl Read for Hashing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.hash.update(&buffer[..read]);
        Ok(read)
    }
}
