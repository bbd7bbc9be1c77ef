//! Hashes of 32 bytes: of transactions, blocks, files, specifications.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};

/// A hash of 32 bytes. Written as `0x` and 64 hexadecimal digits in lower case.
///
/// A word of the transcript that is a number or a state of it is a [`crate::Word`] instead.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// 32 zero bytes, which contracts use for "none".
    pub const ZERO: Self = Self([0; 32]);

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// True for [`Self::ZERO`].
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }
}

impl From<[u8; 32]> for Digest {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl From<Digest> for [u8; 32] {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{}", hex::encode(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text that is not a hash of 32 bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a hash of 32 bytes; expected 0x and 64 hexadecimal digits")]
pub struct DigestError(pub String);

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let mut bytes = [0; 32];
        text.trim()
            .strip_prefix("0x")
            .and_then(|digits| hex::decode_to_slice(digits, &mut bytes).ok())
            .map(|()| Self(bytes))
            .ok_or_else(|| DigestError(text.chars().take(80).collect()))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_written_and_read_in_hexadecimal() {
        let digest = Digest(std::array::from_fn(|i| i as u8 * 7));
        let text = digest.to_string();
        assert!(text.starts_with("0x00070e15") && text.len() == 66, "{text}");
        assert_eq!((text.parse(), text.to_uppercase().replace('X', "x").parse()), (Ok(digest), Ok(digest)));
        assert_eq!(serde_json::to_value(digest).unwrap(), text);
        assert_eq!(serde_json::from_value::<Digest>(text.clone().into()).unwrap(), digest);
        assert_eq!(Digest::from(<[u8; 32]>::from(digest)), digest);
        assert!(Digest::ZERO.is_zero() && !digest.is_zero());
        for bad in ["", "0x", &text[2..], &text[..65], &format!("{text}0"), &text.replace("07", "0g")] {
            let error = bad.parse::<Digest>().unwrap_err().to_string();
            assert!(
                error.contains(&format!("{bad:?}")) && error.contains("64 hexadecimal digits"),
                "{error}"
            );
        }
    }
}
