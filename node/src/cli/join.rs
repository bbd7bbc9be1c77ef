//! `fairshare join` and `fairshare leave`.

use clap::Args;
use fairshare_circuits::ReferenceString;
use serde_json::json;

use super::args::DataArgs;
use super::output::hash;
use super::{print_json, print_line, NetworkArgs, OutputArgs, Progress, ProjectArgs, WalletArgs};
use crate::address::format_address;
use crate::chain::{ether, Receipt};
use crate::project_files::{fetch_model, fetch_specification};

/// `fairshare join`
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  fairshare join --project 0x.. --wallet me.json --password-file password

The stake comes back at the end, unless the trainer commits an update and does not reveal it.
`fairshare-trainer run --join` joins and trains.")]
pub(super) struct JoinArgs {
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
        let chain = self.network.chain(Some(self.wallet.open()?)).await?;
        let project = self.project.open(&chain).await?;
        // Nobody should put a stake into a project whose specification or first model cannot be had or is another.
        let store = self.network.store().await?;
        let spec = fetch_specification(&project, &store).await?;
        let progress = Progress::start("opening the reference string");
        let srs = ReferenceString::open_dev(&self.data.folder(), spec.model.dimension())?;
        progress.say("fetching the first model and checking its commitment");
        let terms = project.terms();
        fetch_model(&project, &store, &spec, &terms.model, terms.model_cid, &srs).await?;
        drop(progress);
        let receipt = project.join().await?;
        let stake = project.terms().stake;
        let who = format_address(&chain.account()?);
        print(&receipt, stake, &format!("{who} joined with a stake of {}", ether(stake)), self.output)
    }
}

impl LeaveArgs {
    pub(super) async fn run(self) -> eyre::Result<()> {
        let chain = self.network.chain(Some(self.wallet.open()?)).await?;
        let project = self.project.open_any(&chain).await?;
        let receipt = project.leave().await?;
        let stake = project.terms().stake;
        let who = format_address(&chain.account()?);
        let words = format!("{who} left; `fairshare withdraw` takes its stake of {} out", ether(stake));
        print(&receipt, stake, &words, self.output)
    }
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
