//! HOSTILE, for tests and the demo only: trainers and aggregators that cheat.
//!
//! They are programs of their own, on top of the libraries of the honest ones, and differ from those in nothing but
//! their deed. A crate of its own, and neither a cargo feature nor a module of `fairshare-tests`, for two reasons:
//! cargo unifies features over a workspace, so that one build for everything would put hostile code into the honest
//! programs; and the trainers link libtorch, which the demo and the market tests need not.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod behaviour;
mod copycat;
mod field_elements;

pub use behaviour::Behaviour;
pub use copycat::copy;
