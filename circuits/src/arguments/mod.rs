//! Arguments over committed polynomials: what binds the updates' commitments to their Gram matrix.

pub(crate) mod form;
pub(crate) mod gram;
pub(crate) mod opening;

pub use form::{
    form_transcript_states, prove_form, prove_form_unchecked, verify_form, FormError, FormProof,
    FormProofWords, FormStatement, FormTable, FormWitness,
};
pub use gram::GramArgument;
