//! The next round's learning rate from proved numbers (docs/protocol.md 10). The contract computes the same.

use crate::bounds::ONE;
use serde::{Deserialize, Serialize};

/// A project's schedule. Factors are in `2^-16`, so 65536 is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HyperPolicy {
    /// Learning rate of the first round, millionths.
    pub learning_rate: u32,
    /// Passes over the local data in a round.
    pub local_epochs: u16,
    /// Factor on the learning rate after every settled round, `2^-16`.
    pub decay: u32,
    /// Coherence below which the learning rate shrinks further, `2^-16`.
    pub coherence_floor: u32,
    /// Factor on the learning rate below `coherence_floor`, `2^-16`.
    pub coherence_decay: u32,
    /// The learning rate never goes below this, millionths.
    pub min_learning_rate: u32,
}

impl HyperPolicy {
    /// The learning rate, in millionths, of the round after one that was settled with `learning_rate` and
    /// `coherence`. After a void round nothing changes. A factor above one saturates at `u32::MAX`.
    pub fn next(&self, learning_rate: u32, coherence: u32) -> u32 {
        let mut next = scale(learning_rate, self.decay);
        if coherence < self.coherence_floor {
            next = scale(next, self.coherence_decay);
        }
        next.max(self.min_learning_rate)
    }
}

fn scale(rate: u32, factor: u32) -> u32 {
    u32::try_from(u64::from(rate) * u64::from(factor) / u64::from(ONE)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy() -> HyperPolicy {
        HyperPolicy {
            learning_rate: 100_000,
            local_epochs: 2,
            decay: 62_259,
            coherence_floor: 16_384,
            coherence_decay: 32_768,
            min_learning_rate: 1_000,
        }
    }

    #[test]
    fn coherence_below_the_floor_shrinks_the_rate_once_more() {
        assert_eq!(policy().next(100_000, 16_384), 94_999);
        assert_eq!(policy().next(100_000, 16_383), 47_499);
        assert_eq!(policy().next(1_001, 0), 1_000);
        assert_eq!(policy().next(0, 65_536), 1_000);
    }

    proptest! {
        #[test]
        fn factors_up_to_one_never_raise_the_rate(
            rate: u32, min: u32, coherence in 0u32..=ONE, decay in 0u32..=ONE, floor in 0u32..=ONE,
            further in 0u32..=ONE
        ) {
            let policy = HyperPolicy {
                decay, coherence_floor: floor, coherence_decay: further, min_learning_rate: min, ..policy()
            };
            let next = policy.next(rate, coherence);
            prop_assert!(next >= min && next <= rate.max(min));
        }

        #[test]
        fn any_numbers_give_an_answer(rate: u32, coherence: u32, decay: u32, floor: u32, further: u32) {
            let policy = HyperPolicy { decay, coherence_floor: floor, coherence_decay: further, ..policy() };
            prop_assert!(policy.next(rate, coherence) >= policy.min_learning_rate);
        }
    }
}
