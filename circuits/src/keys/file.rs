//! A proving key as a file: a header that says what it is, then its points.

use super::manifest::digest;
use super::KeyError;
use ark_bn254::Bn254;
use ark_groth16::ProvingKey;
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};

/// First bytes of a file: format and version, then the kind of key.
const MAGIC: &[u8; 32] = b"fairshare proving key 1 DEV     ";
/// Magic, slots (eight bytes, little endian).
const HEADER: usize = 32 + 8;

/// The bytes of a key's file. Equal keys give equal bytes.
pub(super) fn encode(size: u8, key: &ProvingKey<Bn254>) -> Result<Vec<u8>, KeyError> {
    let mut bytes = Vec::with_capacity(HEADER + key.uncompressed_size());
    bytes.extend(MAGIC);
    bytes.extend(u64::from(size).to_le_bytes());
    key.serialize_uncompressed(&mut bytes).map_err(|error| KeyError::Malformed {
        what: "proving key",
        size,
        fault: error.to_string(),
    })?;
    Ok(bytes)
}

/// The key of a file whose sha256 is the pinned one; the fault in words otherwise.
///
/// The points are not checked again: whoever pinned the digest made them, and no other bytes get this far.
pub(super) fn decode(size: u8, bytes: &[u8], pinned: &str) -> Result<ProvingKey<Bn254>, &'static str> {
    let (header, body) = bytes.split_at_checked(HEADER).ok_or("shorter than a header")?;
    if header[..32] != MAGIC[..] {
        return Err("not a DEV proving key of this version");
    }
    if header[32..] != u64::from(size).to_le_bytes() {
        return Err("not of the size that its name says");
    }
    if digest(bytes) != pinned {
        return Err("contents differ from the pinned digest");
    }
    ProvingKey::deserialize_uncompressed_unchecked(body).map_err(|_| "contents are no proving key")
}
