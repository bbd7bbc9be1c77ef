//! Amounts as people write them: a number with a unit, and decimals of six places.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// Text that is not an amount or a decimal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not `NUMBER UNIT`.
    #[error(
        "{0:?} is not an amount; expected a number and a unit, such as \"0.5 ether\", \"20 gwei\" or \"7 wei\", \
         or \"1000000 units\" of a token"
    )]
    Amount(String),
    /// Not a decimal of at most six places below 4294.967296.
    #[error("{0:?} is not a decimal; expected a number from 0 to 4294 with at most six decimal places, such as 0.05")]
    Decimal(String),
}

/// An amount as a specification writes it: ether with its units, or a token in its least unit. Display writes `"N wei"`
/// or `"N units"`. With the project's currency it becomes [`crate::Money`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// Ether, in wei.
    Wei(u128),
    /// A token, in its least unit.
    Units(u128),
}

impl Amount {
    /// In the currency's least unit.
    pub fn least(self) -> u128 {
        match self {
            Self::Wei(amount) | Self::Units(amount) => amount,
        }
    }
}

impl Default for Amount {
    /// Zero, which is valid in every currency.
    fn default() -> Self {
        Self::Wei(0)
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let error = || AmountError::Amount(text.to_owned());
        let (number, unit) = text.trim().split_once(' ').ok_or_else(error)?;
        let (places, amount): (_, fn(u128) -> Self) = match unit.trim() {
            "wei" => (0, Self::Wei),
            "gwei" => (9, Self::Wei),
            "ether" | "eth" => (18, Self::Wei),
            "unit" | "units" => (0, Self::Units),
            _ => return Err(error()),
        };
        fixed(number, places).map(amount).ok_or_else(error)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wei(amount) => write!(f, "{amount} wei"),
            Self::Units(amount) => write!(f, "{amount} units"),
        }
    }
}

/// A decimal of six places, not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Decimal(u32);

impl Decimal {
    /// `n / 1,000,000`.
    pub const fn from_millionths(n: u32) -> Self {
        Self(n)
    }

    /// In millionths.
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// In 2^-16, the unit of the contract's factors, rounded down. Saturates at 32 bits.
    pub fn in_65536ths(self) -> u32 {
        u32::try_from(u64::from(self.0) * 65_536 / 1_000_000).unwrap_or(u32::MAX)
    }
}

impl FromStr for Decimal {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let value = fixed(text.trim(), 6).and_then(|v| u32::try_from(v).ok());
        value.map(Self).ok_or_else(|| AmountError::Decimal(text.to_owned()))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000);
        f.write_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// `text * 10^places` when that is a whole number.
fn fixed(text: &str, places: usize) -> Option<u128> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || part.len() > places {
        return None;
    }
    format!("{whole}{part:0<places$}").parse().ok()
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    /// Accepts a string, and a number so that TOML files need no quotes.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Decimal;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal such as 0.05")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Decimal, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Decimal, E> {
                number.to_string().parse().map_err(E::custom)
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Decimal, E> {
                number.to_string().parse().map_err(E::custom)
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Decimal, E> {
                number.to_string().parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        assert_eq!("0.1 ether".parse(), Ok(Amount::Wei(100_000_000_000_000_000)));
        assert_eq!("1.000000001 gwei".parse(), Ok(Amount::Wei(1_000_000_001)));
        assert_eq!("7 wei".parse::<Amount>().unwrap().to_string(), "7 wei");
        for bad in [
            "",
            "1",
            "1 ",
            "1.5 wei",
            "-1 ether",
            "1e3 wei",
            "1 dollar",
            "0.0000000000000000001 ether",
            ". ether",
        ] {
            assert_eq!(bad.parse::<Amount>(), Err(AmountError::Amount(bad.into())));
        }
    }

    #[test]
    fn units_of_a_token_are_whole_and_kept_apart_from_ether() {
        assert_eq!("1000000 units".parse(), Ok(Amount::Units(1_000_000)));
        assert_eq!("1 gwei".parse(), Ok(Amount::Wei(1_000_000_000)));
        assert_eq!(Amount::Units(7).to_string().parse(), Ok(Amount::Units(7)));
        assert_eq!((Amount::Units(7).least(), Amount::default().least()), (7, 0));
        for bad in ["1.5 units", "units", " units", "-1 units", "1 tokens", "1units"] {
            assert_eq!(bad.parse::<Amount>(), Err(AmountError::Amount(bad.into())), "{bad}");
        }
    }

    #[test]
    fn decimals_are_exact_and_short() {
        for text in ["0.1", "0", "1", "12.000001", "4294.967295"] {
            assert_eq!(text.parse::<Decimal>().unwrap().to_string(), text);
        }
        assert_eq!("0.5".parse::<Decimal>().unwrap().in_65536ths(), 32_768);
        for bad in ["-1", "NaN", "0.0000001", "4294.967296", "inf", "1e-3"] {
            assert!(bad.parse::<Decimal>().is_err(), "{bad}");
        }
    }
}
