//! `fairshare wallet`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use fairshare_client::service::{print_json, print_line, OutputArgs, WalletArgs};
use fairshare_client::{read_password, Wallet};
use serde_json::json;

use super::output::text;

/// `fairshare wallet ..`
#[derive(Subcommand, Debug)]
pub(super) enum WalletCommand {
    /// Create an account, its key encrypted in a keystore file
    #[command(after_help = "\
Example:
  head -c 18 /dev/urandom | base64 > password && chmod 600 password
  fairshare wallet new --out me.json --password-file password

An existing file is never overwritten. Keystore and password are both needed: losing either loses the money.")]
    New(NewArgs),
    /// Print the address of a keystore, after checking that the password opens it
    #[command(after_help = "Example:\n  fairshare wallet show --wallet me.json --password-file password")]
    Show(ShowArgs),
}

#[derive(Args, Debug)]
pub(super) struct NewArgs {
    /// The keystore file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// File whose first line is the password; without it FAIRSHARE_PASSWORD is used
    #[arg(long, env = "FAIRSHARE_PASSWORD_FILE", value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Args, Debug)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    wallet: WalletArgs,
    #[command(flatten)]
    output: OutputArgs,
}

impl WalletCommand {
    pub(super) fn run(self) -> eyre::Result<()> {
        let (wallet, keystore, output) = match self {
            Self::New(args) => {
                let password = read_password(args.password_file.as_deref())?;
                (Wallet::create(&args.out, &password)?, args.out, args.output)
            }
            Self::Show(args) => (args.wallet.open()?, args.wallet.wallet, args.output),
        };
        let address = wallet.address().to_string();
        if output.json {
            print_json(&json!({"address": address, "keystore": text(&keystore)}))?;
        } else {
            print_line(&format!("{address}  {}", keystore.display()))?;
        }
        Ok(())
    }
}
