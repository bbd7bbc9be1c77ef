//! A market: a factory of projects, with the key registry and the verifiers that they share.

use ethers::abi::{AbiEncode, Token, Tokenizable};
use ethers::contract::EthEvent;
use ethers::types::{Bytes, H160};
use fairshare_circuits::{g2_words, KzgKey, PinnedKeys};
use fairshare_contracts::bindings::{key_registry, project_factory};
use fairshare_protocol::Address;

use super::client::{action, Chain};
use super::convert::{from_word, to_words};
use super::error::ChainError;
use super::types::{Receipt, Terms};

const FACTORY: &str = "project factory";
const REGISTRY: &str = "key registry";

/// The contracts that projects share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Market {
    /// Creates projects.
    pub factory: Address,
    /// Stores the keys.
    pub key_registry: Address,
    /// Checks the proofs of rounds.
    pub round_verifier: Address,
    /// Checks the range proofs.
    pub range_verifier: Address,
}

impl Market {
    /// Deploys a market with the committed keys. Returns it with the name and receipt of each contract.
    ///
    /// # Errors
    /// The contracts' refusals (such as DEV keys outside a test chain), [`ChainError::InsufficientFunds`], the node's faults.
    pub async fn deploy(chain: &Chain) -> Result<(Self, Vec<(String, Receipt)>), ChainError> {
        let mut receipts = Vec::new();
        let mut keys = Vec::new();
        for key in fairshare_contracts::verifying_keys() {
            let address = deploy(chain, &key.name, &key.bytecode, &[], &mut receipts).await?;
            keys.push(Token::Address(H160(address.0)));
        }
        let kzg = KzgKey::dev();
        let x1 = to_words(&kzg.x1).map(Token::Uint).to_vec();
        let g2 = kzg.g2.iter().flat_map(g2_words).map(|w| Token::Uint(from_word(w))).collect();
        let arguments = [Token::Bool(true), Token::FixedArray(x1), Token::FixedArray(g2), Token::Array(keys)];
        let code = fairshare_contracts::key_registry_bytecode();
        let key_registry = deploy(chain, "KeyRegistry", &code, &arguments, &mut receipts).await?;
        let registry = H160(key_registry.0).into_token();
        let code = fairshare_contracts::round_verifier_bytecode();
        let round_verifier =
            deploy(chain, "RoundVerifier", &code, std::slice::from_ref(&registry), &mut receipts).await?;
        let code = fairshare_contracts::range_verifier_bytecode();
        let range_verifier =
            deploy(chain, "RangeVerifier", &code, std::slice::from_ref(&registry), &mut receipts).await?;
        let verifiers = [round_verifier, range_verifier].map(|address| H160(address.0).into_token());
        let arguments = [&[registry], &verifiers[..]].concat();
        let code = fairshare_contracts::project_factory_bytecode();
        let factory = deploy(chain, "ProjectFactory", &code, &arguments, &mut receipts).await?;
        let market = Self { factory, key_registry, round_verifier, range_verifier };
        market.require_our_keys(chain).await?;
        Ok((market, receipts))
    }

    /// Opens the market of a factory and checks that its contracts and keys are those of this version.
    ///
    /// # Errors
    /// [`ChainError::NoCode`], [`ChainError::OtherContract`] and [`ChainError::NotGenuine`]; the node's faults.
    pub async fn open(chain: &Chain, factory: Address) -> Result<Self, ChainError> {
        chain.require_code(factory, FACTORY).await?;
        let registry: project_factory::KeyRegistryReturn =
            chain.view(factory, FACTORY, project_factory::KeyRegistryCall, None).await?;
        let verifier: project_factory::RoundVerifierReturn =
            chain.view(factory, FACTORY, project_factory::RoundVerifierCall, None).await?;
        let range_proof: project_factory::RangeVerifierReturn =
            chain.view(factory, FACTORY, project_factory::RangeVerifierCall, None).await?;
        // A project answers the calls above as well.
        let question = project_factory::IsProjectCall { project: H160::zero() };
        let _: project_factory::IsProjectReturn = chain.view(factory, FACTORY, question, None).await?;
        let market = Self {
            factory,
            key_registry: Address(registry.0 .0),
            round_verifier: Address(verifier.0 .0),
            range_verifier: Address(range_proof.0 .0),
        };
        market.require_our_keys(chain).await?;
        market.check_genuine(chain).await?;
        Ok(market)
    }

    /// Creates a project with its whole reward in escrow.
    ///
    /// # Errors
    /// The contract's refusal, [`ChainError::InsufficientFunds`], the node's faults.
    pub async fn create_project(
        &self,
        chain: &Chain,
        terms: &Terms,
    ) -> Result<(Address, Receipt), ChainError> {
        let call = project_factory::CreateProjectCall { terms: terms.into() };
        let what = action("the creation of a project by factory", self.factory);
        let value = match terms.token {
            None => terms.deposit(),
            Some(token) => {
                chain.allow(&what, token, self.factory, terms.deposit(), None).await?;
                0
            }
        };
        let mined = chain.send(&what, Some(self.factory), call.encode().into(), value, None).await?;
        let created = mined.logs.iter().filter(|(from, _)| *from == self.factory);
        let project = created
            .filter_map(|(_, log)| project_factory::ProjectCreatedFilter::decode_log(log).ok())
            .map(|event| Address(event.project.0))
            .next();
        let project = project.ok_or_else(|| {
            let hash = hex::encode(mined.receipt.transaction);
            ChainError::decode(format!("the receipt of the creation 0x{hash}"), "it names no project")
        })?;
        Ok((project, mined.receipt))
    }

    /// This version proves and audits with the committed keys; under any others nothing would verify.
    async fn require_our_keys(&self, chain: &Chain) -> Result<(), ChainError> {
        let call = key_registry::KeysHashCall;
        let theirs: key_registry::KeysHashReturn =
            chain.view(self.key_registry, REGISTRY, call, None).await?;
        let ours = PinnedKeys::load().hash();
        if theirs.0 != ours {
            let (theirs, ours) = (hex::encode(theirs.0), hex::encode(ours));
            let reason = format!(
                "its keys hash to 0x{theirs}, those of this program to 0x{ours}: another version deployed it"
            );
            return Err(ChainError::OtherContract { what: REGISTRY, address: self.key_registry, reason });
        }
        Ok(())
    }
}

async fn deploy(
    chain: &Chain,
    name: &str,
    bytecode: &Bytes,
    arguments: &[Token],
    receipts: &mut Vec<(String, Receipt)>,
) -> Result<Address, ChainError> {
    let mut data = bytecode.to_vec();
    data.extend(ethers::abi::encode(arguments));
    let mined = chain.send(&format!("the deployment of {name}"), None, data.into(), 0, None).await?;
    let address = mined.contract.ok_or_else(|| {
        let hash = hex::encode(mined.receipt.transaction);
        ChainError::decode(format!("the receipt 0x{hash} of {name}"), "it names no contract")
    })?;
    receipts.push((format!("deploy {name}"), mined.receipt));
    Ok(address)
}
