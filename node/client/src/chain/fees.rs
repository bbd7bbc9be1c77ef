//! What a transaction offers for a unit of gas (EIP-1559).

use ethers::types::{Eip1559TransactionRequest, U256};

use super::error::ChainError;
use super::head::Head;

/// Wei for a unit of gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fees {
    /// Base fee and tip together, at most.
    pub(super) max_fee: U256,
    /// The block producer's part.
    pub(super) tip: U256,
}

/// A transaction that we gave up waiting for: whatever is sent next takes its nonce, or would wait behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Abandoned {
    pub(super) nonce: U256,
    pub(super) fees: Fees,
}

impl Fees {
    /// Twice the base fee, which pays for a rise over six full blocks, and the tip.
    pub(super) fn at(head: &Head, tip: U256) -> Result<Self, ChainError> {
        let max_fee = head.base_fee.checked_mul(2.into()).and_then(|fee| fee.checked_add(tip));
        let max_fee = max_fee.ok_or_else(|| ChainError::decode("the gas price", "it overflows"))?;
        Ok(Self { max_fee, tip })
    }

    /// What replaces a transaction with these fees, where `now` is what a new one would offer: both parts rise by a quarter
    /// at least. Nodes ask for a tenth (geth, anvil) or an eighth.
    pub(super) fn raised(self, now: Self) -> Self {
        let quarter_more = |fee: U256| fee.saturating_add(fee / 4).saturating_add(U256::one());
        let tip = now.tip.max(quarter_more(self.tip));
        Self { max_fee: now.max_fee.max(quarter_more(self.max_fee)).max(tip), tip }
    }

    /// The same, as far as `funds` pay for `request`; `None` when that no longer replaces `before`.
    pub(super) fn within(
        self,
        before: Self,
        funds: u128,
        request: &Eip1559TransactionRequest,
    ) -> Option<Self> {
        let gas = request.gas.filter(|gas| !gas.is_zero())?;
        let left = U256::from(funds).checked_sub(request.value.unwrap_or_default())?;
        let max_fee = self.max_fee.min(left / gas);
        let least = |fee: U256| fee.saturating_add(fee / 8);
        let fees = Self { max_fee, tip: self.tip.min(max_fee) };
        (fees.max_fee > least(before.max_fee) && fees.tip > least(before.tip)).then_some(fees)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fees(max_fee: u64, tip: u64) -> Fees {
        Fees { max_fee: max_fee.into(), tip: tip.into() }
    }

    #[test]
    fn a_gas_price_that_overflows_is_refused() {
        let head = |base_fee: U256| Head { base_fee, ..Head::default() };
        assert_eq!(Fees::at(&head(7.into()), 2.into()).unwrap(), fees(16, 2));
        assert!(Fees::at(&head(U256::MAX), 0.into()).is_err());
        assert!(Fees::at(&head(U256::MAX / 2), 2.into()).is_err());
    }

    #[test]
    fn a_replacement_offers_a_quarter_more_or_what_the_chain_asks_now() {
        assert_eq!(fees(100, 8).raised(fees(50, 4)), fees(126, 11));
        assert_eq!(fees(100, 8).raised(fees(1_000, 4)), fees(1_000, 11));
        assert_eq!(fees(100, 8).raised(fees(1_000, 400)), fees(1_000, 400));
        assert_eq!(fees(0, 0).raised(fees(0, 0)), fees(1, 1), "a chain without fees");
    }

    #[test]
    fn a_replacement_never_offers_more_than_the_wallet_has() {
        let request = Eip1559TransactionRequest::new().gas(10).value(100);
        let (before, asked) = (fees(100, 8), fees(400, 20));
        assert_eq!(asked.within(before, 1_000_000, &request), Some(asked));
        assert_eq!(asked.within(before, 2_100, &request), Some(fees(200, 20)));
        assert_eq!(asked.within(before, 1_200, &request), None, "110 a unit replaces nothing");
        assert_eq!(asked.within(before, 99, &request), None);
    }
}
