//! The commands that a market is looked at and ended with.

use serde_json::Value;

use super::Market;
use crate::process::{run_json, Failure};

impl Market {
    /// Held-out accuracy of the model after `round` (the newest one without a round).
    ///
    /// # Errors
    /// [`Failure`] when the model cannot be fetched or evaluated.
    pub fn accuracy(&self, round: Option<u64>) -> Result<f64, Failure> {
        let path =
            self.folder.join(round.map_or("model.safetensors".into(), |r| format!("model-{r}.safetensors")));
        let mut fetch = self.command("fairshare", &["model", "fetch", "--json"])?;
        fetch.arg("--out").arg(&path);
        if let Some(round) = round {
            fetch.arg(format!("--round={round}"));
        }
        self.note("model_fetch", run_json(&mut fetch)?);
        let mut evaluate = self.command("fairshare-trainer", &["evaluate", "--json"])?;
        evaluate
            .arg("--model")
            .arg(&path)
            .arg("--data")
            .arg(&self.held_out)
            .arg("--spec")
            .arg(self.folder.join("project.toml"));
        let result = run_json(&mut evaluate)?;
        result["accuracy"].as_f64().ok_or_else(|| Failure::Output {
            command: "fairshare-trainer evaluate".into(),
            output: result.to_string(),
            expected: "accuracy".into(),
        })
    }

    /// `fairshare audit --json`, whether it passes or not.
    ///
    /// # Errors
    /// [`Failure`] when it prints no report.
    pub fn audit(&self) -> Result<Value, Failure> {
        let mut command = self.command("fairshare", &["audit", "--json"])?;
        let output = crate::process::run_raw(&mut command)?;
        let report = serde_json::from_slice(&output.stdout).map_err(|_| Failure::Command {
            command: "fairshare audit".into(),
            code: output.status.to_string(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })?;
        Ok(self.note("audit", report))
    }

    /// One call of the Ethereum node.
    ///
    /// # Errors
    /// [`Failure::Output`] with what the node says.
    pub fn call(&self, method: &str, parameters: Value) -> Result<Value, Failure> {
        crate::process::call_node(&self.rpc, method, parameters)
    }

    /// `fairshare project show --json`.
    ///
    /// # Errors
    /// [`Failure`] of the command.
    pub fn show(&self) -> Result<Value, Failure> {
        Ok(self
            .note("project_show", run_json(&mut self.command("fairshare", &["project", "show", "--json"])?)?))
    }

    /// Takes out what a wallet (`owner`, `aggregator`, a trainer's name) is owed; 0 when that is nothing.
    ///
    /// # Errors
    /// [`Failure`] of the command.
    pub fn withdraw(&self, name: &str) -> Result<u128, Failure> {
        let all = self.trainers.iter().map(|t| &t.wallet).chain([&self.owner, &self.aggregator]);
        let Some(wallet) = all.into_iter().find(|w| w.name == name) else { return Ok(0) };
        let mut command = self.signed("fairshare", &["withdraw", "--json"], wallet)?;
        let result = self.note("withdraw", run_json(&mut command)?);
        // In wei, or in the least unit of the project's token.
        Ok(amount(result.get("amount_units").unwrap_or(&result["amount_wei"])))
    }

    fn note(&self, definition: &'static str, result: Value) -> Value {
        self.results.lock().expect("no holder panics").push((definition, result.clone()));
        result
    }
}

/// An amount, as a string or a number.
fn amount(value: &Value) -> u128 {
    value.as_str().and_then(|s| s.parse().ok()).or_else(|| value.as_u64().map(u128::from)).unwrap_or_default()
}
