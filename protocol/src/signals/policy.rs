//! The terms that a project fixes for its signals.

/// The numbers of a rule over signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalPolicy {
    /// A signal below this many 256ths of the median signal is 0.
    pub theta: u16,
    /// A signal below this is 0, in `2^-16`. A round whose median signal is below it has no outliers.
    pub floor: u32,
    /// Updates are clipped to the lower median of the norms, and never to more than this: otherwise half of the
    /// trainers could scale up together.
    pub norm_ceiling: u64,
}

impl Default for SignalPolicy {
    /// An eighth of the median; a cosine of 0.04; no ceiling.
    fn default() -> Self {
        Self { theta: 32, floor: 2_621, norm_ceiling: u64::MAX }
    }
}
