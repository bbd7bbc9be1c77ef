//! The domain of Fairshare, pure: no input or output, no clock, no torch.
//!
//! ```text
//! specification -> terms of a project        tensors  -> update and model files
//! quantise      -> float <-> fixed point      gram     -> inner products of a round's updates
//! rules         -> who is kept, what it earns transcript -> the challenges that bind a proof
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]
