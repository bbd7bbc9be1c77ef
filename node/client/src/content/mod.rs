//! Content on IPFS through Kubo's RPC, which Kubo and the embedded node both serve.

mod error;
mod id;
mod store;

pub use error::ContentError;
pub use id::{ContentId, CHUNK};
pub use store::ContentStore;
