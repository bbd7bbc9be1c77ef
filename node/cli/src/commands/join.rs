//! `fairshare join` and `fairshare leave`.

use std::path::{Path, PathBuf};

use clap::Args;
use eyre::{ensure, eyre, WrapErr};
use fairshare_client::service::{add_amounts, print_json, print_line, DataArgs, OutputArgs};
use fairshare_client::{fetch_model, Receipt, SignedJoin};
use fairshare_protocol::{Address, Money};
use serde_json::{json, Value};

use super::open::SendArgs;
use super::output::{hash, reference_string, Progress};

/// How long a signed join is valid by default, seconds.
const A_DAY: u64 = 86_400;

/// `fairshare join`
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  fairshare join --project 0x.. --wallet me.json --password-file password

The stake is returned at the end, unless the trainer commits an update and does not reveal it, or more than half of the
trainers that revealed attest without it. An outlier may lose a penalty (see the terms).
`fairshare-trainer run --join` joins and trains.

Another account can pay stake and gas:
  fairshare join --project 0x.. --wallet me.json --sign-only > join.json      # sends nothing
  fairshare join --project 0x.. --wallet payer.json --for join.json           # the stake then belongs to the trainer")]
pub(super) struct JoinArgs {
    /// Print a signed join as JSON, for another account to send, and send nothing
    #[arg(long, conflicts_with = "on_behalf")]
    sign_only: bool,
    /// Seconds for which the signed join is valid
    #[arg(long, value_name = "SECONDS", default_value_t = A_DAY, requires = "sign_only")]
    valid_for: u64,
    /// Send the signed join in this file and pay its stake
    #[arg(long = "for", id = "on_behalf", value_name = "FILE")]
    on_behalf: Option<PathBuf>,
    #[command(flatten)]
    send: SendArgs,
    #[command(flatten)]
    data: DataArgs,
}

/// `fairshare leave`
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  fairshare leave --project 0x.. --wallet me.json --password-file password
  fairshare withdraw --project 0x.. --wallet me.json --password-file password   # pays out the stake")]
pub(super) struct LeaveArgs {
    #[command(flatten)]
    send: SendArgs,
}

impl JoinArgs {
    pub(super) async fn run(self) -> eyre::Result<()> {
        let signed = self.on_behalf.as_deref().map(read_signed).transpose()?;
        // A stake must not go into a project whose specification or first model is missing or differs from the chain.
        let session = self.send.session().await?;
        let (project, chain) = (&session.project, session.chain());
        if let Some(signed) = &signed {
            ensure!(
                (signed.project, signed.chain_id) == (project.address(), chain.chain_id()),
                "that join is signed for project {} on chain {}, not for {} on chain {}",
                signed.project,
                signed.chain_id,
                project.address(),
                chain.chain_id()
            );
        }
        let progress = Progress::start("opening the reference string");
        let srs = reference_string(&self.data, session.specification.model.dimension(), &progress)?;
        progress.say("fetching the first model and checking its commitment");
        let terms = project.terms();
        fetch_model(project, &session.store, &session.specification, &terms.model, terms.model_cid, &srs)
            .await?;
        drop(progress);
        let stake = terms.amount(terms.stake);
        let words = |who| format!("{} joined with a stake of {}", who, stake.short());
        if self.sign_only {
            let valid_until = chain.now().await?.saturating_add(self.valid_for);
            let join = project.sign_join(valid_until).await?;
            print_json(&to_json(&Signed { project: project.address(), chain_id: chain.chain_id(), join }))?;
            return Ok(());
        }
        match signed {
            None => print(&project.join().await?, stake, &words(chain.account()?), self.send.read.output),
            Some(Signed { join, .. }) => {
                print(&project.join_for(&join).await?, stake, &words(join.trainer), self.send.read.output)
            }
        }
    }
}

impl LeaveArgs {
    pub(super) async fn run(self) -> eyre::Result<()> {
        let project = self.send.project().await?;
        let account = project.chain().account()?;
        let stake = project.terms().amount(project.trainer_state(account).await?.stake);
        let receipt = project.leave().await?;
        let (who, money) = (account.to_string(), stake.short());
        let words = format!("{who} left; `fairshare withdraw` pays out its stake of {money}");
        print(&receipt, stake, &words, self.send.read.output)
    }
}

/// A signed join with the project and the chain for which it was signed.
#[derive(Debug, PartialEq, Eq)]
struct Signed {
    project: Address,
    chain_id: u64,
    join: SignedJoin,
}

fn to_json(signed: &Signed) -> Value {
    json!({
        "project": signed.project.to_string(),
        "chain_id": signed.chain_id,
        "trainer": signed.join.trainer.to_string(),
        "valid_until": signed.join.valid_until,
        "signature": format!("0x{}", hex::encode(&signed.join.signature)),
    })
}

fn read_signed(path: &Path) -> eyre::Result<Signed> {
    let text =
        std::fs::read_to_string(path).wrap_err_with(|| format!("{} cannot be read", path.display()))?;
    let value = serde_json::from_str(&text).ok();
    value.as_ref().and_then(from_json).ok_or_else(|| {
        eyre!("{} is not a signed join; create one with `fairshare join --sign-only`", path.display())
    })
}

fn from_json(value: &Value) -> Option<Signed> {
    let address = |field: &str| value[field].as_str()?.parse::<Address>().ok();
    let signature = hex::decode(value["signature"].as_str()?.strip_prefix("0x")?).ok()?;
    let valid_until = value["valid_until"].as_u64()?;
    let join = SignedJoin { trainer: address("trainer")?, valid_until, signature };
    Some(Signed { project: address("project")?, chain_id: value["chain_id"].as_u64()?, join })
}

fn print(receipt: &Receipt, amount: Money, words: &str, output: OutputArgs) -> eyre::Result<()> {
    let (transaction, gas) = (hash(&receipt.transaction), receipt.gas_used);
    if output.json {
        let mut json = json!({"transaction": transaction, "gas": gas});
        add_amounts(&mut json, [("amount", amount)]);
        print_json(&json)?;
    } else {
        print_line(&format!("{words} (transaction {transaction}, {gas} gas)"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_join_comes_back_from_its_json() {
        let join = SignedJoin { trainer: Address([7; 20]), valid_until: 9, signature: vec![1; 65] };
        let signed = Signed { project: Address([8; 20]), chain_id: 31_337, join };
        assert_eq!(from_json(&to_json(&signed)), Some(signed));
        assert_eq!(from_json(&json!({"trainer": "0x12"})), None);
        assert_eq!(from_json(&json!([])), None);
    }
}
