//! The RPC, with the paths, parameters and answers of Kubo's.

use std::str::FromStr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Multipart, Query, Request, State};
use axum::http::{header, HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use cid::Cid;
use fairshare_client::{ContentId, CHUNK};
use futures::{StreamExt, TryStreamExt};
use rust_ipfs::p2p::MultiaddrExt;
use rust_ipfs::unixfs::UnixfsStatus;
use rust_ipfs::{Block, Ipfs, IpfsPath, Multiaddr, PinMode};
use serde::Deserialize;
use serde_json::{json, Map, Value};

use crate::duration::duration;

/// Larger files are refused: the largest model has 2^22 parameters of eight bytes.
const MAX_FILE: usize = 256 << 20;
/// How long to search peers for content, unless the client sets `timeout` or closes the request.
const SEARCH_TIMEOUT: Duration = Duration::from_secs(120);

pub(crate) fn router(ipfs: Ipfs) -> Router {
    Router::new()
        .route("/api/v0/add", post(add).layer(DefaultBodyLimit::max(MAX_FILE)))
        .route("/api/v0/cat", post(cat))
        .route("/api/v0/pin/add", post(pin_add))
        .route("/api/v0/pin/ls", post(pin_ls))
        .route("/api/v0/pin/rm", post(pin_rm))
        .route("/api/v0/block/stat", post(block_stat))
        .route("/api/v0/id", post(id))
        .route("/api/v0/version", post(version))
        .route("/api/v0/swarm/connect", post(swarm_connect))
        .layer(middleware::from_fn(no_browsers))
        .with_state(ipfs)
}

/// Refuses requests from web pages, which browsers mark: a page must not control the node of its reader.
async fn no_browsers(headers: HeaderMap, request: Request, next: Next) -> Response {
    if headers.contains_key(header::ORIGIN) || headers.contains_key(header::REFERER) {
        return (StatusCode::FORBIDDEN, "403 - Forbidden\n").into_response();
    }
    next.run(request).await
}

/// An error in Kubo's format.
struct Fault(String);

impl<E: std::fmt::Display> From<E> for Fault {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let body = json!({"Message": self.0, "Code": 0, "Type": "error"});
        (StatusCode::INTERNAL_SERVER_ERROR, Json(body)).into_response()
    }
}

type Answer = Result<Json<Value>, Fault>;

/// The parameters of all commands; each command ignores those that it does not know, as Kubo does.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Parameters {
    arg: Option<String>,
    /// A duration such as `1m30s`.
    timeout: Option<String>,
    cid_version: Option<u32>,
    raw_leaves: Option<bool>,
    chunker: Option<String>,
    pin: Option<bool>,
    recursive: Option<bool>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

impl Parameters {
    fn cid(&self) -> Result<Cid, Fault> {
        let argument =
            self.arg.as_deref().ok_or_else(|| Fault("argument \"ipfs-path\" is required".into()))?;
        let name = argument.strip_prefix("/ipfs/").unwrap_or(argument);
        Cid::from_str(name).map_err(|e| Fault(format!("invalid path \"{argument}\": {e}")))
    }

    fn timeout(&self) -> Result<Duration, Fault> {
        match &self.timeout {
            None => Ok(SEARCH_TIMEOUT),
            Some(text) => duration(text).ok_or_else(|| Fault(format!("time: invalid duration \"{text}\""))),
        }
    }
}

async fn add(State(ipfs): State<Ipfs>, Query(p): Query<Parameters>, mut form: Multipart) -> Answer {
    // Another tree would give another CID than the protocol requires; our clients never ask for one.
    if p.cid_version != Some(1) || p.raw_leaves == Some(false) {
        return Err(Fault("this node adds with cid-version=1 and raw-leaves=true only".into()));
    }
    if p.chunker.as_deref().is_some_and(|c| c != "size-262144") {
        return Err(Fault("this node adds with chunker=size-262144 only".into()));
    }
    let field = form.next_field().await?.ok_or_else(|| Fault("file argument 'path' is required".into()))?;
    let name = field.file_name().map(str::to_owned);
    let bytes = field.bytes().await?;
    let size = bytes.len();
    let cid = put(&ipfs, bytes.to_vec(), p.pin.unwrap_or(true)).await?.to_string();
    Ok(Json(json!({"Name": name.unwrap_or_else(|| cid.clone()), "Hash": cid, "Size": size.to_string()})))
}

async fn put(ipfs: &Ipfs, bytes: Vec<u8>, pin: bool) -> Result<Cid, Fault> {
    if bytes.len() <= CHUNK {
        // The library returns no CID for a file of exactly one chunk, so single blocks are stored directly.
        let cid = Cid::from_str(&ContentId::of_raw(&bytes).to_string())?;
        ipfs.put_block(&Block::new(cid, bytes)?).await?;
        if pin && !ipfs.is_pinned(cid).await? {
            ipfs.insert_pin(cid).recursive().await?;
        }
        return Ok(cid);
    }
    let mut adding = ipfs.add_unixfs(bytes).raw_leaves(true).pin(pin);
    while let Some(status) = adding.next().await {
        match status {
            UnixfsStatus::CompletedStatus { path, .. } => {
                return path.root().cid().copied().ok_or_else(|| Fault("the node returned no CID".into()));
            }
            UnixfsStatus::FailedStatus { error, .. } => return Err(error.into()),
            UnixfsStatus::ProgressStatus { .. } => {}
        }
    }
    Err(Fault("adding ended without a CID".into()))
}

async fn cat(State(ipfs): State<Ipfs>, Query(p): Query<Parameters>) -> Result<Response, Fault> {
    let mut content = ipfs.cat_unixfs(IpfsPath::from(p.cid()?)).timeout(p.timeout()?);
    // An error before the first byte sets the status; a later one ends the connection.
    let first = content.next().await.transpose()?;
    let rest = futures::stream::iter(first.map(Ok)).chain(content);
    Ok(([(header::CONTENT_TYPE, "text/plain")], Body::from_stream(rest)).into_response())
}

async fn pin_add(State(ipfs): State<Ipfs>, Query(p): Query<Parameters>) -> Answer {
    let cid = p.cid()?;
    if !ipfs.is_pinned(cid).await? {
        let pin = ipfs.insert_pin(cid).timeout(p.timeout()?);
        if p.recursive == Some(false) {
            pin.await?
        } else {
            pin.recursive().exit_on_error().await?
        }
    }
    Ok(Json(json!({"Pins": [cid.to_string()]})))
}

async fn pin_rm(State(ipfs): State<Ipfs>, Query(p): Query<Parameters>) -> Answer {
    let cid = p.cid()?;
    if !ipfs.is_pinned(cid).await? {
        return Err(Fault("not pinned or pinned indirectly".into()));
    }
    let pin = ipfs.remove_pin(cid);
    if p.recursive == Some(false) {
        pin.await?
    } else {
        pin.recursive().await?
    }
    Ok(Json(json!({"Pins": [cid.to_string()]})))
}

async fn pin_ls(State(ipfs): State<Ipfs>, Query(p): Query<Parameters>) -> Answer {
    let kind = p.kind.as_deref().unwrap_or("all");
    let filter = match kind {
        "all" => None,
        "recursive" => Some(PinMode::Recursive),
        "direct" => Some(PinMode::Direct),
        "indirect" => Some(PinMode::Indirect),
        other => {
            return Err(Fault(format!(
                "invalid type '{other}', must be one of {{direct, indirect, recursive, all}}"
            )))
        }
    };
    let wanted = p.arg.is_some().then(|| p.cid()).transpose()?;
    let pins: Vec<(Cid, PinMode)> = ipfs.list_pins(filter).await.try_collect().await?;
    let keys: Map<String, Value> = pins
        .into_iter()
        .filter(|(cid, _)| wanted.is_none_or(|w| w == *cid))
        .map(|(cid, mode)| (cid.to_string(), json!({"Type": mode_name(&mode)})))
        .collect();
    match wanted {
        Some(cid) if keys.is_empty() => Err(Fault(format!("path '{cid}' is not pinned"))),
        _ => Ok(Json(json!({"Keys": keys}))),
    }
}

fn mode_name(mode: &PinMode) -> &'static str {
    match mode {
        PinMode::Recursive => "recursive",
        PinMode::Direct => "direct",
        PinMode::Indirect => "indirect",
    }
}

async fn block_stat(State(ipfs): State<Ipfs>, Query(p): Query<Parameters>) -> Answer {
    let cid = p.cid()?;
    let block = ipfs.get_block(cid).timeout(p.timeout()?).await?;
    Ok(Json(json!({"Key": cid.to_string(), "Size": block.data().len()})))
}

async fn id(State(ipfs): State<Ipfs>) -> Answer {
    let info = ipfs.identity(None).await?;
    let peer = info.peer_id;
    let mut addresses: Vec<String> = Vec::new();
    for address in ipfs.listening_addresses().await? {
        let address = address.to_string();
        addresses.push(if address.contains("/p2p/") { address } else { format!("{address}/p2p/{peer}") });
    }
    Ok(Json(json!({
        "ID": peer.to_string(),
        "PublicKey": hex::encode(info.public_key.encode_protobuf()),
        "Addresses": addresses,
        "AgentVersion": format!("fairshare/{}", env!("CARGO_PKG_VERSION")),
        "ProtocolVersion": info.protocol_version,
        "Protocols": info.protocols.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })))
}

async fn version() -> Json<Value> {
    Json(json!({
        "Version": concat!("fairshare-", env!("CARGO_PKG_VERSION")),
        "Commit": "",
        "Repo": "1",
        "System": format!("{}/{}", std::env::consts::ARCH, std::env::consts::OS),
        "Golang": "",
    }))
}

async fn swarm_connect(State(ipfs): State<Ipfs>, Query(p): Query<Parameters>) -> Answer {
    let argument = p.arg.as_deref().ok_or_else(|| Fault("argument \"address\" is required".into()))?;
    let address: Multiaddr =
        argument.parse().map_err(|e| Fault(format!("invalid address \"{argument}\": {e}")))?;
    let peer = address
        .peer_id()
        .ok_or_else(|| Fault(format!("\"{argument}\" names no peer: expected /p2p/ID at its end")))?;
    let timeout = p.timeout()?.min(Duration::from_secs(30));
    let deadline = tokio::time::Instant::now() + timeout;
    ipfs.connect(address.clone()).await?;
    while !ipfs.is_connected(peer).await? {
        if tokio::time::Instant::now() >= deadline {
            return Err(Fault(format!(
                "connect {peer} failure: no connection within {} s",
                timeout.as_secs()
            )));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(Json(json!({"Strings": [format!("connect {peer} success")]})))
}
