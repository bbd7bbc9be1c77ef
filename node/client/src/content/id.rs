//! The CID of a file: version 1, in the one form that docs/protocol.md 12 allows.
//!
//! Raw leaves, chunks of 256 KiB, and a balanced tree with at most 174 links per node: the bytes alone determine the CID,
//! so an IPFS node need not be trusted.

use std::fmt;
use std::str::FromStr;

use cid::Cid;
use multihash::Multihash;
use sha2::{Digest, Sha256};

use super::ContentError;

/// Bytes of a chunk. A file up to this length is one raw block.
pub const CHUNK: usize = 256 * 1024;
/// Links of a node of the tree, as IPFS nodes build it.
const LINKS: usize = 174;
const RAW: u64 = 0x55;
const DAG_PB: u64 = 0x70;
const SHA2_256: u64 = 0x12;

/// A CID of version 1 with sha2-256: raw up to [`CHUNK`] bytes, dag-pb above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentId {
    codec: u64,
    digest: [u8; 32],
}

impl ContentId {
    /// The CID with a digest from the chain. `file_len`, the length that the file must have in bytes, decides the codec.
    pub fn from_digest(digest: [u8; 32], file_len: usize) -> Self {
        Self { codec: if file_len <= CHUNK { RAW } else { DAG_PB }, digest }
    }

    /// The CID of one raw block.
    pub fn of_raw(bytes: &[u8]) -> Self {
        Self { codec: RAW, digest: Sha256::digest(bytes).into() }
    }

    /// The CID of a file of any length.
    pub fn of(bytes: &[u8]) -> Self {
        if bytes.len() <= CHUNK {
            return Self::of_raw(bytes);
        }
        let mut level: Vec<Node> = bytes.chunks(CHUNK).map(Node::leaf).collect();
        while level.len() > 1 {
            level = level.chunks(LINKS).map(Node::parent).collect();
        }
        level[0].id
    }

    /// The SHA-256 digest, which goes on chain.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// True when the CID names the bytes themselves rather than the root of a tree.
    pub fn is_raw(&self) -> bool {
        self.codec == RAW
    }

    fn cid(&self) -> Cid {
        let hash = Multihash::wrap(SHA2_256, &self.digest).expect("a digest of 32 bytes fits 64");
        Cid::new_v1(self.codec, hash)
    }
}

impl fmt::Display for ContentId {
    /// Base32, as `ipfs` prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cid())
    }
}

impl FromStr for ContentId {
    type Err = ContentError;

    fn from_str(text: &str) -> Result<Self, ContentError> {
        let bad = |reason: String| ContentError::BadCid { text: text.chars().take(120).collect(), reason };
        let cid: Cid = text.parse().map_err(|e: cid::Error| bad(e.to_string()))?;
        if cid.version() != cid::Version::V1 {
            return Err(bad("version 0".into()));
        }
        if ![RAW, DAG_PB].contains(&cid.codec()) {
            return Err(bad(format!("codec {:#x}", cid.codec())));
        }
        if cid.hash().code() != SHA2_256 {
            return Err(bad(format!("hash function {:#x}", cid.hash().code())));
        }
        let digest =
            cid.hash().digest().try_into().map_err(|_| bad("its digest does not have 32 bytes".into()))?;
        Ok(Self { codec: cid.codec(), digest })
    }
}

/// A node of a file's tree.
struct Node {
    id: ContentId,
    /// Bytes of the file below it.
    file: u64,
    /// Bytes of its own block and of all blocks below it.
    total: u64,
}

impl Node {
    fn leaf(chunk: &[u8]) -> Self {
        let length = chunk.len() as u64;
        Self { id: ContentId::of_raw(chunk), file: length, total: length }
    }

    /// dag-pb: the links first (field 2), then the UnixFS message (field 1).
    fn parent(children: &[Self]) -> Self {
        let file = children.iter().map(|c| c.file).sum();
        let mut data = Vec::new();
        varint_field(&mut data, 1, 2); // type: file
        varint_field(&mut data, 3, file);
        let mut block = Vec::new();
        for child in children {
            varint_field(&mut data, 4, child.file);
            let mut link = Vec::new();
            bytes_field(&mut link, 1, &child.id.cid().to_bytes());
            bytes_field(&mut link, 2, b"");
            varint_field(&mut link, 3, child.total);
            bytes_field(&mut block, 2, &link);
        }
        bytes_field(&mut block, 1, &data);
        let total = block.len() as u64 + children.iter().map(|c| c.total).sum::<u64>();
        Self { id: ContentId { codec: DAG_PB, digest: Sha256::digest(&block).into() }, file, total }
    }
}

fn varint(to: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        to.push(value as u8 | 0x80);
        value >>= 7;
    }
    to.push(value as u8);
}

fn varint_field(to: &mut Vec<u8>, field: u8, value: u64) {
    to.push(field << 3);
    varint(to, value);
}

fn bytes_field(to: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    to.push(field << 3 | 2);
    varint(to, bytes.len() as u64);
    to.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_ones_that_ipfs_gives() {
        // `ipfs add --cid-version=1 --raw-leaves` of nothing and of "hello world\n".
        assert_eq!(
            ContentId::of(b"").to_string(),
            "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
        );
        assert_eq!(
            ContentId::of(b"hello world\n").to_string(),
            "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4"
        );
        assert!(ContentId::of(&vec![0; CHUNK]).is_raw());
        assert!(!ContentId::of(&vec![0; CHUNK + 1]).is_raw());
    }

    #[test]
    fn a_name_is_read_back_and_other_names_are_refused() {
        for bytes in [vec![1u8; 10], vec![2u8; CHUNK + 5]] {
            let id = ContentId::of(&bytes);
            assert_eq!(id.to_string().parse(), Ok(id));
            assert_eq!(ContentId::from_digest(id.digest(), bytes.len()), id);
        }
        for (text, reason) in [
            ("QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG", "version 0"),
            ("bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", "codec 0x71"),
            ("nonsense", ""),
            ("", ""),
        ] {
            let error = text.parse::<ContentId>().unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn a_tree_of_two_levels_has_the_sizes_of_its_leaves() {
        let leaves: Vec<_> = (0..=LINKS).map(|i| Node::leaf(&[i as u8])).collect();
        let level: Vec<_> = leaves.chunks(LINKS).map(Node::parent).collect();
        assert_eq!(level.len(), 2);
        let root = Node::parent(&level);
        assert_eq!(root.file, LINKS as u64 + 1);
        assert!(root.total > level.iter().map(|n| n.total).sum());
    }
}
