//! Gadgets: each file holds a native function, its constraints, and tests that both agree.
//!
//! A gadget takes the prover's claim (a bit, a quotient, an order) as an argument and constrains it; it never trusts
//! it.

pub(crate) mod builder;
pub(crate) mod comparison;
pub(crate) mod division;
pub(crate) mod lookup;
pub(crate) mod order_statistic;
pub(crate) mod packing;
pub(crate) mod range;
pub(crate) mod square_root;
pub(crate) mod system;
pub(crate) mod trimmed_sum;

pub(crate) use builder::Builder;
pub(crate) use system::System;
