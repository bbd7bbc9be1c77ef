//! The domain of Fairshare, pure: no input or output, no clock, no torch.
//!
//! ```text
//! specification -> terms of a project         tensors    -> update and model files
//! quantise      -> float <-> fixed point      gram       -> inner products of a round's updates
//! rules         -> kept slots, shares, step   transcript -> the challenges that bind a proof
//! bounds        -> limits that all crates and contracts share
//! ```
//!
//! A round of three updates, of which the second is twice as long as the first and therefore clipped:
//!
//! ```
//! use fairshare_protocol::{assess, AgreementPolicy, GramMatrix, ProjectPolicy, SlotMask};
//!
//! let updates: [&[i16]; 3] = [&[3, 4], &[6, 8], &[0, 5]];
//! let gram = GramMatrix::compute(&updates.map(Some))?;
//! let policy = ProjectPolicy::Agreement(AgreementPolicy { theta: 32, trim: 52 }).for_round(3);
//! let outcome = assess(&gram, SlotMask::lowest(3), policy)?;
//! assert_eq!(outcome.kept, SlotMask::lowest(3));
//! assert_eq!(outcome.shares, [22_685, 22_685, 20_164]);
//! assert_eq!(outcome.weights, [22_685, 11_342, 20_164]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod address;
mod amount;
pub mod bounds;
mod digest;
mod fixed_point;
mod gram;
mod hyper;
mod model;
mod money;
mod packed;
mod phase;
mod quantise;
mod rules;
mod signals;
mod slot_mask;
mod specification;
mod tensors;
mod transcript;

pub use address::{Address, AddressError};
pub use amount::{Amount, AmountError, Decimal};
pub use bounds::{DIMENSION_LIMIT, MAX_BYZANTINE, MAX_ENTRY, MAX_SLOTS, MIN_ACTIVE, ONE, SLOT_SIZES};
pub use digest::{Digest, DigestError};
pub use fixed_point::{isqrt, lower_median, trimmed_sum};
pub use gram::{GramError, GramMatrix};
pub use hyper::HyperPolicy;
pub use model::{Model, ModelError, Parameter};
pub use money::{Currency, Money, MoneyError};
pub use packed::{element17, pack17, packed_words, unpack17, PackError, ELEMENTS_PER_WORD, ELEMENT_BITS};
pub use phase::{Phase, PhaseError};
pub use quantise::{apply_step, model_to_f32, quantise_update, Quantised, MODEL_FRACTION_BITS};
pub use rules::{
    assess, coherence, AgreementDetail, AgreementPolicy, Assessment, Detail, MultiKrumDetail,
    MultiKrumPolicy, ProjectPolicy, RoundPolicy, RuleError, RuleName, RuleNameError, AGREEMENT_RULE,
    MULTI_KRUM_RULE,
};
pub use signals::{
    signals_by_agreement, signals_by_reference, PublicSpan, RoundProducts, RoundSignals, RunningSignals,
    SignalPolicy, Strictness, MAX_MEMORY,
};
pub use slot_mask::{SlotMask, SlotMaskError};
pub use specification::{
    CurrencyConfig, Participation, Periods, Quantisation, Reward, RuleConfig, Specification,
    SpecificationError, Training,
};
pub use tensors::{
    decode_export, decode_model, decode_update, encode_export, encode_model, encode_update, encoded_len,
    FileKind, TensorError, MAX_HEADER,
};
pub use transcript::{absorb, u128_from_word, word_from_address, word_from_label, word_from_u128, Word};
