//! `fairshare ipfs`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use fairshare_client::service::{print_json, print_line, OutputArgs, Stop};
use serde_json::json;

use fairshare_ipfs::EmbeddedIpfs;

/// `fairshare ipfs ..`
#[derive(Subcommand, Debug)]
pub(super) enum IpfsCommand {
    /// Run an IPFS node with the part of Kubo's RPC that Fairshare uses
    #[command(after_help = "\
Example:
  fairshare ipfs serve --folder ipfs --port 5001

Kubo (`ipfs daemon`) can take its place: give every program its address with --ipfs.")]
    Serve(ServeArgs),
}

#[derive(Args, Debug)]
pub(super) struct ServeArgs {
    /// Folder of the node's blocks, pins and identity
    #[arg(long, value_name = "DIR", default_value = "ipfs")]
    folder: PathBuf,
    /// Port of the RPC on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 5001)]
    port: u16,
    #[command(flatten)]
    output: OutputArgs,
}

impl IpfsCommand {
    pub(super) async fn run(self) -> eyre::Result<()> {
        match self {
            Self::Serve(args) => args.run().await,
        }
    }
}

impl ServeArgs {
    async fn run(self) -> eyre::Result<()> {
        let mut stop = Stop::listen()?;
        let node = EmbeddedIpfs::start(&self.folder, self.port).await?;
        if self.output.json {
            print_json(&json!({"ipfs": node.api()}))?;
        } else {
            print_line(&format!(
                "IPFS at {}, files in {}; ctrl-c stops it",
                node.api(),
                self.folder.display()
            ))?;
        }
        stop.requested().await;
        node.stop().await;
        Ok(())
    }
}
