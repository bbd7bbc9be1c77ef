//! Sets of slots: slot `i` is bit `i` (docs/protocol.md 12.2).

use std::fmt;
use std::ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, BitXor, BitXorAssign, Not, Sub};
use std::str::FromStr;

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};

use crate::bounds::MAX_SLOTS;

/// A set of the slots `0 .. 128` of a round. Slots are `u8` or `usize`. Written as hexadecimal digits: `0x1f`.
///
/// ```
/// use fairshare_protocol::SlotMask;
///
/// let mut active = SlotMask::from_slots([0usize, 2, 3]);
/// active.insert(7usize);
/// assert!(active.contains(2usize) && !active.contains(1usize));
/// assert_eq!(active.iter().collect::<Vec<u8>>(), [0, 2, 3, 7]);
/// assert_eq!((active & SlotMask::lowest(3)).to_string(), "0x5");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotMask(u128);

impl SlotMask {
    /// No slot.
    pub const EMPTY: Self = Self(0);
    /// All 128 slots.
    pub const ALL: Self = Self(u128::MAX);

    /// The mask with these bits.
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// Slot `i` as bit `i`.
    pub const fn bits(self) -> u128 {
        self.0
    }

    /// The slots `0 .. count`; all of them from 128 on.
    pub const fn lowest(count: u32) -> Self {
        match 1u128.checked_shl(count) {
            Some(bit) => Self(bit - 1),
            None => Self::ALL,
        }
    }

    /// The mask of one slot.
    ///
    /// # Panics
    /// When the slot is 128 or more: no round has such a slot.
    pub fn single(slot: impl Into<usize>) -> Self {
        let slot = slot.into();
        assert!(slot < MAX_SLOTS, "slot {slot} in a mask of {MAX_SLOTS} slots");
        Self(1 << slot)
    }

    /// The mask of these slots.
    ///
    /// # Panics
    /// As [`Self::single`].
    pub fn from_slots<S: Into<usize>>(slots: impl IntoIterator<Item = S>) -> Self {
        slots.into_iter().fold(Self::EMPTY, |mask, slot| mask | Self::single(slot))
    }

    /// Whether the slot is in the set; false for 128 and more.
    pub fn contains(self, slot: impl Into<usize>) -> bool {
        let slot = slot.into();
        slot < MAX_SLOTS && self.0 >> slot & 1 == 1
    }

    /// Adds a slot.
    ///
    /// # Panics
    /// As [`Self::single`].
    pub fn insert(&mut self, slot: impl Into<usize>) {
        *self |= Self::single(slot);
    }

    /// Removes a slot.
    ///
    /// # Panics
    /// As [`Self::single`].
    pub fn remove(&mut self, slot: impl Into<usize>) {
        self.0 &= !Self::single(slot).0;
    }

    /// The number of slots in the set.
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// True when no slot is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// True when every slot of this set is in `other`.
    pub const fn is_subset_of(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// The slots in ascending order.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = u8> + Clone {
        (0..MAX_SLOTS as u8).filter(move |slot| self.contains(*slot))
    }
}

impl From<u128> for SlotMask {
    fn from(bits: u128) -> Self {
        Self(bits)
    }
}

impl From<SlotMask> for u128 {
    fn from(mask: SlotMask) -> Self {
        mask.0
    }
}

/// Compares the bits, for masks written as numbers.
impl PartialEq<u128> for SlotMask {
    fn eq(&self, bits: &u128) -> bool {
        self.0 == *bits
    }
}

impl<S: Into<usize>> FromIterator<S> for SlotMask {
    fn from_iter<I: IntoIterator<Item = S>>(slots: I) -> Self {
        Self::from_slots(slots)
    }
}

impl BitAnd for SlotMask {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for SlotMask {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitXor for SlotMask {
    type Output = Self;
    fn bitxor(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }
}

/// The slots of the left set that are not in the right one.
impl Sub for SlotMask {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl Not for SlotMask {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0)
    }
}

impl BitAndAssign for SlotMask {
    fn bitand_assign(&mut self, other: Self) {
        *self = *self & other;
    }
}

impl BitOrAssign for SlotMask {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

impl BitXorAssign for SlotMask {
    fn bitxor_assign(&mut self, other: Self) {
        *self = *self ^ other;
    }
}

impl fmt::Display for SlotMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Debug for SlotMask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SlotMask({self})")
    }
}

/// Text that is not a mask of slots.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a mask of slots; expected 0x and 1 to 32 hexadecimal digits, such as 0x1f for slots 0 to 4"
)]
pub struct SlotMaskError(pub String);

impl FromStr for SlotMask {
    type Err = SlotMaskError;

    fn from_str(text: &str) -> Result<Self, SlotMaskError> {
        let wrong = || SlotMaskError(text.chars().take(80).collect());
        let digits = text.strip_prefix("0x").ok_or_else(wrong)?;
        if digits.len() > 32 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        u128::from_str_radix(digits, 16).map(Self).map_err(|_| wrong())
    }
}

impl Serialize for SlotMask {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SlotMask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_mask_is_the_set_of_its_slots(bits: u128, other: u128, slot in 0u8..128) {
            let mask = SlotMask::from_bits(bits);
            prop_assert_eq!(mask.iter().collect::<SlotMask>(), mask);
            prop_assert_eq!(mask.iter().count(), mask.count() as usize);
            prop_assert!(mask.iter().zip(mask.iter().skip(1)).all(|(a, b)| a < b));
            prop_assert_eq!(mask.contains(slot), bits >> slot & 1 == 1);
            prop_assert_eq!(mask.contains(usize::from(slot)), mask.contains(slot));
            let (mut with, mut without) = (mask, mask);
            with.insert(slot);
            without.remove(slot);
            prop_assert_eq!((with.bits(), without.bits()), (bits | 1 << slot, bits & !(1 << slot)));
            let other = SlotMask::from(other);
            prop_assert_eq!((mask - other) | (mask & other), mask);
            prop_assert_eq!((mask | other) - (mask & other), mask ^ other);
            prop_assert!((mask & other).is_subset_of(mask) && mask.is_subset_of(!(!mask)));
            prop_assert_eq!(mask.to_string().parse(), Ok(mask));
        }
    }

    #[test]
    fn edges_of_the_128_slots() {
        assert_eq!(SlotMask::lowest(0), SlotMask::EMPTY);
        assert_eq!(SlotMask::lowest(5), 0b1_1111);
        assert_eq!((SlotMask::lowest(127).count(), SlotMask::lowest(127).contains(127u8)), (127, false));
        assert_eq!((SlotMask::lowest(128), SlotMask::lowest(200)), (SlotMask::ALL, SlotMask::ALL));
        assert!(SlotMask::ALL.contains(127usize) && !SlotMask::ALL.contains(128usize));
        assert!(SlotMask::EMPTY.is_empty() && !SlotMask::single(127u8).is_empty());
        assert!(std::panic::catch_unwind(|| SlotMask::single(128usize)).is_err());
        assert!(!SlotMask::from(0b100).is_subset_of(SlotMask::from(0b011)));
    }

    #[test]
    fn masks_are_written_and_read_in_hexadecimal() {
        let mask = SlotMask::from_bits(0x1f);
        assert_eq!((mask.to_string(), format!("{mask:?}")), ("0x1f".into(), "SlotMask(0x1f)".into()));
        assert_eq!(serde_json::to_string(&mask).unwrap(), "\"0x1f\"");
        assert_eq!(serde_json::from_str::<SlotMask>("\"0x1f\"").unwrap(), mask);
        assert_eq!(format!("0x{}", "f".repeat(32)).parse(), Ok(SlotMask::ALL));
        for bad in ["", "0x", "1f", "0xg", "0x+1", &format!("0x{}", "0".repeat(33))] {
            let error = bad.parse::<SlotMask>().unwrap_err();
            assert!(error.to_string().contains(&format!("{bad:?}")), "{error}");
        }
    }
}
