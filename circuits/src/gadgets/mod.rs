//! Gadgets: each file holds a native function, its constraints, and tests that both agree.
//!
//! A gadget takes the prover's claim (a bit, a quotient, an order) as an argument and constrains it; it never trusts
//! it.

pub(crate) mod comparison;
pub(crate) mod division;
pub(crate) mod order_statistic;
pub(crate) mod packing;
pub(crate) mod range;
pub(crate) mod square_root;
pub(crate) mod trimmed_sum;
