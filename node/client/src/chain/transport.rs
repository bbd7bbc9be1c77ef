//! JSON-RPC over HTTP that survives a bad line: a request that fails on its way, or is turned away for a moment, is made
//! again.
//!
//! Every request of ours may be repeated: reads change nothing, and a raw transaction has one hash however often it
//! arrives.

use std::fmt::Debug;

use async_trait::async_trait;
use ethers::providers::{Http, HttpClientError, JsonRpcClient, JsonRpcError};
use serde::de::DeserializeOwned;
use serde::Serialize;
use serde_json::Value;

use crate::retry::{pause, ATTEMPTS, CONNECT_ATTEMPTS};

/// Codes with which providers ask for patience: too many requests, or a balancer whose nodes differ.
const BUSY: [i64; 2] = [429, -32005];

/// An HTTP client for JSON-RPC that repeats what failed on the way.
#[derive(Debug)]
pub(super) struct Retrying {
    http: Http,
}

impl Retrying {
    pub(super) fn new(http: Http) -> Self {
        Self { http }
    }
}

#[async_trait]
impl JsonRpcClient for Retrying {
    type Error = HttpClientError;

    async fn request<T, R>(&self, method: &str, params: T) -> Result<R, Self::Error>
    where
        T: Debug + Serialize + Send + Sync,
        R: DeserializeOwned + Send,
    {
        // The client below leaves the parameters out when their type has no size.
        let params = match size_of::<T>() {
            0 => None,
            _ => Some(serde_json::to_value(&params).map_err(|err| HttpClientError::SerdeJson {
                err,
                text: format!("the parameters of {method}"),
            })?),
        };
        let mut attempt = 1;
        loop {
            let error = match self.once(method, params.as_ref()).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if attempt >= attempts(&error) {
                return Err(error);
            }
            let pause = pause(attempt);
            tracing::debug!(method, attempt, %error, pause_ms = pause.as_millis() as u64, "asking again");
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }
}

impl Retrying {
    async fn once<R: DeserializeOwned + Send>(
        &self,
        method: &str,
        params: Option<&Value>,
    ) -> Result<R, HttpClientError> {
        match params {
            Some(params) => self.http.request(method, params).await,
            None => self.http.request(method, ()).await,
        }
    }
}

/// How many attempts a request gets in all that fails with `error`.
fn attempts(error: &HttpClientError) -> u32 {
    match error {
        HttpClientError::ReqwestError(error) if error.is_connect() => CONNECT_ATTEMPTS,
        // Reset, cut off, or answered by something in between, such as a proxy's page.
        HttpClientError::ReqwestError(_) | HttpClientError::SerdeJson { .. } => ATTEMPTS,
        HttpClientError::JsonRpcError(JsonRpcError { code, message, .. }) => {
            if BUSY.contains(code) || message == "header not found" {
                ATTEMPTS
            } else {
                1 // the node's own answer
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rpc_error(code: i64, message: &str) -> HttpClientError {
        JsonRpcError { code, message: message.into(), data: None }.into()
    }

    #[test]
    fn the_nodes_own_answers_are_final_and_requests_for_patience_are_not() {
        for (code, message) in [(3, "execution reverted"), (-32000, "nonce too low"), (-32601, "no method")] {
            assert_eq!(attempts(&rpc_error(code, message)), 1);
        }
        for (code, message) in [(429, ""), (-32005, "limit exceeded"), (-32000, "header not found")] {
            assert_eq!(attempts(&rpc_error(code, message)), ATTEMPTS);
        }
        let page = serde_json::from_str::<u8>("<html>").unwrap_err();
        assert_eq!(attempts(&HttpClientError::SerdeJson { err: page, text: "<html>".into() }), ATTEMPTS);
    }
}
