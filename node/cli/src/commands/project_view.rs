//! The state of a project, as `fairshare project show` reads it.

use fairshare_client::service::NetworkArgs;
use fairshare_client::{
    fetch_specification, OpenModel, Project, PublishedModel, RoundState, Status, TrainerState,
};
use fairshare_protocol::{Address, Specification};

pub(super) struct View {
    pub(super) status: Status,
    /// Trainers with their stakes and the amounts that they are owed.
    pub(super) trainers: Vec<(Address, TrainerState, u128)>,
    pub(super) aggregator_owed: u128,
    pub(super) owner_owed: u128,
    /// The slots of the open round.
    pub(super) round: RoundState,
    /// The model file whose fee is open.
    pub(super) open_model: OpenModel,
    /// Accounts that published it as withheld.
    pub(super) published: Vec<PublishedModel>,
    pub(super) specification: Result<Specification, String>,
}

impl View {
    /// Reads it; without an IPFS node only the specification is missing.
    pub(super) async fn read(project: &Project, network: &NetworkArgs) -> eyre::Result<Self> {
        let status = project.status().await?;
        let mut trainers = Vec::new();
        for &trainer in &status.trainers {
            trainers.push((trainer, project.trainer_state(trainer).await?, project.owed(trainer).await?));
        }
        let open_model = project.open_model().await?;
        let published = match open_model.round {
            0 => vec![],
            round => project.published(round).await?,
        };
        let specification = match network.store().await {
            Ok(store) => fetch_specification(project, &store).await.map_err(|e| e.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let terms = project.terms();
        Ok(Self {
            trainers,
            aggregator_owed: project.owed(terms.aggregator).await?,
            owner_owed: project.owed(terms.owner).await?,
            round: project.round_state(status.round).await?,
            open_model,
            published,
            specification,
            status,
        })
    }
}
