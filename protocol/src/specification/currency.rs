//! The currency of a project's amounts: ether, or a token.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};

/// The currency of a project's amounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Currency {
    /// Address of an ERC-20: all amounts are in its least unit, and written as `"1000000 units"`.
    pub token: TokenAddress,
}

/// The address of a token's contract. Written in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenAddress(pub [u8; 20]);

impl FromStr for TokenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || {
            format!(
                "{text:?} is not the address of a token; expected 0x and 40 hexadecimal digits, not all 0"
            )
        };
        let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 40 && digits.is_ascii());
        let mut address = [0; 20];
        for (byte, at) in address.iter_mut().zip((0..40).step_by(2)) {
            let pair = digits.ok_or_else(refuse)?.get(at..at + 2).filter(|pair| !pair.starts_with('+'));
            *byte = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or_else(refuse)?;
        }
        if address == [0; 20] {
            return Err(refuse());
        }
        Ok(Self(address))
    }
}

impl fmt::Display for TokenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for TokenAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TokenAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
