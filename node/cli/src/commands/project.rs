//! `fairshare project`.

use clap::{Args, Subcommand};
use fairshare_client::service::{print_json, print_line, NetworkArgs, OutputArgs, ProjectArgs, WalletArgs};
use serde_json::json;

use super::output::hash;
use super::project_create::CreateArgs;
use super::project_show::{phase_name, ShowArgs};

/// `fairshare project ..`
#[derive(Subcommand, Debug)]
pub(super) enum ProjectCommand {
    /// Create a project: its specification and first model on IPFS, its reward in escrow
    Create(CreateArgs),
    /// Show where a project stands
    Show(ShowArgs),
    /// Move a project on when a deadline has passed; anybody may
    #[command(after_help = "\
Example:
  fairshare project advance --project 0x.. --wallet me.json --password-file password

Trainers and aggregators do this by themselves while they run.")]
    Advance(AdvanceArgs),
}

#[derive(Args, Debug)]
pub(super) struct AdvanceArgs {
    #[command(flatten)]
    project: ProjectArgs,
    #[command(flatten)]
    wallet: WalletArgs,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    output: OutputArgs,
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
        let chain = self.network.chain(Some(self.wallet.open()?)).await?;
        let project = self.project.open_any(&chain).await?;
        let receipt = project.advance().await?;
        let status = project.status().await?;
        let (transaction, phase) = (hash(&receipt.transaction), phase_name(status.phase));
        if self.output.json {
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
