//! The trainer's service: one loop that looks where the project stands and does what is due.
//!
//! It never waits inside a step. A step that fails for a reason that may pass (chain or IPFS down) is tried again, with
//! growing pauses, for as long as the chain shows its phase open; so the chain alone decides what is still possible,
//! and a process that was killed goes on from what chain and state folder hold. While a commitment may wait for its
//! reveal, no answer makes it give up: only the chain's next phase or round does.

mod attest;
mod commit;
mod fault;
mod files;
mod last_model;
mod look;
mod model;
mod reveal;
mod run;
mod seat;
mod stage;
mod step;

pub use run::{Service, ServiceOptions};
