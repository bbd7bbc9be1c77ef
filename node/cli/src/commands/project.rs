//! `fairshare project`.

use clap::{Args, Subcommand};
use fairshare_client::service::{print_json, print_line};
use serde_json::json;

use super::open::SendArgs;
use super::output::hash;
use super::project_create::CreateArgs;
use super::project_show::ShowArgs;

/// `fairshare project ..`
#[derive(Subcommand, Debug)]
pub(super) enum ProjectCommand {
    /// Create a project: its specification and first model on IPFS, its reward in escrow
    Create(CreateArgs),
    /// Show the state of a project
    Show(ShowArgs),
    /// Start the next phase after a deadline has passed; any account may
    #[command(after_help = "\
Example:
  fairshare project advance --project 0x.. --wallet me.json --password-file password

Running trainers and aggregators do this themselves.")]
    Advance(AdvanceArgs),
}

#[derive(Args, Debug)]
pub(super) struct AdvanceArgs {
    #[command(flatten)]
    send: SendArgs,
}

impl ProjectCommand {
    pub(super) async fn run(self) -> eyre::Result<()> {
        match self {
            Self::Create(args) => args.run().await,
            Self::Show(args) => args.run().await,
            Self::Advance(args) => args.run().await,
        }
    }
}

impl AdvanceArgs {
    async fn run(self) -> eyre::Result<()> {
        let project = self.send.project().await?;
        let receipt = project.advance().await?;
        let status = project.status().await?;
        let (transaction, phase) = (hash(&receipt.transaction), status.phase);
        if self.send.read.output.json {
            let gas = receipt.gas_used;
            print_json(
                &json!({"transaction": transaction, "gas": gas, "phase": phase, "round": status.round}),
            )?;
        } else {
            print_line(&format!(
                "advanced: now {phase}, round {} (transaction {transaction})",
                status.round
            ))?;
        }
        Ok(())
    }
}
