//! `fairshare withdraw`.

use clap::Args;
use fairshare_client::service::{print_json, print_line, NetworkArgs, OutputArgs, ProjectArgs, WalletArgs};
use fairshare_client::{format_address, parse_address, Address20};
use serde_json::{json, Value};

use super::output::hash;

/// `fairshare withdraw`
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  fairshare withdraw --project 0x.. --wallet me.json --password-file password
  fairshare withdraw --project 0x.. --wallet me.json --password-file password --to 0x..

For trainers (pay, stake), the aggregator (fee, bond) and the owner (what is left). Where nothing is owed, nothing is
sent.")]
pub(super) struct WithdrawArgs {
    /// Who gets the money [default: the wallet itself]
    #[arg(long, value_name = "ADDRESS", value_parser = parse_address)]
    to: Option<Address20>,
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    wallet: WalletArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl WithdrawArgs {
    pub(super) async fn run(self) -> eyre::Result<()> {
        let chain = self.network.chain(Some(self.wallet.open()?)).await?;
        let project = self.project.open_any(&chain).await?;
        let account = chain.account()?;
        let to = self.to.unwrap_or(account);
        if project.owed(account).await? == 0 {
            if self.output.json {
                print_json(&json!({"transaction": Value::Null, "gas": 0, "amount_wei": "0"}))?;
            } else {
                print_line(&format!("nothing is owed to {} now", format_address(&account)))?;
            }
            return Ok(());
        }
        let receipt = project.withdraw(to).await?;
        let amount = project.withdrawn_by(receipt.transaction).await?;
        let (transaction, gas) = (hash(&receipt.transaction), receipt.gas_used);
        if self.output.json {
            print_json(&json!({"transaction": transaction, "gas": gas, "amount_wei": amount.to_string()}))?;
        } else {
            let to = format_address(&to);
            let amount = project.terms().money(amount);
            print_line(&format!("{amount} paid to {to} (transaction {transaction}, {gas} gas)"))?;
        }
        Ok(())
    }
}
