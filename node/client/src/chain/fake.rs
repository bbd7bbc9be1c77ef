//! A chain for the tests of sending: one account, a pool, and faults that a test asks for.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use ethers::types::transaction::eip2718::TypedTransaction;
use ethers::types::{Block, Bytes, TransactionReceipt, H256, U256, U64};
use ethers::utils::{keccak256, rlp::Rlp};
use serde_json::{json, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A transaction as the chain got it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) nonce: u64,
    pub(super) max_fee: u64,
    pub(super) hash: H256,
}

/// What the chain is like, and what it does wrong.
pub(super) struct State {
    pub(super) base_fee: u64,
    pub(super) timestamp: u64,
    pub(super) funds: u64,
    /// Nonces used by mined transactions.
    pub(super) used: u64,
    /// Every raw transaction that arrived, the same bytes as often as they came.
    pub(super) sent: Vec<Sent>,
    /// What waits, by nonce.
    pub(super) pool: BTreeMap<u64, Sent>,
    /// Connections to cut before an answer.
    pub(super) resets: u32,
    /// Raw transactions to answer and forget.
    pub(super) swallow: u32,
    /// Questions to answer with a proxy's page.
    pub(super) pages: u32,
    /// Questions to answer with an error of the node once a transaction has arrived, by method.
    pub(super) failures: HashMap<&'static str, u32>,
    /// Whether contract calls are refused from now on.
    pub(super) refuses: bool,
    mined: HashMap<H256, u64>,
}

/// The chain, at an address of this machine.
#[derive(Clone)]
pub(super) struct FakeChain {
    pub(super) address: String,
    state: Arc<Mutex<State>>,
}

impl FakeChain {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = State {
            base_fee: 100,
            timestamp: 1_000,
            funds: 1 << 40,
            used: 0,
            sent: Vec::new(),
            pool: BTreeMap::new(),
            resets: 0,
            swallow: 0,
            pages: 0,
            failures: HashMap::new(),
            refuses: false,
            mined: HashMap::new(),
        };
        let chain = Self { address, state: Arc::new(Mutex::new(state)) };
        let serving = chain.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let chain = serving.clone();
                tokio::spawn(async move { chain.serve(stream).await });
            }
        });
        chain
    }

    /// Looks at the chain, or changes it.
    pub(super) fn with<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        act(&mut self.state.lock().unwrap())
    }

    async fn serve(&self, mut stream: TcpStream) {
        let mut text = Vec::new();
        let request: Value = loop {
            let mut part = [0; 4096];
            match stream.read(&mut part).await {
                Ok(0) | Err(_) => return,
                Ok(read) => text.extend_from_slice(&part[..read]),
            }
            let body = text.windows(4).position(|w| w == b"\r\n\r\n").map_or(text.len(), |at| at + 4);
            if let Ok(request) = serde_json::from_slice(&text[body..]) {
                break request;
            }
        };
        let Some((status, body)) = self.with(|state| state.respond(&request)) else { return };
        let head =
            format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
        let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    }
}

impl State {
    /// Mines what waits and offers enough, in the order of its nonces.
    pub(super) fn mine(&mut self) {
        self.timestamp += 1;
        while let Some(next) = self.pool.get(&self.used).copied() {
            if next.max_fee < self.base_fee {
                return;
            }
            self.pool.remove(&self.used);
            self.mined.insert(next.hash, self.timestamp);
            self.used += 1;
        }
    }

    /// Status and body; `None` where the connection is cut.
    fn respond(&mut self, request: &Value) -> Option<(&'static str, String)> {
        let method = request["method"].as_str().unwrap();
        if self.resets > 0 && method == "eth_sendRawTransaction" {
            self.resets -= 1;
            return None;
        }
        if self.pages > 0 {
            self.pages -= 1;
            return Some(("502 Bad Gateway", "<html>".into()));
        }
        let mut body = json!({"jsonrpc": "2.0", "id": request["id"]});
        match self.answer(method, &request["params"]) {
            Ok(result) => body["result"] = result,
            Err((code, message)) => body["error"] = json!({"code": code, "message": message, "data": "0x"}),
        }
        Some(("200 OK", body.to_string()))
    }

    fn answer(&mut self, method: &str, parameters: &Value) -> Result<Value, (i64, &'static str)> {
        if let Some(left) = self.failures.get_mut(method).filter(|left| **left > 0) {
            if !self.sent.is_empty() {
                *left -= 1;
                return Err((-32603, "the state is being pruned"));
            }
        }
        Ok(match method {
            "eth_chainId" => json!("0x7a69"),
            "eth_maxPriorityFeePerGas" => json!("0x8"),
            "eth_getBalance" => json!(U256::from(self.funds)),
            "eth_call" if self.refuses => return Err((3, "execution reverted")),
            "eth_call" => json!("0x"),
            "eth_estimateGas" => json!("0x5208"),
            "eth_getBlockByNumber" => json!(Block::<H256> {
                number: Some(U64::from(self.timestamp)),
                hash: Some(H256::from_low_u64_be(self.timestamp)),
                timestamp: self.timestamp.into(),
                base_fee_per_gas: Some(self.base_fee.into()),
                ..Default::default()
            }),
            "eth_getTransactionCount" if parameters[1] == "pending" => {
                let queued = (self.used..).take_while(|nonce| self.pool.contains_key(nonce)).count();
                json!(U256::from(self.used + queued as u64))
            }
            "eth_getTransactionCount" => json!(U256::from(self.used)),
            "eth_getTransactionReceipt" => {
                let hash: H256 = serde_json::from_value(parameters[0].clone()).unwrap();
                match self.mined.get(&hash) {
                    Some(block) => json!(TransactionReceipt {
                        transaction_hash: hash,
                        block_number: Some((*block).into()),
                        status: Some(1.into()),
                        ..Default::default()
                    }),
                    None => Value::Null,
                }
            }
            "eth_sendRawTransaction" => {
                let raw: Bytes = serde_json::from_value(parameters[0].clone()).unwrap();
                json!(self.take(&raw)?)
            }
            other => panic!("{other} is not asked for here"),
        })
    }

    fn take(&mut self, raw: &Bytes) -> Result<H256, (i64, &'static str)> {
        let (transaction, _) = TypedTransaction::decode_signed(&Rlp::new(raw)).unwrap();
        let TypedTransaction::Eip1559(transaction) = transaction else { panic!("another kind") };
        let sent = Sent {
            nonce: transaction.nonce.unwrap().as_u64(),
            max_fee: transaction.max_fee_per_gas.unwrap().as_u64(),
            hash: H256(keccak256(raw)),
        };
        self.sent.push(sent);
        if self.swallow > 0 {
            self.swallow -= 1;
            return Ok(sent.hash);
        }
        if sent.nonce < self.used {
            return Err((-32000, "nonce too low"));
        }
        match self.pool.get(&sent.nonce) {
            Some(waits) if waits.hash == sent.hash => return Err((-32000, "already known")),
            Some(waits) if sent.max_fee < waits.max_fee + waits.max_fee / 10 => {
                return Err((-32000, "replacement transaction underpriced"))
            }
            _ => self.pool.insert(sent.nonce, sent),
        };
        Ok(sent.hash)
    }
}
