//! The rule "multi-krum" over a bound Gram matrix: witness and circuit.

mod circuit;
mod widths;
mod witness;

#[cfg(test)]
mod cheats;
#[cfg(test)]
mod equivalence;

pub(crate) use witness::MultiKrumWitness;
