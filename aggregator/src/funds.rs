//! What an aggregator's wallet must hold: ether for gas, and the bond in the project's currency.

use fairshare_client::{ether, Chain, Terms};
use fairshare_protocol::Address;

use crate::error::AggregatorError;

/// Gas of the bond with a token's approval, and of one settlement, rounded up.
const GAS_TO_START: u128 = 1_500_000;

/// What a wallet holds, and what a unit of gas costs at most.
#[derive(Clone, Copy, Debug)]
struct Funds {
    /// Wei.
    ether: u128,
    /// Least units of the project's token; `None` when the project pays in ether.
    token: Option<u128>,
    /// Wei.
    gas_price: u128,
}

/// Checks that a wallet can place the bond of `terms` and pay the gas of the first transactions.
///
/// # Errors
/// [`AggregatorError::Funds`]; the node's faults.
pub(crate) async fn check_funds(
    chain: &Chain,
    wallet: Address,
    terms: &Terms,
) -> Result<(), AggregatorError> {
    let token = match terms.token {
        Some(token) => Some(chain.token_balance(token, wallet).await?),
        None => None,
    };
    let funds = Funds { ether: chain.balance(wallet).await?, token, gas_price: chain.gas_price().await? };
    match lacking(funds, terms) {
        None => Ok(()),
        Some((has, needs)) => Err(AggregatorError::Funds { wallet: wallet.to_string(), has, needs }),
    }
}

/// What a wallet has too little of, and how much of it is needed.
fn lacking(funds: Funds, terms: &Terms) -> Option<(String, String)> {
    let gas = funds.gas_price.saturating_mul(GAS_TO_START);
    match (terms.token, funds.token) {
        (Some(token), Some(has)) if has < terms.bond => {
            let token = token.to_string();
            let needs = format!("a bond of {} of the token {token}", terms.money(terms.bond));
            Some((format!("{} of it", terms.money(has)), needs))
        }
        (Some(_), _) if funds.ether < gas => {
            Some((ether(funds.ether), format!("{} of ether for gas", ether(gas))))
        }
        (None, _) if funds.ether < terms.bond.saturating_add(gas) => {
            let needs = format!("a bond of {} and {} for gas", ether(terms.bond), ether(gas));
            Some((ether(funds.ether), needs))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fairshare_circuits::G1Affine;
    use fairshare_protocol::Specification;

    const GWEI: u128 = 1_000_000_000;
    const ETHER: u128 = 1_000_000_000 * GWEI;

    fn terms(token: Option<Address>, bond: u128) -> Terms {
        let specification = Specification::from_toml(
            r#"
            name = "digits"
            model = { kind = "logistic", inputs = 4, classes = 3 }
            participation = { min_trainers = 5, max_trainers = 10, stake = "0 wei", bond = "1 wei" }
            reward = { rounds = 1, per_round = "1 wei", aggregator_fee = "0 wei" }
            "#,
        )
        .unwrap();
        let model = G1Affine::identity();
        let terms = Terms::from_specification(
            &specification,
            Address([1; 20]),
            Address([2; 20]),
            [3; 32],
            model,
            [4; 32],
        );
        Terms { token, bond, ..terms }
    }

    fn lacking_of(ether: u128, token: Option<u128>, terms: &Terms) -> Option<(String, String)> {
        lacking(Funds { ether, token, gas_price: 2 * GWEI }, terms)
    }

    #[test]
    fn bond_in_ether_and_gas_come_from_one_balance() {
        let terms = terms(None, ETHER);
        assert_eq!(lacking_of(2 * ETHER, None, &terms), None);
        let (has, needs) = lacking_of(ETHER, None, &terms).unwrap();
        assert_eq!((has.as_str(), needs.as_str()), ("1 ether", "a bond of 1 ether and 0.003 ether for gas"));
    }

    /// Issue 9: an ether balance was compared with a bond in units of a token.
    #[test]
    fn bond_in_a_token_is_compared_with_the_token_and_gas_with_ether() {
        // 250 of a token with 6 decimals: a small number beside any balance in wei.
        let six = terms(Some(Address([5; 20])), 250_000_000);
        assert_eq!(lacking_of(ETHER, Some(250_000_000), &six), None);
        let (has, needs) = lacking_of(1000 * ETHER, Some(249_999_999), &six).unwrap();
        assert!(has.contains("249999999 units") && needs.contains("250000000 units"), "{has} {needs}");
        assert!(needs.contains(&Address([5; 20]).to_string()), "{needs}");
        let (_, needs) = lacking_of(0, Some(250_000_000), &six).unwrap();
        assert!(needs.contains("for gas"), "{needs}");
        // 50,000 of a token with 18 decimals: more units than the wallet has wei.
        let eighteen = terms(Some(Address([5; 20])), 50_000 * ETHER);
        assert_eq!(lacking_of(ETHER, Some(50_000 * ETHER), &eighteen), None);
    }
}
