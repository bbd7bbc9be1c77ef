//! `fairshare withdraw`.

use clap::Args;
use fairshare_client::service::{add_amounts, print_json, print_line};
use fairshare_client::Project;
use fairshare_protocol::Address;
use serde_json::{json, Value};

use super::open::SendArgs;
use super::output::hash;

/// `fairshare withdraw`
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  fairshare withdraw --project 0x.. --wallet me.json --password-file password
  fairshare withdraw --project 0x.. --wallet me.json --password-file password --to 0x..

For trainers (pay, stake), the aggregator (fee, bond) and the owner (the rest of the escrow). Sends nothing when nothing is
owed.")]
pub(super) struct WithdrawArgs {
    /// Receiver of the money [default: the wallet itself]
    #[arg(long, value_name = "ADDRESS")]
    to: Option<Address>,
    #[command(flatten)]
    send: SendArgs,
}

impl WithdrawArgs {
    pub(super) async fn run(self) -> eyre::Result<()> {
        let output = self.send.read.output;
        let project = self.send.project().await?;
        let account = project.chain().account()?;
        let to = self.to.unwrap_or(account);
        if project.owed(account).await? == 0 {
            if output.json {
                return print(&project, Value::Null, 0, 0);
            }
            print_line(&format!("nothing is owed to {account} at present"))?;
            return Ok(());
        }
        let receipt = project.withdraw(to).await?;
        let amount = project.withdrawn_by(receipt.transaction).await?;
        let (transaction, gas) = (hash(&receipt.transaction), receipt.gas_used);
        if output.json {
            return print(&project, transaction.into(), gas, amount);
        }
        let (to, amount) = (to.to_string(), project.terms().money(amount));
        print_line(&format!("{amount} paid to {to} (transaction {transaction}, {gas} gas)"))?;
        Ok(())
    }
}

fn print(project: &Project, transaction: Value, gas: u64, amount: u128) -> eyre::Result<()> {
    let mut json = json!({"transaction": transaction, "gas": gas});
    add_amounts(&mut json, [("amount", project.terms().amount(amount))]);
    Ok(print_json(&json)?)
}
