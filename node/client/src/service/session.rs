//! A project, opened for work: what every program does before it begins.

use fairshare_circuits::PinnedKeys;
use fairshare_protocol::Specification;

use super::args::{NetworkArgs, ProjectArgs};
use crate::chain::{Chain, ChainError, Project, Wallet};
use crate::content::{ContentError, ContentStore};
use crate::project_files::{fetch_specification, FileError};

/// Why a project cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The chain, or what it holds at the project's address.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The content store.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// The specification.
    #[error(transparent)]
    File(Box<FileError>),
    /// The project's contracts check proofs against other keys.
    #[error("the project's key registry has keys hash {on_chain}, the keys of this version have {here}: use the version that the project's owner used")]
    OtherKeys {
        /// The registry's keys hash.
        on_chain: String,
        /// The hash of the committed keys.
        here: String,
    },
}

impl From<FileError> for SessionError {
    fn from(error: FileError) -> Self {
        Self::File(Box::new(error))
    }
}

/// A project of this version, its content store, and its specification, each checked against the chain.
#[derive(Clone, Debug)]
pub struct Session {
    /// The project; its chain signs with the session's wallet.
    pub project: Project,
    /// A content store that answers.
    pub store: ContentStore,
    /// The project's specification.
    pub specification: Specification,
}

impl Session {
    /// Connects to chain and content store, checks that the contracts are those of this version, and fetches the
    /// specification. Sends nothing.
    ///
    /// # Errors
    /// [`SessionError`] names the address or the file that is wrong.
    pub async fn open(
        network: &NetworkArgs,
        project: &ProjectArgs,
        wallet: Option<Wallet>,
    ) -> Result<Self, SessionError> {
        let chain = network.chain(wallet).await?;
        let project = project.open(&chain).await?;
        let store = network.store().await?;
        let specification = fetch_specification(&project, &store).await?;
        Ok(Self { project, store, specification })
    }

    /// The project's chain.
    pub fn chain(&self) -> &Chain {
        self.project.chain()
    }

    /// The keys of this version, and whether the registry calls them development keys.
    ///
    /// # Errors
    /// [`SessionError::OtherKeys`] when the project's contracts check against others; the node's faults.
    pub async fn keys(&self) -> Result<(PinnedKeys, bool), SessionError> {
        let keys = PinnedKeys::load();
        let registered = self.project.market().await?.registered_keys(self.chain()).await?;
        if registered.hash != keys.hash() {
            let text = |hash: [u8; 32]| format!("0x{}", hex::encode(hash));
            return Err(SessionError::OtherKeys { on_chain: text(registered.hash), here: text(keys.hash()) });
        }
        Ok((keys, registered.dev))
    }
}
