//! Money: an amount together with its currency, so that wei are never compared with units of a token.

use std::cmp::Ordering;
use std::fmt;

use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use crate::address::Address;
use crate::amount::Amount;

/// Ether, or an ERC-20 token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Currency {
    /// Ether; its least unit is the wei.
    Ether,
    /// A token; its least unit is called a unit.
    Token {
        /// The token's contract.
        address: Address,
        /// One token is `10^decimals` units. 0 where the token's contract does not say: amounts then show as units.
        decimals: u8,
    },
}

impl Currency {
    /// The token's contract; `None` for ether.
    pub const fn token(self) -> Option<Address> {
        match self {
            Self::Ether => None,
            Self::Token { address, .. } => Some(address),
        }
    }

    /// How a specification writes amounts of this currency, for errors.
    pub(crate) const fn written_as(self) -> &'static str {
        match self {
            Self::Ether => "an amount in ether, gwei or wei: units are for projects with a [currency] token",
            Self::Token { .. } => {
                "an amount such as \"1000000 units\": the project's currency is a token, counted in its least unit"
            }
        }
    }

    /// The name of the least unit, with which the names of amounts end in JSON: `wei` or `units`.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Ether => "wei",
            Self::Token { .. } => "units",
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ether => f.write_str("ether"),
            Self::Token { address, .. } => write!(f, "token {address}"),
        }
    }
}

/// An amount of a currency. Text for people: `1.5 ether`, `12.5 tokens (12500000 units) of 0x5aAe..`.
///
/// Two amounts of different currencies have no order: `<` does not compile, and [`Money::compare`], [`Money::covers`],
/// [`Money::checked_add`] and [`Money::checked_sub`] return an error. `==` between them is false.
///
/// ```
/// use fairshare_protocol::{Address, Currency, Money};
///
/// let stake = Money::wei(1_500_000_000_000_000_000);
/// assert_eq!(stake.to_string(), "1.5 ether");
/// let token = Currency::Token { address: Address([7; 20]), decimals: 6 };
/// assert!(stake.covers(Money::new(12_500_000, token)).is_err());
/// ```
///
/// ```compile_fail,E0369
/// use fairshare_protocol::Money;
///
/// assert!(Money::wei(1) < Money::wei(2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    #[serde(with = "decimal_text")]
    amount: u128,
    currency: Currency,
}

impl Money {
    /// `amount` least units of `currency`.
    pub const fn new(amount: u128, currency: Currency) -> Self {
        Self { amount, currency }
    }

    /// An amount of ether, in wei.
    pub const fn wei(amount: u128) -> Self {
        Self::new(amount, Currency::Ether)
    }

    /// An amount of a specification in the project's currency. Zero may be written in wei in every project, as it is
    /// the default.
    ///
    /// # Errors
    /// [`MoneyError::WrongUnit`] when the amount is written in the unit of another currency.
    pub fn from_amount(amount: Amount, currency: Currency) -> Result<Self, MoneyError> {
        match (amount, currency) {
            (Amount::Wei(0), _)
            | (Amount::Wei(_), Currency::Ether)
            | (Amount::Units(_), Currency::Token { .. }) => Ok(Self::new(amount.least(), currency)),
            _ => Err(MoneyError::WrongUnit { amount, currency }),
        }
    }

    /// In the least unit: wei, or units of the token.
    pub const fn amount(self) -> u128 {
        self.amount
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// True for an amount of 0.
    pub const fn is_zero(self) -> bool {
        self.amount == 0
    }

    /// Which of two amounts of one currency is larger.
    ///
    /// # Errors
    /// [`MoneyError::Currencies`].
    pub fn compare(self, other: Self) -> Result<Ordering, MoneyError> {
        self.require_same_currency(other)?;
        Ok(self.amount.cmp(&other.amount))
    }

    /// Whether this amount is at least `needed`.
    ///
    /// # Errors
    /// [`MoneyError::Currencies`].
    pub fn covers(self, needed: Self) -> Result<bool, MoneyError> {
        self.compare(needed).map(Ordering::is_ge)
    }

    /// The sum of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::Currencies`], or [`MoneyError::Overflow`] for 2^128 least units and more.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, u128::checked_add)
    }

    /// The difference of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::Currencies`], or [`MoneyError::Overflow`] when `other` is larger.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, u128::checked_sub)
    }

    fn combine(self, other: Self, operation: fn(u128, u128) -> Option<u128>) -> Result<Self, MoneyError> {
        self.require_same_currency(other)?;
        let amount =
            operation(self.amount, other.amount).ok_or(MoneyError::Overflow { left: self, right: other })?;
        Ok(Self::new(amount, self.currency))
    }

    fn require_same_currency(self, other: Self) -> Result<(), MoneyError> {
        // Decimals are how a token is shown: its address alone says which one it is.
        if self.currency.token() == other.currency.token() {
            Ok(())
        } else {
            Err(MoneyError::Currencies { left: self, right: other })
        }
    }

    /// The amount for people without the token's address, for tables that name the currency once.
    pub fn short(self) -> String {
        match self.currency {
            // Below one gwei the zeros of ether are harder to read than wei.
            Currency::Ether if self.amount != 0 && self.amount < 1_000_000_000 => {
                format!("{} wei", self.amount)
            }
            Currency::Ether => format!("{} ether", with_decimals(self.amount, 18)),
            Currency::Token { decimals: 0, .. } => format!("{} units", self.amount),
            Currency::Token { decimals, .. } => {
                format!("{} tokens ({} units)", with_decimals(self.amount, decimals), self.amount)
            }
        }
    }

    /// The amount as a field of an event: `"<name>_wei"` or `"<name>_units"`, with the amount in decimal digits.
    pub fn json_field(self, name: &str) -> (String, String) {
        (format!("{name}_{}", self.currency.unit()), self.amount.to_string())
    }

    /// Serialises [`Self::json_field`] as a map of one entry, for `#[serde(flatten, serialize_with = "..")]`.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize_field<S: Serializer>(self, name: &str, serializer: S) -> Result<S::Ok, S::Error> {
        let (key, value) = self.json_field(name);
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry(&key, &value)?;
        map.end()
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())?;
        self.currency.token().map_or(Ok(()), |address| write!(f, " of {address}"))
    }
}

/// `amount / 10^decimals`, exact and without trailing zeros.
fn with_decimals(amount: u128, decimals: u8) -> String {
    let places = usize::from(decimals);
    let digits = format!("{amount:0>width$}", width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    let part = part.trim_end_matches('0');
    if part.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{part}")
    }
}

/// Amounts of money that cannot be compared or combined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Amounts of two currencies.
    #[error("{left} and {right} are amounts of different currencies: compare amounts of the project's currency only")]
    Currencies {
        /// The left amount.
        left: Money,
        /// The right amount.
        right: Money,
    },
    /// The result is negative or has more than 128 bits.
    #[error("the sum or difference of {left} and {right} is negative or 2^128 of the least unit or more")]
    Overflow {
        /// The left amount.
        left: Money,
        /// The right amount.
        right: Money,
    },
    /// An amount of a specification in the unit of another currency than the project's.
    #[error("{amount} is not an amount of {currency}; expected {}", currency.written_as())]
    WrongUnit {
        /// The amount as written.
        amount: Amount,
        /// The project's currency.
        currency: Currency,
    },
}

/// Amounts as decimal digits in text: JSON numbers lose digits above 2^53 in most readers.
mod decimal_text {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(amount: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(amount)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        let text = String::deserialize(deserializer)?;
        let is_decimal = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let amount = if is_decimal { text.parse().ok() } else { None };
        amount.ok_or_else(|| {
            D::Error::custom(format!("{text:?} is not an amount; expected decimal digits below 2^128"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOKEN: Address = Address([7; 20]);

    fn token(decimals: u8) -> Currency {
        Currency::Token { address: TOKEN, decimals }
    }

    #[test]
    fn amounts_for_people_are_short_and_exact() {
        for (wei, text) in [
            (0, "0 ether"),
            (1, "1 wei"),
            (999_999_999, "999999999 wei"),
            (1_000_000_000, "0.000000001 ether"),
            (1_500_000_000_000_000_000, "1.5 ether"),
            (1_000_000_000_000_000_000_000, "1000 ether"),
            (1_000_000_000_000_000_001, "1.000000000000000001 ether"),
        ] {
            assert_eq!(Money::wei(wei).to_string(), text);
        }
        let of = |amount, decimals| Money::new(amount, token(decimals));
        assert_eq!(of(12_500_000, 6).to_string(), format!("12.5 tokens (12500000 units) of {TOKEN}"));
        assert_eq!(of(12_500_000, 0).to_string(), format!("12500000 units of {TOKEN}"));
        assert_eq!(of(7, 6).short(), "0.000007 tokens (7 units)");
        assert_eq!(of(0, 18).short(), "0 tokens (0 units)");
        assert_eq!(of(1, 255).short().len(), "0. tokens (1 units)".len() + 255);
    }

    /// The fault that a balance in wei was compared with a bond in units of a token of six decimals.
    #[test]
    fn two_currencies_are_neither_compared_nor_added() {
        let (bond, balance) = (Money::new(1_000_000, token(6)), Money::wei(5));
        let refused = Err(MoneyError::Currencies { left: balance, right: bond });
        assert_eq!(balance.compare(bond), refused.clone().map(|()| Ordering::Equal));
        assert_eq!(balance.covers(bond), refused.clone().map(|()| true));
        assert_eq!(balance.checked_add(bond), refused.clone().map(|()| bond));
        assert_eq!(balance.checked_sub(bond), refused.map(|()| bond));
        let other = Money::new(1_000_000, Currency::Token { address: Address([8; 20]), decimals: 6 });
        assert!(bond.compare(other).is_err() && bond != other && balance != bond);
        let text = balance.compare(bond).unwrap_err().to_string();
        assert!(text.contains("5 wei and 1 tokens (1000000 units) of 0x07"), "{text}");
    }

    #[test]
    fn amounts_of_one_currency_are_compared_and_added() {
        let (large, small) = (Money::new(9, token(6)), Money::new(4, token(6)));
        assert_eq!(
            (large.covers(small), small.covers(large), small.covers(small)),
            (Ok(true), Ok(false), Ok(true))
        );
        assert_eq!(large.checked_add(small).unwrap().amount(), 13);
        assert_eq!(large.checked_sub(small), Ok(Money::new(5, token(6))));
        assert_eq!(small.checked_sub(large), Err(MoneyError::Overflow { left: small, right: large }));
        assert!(Money::wei(u128::MAX).checked_add(Money::wei(1)).is_err());
        // The same token, its decimals not read yet.
        assert_eq!(large.covers(Money::new(9, token(0))), Ok(true));
    }

    #[test]
    fn amounts_of_a_specification_are_in_the_projects_currency() {
        let read = |text: &str, currency| Money::from_amount(text.parse().unwrap(), currency);
        assert_eq!(read("2 gwei", Currency::Ether), Ok(Money::wei(2_000_000_000)));
        assert_eq!(read("7 units", token(6)), Ok(Money::new(7, token(6))));
        assert_eq!(read("0 wei", token(6)), Ok(Money::new(0, token(6))));
        let error = read("7 units", Currency::Ether).unwrap_err().to_string();
        assert!(error.contains("7 units is not an amount of ether"), "{error}");
        let error = read("7 wei", token(6)).unwrap_err().to_string();
        assert!(error.contains("7 wei is not an amount of token 0x07"), "{error}");
    }

    #[test]
    fn machines_read_decimal_text_with_the_unit() {
        #[derive(Serialize)]
        struct Event {
            round: u64,
            #[serde(flatten, serialize_with = "stake")]
            stake: Money,
        }
        fn stake<S: Serializer>(money: &Money, serializer: S) -> Result<S::Ok, S::Error> {
            money.serialize_field("stake", serializer)
        }
        let json = |stake| serde_json::to_value(Event { round: 1, stake }).unwrap();
        assert_eq!(
            json(Money::wei(u128::MAX)),
            serde_json::json!({"round": 1, "stake_wei": u128::MAX.to_string()})
        );
        assert_eq!(json(Money::new(7, token(6))), serde_json::json!({"round": 1, "stake_units": "7"}));
        for money in [Money::wei(3), Money::new(u128::MAX, token(6))] {
            let text = serde_json::to_string(&money).unwrap();
            assert_eq!(serde_json::from_str::<Money>(&text).unwrap(), money, "{text}");
        }
        assert!(serde_json::from_str::<Money>(r#"{"amount":"+1","currency":"ether"}"#).is_err());
        assert!(serde_json::from_str::<Money>(r#"{"amount":"","currency":"ether"}"#).is_err());
    }

    proptest! {
        #[test]
        fn decimals_move_the_point_and_nothing_else(amount: u128, decimals in 0u8..40) {
            let text = with_decimals(amount, decimals);
            let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
            prop_assert!(!part.ends_with('0') && part.len() <= usize::from(decimals));
            let digits = format!("{whole}{part:0<width$}", width = usize::from(decimals));
            let expected = amount.to_string();
            prop_assert_eq!(digits.trim_start_matches('0'), expected.trim_start_matches('0'));
        }
    }
}
