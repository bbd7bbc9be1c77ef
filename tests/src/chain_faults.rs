//! Faults of a chain: no blocks, fees that rise, reorganisations. Anvil has a method for each.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{json, Value};

use crate::process::{call_node, Failure};

/// Seconds between blocks while nothing shall be mined.
const NEVER: u64 = 1_000_000;
/// How often a high base fee is set again: more often than blocks come.
const FEE_INTERVAL: Duration = Duration::from_millis(200);

/// The chain of a devnet, for a test that makes it misbehave.
#[derive(Clone, Debug)]
pub struct ChainFaults {
    rpc: String,
}

/// A base fee that stays high until the value is dropped.
pub struct HighBaseFee {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl ChainFaults {
    /// The chain behind `rpc`, which is anvil itself and no proxy.
    pub fn new(rpc: &str) -> Self {
        Self { rpc: rpc.to_owned() }
    }

    fn call(&self, method: &str, parameters: Value) -> Result<Value, Failure> {
        call_node(&self.rpc, method, parameters)
    }

    /// Makes no more blocks: transactions stay pending.
    ///
    /// # Errors
    /// [`Failure`] of the node.
    pub fn stop_mining(&self) -> Result<(), Failure> {
        self.mine_every(NEVER)
    }

    /// Makes a block every so many seconds, and none for a transaction.
    ///
    /// # Errors
    /// [`Failure`] of the node.
    pub fn mine_every(&self, seconds: u64) -> Result<(), Failure> {
        self.call("evm_setIntervalMining", json!([seconds])).map(drop)
    }

    /// Makes a block now.
    ///
    /// # Errors
    /// [`Failure`] of the node.
    pub fn mine(&self) -> Result<(), Failure> {
        self.call("evm_mine", json!([])).map(drop)
    }

    /// Transactions that wait for a block.
    ///
    /// # Errors
    /// [`Failure`] of the node.
    pub fn pending(&self) -> Result<u64, Failure> {
        let status = self.call("txpool_status", json!([]))?;
        hexadecimal(&status["pending"])
    }

    /// Number of the latest block.
    ///
    /// # Errors
    /// [`Failure`] of the node.
    pub fn block(&self) -> Result<u64, Failure> {
        hexadecimal(&self.call("eth_blockNumber", json!([]))?)
    }

    /// Wei per gas that the latest block burns.
    ///
    /// # Errors
    /// [`Failure`] of the node.
    pub fn base_fee(&self) -> Result<u64, Failure> {
        hexadecimal(&self.call("eth_getBlockByNumber", json!(["latest", false]))?["baseFeePerGas"])
    }

    /// Raises the base fee of every further block to `wei`.
    ///
    /// # Errors
    /// [`Failure`] of the node.
    pub fn raise_base_fee(&self, wei: u64) -> Result<HighBaseFee, Failure> {
        let set = |chain: &Self| {
            chain.call("anvil_setNextBlockBaseFeePerGas", json!([format!("{wei:#x}")])).map(drop)
        };
        set(self)?;
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (chain, stop) = (self.clone(), Arc::clone(&stop));
            move || {
                while !stop.load(Ordering::Relaxed) {
                    // A node that is stopped at the end of a test does not matter here.
                    let _ = chain.call("anvil_setNextBlockBaseFeePerGas", json!([format!("{wei:#x}")]));
                    std::thread::sleep(FEE_INTERVAL);
                }
            }
        });
        Ok(HighBaseFee { stop, thread: Some(thread) })
    }

    /// Replaces the last `blocks` blocks by empty ones; their transactions are lost. The chain's clock, which anvil
    /// sets back with the blocks, is set forward to where it was.
    ///
    /// # Errors
    /// [`Failure`] of the node.
    pub fn reorganise(&self, blocks: u64) -> Result<(), Failure> {
        let before = self.time()?;
        self.call("anvil_reorg", json!([blocks, []]))?;
        let lost = before.saturating_sub(self.time()?);
        self.call("evm_increaseTime", json!([lost])).map(drop)
    }

    fn time(&self) -> Result<u64, Failure> {
        hexadecimal(&self.call("eth_getBlockByNumber", json!(["latest", false]))?["timestamp"])
    }
}

impl Drop for HighBaseFee {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn hexadecimal(value: &Value) -> Result<u64, Failure> {
    let digits = value.as_str().and_then(|text| u64::from_str_radix(text.trim_start_matches("0x"), 16).ok());
    digits.ok_or_else(|| Failure::Output {
        command: "a question to the chain".into(),
        output: value.to_string(),
        expected: "a number in hexadecimal".into(),
    })
}
