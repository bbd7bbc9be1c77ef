//! Addresses of accounts and contracts.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};
use sha3::{Digest, Keccak256};

/// The address of an account or a contract. Written as `0x` and 40 hexadecimal digits in the mixed case of EIP-55.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub [u8; 20]);

impl Address {
    /// The address of no account, which contracts use for "none".
    pub const ZERO: Self = Self([0; 20]);

    /// The 20 bytes.
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// True for [`Self::ZERO`].
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    /// The 40 digits in mixed case, without `0x`.
    fn digits(&self) -> String {
        let digits = hex::encode(self.0);
        let hash = Keccak256::digest(digits.as_bytes());
        // EIP-55: a letter is a capital where the hash of the lower-case digits has a nibble of 8 or more.
        let is_capital = |at: usize| hash[at / 2] >> (4 * (1 - at % 2)) & 0xf >= 8;
        digits.char_indices().map(|(at, c)| if is_capital(at) { c.to_ascii_uppercase() } else { c }).collect()
    }
}

impl From<[u8; 20]> for Address {
    fn from(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }
}

impl From<Address> for [u8; 20] {
    fn from(address: Address) -> Self {
        address.0
    }
}

impl AsRef<[u8]> for Address {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", self.digits())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text that is not an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not an address ({reason}); expected 0x and 40 hexadecimal digits, \
     such as 0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"
)]
pub struct AddressError {
    /// The text, at most 80 characters of it.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl FromStr for Address {
    type Err = AddressError;

    /// Mixed case must be that of EIP-55, which detects most wrong digits; all lower or all upper case is accepted.
    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong =
            |reason: &str| AddressError { text: text.chars().take(80).collect(), reason: reason.into() };
        let digits = text.trim().strip_prefix("0x").ok_or_else(|| wrong("it does not start with 0x"))?;
        if let Some(other) = digits.chars().find(|c| !c.is_ascii_hexdigit()) {
            return Err(wrong(&format!("{other:?} is not a hexadecimal digit")));
        }
        let mut bytes = [0; 20];
        hex::decode_to_slice(digits, &mut bytes)
            .map_err(|_| wrong(&format!("it has {} digits, not 40", digits.len())))?;
        let address = Self(bytes);
        let has = |case: fn(&u8) -> bool| digits.as_bytes().iter().any(case);
        if has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && address.digits() != digits {
            return Err(wrong("its upper and lower case do not match: a digit may be wrong"));
        }
        Ok(address)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Examples of EIP-55.
    const EXAMPLES: [&str; 4] = [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ];

    #[test]
    fn addresses_are_written_as_eip_55_says_and_read_in_one_case_too() {
        for text in EXAMPLES {
            let address: Address = text.parse().unwrap();
            assert_eq!((address.to_string(), format!("{address:?}")), (text.to_owned(), text.to_owned()));
            assert_eq!(text.to_lowercase().parse(), Ok(address));
            assert_eq!(format!(" 0x{} ", text[2..].to_uppercase()).parse(), Ok(address));
            assert_eq!(serde_json::to_value(address).unwrap(), text);
            assert_eq!(serde_json::from_value::<Address>(text.into()).unwrap(), address);
        }
        assert!(Address::ZERO.is_zero() && !Address([1; 20]).is_zero());
        assert_eq!(Address::ZERO.to_string(), format!("0x{}", "0".repeat(40)));
    }

    #[test]
    fn text_that_is_not_an_address_is_refused_with_the_reason() {
        for (bad, reason) in [
            ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAee", "a digit may be wrong"),
            ("0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "a digit may be wrong"),
            ("5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "start with 0x"),
            ("0x5aAe", "4 digits, not 40"),
            ("0x5aa", "3 digits, not 40"),
            ("0x", "0 digits, not 40"),
            ("", "start with 0x"),
            ("0xzz", "'z' is not a hexadecimal digit"),
            ("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed00", "42 digits, not 40"),
        ] {
            let error = bad.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains(&format!("{bad:?}")), "{error}");
        }
        let long = "0x".to_owned() + &"é".repeat(1000);
        assert!(long.parse::<Address>().unwrap_err().to_string().len() < 400);
    }

    proptest! {
        #[test]
        fn addresses_come_back(bytes: [u8; 20]) {
            let address = Address::from(bytes);
            prop_assert_eq!(address.to_string().parse(), Ok(address));
            prop_assert_eq!(<[u8; 20]>::from(address), bytes);
        }
    }
}
