//! The `[currency]` section: a project's amounts are in a token instead of ether.

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize, Serializer};

use crate::address::Address;

/// The currency of a project's amounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurrencyConfig {
    /// Address of an ERC-20. All amounts are in its least unit and written as `"1000000 units"`. The canonical JSON has
    /// the address in lower case.
    #[serde(serialize_with = "lower_case", deserialize_with = "token")]
    pub token: Address,
}

/// Part of the canonical JSON, whose digest is on chain: not the mixed case of [`Address`].
fn lower_case<S: Serializer>(address: &Address, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("0x{}", hex::encode(address.0)))
}

fn token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Address, D::Error> {
    let address = Address::deserialize(deserializer)?;
    if address.is_zero() {
        return Err(de::Error::custom(
            "the address of the token is zero; expected an ERC-20, or no [currency] section for a project in ether",
        ));
    }
    Ok(address)
}
