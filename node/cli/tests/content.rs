//! The same checks against the embedded IPFS node and against Kubo: programs must not notice which of them answers.
//!
//! Kubo is found by `FAIRSHARE_KUBO`, as `.tools/bin/ipfs` in the repository, or on PATH. Where there is none its half is
//! left out, unless `FAIRSHARE_REQUIRE_KUBO=1` asks for it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../protocol/tests/support/fuzzing.rs"]
mod fuzzing;
mod support;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fairshare_client::{ContentError, ContentId, ContentStore, CHUNK};
use fairshare_ipfs::EmbeddedIpfs;
use support::{answering, http, noise, wait_until};

const SIZES: [usize; 5] = [0, 1, CHUNK, CHUNK + 1, (1 << 20) + 3];

enum Node {
    Embedded(Box<EmbeddedIpfs>),
    Kubo(Daemon, String),
}

/// Ends with its test, whatever becomes of that.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[derive(Clone)]
enum Kind {
    Embedded,
    Kubo(PathBuf),
}

impl Kind {
    async fn start(&self, folder: &Path) -> Node {
        match self {
            Self::Embedded => Node::Embedded(Box::new(EmbeddedIpfs::start(folder, 0).await.unwrap())),
            Self::Kubo(program) => start_kubo(program, folder),
        }
    }
}

impl Node {
    fn store(&self, timeout: Duration) -> ContentStore {
        let api = match self {
            Self::Embedded(node) => node.api(),
            Self::Kubo(_, api) => api.clone(),
        };
        ContentStore::new(&api, timeout).unwrap()
    }

    async fn stop(self) {
        match self {
            Self::Embedded(node) => node.stop().await,
            Self::Kubo(mut daemon, _) => {
                let child = &mut daemon.0;
                Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
                child.wait().unwrap();
            }
        }
    }
}

fn start_kubo(program: &Path, folder: &Path) -> Node {
    let ipfs = |arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).env("IPFS_PATH", folder).env("IPFS_TELEMETRY", "off").stdout(Stdio::null());
        command
    };
    if !folder.join("config").exists() {
        // The profile keeps it on loopback, on free ports, without bootstrap and discovery.
        assert!(ipfs(&["init", "--profile", "test"]).status().unwrap().success());
    }
    let address = folder.join("api");
    let _ = std::fs::remove_file(&address);
    let daemon = Daemon(ipfs(&["daemon"]).stderr(Stdio::null()).spawn().unwrap());
    wait_until("Kubo's address", || std::fs::read_to_string(&address).is_ok_and(|a| a.contains("/tcp/")));
    let port = std::fs::read_to_string(&address).unwrap().trim().rsplit('/').next().unwrap().to_owned();
    Node::Kubo(daemon, format!("http://127.0.0.1:{port}"))
}

fn kubo() -> Option<Kind> {
    let named = std::env::var_os("FAIRSHARE_KUBO").map(PathBuf::from);
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/bin/ipfs");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("ipfs"));
    let found = named.into_iter().chain([ours]).chain(on_path).find(|candidate| candidate.is_file());
    if found.is_none() {
        let required = std::env::var("FAIRSHARE_REQUIRE_KUBO").is_ok_and(|v| v == "1");
        assert!(
            !required,
            "FAIRSHARE_REQUIRE_KUBO=1 and no ipfs binary (FAIRSHARE_KUBO, .tools/bin/ipfs, PATH)"
        );
        eprintln!("left out: no ipfs binary");
    }
    found.map(Kind::Kubo)
}

macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod embedded {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(super::Kind::Embedded).await;
            })*
        }
        mod kubo {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                if let Some(kubo) = super::kubo() {
                    super::$name(kubo).await;
                }
            })*
        }
    };
}

on_both!(
    what_is_added_comes_back_under_the_name_of_its_bytes,
    reading_stops_at_the_limit,
    content_that_nobody_has_is_given_up_in_time,
    pins_are_set_and_taken_away,
    a_restart_keeps_files_and_pins,
    the_node_says_what_it_is,
);

async fn what_is_added_comes_back_under_the_name_of_its_bytes(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let node = kind.start(folder.path()).await;
    let store = node.store(Duration::from_secs(20));
    for size in SIZES {
        let bytes = noise(size, size as u64);
        // `add` fails when the node names the bytes otherwise, so equal names across both nodes are checked here.
        let id = store.add(&bytes).await.unwrap();
        assert_eq!(id, ContentId::of(&bytes));
        assert_eq!(id, ContentId::from_digest(id.digest(), size));
        assert_eq!(store.fetch(&id, size).await.unwrap(), bytes, "{size}");
        assert_eq!(store.add(&bytes).await.unwrap(), id, "adding again changes nothing");
        let block = store.block_size(&id).await.unwrap();
        assert!(if id.is_raw() { block == size as u64 } else { block < 1000 }, "{size}: {block}");
    }
    node.stop().await;
}

async fn reading_stops_at_the_limit(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let node = kind.start(folder.path()).await;
    let store = node.store(Duration::from_secs(20));
    for size in [2, CHUNK, CHUNK * 3] {
        let id = store.add(&noise(size, 1)).await.unwrap();
        for limit in [0, size - 1] {
            let error = store.fetch(&id, limit).await.unwrap_err();
            assert_eq!(error, ContentError::TooLarge { cid: id.to_string(), limit });
        }
    }
    node.stop().await;
}

async fn content_that_nobody_has_is_given_up_in_time(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let node = kind.start(folder.path()).await;
    let store = node.store(Duration::from_secs(1));
    for id in [ContentId::of(b"nobody ever added this"), ContentId::from_digest([7; 32], CHUNK + 1)] {
        let start = Instant::now();
        let errors = [store.fetch(&id, 100).await.unwrap_err(), store.pin(&id).await.unwrap_err()];
        for error in errors {
            assert!(matches!(error, ContentError::Timeout { .. }), "{error}");
            assert!(error.to_string().contains(&id.to_string()), "{error}");
        }
        assert!(start.elapsed() < Duration::from_secs(5));
        assert!(!store.is_pinned(&id).await.unwrap());
    }
    node.stop().await;
}

async fn pins_are_set_and_taken_away(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let node = kind.start(folder.path()).await;
    let store = node.store(Duration::from_secs(20));
    for size in [10, CHUNK * 2 + 1] {
        let id = store.add(&noise(size, 2)).await.unwrap();
        assert!(store.is_pinned(&id).await.unwrap(), "what is added is pinned");
        store.unpin(&id).await.unwrap();
        assert!(!store.is_pinned(&id).await.unwrap());
        assert!(matches!(store.unpin(&id).await, Err(ContentError::Refused { .. })));
        store.pin(&id).await.unwrap();
        store.pin(&id).await.unwrap();
        assert!(store.is_pinned(&id).await.unwrap());
    }
    node.stop().await;
}

async fn a_restart_keeps_files_and_pins(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let node = kind.start(folder.path()).await;
    let store = node.store(Duration::from_secs(20));
    let files: Vec<_> = [5, CHUNK * 2].map(|size| noise(size, 3)).into();
    for file in &files {
        store.add(file).await.unwrap();
    }
    let peer = |addresses: Vec<String>| addresses[0].rsplit('/').next().unwrap().to_owned();
    let before = peer(store.addresses().await.unwrap());
    node.stop().await;
    assert!(matches!(store.check().await, Err(ContentError::Unreachable { .. })));

    let node = kind.start(folder.path()).await;
    let store = node.store(Duration::from_secs(20));
    for file in &files {
        let id = ContentId::of(file);
        assert_eq!(store.fetch(&id, file.len()).await.unwrap(), *file);
        assert!(store.is_pinned(&id).await.unwrap());
    }
    assert_eq!(peer(store.addresses().await.unwrap()), before, "it is the same peer");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_embedded_nodes_exchange_files() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (one, other) =
        (Kind::Embedded.start(folders[0].path()).await, Kind::Embedded.start(folders[1].path()).await);
    let (a, b) = (one.store(Duration::from_secs(20)), other.store(Duration::from_secs(20)));
    let address =
        b.addresses().await.unwrap().into_iter().find(|a| a.starts_with("/ip4/127.0.0.1/tcp/")).unwrap();
    a.connect(&address).await.unwrap();
    let (mine, yours) = (noise(CHUNK * 3 + 7, 4), noise(100, 5));
    let (mine_id, yours_id) = (a.add(&mine).await.unwrap(), b.add(&yours).await.unwrap());
    assert_eq!(b.fetch(&mine_id, mine.len()).await.unwrap(), mine);
    assert_eq!(a.fetch(&yours_id, yours.len()).await.unwrap(), yours);
    a.pin(&yours_id).await.unwrap();
    assert!(a.is_pinned(&yours_id).await.unwrap());
    let error = a.connect("/ip4/127.0.0.1/tcp/1").await.unwrap_err();
    assert!(matches!(error, ContentError::Refused { .. }), "{error}");
    one.stop().await;
    other.stop().await;
}

async fn the_node_says_what_it_is(kind: Kind) {
    let folder = tempfile::tempdir().unwrap();
    let node = kind.start(folder.path()).await;
    let store = node.store(Duration::from_secs(20));
    assert!(store.check().await.unwrap().contains('.'));
    for address in store.addresses().await.unwrap() {
        assert!(address.contains("/p2p/"), "{address}");
    }
    node.stop().await;
}

#[tokio::test]
async fn an_address_where_nothing_listens_is_named_with_the_remedy() {
    let store = ContentStore::new("http://127.0.0.1:1", Duration::from_secs(5)).unwrap();
    for error in [
        store.check().await.unwrap_err(),
        store.add(b"x").await.unwrap_err(),
        store.fetch(&ContentId::of(b"x"), 1).await.unwrap_err(),
    ] {
        assert!(matches!(error, ContentError::Unreachable { .. }) && error.is_node_fault(), "{error:?}");
        let words = error.to_string();
        assert!(words.contains("http://127.0.0.1:1 ") && words.contains("fairshare devnet"), "{words}");
    }
}

#[tokio::test]
async fn a_node_that_gives_other_bytes_is_found_out() {
    let timeout = Duration::from_secs(5);
    for wanted in [b"what was asked for".to_vec(), noise(CHUNK + 1, 6)] {
        let id = ContentId::of(&wanted);
        let liar =
            ContentStore::new(&answering(http("200 OK", b"something else"), false).await, timeout).unwrap();
        let error = liar.fetch(&id, 1 << 20).await.unwrap_err();
        assert!(matches!(error, ContentError::WrongBytes { length: 14, .. }), "{error}");
    }
    let answer = br#"{"Name":"x","Hash":"QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG","Size":"1"}"#;
    let other = ContentStore::new(&answering(http("200 OK", answer), false).await, timeout).unwrap();
    assert!(matches!(other.add(b"x").await, Err(ContentError::WrongName { .. })));
}

#[tokio::test]
async fn a_node_that_hangs_or_answers_nonsense_is_given_up() {
    let id = ContentId::of(b"x");
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n".to_vec();
    for part in [Vec::new(), head] {
        let hanging = ContentStore::new(&answering(part, true).await, Duration::from_millis(300)).unwrap();
        let error = hanging.fetch(&id, 100).await.unwrap_err();
        assert!(matches!(error, ContentError::Timeout { .. }), "{error}");
    }
    let timeout = Duration::from_secs(5);
    let page = ContentStore::new(&answering(http("404 Not Found", b"<html>"), false).await, timeout).unwrap();
    assert!(matches!(page.check().await, Err(ContentError::Refused { .. })));
    assert!(matches!(page.fetch(&id, 100).await, Err(ContentError::Refused { .. })));
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nx".to_vec();
    let cut = ContentStore::new(&answering(cut, false).await, timeout).unwrap();
    assert!(cut.fetch(&id, 100).await.is_err());
}

proptest::proptest! {
    #[test]
    fn fuzz_answers_of_an_ipfs_node(which in 0usize..5, changes in fuzzing::changes()) {
        let wanted = noise(700, 9);
        let bodies: [&[u8]; 5] = [
            &wanted,
            br#"{"Version":"0.30.0","Commit":"","Repo":"15","System":"amd64/linux","Golang":"go1.22"}"#,
            br#"{"Keys":{"bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4":{"Type":"recursive"}}}"#,
            br#"{"Key":"bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4","Size":700}"#,
            br#"{"ID":"x","Addresses":["/ip4/127.0.0.1/tcp/4001"],"AgentVersion":"kubo"}"#,
        ];
        // Head and body alike are changed.
        let mut answer = http("200 OK", bodies[which]);
        fuzzing::mutate(&mut answer, &changes);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(fuzzed_answer(answer, &wanted));
    }
}

/// Every question that a program puts to an IPFS node, put to one that answers this: an error or a true answer.
async fn fuzzed_answer(answer: Vec<u8>, wanted: &[u8]) {
    let store = ContentStore::new(&answering(answer, false).await, Duration::from_millis(50)).unwrap();
    let id = ContentId::of(wanted);
    if let Ok(bytes) = store.fetch(&id, 1 << 16).await {
        assert_eq!(bytes, wanted);
    }
    assert!(store.fetch(&id, 100).await.is_err(), "more bytes than were asked for at most");
    let _ = (store.check().await, store.is_pinned(&id).await, store.block_size(&id).await);
    let _ = (store.addresses().await, store.add(wanted).await, store.pin(&id).await);
}

proptest::proptest! {
    #[test]
    fn fuzz_content_ids(changes in fuzzing::changes(), junk in "\\PC{0,80}") {
        let mut text = ContentId::of(b"x").to_string().into_bytes();
        fuzzing::mutate(&mut text, &changes);
        for text in [String::from_utf8_lossy(&text).into_owned(), junk] {
            if let Ok(id) = text.parse::<ContentId>() {
                assert_eq!(id.to_string().parse::<ContentId>().unwrap(), id);
            }
        }
    }
}
