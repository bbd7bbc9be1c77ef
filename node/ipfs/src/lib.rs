//! An IPFS node inside this process. It serves the part of Kubo's RPC that Fairshare uses (add, cat, pin add/ls/rm, block
//! stat, id, version, swarm connect), so that only an address changes when Kubo takes its place.
//!
//! It listens on loopback only, keeps its state on disk, and has no bootstrap peers: it meets other nodes through
//! `swarm connect`.

mod api;
pub mod duration;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fairshare_client::files::write_new;
use futures::future::{BoxFuture, LocalBoxFuture};
use rust_ipfs::builder::DefaultIpfsBuilder;
use rust_ipfs::{Ipfs, Keypair};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// How long pending requests may take when the node stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);

/// Errors at the start of the embedded node.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// Its folder cannot be used.
    #[error("the IPFS folder {path}: {reason}")]
    Folder {
        /// Which folder or file.
        path: PathBuf,
        /// Why it cannot be used.
        reason: String,
    },
    /// Its port is taken.
    #[error("port {port} of 127.0.0.1, for the IPFS RPC, cannot be opened ({reason}): choose another (0 takes a free one)")]
    Port {
        /// The port.
        port: u16,
        /// The error of the system.
        reason: String,
    },
    /// The node itself does not start.
    #[error("the IPFS node does not start on {path}: {reason}; is another one running there?")]
    Start {
        /// Its folder.
        path: PathBuf,
        /// The error of the node.
        reason: String,
    },
}

/// A running node with its RPC.
pub struct EmbeddedIpfs {
    ipfs: Ipfs,
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<()>,
}

impl EmbeddedIpfs {
    /// Starts a node on `folder`, its RPC on `port` of 127.0.0.1 (0 takes a free one).
    ///
    /// # Errors
    /// [`EmbeddedError`] contains the remedy.
    ///
    /// Boxed, so that this crate instantiates the node once, and not every program that starts one.
    pub fn start(folder: &Path, port: u16) -> LocalBoxFuture<'static, Result<Self, EmbeddedError>> {
        let folder = folder.to_owned();
        Box::pin(async move { Self::started(&folder, port).await })
    }

    async fn started(folder: &Path, port: u16) -> Result<Self, EmbeddedError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .map_err(|e| EmbeddedError::Port { port, reason: e.to_string() })?;
        let address =
            listener.local_addr().map_err(|e| EmbeddedError::Port { port, reason: e.to_string() })?;
        let failed = |reason: String| EmbeddedError::Folder { path: folder.to_owned(), reason };
        std::fs::create_dir_all(folder).map_err(|e| failed(e.to_string()))?;
        let identity = identity(&folder.join("identity"))?;
        let start = |reason: String| EmbeddedError::Start { path: folder.to_owned(), reason };
        let end = tokio::time::Instant::now() + STOP_TIMEOUT;
        let ipfs = loop {
            let node = DefaultIpfsBuilder::with_keypair(&identity)
                .map_err(|e| start(e.to_string()))?
                .with_identify(Default::default())
                .with_ping(Default::default())
                .with_bitswap()
                .enable_tcp()
                .add_listening_addr("/ip4/127.0.0.1/tcp/0".parse().expect("an address of a listener"))
                .set_path(folder.join("repository"));
            match node.start().await.map_err(|e| e.to_string()) {
                Ok(ipfs) => break ipfs,
                // A node that was just stopped releases its folder shortly after `exit_daemon` returns.
                Err(reason) if reason.contains("already being used") && tokio::time::Instant::now() < end => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                Err(reason) => return Err(start(reason)),
            }
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let service = api::router(ipfs.clone());
        let server = tokio::spawn(async move {
            let serve = axum::serve(listener, service).with_graceful_shutdown(async move {
                let _ = stopped.await;
            });
            if let Err(error) = serve.await {
                tracing::error!(%error, "the IPFS RPC ended");
            }
        });
        Ok(Self { ipfs, address, stop, server })
    }

    /// The RPC's address, for [`fairshare_client::ContentStore::new`].
    pub fn api(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops RPC and node.
    pub fn stop(self) -> BoxFuture<'static, ()> {
        Box::pin(self.stopped())
    }

    async fn stopped(self) {
        let _ = self.stop.send(());
        let mut server = self.server;
        if tokio::time::timeout(STOP_TIMEOUT, &mut server).await.is_err() {
            server.abort(); // a client waits for content that no peer has
        }
        self.ipfs.exit_daemon().await;
    }
}

/// The node's key, created at the first start, so that it stays the same peer.
fn identity(path: &Path) -> Result<Keypair, EmbeddedError> {
    let failed = |reason: String| EmbeddedError::Folder { path: path.to_owned(), reason };
    match std::fs::read(path) {
        Ok(bytes) => {
            Keypair::from_protobuf_encoding(&bytes).map_err(|e| failed(format!("not an identity: {e}")))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let pair = Keypair::generate_ed25519();
            let bytes = pair.to_protobuf_encoding().map_err(|e| failed(e.to_string()))?;
            write_new(path, &bytes).map_err(|e| failed(e.to_string()))?;
            Ok(pair)
        }
        Err(error) => Err(failed(error.to_string())),
    }
}
