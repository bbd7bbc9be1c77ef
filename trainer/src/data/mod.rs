//! Data: the digits, how they are dealt out, and the files that hold a shard.

mod dataset;
mod digits;
mod shard_file;
mod split;

pub use dataset::Dataset;
pub use digits::{digits, DIGITS_CLASSES};
pub use shard_file::{decode_shard, encode_shard, read_shard, write_shard};
pub(crate) use split::normal;
pub use split::{split, Split, SplitPlan, MIN_SHARD};
