//! The library's chain part against a real anvil.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::path::Path;

use fairshare_circuits::{
    prove_range, G1Affine, PinnedKeys, RangeProofWords, RangeStatement, RangeTable, ReferenceString,
};
use fairshare_client::{
    seal, Chain, ChainError, EventKind, Market, Phase, Project, SignedJoin, Terms, Wallet,
};
use fairshare_protocol::{Address, SlotMask, Specification};
use support::anvil::Anvil;
use support::server::{answering, http};

const ETHER: u128 = 1_000_000_000_000_000_000;

struct Network {
    anvil: Anvil,
    wallets: Vec<Wallet>,
}

impl Network {
    /// A chain and six wallets with 1000 ether each.
    async fn start(folder: &Path) -> Self {
        let anvil = Anvil::start(folder).await;
        let wallet = |index| {
            let path = folder.join(format!("wallet-{index}.json"));
            tokio::task::spawn_blocking(move || Wallet::create(&path, "secret").unwrap())
        };
        let tasks: Vec<_> = (0..6).map(wallet).collect();
        let chain = Chain::connect(&anvil.rpc(), None, Some(31337)).await.unwrap();
        let mut wallets = vec![];
        for task in tasks {
            let wallet = task.await.unwrap();
            chain.set_test_balance(wallet.address(), 1000 * ETHER).await.unwrap();
            wallets.push(wallet);
        }
        Self { anvil, wallets }
    }

    async fn chain(&self, index: usize) -> Chain {
        Chain::connect(&self.anvil.rpc(), Some(self.wallets[index].clone()), Some(31337)).await.unwrap()
    }

    fn address(&self, index: usize) -> Address {
        self.wallets[index].address()
    }
}

fn specification() -> Specification {
    Specification::from_toml(
        r#"
        name = "tiny"
        [model]
        kind = "logistic"
        inputs = 4
        classes = 2
        [participation]
        min_trainers = 3
        max_trainers = 4
        min_active = 3
        stake = "1 ether"
        bond = "2 ether"
        [reward]
        rounds = 1
        per_round = "3 ether"
        aggregator_fee = "1 ether"
        "#,
    )
    .unwrap()
}

fn reference() -> ReferenceString {
    ReferenceString::open_dev(&std::env::temp_dir().join("fairshare-test-data"), 256).unwrap()
}

/// An update that anybody can make, with `d` entries.
fn update(n: u64, dimension: u32) -> Vec<i16> {
    let mut update = vec![0; dimension as usize];
    (update[0], update[1]) = (n as i16, 1);
    update
}

/// Its commitment.
fn point(n: u64) -> G1Affine {
    reference().commit_update(&update(n, 2)).unwrap()
}

/// Its range proof, for round 1 and one trainer.
fn range_proof(project: &Project, trainer: Address, n: u64) -> RangeProofWords {
    let terms = project.terms();
    let statement = RangeStatement {
        chain_id: project.chain().chain_id(),
        project: project.address().0,
        round: 1,
        trainer: trainer.0,
        dimension: terms.dimension,
        table: RangeTable::from_id(terms.table).unwrap(),
        keys_hash: PinnedKeys::load().hash(),
        commitment: point(n),
    };
    prove_range(&reference(), &statement, &update(n, terms.dimension)).unwrap().words()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_read_back_as_it_was_written_and_its_round_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let network = Network::start(folder.path()).await;
    let owner = network.chain(0).await;
    let (market, receipts) = Market::deploy(&owner).await.unwrap();
    assert!(receipts.iter().all(|(name, r)| name.starts_with("deploy ") && r.gas_used > 100_000));
    assert_eq!(Market::open(&owner, market.factory).await.unwrap(), market);

    let spec = specification();
    let terms =
        Terms::from_specification(&spec, network.address(0), network.address(1), [7; 32], point(5), [8; 32]);
    assert_eq!(terms.deposit(), 4 * ETHER);
    let (address, _) = market.create_project(&owner, &terms).await.unwrap();
    let project = Project::open(&owner, address).await.unwrap();
    assert_eq!(*project.terms(), terms);
    assert_eq!(project.market().await.unwrap(), market);
    let status = project.status().await.unwrap();
    assert_eq!((status.phase, status.round, status.escrow), (Phase::Registration, 0, 4 * ETHER));
    assert_eq!((status.model, status.model_cid), (point(5), [8; 32]));
    assert!(status.deadline > status.now && status.trainers.is_empty() && !status.bond_placed);

    let as_wallet = async |index| Project::open(&network.chain(index).await, address).await.unwrap();
    as_wallet(1).await.place_bond().await.unwrap();
    let mut trainers = Vec::new();
    for index in 2..6 {
        let trainer = as_wallet(index).await;
        if index == 2 {
            // Signed by the trainer, sent and paid by the owner, and good once.
            let join = trainer.sign_join(status.now + 3600).await.unwrap();
            let forged = SignedJoin { valid_until: join.valid_until + 1, ..join.clone() };
            let refused = project.join_for(&forged).await.unwrap_err();
            assert!(refused.to_string().contains("InvalidSignature"), "{refused}");
            project.join_for(&join).await.unwrap();
            let refused = project.join_for(&join).await.unwrap_err();
            assert!(refused.to_string().contains("InvalidSignature"), "{refused}");
            assert_eq!(trainer.trainer_state(join.trainer).await.unwrap().stake, terms.stake);
        } else {
            trainer.join().await.unwrap();
        }
        assert!(trainer.is_trainer(network.address(index)).await.unwrap());
        trainers.push(trainer);
    }
    let status = project.status().await.unwrap();
    assert_eq!((status.phase, status.round, status.bond_placed), (Phase::Commit, 1, true));
    assert_eq!(status.trainers, (2..6).map(|i| network.address(i)).collect::<Vec<_>>());

    for (i, trainer) in trainers.iter().enumerate() {
        let me = network.address(i + 2);
        let (point, seal) = (point(i as u64), seal([i as u8; 32], me, [9; 32]));
        let mut stolen = range_proof(&project, network.address(0), i as u64);
        let refused = trainer.commit_update(1, &point, seal, &stolen).await.unwrap_err();
        assert!(
            matches!(&refused, ChainError::Refused { reason, .. } if reason.contains("RangeIdentityFailed")),
            "{refused}"
        );
        stolen = range_proof(&project, me, i as u64);
        let receipt = trainer.commit_update(1, &point, seal, &stolen).await.unwrap();
        let call = project.commit_call(receipt.transaction).await.unwrap().unwrap();
        assert_eq!((call.round, call.commitment, call.seal, call.range_proof), (1, point, seal, stolen));
        assert!(receipt.gas_used > 30_000 && receipt.block > 0);
        assert_eq!(trainer.slot_of(1, me).await.unwrap(), Some(i as u8));
    }
    assert_eq!(project.slot_of(1, network.address(0)).await.unwrap(), None);
    let wrong = trainers[0].reveal_update(1, [1; 32], [9; 32]).await.unwrap_err();
    assert!(
        matches!(&wrong, ChainError::Refused { reason, .. } if reason.contains("RevealMismatch")),
        "{wrong}"
    );
    for (i, trainer) in trainers.iter().enumerate().take(3) {
        trainer.reveal_update(1, [i as u8; 32], [9; 32]).await.unwrap();
    }
    let state = project.round_state(1).await.unwrap();
    assert_eq!((state.committed, state.revealed), (4, SlotMask::lowest(3)));
    let committed = project.committed(1).await.unwrap();
    let slots: Vec<_> = committed.iter().map(|c| (c.slot, c.trainer, c.commitment)).collect();
    assert_eq!(slots, (0..4).map(|i| (i as u8, network.address(i + 2), point(i as u64))).collect::<Vec<_>>());
    let revealed: Vec<_> = project.revealed(1).await.unwrap().iter().map(|r| (r.slot, r.cid)).collect();
    assert_eq!(revealed, (0..3).map(|i| (i, [i; 32])).collect::<Vec<_>>());
    assert!(
        project.committed(2).await.unwrap().is_empty() && project.settlements().await.unwrap().is_empty()
    );

    let history = project.history().await.unwrap();
    let count = |is: fn(&EventKind) -> bool| history.iter().filter(|e| is(&e.kind)).count();
    assert_eq!(count(|k| matches!(k, EventKind::Joined { stake: ETHER, .. })), 4);
    assert_eq!(count(|k| matches!(k, EventKind::Committed { round: 1, .. })), 4);
    assert_eq!(count(|k| matches!(k, EventKind::Revealed { round: 1, .. })), 3);
    assert!(
        matches!(history[0].kind, EventKind::Opened { deposit, .. } if deposit == 4 * ETHER),
        "{:?}",
        history[0]
    );
    assert!(history.iter().all(|e| e.gas_used > 20_000 && e.block > 0));
    let not_settled = project.settlement_call(history[1].transaction).await.unwrap_err();
    assert!(matches!(not_settled, ChainError::Decode { .. }), "{not_settled}");
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_of_one_wallet_in_parallel_get_nonces_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let network = Network::start(folder.path()).await;
    let owner = network.chain(0).await;
    let (market, _) = Market::deploy(&owner).await.unwrap();
    let terms = Terms::from_specification(
        &specification(),
        network.address(0),
        network.address(1),
        [7; 32],
        point(5),
        [8; 32],
    );
    let create = || market.create_project(&owner, &terms);
    let (a, b, c) = tokio::join!(create(), create(), create());
    let created = [a.unwrap().0, b.unwrap().0, c.unwrap().0];
    assert!(created[0] != created[1] && created[1] != created[2] && created[0] != created[2]);
    // A clone of the chain has the same queue; another connection of the same wallet afterwards goes on behind it.
    network.chain(0).await;
    market.create_project(&network.chain(0).await, &terms).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_paid_or_would_be_refused_is_never_sent() {
    let folder = tempfile::tempdir().unwrap();
    let network = Network::start(folder.path()).await;
    let owner = network.chain(0).await;
    let (market, _) = Market::deploy(&owner).await.unwrap();
    let before = owner.balance(network.address(0)).await.unwrap();
    let terms = Terms::from_specification(
        &specification(),
        network.address(0),
        network.address(1),
        [7; 32],
        point(5),
        [8; 32],
    );
    let bad = Terms { trim: 200, ..terms.clone() };
    let error = market.create_project(&owner, &bad).await.unwrap_err();
    assert!(
        matches!(&error, ChainError::Refused { reason, .. } if reason.contains("InvalidTerms")),
        "{error}"
    );
    let stranger = network.chain(3).await;
    let error = market.create_project(&stranger, &terms).await.unwrap_err();
    assert!(matches!(error, ChainError::Refused { .. }), "only the owner may: {error}");

    let (project, _) = market.create_project(&owner, &terms).await.unwrap();
    let poor = network.address(4);
    for (has, needs_more_than) in [(0, ETHER), (ETHER / 2, ETHER), (ETHER, ETHER), (ETHER + 1000, ETHER)] {
        owner.set_test_balance(poor, has).await.unwrap();
        let error = Project::open(&network.chain(4).await, project).await.unwrap().join().await.unwrap_err();
        match error {
            ChainError::InsufficientFunds { wallet, has: said, needs, value, .. } => {
                assert_eq!((wallet, said, value), (poor, has, ETHER));
                assert!(needs >= needs_more_than && needs > has);
            }
            other => panic!("{other}"),
        }
        assert_eq!(owner.balance(poor).await.unwrap(), has, "nothing was spent");
    }
    let reader = Chain::connect(&network.anvil.rpc(), None, None).await.unwrap();
    let error = Project::open(&reader, project).await.unwrap().join().await.unwrap_err();
    assert!(error.to_string().contains("--wallet"), "{error}");
    assert!(before > owner.balance(network.address(0)).await.unwrap(), "the one that was created is paid");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_chains_and_addresses_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let network = Network::start(folder.path()).await;
    let rpc = network.anvil.rpc();
    let error = Chain::connect(&rpc, None, Some(1)).await.unwrap_err();
    assert_eq!(error, ChainError::WrongChain { rpc: rpc.clone(), expected: 1, found: 31337 });
    let chain = network.chain(0).await;
    let error = Project::open(&chain, Address([9; 20])).await.unwrap_err();
    assert!(matches!(error, ChainError::NoCode { what: "project", chain_id: 31337, .. }), "{error}");
    let (market, _) = Market::deploy(&chain).await.unwrap();
    let error = Project::open(&chain, market.factory).await.unwrap_err();
    assert!(matches!(error, ChainError::OtherContract { what: "project", .. }), "{error}");
    let error = Market::open(&chain, market.key_registry).await.unwrap_err();
    assert!(matches!(error, ChainError::OtherContract { what: "project factory", .. }), "{error}");
}

#[tokio::test]
async fn an_rpc_where_nothing_listens_or_something_else_does_is_named() {
    for bad in ["", "127.0.0.1:8545", "ws://127.0.0.1:8545", "http://", "https://127.0.0.1:8545"] {
        let error = Chain::connect(bad, None, None).await.unwrap_err();
        assert!(matches!(error, ChainError::BadAddress { .. }), "{bad}: {error}");
        assert!(error.to_string().contains("http://127.0.0.1:8545"), "{error}");
    }
    let error = Chain::connect("http://127.0.0.1:1", None, None).await.unwrap_err();
    assert!(matches!(error, ChainError::Unreachable { .. }) && error.is_node_fault(), "{error:?}");
    assert!(
        error.to_string().contains("http://127.0.0.1:1 ") && error.to_string().contains("fairshare devnet"),
        "{error}"
    );
    let page = answering(http("404 Not Found", b"<html>not here</html>"), false).await;
    let error = Chain::connect(&page, None, None).await.unwrap_err();
    assert!(matches!(&error, ChainError::Rpc { rpc, .. } if *rpc == page), "{error:?}");
}
