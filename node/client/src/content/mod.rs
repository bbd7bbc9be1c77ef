//! Content on IPFS, over the RPC of Kubo, whoever serves it.

mod error;
mod id;
mod store;

pub use error::ContentError;
pub use id::{ContentId, CHUNK};
pub use store::ContentStore;
