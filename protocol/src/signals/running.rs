//! Signals summed over rounds, and the pay that follows from them.

use crate::slot_mask::SlotMask;

/// The greatest memory, in 256ths: then a running signal stays below `2^16 * 16`, 21 bits.
pub const MAX_MEMORY: u8 = 240;

/// The running signal of every account: `Q' = floor(memory Q / 256) + q` in every settled round. Accounts keep their
/// places over all rounds, which slots do not: those are the order of one round's commitments.
///
/// A round without news then pays those whose data made the model what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningSignals {
    memory: u8,
    running: Vec<u32>,
}

impl RunningSignals {
    /// No signal yet of any of `accounts` accounts. `memory` is in 256ths, at most [`MAX_MEMORY`], which takes its place when
    /// it is greater.
    pub fn new(accounts: usize, memory: u8) -> Self {
        Self { memory: memory.min(MAX_MEMORY), running: vec![0; accounts] }
    }

    /// Adds a settled round's signals, each up to `2^16`, one an account, 0 for who took no part.
    ///
    /// # Panics
    /// When there is not one signal for every account: the others would not fade.
    pub fn add(&mut self, signals: &[u32]) {
        assert_eq!(signals.len(), self.running.len(), "one signal for every account");
        for (running, signal) in self.running.iter_mut().zip(signals) {
            *running = *running * u32::from(self.memory) / 256 + signal;
        }
    }

    /// The running signals in `2^-16`.
    pub fn values(&self) -> &[u32] {
        &self.running
    }

    /// Divides a round's reward among the accounts that share in it: `floor(reward Q_i / sum Q)`. Nothing is paid while
    /// the sum is 0.
    ///
    /// # Panics
    /// When `reward` is `2^96` or more, which no specification admits.
    pub fn pay(&self, reward: u128, sharing: SlotMask) -> Vec<u128> {
        assert!(reward < 1 << 96, "a reward is below 2^96");
        let counted = |i: usize| if sharing.contains(i) { u128::from(self.running[i]) } else { 0 };
        let total: u128 = (0..self.running.len()).map(counted).sum();
        (0..self.running.len()).map(|i| (reward * counted(i)).checked_div(total).unwrap_or(0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn signals_fade_by_the_memory_and_divide_the_reward() {
        let mut running = RunningSignals::new(3, 128);
        assert_eq!(running.pay(1_000, SlotMask::ALL), [0, 0, 0]);
        running.add(&[100, 300, 0]);
        assert_eq!(running.pay(1_000, SlotMask::ALL), [250, 750, 0]);
        running.add(&[0, 0, 150]);
        assert_eq!(running.values(), [50, 150, 150]);
        assert_eq!(running.pay(700, SlotMask::ALL), [100, 300, 300]);
        assert_eq!(running.pay(800, SlotMask::from_slots([0usize, 1])), [200, 600, 0]);
    }

    proptest! {
        #[test]
        fn running_signals_keep_to_21_bits_and_pay_never_exceeds_the_reward(
            rounds in prop::collection::vec(prop::collection::vec(0u32..=65_536, 5), 1..60),
            memory: u8, reward in 0u128..1 << 96, sharing in 0u128..32,
        ) {
            let mut running = RunningSignals::new(5, memory);
            for signals in &rounds {
                running.add(signals);
                prop_assert!(running.values().iter().all(|q| *q < 1 << 21));
                let paid: u128 = running.pay(reward, SlotMask::from_bits(sharing)).iter().sum();
                prop_assert!(paid <= reward);
            }
        }
    }
}
