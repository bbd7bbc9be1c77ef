//! Projects that pay in an ERC-20: balances and allowances.

use ethers::abi::AbiEncode;
use ethers::types::{H160, U256};
use fairshare_contracts::bindings::token as bindings;
use fairshare_protocol::Address;

use super::client::Chain;
use super::error::ChainError;

const WHAT: &str = "token";

impl Chain {
    /// An account's balance in least units of a token; 2^128 - 1 when it is larger.
    ///
    /// # Errors
    /// [`ChainError::NoCode`] and [`ChainError::OtherContract`] when there is no token at the address; the node's faults.
    pub async fn token_balance(&self, token: Address, who: Address) -> Result<u128, ChainError> {
        self.require_code(token, WHAT).await?;
        let call = bindings::BalanceOfCall { account: H160(who.0) };
        let answer: bindings::BalanceOfReturn = self.view(token, WHAT, call, None).await?;
        Ok(u128::try_from(answer.0).unwrap_or(u128::MAX))
    }

    /// Approves `spender` for exactly `amount` of the wallet's tokens, unless its allowance suffices already.
    ///
    /// # Errors
    /// [`ChainError::InsufficientTokens`] before anything is sent; then the errors of any transaction.
    pub(super) async fn allow(
        &self,
        action: &str,
        token: Address,
        spender: Address,
        amount: u128,
        deadline: Option<u64>,
    ) -> Result<(), ChainError> {
        let owner = self.wallet(action)?.address();
        let has = self.token_balance(token, owner).await?;
        if has < amount {
            let action = action.to_owned();
            return Err(ChainError::InsufficientTokens { action, wallet: owner, token, has, needs: amount });
        }
        let call = bindings::AllowanceCall { owner: H160(owner.0), spender: H160(spender.0) };
        let allowed: bindings::AllowanceReturn = self.view(token, WHAT, call, None).await?;
        if allowed.0 >= amount.into() {
            return Ok(());
        }
        // Some tokens change an allowance only from or to zero.
        let steps = if allowed.0.is_zero() { vec![amount] } else { vec![0, amount] };
        for value in steps {
            let call = bindings::ApproveCall { spender: H160(spender.0), value: U256::from(value) };
            let approving = format!("the token's approval for {action}");
            self.send(&approving, Some(token), call.encode().into(), 0, deadline).await?;
        }
        Ok(())
    }
}
