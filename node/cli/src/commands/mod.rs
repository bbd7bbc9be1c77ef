//! `fairshare` and its commands.

mod audit;
mod devnet;
mod ipfs;
mod join;
mod keys;
mod model;
mod output;
mod project;
mod project_create;
mod project_show;
mod wallet;
mod withdraw;

use clap::{Parser, Subcommand};

/// A market for what private data adds to a shared model: create projects, join them, look at them, get paid, and check
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

FAIRSHARE_RPC, FAIRSHARE_IPFS, FAIRSHARE_PROJECT and FAIRSHARE_PASSWORD_FILE save typing.
FAIRSHARE_LOG=debug tells more on stderr. Exit codes: 0 done, 1 failed, 2 wrong arguments."
)]
pub struct Fairshare {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run a chain and an IPFS node on this machine, for trying things out
    Devnet(devnet::DevnetArgs),
    /// Run the embedded IPFS node alone
    #[command(subcommand)]
    Ipfs(ipfs::IpfsCommand),
    /// Make and look at wallets
    #[command(subcommand)]
    Wallet(wallet::WalletCommand),
    /// Make, import, list and check keys and reference strings
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Create projects and see where they stand
    #[command(subcommand)]
    Project(project::ProjectCommand),
    /// Join a project as a trainer, with its stake
    Join(join::JoinArgs),
    /// Leave a project and give up the seat, in any round in which nothing is committed
    Leave(join::LeaveArgs),
    /// Take out all that a project owes the wallet
    Withdraw(withdraw::WithdrawArgs),
    /// Get a project's model, or publish one that is withheld
    #[command(subcommand)]
    Model(model::ModelCommand),
    /// Check a whole project again, from the chain and IPFS alone
    Audit(audit::AuditArgs),
}

impl Fairshare {
    /// Does what was asked.
    ///
    /// # Errors
    /// In words, with what to do.
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
