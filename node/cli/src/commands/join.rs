//! `fairshare join` and `fairshare leave`.

use std::path::{Path, PathBuf};

use clap::Args;
use eyre::{ensure, eyre, WrapErr};
use fairshare_client::service::{
    print_json, print_line, DataArgs, NetworkArgs, OutputArgs, ProjectArgs, WalletArgs,
};
use fairshare_client::{
    fetch_model, fetch_specification, format_address, parse_address, Address20, Receipt, SignedJoin,
};
use serde_json::{json, Value};

use super::output::{hash, reference_string, Progress};

/// Signed joins are good for this long unless told otherwise, seconds.
const A_DAY: u64 = 86_400;

/// `fairshare join`
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  fairshare join --project 0x.. --wallet me.json --password-file password

The stake comes back at the end, unless the trainer commits an update and does not reveal it, or no majority has its bytes.
`fairshare-trainer run --join` joins and trains.

Somebody else may pay stake and gas:
  fairshare join --project 0x.. --wallet me.json --sign-only > join.json      # sends nothing
  fairshare join --project 0x.. --wallet payer.json --for join.json           # the stake is the trainer's from then on")]
pub(super) struct JoinArgs {
    /// Print a signed join for somebody else to send, as JSON, and send nothing
    #[arg(long, conflicts_with = "on_behalf")]
    sign_only: bool,
    /// Seconds for which the signed join is good
    #[arg(long, value_name = "SECONDS", default_value_t = A_DAY, requires = "sign_only")]
    valid_for: u64,
    /// Send the signed join in this file and pay its stake
    #[arg(long = "for", id = "on_behalf", value_name = "FILE")]
    on_behalf: Option<PathBuf>,
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    wallet: WalletArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// `fairshare leave`
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  fairshare leave --project 0x.. --wallet me.json --password-file password
  fairshare withdraw --project 0x.. --wallet me.json --password-file password   # takes the stake out")]
pub(super) struct LeaveArgs {
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    wallet: WalletArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl JoinArgs {
    pub(super) async fn run(self) -> eyre::Result<()> {
        let signed = self.on_behalf.as_deref().map(read_signed).transpose()?;
        let chain = self.network.chain(Some(self.wallet.open()?)).await?;
        let project = self.project.open(&chain).await?;
        if let Some(signed) = &signed {
            ensure!(
                (signed.project, signed.chain_id) == (project.address(), chain.chain_id()),
                "that join is signed for project {} on chain {}, not for {} on chain {}",
                format_address(&signed.project),
                signed.chain_id,
                format_address(&project.address()),
                chain.chain_id()
            );
        }
        // Nobody should put a stake into a project whose specification or first model cannot be had or is another.
        let store = self.network.store().await?;
        let spec = fetch_specification(&project, &store).await?;
        let progress = Progress::start("opening the reference string");
        let srs = reference_string(&self.data, spec.model.dimension(), &progress)?;
        progress.say("fetching the first model and checking its commitment");
        let terms = project.terms();
        fetch_model(&project, &store, &spec, &terms.model, terms.model_cid, &srs).await?;
        drop(progress);
        let stake = terms.stake;
        let words = |who| format!("{} joined with a stake of {}", format_address(&who), terms.money(stake));
        if self.sign_only {
            let valid_until = chain.now().await?.saturating_add(self.valid_for);
            let join = project.sign_join(valid_until).await?;
            print_json(&to_json(&Signed { project: project.address(), chain_id: chain.chain_id(), join }))?;
            return Ok(());
        }
        match signed {
            None => print(&project.join().await?, stake, &words(chain.account()?), self.output),
            Some(Signed { join, .. }) => {
                print(&project.join_for(&join).await?, stake, &words(join.trainer), self.output)
            }
        }
    }
}

impl LeaveArgs {
    pub(super) async fn run(self) -> eyre::Result<()> {
        let chain = self.network.chain(Some(self.wallet.open()?)).await?;
        let project = self.project.open_any(&chain).await?;
        let account = chain.account()?;
        let stake = project.trainer_state(account).await?.stake;
        let receipt = project.leave().await?;
        let (who, money) = (format_address(&account), project.terms().money(stake));
        let words = format!("{who} left; `fairshare withdraw` takes its stake of {money} out");
        print(&receipt, stake, &words, self.output)
    }
}

/// A signed join with what it was signed for.
#[derive(Debug, PartialEq, Eq)]
struct Signed {
    project: Address20,
    chain_id: u64,
    join: SignedJoin,
}

fn to_json(signed: &Signed) -> Value {
    json!({
        "project": format_address(&signed.project),
        "chain_id": signed.chain_id,
        "trainer": format_address(&signed.join.trainer),
        "valid_until": signed.join.valid_until,
        "signature": format!("0x{}", hex::encode(&signed.join.signature)),
    })
}

fn read_signed(path: &Path) -> eyre::Result<Signed> {
    let text =
        std::fs::read_to_string(path).wrap_err_with(|| format!("{} cannot be read", path.display()))?;
    let value = serde_json::from_str(&text).ok();
    value.as_ref().and_then(from_json).ok_or_else(|| {
        eyre!("{} is no signed join; make one with `fairshare join --sign-only`", path.display())
    })
}

fn from_json(value: &Value) -> Option<Signed> {
    let address = |field: &str| parse_address(value[field].as_str()?).ok();
    let signature = hex::decode(value["signature"].as_str()?.strip_prefix("0x")?).ok()?;
    let valid_until = value["valid_until"].as_u64()?;
    let join = SignedJoin { trainer: address("trainer")?, valid_until, signature };
    Some(Signed { project: address("project")?, chain_id: value["chain_id"].as_u64()?, join })
}

fn print(receipt: &Receipt, amount: u128, words: &str, output: OutputArgs) -> eyre::Result<()> {
    let (transaction, gas) = (hash(&receipt.transaction), receipt.gas_used);
    if output.json {
        print_json(&json!({"transaction": transaction, "gas": gas, "amount_wei": amount.to_string()}))?;
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
        let join = SignedJoin { trainer: [7; 20], valid_until: 9, signature: vec![1; 65] };
        let signed = Signed { project: [8; 20], chain_id: 31_337, join };
        assert_eq!(from_json(&to_json(&signed)), Some(signed));
        assert_eq!(from_json(&json!({"trainer": "0x12"})), None);
        assert_eq!(from_json(&json!([])), None);
    }
}
