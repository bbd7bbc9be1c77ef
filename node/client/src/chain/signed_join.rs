//! Joins that a trainer signs and another account sends and pays for (EIP-712).

use ethers::abi::Token;
use ethers::types::{Bytes, H160, H256, U256};
use ethers::utils::keccak256;
use fairshare_contracts::bindings::project as bindings;
use fairshare_protocol::{word_from_address, word_from_u128, Address, Word};

use super::actions::Until;
use super::error::ChainError;
use super::project::Project;
use super::types::{Receipt, SignedJoin};

/// The signing domain of `Project.sol`.
const NAME: &str = "Fairshare";
const VERSION: &str = "2";

fn domain_separator(chain_id: u64, contract: Address) -> [u8; 32] {
    keccak256(ethers::abi::encode(&[
        Token::FixedBytes(
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
                .to_vec(),
        ),
        Token::FixedBytes(keccak256(NAME).to_vec()),
        Token::FixedBytes(keccak256(VERSION).to_vec()),
        Token::Uint(chain_id.into()),
        Token::Address(H160(contract.0)),
    ]))
}

/// The immutables of OpenZeppelin's `EIP712` in the code of the contract at `implementation`: the domain separator, the chain id,
/// the address, the hashes of name and version, and both as short strings, with their length in the last byte.
pub(super) fn signing_domain(chain_id: u64, implementation: Address) -> [Word; 7] {
    let short = |text: &str| {
        let mut word = [0; 32];
        word[..text.len()].copy_from_slice(text.as_bytes());
        word[31] = text.len() as u8;
        word
    };
    [
        domain_separator(chain_id, implementation),
        word_from_u128(chain_id.into()),
        word_from_address(&implementation.0),
        keccak256(NAME),
        keccak256(VERSION),
        short(NAME),
        short(VERSION),
    ]
}

/// The digest that a trainer signs `Join(address trainer,uint256 nonce,uint256 validUntil)` in the project's domain.
fn digest(chain_id: u64, project: Address, trainer: Address, nonce: U256, valid_until: u64) -> [u8; 32] {
    let hash = |text: &str| Token::FixedBytes(keccak256(text).to_vec());
    let address = |address: Address| Token::Address(H160(address.0));
    let domain = domain_separator(chain_id, project);
    let join = keccak256(ethers::abi::encode(&[
        hash("Join(address trainer,uint256 nonce,uint256 validUntil)"),
        address(trainer),
        Token::Uint(nonce),
        Token::Uint(valid_until.into()),
    ]));
    keccak256([&[0x19, 0x01], &domain[..], &join[..]].concat())
}

impl Project {
    /// Signs a join of the wallet for [`Self::join_for`] and sends nothing. It is invalid after `valid_until` (Unix seconds),
    /// and once another signed join of this wallet was used.
    ///
    /// # Errors
    /// [`ChainError::NoWallet`], the node's faults.
    pub async fn sign_join(&self, valid_until: u64) -> Result<SignedJoin, ChainError> {
        let wallet = self.chain().wallet("signing a join")?;
        let trainer = wallet.address();
        let call = bindings::NoncesCall { account: H160(trainer.0) };
        let nonce: bindings::NoncesReturn = self.view(call, None).await?;
        let digest = digest(self.chain().chain_id(), self.address(), trainer, nonce.0, valid_until);
        let signature = wallet.signer.sign_hash(H256(digest));
        let signature = signature.map_err(|e| ChainError::decode("the signature of a join", e))?.to_vec();
        Ok(SignedJoin { trainer, valid_until, signature })
    }

    /// Joins the trainer who signed. This wallet pays the stake, which then belongs to the trainer.
    ///
    /// # Errors
    /// See [`Self::join`].
    pub async fn join_for(&self, join: &SignedJoin) -> Result<Receipt, ChainError> {
        let call = bindings::JoinForCall {
            trainer: H160(join.trainer.0),
            valid_until: join.valid_until.into(),
            signature: Bytes::from(join.signature.clone()),
        };
        self.pay("joining for another in project", call, Until::PhaseEnds, self.terms().stake).await
    }
}
