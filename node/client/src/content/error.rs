//! Why content could not be had or put.

/// Every message names the address or the CID, and what to do where something can be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// The address is not one of an IPFS RPC.
    #[error(
        "{api:?} is not the address of an IPFS RPC ({reason}); expected one such as http://127.0.0.1:5001"
    )]
    BadAddress {
        /// What was given.
        api: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody answers.
    #[error("no IPFS node answers at {api} ({reason}): start one (`fairshare devnet`, `fairshare ipfs serve` or `ipfs daemon`) or name another with --ipfs")]
    Unreachable {
        /// The RPC's address.
        api: String,
        /// What the connection failed with.
        reason: String,
    },
    /// The node did not answer in time; a CID that nobody provides looks like this.
    #[error("{what}: no answer from {api} within {seconds} s (nobody may provide it; a longer wait: --ipfs-timeout)")]
    Timeout {
        /// What was asked, with its CID.
        what: String,
        /// The RPC's address.
        api: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The node answered with an error.
    #[error("{what}: the IPFS node at {api} refused: {reason}")]
    Refused {
        /// What was asked, with its CID.
        what: String,
        /// The RPC's address.
        api: String,
        /// The node's words.
        reason: String,
    },
    /// The content is longer than it may be; reading stopped there.
    #[error("{cid} has more than {limit} bytes, which is all that it may have")]
    TooLarge {
        /// Whose content.
        cid: String,
        /// Bytes that were allowed.
        limit: usize,
    },
    /// The bytes that the node gave are not those of the CID.
    #[error("the node at {api} gave {length} bytes for {cid} that are the content of {actual}")]
    WrongBytes {
        /// The RPC's address.
        api: String,
        /// What was asked for.
        cid: String,
        /// What was given.
        actual: String,
        /// How many bytes were given.
        length: usize,
    },
    /// The node gave another CID to our bytes than the one that the protocol pins.
    #[error("the node at {api} named our content {actual}; expected {expected} (CID version 1, sha2-256, raw leaves, chunks of 256 KiB)")]
    WrongName {
        /// The RPC's address.
        api: String,
        /// The CID of the bytes.
        expected: String,
        /// The node's answer.
        actual: String,
    },
    /// Not a CID that the protocol uses.
    #[error("{text:?} is not a CID of this protocol ({reason}); expected version 1, sha2-256, raw or dag-pb, such as bafkrei..")]
    BadCid {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl ContentError {
    /// True when the node, not the content, is at fault, so that the same question may be answered later.
    pub fn is_node_fault(&self) -> bool {
        matches!(self, Self::BadAddress { .. } | Self::Unreachable { .. })
    }
}
