//! Markets on a network that loses, delays and reorders: every participant reaches chain and content through proxies of
//! its own. What has to hold: the network's faults cost nobody a stake, a bond, a seat or a round.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use fairshare_client::{Chain, EventKind, Project};
use fairshare_tests::{Background, Behaviour, ChainFaults, Fault, FaultId, FaultProxy, Market, Options};
use serde_json::{json, Value};

/// Long enough for a machine with eight times the load that it has cores for.
const SOON: Duration = Duration::from_secs(240);
const STAKE: u128 = 100_000_000_000_000_000;
const BOND: u128 = 1_000_000_000_000_000_000;
const FEE: u128 = 50_000_000_000_000_000;
/// A latency that a test ends itself, by removing the fault.
const HELD: Behaviour = Behaviour::Latency(SOON);

/// A market in which every participant has proxies of its own before chain and content.
struct Network {
    market: Market,
    chain: BTreeMap<String, FaultProxy>,
    content: BTreeMap<String, FaultProxy>,
    _folder: tempfile::TempDir,
}

/// The processes of a market.
struct Running {
    aggregator: Background,
    trainers: Vec<Background>,
}

impl Network {
    fn open(trainers: u8, rounds: u16, adjust: impl FnOnce(String) -> String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { trainers, rounds, ..Options::small(&[]) };
        let market = Market::open(&options, folder.path(), adjust, &mut |_| {}).unwrap();
        Self::around(market, folder)
    }

    fn around(mut market: Market, folder: tempfile::TempDir) -> Self {
        let (mut chain, mut content) = (BTreeMap::new(), BTreeMap::new());
        let trainers = market.trainers.iter().map(|trainer| trainer.name().to_owned());
        for (seed, name) in
            trainers.chain(["aggregator".to_owned()]).collect::<Vec<_>>().into_iter().enumerate()
        {
            let rpc = FaultProxy::start(&market.rpc, seed as u64).unwrap();
            let ipfs = FaultProxy::start(&market.ipfs, 100 + seed as u64).unwrap();
            market.route(&name, &rpc.url(), &ipfs.url());
            chain.insert(name.clone(), rpc);
            content.insert(name, ipfs);
        }
        Self { market, chain, content, _folder: folder }
    }

    fn faults(&self) -> ChainFaults {
        ChainFaults::new(&self.market.rpc)
    }

    fn trainer(&self, index: usize) -> &FaultProxy {
        &self.chain[self.market.trainers[index].name()]
    }

    /// The chain proxies of all trainers.
    fn trainers(&self) -> impl Iterator<Item = &FaultProxy> {
        self.market.trainers.iter().map(|trainer| &self.chain[trainer.name()])
    }

    /// Switches a fault on in the chain proxies of all trainers.
    fn inject_for_trainers(&self, fault: &Fault) -> Vec<FaultId> {
        self.trainers().map(|proxy| proxy.inject(fault.clone())).collect()
    }

    fn start(&self) -> Running {
        let aggregator = self.market.start_aggregator().unwrap();
        let trainers =
            (0..self.market.trainers.len()).map(|i| self.market.start_trainer(i).unwrap()).collect();
        Running { aggregator, trainers }
    }

    /// Every round was settled, and no stake, bond, seat or round was lost.
    fn assert_no_loss(&self) {
        let losses = losses(&self.market);
        assert!(losses.is_empty(), "{losses:?}");
        let rounds = u64::from(self.market.options().rounds);
        let shown = self.market.show().unwrap();
        assert_eq!(shown["settled"], rounds, "{shown}");
    }

    /// The same, everybody was paid for the rounds, and the audit agrees.
    fn assert_nobody_lost_anything(&self) {
        self.assert_no_loss();
        let rounds = u64::from(self.market.options().rounds);
        for trainer in &self.market.trainers {
            let paid = self.market.withdraw(trainer.name()).unwrap();
            assert!(paid > STAKE, "{}: stake and pay came to {paid}", trainer.name());
        }
        let aggregator = self.market.withdraw("aggregator").unwrap();
        assert_eq!(aggregator, BOND + u128::from(rounds) * FEE, "bond and fees");
        assert_eq!(self.market.audit().unwrap()["audit"], "pass");
    }
}

impl Running {
    /// Waits until all processes ended well.
    fn finish(mut self) {
        for process in self.trainers.iter_mut().chain([&mut self.aggregator]) {
            let name = process.name().to_owned();
            assert!(process.wait_end(SOON).unwrap(), "{name} failed{}", process.tail());
        }
    }
}

/// Stakes, bonds and rounds that were lost, by the chain's log.
fn losses(market: &Market) -> Vec<String> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let history = runtime.block_on(async {
        let chain = Chain::connect(&market.rpc, None, None).await.unwrap();
        let project = Project::open(&chain, market.project.parse().unwrap()).await.unwrap();
        project.history().await.unwrap()
    });
    let is_loss = |kind: &EventKind| {
        matches!(
            kind,
            EventKind::StakeSlashed { .. }
                | EventKind::OutlierPenalised { .. }
                | EventKind::BondSlashed { .. }
                | EventKind::Voided { .. }
                | EventKind::Left { .. }
        )
    };
    history
        .into_iter()
        .filter(|event| is_loss(&event.kind))
        .map(|event| format!("{:?}", event.kind))
        .collect()
}

/// Waits for a condition that no event tells of.
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(50)); // polls a condition with a deadline
    }
}

#[test]
fn one_reset_of_the_connection_that_carries_a_reveal_costs_nobody_a_stake() {
    let network = Network::open(5, 1, |toml| toml.replace("reveal = 30", "reveal = 60"));
    let lost = network
        .trainer(2)
        .inject(Fault::new(Behaviour::ResetBefore).on_transactions_of("revealUpdate").times(1));
    network.start().finish();
    assert_eq!(network.trainer(2).injected(lost), 1);
    network.assert_nobody_lost_anything();
}

#[test]
fn random_resets_of_one_call_in_twenty_cost_no_trainer_stake_or_seat_and_no_round() {
    let network = Network::open(6, 2, |toml| toml.replace("= 30\n", "= 60\n"));
    let running = network.start();
    for proxy in network.chain.values() {
        proxy.inject(Fault::new(Behaviour::ResetBefore).with_probability(0.025));
        proxy.inject(Fault::new(Behaviour::ResetAfter).with_probability(0.025));
    }
    running.finish();
    let resets = |proxy: &FaultProxy| {
        let statistics = proxy.statistics();
        statistics.injected("reset-before") + statistics.injected("reset-after")
    };
    let all: u64 = network.chain.values().map(resets).sum();
    assert!(all >= 20, "only {all} resets");
    network.assert_nobody_lost_anything();
}

#[test]
fn reveals_that_a_rising_base_fee_prices_out_are_replaced_and_mined_before_the_deadline() {
    let network = Network::open(6, 1, |toml| toml.replace("reveal = 30", "reveal = 60"));
    let chain = network.faults();
    let held = network.inject_for_trainers(&Fault::new(HELD).on_transactions_of("revealUpdate"));
    let running = network.start();
    for (proxy, id) in network.trainers().zip(&held) {
        proxy.wait_injected(*id, 1, SOON).unwrap();
    }
    // All six have signed at today's price. They arrive while no block is made, and find another price in the next.
    chain.stop_mining().unwrap();
    network.trainers().zip(&held).for_each(|(proxy, id)| proxy.remove(*id));
    wait_until("six pending reveals", || chain.pending().unwrap() == 6);
    let signed: Vec<String> = network
        .trainers()
        .map(|proxy| proxy.statistics().transactions_of("revealUpdate")[0].hash.clone())
        .collect();
    let high = chain.raise_base_fee(50 * chain.base_fee().unwrap().max(1_000_000_000)).unwrap();
    chain.mine_every(1).unwrap();
    for trainer in &running.trainers {
        trainer.wait_for("its reveal", SOON, |e| e["event"] == "revealed").unwrap();
    }
    drop(high);
    for hash in signed {
        let receipt = network.market.call("eth_getTransactionReceipt", json!([hash])).unwrap();
        assert!(receipt.is_null(), "mined at the old price: {receipt}");
    }
    running.finish();
    network.assert_nobody_lost_anything();
}

#[test]
fn a_settlement_that_a_node_swallows_is_sent_again_and_the_aggregator_keeps_bond_and_fee() {
    let network = Network::open(5, 1, |toml| toml);
    let proxy = &network.chain["aggregator"];
    proxy.inject(Fault::new(Behaviour::SwallowTransaction).on_transactions_of("settle").times(1));
    network.start().finish();
    assert_eq!(proxy.statistics().injected("swallow-transaction"), 1);
    network.assert_nobody_lost_anything();
}

/// A round in Attest whose last trainer holds its attestation back; then a reorganisation of this many blocks more than
/// there were since Attest opened.
fn reorganise_during_attest(deeper: u64) -> Network {
    let network = Network::open(5, 1, |toml| toml.replace("= 30\n", "= 60\n"));
    let chain = network.faults();
    let last = network.trainer(4);
    let held = last.inject(Fault::new(HELD).on_transactions_of("attest"));
    let running = network.start();
    let is_attest = |e: &Value| e["event"] == "phase_opened" && e["phase"] == "attest";
    running.aggregator.wait_for("the attest phase", SOON, is_attest).unwrap();
    let opened = chain.block().unwrap();
    for trainer in &running.trainers[..4] {
        trainer.wait_for("its attestation", SOON, |e| e["event"] == "attested").unwrap();
    }
    last.wait_injected(held, 1, SOON).unwrap();
    chain.reorganise(chain.block().unwrap() - opened + deeper).unwrap();
    last.remove(held);
    running.finish();
    network.assert_no_loss();
    network
}

#[test]
fn a_reorganisation_that_takes_the_attestations_back_does_not_void_the_round() {
    reorganise_during_attest(0).assert_nobody_lost_anything();
}

#[test]
fn a_reorganisation_that_takes_reveals_and_attestations_back_does_not_void_the_round() {
    // The held attestation waits behind the reveal that is sent again; that it is in time, and paid, is not asserted.
    assert_eq!(reorganise_during_attest(3).market.audit().unwrap()["audit"], "pass");
}

#[test]
fn resets_of_a_third_of_all_calls_at_the_start_end_no_program() {
    let network = Network::open(5, 1, |toml| toml);
    for proxy in network.chain.values() {
        proxy.inject(Fault::new(Behaviour::ResetBefore).with_probability(0.15));
        proxy.inject(Fault::new(Behaviour::ResetAfter).with_probability(0.17));
    }
    let running = network.start();
    for trainer in &running.trainers {
        trainer.wait_for("its seat", SOON, |e| e["event"] == "joined").unwrap();
    }
    running.aggregator.wait_for("its start", SOON, |e| e["event"] == "started").unwrap();
    network.chain.values().for_each(FaultProxy::clear);
    running.finish();
    network.assert_nobody_lost_anything();
}

#[test]
fn programs_whose_node_is_gone_end_with_a_message_that_names_it() {
    let network = Network::open(5, 1, |toml| toml);
    for proxy in network.chain.values() {
        proxy.inject(Fault::new(Behaviour::Gone));
    }
    let mut processes =
        [network.market.start_trainer(0).unwrap(), network.market.start_aggregator().unwrap()];
    for process in &mut processes {
        assert!(!process.wait_end(SOON).unwrap(), "{} cannot have done anything", process.name());
        let (said, address) = (process.tail(), network.chain[process.name()].url());
        assert!(said.contains(&address) && said.contains("--rpc"), "{}{said}", process.name());
        assert!(network.chain[process.name()].statistics().injected("gone") > 1, "it tried again");
    }
}

#[test]
fn a_market_with_all_mild_faults_at_once_runs_from_its_creation_to_its_audit() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { rounds: 2, ..Options::small(&[]) };
    let mut proxies = vec![];
    let mild = |proxy: &FaultProxy| {
        let faults = [
            Fault::new(Behaviour::Latency(Duration::from_millis(20))),
            Fault::new(Behaviour::ResetBefore).with_probability(0.01),
            Fault::new(Behaviour::ResetAfter).with_probability(0.01),
            Fault::new(Behaviour::TooManyRequests { retry_after: 1 }).with_probability(0.01),
            Fault::new(Behaviour::BadGateway).with_probability(0.01),
            Fault::new(Behaviour::StaleBlocks(2)).with_probability(0.1),
        ];
        for fault in faults {
            proxy.inject(fault);
        }
    };
    let market = Market::open_on(
        &options,
        folder.path(),
        |devnet, toml| {
            let proxy = FaultProxy::start(devnet.rpc(), 1)?;
            mild(&proxy);
            let ipfs = devnet.ipfs().to_owned();
            devnet.route_all(&proxy.url(), &ipfs);
            proxies.push(proxy);
            Ok(toml.replace("= 30\n", "= 90\n").replace("= 60\n", "= 90\n"))
        },
        &mut |_| {},
    )
    .unwrap();
    let network = Network::around(market, folder);
    network.chain.values().for_each(mild);
    network.content.values().for_each(|proxy| {
        proxy.inject(Fault::new(Behaviour::Latency(Duration::from_millis(20))));
        proxy.inject(Fault::new(Behaviour::ResetBefore).with_probability(0.01));
        proxy.inject(Fault::new(Behaviour::BadGateway).with_probability(0.01));
    });
    network.start().finish();
    network.assert_nobody_lost_anything();
    let of = |name: &str| -> u64 {
        network.chain.values().chain(&proxies).map(|proxy| proxy.statistics().injected(name)).sum()
    };
    for name in ["latency", "reset-before", "reset-after", "too-many-requests", "bad-gateway", "stale-blocks"]
    {
        assert!(of(name) > 0, "{name} never happened");
    }
}

/// A provider with several nodes behind one address.
#[test]
fn answers_of_a_node_two_blocks_behind_and_nonces_one_too_low_lose_nothing_and_send_nothing_twice() {
    let network = Network::open(5, 1, |toml| toml.replace("= 30\n", "= 60\n"));
    for proxy in network.chain.values() {
        proxy.inject(Fault::new(Behaviour::StaleBlocks(2)).with_probability(0.5));
        proxy.inject(Fault::new(Behaviour::StaleNonce).with_probability(0.5));
    }
    network.start().finish();
    for proxy in network.trainers() {
        assert!(proxy.statistics().injected("stale-blocks") > 0);
    }
    network.assert_nobody_lost_anything();
}

#[test]
fn two_nodes_on_one_wallet_cost_it_nothing() {
    let network = Network::open(5, 1, |toml| toml.replace("= 30\n", "= 60\n"));
    let second = network.market.start_trainer_as(0, "trainer-1-again").unwrap();
    let mut running = network.start();
    // It is the second that may be the one without a part.
    running.trainers[0].wait_for("the end", SOON, |e| e["event"] == "ended").unwrap();
    drop(second);
    for trainer in &mut running.trainers {
        trainer.wait_end(SOON).unwrap();
    }
    running.finish();
    network.assert_nobody_lost_anything();
}
