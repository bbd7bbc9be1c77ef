//! The domain of Fairshare, pure: no input or output, no clock, no torch.
//!
//! ```text
//! specification -> terms of a project        tensors  -> update and model files
//! quantise      -> float <-> fixed point      gram     -> inner products of a round's updates
//! rules         -> who is kept, what it earns transcript -> the challenges that bind a proof
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod amount;
mod fixed_point;
mod gram;
mod hyper;
mod model;
mod packed;
mod quantise;
mod rules;
mod specification;
mod tensors;
mod transcript;

pub use amount::{Amount, AmountError, Decimal, Wei};
pub use fixed_point::{isqrt, lower_median, trimmed_sum};
pub use gram::{GramError, GramMatrix, MAX_DIMENSION, MAX_ENTRY, MAX_SLOTS};
pub use hyper::HyperPolicy;
pub use model::{Model, ModelError, Parameter, DIMENSION_LIMIT};
pub use packed::{element17, pack17, packed_words, unpack17, PackError, ELEMENTS_PER_WORD, ELEMENT_BITS};
pub use quantise::{
    apply_step, model_to_f32, quantise_update, Quantised, MAX_SCALE_LOG2, MODEL_FRACTION_BITS,
};
pub use rules::{
    assess, coherence, AgreementDetail, AgreementPolicy, Assessment, Detail, MultiKrumDetail,
    MultiKrumPolicy, Policy, RuleError, RulePolicy, AGREEMENT_RULE, MAX_BYZANTINE, MAX_THETA, MAX_TRIM,
    MIN_ACTIVE, MULTI_KRUM_RULE,
};
pub use specification::{
    Currency, Participation, Periods, Quantisation, Reward, Rule, RuleName, Specification,
    SpecificationError, TokenAddress, Training, CIRCUIT_SIZES, ONE,
};
pub use tensors::{
    decode_export, decode_model, decode_update, encode_export, encode_model, encode_update, encoded_len,
    FileKind, TensorError, MAX_HEADER,
};
pub use transcript::{absorb, u128_from_word, word_from_address, word_from_label, word_from_u128, Word};
