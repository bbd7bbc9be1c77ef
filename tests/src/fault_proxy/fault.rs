//! What a proxy does wrong, to which calls, how often; and what it saw.

use std::collections::BTreeMap;
use std::time::Duration;

use super::json_rpc::Call;

/// What the proxy does to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Resets the TCP connection; the upstream never sees the request.
    ResetBefore,
    /// Resets the TCP connection when the upstream has answered.
    ResetAfter,
    /// Answers `eth_sendRawTransaction` with the transaction's hash and forgets it.
    SwallowTransaction,
    /// Waits before it goes on, at most until the fault is removed.
    Latency(Duration),
    /// HTTP 429 with `Retry-After` in seconds.
    TooManyRequests {
        /// The seconds.
        retry_after: u32,
    },
    /// HTTP 502 with a web page, as a load balancer answers.
    BadGateway,
    /// A JSON-RPC error in an HTTP answer that is well.
    RpcError {
        /// Its code.
        code: i64,
        /// Its message.
        message: &'static str,
    },
    /// Answers questions about the latest block as a node that is so many blocks behind.
    StaleBlocks(u64),
    /// Gives the nonce before the true one.
    StaleNonce,
    /// Resets every connection at its first request, as [`Self::ResetBefore`]: the upstream is gone.
    Gone,
}

impl Behaviour {
    /// Its name in [`Statistics`].
    pub fn name(&self) -> &'static str {
        match self {
            Self::ResetBefore => "reset-before",
            Self::ResetAfter => "reset-after",
            Self::SwallowTransaction => "swallow-transaction",
            Self::Latency(_) => "latency",
            Self::TooManyRequests { .. } => "too-many-requests",
            Self::BadGateway => "bad-gateway",
            Self::RpcError { .. } => "rpc-error",
            Self::StaleBlocks(_) => "stale-blocks",
            Self::StaleNonce => "stale-nonce",
            Self::Gone => "gone",
        }
    }

    /// True when it changes single calls; else it changes the whole request, a batch included.
    fn is_about_calls(&self) -> bool {
        matches!(
            self,
            Self::SwallowTransaction | Self::RpcError { .. } | Self::StaleBlocks(_) | Self::StaleNonce
        )
    }

    /// True when the request goes no further.
    fn ends_the_request(&self) -> bool {
        matches!(
            self,
            Self::ResetBefore
                | Self::ResetAfter
                | Self::TooManyRequests { .. }
                | Self::BadGateway
                | Self::Gone
        )
    }

    /// The only methods that it can change; none means all.
    fn methods(&self) -> &'static [&'static str] {
        match self {
            Self::SwallowTransaction => &["eth_sendRawTransaction"],
            Self::StaleBlocks(_) => &super::json_rpc::ABOUT_LATEST,
            Self::StaleNonce => &["eth_getTransactionCount"],
            _ => &[],
        }
    }
}

/// A behaviour with its limits.
#[derive(Clone, Debug)]
pub struct Fault {
    behaviour: Behaviour,
    methods: Vec<String>,
    function: Option<String>,
    probability: f64,
    left: Option<u64>,
}

impl Fault {
    /// Does it to every request.
    pub fn new(behaviour: Behaviour) -> Self {
        Self { behaviour, methods: vec![], function: None, probability: 1.0, left: None }
    }

    /// Only to these JSON-RPC methods, or commands of the IPFS RPC such as `add` and `block/get`.
    pub fn on(mut self, methods: &[&str]) -> Self {
        self.methods = methods.iter().map(|&method| method.to_owned()).collect();
        self
    }

    /// Only to raw transactions that call this function of the project, such as `revealUpdate`.
    ///
    /// # Panics
    /// When the project has no such function.
    pub fn on_transactions_of(mut self, function: &str) -> Self {
        self.function = Some(super::json_rpc::selector(function));
        self.on(&["eth_sendRawTransaction"])
    }

    /// Only with this probability, by the proxy's seeded generator.
    pub fn with_probability(mut self, probability: f64) -> Self {
        self.probability = probability;
        self
    }

    /// Only so many times.
    pub fn times(mut self, times: u64) -> Self {
        self.left = Some(times);
        self
    }

    fn is_for(&self, call: &Call) -> bool {
        let own = self.behaviour.methods();
        (own.is_empty() || own.contains(&call.method.as_str()))
            && (self.methods.is_empty() || self.methods.contains(&call.method))
            && self.function.as_ref().is_none_or(|selector| call.calls(selector))
    }
}

/// Names a fault that was switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FaultId(u64);

/// A raw transaction that a client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentTransaction {
    /// Its hash.
    pub hash: String,
    /// Its bytes, in hexadecimal.
    pub raw: String,
    /// How often it was sent.
    pub times: u64,
}

/// What a proxy saw and did.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// Calls by method, those that met a fault included.
    pub calls: BTreeMap<String, u64>,
    /// Requests or calls that met a fault, by the behaviour's name.
    pub injected: BTreeMap<&'static str, u64>,
    /// In the order in which they came first.
    pub transactions: Vec<SentTransaction>,
}

impl Statistics {
    /// How often a behaviour was applied.
    pub fn injected(&self, name: &str) -> u64 {
        self.injected.get(name).copied().unwrap_or_default()
    }

    /// The raw transactions that call a function of the project.
    ///
    /// # Panics
    /// When the project has no such function.
    pub fn transactions_of(&self, function: &str) -> Vec<&SentTransaction> {
        let selector = super::json_rpc::selector(function);
        self.transactions.iter().filter(|sent| sent.raw.contains(&selector)).collect()
    }

    pub(super) fn note(&mut self, calls: &[Call]) {
        for call in calls {
            *self.calls.entry(call.method.clone()).or_default() += 1;
            let Some(raw) = call.raw_transaction() else { continue };
            match self.transactions.iter_mut().find(|sent| sent.raw == raw) {
                Some(sent) => sent.times += 1,
                None => {
                    let hash = super::json_rpc::transaction_hash(raw);
                    self.transactions.push(SentTransaction { hash, raw: raw.to_owned(), times: 1 });
                }
            }
        }
    }
}

/// A behaviour that was chosen for a request.
#[derive(Clone, Debug)]
pub(super) struct Effect {
    pub(super) id: FaultId,
    pub(super) behaviour: Behaviour,
    /// Indices of the calls that it is for.
    pub(super) calls: Vec<usize>,
}

/// The faults that are switched on.
#[derive(Debug)]
pub(super) struct Faults {
    random: u64,
    next: u64,
    active: Vec<(FaultId, Fault)>,
    by_fault: BTreeMap<FaultId, u64>,
}

impl Faults {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: seed, next: 0, active: vec![], by_fault: BTreeMap::new() }
    }

    pub(super) fn inject(&mut self, fault: Fault) -> FaultId {
        let id = FaultId(self.next);
        self.next += 1;
        self.active.push((id, fault));
        id
    }

    pub(super) fn remove(&mut self, id: FaultId) {
        self.active.retain(|(active, _)| *active != id);
    }

    pub(super) fn clear(&mut self) {
        self.active.clear();
    }

    pub(super) fn is_active(&self, id: FaultId) -> bool {
        self.active.iter().any(|(active, _)| *active == id)
    }

    pub(super) fn injected(&self, id: FaultId) -> u64 {
        self.by_fault.get(&id).copied().unwrap_or_default()
    }

    /// What happens to a request of these calls, in the order in which the faults were switched on.
    pub(super) fn choose(&mut self, calls: &[Call], statistics: &mut Statistics) -> Vec<Effect> {
        let mut chosen = vec![];
        for i in 0..self.active.len() {
            let (id, fault) = &self.active[i];
            let (id, behaviour, probability) = (*id, fault.behaviour.clone(), fault.probability);
            let mut meant: Vec<usize> = (0..calls.len()).filter(|&at| fault.is_for(&calls[at])).collect();
            if behaviour.is_about_calls() {
                meant.retain(|_| self.rolls(probability));
                meant.truncate(self.active[i].1.left.map_or(usize::MAX, |left| left as usize));
            } else if !meant.is_empty() && !self.rolls(probability) {
                meant.clear();
            }
            let times = if behaviour.is_about_calls() { meant.len() as u64 } else { 1 };
            if meant.is_empty() || self.active[i].1.left == Some(0) {
                continue;
            }
            if let Some(left) = &mut self.active[i].1.left {
                *left -= times;
            }
            *statistics.injected.entry(behaviour.name()).or_default() += times;
            *self.by_fault.entry(id).or_default() += times;
            let last = behaviour.ends_the_request();
            chosen.push(Effect { id, behaviour, calls: meant });
            if last {
                break;
            }
        }
        chosen
    }

    /// SplitMix64: small, and the same on every machine.
    fn rolls(&mut self, probability: f64) -> bool {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.random;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^= word >> 31;
        ((word >> 11) as f64) < probability * (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(method: &str) -> Vec<Call> {
        vec![Call { method: method.into(), parameters: json!([]) }]
    }

    #[test]
    fn probabilities_are_kept_and_a_seed_repeats_them() {
        let count = |seed| {
            let mut faults = Faults::new(seed);
            faults.inject(Fault::new(Behaviour::ResetBefore).with_probability(0.05));
            let hits =
                (0..10_000).filter(|_| !faults.choose(&call("x"), &mut Statistics::default()).is_empty());
            hits.collect::<Vec<_>>()
        };
        assert!((400..600).contains(&count(1).len()), "{}", count(1).len());
        assert_eq!(count(1), count(1));
        assert_ne!(count(1), count(2));
    }

    #[test]
    fn limits_of_method_and_number_are_kept() {
        let mut faults = Faults::new(0);
        let mut statistics = Statistics::default();
        let id = faults.inject(Fault::new(Behaviour::ResetBefore).on(&["a"]).times(2));
        for (method, hit) in [("b", false), ("a", true), ("a", true), ("a", false)] {
            assert_eq!(faults.choose(&call(method), &mut statistics).len(), usize::from(hit), "{method}");
        }
        assert_eq!((faults.injected(id), statistics.injected("reset-before")), (2, 2));
        let batch: Vec<Call> = ["eth_call", "eth_getTransactionCount", "eth_getTransactionCount"]
            .iter()
            .flat_map(|m| call(m))
            .collect();
        faults.inject(Fault::new(Behaviour::StaleNonce).times(1));
        assert_eq!(faults.choose(&batch, &mut statistics)[0].calls, [1], "one call of the batch");
        assert!(faults.choose(&batch, &mut statistics).is_empty());
    }

    #[test]
    fn nothing_follows_what_ends_a_request() {
        let mut faults = Faults::new(0);
        faults.inject(Fault::new(Behaviour::Latency(Duration::ZERO)));
        let gone = faults.inject(Fault::new(Behaviour::Gone));
        faults.inject(Fault::new(Behaviour::BadGateway));
        let chosen = |faults: &mut Faults| -> Vec<_> {
            let all = faults.choose(&call("a"), &mut Statistics::default());
            all.into_iter().map(|effect| effect.behaviour.name()).collect()
        };
        assert_eq!(chosen(&mut faults), ["latency", "gone"]);
        faults.remove(gone);
        assert_eq!(chosen(&mut faults), ["latency", "bad-gateway"]);
        faults.clear();
        assert!(chosen(&mut faults).is_empty());
    }
}
