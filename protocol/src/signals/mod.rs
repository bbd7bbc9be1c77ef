//! Signals: what an update adds beyond what everybody knows already, and pay by their running sums.
//!
//! The steps of the global model are public. An update in their span needs no data, so it deserves no pay: every rule
//! here measures only what is orthogonal to that span. The integers are chosen so that a circuit can repeat them: every
//! division is a floor with its remainder, every square root a floor.
//!
//! ```text
//! products -> inner products of updates, references and public steps
//! public_span -> the projection off the public steps, exact in integers
//! reference, agreement -> a round's signals, kept slots and weights
//! running -> signals summed over rounds, and the pay that follows
//! ```
//!
//! No circuit proves these rules yet and no project can name them; `fairshare-study` measures them.

mod agreement;
mod policy;
mod products;
mod public_span;
mod reference;
mod round;
mod running;

pub use agreement::{signals_by_agreement, Strictness};
pub use policy::SignalPolicy;
pub use products::RoundProducts;
pub use public_span::PublicSpan;
pub use reference::signals_by_reference;
pub use round::RoundSignals;
pub use running::{RunningSignals, MAX_MEMORY};
