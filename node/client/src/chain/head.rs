//! The latest block.

use ethers::types::{H256, U256};

/// The latest block.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Head {
    pub(super) number: u64,
    /// Unix seconds.
    pub(super) timestamp: u64,
    pub(super) hash: H256,
    /// Wei for a unit of gas; 0 on a chain without base fees.
    pub(super) base_fee: U256,
}
