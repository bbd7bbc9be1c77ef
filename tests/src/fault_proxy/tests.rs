//! Every behaviour against a node of three methods.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{json, Value};

use super::*;

const SOON: Duration = Duration::from_secs(20);

/// A node that counts what it is asked, and says where.
struct Upstream {
    address: String,
    asked: Arc<AtomicU64>,
}

/// A chain at block 9 on which every account has nonce 3; a call's result is its parameters.
async fn upstream() -> Upstream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicU64::new(0));
    tokio::spawn({
        let asked = Arc::clone(&asked);
        async move {
            loop {
                let stream = listener.accept().await.unwrap().0;
                let asked = Arc::clone(&asked);
                tokio::spawn(async move {
                    let mut connection = Connection::new(stream);
                    let request = connection.request().await.unwrap().unwrap();
                    let answer = |call: &Value| {
                        let result = match call["method"].as_str().unwrap() {
                            "eth_blockNumber" => json!("0x9"),
                            "eth_getTransactionCount" => json!("0x3"),
                            "eth_getTransactionReceipt" => json!({"blockNumber": "0x8"}),
                            _ => {
                                asked.fetch_add(1, Ordering::SeqCst);
                                call["params"].clone()
                            }
                        };
                        json!({"jsonrpc": "2.0", "id": call["id"], "result": result})
                    };
                    let body = match serde_json::from_slice(&request.body) {
                        // In another order than they were asked, as a node may.
                        Ok(Value::Array(all)) => {
                            Value::Array(all.iter().rev().map(answer).collect()).to_string()
                        }
                        Ok(call) => answer(&call).to_string(),
                        Err(_) => format!("{} {}", request.path(), request.body.len()),
                    };
                    let answer = Message::answer("200 OK", "application/json", body);
                    connection.write(&answer.to_bytes(true)).await.unwrap();
                });
            }
        }
    });
    Upstream { address, asked }
}

async fn start() -> (Upstream, FaultProxy) {
    let upstream = upstream().await;
    let proxy = FaultProxy::start(&upstream.address, 7).unwrap();
    (upstream, proxy)
}

fn call(method: &str, parameters: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 5, "method": method, "params": parameters})
}

/// One request on a connection of its own: the answer, or how the connection ended.
async fn send(proxy: &FaultProxy, path: &str, body: &str) -> io::Result<Message> {
    let message = Message { start: format!("POST {path} HTTP/1.1"), headers: vec![], body: body.into() };
    let mut connection = Connection::new(TcpStream::connect(proxy.address).await?);
    connection.write(&message.to_bytes(false)).await?;
    connection.answer().await
}

async fn ask(proxy: &FaultProxy, body: &Value) -> Value {
    serde_json::from_slice(&send(proxy, "/", &body.to_string()).await.unwrap().body).unwrap()
}

fn is_reset(answer: io::Result<Message>) -> bool {
    matches!(answer, Err(error) if error.kind() == io::ErrorKind::ConnectionReset)
}

#[tokio::test]
async fn without_faults_everything_goes_through_and_is_counted() {
    let (_upstream, proxy) = start().await;
    assert_eq!(ask(&proxy, &call("echo", json!(["a"]))).await["result"], json!(["a"]));
    let batch = json!([call("eth_blockNumber", json!([])), {"id": 6, "method": "echo", "params": ["b"]}]);
    let answers = ask(&proxy, &batch).await;
    assert_eq!((&answers[0]["result"], &answers[1]["result"]), (&json!("0x9"), &json!(["b"])), "in order");
    let file = send(&proxy, "/api/v0/add?pin=true", "--bytes--").await.unwrap();
    assert_eq!(file.body, b"/api/v0/add 9");
    let statistics = proxy.statistics();
    assert_eq!(json!(statistics.calls), json!({"echo": 2, "eth_blockNumber": 1, "add": 1}));
    assert!(statistics.injected.is_empty());
}

#[tokio::test]
async fn several_requests_share_a_connection() {
    let (_upstream, proxy) = start().await;
    let mut connection = Connection::new(TcpStream::connect(proxy.address).await.unwrap());
    for word in ["a", "b"] {
        let body = call("echo", json!([word])).to_string().into_bytes();
        let message = Message { start: "POST / HTTP/1.1".into(), headers: vec![], body };
        connection.write(&message.to_bytes(false)).await.unwrap();
        let answer: Value = serde_json::from_slice(&connection.answer().await.unwrap().body).unwrap();
        assert_eq!(answer["result"], json!([word]));
    }
}

#[tokio::test]
async fn reset_before_hides_the_request_from_the_upstream_and_reset_after_the_answer_from_the_client() {
    let (upstream, proxy) = start().await;
    let body = call("echo", json!([])).to_string();
    for (behaviour, asked) in [(Behaviour::ResetBefore, 0), (Behaviour::ResetAfter, 1)] {
        let id = proxy.inject(Fault::new(behaviour).on(&["echo"]).times(1));
        assert!(is_reset(send(&proxy, "/", &body).await));
        assert_eq!((upstream.asked.load(Ordering::SeqCst), proxy.injected(id)), (asked, 1));
    }
    assert!(send(&proxy, "/", &body).await.is_ok(), "each was for one request");
}

#[tokio::test]
async fn a_transaction_that_is_swallowed_is_answered_with_its_hash_and_goes_through_the_next_time() {
    let (upstream, proxy) = start().await;
    proxy.inject(Fault::new(Behaviour::SwallowTransaction).times(1));
    let reveal = format!("0x02{}00", json_rpc::selector("revealUpdate"));
    let other = format!("0x02{}00", json_rpc::selector("settle"));
    let sent = call("eth_sendRawTransaction", json!([reveal]));
    assert_eq!(ask(&proxy, &sent).await["result"], json_rpc::transaction_hash(&reveal));
    assert_eq!(upstream.asked.load(Ordering::SeqCst), 0);
    assert_eq!(ask(&proxy, &sent).await["result"], json!([reveal]));
    assert_eq!(upstream.asked.load(Ordering::SeqCst), 1);
    proxy.inject(Fault::new(Behaviour::ResetBefore).on_transactions_of("settle"));
    assert_eq!(ask(&proxy, &sent).await["result"], json!([reveal]));
    let sent = call("eth_sendRawTransaction", json!([other]));
    assert!(is_reset(send(&proxy, "/", &sent.to_string()).await));
    let statistics = proxy.statistics();
    assert_eq!((statistics.transactions.len(), statistics.transactions_of("revealUpdate")[0].times), (2, 3));
    assert_eq!(statistics.injected("swallow-transaction"), 1);
}

#[tokio::test]
async fn latency_delays_and_a_request_that_is_held_goes_on_when_its_fault_is_removed() {
    let (_upstream, proxy) = start().await;
    let id = proxy.inject(Fault::new(Behaviour::Latency(Duration::from_millis(100))));
    let started = Instant::now();
    ask(&proxy, &call("echo", json!([]))).await;
    assert!(started.elapsed() >= Duration::from_millis(100));
    proxy.remove(id);
    let id = proxy.inject(Fault::new(Behaviour::Latency(Duration::from_secs(3600))));
    let held = async { ask(&proxy, &call("echo", json!(["held"]))).await };
    let release = async {
        while proxy.injected(id) == 0 {
            tokio::time::sleep(HOLD_INTERVAL).await;
        }
        proxy.remove(id);
    };
    let (answer, ()) = tokio::time::timeout(SOON, async { tokio::join!(held, release) }).await.unwrap();
    assert_eq!(answer["result"], json!(["held"]));
}

#[tokio::test]
async fn providers_that_limit_and_balancers_without_a_node_answer_in_http() {
    let (_upstream, proxy) = start().await;
    proxy.inject(Fault::new(Behaviour::TooManyRequests { retry_after: 2 }).times(1));
    let body = call("echo", json!([])).to_string();
    let limited = send(&proxy, "/", &body).await.unwrap();
    assert!(limited.start.contains(" 429 "), "{}", limited.start);
    assert_eq!(limited.header("retry-after"), Some("2"));
    proxy.inject(Fault::new(Behaviour::BadGateway).times(1));
    let bad = send(&proxy, "/", &body).await.unwrap();
    assert!(bad.start.contains(" 502 ") && bad.body.starts_with(b"<html>"), "{}", bad.start);
}

#[tokio::test]
async fn an_error_answers_one_call_of_a_batch() {
    let (_upstream, proxy) = start().await;
    proxy.inject(Fault::new(Behaviour::RpcError { code: -32603, message: "internal error" }).on(&["bad"]));
    let batch =
        json!([{"id": 1, "method": "bad", "params": []}, {"id": 2, "method": "echo", "params": ["b"]}]);
    let answers = ask(&proxy, &batch).await;
    assert_eq!((&answers[0]["error"]["code"], &answers[1]["result"]), (&json!(-32603), &json!(["b"])));
    let single = ask(&proxy, &call("bad", json!([]))).await;
    assert_eq!((&single["error"]["message"], &single["id"]), (&json!("internal error"), &json!(5)));
}

#[tokio::test]
async fn stale_blocks_and_stale_nonces_are_behind_the_true_ones() {
    let (_upstream, proxy) = start().await;
    let id = proxy.inject(Fault::new(Behaviour::StaleBlocks(2)));
    assert_eq!(ask(&proxy, &call("eth_blockNumber", json!([]))).await["result"], "0x7");
    let block = ask(&proxy, &call("eth_getBlockByNumber", json!(["latest", false]))).await;
    assert_eq!(block["result"], json!(["0x7", false]));
    let receipt = ask(&proxy, &call("eth_getTransactionReceipt", json!(["0x1"]))).await;
    assert_eq!(receipt["result"], Value::Null, "it is in block 8");
    assert_eq!(ask(&proxy, &call("echo", json!(["latest"]))).await["result"], json!(["latest"]));
    proxy.remove(id);
    let receipt = ask(&proxy, &call("eth_getTransactionReceipt", json!(["0x1"]))).await;
    assert_eq!(receipt["result"]["blockNumber"], "0x8");
    proxy.inject(Fault::new(Behaviour::StaleNonce).times(1));
    let nonce = call("eth_getTransactionCount", json!(["0x1", "pending"]));
    assert_eq!(ask(&proxy, &nonce).await["result"], "0x2");
    assert_eq!(ask(&proxy, &nonce).await["result"], "0x3");
}

#[tokio::test]
async fn an_upstream_that_is_gone_resets_every_connection_until_it_is_back() {
    let (upstream, proxy) = start().await;
    let id = proxy.inject(Fault::new(Behaviour::Gone));
    let body = call("echo", json!([])).to_string();
    for _ in 0..3 {
        assert!(is_reset(send(&proxy, "/", &body).await));
    }
    assert_eq!(upstream.asked.load(Ordering::SeqCst), 0);
    proxy.remove(id);
    assert!(send(&proxy, "/", &body).await.is_ok());
    // One that is not there at all.
    let nowhere = FaultProxy::start("http://127.0.0.1:1", 7).unwrap();
    assert!(is_reset(send(&nowhere, "/", &body).await));
}
