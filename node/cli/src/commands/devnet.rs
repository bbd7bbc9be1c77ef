//! `fairshare devnet`.

use std::path::PathBuf;

use clap::Args;
use fairshare_client::ether;
use fairshare_client::service::{print_json, print_line, OutputArgs, Stop};

use super::output::{table, text, Progress};
use crate::devnet::{Devnet, DevnetOptions, FUNDS};

/// `fairshare devnet`
#[derive(Args, Debug)]
#[command(after_help = "\
Example:
  fairshare devnet --folder devnet
  fairshare devnet --folder devnet --rpc-port 0 --ipfs-port 0 --json   # free ports, printed on stdout

The folder keeps chain and files: after a stop or a kill, the next start continues there. The wallets' password is in
devnet/password: use these wallets for development only, never for money. Runs until ctrl-c.")]
pub(super) struct DevnetArgs {
    /// Folder of chain, files and wallets
    #[arg(long, value_name = "DIR", default_value = "devnet")]
    folder: PathBuf,
    /// Port of the Ethereum RPC on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 8545)]
    rpc_port: u16,
    /// Port of the IPFS RPC on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 5001)]
    ipfs_port: u16,
    /// Wallets to create: owner, aggregator, then trainers
    #[arg(long, value_name = "COUNT", default_value_t = 12, value_parser = clap::value_parser!(u16).range(2..=200))]
    wallets: u16,
    /// Seconds after which a block is mined even without a transaction
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=3600))]
    block_time: u64,
    #[command(flatten)]
    output: OutputArgs,
}

impl DevnetArgs {
    pub(super) async fn run(self) -> eyre::Result<()> {
        let mut stop = Stop::listen()?;
        let progress = Progress::start("starting chain and IPFS");
        let options = DevnetOptions {
            folder: self.folder,
            rpc_port: self.rpc_port,
            ipfs_port: self.ipfs_port,
            wallets: self.wallets,
            block_time: self.block_time,
        };
        let mut devnet = Devnet::start(&options).await?;
        drop(progress);
        if self.output.json {
            print_json(&devnet.description())?;
        } else {
            print_line(&format!("Ethereum at {} (chain 31337), IPFS at {}", devnet.rpc(), devnet.ipfs()))?;
            print_line(&format!("password of all wallets: {}\n", text(devnet.password_file())))?;
            let mut rows = table(&["wallet", "address", "keystore"]);
            for wallet in devnet.wallets() {
                rows.add_row(vec![wallet.name.clone(), wallet.address.clone(), wallet.keystore.clone()]);
            }
            for line in rows.lines() {
                print_line(line.trim_end())?;
            }
            print_line(&format!(
                "\neach holds {} at the start; ctrl-c stops the devnet and keeps its state",
                ether(FUNDS)
            ))?;
        }
        tokio::select! {
            () = stop.requested() => {}
            status = devnet.chain_ended() => {
                let log = devnet.chain_log();
                devnet.stop().await;
                eyre::bail!("anvil ended by itself ({status}); its log: {}", log.display());
            }
        }
        devnet.stop().await;
        Ok(())
    }
}
