//! Challenges of a transcript, whose states are chained by `fairshare_protocol::absorb` (docs/protocol.md 4).

use ark_bn254::Fr;
use ark_ff::{PrimeField, Zero};
use fairshare_protocol::Word;

/// The challenge that a transcript's state gives: the state modulo the scalar field's order.
pub fn challenge(state: &Word) -> Fr {
    Fr::from_be_bytes_mod_order(state)
}

/// A challenge at which an argument would prove nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Degenerate;

/// A challenge that must not be 0: `rho`, `gamma` and `nu`.
pub(crate) fn non_zero(x: Fr) -> Result<Fr, Degenerate> {
    if x.is_zero() {
        return Err(Degenerate);
    }
    Ok(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curve::words::scalar_word;
    use ark_ff::BigInteger;

    #[test]
    fn a_challenge_is_the_state_modulo_the_order() {
        for x in [0u64, 1, u64::MAX] {
            assert_eq!(challenge(&scalar_word(&Fr::from(x))), Fr::from(x));
        }
        let order: Word = Fr::MODULUS.to_bytes_be().try_into().unwrap();
        assert_eq!(challenge(&order), Fr::zero());
        assert_eq!(non_zero(challenge(&order)), Err(Degenerate));
        assert_eq!(non_zero(Fr::from(1u64)), Ok(Fr::from(1u64)));
    }
}
