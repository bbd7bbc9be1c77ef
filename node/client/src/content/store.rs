//! A client of an IPFS node: every request has a deadline, every answer is checked.

use std::future::Future;
use std::io::Cursor;
use std::time::Duration;

use futures::StreamExt;
use ipfs_api::request::{Add, Id};
use ipfs_api::{IpfsApi, IpfsClient, TryFromUri};
use ipfs_api_prelude::{Backend, Error as PreludeError};
use serde::Deserialize;

use super::{ContentError, ContentId};
use crate::retry::{pause, ATTEMPTS, CONNECT_ATTEMPTS};

/// A content store behind the RPC of Kubo. Cheap to clone.
#[derive(Clone)]
pub struct ContentStore {
    api: String,
    client: IpfsClient,
    timeout: Duration,
}

/// The part of the answer to `id` that we use; the library's own type requires a field that Kubo no longer sends.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Identity {
    addresses: Vec<String>,
}

impl std::fmt::Debug for ContentStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContentStore").field("api", &self.api).field("timeout", &self.timeout).finish()
    }
}

impl ContentStore {
    /// A store at `api`, such as `http://127.0.0.1:5001`. `timeout` limits each request as a whole.
    ///
    /// # Errors
    /// [`ContentError::BadAddress`]. Nothing is sent yet: see [`Self::check`].
    pub fn new(api: &str, timeout: Duration) -> Result<Self, ContentError> {
        let bad = |reason: &str| ContentError::BadAddress { api: api.to_owned(), reason: reason.to_owned() };
        let host = api.strip_prefix("http://").ok_or_else(|| bad("it does not start with http://"))?;
        let host = host.trim_end_matches('/');
        if host.is_empty() || host.contains(['/', '?', '#', '@', ' ']) {
            return Err(bad("expected a host and a port behind http://"));
        }
        let client = <IpfsClient as TryFromUri>::from_str(&format!("http://{host}"))
            .map_err(|e| bad(&e.to_string()))?;
        Ok(Self { api: format!("http://{host}"), client, timeout })
    }

    /// The RPC's address.
    pub fn api(&self) -> &str {
        &self.api
    }

    /// The node's version.
    ///
    /// # Errors
    /// [`ContentError::Unreachable`] when nothing listens there; the node's faults.
    pub async fn check(&self) -> Result<String, ContentError> {
        Ok(self.ask("version".into(), || self.client.version()).await?.version)
    }

    /// Adds `bytes` to IPFS and pins them.
    ///
    /// # Errors
    /// [`ContentError::WrongName`] when the node builds another tree than the protocol requires; the node's faults.
    pub async fn add(&self, bytes: &[u8]) -> Result<ContentId, ContentError> {
        let expected = ContentId::of(bytes);
        let what = format!("adding {} bytes", bytes.len());
        let add = || {
            let options = Add {
                cid_version: Some(1),
                raw_leaves: Some(true),
                chunker: Some("size-262144"),
                pin: Some(true),
                ..Add::default()
            };
            self.client.add_with_options(Cursor::new(bytes.to_vec()), options)
        };
        let answer = self.ask(what, add).await?;
        if answer.hash != expected.to_string() {
            let (api, expected) = (self.api.clone(), expected.to_string());
            return Err(ContentError::WrongName { api, expected, actual: answer.hash });
        }
        Ok(expected)
    }

    /// The content of `id`, at most `limit` bytes. The bytes are checked against the CID.
    ///
    /// # Errors
    /// [`ContentError::TooLarge`] as soon as `limit` is exceeded, [`ContentError::WrongBytes`], the node's faults.
    pub async fn fetch(&self, id: &ContentId, limit: usize) -> Result<Vec<u8>, ContentError> {
        let cid = id.to_string();
        // `None` once the content is longer than `limit`.
        let read = || async {
            let mut stream = self.client.cat(&cid);
            let mut bytes = Vec::new();
            while let Some(part) = stream.next().await {
                let part = part?;
                if bytes.len() + part.len() > limit {
                    return Ok(None);
                }
                bytes.extend_from_slice(&part);
            }
            Ok(Some(bytes))
        };
        let bytes = self.ask(format!("fetching {cid}"), read).await?;
        let bytes = bytes.ok_or_else(|| ContentError::TooLarge { cid: cid.clone(), limit })?;
        let actual = if id.is_raw() { ContentId::of_raw(&bytes) } else { ContentId::of(&bytes) };
        if actual != *id {
            let (api, actual) = (self.api.clone(), actual.to_string());
            return Err(ContentError::WrongBytes { api, cid, actual, length: bytes.len() });
        }
        Ok(bytes)
    }

    /// Pins the file `id` with all its blocks.
    ///
    /// # Errors
    /// The node's faults; [`ContentError::Timeout`] when no peer provides it.
    pub async fn pin(&self, id: &ContentId) -> Result<(), ContentError> {
        let cid = id.to_string();
        self.ask(format!("pinning {cid}"), || self.client.pin_add(&cid, true)).await.map(drop)
    }

    /// Removes the pin of `id`.
    ///
    /// # Errors
    /// [`ContentError::Refused`] when it is not pinned; the node's faults.
    pub async fn unpin(&self, id: &ContentId) -> Result<(), ContentError> {
        let cid = id.to_string();
        self.ask(format!("unpinning {cid}"), || self.client.pin_rm(&cid, true)).await.map(drop)
    }

    /// Whether the node holds a recursive pin of `id`.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn is_pinned(&self, id: &ContentId) -> Result<bool, ContentError> {
        let cid = id.to_string();
        match self
            .ask(format!("looking for the pin of {cid}"), || {
                self.client.pin_ls(Some(&cid), Some("recursive"))
            })
            .await
        {
            Ok(answer) => Ok(answer.keys.contains_key(&cid)),
            Err(ContentError::Refused { reason, .. }) if reason.contains("is not pinned") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Bytes of the block that `id` names (of the root, when the file has several).
    ///
    /// # Errors
    /// The node's faults; [`ContentError::Timeout`] when no peer provides it.
    pub async fn block_size(&self, id: &ContentId) -> Result<u64, ContentError> {
        let cid = id.to_string();
        Ok(self.ask(format!("measuring {cid}"), || self.client.block_stat(&cid)).await?.size)
    }

    /// The addresses at which other IPFS nodes reach this one, each with the peer's id.
    ///
    /// # Errors
    /// The node's faults.
    pub async fn addresses(&self) -> Result<Vec<String>, ContentError> {
        Ok(self
            .ask("id".into(), || self.client.request::<_, Identity>(Id { peer: None }, None))
            .await?
            .addresses)
    }

    /// Connects the node to another one at one of that one's [`Self::addresses`].
    ///
    /// # Errors
    /// [`ContentError::Refused`] when the node cannot connect; the node's faults.
    pub async fn connect(&self, address: &str) -> Result<(), ContentError> {
        self.ask(format!("connecting to {address}"), || self.client.swarm_connect(address)).await.map(drop)
    }

    /// Asks, and asks again where the question was lost on its way: each of ours may be repeated.
    async fn ask<T, F>(&self, what: String, question: impl Fn() -> F) -> Result<T, ContentError>
    where
        F: Future<Output = Result<T, ipfs_api::Error>>,
    {
        // What went wrong last says more than that the time is over.
        let mut last = None;
        let asking = async {
            let mut attempt = 1;
            loop {
                match question().await {
                    Ok(answer) => return Ok(answer),
                    Err(error) if attempt < attempts(&error) => {
                        tracing::debug!(what, attempt, %error, "asking again");
                        last = Some(error);
                        tokio::time::sleep(pause(attempt)).await;
                        attempt += 1;
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        match tokio::time::timeout(self.timeout, asking).await {
            Ok(answer) => answer.map_err(|error| self.fault(what, error)),
            Err(_) => Err(match last {
                Some(error) => self.fault(what, error),
                None => self.late(what),
            }),
        }
    }

    fn late(&self, what: String) -> ContentError {
        ContentError::Timeout { what, api: self.api.clone(), seconds: self.timeout.as_secs() }
    }

    fn fault(&self, what: String, error: ipfs_api::Error) -> ContentError {
        let api = self.api.clone();
        match error {
            ipfs_api::Error::Api(error) => ContentError::Refused { what, api, reason: error.message },
            ipfs_api::Error::Client(error) => {
                let mut reason = error.to_string();
                let mut cause = std::error::Error::source(&error);
                while let Some(inner) = cause {
                    reason = inner.to_string();
                    cause = inner.source();
                }
                ContentError::Unreachable { api, reason }
            }
            // The answer does not come from an IPFS node, or not in a form that we understand.
            error => ContentError::Refused { what, api, reason: error.to_string() },
        }
    }
}

/// How many attempts a question gets in all that fails with `error`.
fn attempts(error: &ipfs_api::Error) -> u32 {
    match error {
        ipfs_api::Error::Client(error) if error.is_connect() => CONNECT_ATTEMPTS,
        // Reset or cut off on the way; or answered by something in between, such as a proxy's page.
        ipfs_api::Error::Client(error) if !error.is_parse() => ATTEMPTS,
        ipfs_api::Error::IpfsClientError(PreludeError::UnrecognizedApiError(_)) => ATTEMPTS,
        // The node's own answer, or that of something that is not an IPFS node.
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_no_address_is_refused_with_an_example() {
        for bad in [
            "",
            "127.0.0.1:5001",
            "https://127.0.0.1:5001",
            "http://",
            "http:///x",
            "http://a b",
            "http://h:99999/x",
        ] {
            let error = ContentStore::new(bad, Duration::from_secs(1)).unwrap_err().to_string();
            assert!(
                error.contains("http://127.0.0.1:5001") && error.contains(&format!("{bad:?}")),
                "{error}"
            );
        }
        assert_eq!(ContentStore::new("http://h:1/", Duration::from_secs(1)).unwrap().api(), "http://h:1");
    }
}
