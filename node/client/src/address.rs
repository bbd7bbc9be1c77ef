//! Addresses of accounts and contracts, independent of any chain library.

use sha3::{Digest, Keccak256};

/// An account or a contract.
pub type Address20 = [u8; 20];

/// The text is not an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an address ({reason}); expected 0x and 40 hexadecimal digits, such as 0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045")]
pub struct AddressError {
    /// The given text, cut to 80 characters.
    pub text: String,
    /// Why it is refused.
    pub reason: String,
}

/// `0x` and 40 hexadecimal digits, in the mixed case of EIP-55.
pub fn format_address(address: &Address20) -> String {
    let digits = hex::encode(address);
    let hash = Keccak256::digest(digits.as_bytes());
    let mixed = digits.char_indices().map(|(i, c)| {
        let nibble = hash[i / 2] >> (4 * (1 - i % 2)) & 0xf;
        if nibble >= 8 {
            c.to_ascii_uppercase()
        } else {
            c
        }
    });
    "0x".chars().chain(mixed).collect()
}

/// Reads an address. Mixed case must be that of EIP-55, which catches a wrong digit; one case throughout is accepted.
///
/// # Errors
/// [`AddressError`] gives the reason.
pub fn parse_address(text: &str) -> Result<Address20, AddressError> {
    let wrong = |reason: &str| AddressError { text: text.chars().take(80).collect(), reason: reason.into() };
    let digits = text.trim().strip_prefix("0x").ok_or_else(|| wrong("it does not start with 0x"))?;
    let bytes = hex::decode(digits).map_err(|e| wrong(&e.to_string().to_lowercase()))?;
    let address: Address20 = bytes.try_into().map_err(|_| wrong("it does not have 40 digits"))?;
    let mixed =
        digits.bytes().any(|b| b.is_ascii_lowercase()) && digits.bytes().any(|b| b.is_ascii_uppercase());
    if mixed && format_address(&address)[2..] != *digits {
        return Err(wrong("its upper and lower case do not match: a digit may be wrong"));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back_and_a_wrong_digit_is_caught() {
        // Examples of EIP-55.
        for text in
            ["0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"]
        {
            let address = parse_address(text).unwrap();
            assert_eq!(format_address(&address), text);
            assert_eq!(parse_address(&text.to_lowercase()), Ok(address));
        }
        for (bad, reason) in [
            ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAee", "a digit may be wrong"),
            ("5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "start with 0x"),
            ("0x5aAe", "40 digits"),
            ("0xzz", "invalid character"),
        ] {
            let error = parse_address(bad).unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains(bad), "{error}");
        }
    }
}
