//! Data: the digits, how they are dealt out, and the files that hold a shard.

mod dataset;
mod digits;
mod shard_file;
mod split;

pub use dataset::{Dataset, FeatureRange};
pub use digits::{digits, DIGITS_CLASSES};
pub use shard_file::{decode_shard, encode_shard, read_shard, write_shard};
pub use split::{split, Split, SplitPlan, MIN_SHARD};
