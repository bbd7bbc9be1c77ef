//! A status for the tests of the service loop.

use fairshare_protocol::Phase;

use crate::chain::Status;

/// The first round in Commit, at block 1; a test sets what it is about.
pub(super) fn status() -> Status {
    Status {
        phase: Phase::Commit,
        round: 1,
        deadline: 0,
        now: 0,
        block: 1,
        block_hash: [0; 32],
        settled: 0,
        voids: 0,
        trainers: vec![],
        learning_rate: 1,
        local_epochs: 1,
        model: Default::default(),
        model_cid: [0; 32],
        bond_placed: true,
        escrow: 0,
    }
}
