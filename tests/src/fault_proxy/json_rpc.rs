//! JSON-RPC, one call or a batch of them: what is asked, and the answers that a faulty provider gives.

use serde_json::{json, Value};
use sha3::{Digest, Keccak256};

/// Methods whose answers depend on what the latest block is.
pub(super) const ABOUT_LATEST: [&str; 7] = [
    "eth_blockNumber",
    "eth_getBlockByNumber",
    "eth_call",
    "eth_getBalance",
    "eth_getCode",
    "eth_getLogs",
    "eth_getTransactionReceipt",
];

/// A call of a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    /// The JSON-RPC method, or the command of the IPFS RPC.
    pub(super) method: String,
    pub(super) parameters: Value,
}

impl Call {
    /// The calls of a request: those of its JSON-RPC, else the one that its path names.
    pub(super) fn all_of(path: &str, body: &[u8]) -> Vec<Self> {
        let one = |value: &Value| {
            let method = value["method"].as_str()?.to_owned();
            Some(Self { method, parameters: value["params"].clone() })
        };
        let calls: Option<Vec<Self>> = match serde_json::from_slice(body) {
            Ok(Value::Array(all)) => all.iter().map(one).collect(),
            Ok(value) => one(&value).map(|call| vec![call]),
            Err(_) => None,
        };
        calls.unwrap_or_else(|| {
            let method = path.trim_start_matches("/api/v0/").trim_matches('/').to_owned();
            vec![Self { method, parameters: Value::Null }]
        })
    }

    /// The bytes of a raw transaction, in hexadecimal.
    pub(super) fn raw_transaction(&self) -> Option<&str> {
        (self.method == "eth_sendRawTransaction").then(|| self.parameters[0].as_str())?
    }

    /// True for a raw transaction whose data begin with `selector`, or contain it.
    pub(super) fn calls(&self, selector: &str) -> bool {
        self.raw_transaction().is_some_and(|raw| raw.to_lowercase().contains(selector))
    }
}

/// The hash of a raw transaction.
pub(super) fn transaction_hash(raw: &str) -> String {
    let bytes = hex::decode(raw.trim_start_matches("0x")).unwrap_or_default();
    format!("0x{}", hex::encode(Keccak256::digest(bytes)))
}

/// The first four bytes of calls of a function of the project, in hexadecimal.
///
/// # Panics
/// When the project has no such function.
pub(super) fn selector(function: &str) -> String {
    let artefact: Value = serde_json::from_str(include_str!("../../../contracts/abi/Project.json"))
        .expect("a committed file is JSON");
    let all = artefact["abi"].as_array().into_iter().flatten();
    let found = all.into_iter().find(|entry| entry["type"] == "function" && entry["name"] == function);
    let found = found.unwrap_or_else(|| panic!("the project has no function {function}"));
    let signature = format!("{function}{}", types(&found["inputs"]));
    hex::encode(&Keccak256::digest(signature)[..4])
}

/// The types of parameters as a signature has them.
fn types(parameters: &Value) -> String {
    let one = |parameter: &Value| {
        let name = parameter["type"].as_str().unwrap_or_default();
        match name.strip_prefix("tuple") {
            Some(array) => types(&parameter["components"]) + array,
            None => name.to_owned(),
        }
    };
    let all: Vec<String> = parameters.as_array().into_iter().flatten().map(one).collect();
    format!("({})", all.join(","))
}

/// A request, one call or a batch.
pub(super) struct Request {
    calls: Vec<Value>,
    is_batch: bool,
    /// The answers that are settled already, by the call's index.
    answers: Vec<Option<Value>>,
}

impl Request {
    /// Reads a request's body; `None` when it is no JSON-RPC.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let (calls, is_batch) = match serde_json::from_slice(body).ok()? {
            Value::Array(calls) => (calls, true),
            call @ Value::Object(_) => (vec![call], false),
            _ => return None,
        };
        let answers = vec![None; calls.len()];
        Some(Self { calls, is_batch, answers })
    }

    /// Answers a call with an error.
    pub(super) fn refuse(&mut self, at: usize, code: i64, message: &str) {
        let error = json!({"code": code, "message": message});
        self.answers[at] = Some(json!({"jsonrpc": "2.0", "id": self.calls[at]["id"], "error": error}));
    }

    /// Answers a raw transaction as if it was taken.
    pub(super) fn swallow(&mut self, at: usize) {
        let hash = transaction_hash(self.calls[at]["params"][0].as_str().unwrap_or_default());
        self.answers[at] = Some(json!({"jsonrpc": "2.0", "id": self.calls[at]["id"], "result": hash}));
    }

    /// Asks about block `head` where the call asks about the latest.
    pub(super) fn ask_at(&mut self, at: usize, head: u64) {
        let block = json!(format!("{head:#x}"));
        let call = &mut self.calls[at];
        let is_latest = |value: &Value| value.is_null() || value == "latest";
        let position = match call["method"].as_str().unwrap_or_default() {
            "eth_getBlockByNumber" => 0,
            "eth_call" | "eth_getBalance" | "eth_getCode" => 1,
            "eth_getLogs" => {
                if is_latest(&call["params"][0]["toBlock"]) && call["params"][0]["blockHash"].is_null() {
                    call["params"][0]["toBlock"] = block;
                }
                return;
            }
            _ => return,
        };
        let Some(parameters) = call["params"].as_array_mut() else { return };
        if parameters.len() == position {
            parameters.push(block);
        } else if parameters.get(position).is_some_and(is_latest) {
            parameters[position] = block;
        }
    }

    /// The body for the upstream; `None` when every call is answered already.
    pub(super) fn body(&self) -> Option<Vec<u8>> {
        let open: Vec<&Value> = self
            .calls
            .iter()
            .zip(&self.answers)
            .filter(|(_, answer)| answer.is_none())
            .map(|(c, _)| c)
            .collect();
        match open.as_slice() {
            [] => None,
            [call] if !self.is_batch => Some(call.to_string().into_bytes()),
            calls => Some(json!(calls).to_string().into_bytes()),
        }
    }

    /// Takes the upstream's answers for the calls that are not answered yet; false when they are none.
    pub(super) fn take_answers(&mut self, body: &[u8]) -> bool {
        let given = match serde_json::from_slice(body) {
            Ok(Value::Array(all)) => all,
            Ok(value @ Value::Object(_)) => vec![value],
            _ => return false,
        };
        for (call, answer) in self.calls.iter().zip(&mut self.answers) {
            if answer.is_none() {
                *answer = given.iter().find(|given| given["id"] == call["id"]).cloned();
            }
        }
        self.answers.iter().all(Option::is_some)
    }

    /// Changes the answer to `eth_getTransactionCount` to the nonce before.
    pub(super) fn lower_nonce(&mut self, at: usize) {
        if let Some(nonce) = self.answers[at].as_ref().and_then(|a| number(&a["result"])) {
            self.set_result(at, json!(format!("{:#x}", nonce.saturating_sub(1))));
        }
    }

    /// Hides what a node that has only the blocks up to `head` does not know: the last block's number, receipts.
    pub(super) fn hide_after(&mut self, at: usize, head: u64) {
        let Some(answer) = &self.answers[at] else { return };
        match self.calls[at]["method"].as_str().unwrap_or_default() {
            "eth_blockNumber" => self.set_result(at, json!(format!("{head:#x}"))),
            "eth_getTransactionReceipt"
                if number(&answer["result"]["blockNumber"]).is_some_and(|block| block > head) =>
            {
                self.set_result(at, Value::Null);
            }
            _ => {}
        }
    }

    fn set_result(&mut self, at: usize, result: Value) {
        if let Some(answer) = &mut self.answers[at] {
            answer["result"] = result;
        }
    }

    /// The body for the client.
    pub(super) fn into_answer(self) -> Vec<u8> {
        let mut answers: Vec<Value> = self.answers.into_iter().flatten().collect();
        let body = match (self.is_batch, answers.pop()) {
            (false, Some(one)) => one,
            (_, last) => Value::Array(answers.into_iter().chain(last).collect()),
        };
        body.to_string().into_bytes()
    }
}

/// A number in hexadecimal.
pub(super) fn number(value: &Value) -> Option<u64> {
    u64::from_str_radix(value.as_str()?.trim_start_matches("0x"), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_those_of_the_projects_functions() {
        // As `cast sig` gives them; `settle` has a tuple and arrays.
        assert_eq!(selector("advance"), "ea105ac7");
        let signature = "settle(uint256,address,bytes32,uint256[2][],address[],(";
        let artefact: Value =
            serde_json::from_str(include_str!("../../../contracts/abi/Project.json")).unwrap();
        let settle = artefact["abi"].as_array().unwrap().iter().find(|e| e["name"] == "settle").unwrap();
        assert!(format!("settle{}", types(&settle["inputs"])).starts_with(signature));
    }

    #[test]
    #[should_panic(expected = "no function nothing")]
    fn a_function_that_the_project_does_not_have_is_refused() {
        selector("nothing");
    }

    #[test]
    fn a_transactions_hash_is_that_of_its_bytes() {
        // Keccak-256 of nothing.
        assert!(transaction_hash("0x")
            .starts_with("0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"));
    }

    #[test]
    fn questions_about_the_latest_block_are_asked_about_an_earlier_one() {
        let asked = |method: &str, parameters: Value| {
            let body = json!({"id": 1, "method": method, "params": parameters}).to_string();
            let mut request = Request::parse(body.as_bytes()).unwrap();
            request.ask_at(0, 10);
            let body: Value = serde_json::from_slice(&request.body().unwrap()).unwrap();
            body["params"].clone()
        };
        assert_eq!(asked("eth_getBlockByNumber", json!(["latest", false])), json!(["0xa", false]));
        assert_eq!(asked("eth_getBlockByNumber", json!(["0x3", false])), json!(["0x3", false]));
        assert_eq!(asked("eth_call", json!([{"to": "0x"}])), json!([{"to": "0x"}, "0xa"]));
        assert_eq!(asked("eth_call", json!([{}, {"blockHash": "0x1"}])), json!([{}, {"blockHash": "0x1"}]));
        assert_eq!(asked("eth_getLogs", json!([{"fromBlock": "0x0"}]))[0]["toBlock"], "0xa");
        assert_eq!(asked("eth_getLogs", json!([{"blockHash": "0x1"}]))[0]["toBlock"], Value::Null);
    }

    #[test]
    fn calls_are_those_of_a_batch_or_named_by_the_path() {
        let batch = json!([{"method": "a", "params": [1]}, {"method": "b"}]).to_string();
        let names: Vec<_> = Call::all_of("/", batch.as_bytes()).into_iter().map(|c| c.method).collect();
        assert_eq!(names, ["a", "b"]);
        assert_eq!(Call::all_of("/api/v0/block/get", b"--x--")[0].method, "block/get");
    }
}
