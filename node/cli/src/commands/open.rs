//! The arguments of every command about one project, and how it is opened.

use clap::Args;
use fairshare_client::service::{NetworkArgs, OutputArgs, ProjectArgs, Session, WalletArgs};
use fairshare_client::{Project, Wallet};

/// For commands that only read.
#[derive(Args, Clone, Debug)]
pub(super) struct ReadArgs {
    #[command(flatten)]
    pub(super) project: ProjectArgs,
    #[command(flatten)]
    pub(super) network: NetworkArgs,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// For commands that send a transaction.
#[derive(Args, Clone, Debug)]
pub(super) struct SendArgs {
    #[command(flatten)]
    pub(super) wallet: WalletArgs,
    #[command(flatten)]
    pub(super) read: ReadArgs,
}

impl ReadArgs {
    /// The project, whatever its version: what it says and what it owes can be read from any.
    pub(super) async fn project(&self) -> eyre::Result<Project> {
        self.any(None).await
    }

    /// The project with its content store and specification, all checked.
    pub(super) async fn session(&self) -> eyre::Result<Session> {
        Ok(Session::open(&self.network, &self.project, None).await?)
    }

    async fn any(&self, wallet: Option<Wallet>) -> eyre::Result<Project> {
        Ok(self.project.open_any(&self.network.chain(wallet).await?).await?)
    }
}

impl SendArgs {
    /// The project, whatever its version: a trainer must be able to leave and to withdraw from any.
    pub(super) async fn project(&self) -> eyre::Result<Project> {
        self.read.any(Some(self.wallet.open()?)).await
    }

    /// The project with its content store and specification, all checked.
    pub(super) async fn session(&self) -> eyre::Result<Session> {
        let ReadArgs { network, project, .. } = &self.read;
        Ok(Session::open(network, project, Some(self.wallet.open()?)).await?)
    }
}
