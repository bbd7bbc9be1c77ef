//! Errors of the content store.

/// Why a request to the content store failed. Every message names the address or the CID, and a remedy where there is one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// The address cannot be that of an IPFS RPC.
    #[error(
        "{api:?} is not the address of an IPFS RPC ({reason}); expected one such as http://127.0.0.1:5001"
    )]
    BadAddress {
        /// The given text.
        api: String,
        /// Why it is refused.
        reason: String,
    },
    /// Nothing listens at the address.
    #[error("no IPFS node answers at {api} ({reason}): start one (`fairshare devnet`, `fairshare ipfs serve` or `ipfs daemon`) or name another with --ipfs")]
    Unreachable {
        /// The RPC's address.
        api: String,
        /// The error of the connection.
        reason: String,
    },
    /// The node did not answer in time, which also happens when no peer provides the content.
    #[error("{what}: no answer from {api} within {seconds} s (perhaps no peer provides it; --ipfs-timeout sets a longer wait)")]
    Timeout {
        /// The request, with its CID.
        what: String,
        /// The RPC's address.
        api: String,
        /// The time limit.
        seconds: u64,
    },
    /// The node answered with an error.
    #[error("{what}: the IPFS node at {api} refused: {reason}")]
    Refused {
        /// The request, with its CID.
        what: String,
        /// The RPC's address.
        api: String,
        /// The node's message.
        reason: String,
    },
    /// The content is longer than allowed; reading stopped at the limit.
    #[error("{cid} has more than the {limit} bytes that are allowed")]
    TooLarge {
        /// The CID.
        cid: String,
        /// Allowed bytes.
        limit: usize,
    },
    /// The node returned other bytes than those of the CID.
    #[error("the node at {api} returned {length} bytes for {cid}; they are the content of {actual}")]
    WrongBytes {
        /// The RPC's address.
        api: String,
        /// The requested CID.
        cid: String,
        /// The given text.
        actual: String,
        /// How many bytes came back.
        length: usize,
    },
    /// The node gave our bytes another CID than the protocol does.
    #[error("the node at {api} named our content {actual}; expected {expected} (CID version 1, sha2-256, raw leaves, chunks of 256 KiB)")]
    WrongName {
        /// The RPC's address.
        api: String,
        /// The CID of the bytes.
        expected: String,
        /// The node's CID.
        actual: String,
    },
    /// Text that is not a CID of the protocol.
    #[error("{text:?} is not a CID of this protocol ({reason}); expected version 1, sha2-256, raw or dag-pb, such as bafkrei..")]
    BadCid {
        /// The given text.
        text: String,
        /// Why it is refused.
        reason: String,
    },
}

impl ContentError {
    /// True when the node, not the content, is at fault: the same request may succeed later.
    pub fn is_node_fault(&self) -> bool {
        matches!(self, Self::BadAddress { .. } | Self::Unreachable { .. })
    }
}
