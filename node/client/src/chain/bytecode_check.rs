//! Checks that a contract is what it claims to be: its code is that of this version, and the factory of this version created
//! it.
//!
//! ```text
//! project = clone (EIP-1167) of Project, terms appended     created by ProjectFactory
//!              |                                                  |
//!              v immutables                                       v immutables
//!  factory, KeyRegistry, RoundVerifier, RangeVerifier      KeyRegistry, RoundVerifier, RangeVerifier, Project
//! ```
//!
//! A deployer also writes the first storage, so code alone proves little: a project whose constructor filled its storage
//! could owe its owner every stake. Therefore the factory itself must have created the project. For the same reason the
//! verifier's copy of the project's key is compared with the pinned key, and not only the registry's.

use ethers::abi::Tokenizable;
use ethers::contract::EthEvent;
use ethers::providers::Middleware;
use ethers::types::{BlockId, BlockNumber, Bytes, Filter, H160, H256, U64};
use ethers::utils::get_contract_address;
use fairshare_circuits::{
    g2_words, key_circuits, point_words, verifying_key_words, AssessmentCircuit, KzgKey, PinnedKeys,
};
use fairshare_contracts::bindings::{self, key_registry, project_factory};
use fairshare_contracts::RuntimeCode;
use fairshare_protocol::{word_from_address, word_from_u128, Address};

use super::client::Chain;
use super::error::ChainError;
use super::signed_join::signing_domain;
use super::{Market, Project, Terms};
use crate::retry::while_lagging;

const PROJECT: &str = "project";
const FACTORY: &str = "project factory";
/// The minimal proxy of EIP-1167, before and behind the address whose code it runs. What follows is data.
const CLONE_HEAD: [u8; 10] = [0x36, 0x3d, 0x3d, 0x37, 0x3d, 0x3d, 0x3d, 0x36, 0x3d, 0x73];
const CLONE_TAIL: [u8; 15] =
    [0x5a, 0xf4, 0x3d, 0x82, 0x80, 0x3e, 0x90, 0x3d, 0x91, 0x60, 0x2b, 0x57, 0xfd, 0x5b, 0xf3];

/// The address whose code a clone runs, and the data appended to its own code; `None` for any other code.
fn clone_parts(code: &[u8]) -> Option<(Address, &[u8])> {
    let (target, rest) = code.strip_prefix(&CLONE_HEAD)?.split_first_chunk::<20>()?;
    Some((Address(*target), rest.strip_prefix(&CLONE_TAIL)?))
}

/// `abi.encode(terms)`.
fn encoded_terms(terms: &Terms) -> Vec<u8> {
    ethers::abi::encode(&[bindings::Terms::from(terms).into_token()])
}

/// The contract with the verifier's copy of a project's key, and its expected code: a STOP and the words of the key. The
/// verifier's constructor created one for every circuit, in the order in which the keys are registered.
fn key_copy(verifier: Address, terms: &Terms) -> Option<(Address, Vec<u8>)> {
    let known = |circuit: &AssessmentCircuit| (circuit.rule.id(), circuit.size) == (terms.rule, terms.slots);
    let (circuit, number) = key_circuits().zip(1u64..).find(|(circuit, _)| known(circuit))?;
    let keys = PinnedKeys::load();
    let words = verifying_key_words(keys.verifying_key(circuit.rule, circuit.size)?);
    let copy = get_contract_address(H160(verifier.0), number);
    Some((Address(copy.0), [&[0], words.as_flattened()].concat()))
}

/// The contract under check, for error messages.
struct Subject<'a> {
    chain: &'a Chain,
    what: &'static str,
    address: Address,
}

impl Subject<'_> {
    fn refuse(&self, reason: impl Into<String>) -> ChainError {
        ChainError::NotGenuine { what: self.what, address: self.address, reason: reason.into() }
    }

    async fn require(&self, part: &str, at: Address, expected: Option<Vec<u8>>) -> Result<(), ChainError> {
        if expected.as_deref() == Some(&*self.chain.code(at, None).await?) {
            return Ok(());
        }
        Err(self.refuse(format!("{part} at {at} has other code")))
    }

    async fn market(&self, market: &Market) -> Result<(), ChainError> {
        let registry = word_from_address(&market.key_registry.0);
        let keys_hash = PinnedKeys::load().hash();
        let kzg = KzgKey::dev();
        let [one, x, square] = kzg.g2.each_ref().map(g2_words);
        let shared = [&[registry, keys_hash][..], &one, &x].concat();
        let words = [&shared[..], &point_words(&kzg.x1), &square].concat();
        let code = RuntimeCode::round_verifier().with(&words);
        self.require("its verifier", market.round_verifier, code).await?;
        let code = RuntimeCode::range_verifier().with(&shared);
        self.require("its range verifier", market.range_verifier, code).await?;
        let code = RuntimeCode::key_registry().with(&[word_from_u128(1), keys_hash]);
        self.require("its key registry", market.key_registry, code).await
    }

    /// Checks the contract that holds the key of a circuit, which only the registry's storage names.
    async fn verifying_key(&self, market: &Market, terms: &Terms) -> Result<(), ChainError> {
        let call = key_registry::VerifyingKeyCall { rule: terms.rule, size: terms.slots };
        let key: key_registry::VerifyingKeyReturn =
            self.chain.view(market.key_registry, "key registry", call, None).await?;
        let ours = fairshare_contracts::verifying_keys()
            .into_iter()
            .find(|key| (key.rule, key.size) == (terms.rule, terms.slots));
        self.require("its verifying key", Address(key.key.0), ours.map(|key| key.runtime.to_vec())).await?;
        let copy = key_copy(market.round_verifier, terms);
        let (at, code) =
            copy.ok_or_else(|| self.refuse("this version has no key for its rule and number of slots"))?;
        self.require("its verifier's copy of the key", at, Some(code)).await
    }

    async fn factory(&self, market: &Market, implementation: Address) -> Result<Vec<u8>, ChainError> {
        let words = [market.key_registry, market.round_verifier, market.range_verifier, implementation];
        let code = RuntimeCode::project_factory().with(&words.map(|address| word_from_address(&address.0)));
        self.require("its factory", market.factory, code.clone()).await?;
        Ok(code.unwrap_or_default())
    }

    async fn implementation(&self, market: &Market, at: Address) -> Result<(), ChainError> {
        let Market { factory, key_registry, round_verifier, range_verifier } = *market;
        let addresses = [factory, key_registry, round_verifier, range_verifier, at];
        let mut words = signing_domain(self.chain.chain_id(), at).to_vec();
        words.extend(addresses.map(|address| word_from_address(&address.0)));
        let code = RuntimeCode::project().with(&words);
        self.require("the code that it runs,", at, code).await
    }

    /// Checks that the factory's code created the project: the factory was called directly, or had its code a block before.
    async fn creation(&self, factory: Address, code: &[u8]) -> Result<(), ChainError> {
        let provider = &self.chain.inner.provider;
        let mut project = H256::zero();
        project.0[12..].copy_from_slice(&self.address.0);
        let filter = Filter::new()
            .address(H160(factory.0))
            .topic0(project_factory::ProjectCreatedFilter::signature())
            .topic1(project)
            .from_block(0);
        // As for code: a node that is some blocks behind does not have the event yet.
        let found =
            while_lagging(|| self.created(&filter, factory, project), |found| matches!(found, Ok(None)));
        let Some((hash, block)) = found.await? else {
            return Err(self.refuse("its factory has no event of its creation"));
        };
        let question = provider.get_transaction(hash);
        let transaction = self.chain.ask("eth_getTransactionByHash", question).await?;
        if transaction.is_some_and(|t| t.to == Some(H160(factory.0))) {
            return Ok(());
        }
        let before = block.as_u64().saturating_sub(1);
        if self.chain.code(factory, Some(before)).await? == code {
            return Ok(());
        }
        Err(self.refuse("it was created before its factory had its code"))
    }

    /// Transaction and block of the factory's event of the project's creation.
    async fn created(
        &self,
        filter: &Filter,
        factory: Address,
        project: H256,
    ) -> Result<Option<(H256, U64)>, ChainError> {
        let logs = self.chain.ask("eth_getLogs", self.chain.inner.provider.get_logs(filter)).await?;
        let created = logs.iter().find(|log| {
            log.address.0 == factory.0 && log.topics.get(1) == Some(&project) && log.removed != Some(true)
        });
        Ok(created.and_then(|log| Some((log.transaction_hash?, log.block_number?))))
    }
}

impl Project {
    /// Checks that the project's code, terms, keys and verifier are those of this version and that the factory of this
    /// version made it.
    ///
    /// # Errors
    /// [`ChainError::NotGenuine`] names the part that differs; the node's faults.
    pub async fn check_genuine(&self) -> Result<(), ChainError> {
        let subject = Subject { chain: self.chain(), what: PROJECT, address: self.address() };
        let code = self.chain().code(self.address(), None).await?;
        let (implementation, arguments) = clone_parts(&code)
            .ok_or_else(|| subject.refuse("its code is not a minimal proxy with terms appended"))?;
        if arguments != encoded_terms(self.terms()) {
            return Err(subject.refuse("the terms in its code differ from those that it returns"));
        }
        let market = self.market().await?;
        subject.implementation(&market, implementation).await?;
        subject.market(&market).await?;
        subject.verifying_key(&market, self.terms()).await?;
        let factory = subject.factory(&market, implementation).await?;
        subject.creation(market.factory, &factory).await
    }
}

impl Market {
    /// Checks that the code of factory, verifier and registry is that of this version.
    ///
    /// # Errors
    /// [`ChainError::NotGenuine`] names the part that differs; the node's faults.
    pub(super) async fn check_genuine(&self, chain: &Chain) -> Result<(), ChainError> {
        let subject = Subject { chain, what: FACTORY, address: self.factory };
        let answer: project_factory::ImplementationReturn =
            chain.view(self.factory, FACTORY, project_factory::ImplementationCall, None).await?;
        let implementation = Address(answer.0 .0);
        subject.factory(self, implementation).await?;
        subject.implementation(self, implementation).await?;
        subject.market(self).await
    }
}

impl Chain {
    /// The code at an address, at the end of `block` or of the latest one; empty where there is none. Where the latest
    /// block has none we read again for a while: the contract may be new, and the node some blocks behind.
    pub(super) async fn code(&self, address: Address, block: Option<u64>) -> Result<Vec<u8>, ChainError> {
        let block = block.map(|number| BlockId::Number(BlockNumber::Number(number.into())));
        let read = || self.ask("eth_getCode", self.inner.provider.get_code(H160(address.0), block));
        let lags =
            |code: &Result<Bytes, ChainError>| block.is_none() && code.as_ref().is_ok_and(|c| c.is_empty());
        Ok(while_lagging(read, lags).await?.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use fairshare_circuits::G1Affine;
    use fairshare_protocol::Specification;

    use super::*;
    use crate::anvil::Anvil;
    use crate::chain::Wallet;

    #[test]
    fn a_clone_is_taken_apart_and_anything_else_refused() {
        let code = [&CLONE_HEAD[..], &[7; 20], &CLONE_TAIL, &[1, 2, 3]].concat();
        assert_eq!(code.len(), 0x2d + 3, "where the contract looks for its terms");
        assert_eq!(clone_parts(&code), Some((Address([7; 20]), &[1, 2, 3][..])));
        assert_eq!(clone_parts(&code[..0x2d]), Some((Address([7; 20]), &[][..])));
        assert_eq!(clone_parts(&code[..0x2c]), None);
        for at in (0..10).chain(30..45) {
            let mut bent = code.clone();
            bent[at] ^= 1;
            assert_eq!(clone_parts(&bent), None, "byte {at}");
        }
        assert_eq!(clone_parts(&[]), None);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_project_with_other_code_or_another_creation_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let anvil = Anvil::start(folder.path()).await;
        let wallet = Wallet::create(&folder.path().join("owner.json"), "secret").unwrap();
        let owner = wallet.address();
        let chain = Chain::connect(&anvil.rpc(), Some(wallet), None).await.unwrap();
        chain.set_test_balance(owner, 1_000_000_000_000_000_000_000).await.unwrap();
        let (market, _) = Market::deploy(&chain).await.unwrap();
        let terms = terms(owner);
        let (address, _) = market.create_project(&chain, &terms).await.unwrap();
        Project::open(&chain, address).await.unwrap();
        Market::open(&chain, market.factory).await.unwrap();

        let refusal = async |address| match Project::open(&chain, address).await.unwrap_err() {
            error @ ChainError::NotGenuine { .. } => error.to_string(),
            other => panic!("{other:?}"),
        };
        // The same code at an address that the factory did not create: its storage could hold anything.
        let code = chain.code(address, None).await.unwrap();
        let copy = Address([0x55; 20]);
        set_code(&chain, copy, &code).await;
        let found = refusal(copy).await;
        let start = format!("{copy} is not a Fairshare project of this version: ");
        assert!(found.starts_with(&start) && found.contains("has no event of its creation"), "{found}");
        set_code(&chain, copy, &[&code[..], &[0]].concat()).await;
        assert!(refusal(copy).await.contains("the terms in its code"));

        let implementation = clone_parts(&code).unwrap().0;
        for (part, at) in [
            ("the code that it runs", implementation),
            ("its verifier", market.round_verifier),
            ("its range verifier", market.range_verifier),
            ("its key registry", market.key_registry),
            ("its factory", market.factory),
        ] {
            let genuine = chain.code(at, None).await.unwrap();
            set_code(&chain, at, &[&genuine[..], &[0]].concat()).await; // after the end: it answers as before
            let found = refusal(address).await;
            assert!(found.contains(part) && found.contains("has other code"), "{found}");
            let error = Market::open(&chain, market.factory).await.unwrap_err();
            assert!(matches!(error, ChainError::NotGenuine { what: FACTORY, .. }), "{error}");
            set_code(&chain, at, &genuine).await;
        }
        // The verifier's constructor writes its copies of the keys; its own code does not contain them.
        let (copy, genuine) = key_copy(market.round_verifier, &terms).unwrap();
        assert_eq!(chain.code(copy, None).await.unwrap(), genuine);
        for at in [0, 1, genuine.len() / 2, genuine.len() - 1] {
            let mut bent = genuine.clone();
            bent[at] ^= 1;
            set_code(&chain, copy, &bent).await;
            let found = refusal(address).await;
            assert!(
                found.contains("its verifier's copy of the key") && found.contains("has other code"),
                "{found}"
            );
        }
        set_code(&chain, copy, &genuine).await;
        Project::open(&chain, address).await.unwrap();
    }

    /// The terms of some project.
    fn terms(owner: Address) -> Terms {
        let spec = Specification::from_toml(
            r#"
            name = "tiny"
            model = { kind = "logistic", inputs = 4, classes = 2 }
            participation = { min_trainers = 3, max_trainers = 4, min_active = 3, stake = "1 ether", bond = "2 ether" }
            reward = { rounds = 1, per_round = "3 ether", aggregator_fee = "1 ether" }
            "#,
        )
        .unwrap();
        Terms::from_specification(&spec, owner, Address([0xbb; 20]), [1; 32], G1Affine::identity(), [2; 32])
    }

    async fn set_code(chain: &Chain, at: Address, code: &[u8]) {
        let parameters = (H160(at.0), Bytes::from(code.to_vec()));
        chain.inner.provider.request::<_, ()>("anvil_setCode", parameters).await.unwrap();
    }
}
