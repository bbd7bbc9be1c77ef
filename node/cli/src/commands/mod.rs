//! The commands of `fairshare`.

mod audit;
mod devnet;
mod ipfs;
mod join;
mod keys;
mod model;
mod open;
mod output;
mod project;
mod project_create;
mod project_json;
mod project_show;
mod project_view;
mod wallet;
mod withdraw;

use clap::{Parser, Subcommand};

/// A market for what private data adds to a shared model: create projects, join them, follow them, get paid, and audit
/// everything from the chain and IPFS alone.
#[derive(Parser, Debug)]
#[command(
    name = "fairshare",
    version,
    after_help = "\
A market on one machine, in four steps:
  fairshare devnet                                   # a chain and an IPFS node, with funded wallets
  fairshare project create --spec project.toml --aggregator 0x.. --wallet devnet/wallets/owner.json
  fairshare-trainer run --project 0x.. --data shard.safetensors --join --wallet devnet/wallets/trainer-1.json
  fairshare-aggregator run --project 0x.. --wallet devnet/wallets/aggregator.json

FAIRSHARE_RPC, FAIRSHARE_IPFS, FAIRSHARE_PROJECT and FAIRSHARE_PASSWORD_FILE stand in for the options of these names.
FAIRSHARE_LOG=debug logs more on stderr. Exit codes: 0 done, 1 failed, 2 wrong arguments."
)]
pub struct Fairshare {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run a chain and an IPFS node on this machine, for development
    Devnet(devnet::DevnetArgs),
    /// Run the embedded IPFS node alone
    #[command(subcommand)]
    Ipfs(ipfs::IpfsCommand),
    /// Create and show wallets
    #[command(subcommand)]
    Wallet(wallet::WalletCommand),
    /// Create, import, list and verify keys and reference strings
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Create projects, show their state, advance them
    #[command(subcommand)]
    Project(project::ProjectCommand),
    /// Join a project as a trainer, with its stake
    Join(join::JoinArgs),
    /// Leave a project and give up the seat, in any round in which you have not committed
    Leave(join::LeaveArgs),
    /// Withdraw everything that a project owes the wallet
    Withdraw(withdraw::WithdrawArgs),
    /// Fetch a project's model, or publish one that is withheld
    #[command(subcommand)]
    Model(model::ModelCommand),
    /// Verify a whole project again from the chain and IPFS alone
    Audit(audit::AuditArgs),
}

impl Fairshare {
    /// Runs the command.
    ///
    /// # Errors
    /// The message names the remedy.
    pub async fn run(self) -> eyre::Result<()> {
        match self.command {
            Command::Devnet(args) => args.run().await,
            Command::Ipfs(command) => command.run().await,
            Command::Wallet(command) => command.run(),
            Command::Keys(command) => command.run(),
            Command::Project(command) => command.run().await,
            Command::Join(args) => args.run().await,
            Command::Leave(args) => args.run().await,
            Command::Withdraw(args) => args.run().await,
            Command::Model(command) => command.run().await,
            Command::Audit(args) => args.run().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_commands_are_sound_and_each_teaches_with_an_example() {
        let mut root = Fairshare::command();
        root.clone().debug_assert();
        root.build();
        let mut open = vec![root];
        while let Some(command) = open.pop() {
            let name = command.get_name().to_owned();
            if name == "help" {
                continue;
            }
            let subcommands: Vec<_> = command.get_subcommands().cloned().collect();
            if subcommands.is_empty() {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("fairshare "), "{name} has no example");
            }
            open.extend(subcommands);
        }
    }
}
