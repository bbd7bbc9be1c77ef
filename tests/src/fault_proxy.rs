//! A proxy in front of an Ethereum or IPFS RPC that misbehaves as public providers and networks do: on purpose, by
//! name, when and as often as a test says.
//!
//! ```text
//! participant ──HTTP──> FaultProxy ──HTTP──> anvil, or the IPFS node
//!                          │ faults that are switched on, seeded generator
//!                          └ Statistics: calls, faults, raw transactions
//! ```

mod fault;
mod http;
mod json_rpc;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

pub use fault::{Behaviour, Fault, FaultId, SentTransaction, Statistics};

use crate::process::Failure;
use fault::{Effect, Faults};
use http::{Connection, Message};
use json_rpc::{number, Call, Request};

/// How often a request that is held looks whether its fault was removed.
const HOLD_INTERVAL: Duration = Duration::from_millis(20);

/// A proxy that runs until it is dropped.
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

struct Shared {
    /// Host and port.
    upstream: String,
    state: Mutex<(Faults, Statistics)>,
    changed: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, (Faults, Statistics)> {
        self.state.lock().expect("nobody panics while it is locked")
    }
}

/// How the proxy ends a request.
enum Reply {
    Answer(Message),
    Reset,
}

impl FaultProxy {
    /// Starts a proxy on a free port of this machine, without faults. `upstream` is an address such as
    /// `http://127.0.0.1:8545`; the seed decides which requests meet a fault that has a probability.
    ///
    /// # Errors
    /// [`Failure::Io`] when there is no port or no thread for it.
    pub fn start(upstream: &str, seed: u64) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("fault-proxy")
            .enable_all()
            .build()
            .map_err(Failure::io("start a fault proxy"))?;
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .map_err(Failure::io("listen for a fault proxy"))?;
        let address = listener.local_addr().map_err(Failure::io("listen for a fault proxy"))?;
        let shared = Arc::new(Shared {
            upstream: upstream.trim_start_matches("http://").trim_end_matches('/').to_owned(),
            state: Mutex::new((Faults::new(seed), Statistics::default())),
            changed: Condvar::new(),
        });
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener).map_err(Failure::io("listen for a fault proxy"))?
        };
        runtime.spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, runtime: Some(runtime) })
    }

    /// Its own address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Switches a fault on. Faults are considered in this order.
    pub fn inject(&self, fault: Fault) -> FaultId {
        self.shared.state().0.inject(fault)
    }

    /// Switches a fault off; requests that it holds go on.
    pub fn remove(&self, id: FaultId) {
        self.shared.state().0.remove(id);
    }

    /// Switches all faults off.
    pub fn clear(&self) {
        self.shared.state().0.clear();
    }

    /// How often a fault was applied.
    pub fn injected(&self, id: FaultId) -> u64 {
        self.shared.state().0.injected(id)
    }

    /// What it saw and did so far.
    pub fn statistics(&self) -> Statistics {
        self.shared.state().1.clone()
    }

    /// Waits until a fault was applied so many times.
    ///
    /// # Errors
    /// [`Failure::Deadline`] after `limit`.
    pub fn wait_injected(&self, id: FaultId, times: u64, limit: Duration) -> Result<(), Failure> {
        let what = format!("a fault that is applied {times} times");
        self.wait(&what, limit, |(faults, _)| faults.injected(id) >= times)
    }

    /// Waits until the statistics are as `wanted`.
    ///
    /// # Errors
    /// [`Failure::Deadline`] after `limit`.
    pub fn wait_for(
        &self,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&Statistics) -> bool,
    ) -> Result<(), Failure> {
        self.wait(what, limit, |(_, statistics)| wanted(statistics))
    }

    fn wait(
        &self,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&(Faults, Statistics)) -> bool,
    ) -> Result<(), Failure> {
        let end = Instant::now() + limit;
        let mut state = self.shared.state();
        while !wanted(&state) {
            let Some(left) = end.checked_duration_since(Instant::now()) else {
                let tail = format!("; the proxy at {} saw {:?}", self.address, state.1);
                return Err(Failure::Deadline { what: what.to_owned(), seconds: limit.as_secs(), tail });
            };
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.expect("nobody panics while it is locked").0;
        }
        Ok(())
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let shared = Arc::clone(&shared);
                // A client that goes away in the middle of a request is no fault of the proxy.
                tokio::spawn(async move { serve(stream, &shared).await.ok() });
            }
            // Too many open files, or a connection that was reset before it was accepted: the next may be well.
            Err(_) => tokio::time::sleep(HOLD_INTERVAL).await,
        }
    }
}

async fn serve(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut client = Connection::new(stream);
    while let Some(request) = client.request().await? {
        let close = request.is_last();
        match respond(&request, shared).await {
            Reply::Answer(answer) => client.write(&answer.to_bytes(close)).await?,
            Reply::Reset => return client.into_stream().set_zero_linger(), // dropped now: sends RST
        }
        if close {
            break;
        }
    }
    Ok(())
}

/// One request on its way through the faults.
async fn respond(request: &Message, shared: &Shared) -> Reply {
    let calls = Call::all_of(request.path(), &request.body);
    let effects = {
        let (faults, statistics) = &mut *shared.state();
        statistics.note(&calls);
        faults.choose(&calls, statistics)
    };
    shared.changed.notify_all();
    for effect in &effects {
        match &effect.behaviour {
            Behaviour::Latency(time) => hold(shared, effect, *time).await,
            Behaviour::ResetBefore | Behaviour::Gone => return Reply::Reset,
            Behaviour::TooManyRequests { retry_after } => {
                let body =
                    r#"{"jsonrpc":"2.0","error":{"code":-32005,"message":"daily request count exceeded"}}"#;
                let mut answer = Message::answer("429 Too Many Requests", "application/json", body);
                answer.headers.push(("Retry-After".into(), retry_after.to_string()));
                return Reply::Answer(answer);
            }
            Behaviour::BadGateway => {
                let page = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>";
                return Reply::Answer(Message::answer("502 Bad Gateway", "text/html", page));
            }
            _ => {}
        }
    }
    let answer = match Request::parse(&request.body) {
        Some(calls) => forward_calls(request, calls, &effects, &shared.upstream).await,
        None => forward(request, &shared.upstream).await,
    };
    match answer {
        // An upstream that is down looks so to the client as well.
        Err(_) => Reply::Reset,
        Ok(_) if effects.iter().any(|effect| effect.behaviour == Behaviour::ResetAfter) => Reply::Reset,
        Ok(answer) => Reply::Answer(answer),
    }
}

async fn hold(shared: &Shared, effect: &Effect, time: Duration) {
    let end = tokio::time::Instant::now() + time;
    while tokio::time::Instant::now() < end && shared.state().0.is_active(effect.id) {
        tokio::time::sleep_until(end.min(tokio::time::Instant::now() + HOLD_INTERVAL)).await;
    }
}

/// Forwards JSON-RPC; the faults that are about single calls change those and their answers.
async fn forward_calls(
    request: &Message,
    mut calls: Request,
    effects: &[Effect],
    upstream: &str,
) -> io::Result<Message> {
    let mut heads = vec![];
    for effect in effects {
        match &effect.behaviour {
            Behaviour::SwallowTransaction => effect.calls.iter().for_each(|&at| calls.swallow(at)),
            Behaviour::RpcError { code, message } => {
                effect.calls.iter().for_each(|&at| calls.refuse(at, *code, message));
            }
            Behaviour::StaleBlocks(behind) => {
                let head = block_number(upstream).await?.saturating_sub(*behind);
                effect.calls.iter().for_each(|&at| calls.ask_at(at, head));
                heads.push((effect, head));
            }
            _ => {}
        }
    }
    let mut answer = Message::answer("200 OK", "application/json", []);
    if let Some(body) = calls.body() {
        answer = forward(&Message { body, ..request.clone() }, upstream).await?;
        if !calls.take_answers(&answer.body) {
            return Ok(answer); // the upstream's own trouble
        }
    }
    for (effect, head) in heads {
        effect.calls.iter().for_each(|&at| calls.hide_after(at, head));
    }
    for effect in effects.iter().filter(|effect| effect.behaviour == Behaviour::StaleNonce) {
        effect.calls.iter().for_each(|&at| calls.lower_nonce(at));
    }
    Ok(Message { body: calls.into_answer(), ..answer })
}

async fn forward(request: &Message, upstream: &str) -> io::Result<Message> {
    let mut request = request.clone();
    request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("host"));
    request.headers.insert(0, ("Host".to_owned(), upstream.to_owned()));
    let mut connection = Connection::new(TcpStream::connect(upstream).await?);
    connection.write(&request.to_bytes(true)).await?;
    connection.answer().await
}

async fn block_number(upstream: &str) -> io::Result<u64> {
    let question = Message {
        start: "POST / HTTP/1.1".into(),
        headers: vec![("Content-Type".into(), "application/json".into())],
        body: br#"{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}"#.to_vec(),
    };
    let answer = forward(&question, upstream).await?;
    let answer: serde_json::Value = serde_json::from_slice(&answer.body)?;
    number(&answer["result"]).ok_or_else(|| io::Error::other(format!("no block number in {answer}")))
}

#[cfg(test)]
mod tests;
